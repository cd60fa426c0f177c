//! What commands tell about a real project.

use serde_json::Value;

use crate::scenario::scenario;

const TWO: &str = "
x-idle: &idle { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL }
services:
  web:
    <<: *idle
    ports: ['127.0.0.1::80']
    healthcheck: { test: 'true', interval: 100ms }
  other: { <<: *idle, deploy: { resources: { limits: { memory: 64M } } } }
";

/// One JSON value per line.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn ps() {
    scenario("ps tells names, states, health and ports, as a table and as JSON", &["busybox"], async |s| {
        s.file("compose.yaml", TWO);
        s.compose(["up", "-d", "--wait"]).await.succeeds();
        s.compose(["stop", "other"]).await.succeeds();
        let port = s.container("web-1").await.port("80/tcp");

        let run = s.compose(["ps", "--format", "json"]).await.succeeds();
        let [web] = &lines(&run.stdout)[..] else { panic!("only web runs") };
        let text = |key: &str| web[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (text("Name"), text("Service"), text("Project")),
            (s.name("web-1"), "web".to_owned(), s.project.clone())
        );
        assert_eq!((text("State"), text("Health")), ("running".to_owned(), "healthy".to_owned()));
        assert_eq!(web["Publishers"][0]["PublishedPort"], port);
        assert_eq!(web["Publishers"][0]["TargetPort"], 80);
        assert!(s.container("web-1").await.id.starts_with(&text("ID")));

        let run = s.compose(["ps", "-a", "--format", "{{.Service}} {{.State}} {{.ExitCode}}"]).await.succeeds();
        let mut rows: Vec<&str> = run.stdout.lines().collect();
        rows.sort_unstable();
        assert_eq!(rows, ["other exited 137", "web running 0"]);

        let run = s.compose(["ps"]).await.succeeds().does_not_say("other");
        let heading: Vec<&str> = run.stdout.lines().next().unwrap_or_default().split_whitespace().collect();
        assert_eq!(heading, ["NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"]);
        run.says("(healthy)").says(&format!("127.0.0.1:{port}->80/tcp"));
        let run = s.compose(["ps", "-q"]).await.succeeds();
        assert_eq!(run.stdout.trim(), s.container("web-1").await.id);
    });
}

#[test]
fn stats() {
    scenario("stats --no-stream gives one row per running container, with its limit", &["busybox"], async |s| {
        s.file("compose.yaml", TWO);
        s.compose(["up", "-d"]).await.succeeds();
        let run = s.compose(["stats", "--no-stream"]).await.succeeds().says("MEM USAGE / LIMIT");
        assert_eq!(run.stdout.lines().count(), 3);
        run.says(&s.name("web-1")).says(&s.name("other-1")).says("/ 64MiB");
        let run = s.compose(["stats", "--no-stream", "--format", "json", "other"]).await.succeeds();
        let [other] = &lines(&run.stdout)[..] else { panic!("one service was asked for") };
        assert_eq!(other["Name"], s.name("other-1"));
    });
}

#[test]
fn small_ones() {
    scenario("port, top, images, ls and config answer for a running project", &["busybox"], async |s| {
        s.file("compose.yaml", TWO);
        s.compose(["up", "-d"]).await.succeeds();
        let port = s.container("web-1").await.port("80/tcp");
        let run = s.compose(["port", "web", "80"]).await.succeeds();
        assert_eq!(run.stdout, format!("127.0.0.1:{port}\n"));
        s.compose(["top", "web"]).await.succeeds().says("tail -f /dev/null");
        s.compose(["images"]).await.succeeds().says("REPOSITORY").says(&s.name("web-1"));
        let run = s.compose(["ls", "--format", "json"]).await.succeeds();
        let all: Value = serde_json::from_str(&run.stdout).expect("ls answers in JSON");
        let ours = all.as_array().into_iter().flatten().find(|project| project["Name"] == s.project.as_str());
        assert_eq!(ours.expect("the project is listed")["Status"], "running(2)");
        let run = s.compose(["config", "--services"]).await.succeeds();
        assert_eq!(run.stdout.lines().collect::<std::collections::BTreeSet<_>>(), ["other", "web"].into());
        s.compose(["version", "--short"]).await.succeeds();
    });
}
