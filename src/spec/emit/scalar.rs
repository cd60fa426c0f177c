//! How one scalar is written: plain, quoted, or as a literal block, chosen as yaml.v3 chooses.

use std::fmt::Write;

use crate::spec::yaml::resolves_to_other;

/// Keys longer than this many bytes are written behind a `?`.
const MAX_SIMPLE_KEY: usize = 128;

/// A float the way Go prints it by default: shortest digits, `1e+06` from a million on; `NaN`, `+Inf`.
pub fn go_float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// A float in YAML.
pub(super) fn float(number: f64) -> String {
    match number {
        _ if number.is_nan() => ".nan".to_owned(),
        f64::INFINITY => ".inf".to_owned(),
        f64::NEG_INFINITY => "-.inf".to_owned(),
        _ => go_float(number),
    }
}

/// Whether a key fits before a `:`.
pub(super) fn is_simple_key(key: &str) -> bool {
    key.len() <= MAX_SIMPLE_KEY && !key.contains(is_break)
}

/// Writes a string. `indent` is where the lines of a block begin; a literal block ends with its line break, all other
/// forms without one.
pub(super) fn text(text: &str, simple_key: bool, indent: usize, out: &mut String) {
    let shape = Shape::of(text);
    if text.contains('\n') {
        if shape.block && !simple_key {
            return literal(text, indent, out);
        }
        return double_quoted(text, out);
    }
    if resolves_to_other(text) || is_old_boolean(text) || is_base_60(text) {
        double_quoted(text, out);
    } else if shape.plain {
        out.push_str(text);
    } else if shape.single_quoted {
        single_quoted(text, indent, out);
    } else {
        double_quoted(text, out);
    }
}

/// The forms that can hold a text.
struct Shape {
    plain: bool,
    single_quoted: bool,
    block: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let (mut indicators, mut breaks, mut special, mut tabs) = (false, false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        let mut previous = None;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let before_blank = characters.peek().is_none_or(|next| matches!(next, ' ' | '\t'));
            let after_blank = previous.is_none_or(|it| matches!(it, ' ' | '\t' | '\0') || is_break(it));
            indicators |= match character {
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`'
                    if previous.is_none() =>
                {
                    true
                }
                '?' | '-' => previous.is_none() && before_blank,
                ':' => before_blank,
                '#' => after_blank,
                _ => false,
            };
            tabs |= character == '\t';
            special |= character != '\t' && !is_printable(character);
            breaks |= is_break(character);
            break_space |= character == ' ' && previous.is_some_and(is_break);
            space_break |= is_break(character) && previous == Some(' ');
            previous = Some(character);
        }
        let at_edges = |check: fn(char) -> bool| text.starts_with(check) || text.ends_with(check);
        let marker = text.starts_with("---") || text.starts_with("...");
        let single_quoted = !break_space && !space_break && !tabs && !special;
        Self {
            plain: single_quoted && !indicators && !marker && !breaks && !at_edges(|it| it == ' ' || is_break(it)),
            single_quoted,
            block: !space_break && !special && !text.ends_with(' '),
        }
    }
}

fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether yaml.v3 writes a character as it is; it escapes all beyond the basic plane.
fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{A0}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}

/// Booleans of YAML 1.1.
fn is_old_boolean(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF"
    )
}

/// Numbers of YAML 1.1 like `1:30:00`.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits_or_lines = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let mut parts = digits.split(':');
    let first = parts.next().unwrap_or_default();
    let mut rest = 0;
    let in_range = parts.all(|part| {
        rest += 1;
        matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
    });
    first.starts_with(|it: char| it.is_ascii_digit())
        && digits_or_lines(first)
        && in_range
        && rest > 0
        && digits_or_lines(fraction)
}

fn single_quoted(text: &str, indent: usize, out: &mut String) {
    out.push('\'');
    let mut after_break = false;
    for character in text.chars() {
        if after_break && !is_break(character) {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        if character == '\'' {
            out.push('\'');
        }
        out.push(character);
        after_break = is_break(character);
    }
    out.push('\'');
}

fn double_quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{B}' => out.push_str("\\v"),
            '\u{C}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1B}' => out.push_str("\\e"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            _ if is_printable(character) => out.push(character),
            _ => {
                let code = u32::from(character);
                let _ = match code {
                    0..=0xFF => write!(out, "\\x{code:02X}"),
                    0x100..=0xFFFF => write!(out, "\\u{code:04X}"),
                    _ => write!(out, "\\U{code:08X}"),
                };
            }
        }
    }
    out.push('"');
}

fn literal(text: &str, indent: usize, out: &mut String) {
    out.push('|');
    if text.starts_with(|first| first == ' ' || is_break(first)) {
        out.push('2');
    }
    let mut backwards = text.chars().rev();
    match (backwards.next(), backwards.next()) {
        (Some(last), _) if !is_break(last) => out.push('-'),
        (Some(_), Some(before)) if !is_break(before) => {}
        _ => out.push('+'),
    }
    out.push('\n');
    let mut begins_line = true;
    for character in text.chars() {
        if begins_line && !is_break(character) {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push(character);
        begins_line = is_break(character);
    }
    if !begins_line {
        out.push('\n');
    }
}
