//! `deploy:`

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::spec::model::{ByteSize, Extensions, GoDuration, Texts};

/// How many, with what resources; most of the rest is Swarm's.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Deploy {
    /// `replicated` or `global` (Swarm).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// How many containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i64>,
    /// Labels of the Swarm service; not of containers.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub labels: Texts,
    /// Rolling update (Swarm).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_config: Option<UpdateConfig>,
    /// Rollback (Swarm).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_config: Option<UpdateConfig>,
    /// Limits and reservations.
    pub resources: Resources,
    /// When to start again; wins over `restart`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_policy: Option<RestartPolicy>,
    /// Where to run (Swarm).
    pub placement: Placement,
    /// How the service is found (Swarm).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_mode: Option<String>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// How an update rolls (Swarm).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UpdateConfig {
    /// How many at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<i64>,
    /// Time between groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<GoDuration>,
    /// What a failure leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_action: Option<String>,
    /// How long a task is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitor: Option<GoDuration>,
    /// Failures that are borne.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::spec::model::scalar::short_float")]
    pub max_failure_ratio: Option<f32>,
    /// `start-first` or `stop-first`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// Limits and reservations.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Resources {
    /// At most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<ResourceSpec>,
    /// At least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservations: Option<ResourceSpec>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// Amounts of resources.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ResourceSpec {
    /// Processors.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::spec::model::scalar::short_float")]
    pub cpus: Option<f32>,
    /// Memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<ByteSize>,
    /// Processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<i64>,
    /// Devices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceRequest>,
    /// Swarm's generic resources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub generic_resources: Vec<GenericResource>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// A generic resource (Swarm).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GenericResource {
    /// What.
    pub kind: String,
    /// How many.
    pub value: i64,
}

impl Serialize for GenericResource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Discrete<'a> {
            kind: &'a str,
            value: i64,
        }
        let mut outer = serializer.serialize_struct("GenericResource", 1)?;
        outer.serialize_field("discrete_resource_spec", &Discrete { kind: &self.kind, value: self.value })?;
        outer.end()
    }
}

/// Devices by capability, such as GPUs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DeviceRequest {
    /// What they must be able to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Who provides them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// How many; -1 is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// Which.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_ids: Vec<String>,
    /// For the driver.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub options: Texts,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// When a container starts again.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RestartPolicy {
    /// `none`, `on-failure`, `any`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Swarm only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<GoDuration>,
    /// How often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<i64>,
    /// Swarm only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<GoDuration>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// Where tasks run (Swarm).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Placement {
    /// Must hold for the node.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
    /// How tasks spread.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preferences: Vec<PlacementPreference>,
    /// At most so many on one node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_replicas_per_node: Option<i64>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// How tasks spread (Swarm).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PlacementPreference {
    /// Node label.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub spread: String,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}
