//! What the engine holds after `up` is the same whether docker compose or we made it: every field of every container,
//! network and volume, but for what is listed here.

use std::collections::BTreeMap;

use bollard::query_parameters::{ListContainersOptions, ListNetworksOptions, ListVolumesOptions};
use serde_json::{Map, Value};

use crate::interop::peer;
use crate::scenario::{Scenario, free_port, scenario};

/// What is another one each time, or is filled in by the engine as time goes on.
const CHANCE: &[&str] = &[
    "Id",
    "Created",
    "CreatedAt",
    "State",
    "ResolvConfPath",
    "HostnamePath",
    "HostsPath",
    "LogPath",
    "GraphDriver",
    "NetworkID",
    "EndpointID",
    "SandboxID",
    "SandboxKey",
    "Gateway",
    "IPAddress",
    "GlobalIPv6Address",
    "IPv6Gateway",
    "MacAddress",
    "DNSNames",
    "Mountpoint",
    "Containers",
    "RestartCount",
    "ExecIDs",
];
/// Labels that may differ: who wrote them, and our own.
const OWN_LABELS: &[&str] = &["com.docker.compose.version", "com.docker.compose.image.builder", "dev.compose."];

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Without what may differ; lists whose order means nothing are sorted.
fn plain(key: &str, value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(name, value)| {
                let own = key == "Labels" && OWN_LABELS.iter().any(|label| name.starts_with(label));
                // A container is called by its own id unless it has a host name.
                let own_name = name == "Hostname" && value.as_str().is_some_and(|name| name.len() == 12);
                !CHANCE.contains(&name.as_str()) && !own && !own_name
            });
            let kept: Map<String, Value> = kept
                .map(|(name, value)| {
                    let value = plain(&name, value);
                    (name, value)
                })
                .filter(|(_, value)| !is_nothing(value))
                .collect();
            Value::Object(kept)
        }
        Value::Array(list) => {
            let mut list: Vec<Value> = list.into_iter().map(|value| plain(key, value)).collect();
            if !matches!(key, "Cmd" | "Entrypoint" | "Args" | "Test") {
                list.sort_by_key(ToString::to_string);
            }
            Value::Array(list)
        }
        Value::String(text) if key == "com.docker.compose.depends_on" => {
            let mut parts: Vec<&str> = text.split(',').collect();
            parts.sort_unstable();
            parts.join(",").into()
        }
        // The engine picks the next free network.
        Value::String(text) if key == "Subnet" && text.starts_with("172.") => "some network".into(),
        Value::String(text) if is_id(&text) => "some id".into(),
        Value::String(text) => {
            let words = text.split([':', '/', '=']).filter(|word| is_id(word)).map(str::to_owned).collect::<Vec<_>>();
            words.into_iter().fold(text, |text, id| text.replace(&id, "some id")).into()
        }
        other => other,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(set) => !set,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Number(_) => false,
    }
}

/// Everything of the project by kind and name.
async fn inspected(s: &Scenario) -> BTreeMap<String, Value> {
    let label = format!("com.docker.compose.project={}", s.project);
    let filters = || Some([("label".to_owned(), vec![label.clone()])].into());
    let mut all = BTreeMap::new();
    let options = ListContainersOptions { all: true, filters: filters(), ..Default::default() };
    for found in s.docker.list_containers(Some(options)).await.expect("containers") {
        let details = s.docker.inspect_container(&found.id.expect("an id"), None).await.expect("a container");
        let name = details.name.clone().unwrap_or_default();
        let mut details = serde_json::to_value(details).expect("plain data");
        // Ids of the containers that it shares something with are part of the hash.
        let shares = ["/HostConfig/NetworkMode", "/HostConfig/VolumesFrom/0"].into_iter().any(|path| {
            details.pointer(path).and_then(Value::as_str).is_some_and(|text| text.contains(':') || is_id(text))
        });
        if let (true, Some(hash)) = (shares, details.pointer_mut("/Config/Labels/com.docker.compose.config-hash")) {
            *hash = "some hash".into();
        }
        all.insert(format!("container {name}"), details);
    }
    let options = ListNetworksOptions { filters: filters() };
    for found in s.docker.list_networks(Some(options)).await.expect("networks") {
        let name = found.name.expect("a name");
        let details = s.docker.inspect_network(&name, None).await.expect("a network");
        all.insert(format!("network {name}"), serde_json::to_value(details).expect("plain data"));
    }
    let options = ListVolumesOptions { filters: filters() };
    for found in s.docker.list_volumes(Some(options)).await.expect("volumes").volumes.unwrap_or_default() {
        all.insert(format!("volume {}", found.name), serde_json::to_value(found).expect("plain data"));
    }
    all.into_iter().map(|(name, value)| (name, plain("", value))).collect()
}

/// The paths at which two values differ.
fn differences(path: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                let of = |map: &Map<String, Value>| map.get(name).cloned().unwrap_or_default();
                differences(&format!("{path}.{name}"), &of(one), &of(other), found);
            }
        }
        _ if one == other => {}
        _ => found.push(format!("{path}: docker compose {one}, here {other}")),
    }
}

fn same(intent: &str, images: &[&str], files: impl FnOnce(&mut Scenario)) {
    scenario(&format!("{intent}: the engine holds the same, whoever made it"), images, async |s| {
        let Some(peer) = peer() else {
            eprintln!("skipped: no docker-compose to compare with");
            return;
        };
        files(s);
        for port in ["SHOP_PORT", "REPLICAS_PORT", "PROFILES_PORT", "LEGACY_PORT", "OFFLINE_PORT"] {
            s.env(port, free_port());
        }
        s.other(&peer, ["up", "-d"]).await.succeeds();
        let theirs = inspected(s).await;
        s.other(&peer, ["down", "-v"]).await.succeeds();
        s.compose(["up", "-d"]).await.succeeds();
        let ours = inspected(s).await;
        assert!(!theirs.is_empty());
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
        let mut found = Vec::new();
        for (name, theirs) in &theirs {
            differences(name, theirs, &ours[name], &mut found);
        }
        assert!(found.is_empty(), "{}", found.join("\n"));
    });
}

#[test]
fn examples() {
    for (example, images) in [
        ("shop", &["postgres:15", "redis:7"][..]),
        ("replicas", &["nginx:alpine"]),
        ("migration", &["postgres:15"]),
        ("profiles", &["nginx:alpine", "busybox"]),
        ("databases", &["postgres:15", "redis:7"]),
        ("legacy", &["nginx:alpine", "redis:alpine", "busybox"]),
        ("offline", &[]),
    ] {
        same(example, images, |s| s.example(example));
    }
}

#[test]
fn a_project_with_a_bit_of_everything() {
    same("a bit of everything", &["busybox"], |s| {
        s.file("app.env", "A=from app.env\nB=2\n");
        s.file("secret.txt", "secret\n");
        s.file(
            "compose.yaml",
            "
x-idle: &idle { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL }
services:
  app:
    <<: *idle
    env_file: [app.env, { path: nope.env, required: false }]
    environment: { C: null, B: over }
    labels: { mine: 'yes', com.docker.compose.project: not mine }
    hostname: app-host
    domainname: example.com
    user: '0:0'
    working_dir: /tmp
    extra_hosts: ['there:127.0.0.1', 'here=host-gateway']
    dns: [127.0.0.11]
    dns_search: [example.com]
    dns_opt: ['ndots:2']
    sysctls: { net.core.somaxconn: 512 }
    ulimits: { nofile: { soft: 1000, hard: 2000 }, nproc: 100 }
    tmpfs: ['/scratch:size=1m,mode=1777']
    shm_size: 32m
    volumes:
      - '.:/here:ro'
      - 'data:/data'
      - /anonymous
      - { type: tmpfs, target: /memory, tmpfs: { size: 1m, mode: 0o700 } }
      - { type: bind, source: ./secret.txt, target: /secret.txt, read_only: true, bind: { propagation: rprivate } }
      - { type: volume, source: data, target: /fresh, volume: { nocopy: true } }
    secrets: [token, { source: token, target: other-token }]
    configs: [{ source: text, target: /text, mode: 0o440 }]
    healthcheck: { test: 'true', interval: 1m30s, timeout: 2s, retries: 3, start_period: 40s }
    logging: { driver: json-file, options: { max-size: 1m } }
    deploy:
      replicas: 2
      resources: { limits: { memory: 64M, cpus: '0.5', pids: 50 }, reservations: { memory: 32M, cpus: '0.1' } }
      restart_policy: { condition: on-failure, max_attempts: 3 }
    networks: { default: { aliases: [other] }, back: { priority: 10 } }
    expose: ['80', '90/udp']
    init: true
    oom_score_adj: 100
    stop_grace_period: 1m30s
    annotations: { a: b }
  side: { <<: *idle, network_mode: 'service:lone', pid: 'service:lone', ipc: 'service:lone' }
  lone:
    <<: *idle
    ipc: shareable
    read_only: true
    cap_add: [NET_ADMIN]
    cap_drop: [all]
    security_opt: ['no-new-privileges:true']
    group_add: ['1']
    devices: ['/dev/null:/dev/nothing:r']
    cpu_shares: 512
    cpuset: '0'
    mem_reservation: 16m
    pids_limit: 20
    restart: unless-stopped
    userns_mode: host
    cgroup: private
    uts: host
    volumes: ['more:/more']
  heir: { <<: *idle, volumes_from: ['lone:ro'], depends_on: { app: { condition: service_healthy, restart: true } } }
  linked: { <<: *idle, links: ['lone:friend', 'app'] }
  hosted: { <<: *idle, network_mode: host }
  alone: { <<: *idle, network_mode: none, tty: true, stdin_open: true, entrypoint: [], privileged: true }
networks:
  default: { driver_opts: { com.docker.network.bridge.enable_icc: 'true' }, labels: { a: b } }
  back: { internal: true, attachable: true, ipam: { config: [{ subnet: 10.199.7.0/24, ip_range: 10.199.7.0/28 }] } }
volumes:
  data: { labels: { a: b } }
  more: { driver: local, name: \"${COMPOSE_PROJECT_NAME}-more\" }
secrets: { token: { file: secret.txt } }
configs: { text: { content: some text } }
",
        );
    });
}
