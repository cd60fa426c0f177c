//! Short forms made long, where the table of rules names one.

pub(in crate::spec) mod mount;
mod port;

use crate::diagnostics::Diagnostic;
use crate::spec::codes;
use crate::spec::merge;
use crate::spec::place::Place;
use crate::spec::rules::{NamesTo, Shape, Short, TOP};
use crate::spec::tree::{Mapping, Node, Tag, Value};

/// Makes every short form of a merged file long.
///
/// With `lenient` (no interpolation) what cannot be read stays as it is: it may hold a variable.
pub(in crate::spec) fn expand(tree: &mut Node, lenient: bool, findings: &mut Vec<Diagnostic>) {
    Expander { lenient, findings }.walk(tree, &TOP, &Place::ROOT);
}

/// Ports of one service with their ranges expanded: all of three protocols.
const MAX_PORTS: usize = 3 * 65_536;

struct Expander<'a> {
    lenient: bool,
    findings: &'a mut Vec<Diagnostic>,
}

impl Expander<'_> {
    fn walk(&mut self, node: &mut Node, shape: &'static Shape, place: &Place<'_>) {
        self.expand(node, shape, place);
        match &mut node.value {
            Value::Mapping(mapping) => {
                for (key, entry) in mapping.iter_mut() {
                    if let Some(field) = shape.field(key) {
                        self.walk(&mut entry.node, field, &place.key(key));
                    }
                }
            }
            Value::Sequence(items) => {
                if let Some(item) = shape.items {
                    for (at, node) in items.iter_mut().enumerate() {
                        self.walk(node, item, &place.item(at));
                    }
                }
            }
            _ => {}
        }
    }

    fn expand(&mut self, node: &mut Node, shape: &'static Shape, place: &Place<'_>) {
        match shape.short {
            Short::None | Short::Ulimit => {}
            Short::Ports => self.ports(node, place),
            Short::Mount => self.mount(node),
            Short::Device => self.device(node),
            Short::Build => wrap(node, "context"),
            Short::Extends => wrap(node, "service"),
            Short::File => wrap(node, "source"),
            Short::List => list_of_one(node),
            Short::Names(to) => {
                if let Value::Sequence(_) = node.value {
                    let list = std::mem::replace(node, Node::new(Value::Null, node.span));
                    *node = merge::names(list, to);
                }
                if to == NamesTo::Dependency {
                    required_by_default(node);
                }
            }
            Short::EnvFile => {
                list_of_one(node);
                if let Value::Sequence(items) = &mut node.value {
                    for item in items {
                        wrap(item, "path");
                        default(item, "required", Value::Bool(true));
                    }
                }
            }
            Short::Gpus => {
                if let Value::String(_) = node.value {
                    let span = node.span;
                    let mut all = Mapping::default();
                    all.insert("count", span, Node::new(Value::String("all".to_owned()), span));
                    node.value = Value::Sequence(vec![Node::new(Value::Mapping(all), span)]);
                }
            }
            Short::External => self.external(node, place),
            Short::Mapping => self.key_values(node, place),
            Short::Ssh => self.ssh(node),
        }
    }

    fn invalid(&mut self, node: &Node, message: impl Into<String>) {
        if !self.lenient {
            self.findings.push(Diagnostic::error(codes::INVALID_VALUE, message).at(node.span, ""));
        }
    }

    fn ports(&mut self, node: &mut Node, place: &Place<'_>) {
        let Value::Sequence(items) = &mut node.value else { return };
        let mut ports = Vec::with_capacity(items.len());
        let mut good = true;
        let mut count = 0;
        for item in items.iter() {
            let spec = match &item.value {
                Value::String(text) => text.clone(),
                Value::Int(number) => number.to_string(),
                Value::Float(_) => {
                    good = false;
                    self.invalid(item, format!("{place}: invalid type float64 for port"));
                    continue;
                }
                _ => continue,
            };
            match port::parse(&spec) {
                Ok(parsed) => {
                    count += parsed.len();
                    if count > MAX_PORTS {
                        let message = format!("{place}: more than {MAX_PORTS} ports, which are more than there are");
                        self.findings.push(Diagnostic::error(codes::INVALID_VALUE, message).at(item.span, ""));
                        return;
                    }
                    ports.push(parsed);
                }
                Err(problem) => {
                    good = false;
                    self.invalid(item, problem);
                }
            }
        }
        // One that cannot be read leaves all as they are.
        if !good {
            return;
        }
        let mut parsed = ports.into_iter();
        let expanded = std::mem::take(items).into_iter().flat_map(|item| match item.value {
            Value::String(_) | Value::Int(_) => {
                let ports = parsed.next().unwrap_or_default();
                ports.into_iter().map(|port| port.into_node(&item)).collect()
            }
            _ => vec![item],
        });
        let expanded = expanded.collect();
        node.value = Value::Sequence(expanded);
    }

    fn mount(&mut self, node: &mut Node) {
        let Some(spec) = node.as_str() else { return };
        match mount::parse(spec) {
            Ok(parsed) => *node = parsed.into_node(node),
            Err(problem) => {
                let message = if spec.is_empty() { problem } else { format!("invalid spec: {spec}: {problem}") };
                self.invalid(node, message);
            }
        }
    }

    fn device(&mut self, node: &mut Node) {
        let Some(spec) = node.as_str() else { return };
        let parts: Vec<&str> = spec.split(':').collect();
        let (source, target, permissions) = match parts.as_slice() {
            [source] => (*source, *source, "rwm"),
            [source, target] => (*source, *target, "rwm"),
            [source, target, permissions] => (*source, *target, *permissions),
            _ => {
                let message = format!("confusing device mapping, please use long syntax: {spec}");
                self.invalid(node, message);
                return;
            }
        };
        let target = if target.is_empty() { source } else { target };
        let mut long = Mapping::default();
        for (key, text) in [("source", source), ("target", target), ("permissions", permissions)] {
            long.insert(key, node.span, derived(node, Value::String(text.to_owned())));
        }
        node.value = Value::Mapping(long);
    }

    fn key_values(&mut self, node: &mut Node, place: &Place<'_>) {
        let Value::Sequence(items) = &node.value else { return };
        let mut long = Mapping::default();
        let mut problems = Vec::new();
        for item in items {
            let Some(text) = item.as_str() else { continue };
            match text.split_once('=') {
                Some((key, value)) => {
                    long.insert(key, item.span, derived(item, Value::String(value.to_owned())));
                }
                None => problems.push((item.clone(), format!("{place}: invalid value {text}, expected key=value"))),
            }
        }
        for (item, problem) in &problems {
            self.invalid(item, problem);
        }
        node.value = Value::Mapping(long);
    }

    fn ssh(&mut self, node: &mut Node) {
        if let Value::String(_) = node.value {
            list_of_one(node);
        }
        let Value::Sequence(items) = &node.value else { return };
        let mut long = Mapping::default();
        let mut problems = Vec::new();
        for item in items {
            let Some(text) = item.as_str() else { continue };
            match text.split_once('=') {
                Some((id, path)) => {
                    long.insert(id, item.span, derived(item, Value::String(path.to_owned())));
                }
                None if text == "default" => {
                    long.insert(text, item.span, derived(item, Value::Null));
                }
                None => problems.push((item.clone(), format!("invalid ssh key \"{text}\""))),
            }
        }
        for (item, problem) in &problems {
            self.invalid(item, problem);
        }
        node.value = Value::Mapping(long);
    }

    fn external(&mut self, node: &mut Node, place: &Place<'_>) {
        let Value::Mapping(resource) = &mut node.value else { return };
        let Some(external) = resource.get_mut("external") else { return };
        let span = external.span;
        let Value::Mapping(details) = &mut external.value else { return };
        let name = details.remove("name");
        external.value = Value::Bool(true);
        let Some(name) = name else { return };
        self.findings.push(
            Diagnostic::warning(
                codes::OBSOLETE_KEY,
                format!("{place}: external.name is deprecated. Please set name and external: true"),
            )
            .at(name.span, ""),
        );
        match resource.get("name") {
            Some(other) if !crate::spec::schema::same(other, &name) => {
                let finding = Diagnostic::error(
                    codes::CONFLICT,
                    format!("{place}: name and external.name conflict; only use name"),
                )
                .at(name.span, "")
                .at(other.span, "");
                self.findings.push(finding);
            }
            Some(_) => {}
            None => {
                resource.insert("name", span, name);
            }
        }
    }
}

/// A value that follows from a written one.
fn derived(from: &Node, value: Value) -> Node {
    Node { value, tag: Tag::None, span: from.span, origin: from.origin.clone() }
}

fn wrap(node: &mut Node, key: &str) {
    if let Value::String(_) = node.value {
        let span = node.span;
        let text = std::mem::replace(node, Node::new(Value::Null, span));
        let mut long = Mapping::default();
        long.insert(key, span, text);
        node.value = Value::Mapping(long);
    }
}

fn list_of_one(node: &mut Node) {
    if let Value::String(_) = node.value {
        let span = node.span;
        let text = std::mem::replace(node, Node::new(Value::Null, span));
        node.value = Value::Sequence(vec![text]);
    }
}

fn default(node: &mut Node, key: &str, value: Value) {
    let span = node.span;
    if let Value::Mapping(mapping) = &mut node.value
        && !mapping.contains_key(key)
    {
        mapping.insert(key, span, Node::default_at(value, span));
    }
}

fn required_by_default(node: &mut Node) {
    if let Value::Mapping(mapping) = &mut node.value {
        for (_, entry) in mapping.iter_mut() {
            default(&mut entry.node, "required", Value::Bool(true));
        }
    }
}
