//! Texts that stand for numbers and truth values, after interpolation.

use crate::diagnostics::Diagnostic;
use crate::spec::codes;
use crate::spec::place::Place;
use crate::spec::rules::{Cast, Shape, TOP};
use crate::spec::tree::{Node, Tag, Value};

/// Makes numbers and truth values of texts where the table says so.
pub(in crate::spec) fn apply(tree: &mut Node, findings: &mut Vec<Diagnostic>) {
    walk(tree, &TOP, &Place::ROOT, findings);
}

fn walk(node: &mut Node, shape: &'static Shape, place: &Place<'_>, findings: &mut Vec<Diagnostic>) {
    if node.tag == Tag::Reset {
        // `!reset null` is a text for YAML, and nobody will look at it.
        return;
    }
    match &mut node.value {
        Value::Mapping(mapping) => {
            for (key, entry) in mapping.iter_mut() {
                if let Some(field) = shape.field(key) {
                    walk(&mut entry.node, field, &place.key(key), findings);
                }
            }
        }
        Value::Sequence(items) => {
            if let Some(item) = shape.items {
                for (at, node) in items.iter_mut().enumerate() {
                    walk(node, item, &place.item(at), findings);
                }
            }
        }
        Value::String(text) if shape.cast != Cast::None => match cast(text, shape.cast) {
            Ok((value, old_word)) => {
                if old_word {
                    let message = format!(
                        "\"{text}\" for boolean is not supported by YAML 1.2, please use `{}`",
                        value == Value::Bool(true)
                    );
                    findings.push(Diagnostic::warning(codes::OLD_BOOLEAN, message).at(node.span, ""));
                }
                node.value = value;
            }
            Err(problem) => findings.push(
                Diagnostic::error(
                    codes::INVALID_VALUE,
                    format!(
                        "error while interpolating {}: failed to cast to expected type: {problem}",
                        place.pattern()
                    ),
                )
                .at(node.span, ""),
            ),
        },
        _ => {}
    }
}

fn cast(text: &str, to: Cast) -> Result<(Value, bool), String> {
    let plain = |value| Ok((value, false));
    match to {
        Cast::None => plain(Value::String(text.to_owned())),
        Cast::Int => integer(text).map(|number| (Value::Int(number), false)),
        Cast::Float => text
            .parse::<f64>()
            .map(|number| (Value::Float(number), false))
            .map_err(|_| format!("strconv.ParseFloat: parsing \"{text}\": invalid syntax")),
        Cast::Bool => match text.to_lowercase().as_str() {
            "true" => plain(Value::Bool(true)),
            "false" => plain(Value::Bool(false)),
            "y" | "yes" | "on" => Ok((Value::Bool(true), true)),
            "n" | "no" | "off" => Ok((Value::Bool(false), true)),
            _ => Err(format!("invalid boolean: {text}")),
        },
    }
}

/// A whole number as Go's `Atoi` reads it.
fn integer(text: &str) -> Result<i128, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("strconv.Atoi: parsing \"{text}\": invalid syntax"));
    }
    text.parse::<i64>().map(i128::from).map_err(|_| format!("strconv.Atoi: parsing \"{text}\": value out of range"))
}
