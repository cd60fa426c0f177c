//! `docker compose` is this program: docker's own command line runs it as a plugin.

use std::path::PathBuf;

use rustix::process::Signal;

use crate::scenario::{Scenario, scenario};

const PROJECT: &str = "
services:
  web: { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL, init: true }
  talk: { image: $BUSYBOX, command: [sh, -c, 'echo I speak; exec tail -f /dev/null'], stop_signal: SIGKILL, profiles: [talk] }
";

/// docker's command line, if it is on this machine and this program is what is tested.
fn docker() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join("docker")).find(|program| program.exists());
    if found.is_none() || Scenario::tests_another() {
        eprintln!("skipped: no docker command on this machine, or another program is tested");
        return None;
    }
    found
}

#[test]
fn docker_runs_it() {
    let Some(docker) = docker() else { return };
    scenario("`docker compose` does what `compose` does", &["busybox"], async |s| {
        s.file("compose.yaml", PROJECT);
        let installed = s.compose(["install-plugin"]).await.succeeds().stdout;
        assert!(installed.contains("/.docker/cli-plugins/docker-compose is now a link to"), "{installed}");
        let again = s.compose(["install-plugin"]).await.succeeds().stdout;
        assert!(again.contains("leads here already"), "{again}");

        let version = s.other(&docker, ["compose", "version"]).await.succeeds().stdout;
        assert!(version.contains("(compose "), "another compose answers: {version}");
        let plugins = s.other(&docker, ["info", "--format", "{{json .ClientInfo.Plugins}}"]).await.succeeds().stdout;
        assert!(plugins.contains(r#""Vendor":"compose""#), "docker knows the plugin: {plugins}");

        s.other(&docker, ["compose", "up", "-d"]).await.succeeds();
        s.wait_states("web-1 running").await;
        let names = s.other(&docker, ["compose", "ps", "--format", "{{.Name}}"]).await.succeeds().stdout;
        assert_eq!(names, format!("{}\n", s.name("web-1")));
        let said = s.other(&docker, ["--log-level", "error", "compose", "exec", "-T", "web", "echo", "hello"]).await;
        assert_eq!(said.succeeds().stdout, "hello\n");
        let code = s.other(&docker, ["compose", "exec", "-T", "web", "sh", "-c", "exit 7"]).await;
        let _ = code.exits(7);
        let candidates = s.other(&docker, ["__complete", "compose", "up", "w"]).await.succeeds().stdout;
        assert!(candidates.starts_with("web\t") && candidates.ends_with(":4\n"), "{candidates}");
        let help = s.other(&docker, ["compose", "up", "--help"]).await.succeeds().stdout;
        assert!(help.contains("Usage:  docker compose up [OPTIONS] [SERVICE...]"), "{help}");
        s.other(&docker, ["compose", "down"]).await.succeeds();
        s.assert_nothing_left().await;

        s.compose(["install-plugin", "--remove"]).await.succeeds();
    });
}

#[test]
fn docker_asks_it_everything_else() {
    let Some(docker) = docker() else { return };
    scenario(
        "all of docker's plugin protocol is answered, also in a directory of one's own",
        &["busybox"],
        async |s| {
            s.file("compose.yaml", PROJECT);
            let config = s.dir().join("config");
            s.env("DOCKER_CONFIG", config.display());
            s.compose(["install-plugin"]).await.succeeds();
            assert!(config.join("cli-plugins/docker-compose").is_symlink());

            let list = s.other(&docker, ["--help"]).await.succeeds().stdout;
            assert!(list.contains("compose*"), "docker offers it: {list}");
            for arguments in [["compose", "--help"], ["help", "compose"]] {
                let help = s.other(&docker, arguments).await.succeeds().stdout;
                assert!(help.contains("Usage:  docker compose [OPTIONS] COMMAND"), "{help}");
            }
            let short = s.other(&docker, ["compose", "version", "--short"]).await.succeeds().stdout;
            assert_eq!(short.trim().split('.').count(), 3, "{short}");
            let json = s.other(&docker, ["compose", "version", "--format", "json"]).await.succeeds().stdout;
            assert!(json.contains(&format!("\"version\":\"{}\"", short.trim())), "{json}");
            // docker passes it on as `__complete`; asked itself, this program keeps to what was asked.
            s.other(&docker, ["__completeNoDesc", "compose", "up", "w"]).await.succeeds().says("web");
            let candidates = s.compose(["__completeNoDesc", "compose", "up", "w"]).await.succeeds().stdout;
            assert_eq!(candidates, "web\n:4\n");
            // docker's own flags stand before the word.
            let host = "unix:///var/run/docker.sock";
            let directory = config.display().to_string();
            let flags = ["--config", &directory, "--context", "default", "-l", "error", "compose", "ls", "-q"];
            let _ = s.other(&docker, flags).await.succeeds();
            let _ = s.other(&docker, ["-H", host, "compose", "config", "--quiet"]).await.succeeds();
            let _ =
                s.other(&docker, ["compose", "nope"]).await.exits(1).says("unknown docker command: \"compose nope\"");

            // A plugin that wants to say something after other commands is asked by them; this one has nothing to say.
            let said = s.dir().join("asked").display().to_string();
            let program = std::fs::read_link(config.join("cli-plugins/docker-compose")).expect("a link");
            let wrapper = format!("#!/bin/sh\necho \"$@\" >>{said}\nexec {} \"$@\"\n", program.display());
            s.file("wrapper", &wrapper);
            s.file(
            "config/config.json",
            r#"{"features": {"hooks": "true"}, "plugins": {"compose": {"hooks": "version", "error-hooks": "version"}}}"#,
        );
            let script = "chmod +x wrapper && ln -sf $PWD/wrapper config/cli-plugins/docker-compose";
            s.other(&PathBuf::from("sh"), ["-c", script]).await.succeeds();
            let screen = s.other_in_terminal(&docker, &["version", "--format", "only this"]).exits(Some(0)).await;
            assert_eq!(screen.trim(), "only this");
            // Dockers before 28 know no hooks, or keep them to themselves.
            let asked = std::fs::read_to_string(&said).unwrap_or_default();
            eprintln!("docker asked: {asked}");
            s.other(&PathBuf::from("rm"), ["config/cli-plugins/docker-compose"]).await.succeeds();
            s.compose(["install-plugin"]).await.succeeds();
            let hook = r#"{"RootCmd":"ps","Flags":{"quiet":"true"},"CommandError":""}"#;
            let answer = s.compose(["compose", "docker-cli-plugin-hooks", hook]).await.succeeds();
            assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("{\"Type\":0,\"Template\":\"\"}\n", ""));
            s.compose(["install-plugin", "--remove"]).await.succeeds();
        },
    );
}

#[test]
fn tilts_calls() {
    let Some(docker) = docker() else { return };
    scenario("Tilt's calls work with the file on standard input", &["busybox"], async |s| {
        s.compose(["install-plugin"]).await.succeeds();
        s.file("on-stdin", "
services:
  web: { image: $IMAGE, command: [tail, -f, /dev/null], stop_signal: SIGKILL, volumes: ['./shared:/shared'] }
  built: { build: { context: ., args: { BASE: $IMAGE } }, command: [tail, -f, /dev/null], stop_signal: SIGKILL, profiles: [dev] }
");
        s.file("there/tilt.env", &format!("IMAGE={}\n", s.busybox()));
        s.file("there/Dockerfile", "ARG BASE\nFROM $BASE\n");
        s.file("there/shared/word", "shared");
        let before = format!(
            "{} compose --project-name {} --project-directory {} --env-file there/tilt.env -f - --profile dev",
            docker.display(),
            s.project,
            s.dir().join("there").display()
        );
        let shell = PathBuf::from("sh");
        for call in [
            "config",
            "build built",
            "--verbose up --no-deps --remove-orphans --no-build -d built",
            "up --no-deps --remove-orphans --no-build -d web --wait",
        ] {
            s.other(&shell, ["-c", &format!("{before} {call} <on-stdin")]).await.succeeds();
        }
        s.wait_states("built-1 running, web-1 running").await;
        let ids = s.other(&shell, ["-c", &format!("{before} ps -a -q web <on-stdin")]).await.succeeds().stdout;
        assert_eq!(ids.trim(), s.container("web-1").await.id);
        let word = s.other(&docker, ["exec", ids.trim(), "cat", "/shared/word"]).await.succeeds().stdout;
        assert_eq!(word, "shared");
        let mut events = s.start_other(&shell, ["-c", &format!("exec {before} events --json <on-stdin")]);
        // The stream begins somewhere in time: something happens until it is seen.
        let restart = format!("i=0; while [ $i -lt 3 ]; do {before} restart -t 0 web <on-stdin; i=$((i+1)); done");
        s.other(&shell, ["-c", &restart]).await.succeeds();
        events.says("\"action\":\"start\"").await;
        events.signal(Signal::INT);
        let told = events.end().await;
        let lines = told.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        for event in lines {
            assert_eq!((&event["type"], &event["service"]), (&"container".into(), &"web".into()), "{event}");
            assert_eq!(event["attributes"]["name"], s.name("web-1").as_str(), "{event}");
        }
        s.other(&shell, ["-c", &format!("{before} rm --stop --force web <on-stdin")]).await.succeeds();
        s.wait_states("built-1 running").await;
        s.other(&shell, ["-c", &format!("{before} down --remove-orphans --volumes --rmi local <on-stdin")])
            .await
            .succeeds();
        s.assert_nothing_left().await;
        s.compose(["install-plugin", "--remove"]).await.succeeds();
    });
}

#[test]
fn docker_passes_an_interrupt_on() {
    let Some(docker) = docker() else { return };
    scenario("without a terminal docker closes a connection, and the project is stopped", &["busybox"], async |s| {
        s.file("compose.yaml", PROJECT);
        s.compose(["install-plugin"]).await.succeeds();
        let mut up = s.start_other(&docker, ["compose", "--profile", "talk", "up"]);
        up.says("I speak").await;
        s.wait_states("talk-1 running, web-1 running").await;
        up.signal(Signal::INT);
        let _ = up.end().await.exits(130);
        s.wait_states("talk-1 exited, web-1 exited").await;
    });
}
