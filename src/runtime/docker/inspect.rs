//! A container as inspect tells it, and its configuration turned back into the terms of a wanted one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::names::{ContainerId, ContainerName, ImageId, ImageRef, NetworkName};
use crate::resource::{
    BlkioDevice, CdiOrGpuRequest, ContainerDetails, ContainerSpec, ContainerState, Device, Endpoint, Health,
    HealthProbe, Healthcheck, HostSpec, LogConfig, Mount, MountKind, MountedAt, PortBinding, PublishedPort,
    RestartPolicy, Texts, Ulimit,
};
use crate::runtime::docker::found::{FoundMount, health_of_word, nullable};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Inspected {
    id: String,
    name: String,
    image: String,
    restart_count: i64,
    platform: String,
    #[serde(deserialize_with = "nullable")]
    state: State,
    #[serde(deserialize_with = "nullable")]
    mounts: Vec<FoundMount>,
    #[serde(deserialize_with = "nullable")]
    config: Config,
    #[serde(deserialize_with = "nullable")]
    host_config: HostConfig,
    #[serde(deserialize_with = "nullable")]
    network_settings: NetworkSettings,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct State {
    status: String,
    #[serde(rename = "OOMKilled")]
    oom_killed: bool,
    exit_code: i64,
    error: String,
    started_at: String,
    finished_at: String,
    health: Option<FoundHealth>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundHealth {
    status: String,
    #[serde(deserialize_with = "nullable")]
    log: Vec<FoundProbe>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundProbe {
    exit_code: i64,
    output: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Config {
    hostname: String,
    domainname: String,
    user: String,
    attach_stdin: bool,
    #[serde(deserialize_with = "nullable")]
    exposed_ports: BTreeMap<String, IgnoredAny>,
    tty: bool,
    open_stdin: bool,
    stdin_once: bool,
    #[serde(deserialize_with = "nullable")]
    env: Vec<String>,
    cmd: Option<Vec<String>>,
    healthcheck: Option<FoundCheck>,
    image: String,
    working_dir: String,
    entrypoint: Option<Vec<String>>,
    network_disabled: bool,
    mac_address: String,
    #[serde(deserialize_with = "nullable")]
    labels: Texts,
    stop_signal: String,
    stop_timeout: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundCheck {
    #[serde(deserialize_with = "nullable")]
    test: Vec<String>,
    interval: i64,
    timeout: i64,
    start_period: i64,
    start_interval: i64,
    retries: i64,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct NetworkSettings {
    #[serde(deserialize_with = "nullable")]
    ports: BTreeMap<String, Option<Vec<FoundBinding>>>,
    #[serde(deserialize_with = "nullable")]
    networks: BTreeMap<String, Option<FoundEndpoint>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundBinding {
    host_ip: String,
    host_port: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundEndpoint {
    #[serde(rename = "IPAMConfig")]
    ipam_config: Option<FoundAddresses>,
    #[serde(deserialize_with = "nullable")]
    links: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    aliases: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    driver_opts: Texts,
    gw_priority: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FoundAddresses {
    #[serde(rename = "IPv4Address")]
    ipv4_address: String,
    #[serde(rename = "IPv6Address")]
    ipv6_address: String,
    #[serde(rename = "LinkLocalIPs", deserialize_with = "nullable")]
    link_local_ips: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct HostConfig {
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
    network_mode: String,
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

impl Inspected {
    /// Whether it has a terminal.
    pub(super) fn tty(&self) -> bool {
        self.config.tty
    }

    /// It in our words.
    pub(super) fn details(self) -> ContainerDetails {
        let (health, probes) = match self.state.health {
            Some(health) => (
                health_of_word(&health.status),
                health
                    .log
                    .into_iter()
                    .map(|run| HealthProbe { exit_code: run.exit_code, output: run.output })
                    .collect(),
            ),
            None => (Health::None, Vec::new()),
        };
        let mut ports: Vec<PublishedPort> =
            self.network_settings.ports.iter().flat_map(|(port, places)| published(port, places.as_deref())).collect();
        ports.sort();
        let spec =
            spec(&self.id, &self.name, &self.platform, self.config, self.host_config, self.network_settings.networks);
        ContainerDetails {
            id: ContainerId::new(self.id),
            state: ContainerState::parse(&self.state.status),
            health,
            probes,
            exit_code: self.state.exit_code,
            oom_killed: self.state.oom_killed,
            error: self.state.error,
            restart_count: self.restart_count,
            started_at: self.state.started_at,
            finished_at: self.state.finished_at,
            image_id: ImageId::new(self.image),
            ports,
            mounts: self.mounts.into_iter().map(MountedAt::from).collect(),
            spec,
        }
    }
}

fn published(port: &str, places: Option<&[FoundBinding]>) -> Vec<PublishedPort> {
    let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let container_port = number.parse().unwrap_or_default();
    let one = |host_ip: &str, host_port: &str| PublishedPort {
        host_ip: host_ip.to_owned(),
        host_port: host_port.parse().unwrap_or_default(),
        container_port,
        protocol: protocol.to_owned(),
    };
    match places {
        None | Some([]) => vec![one("", "")],
        Some(places) => places.iter().map(|place| one(&place.host_ip, &place.host_port)).collect(),
    }
}

/// What the engine filled in by itself is taken out again where it can be told from what was asked for.
fn spec(
    id: &str,
    name: &str,
    platform: &str,
    config: Config,
    host: HostConfig,
    networks: BTreeMap<String, Option<FoundEndpoint>>,
) -> ContainerSpec {
    let short = id.get(..12).unwrap_or(id);
    let own_network = !host.network_mode.starts_with("container:") && host.network_mode != "host";
    // Modes that are networks to the engine are none to whoever asks for them.
    let is_mode = |name: &str| match host.network_mode.as_str() {
        "host" | "none" => name == host.network_mode,
        "bridge" | "default" | "" => name == "bridge",
        _ => false,
    };
    let endpoints = networks.into_iter().filter(|(name, _)| own_network && !is_mode(name)).map(|(name, endpoint)| {
        (NetworkName::new(name), endpoint.unwrap_or_default().into_spec(short, &config.hostname))
    });
    let mut endpoints: Vec<_> = endpoints.collect();
    // The one that the network mode names comes first, as when it was wanted.
    endpoints.sort_by_key(|(name, _)| name.as_str() != host.network_mode);
    if let Some((_, first)) = endpoints.first_mut() {
        first.mac_address = text(config.mac_address);
    }
    ContainerSpec {
        name: ContainerName::new(name.trim_start_matches('/')),
        image: ImageRef::new(config.image),
        platform: text(platform.to_owned()).filter(|platform| platform.contains('/')),
        command: config.cmd,
        entrypoint: config.entrypoint,
        environment: config.env,
        labels: config.labels,
        hostname: text(config.hostname).filter(|hostname| hostname != short && own_network),
        domainname: text(config.domainname),
        user: text(config.user),
        working_dir: text(config.working_dir),
        tty: config.tty,
        stdin_open: config.open_stdin,
        attach_stdin: config.attach_stdin,
        stdin_once: config.stdin_once,
        stop_signal: text(config.stop_signal),
        stop_timeout: config.stop_timeout,
        healthcheck: config.healthcheck.map(|check| Healthcheck {
            test: check.test,
            interval: check.interval,
            timeout: check.timeout,
            start_period: check.start_period,
            start_interval: check.start_interval,
            retries: check.retries,
        }),
        exposed_ports: config.exposed_ports.into_keys().collect(),
        host: host.into_spec(),
        endpoints: endpoints.into_iter().collect(),
        network_disabled: config.network_disabled,
    }
}

impl FoundEndpoint {
    fn into_spec(self, short_id: &str, hostname: &str) -> Endpoint {
        let addresses = self.ipam_config.unwrap_or_default();
        // Before API 1.45 the engine adds the short id and the host name to the aliases.
        let mut aliases = self.aliases;
        if aliases.last().is_some_and(|alias| alias == hostname) {
            aliases.pop();
        }
        aliases.retain(|alias| alias != short_id);
        Endpoint {
            aliases,
            links: self.links,
            ipv4_address: text(addresses.ipv4_address),
            ipv6_address: text(addresses.ipv6_address),
            link_local_ips: addresses.link_local_ips,
            // What inspect tells is the address in use, asked for or not.
            mac_address: None,
            driver_opts: self.driver_opts,
            gw_priority: number(self.gw_priority),
        }
    }
}

impl HostConfig {
    fn into_spec(self) -> HostSpec {
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

fn text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn number(value: i64) -> Option<i64> {
    (value != 0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(text: &str) -> ContainerDetails {
        serde_json::from_str::<Inspected>(text).unwrap().details()
    }

    #[test]
    fn what_the_engine_filled_in_is_taken_out() {
        let found = details(
            r#"{"Id": "0123456789abcdef", "Name": "/p-a-1", "Image": "sha256:1", "Platform": "linux",
            "Config": {"Hostname": "0123456789ab", "Image": "busybox", "Cmd": ["true"], "Entrypoint": null,
              "ExposedPorts": {"80/tcp": {}}, "Labels": {"a": "b"}, "Env": ["A=1"], "StopTimeout": 3},
            "HostConfig": {"NetworkMode": "p_b", "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
              "ShmSize": 67108864, "IpcMode": "private", "CgroupnsMode": "private", "Runtime": "runc",
              "LogConfig": {"Type": "json-file", "Config": {}}, "Memory": 10, "MemorySwap": 20,
              "MaskedPaths": ["/proc/x"], "PidsLimit": null, "Ulimits": null,
              "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}},
            "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/udp": null},
              "Networks": {"p_a": {"Aliases": ["p-a-1", "0123456789ab"]}, "p_b": {"IPAMConfig": {"IPv4Address": "10.0.0.9"}}}},
            "State": {"Status": "running", "Health": {"Status": "healthy", "Log": [{"ExitCode": 0, "Output": "ok"}]}}}"#,
        );
        let mut wanted = ContainerSpec {
            name: "p-a-1".into(),
            image: "busybox".into(),
            command: Some(vec!["true".to_owned()]),
            environment: vec!["A=1".to_owned()],
            labels: Texts::from([("a".to_owned(), "b".to_owned())]),
            stop_timeout: Some(3),
            exposed_ports: ["80/tcp".to_owned()].into(),
            ..Default::default()
        };
        wanted.host.network_mode = Some("p_b".to_owned());
        wanted.host.memory = Some(10);
        let binding = PortBinding { host_ip: String::new(), host_port: "8080".to_owned() };
        wanted.host.port_bindings.insert("80/tcp".to_owned(), vec![binding]);
        let first = Endpoint { ipv4_address: Some("10.0.0.9".to_owned()), ..Default::default() };
        wanted.endpoints.insert("p_b".into(), first);
        wanted.endpoints.insert("p_a".into(), Endpoint { aliases: vec!["p-a-1".to_owned()], ..Default::default() });
        assert_eq!(found.spec, wanted);
        assert_eq!(found.spec.endpoints.first().map(|(name, _)| name.as_str()), Some("p_b"));
        assert_eq!((found.state, found.health), (ContainerState::Running, Health::Healthy));
        assert_eq!(found.ports.len(), 2);
    }

    #[test]
    fn an_empty_answer_does_no_harm() {
        assert_eq!(details("{}").state, ContainerState::Dead);
    }
}
