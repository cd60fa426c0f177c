//! Stacks go from docker compose to us and back, and no container notices.
//!
//! The peer is `COMPOSE_TEST_PEER`, or `docker-compose` where that is installed; without one these tests skip.

use std::path::PathBuf;

use crate::scenario::{Scenario, free_port, scenario};

pub(crate) fn peer() -> Option<PathBuf> {
    if let Some(peer) = std::env::var_os("COMPOSE_TEST_PEER") {
        return Some(peer.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("docker-compose")).find(|program| program.exists())
}

/// What must stay as it is, for each container that stays up.
async fn identity(s: &Scenario) -> Vec<(String, String, String)> {
    let all = s.containers().await.into_iter();
    all.filter(|seen| seen.state == "running").map(|seen| (seen.name, seen.id, seen.started_at)).collect()
}

fn there_and_back(example: &str, images: &[&str]) {
    exchange(example, images, |s| s.example(example));
}

fn exchange(example: &str, images: &[&str], files: impl FnOnce(&mut Scenario)) {
    let intent =
        format!("docker compose's {example} is taken over, handed back and taken down, and nothing is recreated");
    scenario(&intent, images, async |s| {
        let Some(peer) = peer() else {
            eprintln!("skipped: no docker-compose to exchange stacks with");
            return;
        };
        files(s);
        for port in ["SHOP_PORT", "REPLICAS_PORT", "PROFILES_PORT", "LEGACY_PORT", "OFFLINE_PORT"] {
            s.env(port, free_port());
        }
        s.other(&peer, ["up", "-d"]).await.succeeds();
        let made = identity(s).await;
        s.compose(["up", "-d"]).await.succeeds();
        assert_eq!(identity(s).await, made, "taken over");
        s.other(&peer, ["up", "-d"]).await.succeeds();
        assert_eq!(identity(s).await, made, "handed back");
        s.compose(["down", "-v"]).await.succeeds();
        s.assert_nothing_left().await;

        s.compose(["up", "-d"]).await.succeeds();
        let made = identity(s).await;
        s.other(&peer, ["up", "-d"]).await.succeeds();
        assert_eq!(identity(s).await, made, "given away");
        s.other(&peer, ["down", "-v"]).await.succeeds();
        s.assert_nothing_left().await;
    });
}

#[test]
fn shop() {
    there_and_back("shop", &["postgres:15", "redis:7"]);
}

#[test]
fn replicas() {
    there_and_back("replicas", &["nginx:alpine"]);
}

#[test]
fn migration() {
    there_and_back("migration", &["postgres:15"]);
}

#[test]
fn profiles() {
    there_and_back("profiles", &["nginx:alpine", "busybox"]);
}

#[test]
fn databases() {
    there_and_back("databases", &["postgres:15", "redis:7"]);
}

#[test]
fn legacy() {
    there_and_back("legacy", &["nginx:alpine", "redis:alpine", "busybox"]);
}

#[test]
fn offline() {
    there_and_back("offline", &[]);
}

#[test]
fn keys_that_hashes_treat_in_their_own_way() {
    exchange("project with env files, secrets, limits and binds", &["busybox"], |s| {
        s.file("app.env", "A=from app.env\nB=2\n");
        s.file("secret.txt", "secret\n");
        s.file(
            "compose.yaml",
            "
services:
  app:
    image: $BUSYBOX
    command: [tail, -f, /dev/null]
    stop_signal: SIGKILL
    env_file: [app.env, { path: nope.env, required: false }]
    environment: { C: null, B: over }
    extra_hosts: ['there:127.0.0.1']
    sysctls: { net.core.somaxconn: 512 }
    ulimits: { nofile: { soft: 1000, hard: 2000 } }
    tmpfs: /scratch
    volumes: ['.:/here:ro', 'data:/data', /anonymous]
    secrets: [token]
    configs: [{ source: text, target: /text }]
    healthcheck: { test: 'true', interval: 1m30s }
    logging: { driver: json-file, options: { max-size: 1m } }
    deploy: { replicas: 2, resources: { limits: { memory: 64M }, reservations: { cpus: '0.1' } } }
    networks: { default: { aliases: [other] } }
  side: { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL, network_mode: 'service:app', pid: 'service:lone' }
  lone: { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL, volumes_from: ['app:ro'] }
volumes: { data: { labels: { a: b } } }
secrets: { token: { file: secret.txt } }
configs: { text: { content: some text } }
",
        );
    });
}
