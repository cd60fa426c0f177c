//! Tools that call docker compose, run for real: what they ask for is done, and they can read what is answered.
//!
//! They come from PyPI into `target/`. Without python3, docker's command or the network the tests say so and skip,
//! unless `COMPOSE_TEST_TOOLS=1` asks for them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::patience::PATIENCE;
use crate::scenario::{Scenario, scenario};

const PROJECT: &str = "
services:
  web:
    image: $BUSYBOX
    command: [sh, -c, 'mkdir /www; echo hello > /www/index.html; exec httpd -f -h /www']
    stop_signal: SIGKILL
    init: true
    ports: ['127.0.0.1::80']
    healthcheck: { test: [CMD, wget, -q, -O, /dev/null, 'http://127.0.0.1/'], interval: 1s, start_period: 10s, start_interval: 200ms }
  once: { image: $BUSYBOX, command: ['true'] }
";

/// The environment with the tools, or why there is none. Made once for all tests.
fn tools() -> &'static Result<PathBuf, String> {
    static TOOLS: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let has = |program: &str| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| folder.join(program).exists())
        };
        if let Some(missing) = ["python3", "docker", "bash"].into_iter().find(|program| !has(program)) {
            return Err(format!("{missing} is not on this machine"));
        }
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tools");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine/tools/prepare");
        let prepared = Command::new(script).arg(&directory).output().map_err(|error| error.to_string())?;
        if prepared.status.success() {
            return Ok(directory);
        }
        let why = String::from_utf8_lossy(&prepared.stderr).trim().to_owned();
        Err(format!("the tools can not be installed: {}", why.lines().last().unwrap_or("no reason given")))
    })
}

/// Runs `body` with a project and `docker compose` being this program; `body` gets the tools' directory.
fn with_tools(intent: &str, body: impl AsyncFnOnce(&mut Scenario, &Path)) {
    if Scenario::tests_another() {
        eprintln!("skipped: another program is tested");
        return;
    }
    let directory = match tools() {
        Ok(directory) => directory,
        Err(why) => {
            let demand = std::env::var("COMPOSE_TEST_TOOLS").unwrap_or_default();
            assert!(demand.is_empty() || demand == "0", "COMPOSE_TEST_TOOLS={demand}, but {why}");
            eprintln!("skipped: {why}");
            return;
        }
    };
    scenario(intent, &["busybox"], async |s| {
        s.file("compose.yaml", PROJECT);
        s.compose(["install-plugin"]).await.succeeds();
        body(s, directory).await;
        s.assert_nothing_left().await;
    });
}

/// A file beside this one.
fn part(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine/tools").join(name).display().to_string()
}

#[test]
fn testcontainers() {
    with_tools("testcontainers starts, asks and stops a project", async |s, tools| {
        let python = tools.join("venv/bin/python");
        s.other(&python, [part("testcontainers_compose.py").as_str()]).await.succeeds().says("done");
    });
}

#[test]
fn python_on_whales() {
    with_tools("python-on-whales goes through the life of a project", async |s, tools| {
        let python = tools.join("venv/bin/python");
        s.other(&python, [part("python_on_whales_compose.py").as_str()]).await.succeeds().says("done");
    });
}

#[test]
fn pytest_docker() {
    with_tools("pytest-docker's fixtures start a project and find its port", async |s, tools| {
        let python = tools.join("venv/bin/python");
        let name = s.project.clone();
        s.file("name", &name);
        let arguments =
            ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", &part("pytest_docker_project.py")];
        s.other(&python, arguments).await.succeeds().says("1 passed");
    });
}

/// Runs a playbook to its end.
async fn play(s: &mut Scenario, tools: &Path, book: &str) {
    let playbook = tools.join("venv/bin/ansible-playbook");
    s.env("PROJECT_DIRECTORY", s.dir().display().to_string());
    s.env("ANSIBLE_COLLECTIONS_PATH", tools.join("collections").display());
    s.env("ANSIBLE_LOCALHOST_WARNING", "False");
    s.env("ANSIBLE_INVENTORY_UNPARSED_WARNING", "False");
    s.env("ANSIBLE_PYTHON_INTERPRETER", tools.join("venv/bin/python").display());
    s.env("LC_ALL", "C.UTF-8");
    // Ansible starts a Python for each of its many tasks.
    let run = s.start_other(&playbook, ["-v", &part(book)]);
    run.end_within(2 * PATIENCE).await.succeeds().says("failed=0");
}

#[test]
fn ansible() {
    with_tools("Ansible's modules change what is to be changed, and see it", async |s, tools| {
        play(s, tools, "playbook.yaml").await;
    });
}

#[test]
fn ansible_images_and_commands() {
    with_tools("Ansible's modules build, pull, run and exec", async |s, tools| {
        s.file(
            "compose.yaml",
            "
services:
  built:
    build: { context: ., args: { BASE: $BUSYBOX } }
    command: [tail, -f, /dev/null]
    stop_signal: SIGKILL
  broken: { build: { dockerfile_inline: \"FROM $BUSYBOX\\nRUN exit 3\" } }
  tagged: { image: $TAGGED, depends_on: [built], ports: ['127.0.0.1::80'] }
  nowhere: { image: '127.0.0.1:9/nowhere:1' }
",
        );
        s.file("Dockerfile", "ARG BASE\nFROM $BASE\nRUN echo built > /built\n");
        s.file("brought/word", "brought");
        let tagged = format!("{}-tagged:1", s.project);
        s.env("TAGGED", &tagged);
        s.other(Path::new("docker"), ["tag", &s.busybox(), &tagged]).await.succeeds();
        play(s, tools, "playbook_images.yaml").await;
        s.other(Path::new("docker"), ["rmi", &tagged]).await.succeeds();
    });
}
