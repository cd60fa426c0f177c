//! A scenario: a project of its own on the real engine, the binary to act on it, and what is left is removed at the end.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::{CreateImageOptions, RemoveContainerOptions, RemoveImageOptions, RemoveVolumeOptions};
use futures::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::busybox;
use crate::observe;
use crate::observe::Seen;
use crate::patience::{PATIENCE, eventually};
use crate::pty::InTerminal;
use crate::running::{Run, Running};

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// Runs `body` with a project of its own. `images` are those that must be on the engine, or be pulled.
/// Whatever happens, nothing of the project is left; after a failure the engine's view of it is printed first.
pub(crate) fn scenario(intent: &str, images: &[&str], body: impl AsyncFnOnce(&mut Scenario)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let demand = std::env::var("COMPOSE_TEST_ENGINE").unwrap_or_default();
    let docker = match runtime.block_on(engine()) {
        Ok(docker) => docker,
        Err(why) => {
            assert!(demand.is_empty() || demand == "0", "COMPOSE_TEST_ENGINE={demand}, but there is {why}");
            eprintln!("skipped: {why}");
            return;
        }
    };
    let mut scenario = Scenario::new(docker);
    for image in images {
        let there = match *image {
            "busybox" => runtime.block_on(busybox::have(&scenario.docker)).map(|name| scenario.env("BUSYBOX", name)),
            image => runtime.block_on(have_image(&scenario.docker, image)),
        };
        if let Err(why) = there {
            assert!(demand != "all", "COMPOSE_TEST_ENGINE={demand}, but {why}");
            eprintln!("skipped: {why}");
            return;
        }
    }
    eprintln!("intent: {intent}");
    let result = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            timeout(3 * PATIENCE, body(&mut scenario)).await.expect("the scenario ends in time");
        });
    }));
    if result.is_err() {
        runtime.block_on(scenario.report());
    }
    runtime.block_on(scenario.clean_up());
    if let Err(panic) = result {
        resume_unwind(panic);
    }
}

/// Where the tests look for the engine; the binary under test is told the same.
fn engine_host() -> String {
    std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned())
}

async fn engine() -> Result<Docker, String> {
    let host = engine_host();
    let docker = Docker::connect_with_host(&host).map_err(|error| format!("no engine at {host}: {error}"))?;
    match timeout(Duration::from_secs(5), docker.ping()).await {
        Ok(Ok(_)) => Ok(docker),
        Ok(Err(error)) => Err(format!("no engine at {host}: {error}")),
        Err(_) => Err(format!("no engine at {host}: no answer in 5 seconds")),
    }
}

/// The image is on the engine, or is pulled now.
pub(crate) async fn have_image(docker: &Docker, image: &str) -> Result<(), String> {
    if docker.inspect_image(image).await.is_ok() {
        return Ok(());
    }
    let (name, tag) = image.split_once(':').unwrap_or((image, "latest"));
    let options =
        CreateImageOptions { from_image: Some(name.to_owned()), tag: Some(tag.to_owned()), ..Default::default() };
    let mut pull = docker.create_image(Some(options), None, None);
    let done = timeout(PATIENCE, async {
        while let Some(step) = pull.next().await {
            step.map_err(|error| format!("image {image} is not on the engine and cannot be pulled: {error}"))?;
        }
        Ok(())
    });
    done.await.unwrap_or_else(|_| Err(format!("image {image} is not on the engine and did not arrive in time")))
}

/// One project on the engine and the directory with its files.
pub(crate) struct Scenario {
    pub(crate) docker: Docker,
    /// Unique on this engine; also the prefix of all that the project owns.
    pub(crate) project: String,
    root: tempfile::TempDir,
    env: BTreeMap<String, String>,
    unprivileged: bool,
}

impl Scenario {
    /// Another implementation is under test: what only ours does is not asked for.
    pub(crate) fn tests_another() -> bool {
        std::env::var_os("COMPOSE_TEST_BIN").is_some()
    }

    fn new(docker: Docker) -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let root = tempfile::Builder::new().prefix("compose-test-").tempdir().expect("a temporary directory");
        fs::create_dir(root.path().join("home")).expect("a home");
        fs::create_dir(root.path().join("project")).expect("a project directory");
        let project = format!("ct{}x{number}", std::process::id());
        Self { docker, project, root, env: BTreeMap::new(), unprivileged: false }
    }

    /// The directory of the compose file, where commands run.
    pub(crate) fn dir(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// The full name of something of this project: `web-1` → `ct1x1-web-1`.
    pub(crate) fn name(&self, short: &str) -> String {
        format!("{}-{short}", self.project)
    }

    /// Writes a file of the project; its directories are made.
    pub(crate) fn file(&mut self, path: &str, text: &str) {
        let path = self.dir().join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a directory")).expect("directories can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// Sets a variable for the commands that follow.
    pub(crate) fn env(&mut self, key: &str, value: impl Display) {
        self.env.insert(key.to_owned(), value.to_string());
    }

    /// The image with busybox, which is also in the variable `BUSYBOX`.
    pub(crate) fn busybox(&self) -> String {
        self.env.get("BUSYBOX").cloned().expect("the scenario asked for the image `busybox`")
    }

    /// The commands that follow run as nobody, if these tests run as root.
    pub(crate) fn without_privileges(&mut self) {
        self.unprivileged = rustix::process::geteuid().is_root();
        if self.unprivileged {
            for path in [self.root.path(), &self.root.path().join("home"), &self.dir()] {
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
            }
            // The binary itself may lie where nobody may look.
            fs::copy(binary(), self.root.path().join("compose")).expect("the binary can be copied");
        }
    }

    /// Copies a folder of `compose-examples/` to be the project.
    pub(crate) fn example(&mut self, name: &str) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("compose-examples").join(name);
        copy(&from, &self.dir());
    }

    fn command(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        if self.unprivileged {
            command.uid(65534).gid(65534);
        }
        command.args(args).current_dir(self.dir()).env_clear().envs(self.environment());
        command
    }

    /// The environment of all commands.
    fn environment(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::from([
            ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
            ("HOME".to_owned(), self.root.path().join("home").display().to_string()),
            ("DOCKER_HOST".to_owned(), engine_host()),
            ("COMPOSE_PROJECT_NAME".to_owned(), self.project.clone()),
            ("NO_COLOR".to_owned(), "1".to_owned()),
            ("COLUMNS".to_owned(), "100".to_owned()),
        ]);
        all.extend(self.env.clone());
        all
    }

    /// Starts the binary in a terminal.
    pub(crate) fn in_terminal(&self, args: &[&str]) -> InTerminal {
        let environment: Vec<(String, String)> = self.environment().into_iter().collect();
        InTerminal::start(&binary(), args, &self.dir(), &environment, (24, 80))
    }

    /// The same with so many rows and columns.
    pub(crate) fn in_terminal_of(&self, size: (u16, u16), args: &[&str]) -> InTerminal {
        let environment: Vec<(String, String)> = self.environment().into_iter().collect();
        InTerminal::start(&binary(), args, &self.dir(), &environment, size)
    }

    /// Starts another program in a terminal.
    pub(crate) fn other_in_terminal(&self, program: &Path, args: &[&str]) -> InTerminal {
        let environment: Vec<(String, String)> = self.environment().into_iter().collect();
        InTerminal::start(program, args, &self.dir(), &environment, (24, 80))
    }

    /// Runs the binary to its end with these bytes as input, and gives what it wrote to standard output.
    pub(crate) async fn fed<const N: usize>(&self, args: [&str; N], input: Vec<u8>) -> Vec<u8> {
        eprintln!("$ {} < {} bytes", args.join(" "), input.len());
        let mut command = self.command(&binary(), &args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let writing = async move {
            // One that ends early reads no more.
            let _ = stdin.write_all(&input).await;
        };
        let (run, ()) = tokio::join!(child.wait_with_output(), writing);
        let run = run.expect("a child can be waited for");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        run.stdout
    }

    /// Runs the binary to its end.
    #[must_use = "say .succeeds() or .fails()"]
    pub(crate) async fn compose<const N: usize>(&self, args: [&str; N]) -> Run {
        self.start(args).end().await
    }

    /// Starts the binary and lets it run.
    pub(crate) fn start<const N: usize>(&self, args: [&str; N]) -> Running {
        let program = if self.unprivileged { self.root.path().join("compose") } else { binary() };
        self.start_program(&program, &args)
    }

    /// Runs another program in the environment of the scenario to its end.
    #[must_use = "say .succeeds() or .fails()"]
    pub(crate) async fn other<const N: usize>(&self, program: &Path, args: [&str; N]) -> Run {
        self.start_program(program, &args).end().await
    }

    /// Starts another program in the environment of the scenario and lets it run.
    pub(crate) fn start_other<const N: usize>(&self, program: &Path, args: [&str; N]) -> Running {
        self.start_program(program, &args)
    }

    fn start_program(&self, program: &Path, args: &[&str]) -> Running {
        let name = program.file_name().unwrap_or_default().display();
        let shown = format!("{name} {}", args.join(" "));
        Running::start(self.command(program, args), shown)
    }

    /// All containers of the project, by name.
    pub(crate) async fn containers(&self) -> Vec<Seen> {
        observe::containers(&self.docker, &self.project).await
    }

    /// The container with this short name, like `web-1`.
    pub(crate) async fn container(&self, short: &str) -> Seen {
        let name = self.name(short);
        let all = self.containers().await;
        let names: Vec<String> = all.iter().map(|seen| seen.name.clone()).collect();
        all.into_iter().find(|seen| seen.name == name).unwrap_or_else(|| panic!("no container {name}, only {names:?}"))
    }

    /// `web-1 running, web-2 exited`: the containers' short names and states, by name.
    pub(crate) async fn states(&self) -> String {
        let prefix = format!("{}-", self.project);
        let all = self.containers().await;
        let states = all.iter().map(|seen| format!("{} {}", seen.name.trim_start_matches(&prefix), seen.state));
        states.collect::<Vec<_>>().join(", ")
    }

    /// Waits until the containers are as [`states`](Self::states) would say it.
    pub(crate) async fn wait_states(&self, wanted: &str) {
        eventually(wanted, async || match self.states().await {
            states if states == wanted => Ok(()),
            states => Err(states),
        })
        .await;
    }

    /// Nothing with the project's label is there: no container, network or volume.
    pub(crate) async fn assert_nothing_left(&self) {
        let containers: Vec<String> = self.containers().await.into_iter().map(|seen| seen.name).collect();
        assert_eq!(containers, [""; 0], "containers are left");
        assert_eq!(observe::networks(&self.docker, &self.project).await, [""; 0], "networks are left");
        assert_eq!(observe::volumes(&self.docker, &self.project).await, [""; 0], "volumes are left");
    }

    /// Prints the engine's view of the project.
    async fn report(&self) {
        eprintln!("--- the engine's view of {} ---", self.project);
        for seen in self.containers().await {
            let Seen { name, id, state, health, exit_code, .. } = &seen;
            eprintln!("{name} {state} {health} exit code {exit_code} ({})", id.get(..12).unwrap_or(id));
            for line in observe::last_lines(&self.docker, id).await.lines() {
                eprintln!("    {line}");
            }
        }
        eprintln!("networks: {:?}", observe::networks(&self.docker, &self.project).await);
        eprintln!("volumes: {:?}", observe::volumes(&self.docker, &self.project).await);
    }

    async fn clean_up(&self) {
        for seen in self.containers().await {
            let options = RemoveContainerOptions { force: true, v: true, ..Default::default() };
            let _ = self.docker.remove_container(&seen.id, Some(options)).await;
        }
        for network in observe::networks(&self.docker, &self.project).await {
            let _ = self.docker.remove_network(&network).await;
        }
        for volume in observe::volumes(&self.docker, &self.project).await {
            let _ = self.docker.remove_volume(&volume, None::<RemoveVolumeOptions>).await;
        }
        for image in observe::images(&self.docker, &self.project).await {
            let _ = self.docker.remove_image(&image, None::<RemoveImageOptions>, None).await;
        }
    }
}

/// The program under test.
fn binary() -> PathBuf {
    std::env::var_os("COMPOSE_TEST_BIN").map_or_else(|| env!("CARGO_BIN_EXE_compose").into(), PathBuf::from)
}

/// A port of this host that is free now.
pub(crate) fn free_port() -> u16 {
    let probe = TcpListener::bind("127.0.0.1:0").expect("a free port");
    probe.local_addr().expect("a bound socket has an address").port()
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("a directory can be read");
        let to = to.join(entry.file_name());
        let kind = entry.file_type().expect("a file has a type");
        if kind.is_symlink() {
            let target = fs::read_link(entry.path()).expect("a link can be read");
            std::os::unix::fs::symlink(target, to).expect("a link can be made");
        } else if kind.is_dir() {
            fs::create_dir(&to).expect("a directory can be made");
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file can be copied");
        }
    }
}
