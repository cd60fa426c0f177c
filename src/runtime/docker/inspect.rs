//! A container as inspect tells it, and its configuration turned back into the terms of a wanted one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::names::{ContainerId, ContainerName, ImageId, ImageRef, NetworkName};
use crate::resource::{
    ContainerDetails, ContainerSpec, ContainerState, Endpoint, Health, HealthProbe, Healthcheck, MountedAt,
    PublishedPort, Texts,
};
use crate::runtime::docker::found::{FoundBinding, FoundMount, health_of_word, nullable};
use crate::runtime::docker::inspect_host::{HostConfig, number, text};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::PortBinding;

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
