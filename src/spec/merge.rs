//! Merging trees: override files, several documents, `extends`, `include`; with `!reset` and `!override`.
//!
//! Nodes are moved, never copied as bare values, so every value keeps its place.

use std::collections::BTreeMap;

use crate::diagnostics::Diagnostic;
use crate::spec::codes;
use crate::spec::place::Place;
use crate::spec::rules::{Merge, NamesTo, Shape};
use crate::spec::scalar;
use crate::spec::schema::same;
use crate::spec::tree::{Entry, Mapping, Node, Tag, Value};

/// What becomes of `!reset` and `!override` after they were obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spec) enum Tags {
    /// They are gone.
    Settle,
    /// They stay, because the result will be merged once more (a service that extends another).
    Keep,
}

/// Merges a later tree into an earlier one.
pub(in crate::spec) fn merge(
    base: Node,
    over: Node,
    shape: Option<&'static Shape>,
    place: &Place<'_>,
    tags: Tags,
    findings: &mut Vec<Diagnostic>,
) -> Node {
    Merger { tags, findings }.node(base, over, shape, place)
}

/// Removes what `!reset` drops and forgets `!override`, for a tree that is merged into nothing.
pub(in crate::spec) fn settle(node: &mut Node) {
    node.tag = Tag::None;
    match &mut node.value {
        Value::Mapping(mapping) => {
            let dropped: Vec<String> = mapping
                .iter()
                .filter(|(_, entry)| entry.node.tag == Tag::Reset)
                .map(|(key, _)| key.to_owned())
                .collect();
            for key in dropped {
                mapping.remove(&key);
            }
            for (_, entry) in mapping.iter_mut() {
                settle(&mut entry.node);
            }
        }
        Value::Sequence(items) => {
            items.retain(|item| item.tag != Tag::Reset);
            for item in items {
                settle(item);
            }
        }
        _ => {}
    }
}

struct Merger<'a> {
    tags: Tags,
    findings: &'a mut Vec<Diagnostic>,
}

impl Merger<'_> {
    fn node(&mut self, base: Node, mut over: Node, shape: Option<&'static Shape>, place: &Place<'_>) -> Node {
        if over.tag == Tag::Override {
            self.settle(&mut over);
            return over;
        }
        let rule = shape.map_or(Merge::Default, |shape| shape.merge);
        match rule {
            Merge::Replace => {
                self.settle(&mut over);
                over
            }
            Merge::KeyValues => appended(without_reset(base, &over), over),
            Merge::Hosts => hosts(without_reset(base, &over), over),
            Merge::Build => self.plain(build(base), build(over), shape, place),
            Merge::Names(to) => self.plain(names(base, to), names(over, to), shape, place),
            Merge::Logging => self.logging(base, over, shape, place),
            Merge::Pools => self.pools(base, over, shape, place),
            Merge::Default => self.plain(base, over, shape, place),
        }
    }

    fn plain(&mut self, base: Node, mut over: Node, shape: Option<&'static Shape>, place: &Place<'_>) -> Node {
        if over.is_null() {
            return base;
        }
        let Node { value, tag, span, origin } = base;
        match value {
            Value::Mapping(base_mapping) => match over.value {
                Value::Mapping(over_mapping) => {
                    let merged = self.mappings(base_mapping, over_mapping, shape, place);
                    Node { value: Value::Mapping(merged), tag, span, origin }
                }
                other => {
                    over.value = other;
                    self.clash(Node { value: Value::Mapping(base_mapping), tag, span, origin }, &over, place)
                }
            },
            Value::Sequence(mut base_items) => match over.value {
                Value::Sequence(over_items) => {
                    for mut item in over_items {
                        if item.tag != Tag::Reset {
                            self.settle(&mut item);
                            base_items.push(item);
                        }
                    }
                    Node { value: Value::Sequence(base_items), tag, span, origin }
                }
                other => {
                    over.value = other;
                    self.clash(Node { value: Value::Sequence(base_items), tag, span, origin }, &over, place)
                }
            },
            _ => {
                self.settle(&mut over);
                over
            }
        }
    }

    fn mappings(
        &mut self,
        mut base: Mapping,
        over: Mapping,
        shape: Option<&'static Shape>,
        place: &Place<'_>,
    ) -> Mapping {
        for (key, Entry { key_span, mut node }) in over.into_entries() {
            if node.tag == Tag::Reset {
                if self.tags == Tags::Keep {
                    base.insert(key, key_span, node);
                } else {
                    base.remove(&key);
                }
                continue;
            }
            let Some(slot) = base.get_mut(&key) else {
                self.settle(&mut node);
                base.insert(key, key_span, node);
                continue;
            };
            if slot.tag == Tag::Reset {
                // What an extended service dropped is dropped from earlier files too, then said anew.
                node.tag = Tag::Override;
                *slot = node;
                continue;
            }
            let earlier = std::mem::replace(slot, Node::new(Value::Null, node.span));
            let next = shape.and_then(|shape| shape.field(&key));
            let merged = self.node(earlier, node, next, &place.key(&key));
            base.insert(key, key_span, merged);
        }
        base
    }

    fn settle(&self, node: &mut Node) {
        if self.tags == Tags::Settle {
            settle(node);
        }
    }

    fn clash(&mut self, base: Node, over: &Node, place: &Place<'_>) -> Node {
        self.findings.push(
            Diagnostic::error(codes::CANNOT_MERGE, format!("cannot override {place}"))
                .at(over.span, format!("this is {}", over.kind()))
                .at(base.span, format!("and this is {}", base.kind()))
                .hint("write both in the same form, or replace the earlier one with `!override`"),
        );
        base
    }

    fn logging(&mut self, base: Node, mut over: Node, shape: Option<&'static Shape>, place: &Place<'_>) -> Node {
        let agree = match (base.get("driver"), over.get("driver")) {
            (Some(base), Some(over)) => same(base, over),
            _ => true,
        };
        if agree || over.is_null() {
            return self.plain(base, over, shape, place);
        }
        self.settle(&mut over);
        over
    }

    fn pools(&mut self, base: Node, over: Node, shape: Option<&'static Shape>, place: &Place<'_>) -> Node {
        let (Value::Sequence(_), Value::Sequence(_)) = (&base.value, &over.value) else {
            return self.plain(base, over, shape, place);
        };
        let Node { value, tag, span, origin } = base;
        let (Value::Sequence(mut pools), Value::Sequence(others)) = (value, over.value) else {
            return Node::new(Value::Null, span);
        };
        let item = shape.and_then(|shape| shape.items);
        for other in others {
            let twin = pools.iter().position(|pool| match (pool.get("subnet"), other.get("subnet")) {
                (Some(left), Some(right)) => same(left, right),
                (left, right) => left.is_none() && right.is_none(),
            });
            match twin {
                Some(at) => {
                    let earlier = std::mem::replace(&mut pools[at], Node::new(Value::Null, other.span));
                    pools[at] = self.plain(earlier, other, item, &place.item(at));
                }
                None => pools.push(other),
            }
        }
        Node { value: Value::Sequence(pools), tag, span, origin }
    }
}

/// Drops the keys of a mapping that a later mapping resets; in a list they cannot be told.
fn without_reset(mut base: Node, over: &Node) -> Node {
    if let (Value::Mapping(base), Value::Mapping(over)) = (&mut base.value, &over.value) {
        for (key, _) in over.iter().filter(|(_, entry)| entry.node.tag != Tag::None) {
            base.remove(key);
        }
    }
    base
}

/// Appends two values as lists of `key=value`.
fn appended(base: Node, over: Node) -> Node {
    let (tag, span) = (base.tag, base.span);
    let mut items = key_values(base);
    items.extend(key_values(over));
    Node { value: Value::Sequence(items), tag, span, origin: None }
}

/// Addresses of hosts: appended, but what is there already is not repeated.
fn hosts(base: Node, over: Node) -> Node {
    let (tag, span) = (base.tag, base.span);
    let mut items = key_values(base);
    let added: Vec<Node> =
        key_values(over).into_iter().filter(|item| !items.iter().any(|there| same(there, item))).collect();
    items.extend(added);
    Node { value: Value::Sequence(items), tag, span, origin: None }
}

/// A mapping as a sorted list of `key=value`; a text as a list of one.
fn key_values(node: Node) -> Vec<Node> {
    let Node { value, tag, span, origin } = node;
    match value {
        Value::Sequence(items) => items.into_iter().filter(|item| item.tag != Tag::Reset).collect(),
        Value::String(_) => vec![Node { value, tag: Tag::None, span, origin }],
        Value::Mapping(mapping) => {
            let mut sorted: BTreeMap<String, Vec<Node>> = BTreeMap::new();
            for (key, Entry { key_span: _, node }) in mapping.into_entries() {
                if node.tag == Tag::Reset {
                    continue;
                }
                let values = match node {
                    Node { value: Value::Sequence(items), .. } => items,
                    node => vec![node],
                };
                let texts = values
                    .into_iter()
                    .map(|mut node| {
                        let text = match &node.value {
                            Value::Null => key.clone(),
                            _ => format!("{key}={}", scalar::text(&node).unwrap_or_default()),
                        };
                        node.value = Value::String(text);
                        node.tag = Tag::None;
                        node
                    })
                    .collect();
                sorted.insert(key, texts);
            }
            let mut items: Vec<Node> = sorted.into_values().flatten().collect();
            items.sort_by(|left, right| left.as_str().cmp(&right.as_str()));
            items
        }
        // Numbers and the like: the schema will name them.
        Value::Null => Vec::new(),
        other => vec![Node { value: other, tag, span, origin }],
    }
}

/// The long form of a build that is only a context.
fn build(node: Node) -> Node {
    if let Value::String(_) = node.value {
        let span = node.span;
        let mut mapping = Mapping::default();
        mapping.insert("context", span, node);
        return Node::new(Value::Mapping(mapping), span);
    }
    node
}

/// A mapping of the names of a list.
pub(in crate::spec) fn names(node: Node, to: NamesTo) -> Node {
    let Value::Sequence(items) = node.value else { return node };
    let mut mapping = Mapping::default();
    for item in items {
        let Some(name) = item.as_str().map(str::to_owned) else { continue };
        let span = item.span;
        let value = match to {
            NamesTo::Null => Value::Null,
            NamesTo::Dependency => {
                let mut dependency = Mapping::default();
                let condition = Value::String("service_started".to_owned());
                dependency.insert("condition", span, Node::default_at(condition, span));
                dependency.insert("required", span, Node::default_at(Value::Bool(true), span));
                Value::Mapping(dependency)
            }
        };
        mapping.insert(name, span, Node { value, tag: Tag::None, span, origin: item.origin });
    }
    Node { value: Value::Mapping(mapping), tag: node.tag, span: node.span, origin: node.origin }
}
