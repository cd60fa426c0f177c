//! What becomes of containers, networks and volumes from one command to the next.

use crate::observe::{networks, volumes};
use crate::patience::eventually;
use crate::scenario::{Scenario, scenario};

/// Two services that do nothing; `web` has an environment that a test can change.
const PAIR: &str = "
x-idle: &idle { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL }
services:
  web:
    <<: *idle
    environment: { LEVEL: $LEVEL }
    volumes: ['data:/data']
  other: { <<: *idle }
volumes: { data: {} }
";

#[test]
fn a_changed_service_is_recreated() {
    scenario(
        "a changed value recreates the containers of its service, under the same name, and no others",
        &["busybox"],
        async |s| {
            s.file("compose.yaml", PAIR);
            s.env("LEVEL", "low");
            s.compose(["up", "-d"]).await.succeeds();
            let (web, other) = (s.container("web-1").await, s.container("other-1").await);
            assert!(web.env.contains(&"LEVEL=low".to_owned()), "{:?}", web.env);

            s.env("LEVEL", "high");
            s.compose(["up", "-d"]).await.succeeds().says("Recreate");
            assert_eq!(s.states().await, "other-1 running, web-1 running");
            let new = s.container("web-1").await;
            assert_ne!(new.id, web.id);
            assert_eq!(new.volumes, web.volumes);
            assert!(new.env.contains(&"LEVEL=high".to_owned()), "{:?}", new.env);
            assert_eq!(s.container("other-1").await, other);

            s.compose(["up", "-d", "--force-recreate", "other"]).await.succeeds();
            assert_eq!(s.container("web-1").await, new);
            assert_ne!(s.container("other-1").await.id, other.id);
            s.env("LEVEL", "middle");
            s.compose(["up", "-d", "--no-recreate"]).await.succeeds();
            assert_eq!(s.container("web-1").await, new);
        },
    );
}

#[test]
fn a_recreated_container_says_why() {
    scenario("the output names the key that changed", &["busybox"], async |s| {
        if Scenario::tests_another() {
            return;
        }
        s.file("compose.yaml", PAIR);
        s.env("LEVEL", "low");
        s.compose(["up", "-d"]).await.succeeds();
        s.env("LEVEL", "high");
        s.compose(["up", "-d", "--dry-run"]).await.succeeds().says("environment.LEVEL");
        s.compose(["up", "-d"]).await.succeeds().says("environment.LEVEL");
        s.compose(["up", "-d"]).await.succeeds().does_not_say("environment.LEVEL");
    });
}

#[test]
fn a_dry_run_changes_nothing() {
    scenario("--dry-run shows what would happen, and nothing does", &["busybox"], async |s| {
        s.file("compose.yaml", PAIR);
        s.env("LEVEL", "low");
        s.compose(["--dry-run", "up", "-d"]).await.succeeds().says("web-1");
        s.assert_nothing_left().await;
        s.compose(["up", "-d"]).await.succeeds();
        let before = s.containers().await;
        s.compose(["--dry-run", "down", "-v"]).await.succeeds().says("web-1");
        assert_eq!(s.containers().await, before);
    });
}

#[test]
fn replicas_are_numbered() {
    scenario("more replicas take the next numbers, fewer give back the highest", &["busybox"], async |s| {
        s.file("compose.yaml", PAIR);
        s.env("LEVEL", "low");
        s.compose(["up", "-d", "--scale", "web=3"]).await.succeeds();
        assert_eq!(s.states().await, "other-1 running, web-1 running, web-2 running, web-3 running");
        let first = s.container("web-1").await;
        s.compose(["up", "-d", "--scale", "web=2"]).await.succeeds();
        assert_eq!(s.states().await, "other-1 running, web-1 running, web-2 running");
        s.compose(["scale", "web=4", "other=0"]).await.succeeds();
        assert_eq!(s.states().await, "web-1 running, web-2 running, web-3 running, web-4 running");
        assert_eq!(s.container("web-1").await, first);
        s.compose(["up", "-d"]).await.succeeds();
        assert_eq!(s.states().await, "other-1 running, web-1 running");
    });
}

#[test]
fn orphans_are_told_and_removed_when_asked() {
    scenario(
        "a service that left the file is warned about, and removed with --remove-orphans",
        &["busybox"],
        async |s| {
            s.file("compose.yaml", PAIR);
            s.env("LEVEL", "low");
            s.compose(["up", "-d"]).await.succeeds().does_not_say("orphan");
            s.file("compose.yaml", &PAIR.replace("  other:", "  another:"));
            s.compose(["up", "-d"]).await.succeeds().says("orphan").says("other-1");
            assert_eq!(s.states().await, "another-1 running, other-1 running, web-1 running");
            s.compose(["up", "-d", "--remove-orphans"]).await.succeeds();
            assert_eq!(s.states().await, "another-1 running, web-1 running");
        },
    );
}

#[test]
fn the_life_of_a_container() {
    scenario("stop, start, restart, pause, kill and rm act on the same container", &["busybox"], async |s| {
        s.file("compose.yaml", PAIR);
        s.env("LEVEL", "low");
        s.compose(["create"]).await.succeeds();
        assert_eq!(s.states().await, "other-1 created, web-1 created");
        s.compose(["start"]).await.succeeds();
        assert_eq!(s.states().await, "other-1 running, web-1 running");
        let (web, other) = (s.container("web-1").await, s.container("other-1").await);
        s.compose(["stop", "web"]).await.succeeds();
        assert_eq!(s.states().await, "other-1 running, web-1 exited");
        s.compose(["start", "web"]).await.succeeds();
        s.compose(["pause"]).await.succeeds();
        assert_eq!(s.states().await, "other-1 paused, web-1 paused");
        s.compose(["unpause"]).await.succeeds();
        let started = s.container("web-1").await.started_at;
        s.compose(["restart", "web"]).await.succeeds();
        assert!(s.container("web-1").await.started_at > started);
        s.compose(["kill", "web"]).await.succeeds();
        s.wait_states("other-1 running, web-1 exited").await;
        assert_eq!(s.container("web-1").await.exit_code, 137);
        s.compose(["up", "-d"]).await.succeeds();
        assert_eq!(s.states().await, "other-1 running, web-1 running");
        assert_eq!(s.container("web-1").await.id, web.id);
        assert_eq!(s.container("other-1").await.started_at, other.started_at);
        s.compose(["rm", "--stop", "--force", "web"]).await.succeeds();
        assert_eq!(s.states().await, "other-1 running");
    });
}

#[test]
fn what_was_removed_by_hand_comes_back() {
    scenario("up mends what someone took away behind its back", &["busybox"], async |s| {
        s.file("compose.yaml", PAIR);
        s.env("LEVEL", "low");
        s.compose(["up", "-d"]).await.succeeds();
        let other = s.container("other-1").await;
        let options = bollard::query_parameters::RemoveContainerOptions { force: true, ..Default::default() };
        let web = s.name("web-1");
        s.docker.remove_container(&web, Some(options)).await.expect("a container can be removed");
        s.compose(["up", "-d"]).await.succeeds();
        assert_eq!(s.states().await, "other-1 running, web-1 running");
        assert_eq!(s.container("other-1").await, other);
    });
}

#[test]
fn down_keeps_volumes_and_down_v_does_not() {
    scenario("data outlives down, and ends with down -v; down needs no file", &["busybox"], async |s| {
        s.file("compose.yaml", PAIR);
        s.env("LEVEL", "low");
        s.compose(["up", "-d"]).await.succeeds();
        assert_eq!(networks(&s.docker, &s.project).await, [format!("{}_default", s.project)]);
        s.compose(["exec", "-T", "web", "sh", "-c", "echo precious > /data/token"]).await.succeeds();
        s.compose(["down"]).await.succeeds();
        assert_eq!(s.states().await, "");
        assert_eq!(networks(&s.docker, &s.project).await, [""; 0]);
        assert_eq!(volumes(&s.docker, &s.project).await, [format!("{}_data", s.project)]);
        s.compose(["up", "-d"]).await.succeeds();
        s.compose(["exec", "-T", "web", "cat", "/data/token"]).await.succeeds().says("precious");
        std::fs::remove_file(s.dir().join("compose.yaml")).expect("the file was written before");
        s.compose(["down", "-v"]).await.succeeds();
        s.assert_nothing_left().await;
    });
}

#[test]
fn services_find_each_other() {
    scenario(
        "a service is reached by its name and aliases on the networks that both are on, and on no other",
        &["busybox"],
        async |s| {
            s.file(
                "compose.yaml",
                "
services:
  web:
    image: $BUSYBOX
    command: sh -c 'mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www'
    stop_signal: SIGKILL
    networks: { front: { aliases: [shop] }, back: {} }
    ports: ['127.0.0.1::80']
  near: { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL, networks: [front] }
  far: { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL, networks: [apart] }
networks: { front: {}, back: { internal: true }, apart: {} }
",
            );
            s.compose(["up", "-d"]).await.succeeds();
            let web = s.container("web-1").await;
            assert_eq!(crate::http::page(web.port("80/tcp")).await, "hello\n");
            for name in ["web", "shop", &s.name("web-1")] {
                let url = format!("http://{name}/");
                s.compose(["exec", "-T", "near", "wget", "-q", "-O", "-", &url]).await.succeeds().says("hello");
            }
            s.compose(["exec", "-T", "far", "wget", "-q", "-O", "-", "http://web/"]).await.fails();
        },
    );
}

#[test]
fn exec_gives_output_and_exit_code() {
    scenario("exec uses a running container and passes on code and output", &["busybox"], async |s| {
        s.file("compose.yaml", PAIR);
        s.env("LEVEL", "low");
        s.compose(["up", "-d"]).await.succeeds();
        let run = s
            .compose(["exec", "-T", "-e", "MORE=1", "web", "sh", "-c", "echo $LEVEL $MORE; echo err >&2; exit 3"])
            .await
            .exits(3);
        assert_eq!((run.stdout.as_str(), run.stderr.lines().next()), ("low 1\n", Some("err")));
    });
}

#[test]
fn configs_and_secrets_reach_the_container() {
    scenario(
        "configs and secrets are files, from a file, from text and from the environment",
        &["busybox"],
        async |s| {
            s.file("plain.txt", "a file\n");
            s.env("TOKEN", "a secret");
            s.file(
                "compose.yaml",
                "
services:
  web:
    image: $BUSYBOX
    command: [tail, -f, /dev/null]
    stop_signal: SIGKILL
    configs: [plain, { source: text, target: /etc/text, mode: 0440 }]
    secrets: [token]
configs:
  plain: { file: ./plain.txt }
  text: { content: 'some text for ${COMPOSE_PROJECT_NAME}' }
secrets:
  token: { environment: TOKEN }
",
            );
            s.compose(["up", "-d"]).await.succeeds();
            s.compose(["exec", "-T", "web", "cat", "/plain"]).await.succeeds().says("a file");
            let text = format!("some text for {}", s.project);
            s.compose(["exec", "-T", "web", "cat", "/etc/text"]).await.succeeds().says(&text);
            s.compose(["exec", "-T", "web", "stat", "-c", "%a", "/etc/text"]).await.succeeds().says("440");
            s.compose(["exec", "-T", "web", "cat", "/run/secrets/token"]).await.succeeds().says("a secret");
        },
    );
}

#[test]
fn replicas_share_a_range_of_ports() {
    scenario("each replica gets a port of the range", &["busybox"], async |s| {
        // A range of its own for each run, far from where the system hands out ports.
        let first = 20_000 + (std::process::id() % 900) * 10;
        s.env("RANGE", format!("{first}-{}", first + 2));
        s.file(
            "compose.yaml",
            "
services:
  web:
    image: $BUSYBOX
    command: [tail, -f, /dev/null]
    stop_signal: SIGKILL
    deploy: { replicas: 3 }
    ports: ['127.0.0.1:$RANGE:80']
",
        );
        s.compose(["up", "-d"]).await.succeeds();
        let mut ports: Vec<u32> = s.containers().await.iter().map(|seen| seen.port("80/tcp").into()).collect();
        ports.sort_unstable();
        assert_eq!(ports, [first, first + 1, first + 2]);
    });
}

#[test]
fn a_changed_network_is_recreated() {
    scenario(
        "a network with another configuration is made anew, and its containers are on it",
        &["busybox"],
        async |s| {
            s.file(
                "compose.yaml",
                "
services:
  web: { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL, networks: [front] }
networks: { front: { labels: { level: $LEVEL } } }
",
            );
            s.env("LEVEL", "one");
            s.compose(["up", "-d"]).await.succeeds();
            let front = format!("{}_front", s.project);
            let before = s.docker.inspect_network(&front, None).await.expect("it is there").id;
            s.env("LEVEL", "two");
            s.compose(["up", "-d"]).await.succeeds();
            let network = s.docker.inspect_network(&front, None).await.expect("it is there again");
            assert_ne!(network.id, before);
            assert_eq!(network.labels.unwrap_or_default().get("level").map(String::as_str), Some("two"));
            assert_eq!(s.states().await, "web-1 running");
            assert_eq!(s.container("web-1").await.networks, [front]);
            s.compose(["exec", "-T", "web", "ip", "addr", "show", "eth0"]).await.succeeds();
        },
    );
}

#[test]
fn a_namespace_is_shared() {
    scenario("network_mode service:x shares the network of x, also after x was recreated", &["busybox"], async |s| {
        s.file(
            "compose.yaml",
            "
services:
  web:
    image: $BUSYBOX
    command: sh -c 'mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www'
    stop_signal: SIGKILL
    environment: { LEVEL: $LEVEL }
  side: { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL, network_mode: 'service:web' }
",
        );
        for level in ["one", "two"] {
            s.env("LEVEL", level);
            s.compose(["up", "-d"]).await.succeeds();
            let asked =
                async || match s.compose(["exec", "-T", "side", "wget", "-q", "-O", "-", "http://127.0.0.1/"]).await {
                    run if run.stdout == "hello\n" => Ok(()),
                    run => Err(run.to_string()),
                };
            eventually("side reaches web as its own host", asked).await;
        }
        let before = s.containers().await;
        s.compose(["up", "-d"]).await.succeeds();
        assert_eq!(s.containers().await, before);
    });
}
