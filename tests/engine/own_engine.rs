//! A second engine that a test may kill: in namespaces of its own, so that it never meets the one that runs on this
//! machine. An engine takes the bridges and rules of its network namespace for its own.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use bollard::Docker;

use crate::patience::eventually;

/// Does what it is told by lines of input; at their end it ends, and all in its namespaces with it, containers too.
const SUPERVISOR: &str = r#"
mount -t tmpfs none /run
while read -r word; do
  case $word in
  start) dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" -H "unix://$1/engine.sock" \
    --live-restore </dev/null >>"$1/log" 2>&1 & engine=$! ;;
  kill) kill -KILL "$engine" && wait "$engine" || rm -f "$1/pid" ;;
  esac
done
"#;

/// An engine whose containers outlive it.
pub(crate) struct OwnEngine {
    pub(crate) docker: Docker,
    supervisor: Supervisor,
}

/// Ends its engine when it is dropped.
struct Supervisor {
    process: Child,
    root: tempfile::TempDir,
}

impl OwnEngine {
    /// Starts it; an error says why this machine can not have it.
    pub(crate) async fn start() -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("only root may start an engine".to_owned());
        }
        let on_path = |name: &str| {
            std::env::var_os("PATH")
                .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
        };
        if let Some(missing) = ["dockerd", "containerd", "runc", "unshare"].into_iter().find(|name| !on_path(name)) {
            return Err(format!("{missing} is not on this machine"));
        }
        let root = tempfile::Builder::new().prefix("compose-engine-").tempdir().expect("a temporary directory");
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", SUPERVISOR, "supervisor"]);
        command.arg(root.path()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A Ctrl-C for the tests is not one for it: it ends with its input.
        command.process_group(0);
        let mut supervisor =
            Supervisor { process: command.spawn().map_err(|error| format!("no unshare: {error}"))?, root };
        let docker = supervisor.revive().await;
        Ok(Self { docker, supervisor })
    }

    /// The value for `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}/engine.sock", self.supervisor.root.path().display())
    }

    /// Kills it; its containers run on.
    pub(crate) async fn kill(&mut self) {
        self.supervisor.tell("kill");
        eventually("the engine is gone", async || match self.docker.ping().await {
            Ok(_) => Err("it answers".to_owned()),
            Err(_) => Ok(()),
        })
        .await;
    }

    /// Starts it again.
    pub(crate) async fn revive(&mut self) {
        self.docker = self.supervisor.revive().await;
    }
}

impl Supervisor {
    async fn revive(&mut self) -> Docker {
        self.tell("start");
        let socket = self.root.path().join("engine.sock").display().to_string();
        eventually("the engine answers", async || {
            let docker = Docker::connect_with_unix(&socket, 60, bollard::API_DEFAULT_VERSION);
            let docker = docker.map_err(|error| self.complaint(&error))?;
            docker.ping().await.map_err(|error| self.complaint(&error))?;
            Ok(docker)
        })
        .await
    }

    fn complaint(&self, error: &bollard::errors::Error) -> String {
        let log = fs::read_to_string(self.root.path().join("log")).unwrap_or_default();
        let tail = log.lines().rev().take(5).collect::<Vec<_>>().join("\n");
        format!("{error}; the last it wrote:\n{tail}")
    }

    fn tell(&mut self, word: &str) {
        eprintln!("the other engine: {word}");
        let stdin = self.process.stdin.as_mut().expect("stdin is piped");
        writeln!(stdin, "{word}").expect("the supervisor reads");
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It is over when the last process of its namespaces is.
        let _ = self.process.wait();
    }
}
