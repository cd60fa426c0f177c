//! What other programs give: services that a provider provides, models, and steps that run before a service starts.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::scenario::{Scenario, scenario};

/// Writes down how it was called; `$FAILS` makes it fail.
const PROVIDER: &str = r#"#!/bin/sh
echo "$@" >> "$CALLS"
case "$2" in metadata) exit 1;; esac
echo '{"type":"info","message":"making it"}'
[ -n "$FAILS" ] && { echo '{"type":"error","message":"no quota"}'; exit 1; }
[ "$3" = up ] && echo "{\"type\":\"setenv\",\"message\":\"URL=http://$ANSWER\"}"
exit 0
"#;

const MODELS: &str = r#"#!/bin/sh
[ "$1" = docker-cli-plugin-metadata ] && { echo '{"SchemaVersion":"0.1.0","Vendor":"x","Version":"v1.0"}'; exit 0; }
echo "$@" >> "$CALLS"
case "$1" in
ls) echo '[{"id":"x","tags":["ai/small"]}]';;
status) echo '{"running":true,"endpoint":"http://models/v1/"}';;
esac
exit 0
"#;

/// Puts a program next to the project and gives its directory.
fn program(s: &mut Scenario, name: &str, text: &str) -> String {
    s.file(&format!("bin/{name}"), text);
    let path = s.dir().join("bin").join(name);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    s.env("CALLS", s.dir().join("calls").display());
    path.parent().expect("it lies in a directory").display().to_string()
}

fn calls(s: &Scenario) -> String {
    fs::read_to_string(s.dir().join("calls")).unwrap_or_default().replace(&s.project, "P")
}

#[test]
fn a_provider_is_asked_and_its_variables_reach_dependents() {
    scenario("a provider is asked up and down, and dependents get its variables", &["busybox"], async |s| {
        let bin = program(s, "testcloud", PROVIDER);
        s.env("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap_or_default()));
        s.env("ANSWER", "one");
        s.file(
            "compose.yaml",
            "
services:
  web: {image: $BUSYBOX, command: tail -f /dev/null, stop_signal: SIGKILL, depends_on: [my-db]}
  my-db: {provider: {type: testcloud, options: {size: 3, tags: [a, b]}}}
",
        );
        s.compose(["up", "-d"]).await.succeeds().says("my-db").says("making it");
        let web = s.container("web-1").await;
        assert!(web.env.contains(&"MY-DB_URL=http://one".to_owned()), "{:?}", web.env);
        assert!(calls(s).contains("compose --project-name=P up --size=3 --tags=a --tags=b my-db"), "{}", calls(s));
        s.compose(["up", "-d"]).await.succeeds();
        assert_eq!(s.container("web-1").await, web, "the same answer changes nothing");
        s.env("ANSWER", "two");
        s.compose(["up", "-d"]).await.succeeds();
        let web = s.container("web-1").await;
        assert!(web.env.contains(&"MY-DB_URL=http://two".to_owned()), "{:?}", web.env);
        s.env("FAILS", 1);
        s.compose(["up", "-d"]).await.fails().says("no quota");
        s.env("FAILS", "");
        s.compose(["down"]).await.succeeds().says("my-db");
        assert!(calls(s).contains("compose --project-name=P down --size=3 --tags=a --tags=b my-db"), "{}", calls(s));
        s.assert_nothing_left().await;
    });
}

#[test]
fn models_are_made_ready_and_services_know_where_they_are() {
    scenario(
        "docker's model plugin is asked, and services get name and URL of their models",
        &["busybox"],
        async |s| {
            s.file(
                "compose.yaml",
                "
services:
  web: {image: $BUSYBOX, command: tail -f /dev/null, stop_signal: SIGKILL, models: {llm: }}
models:
  llm: {model: ai/small, context_size: 1024}
",
            );
            s.env("DOCKER_CONFIG", s.dir().join("none").display());
            let missing = "'models' support requires Docker Model plugin";
            s.compose(["up", "-d"]).await.fails().says(missing);
            s.assert_nothing_left().await;
            let bin = program(s, "docker-model", MODELS);
            s.file("config/config.json", &format!(r#"{{"cliPluginsExtraDirs": ["{bin}"]}}"#));
            s.env("DOCKER_CONFIG", s.dir().join("config").display());
            s.compose(["up", "-d"]).await.succeeds();
            let web = s.container("web-1").await;
            for variable in ["LLM_MODEL=ai/small", "LLM_URL=http://models/v1/"] {
                assert!(web.env.contains(&variable.to_owned()), "{:?}", web.env);
            }
            assert_eq!(calls(s), "ls --json\nconfigure --context-size 1024 ai/small\nstatus --json\n");
            s.compose(["up", "-d"]).await.succeeds();
            assert_eq!(s.container("web-1").await, web);
        },
    );
}

#[test]
fn steps_run_before_a_service_starts() {
    scenario(
        "pre_start steps see the volumes and variables of their service, and stop it when they fail",
        &["busybox"],
        async |s| {
            if Scenario::tests_another() {
                return;
            }
            s.file(
                "compose.yaml",
                "
services:
  web:
    image: $BUSYBOX
    command: tail -f /dev/null
    stop_signal: SIGKILL
    environment: {A: one}
    volumes: ['data:/data']
    pre_start:
      - {command: [sh, -c, 'echo $$A $$B >> /data/log'], environment: {B: two}}
      - {command: [sh, -c, 'echo second >> /data/log; echo $FAILS says it fails; exit $FAILS']}
volumes: {data: {}}
",
            );
            s.env("FAILS", 3);
            let failed = s.compose(["up", "-d"]).await.fails();
            failed.says("service \"web\" pre_start[1] exited with code 3").says("3 says it fails");
            assert_eq!(s.states().await, "web-1 created, web-pre_start-1 exited");
            s.env("FAILS", 0);
            s.compose(["up", "-d"]).await.succeeds();
            assert_eq!(s.states().await, "web-1 running");
            let log = "one two\nsecond\n".repeat(2);
            assert_eq!(s.compose(["exec", "-T", "web", "cat", "/data/log"]).await.succeeds().stdout, log);
            s.compose(["up", "-d"]).await.succeeds();
            assert_eq!(s.compose(["exec", "-T", "web", "cat", "/data/log"]).await.succeeds().stdout, log);
            s.compose(["stop"]).await.succeeds();
            s.compose(["start"]).await.succeeds();
            let log = "one two\nsecond\n".repeat(3);
            assert_eq!(s.compose(["exec", "-T", "web", "cat", "/data/log"]).await.succeeds().stdout, log);
        },
    );
}
