//! Several commands on one project at once, and commands that keep watching it.

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
    environment: { ROUND: $ROUND }
    deploy: { replicas: 4 }
    volumes: ['data:/data']
volumes: { data: {} }
",
        );
        // From nothing, and with a change each time.
        for round in 0..10 {
            s.env("ROUND", round);
            let (one, two) = (s.start(["up", "-d"]), s.start(["up", "-d"]));
            one.end().await.succeeds();
            two.end().await.succeeds();
            assert_eq!(s.states().await, "web-1 running, web-2 running, web-3 running, web-4 running");
        }
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
            up.end().await.fails().says("stopped by `compose down` (pid ");
            s.assert_nothing_left().await;
        },
    );
}

#[test]
fn a_killed_holder_leaves_nothing_behind() {
    scenario("an up that was killed holds up nobody", &["busybox"], async |s| {
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
        up.signal(rustix::process::Signal::KILL);
        assert_eq!(up.end().await.code, None, "killed");
        s.compose(["stop", "-t", "0"]).await.succeeds().does_not_say("asked to end");
        s.compose(["create"]).await.succeeds().does_not_say("waiting for");
    });
}
