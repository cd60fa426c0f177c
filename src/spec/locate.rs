//! Where the parts of a project are written.

use crate::diagnostics::Span;
use crate::spec::model::Project;
use crate::spec::tree::{Node, Value};

impl Project {
    /// The key or item at the end of a path of keys and item numbers; of its nearest parent when it is not written.
    pub fn key_span(&self, path: &[&str]) -> Span {
        let mut node = &self.tree;
        let mut span = node.span;
        for step in path {
            match &node.value {
                Value::Mapping(mapping) => {
                    let Some(entry) = mapping.entry(step) else { break };
                    span = entry.key_span;
                    node = &entry.node;
                }
                Value::Sequence(items) => {
                    let Some(item) = step.parse::<usize>().ok().and_then(|at| items.get(at)) else { break };
                    span = item.span;
                    node = item;
                }
                _ => break,
            }
        }
        span
    }

    /// The value at the end of a path; the nearest parent's key when the path is not written. The value of a mapping
    /// is named by its key, because an excerpt of all its lines would say less.
    pub fn value_span(&self, path: &[&str]) -> Span {
        match self.node(path) {
            Some(Node { value: Value::Mapping(_) | Value::Sequence(_) | Value::Null, .. }) | None => {
                self.key_span(path)
            }
            Some(node) => node.span,
        }
    }

    /// The node at the end of a path of keys and item numbers. In lists of `key=value` (variables, labels) the key is
    /// a step, too.
    pub fn node(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(&self.tree, |node, step| step_into(node, step))
    }
}

/// The child that a step of a path names: a key, an item number, or the key of a `key=value` item.
pub(in crate::spec) fn step_into<'n>(node: &'n Node, step: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Mapping(mapping) => mapping.get(step),
        Value::Sequence(items) => match step.parse::<usize>() {
            Ok(at) => items.get(at),
            Err(_) => items.iter().rfind(|item| {
                item.as_str().is_some_and(|text| text.split_once('=').map_or(text, |(key, _)| key) == step)
            }),
        },
        _ => None,
    }
}
