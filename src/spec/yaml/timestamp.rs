//! Unquoted dates and times, which docker compose's YAML layer reads as such.

use std::fmt::Write;

/// The text of a timestamp as docker compose prints it (RFC 3339), when `text` is one of the forms yaml.v3 knows:
/// `2001-1-2`, `2001-1-2T3:4:5.6Z`, `2001-1-2t3:4:5+01:00`, `2001-1-2 3:4:5`.
pub(super) fn canonical(text: &str) -> Option<String> {
    let mut rest = text.as_bytes();
    // Years have four digits; this also is the quick way out for plain numbers.
    let year = digits(&mut rest, 4, 4)?;
    skip(&mut rest, b'-')?;
    let month = digits(&mut rest, 1, 2)?;
    skip(&mut rest, b'-')?;
    let day = digits(&mut rest, 1, 2)?;
    if !(1..=12).contains(&month) || day == 0 || day > days(year, month) {
        return None;
    }
    let mut out = format!("{year:04}-{month:02}-{day:02}");
    let Some((separator, tail)) = rest.split_first() else {
        out.push_str("T00:00:00Z");
        return Some(out);
    };
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    rest = tail;
    let hour = digits(&mut rest, 1, 2)?;
    skip(&mut rest, b':')?;
    let minute = digits(&mut rest, 1, 2)?;
    skip(&mut rest, b':')?;
    let second = digits(&mut rest, 1, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let _ = write!(out, "T{hour:02}:{minute:02}:{second:02}");
    if let [b'.' | b',', b'0'..=b'9', ..] = rest {
        let length = rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
        let fraction: String = rest.iter().skip(1).take(length.min(9)).map(|byte| char::from(*byte)).collect();
        let fraction = fraction.trim_end_matches('0');
        if !fraction.is_empty() {
            let _ = write!(out, ".{fraction}");
        }
        rest = rest.get(1 + length..)?;
    }
    match (separator, rest) {
        (b' ', []) | (b'T' | b't', [b'Z']) => out.push('Z'),
        (b'T' | b't', [sign @ (b'+' | b'-'), zone @ ..]) => {
            let mut zone = zone;
            let hours = digits(&mut zone, 2, 2)?;
            skip(&mut zone, b':')?;
            let minutes = digits(&mut zone, 2, 2)?;
            if hours > 24 || minutes > 60 || !zone.is_empty() {
                return None;
            }
            if hours == 0 && minutes == 0 {
                out.push('Z');
            } else {
                let _ = write!(out, "{}{hours:02}:{minutes:02}", char::from(*sign));
            }
        }
        _ => return None,
    }
    Some(out)
}

fn digits(rest: &mut &[u8], least: usize, most: usize) -> Option<u32> {
    let length = rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    if length < least {
        return None;
    }
    let (number, tail) = rest.split_at(length);
    *rest = tail;
    Some(number.iter().fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0')))
}

fn skip(rest: &mut &[u8], byte: u8) -> Option<()> {
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    (*first == byte).then_some(())
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_found_and_written_out() {
        for (text, expected) in [
            ("2001-12-14", Some("2001-12-14T00:00:00Z")),
            ("2001-1-1", Some("2001-01-01T00:00:00Z")),
            ("2001-12-14T21:59:43.10-05:00", Some("2001-12-14T21:59:43.1-05:00")),
            ("2001-12-14t21:59:43Z", Some("2001-12-14T21:59:43Z")),
            ("2001-12-14 1:2:3", Some("2001-12-14T01:02:03Z")),
            ("2000-02-29", Some("2000-02-29T00:00:00Z")),
            ("2001-12-14 21:59:43.10 -5", None),
            ("2001-13-01", None),
            ("2001-02-29", None),
            ("2001-12", None),
            ("20011214", None),
            ("2001-12-14T24:00:00Z", None),
            ("2001-12-14T21:59:43", None),
            ("2001-12-14x", None),
        ] {
            assert_eq!(canonical(text).as_deref(), expected, "{text}");
        }
    }
}
