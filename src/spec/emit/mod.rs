//! Trees to YAML, byte for byte as docker compose prints them.
//!
//! Two blanks of indentation, lists indented in mappings, no line folding, literal blocks for text of several lines.
//! Mappings are written in the order they come in; [`sort_naturally`] gives docker compose's order of keys.

mod order;
mod scalar;

pub use order::sort_naturally;
pub use scalar::go_float;

use serde_json::Value as Json;

use crate::spec::tree::{Node, Value};

/// A JSON tree as YAML. Ends with a line break.
pub fn to_yaml(value: &Json) -> String {
    write_document(value)
}

/// A tree of a file as YAML, which can say more than JSON: dates, infinities. Ends with a line break.
pub fn node_to_yaml(node: &Node) -> String {
    write_document(node)
}

/// What a value is, for writing.
enum View<'a, T> {
    Plain(String),
    Text(&'a str),
    Sequence(Vec<&'a T>),
    Mapping(Vec<(&'a str, &'a T)>),
}

/// A tree that can be written.
trait Tree: Sized {
    fn view(&self) -> View<'_, Self>;
}

impl Tree for Json {
    fn view(&self) -> View<'_, Self> {
        match self {
            Self::Null => View::Plain("null".to_owned()),
            Self::Bool(value) => View::Plain(value.to_string()),
            Self::Number(number) => View::Plain(match number.as_f64() {
                Some(float) if number.is_f64() => scalar::float(float),
                _ => number.to_string(),
            }),
            Self::String(text) => View::Text(text),
            Self::Array(items) => View::Sequence(items.iter().collect()),
            Self::Object(entries) => View::Mapping(entries.iter().map(|(key, value)| (key.as_str(), value)).collect()),
        }
    }
}

impl Tree for Node {
    fn view(&self) -> View<'_, Self> {
        match &self.value {
            Value::Null => View::Plain("null".to_owned()),
            Value::Bool(value) => View::Plain(value.to_string()),
            Value::Int(number) => View::Plain(number.to_string()),
            Value::Float(number) => View::Plain(scalar::float(*number)),
            Value::Timestamp(text) => View::Plain(text.clone()),
            Value::String(text) => View::Text(text),
            Value::Sequence(items) => View::Sequence(items.iter().collect()),
            Value::Mapping(entries) => View::Mapping(entries.iter().map(|(key, entry)| (key, &entry.node)).collect()),
        }
    }
}

fn write_document(tree: &impl Tree) -> String {
    let mut out = String::new();
    match tree.view() {
        View::Sequence(items) if !items.is_empty() => sequence(&items, 0, &mut out),
        View::Mapping(entries) if !entries.is_empty() => mapping(&entries, 0, &mut out),
        other => leaf(&other, 2, &mut out),
    }
    out
}

/// Writes the entries of a mapping; the first one goes where `out` ends, the others begin lines.
fn mapping<T: Tree>(entries: &[(&str, &T)], indent: usize, out: &mut String) {
    for (number, (key, value)) in entries.iter().enumerate() {
        if number > 0 {
            blanks(indent, out);
        }
        if scalar::is_simple_key(key) {
            scalar::text(key, true, indent + 2, out);
            out.push(':');
            child(*value, indent, false, out);
        } else {
            out.push_str("? ");
            scalar::text(key, false, indent + 2, out);
            end_line(out);
            blanks(indent, out);
            out.push(':');
            child(*value, indent, true, out);
        }
    }
}

fn sequence<T: Tree>(items: &[&T], indent: usize, out: &mut String) {
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            blanks(indent, out);
        }
        out.push('-');
        child(*item, indent, true, out);
    }
}

/// Writes what follows a `:` or `-`; a `compact` collection begins on the same line.
fn child<T: Tree>(value: &T, indent: usize, compact: bool, out: &mut String) {
    let indent = indent + 2;
    let view = value.view();
    if matches!(&view, View::Sequence(items) if !items.is_empty())
        || matches!(&view, View::Mapping(entries) if !entries.is_empty())
    {
        if compact {
            out.push(' ');
        } else {
            out.push('\n');
            blanks(indent, out);
        }
    } else {
        out.push(' ');
    }
    match view {
        View::Sequence(items) if !items.is_empty() => sequence(&items, indent, out),
        View::Mapping(entries) if !entries.is_empty() => mapping(&entries, indent, out),
        other => leaf(&other, indent, out),
    }
}

/// Writes a scalar or an empty collection and ends its line.
fn leaf<T>(view: &View<'_, T>, indent: usize, out: &mut String) {
    match view {
        View::Plain(text) => out.push_str(text),
        View::Text(text) => scalar::text(text, false, indent, out),
        View::Sequence(_) => out.push_str("[]"),
        View::Mapping(_) => out.push_str("{}"),
    }
    end_line(out);
}

fn end_line(out: &mut String) {
    if !out.ends_with('\n') {
        out.push('\n');
    }
}

fn blanks(count: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests;
