//! What `config` prints.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::spec::emit::{node_to_yaml, sort_naturally, to_yaml};
use crate::spec::interpolate::DeclaredVariable;
use crate::spec::json;
use crate::spec::model::Project;
use crate::spec::tree::{Entry, Mapping, Node, Value as Tree};

/// The project as YAML, `$` doubled.
pub fn yaml(project: &Project) -> String {
    doubled(&to_yaml(&Value::Object(whole(project))))
}

/// The project as YAML for a program that knows no variables: `$` stands for itself, and contents of configs and secrets
/// are in it, by section and name.
pub fn model(project: &Project, contents: &BTreeMap<(&'static str, String), String>) -> String {
    let mut top = whole(project);
    for ((section, name), content) in contents {
        if let Some(Value::Object(entry)) = top.get_mut(*section).and_then(|section| section.get_mut(name)) {
            entry.insert("content".to_owned(), Value::from(content.as_str()));
            entry.sort_keys();
        }
    }
    to_yaml(&Value::Object(top))
}

fn whole(project: &Project) -> Map<String, Value> {
    let mut top = Map::new();
    top.insert("name".to_owned(), Value::String(project.name.to_string()));
    for (key, section) in sections(project) {
        let Value::Object(entries) = section else { continue };
        if entries.is_empty() && key != "services" {
            continue;
        }
        let mut entries = Value::Object(entries);
        if let Some(written) = project.tree.get(key) {
            add_extensions(&mut entries, written);
        }
        if let Value::Object(entries) = &mut entries {
            for (_, entry) in entries.iter_mut() {
                as_yaml(entry, key);
                natural(entry);
            }
        }
        top.insert(key.to_owned(), sorted(entries));
    }
    let mut extensions: Vec<_> = project.extensions.iter().collect();
    sort_naturally(&mut extensions, |(key, _)| key);
    for (key, value) in extensions {
        top.insert(key.clone(), sorted_deep(value.clone()));
    }
    top
}

/// The project as JSON, `$` doubled, without line break at the end.
pub fn json(project: &Project) -> String {
    let mut top: BTreeMap<String, Value> = BTreeMap::new();
    top.insert("name".to_owned(), Value::String(project.name.to_string()));
    for (key, section) in sections(project) {
        let empty = section.as_object().is_none_or(Map::is_empty);
        // docker compose leaves the models out.
        if (!empty || key == "services") && key != "models" {
            top.insert(key.to_owned(), section);
        }
    }
    for (key, value) in &project.extensions {
        top.insert(key.clone(), without_empty_lists(sorted_deep(value.clone())));
    }
    doubled(&json::pretty(&Value::Object(top.into_iter().collect()), 2))
}

/// An override file that says nothing but the images.
pub fn only_images(project: &Project) -> String {
    let mut services = Map::new();
    for service in project.services.values() {
        let image = service.image.iter().map(|image| ("image".to_owned(), Value::from(image.as_str())));
        services.insert(service.name.to_string(), Value::Object(image.collect()));
    }
    let mut top = Map::new();
    top.insert("services".to_owned(), sorted(Value::Object(services)));
    doubled(&to_yaml(&Value::Object(top)))
}

/// The same in JSON, with the fields that docker compose always writes.
pub fn only_images_json(project: &Project) -> String {
    let mut services = Map::new();
    for service in project.services.values() {
        let mut fields = Map::new();
        fields.insert("command".to_owned(), Value::Null);
        fields.insert("entrypoint".to_owned(), Value::Null);
        if let Some(image) = &service.image {
            fields.insert("image".to_owned(), Value::from(image.as_str()));
        }
        services.insert(service.name.to_string(), Value::Object(fields));
    }
    let mut top = Map::new();
    top.insert("name".to_owned(), Value::from(""));
    top.insert("services".to_owned(), Value::Object(services));
    doubled(&json::pretty(&Value::Object(top), 2))
}

/// Any value as YAML, `$` doubled.
pub fn value_yaml(value: &Value) -> String {
    doubled(&to_yaml(value))
}

/// The same in JSON, as docker compose prints it.
pub fn value_json(value: &Value) -> String {
    doubled(&json::pretty(value, 2))
}

/// The merged tree as it is, keys sorted, for `--no-interpolate`.
pub fn raw_yaml(tree: &Node) -> String {
    node_to_yaml(&sort_tree(tree.clone()))
}

/// As [`raw_yaml`], in JSON.
pub fn raw_json(tree: &Node) -> String {
    json::pretty(&crate::spec::decode::json(&sort_tree(tree.clone())), 2)
}

/// Names of the services that are wanted.
pub fn services(project: &Project) -> Vec<String> {
    project.services.keys().map(ToString::to_string).collect()
}

/// Keys of the volumes.
pub fn volumes(project: &Project) -> Vec<String> {
    project.volumes.keys().map(ToString::to_string).collect()
}

/// Keys of the networks.
pub fn networks(project: &Project) -> Vec<String> {
    project.networks.keys().map(ToString::to_string).collect()
}

/// References of the models.
pub fn models(project: &Project) -> Vec<String> {
    project.models.values().map(|model| model.model.clone()).collect()
}

/// All profiles that services have, sorted.
pub fn profiles(project: &Project) -> Vec<String> {
    let services = project.services.values().chain(project.disabled_services.values());
    let all: BTreeSet<String> = services.flat_map(|service| service.profiles.iter().cloned()).collect();
    all.into_iter().collect()
}

/// The image of every service that is wanted; the same one may come several times.
pub fn images(project: &Project) -> Vec<String> {
    let mut images = Vec::new();
    for service in project.services.values() {
        images.push(service.image.clone().unwrap_or_else(|| format!("{}-{}", project.name, service.name)));
        images.extend(service.pre_start.iter().filter_map(|hook| hook.image.clone()));
    }
    images
}

/// Service and hash, one a line.
pub fn hashes(project: &Project) -> Vec<(String, String)> {
    let services = project.services.values();
    services.map(|service| (service.name.to_string(), crate::spec::hash::service(project, service))).collect()
}

/// The table of variables.
pub fn variables_table(variables: &[DeclaredVariable]) -> String {
    let mut rows = vec![["NAME", "REQUIRED", "DEFAULT VALUE", "ALTERNATE VALUE"].map(str::to_owned)];
    rows.extend(variables.iter().map(|variable| {
        [variable.name.clone(), variable.required.to_string(), variable.default.clone(), variable.alternate.clone()]
    }));
    let width = |column: usize| {
        let widest = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        (widest + 3).max(20)
    };
    let widths = [width(0), width(1), width(2)];
    let mut out = String::new();
    for [name, required, default, alternate] in &rows {
        for (cell, width) in [name, required, default].into_iter().zip(widths) {
            out.push_str(&format!("{cell:<width$}"));
        }
        out.push_str(alternate);
        out.push('\n');
    }
    out
}

/// The variables as YAML, sorted.
pub fn variables_yaml(variables: &[DeclaredVariable]) -> String {
    let text = |value: &str| to_yaml(&Value::from(value));
    let sorted: BTreeMap<&str, &DeclaredVariable> = variables.iter().map(|one| (one.name.as_str(), one)).collect();
    if sorted.is_empty() {
        return "{}\n".to_owned();
    }
    let entry = |(name, one): (&str, &DeclaredVariable)| {
        // Names of variables need no quotes but for words like `y`, which are quoted as keys and as texts alike.
        format!(
            "{}:\n    name: {}    defaultvalue: {}    presencevalue: {}    required: {}\n",
            text(name).trim_end(),
            text(name),
            text(&one.default),
            text(&one.alternate),
            one.required
        )
    };
    sorted.into_iter().map(entry).collect()
}

/// The variables as JSON.
pub fn variables_json(variables: &[DeclaredVariable]) -> String {
    let all: BTreeMap<String, Value> = variables
        .iter()
        .map(|variable| {
            let value = serde_json::json!({
                "Name": variable.name,
                "DefaultValue": variable.default,
                "PresenceValue": variable.alternate,
                "Required": variable.required,
            });
            (variable.name.clone(), value)
        })
        .collect();
    json::pretty(&Value::Object(all.into_iter().collect()), 4)
}

fn sections(project: &Project) -> Vec<(&'static str, Value)> {
    let value = |result: Result<Value, serde_json::Error>| result.unwrap_or_default();
    let mut configs = value(serde_json::to_value(&project.configs));
    for (key, config) in &project.configs {
        // What a variable holds is not for other eyes.
        if config.environment.is_some()
            && let Some(Value::Object(fields)) = configs.get_mut(key)
        {
            fields.shift_remove("content");
        }
    }
    let mut services = value(serde_json::to_value(&project.services));
    if let Value::Object(services) = &mut services {
        for (_, service) in services.iter_mut() {
            if let Value::Object(service) = service {
                service.shift_remove("label_file");
            }
        }
    }
    vec![
        ("services", services),
        ("networks", value(serde_json::to_value(&project.networks))),
        ("volumes", value(serde_json::to_value(&project.volumes))),
        ("secrets", value(serde_json::to_value(&project.secrets))),
        ("configs", configs),
        ("models", value(serde_json::to_value(&project.models))),
    ]
}

/// Puts the `x-` keys of what was written where they were.
fn add_extensions(value: &mut Value, written: &Node) {
    match (value, &written.value) {
        (Value::Object(fields), Tree::Mapping(mapping)) => {
            for (key, entry) in mapping.iter() {
                if let Some(field) = fields.get_mut(key) {
                    add_extensions(field, &entry.node);
                } else if key.starts_with("x-") && key != "x-#value" {
                    fields.insert(key.to_owned(), sorted_deep(crate::spec::decode::json(&entry.node)));
                }
            }
        }
        (Value::Array(items), Tree::Sequence(nodes)) if items.len() == nodes.len() => {
            for (item, node) in items.iter_mut().zip(nodes) {
                add_extensions(item, node);
            }
        }
        _ => {}
    }
}

/// Leaves out what YAML leaves out and JSON does not: empty structures and commands that are not there.
fn as_yaml(entry: &mut Value, section: &str) {
    let Value::Object(fields) = entry else { return };
    if section != "services" {
        if fields.get("ipam").is_some_and(is_empty) {
            fields.shift_remove("ipam");
        }
        return;
    }
    for key in ["command", "entrypoint"] {
        if fields.get(key).is_some_and(Value::is_null) {
            fields.shift_remove(key);
        }
    }
    if let Some(Value::Object(blkio)) = fields.get_mut("blkio_config") {
        for (_, list) in blkio.iter_mut() {
            for device in list.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                *device = std::mem::take(device).into_iter().map(|(key, value)| (key.to_lowercase(), value)).collect();
            }
        }
    }
    if let Some(Value::Object(deploy)) = fields.get_mut("deploy") {
        for key in ["resources", "placement"] {
            if deploy.get(key).is_some_and(is_empty) {
                deploy.shift_remove(key);
            }
        }
    }
    if let Some(Value::Array(rules)) = fields.get_mut("develop").and_then(|develop| develop.get_mut("watch")) {
        for rule in rules {
            if let Value::Object(rule) = rule {
                let nothing = rule
                    .get("exec")
                    .and_then(Value::as_object)
                    .is_some_and(|exec| exec.len() == 1 && exec.get("command").is_some_and(Value::is_null));
                if nothing {
                    rule.shift_remove("exec");
                }
            }
        }
    }
    for key in ["pre_start", "post_start", "pre_stop"] {
        if let Some(Value::Array(hooks)) = fields.get_mut(key) {
            for hook in hooks {
                if let Value::Object(hook) = hook
                    && hook.get("command").is_some_and(Value::is_null)
                {
                    hook.shift_remove("command");
                }
            }
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// Attributes whose keys are the user's.
const MAPS: [&str; 14] = [
    "additional_contexts",
    "annotations",
    "args",
    "aux_addresses",
    "depends_on",
    "driver_opts",
    "environment",
    "labels",
    "models",
    "networks",
    "options",
    "storage_opt",
    "sysctls",
    "ulimits",
];

/// The user's maps come sorted by bytes; YAML has them sorted as people do.
fn natural(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                natural(field);
                if let Value::Object(map) = field
                    && MAPS.contains(&key.as_str())
                {
                    *map = in_natural_order(std::mem::take(map));
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(natural),
        _ => {}
    }
}

fn in_natural_order(map: Map<String, Value>) -> Map<String, Value> {
    let mut entries: Vec<(String, Value)> = map.into_iter().collect();
    sort_naturally(&mut entries, |(key, _)| key);
    entries.into_iter().collect()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(in_natural_order(map)),
        other => other,
    }
}

fn sorted_deep(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(in_natural_order(map).into_iter().map(|(key, value)| (key, sorted_deep(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted_deep).collect()),
        other => other,
    }
}

/// An empty list of an extension is null in docker compose's JSON.
fn without_empty_lists(value: Value) -> Value {
    match value {
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => Value::Array(items.into_iter().map(without_empty_lists).collect()),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(key, value)| (key, without_empty_lists(value))).collect())
        }
        other => other,
    }
}

fn doubled(text: &str) -> String {
    text.replace('$', "$$")
}

fn sort_tree(node: Node) -> Node {
    let Node { value, tag, span, origin } = node;
    let value = match value {
        Tree::Mapping(mapping) => {
            let mut entries: Vec<(String, Entry)> = mapping.into_entries().collect();
            sort_naturally(&mut entries, |(key, _)| key);
            let mut sorted = Mapping::default();
            for (key, Entry { key_span, node }) in entries {
                sorted.insert(key, key_span, sort_tree(node));
            }
            Tree::Mapping(sorted)
        }
        Tree::Sequence(items) => Tree::Sequence(items.into_iter().map(sort_tree).collect()),
        other => other,
    };
    Node { value, tag, span, origin }
}
