//! The functions of templates: Go's own, and those that docker adds.

use serde_json::Value;

use crate::ui::template::LABELS;
use crate::ui::template::print;

/// Names that may stand where a function stands. `and` and `or` look only as far as they must: they are the runner's.
pub(super) fn is_known(name: &str) -> bool {
    matches!(name, "and" | "or") || arity(name).is_some()
}

/// Fewest and most arguments.
fn arity(name: &str) -> Option<(usize, usize)> {
    const ANY: usize = usize::MAX;
    Some(match name {
        "not" | "len" | "json" | "title" | "lower" | "upper" => (1, 1),
        "index" | "slice" | "printf" => (1, ANY),
        "print" | "println" | "html" | "js" | "urlquery" => (0, ANY),
        "eq" => (2, ANY),
        "ne" | "lt" | "le" | "gt" | "ge" | "split" | "join" | "truncate" => (2, 2),
        "pad" => (3, 3),
        _ => return None,
    })
}

/// What went wrong, and whether the text already says all of it.
pub(super) enum Wrong {
    /// `error calling len: …`
    Calling(String),
    /// Told as it is.
    As(String),
}

/// Calls a function. In headings docker's functions leave titles as they are.
pub(super) fn call(name: &str, arguments: &[Value], heading: bool) -> Result<Value, Wrong> {
    let (least, most) = arity(name).unwrap_or((0, usize::MAX));
    if arguments.len() < least || arguments.len() > most {
        let (count, want) =
            (arguments.len(), if most == usize::MAX { format!("at least {least}") } else { least.to_string() });
        return Err(Wrong::As(format!("wrong number of args for {name}: want {want} got {count}")));
    }
    let calling = |text: String| Wrong::Calling(text);
    let first = arguments.first().unwrap_or(&Value::Null);
    if heading && matches!(name, "json" | "title" | "lower" | "upper" | "truncate" | "split" | "join") {
        let title = Value::from(if first.is_null() { String::new() } else { text(first)? });
        return Ok(title);
    }
    Ok(match name {
        "not" => Value::from(!is_true(first)),
        "len" => Value::from(length(first).ok_or_else(|| calling(format!("len of type {}", print::kind(first))))?),
        "index" => arguments.iter().skip(1).try_fold(first.clone(), |from, key| index(&from, key)).map_err(calling)?,
        "slice" => slice(first, arguments.get(1..).unwrap_or_default()).map_err(calling)?,
        "print" => Value::from(print::print(arguments)),
        "println" => Value::from(print::println(arguments)),
        "printf" => Value::from(print::printf(&text(first)?, arguments.get(1..).unwrap_or_default())),
        "html" => Value::from(escaped(&print::print(arguments), html)),
        "js" => Value::from(escaped(&print::print(arguments), js)),
        "urlquery" => Value::from(urlquery(&print::print(arguments))),
        "eq" => Value::from(any_equal(first, arguments.get(1..).unwrap_or_default()).map_err(calling)?),
        "ne" => Value::from(!any_equal(first, arguments.get(1..).unwrap_or_default()).map_err(calling)?),
        "lt" | "le" | "gt" | "ge" => {
            let order = compare(first, arguments.get(1).unwrap_or(&Value::Null)).map_err(calling)?;
            Value::from(match name {
                "lt" => order.is_lt(),
                "le" => order.is_le(),
                "gt" => order.is_gt(),
                _ => order.is_ge(),
            })
        }
        "json" => Value::from(json(first)),
        "title" => Value::from(title(&text(first)?)),
        "lower" => Value::from(text(first)?.to_lowercase()),
        "upper" => Value::from(text(first)?.to_uppercase()),
        "split" => {
            let (text, by) = (text(first)?, self::text(arguments.get(1).unwrap_or(&Value::Null))?);
            // Go's split by nothing gives the letters.
            let parts: Vec<Value> = if by.is_empty() {
                text.chars().map(|c| Value::from(c.to_string())).collect()
            } else {
                text.split(by.as_str()).map(Value::from).collect()
            };
            Value::Array(parts)
        }
        "join" => {
            let by = text(arguments.get(1).unwrap_or(&Value::Null))?;
            let Value::Array(parts) = first else {
                let kind = print::kind(first);
                return Err(Wrong::As(format!("wrong type for value; expected []string; got {kind}")));
            };
            let parts: Vec<String> = parts.iter().map(print::value).collect();
            Value::from(parts.join(&by))
        }
        "truncate" => {
            let (text, most) = (text(first)?, count(arguments.get(1))?);
            Value::from(
                text.char_indices()
                    .find(|(at, c)| at + c.len_utf8() > most)
                    .map_or(text.as_str(), |(at, _)| text.get(..at).unwrap_or_default()),
            )
        }
        "pad" => {
            const MOST: usize = 1000;
            let text = text(first)?;
            let (before, after) = (count(arguments.get(1))?.min(MOST), count(arguments.get(2))?.min(MOST));
            if text.is_empty() {
                return Ok(Value::from(""));
            }
            Value::from(format!("{}{text}{}", " ".repeat(before), " ".repeat(after)))
        }
        _ => return Err(Wrong::As(format!("function \"{name}\" not defined"))),
    })
}

/// Whether `if` takes it for true: everything but zero, nothing and what is empty.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        // A struct is always true; there are no mappings here.
        Value::Object(_) => true,
    }
}

fn text(value: &Value) -> Result<String, Wrong> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(Wrong::As(format!("expected string; found {}", print::value(other)))),
    }
}

fn count(value: Option<&Value>) -> Result<usize, Wrong> {
    let value = value.unwrap_or(&Value::Null);
    match value.as_i64() {
        Some(count) => Ok(usize::try_from(count).unwrap_or(0)),
        None => Err(Wrong::As(format!("expected integer; found {}", print::value(value)))),
    }
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.len()),
        Value::Array(items) => Some(items.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn position(key: &Value, length: usize) -> Result<usize, String> {
    let Some(at) = key.as_i64() else { return Err(format!("cannot index slice/array with type {}", print::kind(key))) };
    usize::try_from(at).ok().filter(|at| *at <= length).ok_or_else(|| format!("index out of range: {at}"))
}

fn index(from: &Value, key: &Value) -> Result<Value, String> {
    match from {
        Value::Array(items) => {
            let at = position(key, items.len())?;
            items.get(at).cloned().ok_or_else(|| format!("index out of range: {at}"))
        }
        Value::String(text) => {
            let at = position(key, text.len())?;
            text.as_bytes().get(at).map(|byte| Value::from(*byte)).ok_or_else(|| format!("index out of range: {at}"))
        }
        Value::Null => Err("index of untyped nil".to_owned()),
        other => Err(format!("can't index item of type {}", print::kind(other))),
    }
}

fn slice(from: &Value, bounds: &[Value]) -> Result<Value, String> {
    if bounds.len() > 2 {
        return Err(format!("too many slice indexes: {}", bounds.len()));
    }
    let length = length(from).ok_or_else(|| format!("can't slice item of type {}", print::kind(from)))?;
    let start = bounds.first().map_or(Ok(0), |bound| position(bound, length))?;
    let end = bounds.get(1).map_or(Ok(length), |bound| position(bound, length))?;
    if start > end {
        return Err(format!("invalid slice index: {start} > {end}"));
    }
    Ok(match from {
        Value::Array(items) => Value::Array(items.get(start..end).unwrap_or_default().to_vec()),
        Value::String(text) => {
            let bytes = text.as_bytes().get(start..end).unwrap_or_default();
            Value::from(String::from_utf8_lossy(bytes).into_owned())
        }
        _ => Value::Null,
    })
}

/// The basic kind that Go compares by.
fn basic(value: &Value) -> Option<&'static str> {
    match value {
        Value::Bool(_) => Some("bool"),
        Value::Number(number) if number.is_f64() => Some("float64"),
        Value::Number(_) => Some("int"),
        Value::String(_) => Some("string"),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn comparable(one: &Value, other: &Value) -> Result<(), String> {
    match (basic(one), basic(other)) {
        (Some(kind), Some(other)) if kind == other => Ok(()),
        (Some(kind), Some(other)) => Err(format!("incompatible types for comparison: {kind} and {other}")),
        _ => Err("invalid type for comparison".to_owned()),
    }
}

fn any_equal(first: &Value, others: &[Value]) -> Result<bool, String> {
    for other in others {
        if first.is_null() || other.is_null() {
            if first == other {
                return Ok(true);
            }
            continue;
        }
        comparable(first, other)?;
        if first == other {
            return Ok(true);
        }
    }
    Ok(false)
}

fn compare(one: &Value, other: &Value) -> Result<std::cmp::Ordering, String> {
    comparable(one, other)?;
    let order = match (one, other) {
        (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => Some(one.cmp(&other)),
            _ => one.as_f64().partial_cmp(&other.as_f64()),
        },
        _ => None,
    };
    order.ok_or_else(|| "invalid type for comparison".to_owned())
}

/// JSON as docker writes it: a whole row has sorted keys and escaped `<`, `>` and `&`; values have neither.
fn json(value: &Value) -> String {
    match value {
        Value::Object(row) if row.contains_key(LABELS) => {
            let mut keys: Vec<&String> = row.keys().filter(|key| key.as_str() != LABELS).collect();
            keys.sort();
            let pairs = keys.into_iter().filter_map(|key| Some((key.clone(), row.get(key)?.clone())));
            let text = Value::Object(pairs.collect()).to_string();
            text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
        }
        value => value.to_string(),
    }
}

/// Go's `strings.Title`: words begin after everything that is no letter, digit or underscore.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut starts = true;
    for c in text.chars() {
        if starts {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        starts = !(c.is_alphanumeric() || c == '_' || c == '\'' || (!c.is_ascii() && !c.is_whitespace()));
    }
    out
}

fn escaped(text: &str, escape: impl Fn(char) -> Option<String>) -> String {
    text.chars().map(|c| escape(c).unwrap_or_else(|| c.to_string())).collect()
}

fn html(c: char) -> Option<String> {
    let text = match c {
        '\0' => "\u{fffd}",
        '"' => "&#34;",
        '\'' => "&#39;",
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        _ => return None,
    };
    Some(text.to_owned())
}

fn js(c: char) -> Option<String> {
    Some(match c {
        '\\' => r"\\".to_owned(),
        '\'' => r"\'".to_owned(),
        '"' => "\\\"".to_owned(),
        '<' | '>' | '&' | '=' => format!("\\u{:04X}", u32::from(c)),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        _ => return None,
    })
}

fn urlquery(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
