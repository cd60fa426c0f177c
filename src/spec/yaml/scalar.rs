//! What a scalar means: the rules of yaml.v3, which are YAML 1.2 with leftovers of 1.1.

use super::timestamp;
use crate::spec::tree::Value;

/// Tags that decide how a scalar is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarTag {
    /// None, or `!`.
    Implied,
    Str,
    Null,
    Bool,
    Int,
    Float,
    Timestamp,
    Binary,
    /// Any other one: the scalar is text.
    Other,
}

const CORE: &str = "tag:yaml.org,2002:";

impl ScalarTag {
    /// The meaning of a tag as libyaml resolves it.
    pub(super) fn of(tag: Option<&str>) -> Self {
        match tag {
            None | Some("" | "!") => Self::Implied,
            Some(tag) => match tag.strip_prefix(CORE).or_else(|| tag.strip_prefix("!!")) {
                Some("str") => Self::Str,
                Some("null") => Self::Null,
                Some("bool") => Self::Bool,
                Some("int") => Self::Int,
                Some("float") => Self::Float,
                Some("timestamp") => Self::Timestamp,
                Some("binary") => Self::Binary,
                _ => Self::Other,
            },
        }
    }
    fn name(self) -> &'static str {
        match self {
            Self::Implied | Self::Other | Self::Str => "!!str",
            Self::Null => "!!null",
            Self::Bool => "!!bool",
            Self::Int => "!!int",
            Self::Float => "!!float",
            Self::Timestamp => "!!timestamp",
            Self::Binary => "!!binary",
        }
    }
}

/// The value of a scalar, or why the tag does not fit it.
pub(super) fn resolve(tag: ScalarTag, quoted: bool, text: String) -> Result<Value, String> {
    match tag {
        ScalarTag::Str | ScalarTag::Other => return Ok(Value::String(text)),
        ScalarTag::Implied if quoted => return Ok(Value::String(text)),
        ScalarTag::Binary => {
            let data = base64(&text).ok_or("!!binary value contains invalid base64 data")?;
            return Ok(Value::String(String::from_utf8_lossy(&data).into_owned()));
        }
        _ => {}
    }
    let value = plain(tag, text);
    match (tag, value) {
        (ScalarTag::Implied, value)
        | (ScalarTag::Null, value @ Value::Null)
        | (ScalarTag::Bool, value @ Value::Bool(_))
        | (ScalarTag::Int, value @ Value::Int(_))
        | (ScalarTag::Float, value @ Value::Float(_))
        | (ScalarTag::Timestamp, value @ Value::Timestamp(_)) => Ok(value),
        #[expect(clippy::cast_precision_loss, reason = "`!!float 3` asks for it")]
        (ScalarTag::Float, Value::Int(number)) if i64::try_from(number).is_ok() => Ok(Value::Float(number as f64)),
        (tag, value) => Err(format!("cannot decode {} as a {}", kind(&value), tag.name())),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "!!null",
        Value::Bool(_) => "!!bool",
        Value::Int(_) => "!!int",
        Value::Float(_) => "!!float",
        Value::Timestamp(_) => "!!timestamp",
        Value::String(_) | Value::Sequence(_) | Value::Mapping(_) => "!!str",
    }
}

/// Whether a plain scalar with this text would not be read as that same text.
pub(crate) fn resolves_to_other(text: &str) -> bool {
    match text.as_bytes().first() {
        None => true,
        Some(b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'~') => word(text).is_some(),
        Some(b'.' | b'+' | b'-' | b'0'..=b'9') => {
            !matches!(plain(ScalarTag::Implied, text.to_owned()), Value::String(_))
        }
        Some(_) => false,
    }
}

fn plain(tag: ScalarTag, text: String) -> Value {
    let Some(first) = text.as_bytes().first() else { return Value::Null };
    match first {
        b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'~' => word(&text),
        b'.' => word(&text).or_else(|| float(&text).map(Value::Float)),
        b'+' | b'-' | b'0'..=b'9' => word(&text).or_else(|| number(tag, &text)),
        _ => None,
    }
    .unwrap_or(Value::String(text))
}

fn word(text: &str) -> Option<Value> {
    Some(match text {
        "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

fn number(tag: ScalarTag, text: &str) -> Option<Value> {
    if matches!(tag, ScalarTag::Implied | ScalarTag::Timestamp)
        && let Some(canonical) = timestamp::canonical(text)
    {
        return Some(Value::Timestamp(canonical));
    }
    let without;
    let digits = if text.contains('_') {
        without = text.replace('_', "");
        without.as_str()
    } else {
        text
    };
    integer(digits).map(Value::Int).or_else(|| float(digits).map(Value::Float))
}

/// Go's `ParseInt` and then `ParseUint` with base 0: prefixes `0x 0b 0o 0`, 64 bits.
fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (Some(-1), &text[1..]),
        b'+' => (Some(1), &text[1..]),
        _ => (None, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i128::from(u64::from_str_radix(digits, radix).ok()?) * sign.unwrap_or(1);
    (sign.is_none() || i64::try_from(number).is_ok()).then_some(number)
}

/// Decimal floats; not hexadecimal ones, and not those beyond the range.
fn float(text: &str) -> Option<f64> {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (rest, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let shape = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
    shape.then(|| text.parse::<f64>().ok()).flatten().filter(|number| number.is_finite())
}

/// Standard base 64 with padding; line breaks are skipped.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut data = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held, mut padding) = (0_u32, 0_u32, 0_u32);
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')) {
        let value = match byte {
            b'=' => {
                padding += 1;
                continue;
            }
            _ if padding > 0 => return None,
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            data.push(u8::try_from((bits >> held) & 0xFF).unwrap_or(0));
        }
    }
    matches!((held, padding), (0, 0) | (4, 2) | (2, 1)).then_some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        resolve(ScalarTag::Implied, false, text.to_owned()).unwrap()
    }

    #[test]
    fn plain_scalars_mean_what_they_mean_to_docker_compose() {
        for (text, expected) in [
            ("0777", 511),
            ("0o777", 511),
            ("0O777", 511),
            ("-0777", -511),
            ("+0777", 511),
            ("00", 0),
            ("0x1F", 31),
            ("-0x10", -16),
            ("0b101", 5),
            ("1_000", 1000),
            ("1__0", 10),
            ("0x1_F", 31),
            ("18446744073709551615", 18_446_744_073_709_551_615),
            ("-9223372036854775808", -9_223_372_036_854_775_808),
        ] {
            assert_eq!(read(text), Value::Int(expected), "{text}");
        }
        for (text, expected) in [
            ("0888", 888.0),
            ("08", 8.0),
            ("0777.0", 777.0),
            ("1e3", 1e3),
            (".5", 0.5),
            ("5.", 5.0),
            ("+.5", 0.5),
            ("1.e3", 1e3),
            ("1e-400", 0.0),
            ("18446744073709551616", 18_446_744_073_709_551_616.0),
            ("1_000.5", 1000.5),
            ("-.inf", f64::NEG_INFINITY),
        ] {
            assert_eq!(read(text), Value::Float(expected), "{text}");
        }
        for text in [
            "yes", "no", "on", "y", "22:22", "1:30:00", "0o8", "0x", "0xg", "0b2", "1e", "e3", ".", ".e1", "0x1p3",
            "1.2.3", "1e400", "+", "-", "--1", "+-1", "_1", "nUll", "None", "inf", "NaN", ".INFx", "2001-12", "<<",
        ] {
            assert_eq!(read(text), Value::String(text.to_owned()), "{text}");
        }
        for (text, expected) in [("", Value::Null), ("~", Value::Null), ("True", Value::Bool(true))] {
            assert_eq!(read(text), expected);
        }
        assert!(matches!(read(".NaN"), Value::Float(number) if number.is_nan()));
        assert_eq!(read("2001-1-1"), Value::Timestamp("2001-01-01T00:00:00Z".into()));
    }

    #[test]
    fn tags_decide_or_complain() {
        for (tag, text, expected) in [
            ("!foo", "12", Ok(Value::String("12".into()))),
            ("tag:yaml.org,2002:str", "12", Ok(Value::String("12".into()))),
            ("tag:yaml.org,2002:int", "3", Ok(Value::Int(3))),
            ("tag:yaml.org,2002:float", "3", Ok(Value::Float(3.0))),
            ("tag:yaml.org,2002:null", "", Ok(Value::Null)),
            ("tag:yaml.org,2002:binary", "aGVsbG8=", Ok(Value::String("hello".into()))),
            ("tag:yaml.org,2002:binary", "aGVsbG8", Err("!!binary value contains invalid base64 data".to_owned())),
            ("tag:yaml.org,2002:bool", "yes", Err("cannot decode !!str as a !!bool".to_owned())),
        ] {
            assert_eq!(resolve(ScalarTag::of(Some(tag)), true, text.to_owned()), expected, "{tag} {text}");
        }
    }
}
