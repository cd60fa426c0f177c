//! The config hash: what says that a container, network or volume is still what the files ask for.
//!
//! It is docker compose's, byte for byte, so that stacks go from one tool to the other without being made anew.

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::names::ServiceName;
use crate::spec::json;
use crate::spec::model::{Mount, Network, Project, Service, Volume};

/// A piece of what is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashPart {
    /// As it is.
    Text(String),
    /// The full id of the first container of a service.
    ContainerOf(ServiceName),
}

/// Whose hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// docker compose 2.40's; the one that is written.
    Two,
    /// docker compose 5's; accepted.
    Five,
}

/// What `config --hash` prints for a service that was loaded without its env files being read.
pub fn service(project: &Project, service: &Service) -> String {
    let mut service = with_default_platform(project, service);
    service.label_files.clear();
    digest(&json::compact(&value(&service, Flavour::Two)))
}

/// What the label of a container is the SHA-256 of.
pub fn service_parts(service: &Service) -> Vec<HashPart> {
    parts(service, Flavour::Two)
}

/// What docker compose 5's label of a container is the SHA-256 of.
pub fn service_parts_v5(service: &Service) -> Vec<HashPart> {
    parts(service, Flavour::Five)
}

/// The hashes that are good for a container: the one that is written, and docker compose 5's. `container` gives the id
/// of the first container of a service; `None` leaves the reference as it is.
pub fn accepted(service: &Service, container: &dyn Fn(&ServiceName) -> Option<String>) -> [String; 2] {
    [Flavour::Two, Flavour::Five].map(|flavour| fill(&parts(service, flavour), container))
}

/// The hash of parts whose containers are known.
pub fn fill(parts: &[HashPart], container: &dyn Fn(&ServiceName) -> Option<String>) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            HashPart::Text(piece) => text.push_str(piece),
            HashPart::ContainerOf(name) => {
                text.push_str(&container(name).unwrap_or_else(|| name.to_string()));
            }
        }
    }
    digest(&text)
}

/// The hash of a network.
pub fn network(network: &Network) -> String {
    digest(&json::compact(&serde_json::to_value(network).unwrap_or_default()))
}

/// The hash of a volume.
pub fn volume(volume: &Volume) -> String {
    let mut volume = volume.clone();
    volume.driver.get_or_insert_with(|| "local".to_owned());
    digest(&json::compact(&serde_json::to_value(&volume).unwrap_or_default()))
}

/// A service as it is hashed: one that is built and has no platform gets that of DOCKER_DEFAULT_PLATFORM.
pub fn with_default_platform(project: &Project, service: &Service) -> Service {
    let mut service = service.clone();
    if service.build.is_some()
        && service.platform.is_none()
        && let Some(platform) = project.variable("DOCKER_DEFAULT_PLATFORM").filter(|platform| !platform.is_empty())
    {
        service.platform = Some(platform.to_owned());
    }
    service
}

/// Stands for a container in the text until it is cut there; private characters, which no name has.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

fn parts(service: &Service, flavour: Flavour) -> Vec<HashPart> {
    let mark = |name: &str| format!("{OPEN}{name}{CLOSE}");
    let mut known: Vec<&str> = Vec::new();
    let mut marked = service.clone();
    for mode in [&mut marked.network_mode, &mut marked.ipc, &mut marked.pid] {
        if let Some(name) = mode.as_deref().and_then(|mode| mode.strip_prefix("service:")) {
            *mode = Some(format!("container:{}", mark(name)));
        }
    }
    for source in &mut marked.volumes_from {
        let mut spec = source.split(':');
        *source = match (spec.next(), spec.next()) {
            (Some("container"), Some(name)) => name.to_owned(),
            (Some(name), _) => mark(name),
            (None, _) => continue,
        };
    }
    for reference in [&service.network_mode, &service.ipc, &service.pid].into_iter().flatten() {
        known.extend(reference.strip_prefix("service:"));
    }
    known.extend(service.volumes_from.iter().filter_map(|source| source.split(':').next()));

    let text = json::compact(&value(&marked, flavour));
    let mut parts = Vec::new();
    let mut rest = text.as_str();
    let mut done = String::new();
    while let Some((before, after)) = rest.split_once(OPEN) {
        done.push_str(before);
        match after.split_once(CLOSE) {
            Some((name, after)) if known.contains(&name) => {
                parts.push(HashPart::Text(std::mem::take(&mut done)));
                parts.push(HashPart::ContainerOf(ServiceName::from(name)));
                rest = after;
            }
            _ => {
                done.push(OPEN);
                rest = after;
            }
        }
    }
    done.push_str(rest);
    parts.push(HashPart::Text(done));
    parts
}

fn value(service: &Service, flavour: Flavour) -> Value {
    let mut value = serde_json::to_value(service).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        for key in ["build", "pull_policy", "scale", "depends_on", "profiles"] {
            fields.shift_remove(key);
        }
        if let Some(Value::Object(deploy)) = fields.get_mut("deploy") {
            deploy.shift_remove("replicas");
        }
        if flavour == Flavour::Five
            && let Some(Value::Array(mounts)) = fields.get_mut("volumes")
        {
            for (mount, model) in mounts.iter_mut().zip(&service.volumes) {
                as_five_writes(mount, model);
            }
        }
    }
    value
}

/// docker compose 5 takes `create_host_path` for true unless it is false, and writes only that; modes are octal texts.
fn as_five_writes(mount: &mut Value, model: &Mount) {
    if let (Some(Value::Object(tmpfs)), Some(mode)) =
        (mount.get_mut("tmpfs"), model.tmpfs.as_ref().and_then(|tmpfs| tmpfs.mode))
    {
        tmpfs.insert("mode".to_owned(), Value::String(format!("0{mode:o}")));
    }
    let Some(Value::Object(bind)) = mount.get_mut("bind") else { return };
    bind.shift_remove("create_host_path");
    if model.bind.as_ref().and_then(|bind| bind.create_host_path_given) == Some(false) {
        bind.insert("create_host_path".to_owned(), Value::Bool(false));
    }
}

fn digest(text: &str) -> String {
    let mut out = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_to_services_are_filled_in_later() {
        let service = Service {
            image: Some("x".to_owned()),
            network_mode: Some("service:a".to_owned()),
            volumes_from: vec!["b:ro".to_owned(), "container:c".to_owned()],
            ..Service::default()
        };
        assert_eq!(
            service_parts(&service),
            [
                HashPart::Text(
                    r#"{"command":null,"entrypoint":null,"image":"x","network_mode":"container:"#.to_owned()
                ),
                HashPart::ContainerOf(ServiceName::from("a")),
                HashPart::Text(r#"","volumes_from":[""#.to_owned()),
                HashPart::ContainerOf(ServiceName::from("b")),
                HashPart::Text(r#"","c"]}"#.to_owned()),
            ]
        );
    }

    #[test]
    fn networks_and_volumes_are_hashed_with_their_defaults() {
        let back = Network { name: "p_back".to_owned(), ..Network::default() };
        assert_eq!(network(&back), digest(r#"{"name":"p_back","ipam":{}}"#));
        let data = Volume { name: "p_data".to_owned(), ..Volume::default() };
        assert_eq!(volume(&data), digest(r#"{"name":"p_data","driver":"local"}"#));
    }
}
