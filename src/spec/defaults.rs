//! What the specification says about a file that says nothing, before names are given and services are wired.

use crate::spec::environment::Environment;
use crate::spec::tree::{Mapping, Node, Value};

/// Fills in defaults of single attributes.
pub(in crate::spec) fn apply(tree: &mut Node) {
    for_each(tree, "services", |_, service| {
        let Value::Mapping(service) = &mut service.value else { return };
        if let Some(build) = service.get_mut("build") {
            set(build, "context", || text("."));
        }
        for_items(service, "secrets", |secret| {
            if let Some(source) = secret.get("source").and_then(Node::as_str).map(str::to_owned) {
                set(secret, "target", || text(&format!("/run/secrets/{source}")));
            }
        });
        for_items(service, "ports", |port| {
            set(port, "protocol", || text("tcp"));
            set(port, "mode", || text("ingress"));
        });
        for_items(service, "gpus", all_devices);
        if let Some(Value::Mapping(reservations)) = service
            .get_mut("deploy")
            .and_then(|deploy| deploy.as_mapping_mut()?.get_mut("resources"))
            .and_then(|resources| resources.as_mapping_mut()?.get_mut("reservations"))
            .map(|reservations| &mut reservations.value)
        {
            for_items(reservations, "devices", all_devices);
        }
    });
}

fn all_devices(request: &mut Node) {
    if request.get("device_ids").is_none() {
        set(request, "count", || text("all"));
    }
}

/// Gives values to the names that are passed on: `environment: [HOME]`.
pub(in crate::spec) fn pass_variables(tree: &mut Node, environment: &Environment) {
    for_each(tree, "services", |_, service| {
        let Some(Value::Sequence(items)) = service
            .as_mapping_mut()
            .and_then(|service| service.get_mut("environment"))
            .map(|variables| &mut variables.value)
        else {
            return;
        };
        for item in items {
            if let Value::String(name) = &mut item.value
                && let Some(value) = environment.value(name)
            {
                *name = format!("{name}={value}");
            }
        }
    });
    for (section, hidden) in [("secrets", "x-#value"), ("configs", "x-#value")] {
        for_each(tree, section, |_, resource| {
            let value = resource.get("environment").and_then(Node::as_str).and_then(|name| environment.value(name));
            if let Some(value) = value.map(str::to_owned) {
                set(resource, hidden, || text(&value));
            }
        });
    }
}

/// Calls for every entry of a section.
pub(in crate::spec) fn for_each(tree: &mut Node, section: &str, mut visit: impl FnMut(&str, &mut Node)) {
    let Some(Value::Mapping(entries)) =
        tree.as_mapping_mut().and_then(|top| top.get_mut(section)).map(|section| &mut section.value)
    else {
        return;
    };
    for (key, entry) in entries.iter_mut() {
        visit(key, &mut entry.node);
    }
}

/// Calls for every item of a list.
pub(in crate::spec) fn for_items(mapping: &mut Mapping, key: &str, visit: impl FnMut(&mut Node)) {
    if let Some(Value::Sequence(items)) = mapping.get_mut(key).map(|list| &mut list.value) {
        items.iter_mut().for_each(visit);
    }
}

/// Sets a key that a mapping does not have.
pub(in crate::spec) fn set(node: &mut Node, key: &str, value: impl FnOnce() -> Value) {
    let span = node.span;
    if let Value::Mapping(mapping) = &mut node.value
        && !mapping.contains_key(key)
    {
        mapping.insert(key, span, Node::default_at(value(), span));
    }
}

/// A text as value.
pub(in crate::spec) fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}
