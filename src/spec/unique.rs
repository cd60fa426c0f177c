//! Lists in which a later item takes the place of an earlier one that is the same thing.

use indexmap::IndexMap;

use crate::diagnostics::Diagnostic;
use crate::spec::canonical::mount;
use crate::spec::codes;
use crate::spec::place::Place;
use crate::spec::rules::{Identity, Shape, TOP};
use crate::spec::scalar;
use crate::spec::tree::{Node, Value};

/// Drops what a later item replaces, everywhere in a file.
pub(in crate::spec) fn enforce(tree: &mut Node, findings: &mut Vec<Diagnostic>) {
    walk(tree, &TOP, &Place::ROOT, findings);
}

fn walk(node: &mut Node, shape: &'static Shape, place: &Place<'_>, findings: &mut Vec<Diagnostic>) {
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
            if shape.identity != Identity::None && items.len() > 1 {
                *items = distinct(std::mem::take(items), shape.identity, place, findings);
            }
        }
        _ => {}
    }
}

fn distinct(items: Vec<Node>, identity: Identity, place: &Place<'_>, findings: &mut Vec<Diagnostic>) -> Vec<Node> {
    let mut kept: IndexMap<String, Node> = IndexMap::with_capacity(items.len());
    for (at, node) in items.into_iter().enumerate() {
        // What cannot be told apart is kept; the schema says what is wrong with it.
        let key = match key_of(&node, identity) {
            Key::Of(key) => key,
            Key::Unknown => format!("\0{at}"),
            Key::Missing(message) => {
                let message = format!("{message} {} is missing a {}", place.item(at).numbered(), missing(identity));
                findings.push(Diagnostic::error(codes::MISSING_KEY, message).at(node.span, "`target` is missing here"));
                format!("\0{at}")
            }
        };
        kept.insert(key, node);
    }
    kept.into_values().collect()
}

fn missing(identity: Identity) -> &'static str {
    if identity == Identity::Port { "target port" } else { "mount target" }
}

enum Key {
    Of(String),
    Unknown,
    Missing(&'static str),
}

fn key_of(node: &Node, identity: Identity) -> Key {
    let text = |key: &str| node.get(key).and_then(scalar::text);
    match (identity, &node.value) {
        (Identity::Key, Value::String(item)) => {
            Key::Of(item.split_once('=').map_or(item.as_str(), |(key, _)| key).to_owned())
        }
        (Identity::Target, Value::String(item)) => {
            mount::parse(item).ok().and_then(|mount| mount.target).map_or(Key::Unknown, Key::Of)
        }
        (Identity::Target, Value::Mapping(_)) => text("target").map_or(Key::Missing("service volume"), Key::Of),
        (Identity::Port, Value::Mapping(_)) => {
            let Some(target) = text("target") else { return Key::Missing("service ports") };
            // A number and a text are not the same to docker compose, though both mean the same port.
            let published = match node.get("published").map(|published| &published.value) {
                Some(Value::Int(number)) => format!("int={number}"),
                _ => text("published").unwrap_or_default(),
            };
            let address = text("host_ip").unwrap_or_else(|| "0.0.0.0".to_owned());
            let protocol = text("protocol").unwrap_or_else(|| "tcp".to_owned());
            Key::Of(format!("{address}:{published}:{target}/{protocol}"))
        }
        (Identity::Text | Identity::Port, Value::String(_) | Value::Int(_)) => {
            scalar::text(node).map_or(Key::Unknown, Key::Of)
        }
        (Identity::File(directory), Value::String(name)) => Key::Of(format!("{directory}/{name}")),
        (Identity::File(directory), Value::Mapping(_)) => match (text("target"), text("source")) {
            (Some(target), _) => Key::Of(target),
            (None, Some(source)) => Key::Of(format!("{directory}/{source}")),
            (None, None) => Key::Unknown,
        },
        (Identity::EnvFile, Value::String(path)) => Key::Of(path.clone()),
        (Identity::EnvFile, Value::Mapping(_)) => text("path").map_or(Key::Unknown, Key::Of),
        _ => Key::Unknown,
    }
}
