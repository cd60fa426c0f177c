//! JSON as Go writes it: `<`, `>`, `&` and the Unicode line breaks escaped, numbers in Go's form.

use serde_json::Value;

/// On one line, without blanks: what is hashed.
pub(in crate::spec) fn compact(value: &Value) -> String {
    let mut out = String::new();
    write(value, None, &mut out);
    out
}

/// With this indentation per level and no line break at the end: what is printed.
pub(in crate::spec) fn pretty(value: &Value, indent: usize) -> String {
    let mut out = String::new();
    write(value, Some((indent, 0)), &mut out);
    out
}

fn write(value: &Value, layout: Option<(usize, usize)>, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => out.push_str(&self::number(float)),
            _ => out.push_str(&number.to_string()),
        },
        Value::String(text) => string(text, out),
        Value::Array(items) => {
            out.push('[');
            block(items.len(), layout, out, ']', |at, layout, out| write(&items[at], layout, out));
        }
        Value::Object(entries) => {
            out.push('{');
            let entries: Vec<_> = entries.iter().collect();
            block(entries.len(), layout, out, '}', |at, layout, out| {
                string(entries[at].0, out);
                out.push_str(if layout.is_some() { ": " } else { ":" });
                write(entries[at].1, layout, out);
            });
        }
    }
}

fn block(
    count: usize,
    layout: Option<(usize, usize)>,
    out: &mut String,
    close: char,
    mut item: impl FnMut(usize, Option<(usize, usize)>, &mut String),
) {
    let inner = layout.map(|(indent, depth)| (indent, depth + 1));
    for at in 0..count {
        if at > 0 {
            out.push(',');
        }
        line(inner, out);
        item(at, inner, out);
    }
    if count > 0 {
        line(layout, out);
    }
    out.push(close);
}

fn line(layout: Option<(usize, usize)>, out: &mut String) {
    if let Some((indent, depth)) = layout {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent * depth));
    }
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Go writes an exponent only below 1e-6 and from 1e21 on.
fn number(value: f64) -> String {
    if value == 0.0 || (1e-6..1e21).contains(&value.abs()) {
        return value.to_string();
    }
    let shortest = format!("{value:e}");
    let Some((digits, exponent)) = shortest.split_once('e') else { return shortest };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    // Go writes at least two digits and then takes a leading zero of a negative exponent away again.
    if sign == '+' && exponent.len() == 1 {
        format!("{digits}e+0{exponent}")
    } else {
        format!("{digits}e{sign}{exponent}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_is_written_as_go_writes_it() {
        let value = json!({"a": "<&>\n\u{2028}", "b": [1, 0.5, 1e21, 1e-7], "c": {}, "d": []});
        assert_eq!(compact(&value), r#"{"a":"\u003c\u0026\u003e\n\u2028","b":[1,0.5,1e+21,1e-7],"c":{},"d":[]}"#);
        assert_eq!(pretty(&json!({"a": [1], "b": {}}), 2), "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}");
    }
}
