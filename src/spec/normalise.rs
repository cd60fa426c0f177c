//! What follows from the whole of a project: implicit networks and dependencies, names in the engine.

use crate::diagnostics::Span;
use crate::spec::canonical::mount;
use crate::spec::defaults::{for_each, for_items, set, text};
use crate::spec::environment::Environment;
use crate::spec::scalar;
use crate::spec::tree::{Mapping, Node, Value};

/// Completes a project.
pub(in crate::spec) fn apply(tree: &mut Node, project_name: &str, environment: &Environment) {
    networks(tree);
    for_each(tree, "services", |_, service| one_service(service, environment));
    names(tree, project_name);
}

fn networks(tree: &mut Node) {
    let span = tree.span;
    let mut default_is_used = false;
    for_each(tree, "services", |_, node| {
        let span = node.span;
        let Value::Mapping(service) = &mut node.value else { return };
        if service.contains_key("provider") || service.contains_key("network_mode") {
            return;
        }
        match service.get_mut("networks").map(|networks| &mut networks.value) {
            Some(Value::Mapping(networks)) if !networks.is_empty() => {
                default_is_used |= networks.contains_key("default");
            }
            _ => {
                let mut networks = Mapping::default();
                networks.insert("default", span, Node::default_at(Value::Null, span));
                service.insert("networks", span, Node::default_at(Value::Mapping(networks), span));
                default_is_used = true;
            }
        }
    });
    if !default_is_used {
        return;
    }
    let Value::Mapping(top) = &mut tree.value else { return };
    if !matches!(top.get("networks").map(|networks| &networks.value), Some(Value::Mapping(_))) {
        top.insert("networks", span, Node::default_at(Value::Mapping(Mapping::default()), span));
    }
    if let Some(networks) = top.get_mut("networks") {
        set(networks, "default", || Value::Null);
    }
}

fn one_service(node: &mut Node, environment: &Environment) {
    let span = node.span;
    let Value::Mapping(service) = &mut node.value else { return };
    if let Some(Value::String(policy)) = service.get_mut("pull_policy").map(|policy| &mut policy.value)
        && policy == "if_not_present"
    {
        "missing".clone_into(policy);
    }
    if let Some(build) = service.get_mut("build") {
        if build.get("dockerfile").is_none_or(Node::is_null) && build.get("dockerfile_inline").is_none() {
            if let Value::Mapping(build) = &mut build.value {
                build.remove("dockerfile");
            }
            set(build, "dockerfile", || text("Dockerfile"));
        }
        if let Some(arguments) = build.as_mapping_mut().and_then(|build| build.get_mut("args")) {
            pass(arguments, environment, true);
        }
    }
    if let Some(variables) = service.get_mut("environment") {
        pass(variables, environment, false);
    }
    dependencies(service, span);
    for_items(service, "volumes", |volume| {
        let target = volume.as_mapping_mut().and_then(|volume| volume.get_mut("target"));
        if let Some(Value::String(target)) = target.map(|target| &mut target.value) {
            *target = mount::clean(target);
        }
    });
}

/// Gives values to names without one; those that have none then are dropped or stay.
fn pass(variables: &mut Node, environment: &Environment, drop: bool) {
    match &mut variables.value {
        Value::Mapping(variables) => {
            let mut unset = Vec::new();
            for (name, entry) in variables.iter_mut() {
                if entry.node.is_null() {
                    match environment.value(name) {
                        Some(value) => entry.node.value = text(value),
                        None => unset.push(name.to_owned()),
                    }
                }
            }
            if drop {
                for name in unset {
                    variables.remove(&name);
                }
            }
        }
        Value::Sequence(items) => items.retain_mut(|item| {
            let Value::String(name) = &mut item.value else { return true };
            if name.contains('=') {
                return true;
            }
            match environment.value(name) {
                Some(value) => {
                    *name = format!("{name}={value}");
                    true
                }
                None => !drop,
            }
        }),
        _ => {}
    }
}

fn dependencies(service: &mut Mapping, span: Span) {
    let mut implicit: Vec<(String, bool, Span)> = Vec::new();
    let texts = |key: &str| -> Vec<(String, Span)> {
        service
            .get(key)
            .and_then(Node::as_sequence)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| Some((item.as_str()?.to_owned(), item.span)))
            .collect()
    };
    for (link, at) in texts("links") {
        let name = match link.split(':').collect::<Vec<_>>().as_slice() {
            [name, _] => (*name).to_owned(),
            _ => link.clone(),
        };
        implicit.push((name, true, at));
    }
    for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        if let Some(node) = service.get(key)
            && let Some(name) = node.as_str().and_then(|text| text.strip_prefix("service:"))
        {
            implicit.push((name.to_owned(), true, node.span));
        }
    }
    for (source, at) in texts("volumes_from") {
        if !source.starts_with("container:") {
            let name = source.split(':').next().unwrap_or_default().to_owned();
            implicit.push((name, false, at));
        }
    }
    if implicit.is_empty() {
        return;
    }
    if !matches!(service.get("depends_on").map(|list| &list.value), Some(Value::Mapping(_))) {
        service.insert("depends_on", span, Node::default_at(Value::Mapping(Mapping::default()), span));
    }
    let Some(Value::Mapping(known)) = service.get_mut("depends_on").map(|list| &mut list.value) else { return };
    for (name, restart, at) in implicit {
        if known.contains_key(&name) {
            continue;
        }
        let mut dependency = Mapping::default();
        dependency.insert("condition", at, Node::default_at(text("service_started"), at));
        dependency.insert("restart", at, Node::default_at(Value::Bool(restart), at));
        dependency.insert("required", at, Node::default_at(Value::Bool(true), at));
        known.insert(name, at, Node::default_at(Value::Mapping(dependency), at));
    }
}

fn names(tree: &mut Node, project_name: &str) {
    for section in ["networks", "volumes", "configs", "secrets"] {
        for_each(tree, section, |key, resource| {
            if resource.is_null() {
                resource.value = Value::Mapping(Mapping::default());
            }
            if resource.get("name").is_some_and(Node::is_null)
                && let Value::Mapping(resource) = &mut resource.value
            {
                resource.remove("name");
            }
            let external = resource.get("external").is_some_and(is_true);
            set(resource, "name", || if external { text(key) } else { Value::String(format!("{project_name}_{key}")) });
        });
    }
}

fn is_true(node: &Node) -> bool {
    scalar::text(node).is_some_and(|text| text == "true")
}
