//! Every example runs, stays as it is when `up` comes again, answers, and goes away whole.

use std::collections::BTreeSet;

use crate::http::{http, page};
use crate::observe::Seen;
use crate::patience::eventually;
use crate::scenario::{Scenario, free_port, scenario};

/// `up` twice: the second one changes nothing, except that it starts again what has run to its end.
async fn up_twice(s: &Scenario, one_shots: &[&str]) {
    s.compose(["up", "-d"]).await.succeeds();
    let first = s.containers().await;
    assert!(!first.is_empty(), "nothing was started");
    s.compose(["up", "-d"]).await.succeeds();
    let second = s.containers().await;
    let identity = |all: &[Seen]| -> Vec<(String, String, Option<String>)> {
        let started = |seen: &Seen| (!one_shots.contains(&seen.service.as_str())).then(|| seen.started_at.clone());
        all.iter().map(|seen| (seen.name.clone(), seen.id.clone(), started(seen))).collect()
    };
    assert_eq!(identity(&first), identity(&second), "the second `up` touched a container");
    for seen in &second {
        let wanted = if one_shots.contains(&seen.service.as_str()) { ("exited", 0) } else { ("running", 0) };
        assert_eq!((seen.state.as_str(), seen.exit_code), wanted, "{seen:?}");
    }
}

/// `down -v`: no container, network or volume of the project is left, anonymous volumes included.
async fn down_whole(s: &Scenario) {
    let volumes: BTreeSet<String> = s.containers().await.into_iter().flat_map(|seen| seen.volumes).collect();
    s.compose(["--profile", "*", "down", "-v"]).await.succeeds();
    s.assert_nothing_left().await;
    for volume in volumes {
        assert!(s.docker.inspect_volume(&volume).await.is_err(), "volume {volume} is left");
    }
}

#[test]
fn shop() {
    scenario(
        "the shop stores what it is given, and keeps it while its volume lives",
        &["postgres:15", "redis:7"],
        async |s| {
            let port = free_port();
            s.example("shop");
            s.env("SHOP_PORT", port);
            up_twice(s, &[]).await;
            s.compose(["up", "-d", "--wait"]).await.succeeds();
            for item in ["tea", "it's \"green\"; drop table items"] {
                let (status, answer) = http(port, "POST", "/items", item).await.expect("the shop answers");
                assert_eq!(status, 201, "{answer}");
            }
            let items = |page: &str| -> Vec<String> {
                let page: serde_json::Value = serde_json::from_str(page).expect("the shop answers in JSON");
                let items = page["items"].as_array().expect("a list").clone();
                items.iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
            };
            assert!(page(port).await.contains(r#""visits":1,"#));
            let before = page(port).await;
            assert!(before.contains(r#""visits":2,"#), "{before}");
            assert_eq!(items(&before), ["tea", "it's \"green\"; drop table items"]);

            s.compose(["down"]).await.succeeds();
            assert_eq!(s.states().await, "");
            s.compose(["up", "-d", "--wait"]).await.succeeds();
            assert_eq!(items(&page(port).await), items(&before), "the volume was kept");
            down_whole(s).await;
        },
    );
}

#[test]
fn replicas() {
    scenario("every replica gets requests, and one more is found without a restart", &["nginx:alpine"], async |s| {
        let port = free_port();
        s.example("replicas");
        s.env("REPLICAS_PORT", port);
        up_twice(s, &[]).await;
        s.compose(["up", "-d", "--wait"]).await.succeeds();
        all_answer(port, 3).await;
        let proxy = s.container("proxy-1").await;
        s.compose(["up", "-d", "--wait", "--scale", "web=4"]).await.succeeds();
        all_answer(port, 4).await;
        assert_eq!(s.container("proxy-1").await.started_at, proxy.started_at);
        down_whole(s).await;
    });
}

async fn all_answer(port: u16, replicas: usize) {
    let mut answers = BTreeSet::new();
    eventually(&format!("{replicas} replicas answer"), async || {
        answers.insert(http(port, "GET", "/", "").await?.1);
        if answers.len() == replicas { Ok(()) } else { Err(format!("{answers:?}")) }
    })
    .await;
}

#[test]
fn migration() {
    scenario("the application starts when the migration is done, and only then", &["postgres:15"], async |s| {
        s.example("migration");
        up_twice(s, &["migrate"]).await;
        s.compose(["logs", "--no-log-prefix", "app"]).await.succeeds().says("1|written by a migration");
        s.compose(["logs", "migrate"]).await.succeeds().says("001-notes.sql: already applied");
        let (app, migrate) = (s.container("app-1").await, s.container("migrate-1").await);
        assert!(app.started_at < migrate.finished_at, "the second run of the migration left the application alone");
        down_whole(s).await;
    });
}

#[test]
fn profiles() {
    scenario(
        "a profile adds its services; the override file and .env are read",
        &["nginx:alpine", "busybox"],
        async |s| {
            let port = free_port();
            s.example("profiles");
            s.env("PROFILES_PORT", port);
            up_twice(s, &[]).await;
            assert_eq!(s.states().await, "web-1 running");
            assert_eq!(page(port).await, "hello from .env (development)\n");
            s.compose(["--profile", "debug", "up", "-d"]).await.succeeds();
            assert_eq!(s.states().await, "shell-1 running, web-1 running");
            s.env("COMPOSE_PROFILES", "*");
            up_twice(s, &[]).await;
            assert_eq!(s.states().await, "load-1 running, shell-1 running, web-1 running");
            down_whole(s).await;
        },
    );
}

#[test]
fn databases() {
    scenario("limits reach the engine, also those of added replicas", &["postgres:15", "redis:7"], async |s| {
        s.example("databases");
        up_twice(s, &[]).await;
        s.compose(["up", "-d", "--wait", "--scale", "sessions=2"]).await.succeeds();
        let limits: Vec<String> = s
            .containers()
            .await
            .into_iter()
            .map(|seen| {
                format!("{} {}M {}m {}", seen.service, seen.memory >> 20, seen.nano_cpus / 1_000_000, seen.health)
            })
            .collect();
        assert_eq!(
            limits,
            [
                "cache 96M 500m healthy",
                "customers 256M 750m healthy",
                "invoices 256M 750m healthy",
                "orders 512M 1500m healthy",
                "sessions 64M 250m healthy",
                "sessions 64M 250m healthy",
            ]
        );
        down_whole(s).await;
    });
}

#[test]
fn legacy() {
    scenario("an old file works as it did", &["nginx:alpine", "redis:alpine", "busybox"], async |s| {
        let port = free_port();
        s.example("legacy");
        s.env("LEGACY_PORT", port);
        up_twice(s, &[]).await;
        let names: Vec<String> = s.containers().await.into_iter().map(|seen| seen.name).collect();
        assert_eq!(names, [s.name("frontend"), s.name("store-1"), s.name("writer-1")]);
        assert_eq!(page(port).await, format!("served by {}\n", s.project));
        assert_eq!(s.container("frontend").await.networks, [format!("{}_shared", s.project)]);
        down_whole(s).await;
    });
}

#[test]
fn offline() {
    scenario("no registry is needed: the image is empty, and the programs are the host's", &[], async |s| {
        let port = free_port();
        s.example("offline");
        s.env("OFFLINE_PORT", port);
        up_twice(s, &[]).await;
        s.compose(["up", "-d", "--wait"]).await.succeeds();
        assert_eq!(page(port).await, "It works, and nothing was downloaded.\n");
        down_whole(s).await;
    });
}
