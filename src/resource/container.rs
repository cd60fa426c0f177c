//! Containers, wanted and found.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::labels;
use crate::names::{ContainerId, ContainerName, ImageId, ImageRef, NetworkId, NetworkName};
use crate::resource::Texts;

/// A container that is wanted, in the engine's own terms: nothing in it needs to know of Compose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// Its name.
    pub name: ContainerName,
    /// The image it is made from.
    pub image: ImageRef,
    /// `os/arch`, when a platform was asked for.
    pub platform: Option<String>,
    /// Instead of the image's command; an empty list clears it.
    pub command: Option<Vec<String>>,
    /// Instead of the image's entrypoint; an empty list clears it.
    pub entrypoint: Option<Vec<String>>,
    /// `K=V`, or `K` to take a variable of the image away.
    pub environment: Vec<String>,
    /// All labels, compose's included.
    pub labels: Texts,
    /// Host name.
    pub hostname: Option<String>,
    /// NIS domain.
    pub domainname: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Working directory.
    pub working_dir: Option<String>,
    /// A terminal.
    pub tty: bool,
    /// Standard input stays open.
    pub stdin_open: bool,
    /// Standard input is attached (one-offs).
    pub attach_stdin: bool,
    /// Standard input closes after the first client (one-offs).
    pub stdin_once: bool,
    /// The stop signal.
    pub stop_signal: Option<String>,
    /// Whole seconds between stop signal and kill.
    pub stop_timeout: Option<i64>,
    /// How its health is known; `None` leaves it to the image.
    pub healthcheck: Option<Healthcheck>,
    /// `80/tcp`.
    pub exposed_ports: BTreeSet<String>,
    /// What of the host it gets.
    pub host: HostSpec,
    /// Networks it is connected to, the one for `host.network_mode` first.
    pub endpoints: IndexMap<NetworkName, Endpoint>,
    /// No network at all, not even loopback's neighbour (`network_mode: disabled`).
    pub network_disabled: bool,
}

/// A healthcheck in the engine's terms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Healthcheck {
    /// `CMD`, `CMD-SHELL` or `NONE` and the rest; empty inherits the image's.
    pub test: Vec<String>,
    /// Nanoseconds; 0 inherits.
    pub interval: i64,
    /// Nanoseconds; 0 inherits.
    pub timeout: i64,
    /// Nanoseconds; 0 inherits.
    pub start_period: i64,
    /// Nanoseconds; 0 inherits.
    pub start_interval: i64,
    /// 0 inherits.
    pub retries: i64,
}

/// What of the host a container gets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostSpec {
    /// `src:dst:rw`.
    pub binds: Vec<String>,
    /// Mounts that binds cannot say.
    pub mounts: Vec<Mount>,
    /// Path to options.
    pub tmpfs: Texts,
    /// Container ids or names, with mode where there is one.
    pub volumes_from: Vec<String>,
    /// `80/tcp` to where it is published.
    pub port_bindings: BTreeMap<String, Vec<PortBinding>>,
    /// `host`, `none`, a network's name, `container:<id>`.
    pub network_mode: Option<String>,
    /// IPC namespace.
    pub ipc_mode: Option<String>,
    /// PID namespace.
    pub pid_mode: Option<String>,
    /// UTS namespace.
    pub uts_mode: Option<String>,
    /// User namespace.
    pub userns_mode: Option<String>,
    /// Control group namespace.
    pub cgroupns_mode: Option<String>,
    /// Parent control group.
    pub cgroup_parent: Option<String>,
    /// When it starts again by itself.
    pub restart_policy: RestartPolicy,
    /// Removed by the engine when it ends (one-offs).
    pub auto_remove: bool,
    /// Rows and columns of its terminal when it starts; `None` leaves it to the engine.
    pub console_size: Option<(u16, u16)>,
    /// All rights.
    pub privileged: bool,
    /// Root file system not writable.
    pub readonly_rootfs: bool,
    /// An init process.
    pub init: Option<bool>,
    /// Capabilities added.
    pub cap_add: Vec<String>,
    /// Capabilities dropped.
    pub cap_drop: Vec<String>,
    /// Further groups.
    pub group_add: Vec<String>,
    /// Security options.
    pub security_opt: Vec<String>,
    /// `systempaths=unconfined`: nothing under /proc and /sys is hidden.
    pub unmask_system_paths: bool,
    /// DNS servers.
    pub dns: Vec<String>,
    /// Resolver options.
    pub dns_options: Vec<String>,
    /// Search domains.
    pub dns_search: Vec<String>,
    /// `host:ip`.
    pub extra_hosts: Vec<String>,
    /// `container:alias`.
    pub links: Vec<String>,
    /// OCI annotations.
    pub annotations: Texts,
    /// Log driver.
    pub log_config: Option<LogConfig>,
    /// Kernel parameters.
    pub sysctls: Texts,
    /// Process limits.
    pub ulimits: Vec<Ulimit>,
    /// For the storage driver.
    pub storage_opt: Texts,
    /// Size of /dev/shm in bytes.
    pub shm_size: Option<i64>,
    /// OCI runtime.
    pub runtime: Option<String>,
    /// Windows isolation.
    pub isolation: Option<String>,
    /// Devices.
    pub devices: Vec<Device>,
    /// Device control group rules.
    pub device_cgroup_rules: Vec<String>,
    /// GPUs and CDI devices.
    pub device_requests: Vec<CdiOrGpuRequest>,
    /// Billionths of a processor.
    pub nano_cpus: Option<i64>,
    /// Relative weight.
    pub cpu_shares: Option<i64>,
    /// Microseconds.
    pub cpu_period: Option<i64>,
    /// Microseconds.
    pub cpu_quota: Option<i64>,
    /// Microseconds.
    pub cpu_rt_period: Option<i64>,
    /// Microseconds.
    pub cpu_rt_runtime: Option<i64>,
    /// Windows.
    pub cpu_count: Option<i64>,
    /// Windows, hundredths of a percent.
    pub cpu_percent: Option<i64>,
    /// Which processors.
    pub cpuset_cpus: Option<String>,
    /// Bytes.
    pub memory: Option<i64>,
    /// Bytes.
    pub memory_reservation: Option<i64>,
    /// Bytes, memory and swap.
    pub memory_swap: Option<i64>,
    /// 0 to 100.
    pub memory_swappiness: Option<i64>,
    /// Not killed when memory is short.
    pub oom_kill_disable: bool,
    /// How readily it is killed.
    pub oom_score_adj: Option<i64>,
    /// Processes at most.
    pub pids_limit: Option<i64>,
    /// Relative weight of block IO.
    pub blkio_weight: Option<u16>,
    /// Weights by device.
    pub blkio_weight_device: Vec<BlkioDevice>,
    /// Bytes read per second.
    pub blkio_read_bps: Vec<BlkioDevice>,
    /// Reads per second.
    pub blkio_read_iops: Vec<BlkioDevice>,
    /// Bytes written per second.
    pub blkio_write_bps: Vec<BlkioDevice>,
    /// Writes per second.
    pub blkio_write_iops: Vec<BlkioDevice>,
}

/// A device with a weight or rate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlkioDevice {
    /// The device.
    pub path: String,
    /// Weight or rate.
    pub value: i64,
}

/// Where a container port is published.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortBinding {
    /// Address of the host; empty for all.
    pub host_ip: String,
    /// A port, a range, or empty for one that the engine picks.
    pub host_port: String,
}

/// When a container starts again by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartPolicy {
    /// `no`, `always`, `on-failure`, `unless-stopped`, or empty.
    pub name: String,
    /// For `on-failure`.
    pub maximum_retry_count: i64,
}

/// Log driver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogConfig {
    /// Its name.
    pub driver: String,
    /// For it.
    pub options: Texts,
}

/// A process limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// `nofile`.
    pub name: String,
    /// The limit in force.
    pub soft: i64,
    /// How far the soft one may be raised.
    pub hard: i64,
}

/// A device of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Path on the host.
    pub host_path: String,
    /// Path inside.
    pub container_path: String,
    /// `rwm`.
    pub permissions: String,
}

/// Devices by capability (GPUs) or by CDI name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CdiOrGpuRequest {
    /// `nvidia`, `cdi`.
    pub driver: String,
    /// -1 is all.
    pub count: i64,
    /// Which.
    pub device_ids: Vec<String>,
    /// One list of capabilities that must all be there.
    pub capabilities: Vec<String>,
    /// For the driver.
    pub options: Texts,
}

/// A mount that a bind text cannot say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// What is mounted, with its options.
    pub kind: MountKind,
    /// Path, volume name or image; empty for tmpfs and anonymous volumes.
    pub source: String,
    /// Path inside.
    pub target: String,
    /// Not writable.
    pub read_only: bool,
    /// Without effect on Linux.
    pub consistency: Option<String>,
}

/// Kinds of mounts with their options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MountKind {
    /// A path of the host.
    Bind {
        /// Mount propagation.
        propagation: Option<String>,
        /// The engine creates a missing source; `None` sends no bind options at all.
        create_mountpoint: Option<bool>,
        /// `disabled`, `writable`, `readonly`.
        recursive: Option<String>,
    },
    /// A volume.
    Volume {
        /// Labels of an anonymous one.
        labels: Texts,
        /// Do not copy the image's content into it.
        no_copy: bool,
        /// Directory inside it.
        subpath: Option<String>,
        /// Driver and options for one that the engine makes.
        driver: Option<(String, Texts)>,
    },
    /// Memory.
    Tmpfs {
        /// Bytes.
        size: Option<i64>,
        /// Permission bits.
        mode: Option<u32>,
    },
    /// An image's file system.
    Image {
        /// Directory inside it.
        subpath: Option<String>,
    },
    /// Something only some engines know: `npipe`, `cluster`.
    Other(String),
}

/// How a container takes part in a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Names it is found by.
    pub aliases: Vec<String>,
    /// `container:alias`.
    pub links: Vec<String>,
    /// Fixed address.
    pub ipv4_address: Option<String>,
    /// Fixed address.
    pub ipv6_address: Option<String>,
    /// Link-local addresses.
    pub link_local_ips: Vec<String>,
    /// Fixed hardware address.
    pub mac_address: Option<String>,
    /// For the driver.
    pub driver_opts: Texts,
    /// Which network gives the default gateway.
    pub gw_priority: Option<i64>,
}

/// A file that is put into a container before it starts.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUpload {
    /// Absolute path inside.
    pub path: String,
    /// Content; may be a secret and is never printed.
    #[serde(skip)]
    pub content: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
    /// Owner and group; `None` leaves root.
    pub owner: Option<(u64, u64)>,
}

impl std::fmt::Debug for FileUpload {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "FileUpload({}, {} bytes, {:o})", self.path, self.content.len(), self.mode)
    }
}

/// What creating a container gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: ContainerId,
    /// What the engine warns of.
    pub warnings: Vec<String>,
}

/// What a container is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerState {
    /// Made, never started.
    #[default]
    Created,
    /// Running.
    Running,
    /// Paused.
    Paused,
    /// Between two runs of its restart policy.
    Restarting,
    /// Being removed.
    Removing,
    /// Ended.
    Exited,
    /// Could not be removed or killed.
    Dead,
}

impl ContainerState {
    /// The engine's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }
    /// Reads the engine's word; an unknown one counts as dead.
    pub fn parse(word: &str) -> Self {
        match word {
            "created" | "configured" | "initialized" => Self::Created,
            "running" => Self::Running,
            "paused" => Self::Paused,
            "restarting" => Self::Restarting,
            "removing" => Self::Removing,
            "exited" | "stopped" => Self::Exited,
            _ => Self::Dead,
        }
    }
}

/// Health of a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// It has no healthcheck.
    #[default]
    None,
    /// Not known yet.
    Starting,
    /// Healthy.
    Healthy,
    /// Unhealthy.
    Unhealthy,
}

impl Health {
    /// The engine's word; empty without a healthcheck.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// A published or exposed port of a found container.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublishedPort {
    /// Address of the host; empty when only exposed.
    pub host_ip: String,
    /// Port of the host; 0 when only exposed.
    pub host_port: u16,
    /// Port inside.
    pub container_port: u16,
    /// `tcp`, `udp`, `sctp`.
    pub protocol: String,
}

/// A mount of a found container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountedAt {
    /// `bind`, `volume`, `tmpfs`, `image`, …
    pub kind: String,
    /// Name of a volume; else empty.
    pub name: String,
    /// Path on the host.
    pub source: String,
    /// Path inside.
    pub destination: String,
    /// Driver of a volume; else empty.
    pub driver: String,
    /// Writable.
    pub writable: bool,
}

/// A container that was found, as the engine's list tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its id.
    pub id: ContainerId,
    /// Its name.
    pub name: ContainerName,
    /// The image as it was named.
    pub image: String,
    /// Id of the image.
    pub image_id: ImageId,
    /// The command, as the engine shows it.
    pub command: String,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// What it is doing.
    pub state: ContainerState,
    /// The engine's phrase: `Up 3 seconds (healthy)`.
    pub status: String,
    /// Its health, as far as the list tells.
    pub health: Health,
    /// Code of its last end, as far as the list tells.
    pub exit_code: Option<i64>,
    /// Its labels.
    pub labels: Texts,
    /// Its ports.
    pub ports: Vec<PublishedPort>,
    /// Networks it is connected to, by name; ids may be empty while it does not run.
    pub networks: BTreeMap<NetworkName, NetworkId>,
    /// Its mounts.
    pub mounts: Vec<MountedAt>,
    /// Bytes written, when asked for.
    pub size_rw: Option<i64>,
}

impl Container {
    /// A label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(String::as_str)
    }
    /// The service it belongs to; empty when it has no such label.
    pub fn service(&self) -> &str {
        self.label(labels::SERVICE).unwrap_or_default()
    }
    /// Number of the replica.
    pub fn number(&self) -> Option<u32> {
        self.label(labels::NUMBER)?.parse().ok()
    }
    /// Whether `run` made it.
    pub fn is_one_off(&self) -> bool {
        self.label(labels::ONE_OFF).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
    /// Whether it runs, paused or not.
    pub fn is_running(&self) -> bool {
        matches!(self.state, ContainerState::Running | ContainerState::Paused | ContainerState::Restarting)
    }
}

/// One run of a healthcheck.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthProbe {
    /// Its exit code.
    pub exit_code: i64,
    /// What it printed.
    pub output: String,
}

/// A container that was inspected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContainerDetails {
    /// Its id.
    pub id: ContainerId,
    /// What it is doing.
    pub state: ContainerState,
    /// Its health.
    pub health: Health,
    /// The last runs of its healthcheck, newest last.
    pub probes: Vec<HealthProbe>,
    /// Code of its last end; meaningful when it ended.
    pub exit_code: i64,
    /// Whether the kernel killed it for want of memory.
    pub oom_killed: bool,
    /// Why it could not start, in the engine's words.
    pub error: String,
    /// How often its policy restarted it.
    pub restart_count: i64,
    /// RFC 3339; the engine's zero time when it never started.
    pub started_at: String,
    /// RFC 3339; the engine's zero time when it never ended.
    pub finished_at: String,
    /// Id of its image.
    pub image_id: ImageId,
    /// Ports, as far as it runs.
    pub ports: Vec<PublishedPort>,
    /// Mounts.
    pub mounts: Vec<MountedAt>,
    /// Its configuration in the terms of a wanted one, so that the two can be compared field by field.
    pub spec: ContainerSpec,
}
