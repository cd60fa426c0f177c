//! The host's part of an inspected container, turned back into the terms of a wanted one.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::resource::{
    BlkioDevice, CdiOrGpuRequest, Device, HostSpec, LogConfig, Mount, MountKind, PortBinding, RestartPolicy, Texts,
    Ulimit,
};
use crate::runtime::docker::found::{FoundBinding, nullable};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct HostConfig {
    #[serde(deserialize_with = "nullable")]
    binds: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    mounts: Vec<FoundMountRequest>,
    #[serde(deserialize_with = "nullable")]
    tmpfs: Texts,
    #[serde(deserialize_with = "nullable")]
    volumes_from: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    port_bindings: BTreeMap<String, Option<Vec<FoundBinding>>>,
    pub(super) network_mode: String,
    ipc_mode: String,
    pid_mode: String,
    #[serde(rename = "UTSMode")]
    uts_mode: String,
    userns_mode: String,
    cgroupns_mode: String,
    cgroup_parent: String,
    #[serde(deserialize_with = "nullable")]
    restart_policy: FoundPolicy,
    auto_remove: bool,
    #[serde(deserialize_with = "nullable")]
    console_size: Vec<u16>,
    privileged: bool,
    readonly_rootfs: bool,
    init: Option<bool>,
    #[serde(deserialize_with = "nullable")]
    cap_add: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    cap_drop: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    group_add: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    security_opt: Vec<String>,
    masked_paths: Option<Vec<String>>,
    readonly_paths: Option<Vec<String>>,
    #[serde(deserialize_with = "nullable")]
    dns: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    dns_options: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    dns_search: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    extra_hosts: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    links: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    annotations: Texts,
    log_config: Option<FoundLog>,
    #[serde(deserialize_with = "nullable")]
    sysctls: Texts,
    #[serde(deserialize_with = "nullable")]
    ulimits: Vec<FoundLimit>,
    #[serde(deserialize_with = "nullable")]
    storage_opt: Texts,
    shm_size: i64,
    runtime: String,
    isolation: String,
    #[serde(deserialize_with = "nullable")]
    devices: Vec<FoundDevice>,
    #[serde(deserialize_with = "nullable")]
    device_cgroup_rules: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    device_requests: Vec<FoundRequest>,
    nano_cpus: i64,
    cpu_shares: i64,
    cpu_period: i64,
    cpu_quota: i64,
    cpu_realtime_period: i64,
    cpu_realtime_runtime: i64,
    cpu_count: i64,
    cpu_percent: i64,
    cpuset_cpus: String,
    memory: i64,
    memory_reservation: i64,
    memory_swap: i64,
    memory_swappiness: Option<i64>,
    oom_kill_disable: Option<bool>,
    oom_score_adj: i64,
    pids_limit: Option<i64>,
    blkio_weight: u16,
    #[serde(deserialize_with = "nullable")]
    blkio_weight_device: Vec<FoundBlkio>,
    #[serde(deserialize_with = "nullable")]
    blkio_device_read_bps: Vec<FoundBlkio>,
    #[serde(rename = "BlkioDeviceReadIOps", deserialize_with = "nullable")]
    blkio_device_read_iops: Vec<FoundBlkio>,
    #[serde(deserialize_with = "nullable")]
    blkio_device_write_bps: Vec<FoundBlkio>,
    #[serde(rename = "BlkioDeviceWriteIOps", deserialize_with = "nullable")]
    blkio_device_write_iops: Vec<FoundBlkio>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundPolicy {
    name: String,
    maximum_retry_count: i64,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundLog {
    r#type: String,
    #[serde(deserialize_with = "nullable")]
    config: Texts,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundLimit {
    name: String,
    soft: i64,
    hard: i64,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundDevice {
    path_on_host: String,
    path_in_container: String,
    cgroup_permissions: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundRequest {
    driver: String,
    count: i64,
    #[serde(rename = "DeviceIDs", deserialize_with = "nullable")]
    device_ids: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    capabilities: Vec<Vec<String>>,
    #[serde(deserialize_with = "nullable")]
    options: Texts,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundBlkio {
    path: String,
    rate: i64,
    weight: i64,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundMountRequest {
    r#type: String,
    source: String,
    target: String,
    read_only: bool,
    consistency: String,
    bind_options: Option<FoundBindOptions>,
    #[serde(deserialize_with = "nullable")]
    volume_options: FoundVolumeOptions,
    #[serde(deserialize_with = "nullable")]
    tmpfs_options: FoundTmpfsOptions,
    #[serde(deserialize_with = "nullable")]
    image_options: FoundImageOptions,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundBindOptions {
    propagation: String,
    non_recursive: bool,
    create_mountpoint: bool,
    read_only_non_recursive: bool,
    read_only_force_recursive: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundVolumeOptions {
    no_copy: bool,
    #[serde(deserialize_with = "nullable")]
    labels: Texts,
    subpath: String,
    driver_config: Option<FoundDriver>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundDriver {
    name: String,
    #[serde(deserialize_with = "nullable")]
    options: Texts,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundTmpfsOptions {
    size_bytes: i64,
    mode: u32,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundImageOptions {
    subpath: String,
}

impl HostConfig {
    pub(super) fn into_spec(self) -> HostSpec {
        let nothing = |list: &Option<Vec<String>>| list.as_ref().is_some_and(Vec::is_empty);
        let unmask_system_paths = !self.privileged && nothing(&self.masked_paths) && nothing(&self.readonly_paths);
        let log_config = self.log_config.map(|log| LogConfig { driver: log.r#type, options: log.config });
        HostSpec {
            binds: self.binds,
            mounts: self.mounts.into_iter().map(FoundMountRequest::into_spec).collect(),
            tmpfs: self.tmpfs,
            volumes_from: self.volumes_from,
            port_bindings: self
                .port_bindings
                .into_iter()
                .map(|(port, places)| {
                    let places = places.unwrap_or_default().into_iter();
                    (
                        port,
                        places
                            .map(|place| PortBinding { host_ip: place.host_ip, host_port: place.host_port })
                            .collect(),
                    )
                })
                .collect(),
            network_mode: text(self.network_mode).filter(|mode| mode != "default"),
            ipc_mode: text(self.ipc_mode).filter(|mode| mode != "private"),
            pid_mode: text(self.pid_mode),
            uts_mode: text(self.uts_mode),
            userns_mode: text(self.userns_mode),
            // The engine always fills it in, one way or the other by the version of the host's control groups.
            cgroupns_mode: text(self.cgroupns_mode).filter(|mode| !matches!(mode.as_str(), "private" | "host")),
            cgroup_parent: text(self.cgroup_parent),
            restart_policy: RestartPolicy {
                // The engine writes `no` for nothing.
                name: text(self.restart_policy.name).filter(|name| name != "no").unwrap_or_default(),
                maximum_retry_count: self.restart_policy.maximum_retry_count,
            },
            auto_remove: self.auto_remove,
            console_size: match self.console_size.as_slice() {
                [rows, columns] if *rows > 0 && *columns > 0 => Some((*rows, *columns)),
                _ => None,
            },
            privileged: self.privileged,
            readonly_rootfs: self.readonly_rootfs,
            init: self.init,
            cap_add: self.cap_add,
            cap_drop: self.cap_drop,
            group_add: self.group_add,
            // Added by the engine to privileged containers.
            security_opt: self
                .security_opt
                .into_iter()
                .filter(|option| !(self.privileged && option == "label=disable"))
                .collect(),
            unmask_system_paths,
            dns: self.dns,
            dns_options: self.dns_options,
            dns_search: self.dns_search,
            extra_hosts: self.extra_hosts,
            links: self.links,
            annotations: self.annotations,
            log_config: log_config.filter(|log| log.driver != "json-file" || !log.options.is_empty()),
            sysctls: self.sysctls,
            ulimits: self
                .ulimits
                .into_iter()
                .map(|limit| Ulimit { name: limit.name, soft: limit.soft, hard: limit.hard })
                .collect(),
            storage_opt: self.storage_opt,
            shm_size: number(self.shm_size).filter(|size| *size != 64 << 20),
            runtime: text(self.runtime).filter(|runtime| runtime != "runc"),
            isolation: text(self.isolation),
            devices: self
                .devices
                .into_iter()
                .map(|device| Device {
                    host_path: device.path_on_host,
                    container_path: device.path_in_container,
                    permissions: device.cgroup_permissions,
                })
                .collect(),
            device_cgroup_rules: self.device_cgroup_rules,
            device_requests: self
                .device_requests
                .into_iter()
                .map(|request| CdiOrGpuRequest {
                    driver: request.driver,
                    count: request.count,
                    device_ids: request.device_ids,
                    capabilities: request.capabilities.into_iter().next().unwrap_or_default(),
                    options: request.options,
                })
                .collect(),
            nano_cpus: number(self.nano_cpus),
            cpu_shares: number(self.cpu_shares),
            cpu_period: number(self.cpu_period),
            cpu_quota: number(self.cpu_quota),
            cpu_rt_period: number(self.cpu_realtime_period),
            cpu_rt_runtime: number(self.cpu_realtime_runtime),
            cpu_count: number(self.cpu_count),
            cpu_percent: number(self.cpu_percent),
            cpuset_cpus: text(self.cpuset_cpus),
            memory: number(self.memory),
            memory_reservation: number(self.memory_reservation),
            // The engine fills in twice the memory.
            memory_swap: number(self.memory_swap).filter(|swap| *swap != self.memory.saturating_mul(2)),
            memory_swappiness: self.memory_swappiness.filter(|value| *value > 0),
            oom_kill_disable: self.oom_kill_disable.unwrap_or_default(),
            oom_score_adj: number(self.oom_score_adj),
            pids_limit: self.pids_limit.filter(|limit| *limit != 0),
            blkio_weight: (self.blkio_weight != 0).then_some(self.blkio_weight),
            blkio_weight_device: blkio(self.blkio_weight_device),
            blkio_read_bps: blkio(self.blkio_device_read_bps),
            blkio_read_iops: blkio(self.blkio_device_read_iops),
            blkio_write_bps: blkio(self.blkio_device_write_bps),
            blkio_write_iops: blkio(self.blkio_device_write_iops),
        }
    }
}

impl FoundMountRequest {
    fn into_spec(self) -> Mount {
        let kind = match self.r#type.as_str() {
            "bind" => {
                let options = self.bind_options;
                let recursive = options.as_ref().and_then(|options| {
                    let flags = [
                        (options.non_recursive, "disabled"),
                        (options.read_only_non_recursive, "writable"),
                        (options.read_only_force_recursive, "readonly"),
                    ];
                    flags.into_iter().find(|(set, _)| *set).map(|(_, word)| word.to_owned())
                });
                MountKind::Bind {
                    create_mountpoint: options.as_ref().map(|options| options.create_mountpoint),
                    propagation: options.and_then(|options| text(options.propagation)),
                    recursive,
                }
            }
            "volume" => MountKind::Volume {
                labels: self.volume_options.labels,
                no_copy: self.volume_options.no_copy,
                subpath: text(self.volume_options.subpath),
                driver: self.volume_options.driver_config.map(|driver| (driver.name, driver.options)),
            },
            "tmpfs" => MountKind::Tmpfs {
                size: number(self.tmpfs_options.size_bytes),
                mode: (self.tmpfs_options.mode != 0).then_some(self.tmpfs_options.mode),
            },
            "image" => MountKind::Image { subpath: text(self.image_options.subpath) },
            other => MountKind::Other(other.to_owned()),
        };
        Mount {
            kind,
            source: self.source,
            target: self.target,
            read_only: self.read_only,
            consistency: text(self.consistency),
        }
    }
}

fn blkio(devices: Vec<FoundBlkio>) -> Vec<BlkioDevice> {
    let value = |device: &FoundBlkio| if device.weight == 0 { device.rate } else { device.weight };
    devices.into_iter().map(|device| BlkioDevice { value: value(&device), path: device.path }).collect()
}

pub(super) fn text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

pub(super) fn number(value: i64) -> Option<i64> {
    (value != 0).then_some(value)
}
