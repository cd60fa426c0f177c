//! What waits for what: `depends_on`, and the way back when stopping.

use crate::scenario::scenario;

/// `web` fetches a page from `db` once, at its start; `db` serves it a second after its own.
const SLOW_START: &str = "
services:
  web:
    image: $BUSYBOX
    command: wget -q -O - http://db/
    depends_on: { db: { condition: service_healthy } }
  db:
    image: $BUSYBOX
    command: sh -c 'mkdir /www; echo data > /www/index.html; sleep 1; exec httpd -f -p 80 -h /www'
    stop_signal: SIGKILL
    healthcheck: { test: 'wget -q -O /dev/null http://127.0.0.1/', interval: 200ms, retries: 100 }
";

#[test]
fn healthy() {
    scenario(
        "a service starts when its dependency answers, so that its first request works",
        &["busybox"],
        async |s| {
            s.file("compose.yaml", SLOW_START);
            s.compose(["up", "-d"]).await.succeeds();
            s.wait_states("db-1 running, web-1 exited").await;
            assert_eq!(s.container("web-1").await.exit_code, 0);
            assert_eq!(s.container("db-1").await.health, "healthy");
            s.compose(["logs", "--no-log-prefix", "web"]).await.succeeds().says("data");
        },
    );
}

#[test]
fn completed() {
    scenario("a service starts when the one-shot before it is done", &["busybox"], async |s| {
        s.file(
            "compose.yaml",
            "
services:
  app:
    image: $BUSYBOX
    command: sh -c 'cat /data/schema && exec tail -f /dev/null'
    stop_signal: SIGKILL
    volumes: ['data:/data']
    depends_on: { init: { condition: service_completed_successfully } }
  init:
    image: $BUSYBOX
    command: sh -c 'sleep 1; echo the schema > /data/schema; exit $CODE'
    volumes: ['data:/data']
volumes: { data: {} }
",
        );
        s.env("CODE", 0);
        s.compose(["up", "-d"]).await.succeeds();
        assert_eq!(s.states().await, "app-1 running, init-1 exited");
        let (app, init) = (s.container("app-1").await, s.container("init-1").await);
        assert!(app.started_at > init.finished_at, "{} is before {}", app.started_at, init.finished_at);
        s.compose(["logs", "app"]).await.succeeds().says("the schema");

        s.compose(["down", "-v"]).await.succeeds();
        s.env("CODE", 5);
        s.compose(["up", "-d"]).await.fails().says("init").says("5");
        assert_eq!(s.states().await, "app-1 created, init-1 exited");
        assert_eq!(s.container("init-1").await.exit_code, 5);
    });
}

#[test]
fn an_unhealthy_dependency_fails_what_needs_it() {
    scenario(
        "what needs an unhealthy service is not started, and the message says whose fault it is",
        &["busybox"],
        async |s| {
            s.file(
                "compose.yaml",
                "
x-idle: &idle { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL }
services:
  web: { <<: *idle, depends_on: { db: { condition: service_healthy } } }
  db: { <<: *idle, healthcheck: { test: 'false', interval: 100ms, retries: 2 } }
  apart: { <<: *idle }
",
            );
            s.compose(["up", "-d"]).await.exits(1).says("db-1").says("unhealthy");
            assert_eq!(s.container("web-1").await.state, "created");
            assert_eq!(s.container("db-1").await.state, "running");
        },
    );
}

#[test]
fn stop_goes_the_other_way() {
    scenario("what depends on a service is stopped before it", &["busybox"], async |s| {
        s.file(
            "compose.yaml",
            "
x-idle: &idle { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL }
services:
  front: { <<: *idle, depends_on: [web] }
  web: { <<: *idle, depends_on: [db] }
  db: { <<: *idle }
",
        );
        s.compose(["up", "-d"]).await.succeeds();
        let started: Vec<String> =
            [s.container("db-1").await, s.container("web-1").await, s.container("front-1").await]
                .map(|seen| seen.started_at)
                .into();
        assert!(started.is_sorted(), "{started:?}");
        s.compose(["stop"]).await.succeeds();
        let stopped: Vec<String> =
            [s.container("front-1").await, s.container("web-1").await, s.container("db-1").await]
                .map(|seen| seen.finished_at)
                .into();
        assert!(stopped.is_sorted(), "{stopped:?}");
    });
}

#[test]
fn wait_means_healthy() {
    scenario("up --wait comes back when all is healthy, and fails when something ends", &["busybox"], async |s| {
        s.file(
            "compose.yaml",
            "
services:
  db:
    image: $BUSYBOX
    command: sh -c 'sleep 1; touch /ready; exec tail -f /dev/null'
    stop_signal: SIGKILL
    healthcheck: { test: test -f /ready, interval: 200ms, retries: 100 }
  brief:
    image: $BUSYBOX
    command: sh -c 'sleep 1; exit 4'
    healthcheck: { test: 'false', interval: 1m }
    profiles: [brief]
",
        );
        s.compose(["up", "-d", "--wait"]).await.succeeds();
        assert_eq!(s.container("db-1").await.health, "healthy");
        s.compose(["--profile", "brief", "up", "-d", "--wait"]).await.fails().says("brief-1").says("4");
    });
}
