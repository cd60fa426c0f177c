//! The config hash with late values, and which fields of a configuration changed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::labels;
use crate::planner::container::{self, Wanted};
use crate::planner::decide;
use crate::planner::mounts::Inherited;
use crate::planner::plan::FieldChange;
use crate::planner::values::{self, Shown};
use crate::resource::{Container, Snapshot, Texts};
use crate::spec::explain::{self, Fate};
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
pub(super) fn label(project: &Project, service: &Service, container_name: &str) -> String {
    let flat = flatten(service);
    let contents = contents(project, service);
    let salt = &hex(&Sha256::digest(format!("{container_name}\0{}", flat.len()).as_bytes()))[..DIGEST_LENGTH];
    let mut label = salt.to_owned();
    // What the change test needs comes first; the rest only tells what changed.
    for (path, value) in contents.iter().chain(&flat) {
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

/// Which fields differ from those that a container was made from: by its label, else by what was inspected. Old and
/// new values are told where the container was inspected, unless they may be secret.
pub(super) fn changed(
    project: &Project,
    service: &Service,
    container: &Container,
    snapshot: &Snapshot,
    proxies: &Texts,
) -> Vec<FieldChange> {
    let compared = snapshot.details.get(&container.id).and_then(|old| {
        let inherited = Inherited::default();
        let number = container.number().unwrap_or(1);
        let wanted = container::spec(Wanted { project, service, number, image_id: None, proxies, inherited }).ok()?;
        Some(Compared { project, service, old: values::of(&old.spec), new: values::of(&wanted) })
    });
    let (paths, known) = by_label(project, service, container);
    let mut changes: Vec<FieldChange> = match &compared {
        Some(compared) if paths.is_empty() && !known => compared.all(snapshot, container),
        Some(compared) => paths.iter().flat_map(|path| compared.path(path)).collect(),
        None => paths.iter().map(|path| untold(project, service, path)).collect(),
    };
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

/// Whether an inspected container is what is wanted also in what no reason tells of. What can not be known counts as
/// different.
pub(super) fn is_as_wanted(
    project: &Project,
    service: &Service,
    container: &Container,
    snapshot: &Snapshot,
    proxies: &Texts,
) -> bool {
    let Some(old) = snapshot.details.get(&container.id).map(|details| &details.spec) else { return false };
    // Without its image it is not known what the container has from there.
    if !snapshot.images.values().any(|image| image.id == container.image_id) {
        return false;
    }
    let inherited = Inherited { mounts: &container.mounts, image_volumes: &[] };
    let number = container.number().unwrap_or(1);
    let Ok(new) = container::spec(Wanted { project, service, number, image_id: None, proxies, inherited }) else {
        return false;
    };
    let (before, after) = (&old.host, &new.host);
    let same_mounts = after
        .mounts
        .iter()
        .all(|mount| before.mounts.iter().any(|known| known.target == mount.target && known.kind == mount.kind));
    let same_endpoints = new.endpoints.iter().all(|(network, wanted)| {
        old.endpoints.get(network).is_some_and(|found| {
            wanted.ipv4_address == found.ipv4_address
                && wanted.ipv6_address == found.ipv6_address
                && wanted.driver_opts == found.driver_opts
                && wanted.aliases.iter().all(|alias| found.aliases.contains(alias))
        })
    });
    same_mounts
        && same_endpoints
        && before.device_requests == after.device_requests
        && before.devices == after.devices
        && before.device_cgroup_rules == after.device_cgroup_rules
        && before.storage_opt == after.storage_opt
        && before.blkio_weight.unwrap_or(0) == after.blkio_weight.unwrap_or(0)
        && before.blkio_weight_device == after.blkio_weight_device
        && before.blkio_read_bps == after.blkio_read_bps
        && before.blkio_read_iops == after.blkio_read_iops
        && before.blkio_write_bps == after.blkio_write_bps
        && before.blkio_write_iops == after.blkio_write_iops
        && decide::volumes_from(service).next().is_none()
        && decide::shared_with(service).next().is_none()
}

/// The paths that differ by the label, and whether there is one that tells.
fn by_label(project: &Project, service: &Service, container: &Container) -> (BTreeSet<String>, bool) {
    let Some((salt, known)) = container.label(labels::FIELDS).and_then(|label| label.split_once(';')) else {
        return (BTreeSet::new(), false);
    };
    let mut known: BTreeMap<&str, &str> = known.split(';').filter_map(|entry| entry.rsplit_once('=')).collect();
    let mut changed = BTreeSet::new();
    for path in contents_changed(project, service, container) {
        changed.insert(path);
    }
    known.retain(|path, _| !is_content(path));
    for (path, value) in flatten(service) {
        let before = known.remove(path.as_str());
        if before.is_none_or(|before| before != short(salt, &value)) && !path.contains([';', ',', '=']) {
            changed.insert(path);
        }
    }
    changed.extend(known.into_keys().map(str::to_owned));
    (changed, true)
}

/// Whether the content of a config or secret that lies in the files or in a variable is another one than the container
/// was made with. What was never told is taken for unchanged.
pub(super) fn content_changed(project: &Project, service: &Service, container: &Container) -> bool {
    (!service.configs.is_empty() || !service.secrets.is_empty())
        && !contents_changed(project, service, container).is_empty()
}

fn contents_changed(project: &Project, service: &Service, container: &Container) -> Vec<String> {
    let Some((salt, known)) = container.label(labels::FIELDS).and_then(|label| label.split_once(';')) else {
        return Vec::new();
    };
    let known: BTreeMap<&str, &str> = known.split(';').filter_map(|entry| entry.rsplit_once('=')).collect();
    let differs =
        |(path, value): &(String, String)| known.get(path.as_str()).is_some_and(|before| *before != short(salt, value));
    contents(project, service).into_iter().filter(differs).map(|(path, _)| path).collect()
}

fn is_content(path: &str) -> bool {
    (path.starts_with("configs.") || path.starts_with("secrets.")) && path.ends_with(".content")
}

/// Contents that are put into the container, by `configs.app.content`.
fn contents(project: &Project, service: &Service) -> BTreeMap<String, String> {
    let variable = |name: &Option<String>| name.as_deref().and_then(|name| project.variable(name)).map(str::to_owned);
    let configs = service.configs.iter().filter_map(|reference| {
        let config = project.configs.get(&reference.source)?;
        let content = variable(&config.environment).or_else(|| config.content.clone())?;
        Some((format!("configs.{}.content", reference.source), content))
    });
    let secrets = service.secrets.iter().filter_map(|reference| {
        let secret = project.secrets.get(&reference.source)?;
        let content = variable(&secret.environment).or_else(|| secret.content.clone())?;
        Some((format!("secrets.{}.content", reference.source), content))
    });
    configs.chain(secrets).collect()
}

fn untold(project: &Project, service: &Service, path: &str) -> FieldChange {
    FieldChange { place: place(project, service, path), from: None, to: None, path: path.to_owned() }
}

/// The steps of a path below a service; what follows the first dot may be a key with dots.
fn steps<'a>(service: &'a Service, path: &'a str) -> Vec<&'a str> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let base = ["services", service.name.as_str(), head].into_iter();
    match rest {
        Some(rest) if head == "deploy" => base.chain(rest.split('.')).collect(),
        rest => base.chain(rest).collect(),
    }
}

/// `file:line` of the value that wins; nothing when it is not in the files any more.
fn place(project: &Project, service: &Service, path: &str) -> Option<String> {
    if is_content(path) {
        let steps: Vec<&str> = path.trim_end_matches(".content").splitn(2, '.').collect();
        let place = project.sources.place(project.value_span(&steps));
        return place.rsplit_once(':').map(|(line, _)| line.to_owned());
    }
    let steps = steps(service, path);
    let place = if project.node(&steps).is_some() {
        project.sources.place(project.value_span(&steps))
    } else {
        // What comes from a file of variables is no part of the tree.
        let explained = explain::explain(project, &steps.join("."));
        explained.statements.into_iter().rfind(|statement| statement.fate == Fate::Wins)?.place
    };
    let (line, _column) = place.rsplit_once(':')?;
    Some(line.to_owned())
}

/// What a container was made from and what is wanted, side by side.
struct Compared<'a> {
    project: &'a Project,
    service: &'a Service,
    old: BTreeMap<String, Shown>,
    new: BTreeMap<String, Shown>,
}

impl Compared<'_> {
    /// The change of a path that the label names. Of limits it is told which.
    fn path(&self, path: &str) -> Vec<FieldChange> {
        if path == "deploy.resources" {
            let limits = LIMITS.iter().filter(|(key, _)| self.old.get(*key) != self.new.get(*key));
            let told: Vec<FieldChange> = limits.map(|(key, path)| self.change(path, key)).collect();
            if !told.is_empty() {
                return told;
            }
        }
        vec![self.change(path, path)]
    }

    /// All that differs, for containers that no label tells about. What only the container has may come from its image
    /// or engine; it counts where that can be ruled out.
    fn all(&self, snapshot: &Snapshot, container: &Container) -> Vec<FieldChange> {
        let images = snapshot.images.values();
        let image = images.into_iter().find(|image| image.id == container.image_id);
        let from_image = |key: &str| {
            let Some(image) = image else { return true };
            match key.split_once('.') {
                Some(("environment", name)) => {
                    image.environment.iter().any(|variable| variable.split('=').next() == Some(name))
                }
                Some(("labels", name)) => image.labels.contains_key(name),
                _ => true,
            }
        };
        let is_list = |key: &str| matches!(self.old.get(key), Some(Shown::Many(_)));
        let ours = |key: &str| {
            let free = key.starts_with("environment.") || key.starts_with("labels.");
            if free { !from_image(key) } else { is_list(key) && !matches!(key, "expose" | "security_opt") }
        };
        let keys: BTreeSet<&String> = self.old.keys().chain(self.new.keys()).collect();
        let shares = |key: &str| {
            let mode = match key {
                "network_mode" | "networks" => &self.service.network_mode,
                "ipc" => &self.service.ipc,
                "pid" => &self.service.pid,
                _ => return false,
            };
            mode.as_deref().is_some_and(|mode| mode.starts_with("service:"))
        };
        let differs = |key: &&String| {
            let (old, new) = (self.old.get(*key), self.new.get(*key));
            old != new && !shares(key) && (new.is_some() || ours(key)) && key.as_str() != "platform"
        };
        let in_deploy = self
            .service
            .deploy
            .as_ref()
            .is_some_and(|deploy| deploy.resources.limits.is_some() || deploy.resources.reservations.is_some());
        let told = keys.into_iter().filter(differs).map(|key| {
            let limit = LIMITS.iter().find(|(limit, _)| in_deploy && limit == key);
            self.change(limit.map_or(key.as_str(), |(_, path)| path), key)
        });
        told.collect()
    }

    /// A change with its values, as far as they are known and no secret.
    fn change(&self, path: &str, key: &str) -> FieldChange {
        let untold = untold(self.project, self.service, path);
        let (old, new) = (self.old.get(key), self.new.get(key));
        let (from, to) = match (old, new) {
            (None, None) => return untold,
            (Some(Shown::Many(old)), Some(Shown::Many(new))) => {
                (old.difference(new).cloned().collect(), new.difference(old).cloned().collect())
            }
            _ => (all(old), all(new)),
        };
        let steps = steps(self.service, path);
        let hides = |value: &String| explain::is_hidden(self.project, &steps, value);
        if from == to || from.iter().chain(&to).any(hides) {
            return untold;
        }
        FieldChange { from: Some(phrase(from)), to: Some(phrase(to)), ..untold }
    }
}

/// Limits by their old names, and where `deploy` has them.
const LIMITS: [(&str, &str); 4] = [
    ("cpus", "deploy.resources.limits.cpus"),
    ("mem_limit", "deploy.resources.limits.memory"),
    ("mem_reservation", "deploy.resources.reservations.memory"),
    ("pids_limit", "deploy.resources.limits.pids"),
];

fn all(shown: Option<&Shown>) -> Vec<String> {
    match shown {
        None => Vec::new(),
        Some(Shown::One(text)) => vec![text.clone()],
        Some(Shown::Many(texts)) => texts.iter().cloned().collect(),
    }
}

/// Values in one short phrase.
fn phrase(values: Vec<String>) -> String {
    /// A value longer than this is cut.
    const LONGEST: usize = 60;
    let shown = values.into_iter().map(|value| {
        let odd = |c: char| c.is_control() || c.is_whitespace();
        let is_list = value.starts_with('[') && !value.chars().any(char::is_control);
        let text = if value.is_empty() || value.starts_with('(') || (value.contains(odd) && !is_list) {
            format!("{value:?}")
        } else {
            value
        };
        if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST - 1).collect::<String>() + "…" }
    });
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() { "(nothing)".to_owned() } else { shown.join(", ") }
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
