//! The engine goes away and comes back, as in an upgrade, while a command waits.

use std::fs;

use crate::busybox;
use crate::observe;
use crate::own_engine::OwnEngine;
use crate::patience::eventually;
use crate::scenario::{Scenario, scenario};

#[test]
fn a_wait_outlives_a_restart_of_the_engine() {
    scenario("up --wait goes on when the engine was restarted meanwhile", &[], async |s| {
        if Scenario::tests_another() {
            return;
        }
        let mut engine = match OwnEngine::start().await {
            Ok(engine) => engine,
            Err(why) => {
                assert!(std::env::var("COMPOSE_TEST_ENGINE").as_deref() != Ok("all"), "no second engine: {why}");
                eprintln!("skipped: {why}");
                return;
            }
        };
        let image = busybox::have(&engine.docker).await.expect("busybox");
        s.env("BUSYBOX", image);
        s.env("DOCKER_HOST", engine.host());
        s.file("ready/README", "a file `yes` appears here when the engine is back");
        s.file(
            "compose.yaml",
            "
x-idle: &idle { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL, network_mode: none }
services:
  slow:
    <<: *idle
    volumes: [./ready:/ready:ro]
    healthcheck: {test: test -e /ready/yes, interval: 300ms, retries: 1000}
  after: {<<: *idle, depends_on: {slow: {condition: service_healthy}}}
",
        );
        let mut up = s.start(["up", "-d", "--wait"]);
        up.says("slow-1  Waiting").await;
        engine.kill().await;
        engine.revive().await;
        fs::write(s.dir().join("ready/yes"), "").expect("a file can be written");
        up.end().await.succeeds().says("after-1  Healthy");

        let seen = observe::containers(&engine.docker, &s.project).await;
        assert!(seen.iter().all(|container| container.state == "running"), "{seen:?}");
        s.compose(["down"]).await.succeeds();
        eventually("nothing is left", async || match observe::containers(&engine.docker, &s.project).await {
            left if left.is_empty() => Ok(()),
            left => Err(format!("{left:?}")),
        })
        .await;
    });
}
