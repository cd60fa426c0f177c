//! `alpha generate`: a compose file for containers that exist.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::labels;
use crate::resource::{Container, ContainerDetails, Healthcheck, MountedAt};
use crate::runtime::LabelFilter;
use crate::spec::model::GoDuration;
use crate::spec::print;

/// Where secrets lie in containers.
const SECRETS: &str = "/run/secrets";
/// What Docker Desktop puts before paths of the host.
const DESKTOP: &str = "/host_mnt";

/// Write a compose file for containers that exist
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [CONTAINERS...]",
    after_help = "Examples:\n  compose alpha generate --name shop web db > compose.yaml     a project of two containers\n"
)]
pub struct GenerateArgs {
    /// Output format: yaml or json
    #[arg(long, value_name = "string")]
    format: Option<String>,
    /// Project name to write into the file
    #[arg(long, value_name = "string")]
    name: Option<String>,
    /// Accepted, without effect
    #[arg(long, value_name = "string")]
    project_dir: Option<String>,
    #[arg(hide = true)]
    containers: Vec<String>,
}

pub(super) async fn run(args: GenerateArgs, context: &Context<'_>) -> Ended {
    context.io.stderr.line("generate command is EXPERIMENTAL");
    let GenerateArgs { format, name, project_dir: _, containers } = args;
    if containers.is_empty() {
        return Err(Failure::message("at least one container must be specified"));
    }
    let json = match format.as_deref() {
        None | Some("" | "yaml") => false,
        Some("json") => true,
        Some(other) => return Err(Failure::Message(format!("unsupported format \"{other}\""))),
    };
    let runtime = context.runtime().await?;
    let all = runtime.list_containers(&LabelFilter::default()).await?;
    let wanted = chosen(all, &containers);
    if wanted.is_empty() {
        let names = containers.join(",");
        return Err(Failure::Message(format!("no container(s) found with the following name(s): {names}")));
    }
    let mut generated = Generated::default();
    for container in &wanted {
        let details = runtime.inspect_container(&container.id).await?;
        generated.add(container, &details);
    }
    for name in generated.networks.keys().cloned().collect::<Vec<_>>() {
        let found = runtime.find_networks(&name).await?;
        generated.networks.insert(name, found.iter().any(|network| network.internal));
    }
    let name = name.unwrap_or_default();
    let text = if json { generated.json(&name) } else { generated.yaml(&name) };
    context.io.stdout.text(&text);
    Ok(0)
}

/// Containers whose name holds a word, as engines filter names, then those whose id begins with one.
fn chosen(all: Vec<Container>, words: &[String]) -> Vec<Container> {
    let has = |container: &Container, test: &dyn Fn(&str, &str, &str) -> bool| {
        words.iter().any(|word| test(word, container.name.as_str(), container.id.as_str()))
    };
    let (named, others): (Vec<Container>, Vec<Container>) =
        all.into_iter().partition(|container| has(container, &|word, name, _| name.contains(word)));
    let by_id = others.into_iter().filter(|container| has(container, &|word, _, id| id.starts_with(word)));
    named.into_iter().chain(by_id).collect()
}

/// A project as far as its containers tell it.
#[derive(Debug, Default)]
struct Generated {
    services: BTreeMap<String, Service>,
    /// Whether each is internal.
    networks: BTreeMap<String, bool>,
    volumes: BTreeMap<String, Value>,
    secrets: BTreeMap<String, Value>,
}

#[derive(Debug, Default)]
struct Service {
    image: String,
    labels: BTreeMap<String, String>,
    scale: u32,
    environment: BTreeMap<String, Value>,
    healthcheck: Option<Value>,
    networks: BTreeMap<String, Value>,
    ports: Vec<Value>,
    secrets: Vec<Value>,
    volumes: Vec<Value>,
}

impl Generated {
    fn add(&mut self, container: &Container, details: &ContainerDetails) {
        let name = match container.service() {
            "" => container.name.as_str(),
            service => service,
        };
        let service = self.services.entry(name.to_owned()).or_insert_with(|| Service {
            image: container.image.clone(),
            labels: container
                .labels
                .iter()
                .filter(|(key, _)| is_own(key))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
            ..Service::default()
        });
        service.scale += 1;
        let spec = &details.spec;
        service.environment = spec
            .environment
            .iter()
            .map(|variable| match variable.split_once('=') {
                Some((name, value)) => (name.to_owned(), Value::from(value)),
                None => (variable.clone(), Value::Null),
            })
            .collect();
        service.healthcheck = spec.healthcheck.as_ref().map(healthcheck);
        service.networks.clear();
        for network in container.networks.keys() {
            let aliases = spec.endpoints.get(network).map(|endpoint| endpoint.aliases.clone()).unwrap_or_default();
            let written = if aliases.is_empty() { json!({}) } else { json!({ "aliases": aliases }) };
            service.networks.insert(network.to_string(), written);
            self.networks.insert(network.to_string(), false);
        }
        for (port, bindings) in &spec.host.port_bindings {
            let (target, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
            for binding in bindings {
                let target = target.parse::<u16>().map_or_else(|_| Value::from(target), Value::from);
                let parts = [
                    ("host_ip", Value::from(binding.host_ip.as_str())),
                    ("target", target),
                    ("published", Value::from(binding.host_port.as_str())),
                    ("protocol", Value::from(protocol)),
                ];
                let said = parts.into_iter().filter(|(_, value)| value != "");
                let written = said.map(|(key, value)| (key.to_owned(), value)).collect();
                add_new(&mut service.ports, Value::Object(written));
            }
        }
        for mount in &details.mounts {
            match (mount.kind.as_str(), secret_name(mount)) {
                ("volume", _) => {
                    let volume = match mount.driver.as_str() {
                        "local" => json!({}),
                        driver => json!({ "name": mount.name, "driver": driver }),
                    };
                    self.volumes.insert(mount.name.clone(), volume);
                    add_new(&mut service.volumes, written_mount(mount, &mount.name));
                }
                ("bind", Some(name)) => {
                    self.secrets.insert(
                        name.to_owned(),
                        json!({ "name": name, "file": mount.source.trim_start_matches(DESKTOP) }),
                    );
                    add_new(&mut service.secrets, json!({ "source": name, "target": mount.destination }));
                }
                ("bind", None) => add_new(&mut service.volumes, written_mount(mount, &mount.source)),
                _ => {}
            }
        }
    }

    fn yaml(&self, name: &str) -> String {
        let mut top = Map::new();
        if !name.is_empty() {
            top.insert("name".to_owned(), name.into());
        }
        top.insert("services".to_owned(), self.services(false));
        let networks = self.networks.iter().map(|(name, internal)| (name.clone(), network(*internal, false))).collect();
        let sections = [("networks", networks), ("volumes", map(&self.volumes)), ("secrets", map(&self.secrets))];
        for (key, section) in sections {
            if !section.is_empty() {
                top.insert(key.to_owned(), Value::Object(section));
            }
        }
        print::value_yaml(&Value::Object(top)) + "\n"
    }

    fn json(&self, name: &str) -> String {
        let networks: Map<String, Value> =
            self.networks.iter().map(|(name, internal)| (name.clone(), network(*internal, true))).collect();
        let mut top = Map::new();
        top.insert("name".to_owned(), name.into());
        let services = self.services(true);
        let sections = [("networks", Value::Object(networks)), ("secrets", Value::Object(map(&self.secrets)))];
        let sections =
            sections.into_iter().chain([("services", services), ("volumes", Value::Object(map(&self.volumes)))]);
        for (key, section) in sections {
            if section.as_object().is_some_and(|entries| !entries.is_empty()) {
                top.insert(key.to_owned(), section);
            }
        }
        print::value_json(&Value::Object(top)) + "\n"
    }

    fn services(&self, json: bool) -> Value {
        Value::Object(self.services.iter().map(|(name, service)| (name.clone(), service.written(json))).collect())
    }
}

impl Service {
    /// Keys in the order in which docker compose prints them.
    fn written(&self, json: bool) -> Value {
        let mut out = Map::new();
        if json {
            out.insert("command".to_owned(), Value::Null);
            out.insert("entrypoint".to_owned(), Value::Null);
        }
        let labels = self.labels.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
        let parts = [
            ("environment", Value::Object(map(&self.environment))),
            ("healthcheck", self.healthcheck.clone().unwrap_or_default()),
            ("image", Value::from(self.image.as_str())),
            ("labels", Value::Object(labels)),
            ("networks", Value::Object(map(&self.networks))),
            ("ports", Value::Array(self.ports.clone())),
            ("scale", Value::from(self.scale)),
            ("secrets", Value::Array(self.secrets.clone())),
            ("volumes", Value::Array(self.volumes.clone())),
        ];
        for (key, value) in parts {
            let empty = match &value {
                Value::Null => true,
                Value::Array(items) => items.is_empty(),
                Value::Object(entries) => entries.is_empty(),
                _ => false,
            };
            if !empty {
                out.insert(key.to_owned(), value);
            }
        }
        Value::Object(out)
    }
}

fn map(entries: &BTreeMap<String, Value>) -> Map<String, Value> {
    entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn network(internal: bool, json: bool) -> Value {
    let mut out = Map::new();
    if json {
        out.insert("ipam".to_owned(), json!({}));
    }
    if internal {
        out.insert("internal".to_owned(), true.into());
    }
    Value::Object(out)
}

/// Whether a label was given by a person, and not by a program that made the container.
fn is_own(key: &str) -> bool {
    !labels::is_ours(key) && !key.starts_with("desktop.docker.io")
}

/// The last part of where a secret lies inside.
fn secret_name(mount: &MountedAt) -> Option<&str> {
    mount.destination.starts_with(SECRETS).then(|| mount.destination.rsplit('/').next()).flatten()
}

fn written_mount(mount: &MountedAt, source: &str) -> Value {
    let mut out = Map::new();
    out.insert("type".to_owned(), mount.kind.as_str().into());
    out.insert("source".to_owned(), source.into());
    out.insert("target".to_owned(), mount.destination.as_str().into());
    if !mount.writable {
        out.insert("read_only".to_owned(), true.into());
    }
    Value::Object(out)
}

/// Replicas tell the same things again.
fn add_new(list: &mut Vec<Value>, item: Value) {
    if !list.contains(&item) {
        list.push(item);
    }
}

fn healthcheck(check: &Healthcheck) -> Value {
    let mut out = Map::new();
    out.insert("test".to_owned(), check.test.clone().into());
    let mut time = |key: &str, nanoseconds: i64| {
        if nanoseconds != 0 {
            out.insert(key.to_owned(), GoDuration(nanoseconds).to_string().into());
        }
    };
    time("timeout", check.timeout);
    time("interval", check.interval);
    if check.retries != 0 {
        out.insert("retries".to_owned(), check.retries.into());
    }
    for (key, nanoseconds) in [("start_period", check.start_period), ("start_interval", check.start_interval)] {
        if nanoseconds != 0 {
            out.insert(key.to_owned(), GoDuration(nanoseconds).to_string().into());
        }
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, id: &str) -> Container {
        Container { name: name.into(), id: id.into(), ..Container::default() }
    }

    #[test]
    fn names_are_looked_for_before_ids() {
        let all = || vec![container("db-1", "aa"), container("web-1", "bb"), container("other", "cc")];
        for (words, names) in [
            (&["web-1"][..], &["web-1"][..]),
            (&["-1"], &["db-1", "web-1"]),
            (&["aa", "web"], &["web-1", "db-1"]),
            (&["c"], &["other"]),
            (&["a1"], &[]),
        ] {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let found: Vec<String> = chosen(all(), &words).into_iter().map(|found| found.name.to_string()).collect();
            assert_eq!(found, names, "{words:?}");
        }
    }
}
