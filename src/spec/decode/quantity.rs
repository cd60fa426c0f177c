//! Sizes and durations as text.

/// `512m`, `1.5 GiB`, `1024`: bytes with a factor of 1024.
pub(super) fn bytes(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(number);
    }
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, unit) = text.split_at(digits);
    if !number.starts_with(|first: char| first.is_ascii_digit()) || number.ends_with('.') {
        return None;
    }
    let amount: f64 = number.parse().ok()?;
    let unit = unit.trim_start_matches(' ').to_ascii_lowercase();
    let factor = match unit.as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" | "ki" => 1,
        "m" | "mb" | "mib" | "mi" => 2,
        "g" | "gb" | "gib" | "gi" => 3,
        "t" | "tb" | "tib" | "ti" => 4,
        "p" | "pb" | "pib" | "pi" => 5,
        _ => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "sizes are whole bytes")]
    Some((amount * 1024_f64.powi(factor)) as i64)
}

/// A sum of `N[.N]unit`, in nanoseconds. The error is Go's.
pub(super) fn duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration \"{text}\"");
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1_i128, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let number = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (digits, after) = rest.split_at(number);
        if digits.is_empty() || digits == "." || digits.matches('.').count() > 1 {
            return Err(invalid());
        }
        let unit = after.find(|character: char| character == '.' || character.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let scale: i128 = match unit {
            "" => return Err(format!("time: missing unit in duration \"{text}\"")),
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 24 * 3_600_000_000_000,
            "w" => 7 * 24 * 3_600_000_000_000,
            _ => return Err(format!("time: unknown unit \"{unit}\" in duration \"{text}\"")),
        };
        total += scaled(digits, scale).ok_or_else(invalid)?;
        rest = after;
    }
    i64::try_from(sign * total).map_err(|_| invalid())
}

/// `digits` times `scale`, exact but for what lies below one.
fn scaled(digits: &str, scale: i128) -> Option<i128> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction = fraction.get(..18).unwrap_or(fraction);
    let part = if fraction.is_empty() {
        0
    } else {
        fraction.parse::<i128>().ok()?.checked_mul(scale)? / 10_i128.pow(u32::try_from(fraction.len()).ok()?)
    };
    whole.checked_mul(scale)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_read_as_docker_compose_reads_them() {
        for (text, size) in [
            ("1k", Some(1024)),
            ("1.5g", Some(1_610_612_736)),
            ("64 MiB", Some(67_108_864)),
            ("-1", Some(-1)),
            ("10", Some(10)),
            ("foo", None),
            ("", None),
            ("1x", None),
        ] {
            assert_eq!(bytes(text), size, "{text}");
        }
        for (text, nanoseconds) in [
            ("1m30s", Ok(90_000_000_000)),
            ("1.5s", Ok(1_500_000_000)),
            ("0", Ok(0)),
            ("1d", Ok(86_400_000_000_000)),
            ("-1s", Ok(-1_000_000_000)),
            ("90", Err("time: missing unit in duration \"90\"".to_owned())),
            ("foo", Err("time: invalid duration \"foo\"".to_owned())),
            ("1x", Err("time: unknown unit \"x\" in duration \"1x\"".to_owned())),
        ] {
            assert_eq!(duration(text), nanoseconds, "{text}");
        }
    }
}
