//! Moments as people write them, for `--since` and `--until`.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A moment as engines take it: RFC 3339 and dates become seconds since 1970, in `zone` unless they name theirs, `42m` is
/// so long ago, and seconds since 1970 stay.
///
/// # Errors
/// It is none of these.
pub(super) fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Result<String, String> {
    let told = |time: Timestamp| format!("{}.{:09}", time.as_second(), time.subsec_nanosecond());
    if let Some((ago, is_negative)) = go_duration(text)
        && text != "0"
    {
        let time = if is_negative { now.checked_add(ago) } else { now.checked_sub(ago) };
        return time.map(told).map_err(|_| unknown(text));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(told(time));
    }
    let (civil, zone) = text.strip_suffix('Z').map_or((text, zone.clone()), |civil| (civil, TimeZone::UTC));
    if let Some(time) = civil_time(civil) {
        return time.to_zoned(zone).map(|zoned| told(zoned.timestamp())).map_err(|_| unknown(text));
    }
    if is_seconds(text) { Ok(text.to_owned()) } else { Err(unknown(text)) }
}

fn unknown(text: &str) -> String {
    format!("failed to parse value as time or duration: {text:?}")
}

/// `2025-06-01`, and with `T` hours, minutes, seconds.
fn civil_time(text: &str) -> Option<DateTime> {
    if text.contains('T') {
        text.parse().ok()
    } else {
        Some(text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight()))
    }
}

/// Seconds since 1970, perhaps with a fraction; nothing means no moment.
fn is_seconds(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let whole = whole.strip_prefix('-').filter(|rest| !rest.is_empty()).unwrap_or(whole);
    are_digits(whole) && are_digits(fraction)
}

/// `1h30m`, `1.5s`, `200ms`, and whether it is negative.
fn go_duration(text: &str) -> Option<(Duration, bool)> {
    let is_negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_end);
        let factor = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * factor;
        rest = next;
    }
    Some((Duration::try_from_secs_f64(seconds).ok()?, is_negative))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_seconds_since_1970() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        for (text, seconds) in [
            ("42m", "997480.000000000"),
            ("-42m", "1002520.000000000"),
            ("1h30m", "994600.000000000"),
            ("1.5s", "999998.500000000"),
            ("1970-01-02T00:00:00Z", "86400.000000000"),
            ("1970-01-01T02:00:00+01:00", "3600.000000000"),
            ("1970-01-02T00:00:00", "79200.000000000"),
            ("1970-01-02T00:00", "79200.000000000"),
            ("1970-01-02T00", "79200.000000000"),
            ("1970-01-02", "79200.000000000"),
            ("1970-01-02Z", "86400.000000000"),
            ("1970-01-02T00Z", "86400.000000000"),
            ("12345", "12345"),
            ("12345.5", "12345.5"),
            ("0", "0"),
            ("", ""),
        ] {
            assert_eq!(moment(text, now, &zone).as_deref(), Ok(seconds), "{text}");
        }
        for text in ["yesterday", "1d", "1x", "2013-13-45", "1.2.3", "-", "99999999999999999h"] {
            let told = format!("failed to parse value as time or duration: {text:?}");
            assert_eq!(moment(text, now, &zone), Err(told));
        }
    }
}
