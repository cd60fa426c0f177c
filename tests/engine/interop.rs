//! Stacks go from docker compose to us and back, and no container notices.
//!
//! The peer is `COMPOSE_TEST_PEER`, or `docker-compose` where that is installed; without one these tests skip.

use std::path::PathBuf;

use crate::scenario::{Scenario, free_port, scenario};

fn peer() -> Option<PathBuf> {
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
    let intent =
        format!("docker compose's {example} is taken over, handed back and taken down, and nothing is recreated");
    scenario(&intent, images, async |s| {
        let Some(peer) = peer() else {
            eprintln!("skipped: no docker-compose to exchange stacks with");
            return;
        };
        s.example(example);
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
