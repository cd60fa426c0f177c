//! Models: docker's `model` plugin pulls and configures them and tells where they are reached.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Stdio;

use async_trait::async_trait;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::external::plugin;

/// Bytes of an answer that are read; no answer is longer.
const LONGEST_ANSWER: u64 = 16 * 1024 * 1024;
/// What docker compose says without the plugin.
const NO_PLUGIN: &str = "'models' support requires Docker Model plugin";

/// A model that a project uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRequest {
    /// Its reference.
    pub model: String,
    /// Length of the context, in tokens.
    pub context_size: Option<i64>,
    /// Flags for its runtime.
    pub flags: Vec<String>,
}

/// Who makes models ready.
#[async_trait(?Send)]
pub trait Models {
    /// Has a model there and configured, telling what goes on, and gives the URL where models are reached.
    ///
    /// # Errors
    /// What went wrong, in words for the user.
    async fn configure(&self, request: &ModelRequest, say: &mut dyn FnMut(String)) -> Result<String, String>;
}

/// Docker's plugin on this machine.
#[derive(Debug)]
pub struct ModelPrograms {
    plugin_directories: Vec<PathBuf>,
    environment: BTreeMap<String, String>,
    /// Models that are there; asked once.
    present: OnceCell<Result<BTreeSet<String>, String>>,
    /// Where models are reached; asked once.
    endpoint: OnceCell<Result<String, String>>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    endpoint: String,
}

#[async_trait(?Send)]
impl Models for ModelPrograms {
    async fn configure(&self, request: &ModelRequest, say: &mut dyn FnMut(String)) -> Result<String, String> {
        let program = plugin::find(&self.plugin_directories, "model").ok_or(NO_PLUGIN)?;
        let present = self.present.get_or_init(|| self.list(&program)).await.as_ref().map_err(Clone::clone)?;
        if !present.contains(&request.model) {
            self.pull(&program, &request.model, say).await?;
        }
        let mut arguments = vec!["configure".to_owned()];
        if let Some(size) = request.context_size.filter(|size| *size > 0) {
            arguments.extend(["--context-size".to_owned(), size.to_string()]);
        }
        arguments.push(request.model.clone());
        if !request.flags.is_empty() {
            arguments.push("--".to_owned());
            arguments.extend(request.flags.iter().cloned());
        }
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.ask(&program, &words, &format!("failed to configure model {}", request.model)).await?;
        self.endpoint.get_or_init(|| self.status(&program)).await.clone()
    }
}

impl ModelPrograms {
    /// The plugin in one of these directories, run with this environment.
    pub fn new(plugin_directories: Vec<PathBuf>, environment: BTreeMap<String, String>) -> Self {
        Self { plugin_directories, environment, present: OnceCell::new(), endpoint: OnceCell::new() }
    }

    fn command(&self, program: &PathBuf) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.environment).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        command
    }

    /// Runs the plugin to its end and gives what it wrote.
    async fn ask(&self, program: &PathBuf, arguments: &[&str], failed: &str) -> Result<Vec<u8>, String> {
        let output = self.command(program).args(arguments).output().await;
        let output = output.map_err(|error| format!("{failed}: {error}"))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        let last = complaint.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        Err(if last.is_empty() { format!("{failed}: {}", output.status) } else { format!("{failed}: {last}") })
    }

    async fn list(&self, program: &PathBuf) -> Result<BTreeSet<String>, String> {
        let failed = "error checking available models";
        let answer = self.ask(program, &["ls", "--json"], failed).await?;
        let listed: Vec<Listed> = serde_json::from_slice(&answer)
            .map_err(|error| format!("failed to unmarshal available models: {error}"))?;
        Ok(listed.into_iter().flat_map(|model| model.tags).collect())
    }

    async fn status(&self, program: &PathBuf) -> Result<String, String> {
        let failed = "error checking docker-model status";
        let answer = self.ask(program, &["status", "--json"], failed).await?;
        let status: Status = serde_json::from_slice(&answer).map_err(|error| format!("{failed}: {error}"))?;
        Ok(status.endpoint)
    }

    async fn pull(&self, program: &PathBuf, model: &str, say: &mut dyn FnMut(String)) -> Result<(), String> {
        let failed = |why: String| format!("failed to pull model {model}: {why}");
        let mut child =
            self.command(program).args(["pull", model]).spawn().map_err(|error| failed(error.to_string()))?;
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(failed("it has no output".to_owned()));
        };
        say("Pulling".to_owned());
        let told = async {
            let mut out = BufReader::new(out.take(LONGEST_ANSWER));
            let mut line = Vec::new();
            // A terminal's progress is one long line whose pieces end with a carriage return.
            while out.read_until(b'\n', &mut line).await? > 0 {
                let text = String::from_utf8_lossy(&line).trim().to_owned();
                let last = text.rsplit('\r').next().unwrap_or_default();
                if !last.is_empty() {
                    say(format!("Pulling {last}"));
                }
                line.clear();
            }
            tokio::io::copy(&mut out.into_inner().into_inner(), &mut tokio::io::sink()).await?;
            Ok::<(), std::io::Error>(())
        };
        let complaints = async {
            let mut text = Vec::new();
            let mut err = err.take(LONGEST_ANSWER);
            err.read_to_end(&mut text).await?;
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&text).trim().to_owned())
        };
        let (told, complaint) = tokio::join!(told, complaints);
        told.map_err(|error| failed(error.to_string()))?;
        let status = child.wait().await.map_err(|error| failed(error.to_string()))?;
        if status.success() {
            return Ok(());
        }
        let complaint = complaint.unwrap_or_default();
        Err(failed(complaint.lines().last().map_or_else(|| status.to_string(), str::to_owned)))
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const PLUGIN: &str = r#"#!/bin/sh
echo "$@" >> "$CALLS"
case "$1" in
ls) echo '[{"id":"x","tags":["ai/small","ai/small:1"]}]' ;;
pull) echo 'got 3 MB'; [ "$2" = ai/broken ] && { echo 'no such model' >&2; exit 1; } ;;
status) echo '{"running":true,"endpoint":"http://models/v1/"}' ;;
esac
exit 0
"#;

    fn request(model: &str) -> ModelRequest {
        ModelRequest { model: model.to_owned(), context_size: Some(1024), flags: vec!["--fast".to_owned()] }
    }

    #[tokio::test]
    async fn what_is_missing_is_pulled_and_lists_are_asked_for_once() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("docker-model");
        std::fs::write(&program, PLUGIN).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let calls = directory.path().join("calls");
        let environment = [("PATH", "/usr/bin:/bin".to_owned()), ("CALLS", calls.display().to_string())];
        let environment = environment.map(|(key, value)| (key.to_owned(), value)).into();
        let models = ModelPrograms::new(vec![directory.path().to_owned()], environment);
        let mut said = Vec::new();
        let mut say = |line| said.push(line);
        assert_eq!(models.configure(&request("ai/small"), &mut say).await, Ok("http://models/v1/".to_owned()));
        assert_eq!(models.configure(&request("ai/big"), &mut say).await, Ok("http://models/v1/".to_owned()));
        let failure = models.configure(&request("ai/broken"), &mut say).await;
        assert_eq!(failure, Err("failed to pull model ai/broken: no such model".to_owned()));
        assert_eq!(said, ["Pulling", "Pulling got 3 MB", "Pulling", "Pulling got 3 MB"]);
        assert_eq!(
            String::from_utf8(std::fs::read(calls).unwrap()).unwrap(),
            "ls --json\nconfigure --context-size 1024 ai/small -- --fast\nstatus --json\npull ai/big\n\
             configure --context-size 1024 ai/big -- --fast\npull ai/broken\n"
        );
    }

    #[tokio::test]
    async fn without_the_plugin_the_words_are_docker_composes() {
        let models = ModelPrograms::new(Vec::new(), BTreeMap::new());
        assert_eq!(models.configure(&request("ai/small"), &mut |_| {}).await, Err(NO_PLUGIN.to_owned()));
    }
}
