//! Failures that explain themselves, and those that are foreseen.

use std::fs;
use std::net::TcpListener;

use crate::scenario::{Scenario, free_port, scenario};

#[test]
fn a_failed_dependency_tells_all_that_helps() {
    scenario(
        "a failed up tells how containers ended, what they said, what was left out and what runs",
        &["busybox"],
        async |s| {
            if Scenario::tests_another() {
                return;
            }
            s.env("DB_PASSWORD", "hunter22");
            s.file(
                "compose.yaml",
                "
x-idle: &idle { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL }
services:
  sick:
    <<: *idle
    healthcheck: {test: 'echo broken pipe; exit 7', interval: 200ms, retries: 2}
  once:
    image: $BUSYBOX
    environment: [DB_PASSWORD]
    command: sh -c 'echo my password is $$DB_PASSWORD; exit 3'
  web: {<<: *idle, depends_on: {sick: {condition: service_healthy}}}
  job: {<<: *idle, depends_on: {once: {condition: service_completed_successfully}}}
  fine: *idle
",
            );
            let failed = s.compose(["up", "-d", "--wait", "--wait-timeout", "20"]).await.exits(1);
            let failed =
                failed.says("dependency failed to start").says(&format!("container {} is unhealthy", s.name("sick-1")));
            let failed = failed.says("last health check ended with 7: broken pipe");
            let failed = failed.says("service \"once\" didn't complete successfully: exit 3");
            let failed = failed.says("my password is (hidden)").does_not_say("hunter22");
            let failed = failed.says(&format!("not started because of it: {}", s.name("web-1")));
            failed.says(&format!("still running: {}, {}", s.name("fine-1"), s.name("sick-1")));

            let quiet = s.compose(["--progress", "quiet", "up", "-d"]).await.exits(1);
            quiet.says("is unhealthy").does_not_say("my password").does_not_say("still running");
            let files = s.compose(["up", "-d", "--logs-on-failure=logs"]).await.exits(1);
            files.does_not_say("my password");
            let log =
                fs::read_to_string(s.dir().join("logs").join(format!("{}.log", s.name("once-1")))).expect("a log");
            assert!(log.contains("my password is (hidden)"), "{log}");
        },
    );
}

#[test]
fn one_shots_are_fine_and_crash_loops_end_a_wait() {
    scenario("--wait takes a one-shot that ended with 0, and fails soon at a crash loop", &["busybox"], async |s| {
        if Scenario::tests_another() {
            return;
        }
        s.file(
            "compose.yaml",
            "
services:
  once: {image: $BUSYBOX, command: 'true'}
  looping: {image: $BUSYBOX, command: [sh, -c, 'sleep 0.3; exit 9'], restart: always, scale: 0,
            healthcheck: {test: 'false', interval: 10s}}
",
        );
        s.compose(["up", "-d", "--wait", "--wait-timeout", "20"]).await.succeeds();
        let failed = s.compose(["up", "-d", "--wait", "--wait-timeout", "30", "--scale", "looping=2"]).await.exits(1);
        failed.says("keeps restarting, its last exit code is 9");
    });
}

#[test]
fn all_that_forbids_a_plan_is_told_before_anything_is_touched() {
    scenario(
        "taken ports, missing files and missing images are told at once, and nothing is made",
        &["busybox"],
        async |s| {
            if Scenario::tests_another() {
                return;
            }
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let port = listener.local_addr().expect("it has one").port();
            s.env("PORT", port);
            s.env("FREE", free_port());
            s.file(
                "compose.yaml",
                "
services:
  web:
    image: $BUSYBOX
    command: tail -f /dev/null
    stop_signal: SIGKILL
    ports: ['127.0.0.1:$PORT:80', '127.0.0.1:$FREE:81']
    secrets: [key]
    volumes: [{type: bind, source: ./none, target: /a, bind: {create_host_path: false}}]
  lost: {image: 'compose-test-nowhere:1', pull_policy: never}
secrets: {key: {file: ./key}}
",
            );
            let failed = s.compose(["up", "-d"]).await.exits(1);
            let failed = failed.says(&format!("port 127.0.0.1:{port}/tcp of service `web` is already used by"));
            let failed = failed.says("bind source path of service `web` does not exist").says("file of secret `key`");
            failed.says("No such image: compose-test-nowhere:1").says("compose.yaml:9:");
            s.assert_nothing_left().await;
            drop(listener);
            s.file("none/x", "");
            s.file("key", "k");
            s.compose(["up", "-d", "web"]).await.succeeds();
            // The port is taken now, but by us.
            s.compose(["up", "-d", "--force-recreate", "web"]).await.succeeds();
            assert_eq!(s.states().await, "web-1 running");
        },
    );
}

#[test]
fn a_start_that_cannot_work_touches_nothing() {
    scenario("start and restart find that a port was taken meanwhile, and touch nothing", &["busybox"], async |s| {
        if Scenario::tests_another() {
            return;
        }
        let port = free_port();
        s.env("PORT", port);
        s.file(
            "compose.yaml",
            "
x-idle: &idle { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL }
services:
  db: *idle
  web: {<<: *idle, ports: ['127.0.0.1:$PORT:80'], depends_on: [db]}
",
        );
        s.compose(["up", "-d"]).await.succeeds();
        // A container that runs has its own port.
        s.compose(["restart"]).await.succeeds();
        s.compose(["stop"]).await.succeeds();
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        for command in ["start", "restart"] {
            let failed = s.compose([command]).await.exits(1);
            failed
                .says(&format!("port 127.0.0.1:{port}/tcp of service `web` is already used by"))
                .says("compose.yaml:5:");
            assert_eq!(s.states().await, "db-1 exited, web-1 exited");
        }
        drop(listener);
        s.compose(["start"]).await.succeeds();
        assert_eq!(s.states().await, "db-1 running, web-1 running");
    });
}

#[test]
fn what_the_machine_adds_to_containers() {
    scenario(
        "proxies of docker's configuration, and credentials for services with the engine's socket",
        &["busybox"],
        async |s| {
            s.file(
            "config/config.json",
            r#"{"auths": {"registry.example": {"auth": "dTpw"}}, "proxies": {"default": {"httpProxy": "http://p:1", "noProxy": "a"}}}"#,
        );
            s.env("DOCKER_CONFIG", s.dir().join("config").display());
            s.file("Dockerfile", "ARG BUSYBOX\nFROM $BUSYBOX\nRUN echo proxy is $http_proxy > /proxy\n");
            s.file(
                "compose.yaml",
                "
services:
  web:
    image: $BUSYBOX
    command: tail -f /dev/null
    stop_signal: SIGKILL
    environment: {HTTP_PROXY: own}
    use_api_socket: true
  made:
    build: {context: ., args: [BUSYBOX]}
    command: cat /proxy
",
            );
            s.compose(["up", "-d"]).await.succeeds();
            let web = s.container("web-1").await;
            for variable in
                ["HTTP_PROXY=own", "http_proxy=http://p:1", "no_proxy=a", "DOCKER_CONFIG=/run/secrets/docker"]
            {
                assert!(web.env.contains(&variable.to_owned()), "{variable}: {:?}", web.env);
            }
            assert!(!web.env.contains(&"HTTP_PROXY=http://p:1".to_owned()), "{:?}", web.env);
            let config = s.compose(["exec", "-T", "web", "cat", "/run/secrets/docker/config.json"]).await.succeeds();
            config.says("registry.example").says("dTpw");
            s.compose(["exec", "-T", "web", "test", "-S", "/var/run/docker.sock"]).await.succeeds();
            s.compose(["logs", "made"]).await.succeeds().says("proxy is http://p:1");
            let script = "echo $http_proxy; cat $DOCKER_CONFIG/config.json";
            let run = s.compose(["run", "--rm", "-T", "web", "sh", "-c", script]).await.succeeds();
            run.says("http://p:1").says("registry.example");
            s.compose(["up", "-d"]).await.succeeds();
            assert_eq!(s.container("web-1").await, web, "the same credentials change nothing");
        },
    );
}

#[test]
fn devices_that_are_not_there() {
    scenario(
        "devices and runtimes that the engine surely lacks are told at once, before anything is made",
        &["busybox"],
        async |s| {
            if Scenario::tests_another() {
                return;
            }
            s.file(
            "compose.yaml",
            "
services:
  path: { image: $BUSYBOX, command: 'true', devices: ['/dev/ct-nope:/dev/x'] }
  all_rights: { image: $BUSYBOX, command: 'true', privileged: true, devices: [/dev/ct-nope] }
  there: { image: $BUSYBOX, command: [sh, -c, 'head -c 3 /dev/zeros | wc -c'], devices: ['/dev/zero:/dev/zeros'] }
  runtime: { image: $BUSYBOX, command: 'true', runtime: ct-nope }
  usual: { image: $BUSYBOX, command: 'true', runtime: runc }
  described: { image: $BUSYBOX, command: 'true', devices: ['ct.test/nope=0'] }
  reserved:
    image: $BUSYBOX
    command: 'true'
    deploy: { resources: { reservations: { devices: [{ driver: cdi, device_ids: ['ct.test/nope=1'], capabilities: [x] }] } } }
",
        );
            let run = s.compose(["up", "-d"]).await.exits(1);
            let run = run.says("device of service `path` does not exist: /dev/ct-nope").says("--> compose.yaml:3:");
            let _ = run.says("service `runtime` asks for the runtime ct-nope, which this engine does not have");
            assert_eq!(s.states().await, "");
            // Newer engines tell which described devices they know; older ones only fail.
            for service in ["described", "reserved"] {
                s.compose(["up", "-d", service]).await.exits(1).says("ct.test/nope");
            }
            let run = s.compose(["up", "all_rights", "there", "usual"]).await.succeeds();
            let _ = run.says("there-1       | 3\n");
            s.compose(["down", "-t", "0"]).await.succeeds();
        },
    );
}
