//! Collections that are not closed yet, and the rules for what goes into them.

use super::problem::MERGE_KEY;
use crate::diagnostics::{Diagnostic, Span};
use crate::spec::tree::{Mapping, Node, Tag, Value};

/// What an anchor stands for.
pub(super) enum Anchored {
    /// Its collection is not closed yet.
    Open(Span),
    Done(Built),
}

/// A finished node and its size.
#[derive(Clone)]
pub(super) struct Built {
    pub(super) node: Node,
    /// Nodes in it, itself included.
    pub(super) nodes: usize,
    /// Levels of collections, 0 for a scalar.
    pub(super) height: usize,
}

/// A collection that is not closed yet.
pub(super) struct Frame {
    pub(super) span: Span,
    pub(super) tag: Tag,
    pub(super) anchor: Option<String>,
    pub(super) flow: bool,
    pub(super) nodes: usize,
    pub(super) height: usize,
    pub(super) content: Content,
}

pub(super) enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Mapping, key: Option<Key>, merges: Vec<Node>, merge_key: Option<Span> },
}

/// A key that waits for its value.
pub(super) enum Key {
    Text {
        text: String,
        span: Span,
        by_alias: bool,
    },
    /// An unquoted `<<`.
    Merge(Span),
    /// Already complained about; its value is dropped.
    Refused,
}

/// Where the innermost open collection stands: `services.web.ports[0]`.
pub(super) fn path(frames: &[Frame]) -> String {
    let mut path = String::new();
    let Some((_, outer)) = frames.split_last() else { return path };
    for frame in outer {
        match &frame.content {
            Content::Sequence(items) => path.push_str(&format!("[{}]", items.len())),
            Content::Mapping { key, .. } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(match key {
                    Some(Key::Text { text, .. }) => text,
                    Some(Key::Merge(_)) => "<<",
                    Some(Key::Refused) | None => "?",
                });
            }
        }
    }
    path
}

pub(super) fn is_merge(tag: Option<&str>, quoted: bool) -> bool {
    match tag {
        None | Some("" | "!") => !quoted,
        Some(tag) => tag == "tag:yaml.org,2002:merge",
    }
}

pub(super) fn compose_tag(tag: Option<&str>) -> Tag {
    match tag {
        Some("!reset") => Tag::Reset,
        Some("!override") => Tag::Override,
        _ => Tag::None,
    }
}

/// What a scalar was written as, near enough for a message about a key.
pub(super) fn scalar_text(node: &Node) -> Option<String> {
    match &node.value {
        Value::Sequence(_) | Value::Mapping(_) => None,
        Value::String(text) | Value::Timestamp(text) => Some(text.clone()),
        Value::Null => Some("null".to_owned()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
    }
}

/// The mappings that a `<<` takes in: one, or a list of them.
pub(super) fn merge_sources(node: Node, key: Span, sources: &mut Vec<Node>) -> Result<(), Diagnostic> {
    let refused = |found: &Node| {
        Diagnostic::error(MERGE_KEY, "map merge requires map or sequence of maps as the value")
            .at(key, "")
            .at(found.span, format!("this is {}", found.kind()))
    };
    match node.value {
        Value::Mapping(_) => sources.push(node),
        Value::Sequence(items) => {
            if let Some(other) = items.iter().find(|item| item.as_mapping().is_none()) {
                return Err(refused(other));
            }
            sources.extend(items);
        }
        _ => return Err(refused(&node)),
    }
    Ok(())
}

/// Nodes in a tree, its root included.
pub(super) fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::Sequence(items) => items.iter().map(size).sum(),
        Value::Mapping(entries) => entries.iter().map(|(_, entry)| size(&entry.node)).sum::<usize>(),
        _ => 0,
    }
}
