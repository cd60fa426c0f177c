//! Checks a tree against the table of rules and reports everything that is wrong, each at its place.

use std::collections::BTreeMap;

use crate::diagnostics::{Diagnostic, Span};
use crate::spec::codes;
use crate::spec::place::Place;
use crate::spec::rules::{Limit, Others, Shape, TOP};
use crate::spec::scalar;
use crate::spec::suggest;
use crate::spec::tree::{Mapping, Node, Value};

/// Reports what in a merged file is not allowed.
pub(in crate::spec) fn check(tree: &Node, findings: &mut Vec<Diagnostic>) {
    value(tree, &TOP, &Place::ROOT, findings);
}

fn value(node: &Node, shape: &'static Shape, place: &Place<'_>, findings: &mut Vec<Diagnostic>) {
    if !shape.types.accept(node) {
        findings.push(wrong_type(node, shape, place));
        return;
    }
    limit(node, shape, place, findings);
    match &node.value {
        Value::Mapping(mapping) => fields(node.span, mapping, shape, place, findings),
        Value::Sequence(items) => {
            if let Some(item) = shape.items {
                for (at, node) in items.iter().enumerate() {
                    value(node, item, &place.item(at), findings);
                }
            }
            if shape.unique_items {
                repeated(items, place, findings);
            }
        }
        _ => {}
    }
}

fn wrong_type(node: &Node, shape: &Shape, place: &Place<'_>) -> Diagnostic {
    let message = if let Value::Timestamp(_) = node.value {
        format!("{place} invalid jsonType time.Time")
    } else {
        let words = shape.types.words();
        let article = if words.contains(' ') && words.starts_with(['a', 'i']) { "an" } else { "a" };
        format!("{place} must be {article} {words}")
    };
    let mut finding = Diagnostic::error(codes::WRONG_TYPE, message).at(node.span, format!("this is {}", node.kind()));
    match &node.value {
        Value::Timestamp(text) => finding = finding.hint(format!("quote it: \"{text}\"")),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) if shape.types.accept(&texted(node)) => {
            if let Some(text) = scalar::text(node) {
                finding = finding.hint(format!("quote it: \"{text}\""));
            }
        }
        Value::String(text) if shape.items.is_some() => {
            finding = finding.hint(format!("write it as a list of one: [\"{text}\"]"));
        }
        Value::Null if shape.fields.is_empty() => {
            finding = finding.hint("give it a value or remove the key");
        }
        _ => {}
    }
    finding
}

fn texted(node: &Node) -> Node {
    Node::new(Value::String(String::new()), node.span)
}

fn limit(node: &Node, shape: &'static Shape, place: &Place<'_>, findings: &mut Vec<Diagnostic>) {
    let finding = |message: String| Diagnostic::error(codes::WRONG_VALUE, message).at(node.span, "");
    match (shape.limit, &node.value) {
        (Limit::OneOf(words), Value::String(text)) if !words.contains(&text.as_str()) => {
            let list: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            let message = format!("{place} value must be one of {}", list.join(", "));
            findings.push(suggest::did_you_mean(finding(message), text, words.iter().copied()));
        }
        (Limit::Range(least, _), Value::Int(number)) if *number < least => {
            findings.push(finding(format!("{place} must be greater than or equal to {least}")));
        }
        (Limit::Range(_, most), Value::Int(number)) if *number > most => {
            findings.push(finding(format!("{place} must be less than or equal to {most}")));
        }
        (Limit::ContainerName, Value::String(text)) if !is_container_name(text) => {
            let pattern = "[a-zA-Z0-9][a-zA-Z0-9_.-]+";
            findings.push(
                finding(format!("{place} '{text}' does not match pattern '{pattern}'"))
                    .hint("a container name has at least two characters: letters, digits, `_`, `.`, `-`"),
            );
        }
        (Limit::PullPolicy, Value::String(text)) if !is_pull_policy(text) => {
            let pattern = "always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+";
            let words = ["always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly"];
            let message = format!("{place} '{text}' does not match pattern '{pattern}'");
            findings.push(suggest::did_you_mean(finding(message), text, words));
        }
        _ => {}
    }
}

fn is_container_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(2).any(|pair| {
        pair[0].is_ascii_alphanumeric() && (pair[1].is_ascii_alphanumeric() || matches!(pair[1], b'_' | b'.' | b'-'))
    })
}

fn is_pull_policy(text: &str) -> bool {
    const WORDS: [&str; 8] = ["always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly"];
    WORDS.iter().any(|word| text.contains(word))
        || text.match_indices("every_").any(|(at, word)| {
            let after = &text.as_bytes()[at + word.len()..];
            let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
            digits > 0 && after.get(digits).is_some_and(|byte| b"wdhms".contains(byte))
        })
}

fn fields(span: Span, mapping: &Mapping, shape: &'static Shape, place: &Place<'_>, findings: &mut Vec<Diagnostic>) {
    for (key, entry) in mapping.iter() {
        if let Some(field) = shape.field(key) {
            value(&entry.node, field, &place.key(key), findings);
            continue;
        }
        let allowed = match shape.others {
            Others::Free | Others::NamedOpen(_) | Others::Words(_) => true,
            Others::Extensions => key.starts_with("x-"),
            Others::Any(_) | Others::Closed | Others::Named(_) => false,
        };
        if !allowed {
            findings.push(unknown(key, entry.key_span, &entry.node, shape, place));
        }
    }
    for key in shape.required {
        if !mapping.contains_key(key) {
            let message = format!("{place} missing property '{key}'");
            findings.push(Diagnostic::error(codes::MISSING_KEY, message).at(span, format!("`{key}` is missing here")));
        }
    }
}

fn unknown(key: &str, span: Span, node: &Node, shape: &'static Shape, place: &Place<'_>) -> Diagnostic {
    let message = format!("{place} additional properties '{key}' not allowed").trim_start().to_owned();
    let finding = Diagnostic::error(codes::UNKNOWN_KEY, message).at(span, "not known here");
    if let Others::Named(_) = shape.others {
        return finding.hint("a name consists of letters, digits, `.`, `_` and `-`");
    }
    suggest::for_unknown_key(finding, key, node, shape)
}

fn repeated(items: &[Node], place: &Place<'_>, findings: &mut Vec<Diagnostic>) {
    let mut texts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut others: Vec<usize> = Vec::new();
    for (at, node) in items.iter().enumerate() {
        let first = if let Value::String(text) = &node.value {
            texts.get(text.as_str()).copied().or_else(|| {
                texts.insert(text, at);
                None
            })
        } else {
            let first = others.iter().copied().find(|earlier| same_entries(&items[*earlier], node));
            others.push(at);
            first
        };
        if let Some(first) = first {
            let message = format!("{place} items at {first} and {at} are equal");
            findings.push(
                Diagnostic::error(codes::REPEATED_ITEM, message)
                    .at(node.span, "the same again")
                    .at(items[first].span, "first here"),
            );
        }
    }
}

/// Whether two items are equal; in long forms a number equals its text.
fn same_entries(left: &Node, right: &Node) -> bool {
    let (Value::Mapping(left), Value::Mapping(right)) = (&left.value, &right.value) else { return same(left, right) };
    left.len() == right.len()
        && left.iter().all(|(key, entry)| {
            right.get(key).is_some_and(|other| match (scalar::text(&entry.node), scalar::text(other)) {
                (Some(left), Some(right)) => left == right,
                _ => same(&entry.node, other),
            })
        })
}

/// Whether two values are equal, wherever they were written.
pub(in crate::spec) fn same(left: &Node, right: &Node) -> bool {
    match (&left.value, &right.value) {
        (Value::Sequence(left), Value::Sequence(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Mapping(left), Value::Mapping(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, entry)| right.get(key).is_some_and(|other| same(&entry.node, other)))
        }
        (left, right) => left == right,
    }
}
