//! The config hash with late values, and which fields of a configuration changed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::labels;
use crate::planner::plan::FieldChange;
use crate::resource::Container;
use crate::spec::hash;
use crate::spec::model::{Project, Service};

/// Most bytes the label may take: every event of the engine repeats all labels.
const LABEL_LIMIT: usize = 4096;
/// Hex digits of a field's digest.
const DIGEST_LENGTH: usize = 8;

/// The service as it is hashed: DOCKER_DEFAULT_PLATFORM is the platform of what is built and has none.
pub(super) fn hashed<'a>(project: &Project, service: &'a Service) -> Cow<'a, Service> {
    if service.build.is_some() && service.platform.is_none() && project.variable("DOCKER_DEFAULT_PLATFORM").is_some() {
        Cow::Owned(hash::with_default_platform(project, service))
    } else {
        Cow::Borrowed(service)
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String can not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The label that tells later which fields changed: a salt, then `path=digest` pairs. Fields that have no room are
/// left out; a change of those is then told as a change of the whole.
pub(super) fn label(service: &Service, container_name: &str) -> String {
    let flat = flatten(service);
    let salt = &hex(&Sha256::digest(format!("{container_name}\0{}", flat.len()).as_bytes()))[..DIGEST_LENGTH];
    let mut label = salt.to_owned();
    for (path, value) in &flat {
        let entry = format!(";{path}={}", short(salt, value));
        if path.contains([';', ',', '=']) || label.len() + entry.len() > LABEL_LIMIT {
            continue;
        }
        label.push_str(&entry);
    }
    label
}

fn short(salt: &str, value: &str) -> String {
    let mut digest = hex(&Sha256::digest(format!("{salt}\0{value}").as_bytes()));
    digest.truncate(DIGEST_LENGTH);
    digest
}

/// Which fields differ from those that a container was made from, as far as its label tells. Values are left out:
/// they may be secrets.
pub(super) fn changed(project: &Project, service: &Service, container: &Container) -> Vec<FieldChange> {
    let Some((salt, known)) = container.label(labels::FIELDS).and_then(|label| label.split_once(';')) else {
        return Vec::new();
    };
    let mut known: BTreeMap<&str, &str> = known.split(';').filter_map(|entry| entry.rsplit_once('=')).collect();
    let mut changes = Vec::new();
    for (path, value) in flatten(service) {
        let before = known.remove(path.as_str());
        if before.is_none_or(|before| before != short(salt, &value)) && !path.contains([';', ',', '=']) {
            let steps: Vec<&str> = ["services", service.name.as_str()].into_iter().chain(path.split('.')).collect();
            changes.push(FieldChange { place: project.place(&steps), from: None, to: None, path });
        }
    }
    changes.extend(known.into_keys().map(|path| FieldChange {
        path: path.to_owned(),
        from: None,
        to: None,
        place: None,
    }));
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

/// The hashed part of a service as paths and texts: two levels deep, which is where people think in names
/// (`environment.LOG_LEVEL`, `image`), lists as a whole.
fn flatten(service: &Service) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    let text: String = hash::service_parts(service)
        .iter()
        .map(|part| match part {
            hash::HashPart::Text(text) => text.clone(),
            hash::HashPart::ContainerOf(name) => format!("service {name}"),
        })
        .collect();
    let Ok(serde_json::Value::Object(attributes)) = serde_json::from_str(&text) else { return flat };
    for (key, value) in attributes {
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::Object(inner) => {
                flat.extend(inner.into_iter().map(|(name, value)| (format!("{key}.{name}"), value.to_string())));
            }
            other => {
                flat.insert(key, other.to_string());
            }
        }
    }
    flat
}
