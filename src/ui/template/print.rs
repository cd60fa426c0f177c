//! Values as Go's `fmt` prints them.

use serde_json::Value;

/// Wider and more precise than this nobody wants it.
const WIDEST: usize = 1000;

/// `%v`
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(float)) => general(float),
            (None, None) => number.to_string(),
        },
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(self::value).collect::<Vec<String>>().join(" ")),
        Value::Object(fields) => format!("{{{}}}", fields.values().map(self::value).collect::<Vec<String>>().join(" ")),
    }
}

/// The name of a type.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int",
        Value::String(_) => "string",
        Value::Array(_) => "[]string",
        Value::Object(_) => "struct",
    }
}

/// `fmt.Sprint`: a blank between neighbours of which neither is a text.
pub(super) fn print(values: &[Value]) -> String {
    let mut out = String::new();
    for (at, this) in values.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| values.get(before));
        if before.is_some_and(|before| !before.is_string() && !this.is_string()) {
            out.push(' ');
        }
        out.push_str(&value(this));
    }
    out
}

/// `fmt.Sprintln`
pub(super) fn println(values: &[Value]) -> String {
    values.iter().map(value).collect::<Vec<String>>().join(" ") + "\n"
}

/// Go's `%g` with as many digits as it takes.
fn general(float: f64) -> String {
    let exponent = if float == 0.0 { 0.0 } else { float.abs().log10().floor() };
    if (-4.0..21.0).contains(&exponent) { float.to_string() } else { exponential(float, None) }
}

/// `1.5e+06`
fn exponential(float: f64, precision: Option<usize>) -> String {
    let text = match precision {
        Some(precision) => format!("{float:.precision$e}"),
        None => format!("{float:e}"),
    };
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => text,
    }
}

/// How one `%…` is to be written.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    sharp: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// `fmt.Sprintf`
pub(super) fn printf(format: &str, values: &[Value]) -> String {
    let mut out = String::new();
    let mut values_left = values.iter();
    let mut letters = format.chars().peekable();
    while let Some(c) = letters.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut flags = Flags::default();
        while let Some(flag) = letters.next_if(|c| "-+# 0".contains(*c)) {
            match flag {
                '-' => flags.left = true,
                '+' => flags.plus = true,
                ' ' => flags.space = true,
                '0' => flags.zero = true,
                _ => flags.sharp = true,
            }
        }
        let mut size = |letters: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            if letters.next_if_eq(&'*').is_some() {
                return values_left.next().and_then(Value::as_i64);
            }
            let mut number = None;
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                let digit = i64::from(digit.to_digit(10).unwrap_or(0));
                number = Some(number.unwrap_or(0_i64).saturating_mul(10).saturating_add(digit));
            }
            number
        };
        if let Some(width) = size(&mut letters) {
            flags.left |= width < 0;
            flags.width = usize::try_from(width.unsigned_abs()).ok().map(|width| width.min(WIDEST));
        }
        if letters.next_if_eq(&'.').is_some() {
            let precision = size(&mut letters).unwrap_or(0);
            flags.precision = Some(usize::try_from(precision).unwrap_or(0).min(WIDEST));
        }
        match letters.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match values_left.next() {
                None => out.push_str(&format!("%!{verb}(MISSING)")),
                Some(value) => out.push_str(&one(verb, flags, value)),
            },
        }
    }
    let extra: Vec<String> = values_left.map(|extra| format!("{}={}", kind(extra), value(extra))).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn one(verb: char, flags: Flags, value: &Value) -> String {
    let wrong = || format!("%!{verb}({}={})", kind(value), self::value(value));
    let cut = |text: String| match flags.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    };
    let signed = |negative: bool, digits: String| {
        let sign = match (negative, flags.plus, flags.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        };
        let zeros = if flags.zero && !flags.left {
            flags.width.unwrap_or(0).saturating_sub(sign.len() + digits.chars().count())
        } else {
            0
        };
        format!("{sign}{}{digits}", "0".repeat(zeros))
    };
    let text = match (verb, value) {
        ('T', value) => kind(value).to_owned(),
        ('v', Value::Number(number)) => match number.as_i64() {
            Some(whole) => signed(whole < 0, whole.unsigned_abs().to_string()),
            None => self::value(value),
        },
        ('v' | 's', Value::String(text)) => cut(text.clone()),
        ('v', value) | ('s', value @ Value::Array(_)) => self::value(value),
        ('q', Value::String(text)) => quoted(&cut(text.clone())),
        ('x', Value::String(text)) => text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Value::String(text)) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        ('t', Value::Bool(flag)) => flag.to_string(),
        ('e' | 'f' | 'F' | 'g' | 'G' | 'E', Value::Number(number)) if number.is_f64() => {
            let float = number.as_f64().unwrap_or(0.0);
            let digits = match verb {
                'e' | 'E' => exponential(float.abs(), Some(flags.precision.unwrap_or(6))),
                'f' | 'F' => format!("{:.*}", flags.precision.unwrap_or(6), float.abs()),
                _ => general(float.abs()),
            };
            signed(float < 0.0, digits)
        }
        ('d' | 'b' | 'o' | 'x' | 'X' | 'c' | 'q' | 'U', Value::Number(number)) => {
            let Some(whole) = number.as_i64() else { return wrong() };
            let size = whole.unsigned_abs();
            let letter = u32::try_from(whole).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
            match verb {
                'd' => signed(whole < 0, size.to_string()),
                'b' => signed(whole < 0, format!("{size:b}")),
                'o' => signed(whole < 0, format!("{size:o}")),
                'x' => signed(whole < 0, format!("{}{size:x}", if flags.sharp { "0x" } else { "" })),
                'X' => signed(whole < 0, format!("{}{size:X}", if flags.sharp { "0X" } else { "" })),
                'c' => letter.to_string(),
                'U' => format!("U+{size:04X}"),
                _ => {
                    let text = quoted(&letter.to_string());
                    format!("'{}'", text.trim_matches('"'))
                }
            }
        }
        _ => return wrong(),
    };
    padded(text, flags)
}

fn padded(text: String, flags: Flags) -> String {
    let blanks = " ".repeat(flags.width.unwrap_or(0).saturating_sub(text.chars().count()));
    if flags.left { text + &blanks } else { blanks + &text }
}

/// Go's `strconv.Quote`.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
