//! Several commands on one project at once, and commands that keep watching it.

use rustix::process::Signal;

use crate::patience::eventually;
use crate::scenario::{Scenario, scenario};

#[test]
fn two_ups_at_once() {
    scenario("two ups at once both succeed, and everything is there once", &["busybox"], async |s| {
        if Scenario::tests_another() {
            return;
        }
        s.file(
            "compose.yaml",
            "
services:
  web:
    image: $BUSYBOX
    command: [tail, -f, /dev/null]
    stop_signal: SIGKILL
    deploy: { replicas: 4 }
    volumes: ['data:/data']
volumes: { data: {} }
",
        );
        let (one, two) = (s.start(["up", "-d"]), s.start(["up", "-d"]));
        one.end().await.succeeds();
        two.end().await.succeeds();
        assert_eq!(s.states().await, "web-1 running, web-2 running, web-3 running, web-4 running");
    });
}

#[test]
fn down_ends_an_up_that_hangs() {
    scenario(
        "down does not wait for an up that waits for health forever: that one gives way",
        &["busybox"],
        async |s| {
            if Scenario::tests_another() {
                return;
            }
            s.file(
                "compose.yaml",
                "
services:
  web: { image: $BUSYBOX, depends_on: { db: { condition: service_healthy } } }
  db:
    image: $BUSYBOX
    command: [tail, -f, /dev/null]
    stop_signal: SIGKILL
    healthcheck: { test: 'false', interval: 100ms, retries: 1000000 }
",
            );
            let up = s.start(["up", "-d"]);
            eventually("db runs", async || match s.states().await {
                states if states.starts_with("db-1 running") => Ok(()),
                states => Err(states),
            })
            .await;
            s.compose(["down"]).await.succeeds();
            up.end().await.fails();
            s.assert_nothing_left().await;
        },
    );
}

#[test]
fn watch_syncs_and_rebuilds() {
    scenario("a saved file is copied into the running container, another one rebuilds it", &["busybox"], async |s| {
        s.file(
            "compose.yaml",
            "
services:
  app:
    build: .
    stop_signal: SIGKILL
    develop:
      watch:
        - { action: sync, path: ./pages, target: /pages }
        - { action: rebuild, path: ./version }
",
        );
        let dockerfile =
            format!("FROM {}\nCOPY pages /pages\nCOPY version /version\nCMD tail -f /dev/null\n", s.busybox());
        s.file("Dockerfile", &dockerfile);
        s.file("pages/index.html", "one\n");
        s.file("version", "one\n");
        s.compose(["up", "-d", "--build"]).await.succeeds();
        let before = s.container("app-1").await;
        let mut watch = s.start(["watch", "--no-up"]);
        watch.says("Watch enabled").await;
        s.file("pages/index.html", "two\n");
        let holds = async |s: &Scenario, path: &'static str| {
            eventually(&format!("{path} is new"), async || match s.compose(["exec", "-T", "app", "cat", path]).await {
                run if run.stdout == "two\n" => Ok(()),
                run => Err(run.to_string()),
            })
            .await;
        };
        holds(s, "/pages/index.html").await;
        assert_eq!(s.container("app-1").await, before);
        s.file("version", "two\n");
        holds(s, "/version").await;
        assert_ne!(s.container("app-1").await.id, before.id);
        watch.signal(Signal::INT);
        let _ = watch.end().await;
        assert_eq!(s.states().await, "app-1 running");
    });
}
