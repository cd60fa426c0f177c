//! Scalars as text, the way Go prints them.

use crate::spec::emit::go_float;
use crate::spec::tree::{Node, Value};

/// The text of a scalar; null is empty. `None` for lists and mappings.
pub(in crate::spec) fn text(node: &Node) -> Option<String> {
    match &node.value {
        Value::Null => Some(String::new()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Float(value) => Some(go_float(*value)),
        Value::Timestamp(text) | Value::String(text) => Some(text.clone()),
        Value::Sequence(_) | Value::Mapping(_) => None,
    }
}
