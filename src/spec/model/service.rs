//! One entry under `services:`.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::names::{NetworkKey, ServiceName};
use crate::spec::model::{
    Build, ByteSize, Deploy, DeviceRequest, Extensions, FileReference, GoDuration, Mount, OptionalTexts, Port,
    ServiceNetwork, Texts,
};

/// A service: what its containers are made from and how they run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Service {
    /// Its key.
    #[serde(skip)]
    pub name: ServiceName,
    /// Active when one of these is; always when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// OCI annotations.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub annotations: Texts,
    /// Whether an attached `up` streams it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attach: Option<bool>,
    /// How its image is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// What `watch` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub develop: Option<Develop>,
    /// Block IO limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blkio_config: Option<BlkioConfig>,
    /// Capabilities added.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_add: Vec<String>,
    /// Capabilities dropped.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cap_drop: Vec<String>,
    /// Parent control group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup_parent: Option<String>,
    /// `host` or `private` namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<String>,
    /// Windows only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_count: Option<i64>,
    /// Windows only.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::spec::model::scalar::short_float")]
    pub cpu_percent: Option<f32>,
    /// CFS period, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_period: Option<i64>,
    /// CFS quota, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<i64>,
    /// Real-time period, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_rt_period: Option<i64>,
    /// Real-time runtime, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_rt_runtime: Option<i64>,
    /// Processors.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::spec::model::scalar::short_float")]
    pub cpus: Option<f32>,
    /// Which processors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpuset: Option<String>,
    /// Relative weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_shares: Option<i64>,
    /// Instead of the image's; an empty list clears it.
    pub command: Option<Vec<String>>,
    /// Configs it sees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configs: Vec<FileReference>,
    /// Instead of `<project>-<service>-<number>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    /// Windows only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_spec: Option<CredentialSpec>,
    /// What must be there before it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub depends_on: BTreeMap<ServiceName, Dependency>,
    /// Replicas and resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deploy: Option<Deploy>,
    /// Device control group rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_cgroup_rules: Vec<String>,
    /// Devices of the host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceMapping>,
    /// DNS servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<String>,
    /// Resolver options.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_opt: Vec<String>,
    /// Search domains.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_search: Vec<String>,
    /// NIS domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domainname: Option<String>,
    /// Instead of the image's; an empty list clears it.
    pub entrypoint: Option<Vec<String>>,
    /// An external program stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// Variables; those of `env_file` are already in it once it is resolved.
    #[serde(skip_serializing_if = "OptionalTexts::is_empty")]
    pub environment: OptionalTexts,
    /// Files of variables; emptied once they are read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env_file: Vec<EnvFile>,
    /// Ports for other containers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expose: Vec<String>,
    /// Containers outside the project.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub external_links: Vec<String>,
    /// Host names with their addresses.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "host_list")]
    pub extra_hosts: BTreeMap<String, Vec<String>>,
    /// Further groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group_add: Vec<String>,
    /// GPUs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<DeviceRequest>,
    /// Host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// How its health is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Its image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// An init process as PID 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
    /// IPC namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipc: Option<String>,
    /// Windows only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<String>,
    /// Labels of its containers.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub labels: Texts,
    /// Files of labels, absolute; part of the hash.
    #[serde(rename = "label_file", skip_serializing_if = "Vec::is_empty")]
    pub label_files: Vec<String>,
    /// Old-style links.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Log driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,
    /// Memory at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mem_limit: Option<ByteSize>,
    /// Memory at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mem_reservation: Option<ByteSize>,
    /// Memory and swap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memswap_limit: Option<ByteSize>,
    /// 0 to 100; printed as text.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub mem_swappiness: Option<i64>,
    /// Hardware address in its first network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<String>,
    /// Models it uses.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, Option<ServiceModel>>,
    /// `host`, `none`, `service:x`, `container:x`, `bridge`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_mode: Option<String>,
    /// Networks it takes part in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub networks: BTreeMap<NetworkKey, Option<ServiceNetwork>>,
    /// Not killed when memory is short.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub oom_kill_disable: bool,
    /// How readily it is killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_score_adj: Option<i64>,
    /// PID namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<String>,
    /// Processes at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids_limit: Option<i64>,
    /// `os/arch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Published ports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    /// All rights.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub privileged: bool,
    /// When its image is pulled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_policy: Option<String>,
    /// Root file system not writable.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// When it starts again by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
    /// OCI runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    /// How many containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<i64>,
    /// Secrets it sees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<FileReference>,
    /// Security options.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub security_opt: Vec<String>,
    /// Size of /dev/shm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<ByteSize>,
    /// Standard input stays open.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stdin_open: bool,
    /// Time between the stop signal and the kill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_grace_period: Option<GoDuration>,
    /// The stop signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// For the storage driver.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub storage_opt: Texts,
    /// Kernel parameters.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub sysctls: Texts,
    /// Paths, with options after a colon.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tmpfs: Vec<String>,
    /// A terminal.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tty: bool,
    /// Process limits.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ulimits: BTreeMap<String, Ulimit>,
    /// The engine's socket inside.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub use_api_socket: bool,
    /// User.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// User namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userns_mode: Option<String>,
    /// UTS namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uts: Option<String>,
    /// Mounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Mount>,
    /// Mounts of other containers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes_from: Vec<String>,
    /// Working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Before the first replica starts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pre_start: Vec<Hook>,
    /// After each start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_start: Vec<Hook>,
    /// Before each stop.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pre_stop: Vec<Hook>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

fn as_text<S: Serializer>(number: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => serializer.collect_str(number),
        None => serializer.serialize_none(),
    }
}

pub(super) fn host_list<S: Serializer>(
    hosts: &BTreeMap<String, Vec<String>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(hosts.iter().flat_map(|(host, ips)| ips.iter().map(move |ip| format!("{host}={ip}"))))
}

/// What a dependent waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum DependencyCondition {
    /// Its containers were started.
    #[default]
    #[serde(rename = "service_started")]
    Started,
    /// All its containers are healthy.
    #[serde(rename = "service_healthy")]
    Healthy,
    /// It ran to its end with exit code 0.
    #[serde(rename = "service_completed_successfully")]
    CompletedSuccessfully,
}

impl DependencyCondition {
    /// As it is written in files and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "service_started",
            Self::Healthy => "service_healthy",
            Self::CompletedSuccessfully => "service_completed_successfully",
        }
    }
}

/// A limit for processes: one number, or soft and hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ulimit {
    /// Soft and hard are equal.
    Single(i64),
    /// They differ.
    Pair {
        /// The limit in force.
        soft: i64,
        /// How far the soft one may be raised.
        hard: i64,
    },
}

impl Serialize for Ulimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Single(limit) => serializer.serialize_i64(limit),
            Self::Pair { soft, hard } => {
                use serde::ser::SerializeStruct;
                let mut pair = serializer.serialize_struct("Ulimit", 2)?;
                pair.serialize_field("soft", &soft)?;
                pair.serialize_field("hard", &hard)?;
                pair.end()
            }
        }
    }
}

/// An entry of `depends_on`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Dependency {
    /// What is waited for.
    pub condition: DependencyCondition,
    /// Restarted when the dependency is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub restart: bool,
    /// Whether its failure is ours.
    pub required: bool,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// An entry of `env_file`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnvFile {
    /// Absolute path.
    pub path: String,
    /// Whether it must exist.
    pub required: bool,
    /// `raw`, or the format of `.env`. docker compose does not print it.
    pub format: Option<String>,
}

impl Serialize for EnvFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.required {
            return serializer.serialize_str(&self.path);
        }
        use serde::ser::SerializeStruct;
        let mut long = serializer.serialize_struct("EnvFile", 2)?;
        long.serialize_field("path", &self.path)?;
        long.serialize_field("required", &false)?;
        long.end()
    }
}

/// How health is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Healthcheck {
    /// `CMD`, `CMD-SHELL` or `NONE` and the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Vec<String>>,
    /// How long one check may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<GoDuration>,
    /// Time between checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<GoDuration>,
    /// Failures in a row that mean unhealthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<i64>,
    /// Failures do not count so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_period: Option<GoDuration>,
    /// Interval during the start period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_interval: Option<GoDuration>,
    /// No healthcheck, not even the image's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable: bool,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// Log driver.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Logging {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// For the driver.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub options: Texts,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// A command at a moment of a container's life.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Hook {
    /// What is run.
    pub command: Option<Vec<String>>,
    /// Image of a `pre_start` step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// As whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// With all rights.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub privileged: bool,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Variables.
    #[serde(skip_serializing_if = "OptionalTexts::is_empty")]
    pub environment: OptionalTexts,
    /// For each replica.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_replica: Option<bool>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// An external program that stands for a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Provider {
    /// Its type: the program's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// Options for it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, Vec<String>>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// How a service is told of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ServiceModel {
    /// Variable for the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_var: Option<String>,
    /// Variable for the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_var: Option<String>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// Windows credentials.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CredentialSpec {
    /// From a config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// From a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// From the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// A device of the host.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DeviceMapping {
    /// Path on the host, or a CDI name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Path inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// `rwm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<String>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// Block IO limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BlkioConfig {
    /// Relative weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u16>,
    /// Weights by device.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weight_device: Vec<WeightDevice>,
    /// Bytes read per second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_read_bps: Vec<ThrottleDevice>,
    /// Reads per second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_read_iops: Vec<ThrottleDevice>,
    /// Bytes written per second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_write_bps: Vec<ThrottleDevice>,
    /// Writes per second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_write_iops: Vec<ThrottleDevice>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// A weight for one device.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WeightDevice {
    /// The device.
    #[serde(rename = "Path")]
    pub path: String,
    /// Its weight.
    #[serde(rename = "Weight")]
    pub weight: u16,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// A rate for one device.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ThrottleDevice {
    /// The device.
    #[serde(rename = "Path")]
    pub path: String,
    /// The rate.
    #[serde(rename = "Rate")]
    pub rate: ByteSize,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// What `watch` does.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Develop {
    /// Rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watch: Vec<WatchRule>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// What a change of files leads to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WatchRule {
    /// Absolute path that is watched.
    pub path: String,
    /// `sync`, `rebuild`, `restart`, `sync+restart`, `sync+exec`.
    pub action: String,
    /// Where files go inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Command of `sync+exec`.
    pub exec: Hook,
    /// Only these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Not these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Copy everything at the start.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub initial_sync: bool,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}
