//! Containers as the engine's list tells them: read by hand, because one unknown word must not spoil a whole list.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::names::{ContainerId, ContainerName, ImageId, NetworkId, NetworkName};
use crate::resource::{Container, ContainerState, Health, MountedAt, PublishedPort, Texts};

/// `null` counts as absent.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(input: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(input)?.unwrap_or_default())
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Summary {
    id: String,
    #[serde(deserialize_with = "nullable")]
    names: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    image: String,
    #[serde(rename = "ImageID", deserialize_with = "nullable")]
    image_id: String,
    #[serde(deserialize_with = "nullable")]
    command: String,
    created: i64,
    #[serde(deserialize_with = "nullable")]
    ports: Vec<Port>,
    size_rw: Option<i64>,
    #[serde(deserialize_with = "nullable")]
    labels: Texts,
    #[serde(deserialize_with = "nullable")]
    state: String,
    #[serde(deserialize_with = "nullable")]
    status: String,
    health: Option<SummaryHealth>,
    #[serde(deserialize_with = "nullable")]
    network_settings: SummaryNetworks,
    #[serde(deserialize_with = "nullable")]
    mounts: Vec<FoundMount>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Port {
    #[serde(rename = "IP")]
    ip: String,
    private_port: u16,
    public_port: u16,
    r#type: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct SummaryHealth {
    status: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct SummaryNetworks {
    #[serde(deserialize_with = "nullable")]
    networks: BTreeMap<String, Option<SummaryNetwork>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SummaryNetwork {
    #[serde(rename = "NetworkID")]
    network_id: String,
}

/// A mount point, in lists and in inspect answers.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct FoundMount {
    r#type: String,
    name: String,
    source: String,
    destination: String,
    driver: String,
    #[serde(rename = "RW")]
    rw: bool,
}

/// Where a port is published, wanted or found.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct FoundBinding {
    pub(super) host_ip: String,
    pub(super) host_port: String,
}

impl From<FoundMount> for MountedAt {
    fn from(mount: FoundMount) -> Self {
        let FoundMount { r#type, name, source, destination, driver, rw } = mount;
        Self { kind: r#type, name, source, destination, driver, writable: rw }
    }
}

impl From<Summary> for Container {
    fn from(found: Summary) -> Self {
        let health = match &found.health {
            Some(health) if !health.status.is_empty() => health_of_word(&health.status),
            _ => health_of_status(&found.status),
        };
        let name = found.names.iter().find(|name| name.matches('/').count() == 1).or(found.names.first());
        let networks =
            found.network_settings.networks.into_iter().map(|(name, network)| {
                (NetworkName::new(name), NetworkId::new(network.unwrap_or_default().network_id))
            });
        let mut ports: Vec<PublishedPort> = found.ports.into_iter().map(PublishedPort::from).collect();
        ports.sort();
        Self {
            id: ContainerId::new(found.id),
            name: ContainerName::new(name.map_or("", |name| name.trim_start_matches('/'))),
            image: found.image,
            image_id: ImageId::new(found.image_id),
            command: found.command,
            created: found.created,
            state: ContainerState::parse(&found.state),
            exit_code: exit_code_of_status(&found.status),
            status: found.status,
            health,
            labels: found.labels,
            ports,
            networks: networks.collect(),
            mounts: found.mounts.into_iter().map(MountedAt::from).collect(),
            size_rw: found.size_rw,
        }
    }
}

impl From<Port> for PublishedPort {
    fn from(port: Port) -> Self {
        Self { host_ip: port.ip, host_port: port.public_port, container_port: port.private_port, protocol: port.r#type }
    }
}

/// The engine's word for a health.
pub(super) fn health_of_word(word: &str) -> Health {
    match word {
        "starting" => Health::Starting,
        "healthy" => Health::Healthy,
        "unhealthy" => Health::Unhealthy,
        _ => Health::None,
    }
}

/// Health out of `Up 3 seconds (health: starting)`.
fn health_of_status(status: &str) -> Health {
    let inner = status.rsplit_once('(').map_or("", |(_, inner)| inner.trim_end_matches(')'));
    health_of_word(inner.trim_start_matches("health: "))
}

/// The code out of `Exited (137) 2 hours ago` and `Restarting (1) 3 seconds ago`.
fn exit_code_of_status(status: &str) -> Option<i64> {
    let rest = status.strip_prefix("Exited (").or_else(|| status.strip_prefix("Restarting ("))?;
    rest.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_texts() {
        let rows = [
            ("Up 3 seconds", Health::None, None),
            ("Up 3 seconds (healthy)", Health::Healthy, None),
            ("Up 3 seconds (unhealthy)", Health::Unhealthy, None),
            ("Up Less than a second (health: starting)", Health::Starting, None),
            ("Up 2 minutes (Paused)", Health::None, None),
            ("Exited (137) 2 hours ago", Health::None, Some(137)),
            ("Restarting (1) 3 seconds ago", Health::None, Some(1)),
            ("Created", Health::None, None),
            ("", Health::None, None),
        ];
        for (status, health, code) in rows {
            assert_eq!((health_of_status(status), exit_code_of_status(status)), (health, code), "{status}");
        }
    }

    #[test]
    fn a_list_with_gaps_and_news() {
        let text = r#"{"Id": "1", "Names": ["/other/alias", "/a"], "Image": "i", "Command": null, "Created": 5,
            "State": "hibernating", "Status": "Up 1 second", "Labels": null, "Ports": null, "Mounts": null,
            "Health": {"Status": "healthy", "FailingStreak": 0}, "News": [1],
            "NetworkSettings": {"Networks": {"n": {"NetworkID": "7"}, "m": null}}}"#;
        let found = Container::from(serde_json::from_str::<Summary>(text).unwrap());
        assert_eq!(found.name.as_str(), "a");
        assert_eq!((found.state, found.health), (ContainerState::Dead, Health::Healthy));
        assert_eq!(found.networks.len(), 2);
    }
}
