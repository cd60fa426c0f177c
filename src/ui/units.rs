//! Sizes and spans of time as docker writes them.

/// A length of time in one rough phrase, as docker's `CREATED` columns have it: `36 seconds`, `About an hour`.
pub fn rough_duration(seconds: i64) -> String {
    let plural = |count: i64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    let minutes = seconds / 60;
    let hours = (seconds + 1800) / 3600;
    match seconds {
        ..1 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => plural(seconds, "second"),
        60..120 => "About a minute".to_owned(),
        120..3600 => plural(minutes, "minute"),
        _ if hours == 1 => "About an hour".to_owned(),
        _ if hours < 48 => plural(hours, "hour"),
        _ if hours < 24 * 7 * 2 => plural(hours / 24, "day"),
        _ if hours < 24 * 30 * 2 => plural(hours / 24 / 7, "week"),
        _ if hours < 24 * 365 * 2 => plural(hours / 24 / 30, "month"),
        _ => plural(seconds / 3600 / 24 / 365, "year"),
    }
}

/// How long ago, for two moments in seconds since 1970.
pub fn ago(then: i64, now: i64) -> String {
    format!("{} ago", rough_duration(now.saturating_sub(then)))
}

/// A size in powers of 1000 with so many significant digits: `12.3MB`.
pub fn decimal_size(bytes: f64, digits: usize) -> String {
    scaled(bytes, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"], digits)
}

/// A size in powers of 1024 with four significant digits: `12.34MiB`.
pub fn binary_size(bytes: f64) -> String {
    scaled(bytes, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"], 4)
}

fn scaled(mut value: f64, base: f64, units: &[&str], digits: usize) -> String {
    let mut unit = 0;
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    format!("{}{}", significant(value, digits), units.get(unit).copied().unwrap_or_default())
}

/// Like C's `%.{digits}g` for values from 0 to a few thousand: trailing zeros are left out.
fn significant(value: f64, digits: usize) -> String {
    let mut whole = 1;
    let mut rest = value.abs();
    while rest >= 10.0 {
        rest /= 10.0;
        whole += 1;
    }
    if whole > digits {
        // Go's %g turns to an exponent here: 1.02e+03.
        let exponent = whole - 1;
        let mantissa = format!("{:.*}", digits.saturating_sub(1), rest);
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.').to_owned();
        return format!("{mantissa}e+{exponent:02}");
    }
    let mut decimals = digits.saturating_sub(whole);
    if value > 0.0 {
        // Zeros right after the point are not significant.
        let mut small = value;
        while small < 1.0 && decimals < 12 {
            small *= 10.0;
            decimals += 1;
        }
    }
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_read_as_docker_writes_them() {
        for (seconds, text) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (36, "36 seconds"),
            (60, "About a minute"),
            (150, "2 minutes"),
            (3599, "59 minutes"),
            (3600, "About an hour"),
            (5400, "2 hours"),
            (86_400, "24 hours"),
            (3 * 86_400, "3 days"),
            (20 * 86_400, "2 weeks"),
            (90 * 86_400, "3 months"),
            (800 * 86_400, "2 years"),
        ] {
            assert_eq!(rough_duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn sizes_read_as_docker_writes_them() {
        for (bytes, three, binary) in [
            (0.0, "0B", "0B"),
            (999.0, "999B", "999B"),
            (1000.0, "1kB", "1000B"),
            (12_345_678.0, "12.3MB", "11.77MiB"),
            (8_320_000.0, "8.32MB", "7.935MiB"),
            (2_000_000_000.0, "2GB", "1.863GiB"),
        ] {
            assert_eq!(decimal_size(bytes, 3), three);
            assert_eq!(binary_size(bytes), binary);
        }
    }
}
