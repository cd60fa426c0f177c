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
