//! Programs that provide services: asked to bring one up or down, they answer with lines of JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use async_trait::async_trait;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use crate::external::plugin;
use crate::names::{ProjectName, ServiceName};

/// More of what a failed program wrote to its standard error is not repeated.
const KEPT_ERROR: u64 = 4096;
/// A longer line is no message.
const LONGEST_LINE: u64 = 1024 * 1024;

/// What is asked of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRequest {
    /// The service that it provides.
    pub service: ServiceName,
    /// The program's type.
    pub kind: String,
    /// `up`, `down`, `stop`.
    pub verb: String,
    /// `--key=value`, in order.
    pub options: Vec<String>,
}

/// Who runs the programs that provide services.
#[async_trait(?Send)]
pub trait Providers {
    /// Runs one to its end, telling what it says, and gives the variables it sets for dependents.
    ///
    /// # Errors
    /// What went wrong, in words for the user.
    async fn run(
        &self,
        request: &ProviderRequest,
        say: &mut dyn FnMut(String),
    ) -> Result<Vec<(String, String)>, String>;
}

/// The programs of this machine.
#[derive(Clone, Debug)]
pub struct ProviderPrograms {
    /// For which project.
    pub project: ProjectName,
    /// Where docker's plugins lie; looked through first, for `docker-<type>`.
    pub plugin_directories: Vec<PathBuf>,
    /// The environment that they get; its `PATH` is looked through for `<type>`.
    pub environment: BTreeMap<String, String>,
}

/// What a provider says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    up: Option<Verb>,
    down: Option<Verb>,
    stop: Option<Verb>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Verb {
    parameters: Vec<Parameter>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parameter {
    name: String,
    required: bool,
}

impl Metadata {
    fn verb(&self, verb: &str) -> Option<&Verb> {
        match verb {
            "up" => self.up.as_ref(),
            "down" => self.down.as_ref(),
            "stop" => self.stop.as_ref(),
            _ => None,
        }
    }
}

/// A line of a provider.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    message: String,
}

#[async_trait(?Send)]
impl Providers for ProviderPrograms {
    async fn run(
        &self,
        request: &ProviderRequest,
        say: &mut dyn FnMut(String),
    ) -> Result<Vec<(String, String)>, String> {
        let program = self.find(&request.kind)?;
        let metadata = self.metadata(&program).await;
        if request.verb == "stop" && metadata.as_ref().is_none_or(|metadata| metadata.stop.is_none()) {
            return Ok(Vec::new());
        }
        let options = match metadata.as_ref().and_then(|metadata| metadata.verb(&request.verb)) {
            Some(verb) => checked(verb, request)?,
            None => request.options.clone(),
        };
        let mut command = self.command(&program);
        command.arg(format!("--project-name={}", self.project)).arg(&request.verb).args(options);
        command.arg(request.service.as_str());
        self.talk(command, request, say).await
    }
}

impl ProviderPrograms {
    fn find(&self, kind: &str) -> Result<PathBuf, String> {
        // compose itself is a plugin, too: it must not call itself.
        if kind == "compose" || kind.is_empty() || kind.contains(['/', '\\']) {
            return Err(format!("'{kind}' is not a valid provider type"));
        }
        let plain = format!("{kind}{}", std::env::consts::EXE_SUFFIX);
        let path = self.environment.get("PATH").map(String::as_str).unwrap_or_default();
        let mut programs = std::env::split_paths(path).map(|directory| directory.join(&plain));
        let found = plugin::find(&self.plugin_directories, kind).or_else(|| programs.find(|program| program.is_file()));
        found.ok_or_else(|| format!("exec: \"{kind}\": executable file not found in $PATH"))
    }

    fn command(&self, program: &PathBuf) -> Command {
        let mut command = Command::new(program);
        command.arg("compose").env_clear().envs(&self.environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// What the program says of itself; many say nothing, and fail when asked.
    async fn metadata(&self, program: &PathBuf) -> Option<Metadata> {
        let output = self.command(program).arg("metadata").output().await.ok()?;
        output.status.success().then(|| serde_json::from_slice(&output.stdout).ok())?
    }

    async fn talk(
        &self,
        mut command: Command,
        request: &ProviderRequest,
        say: &mut dyn FnMut(String),
    ) -> Result<Vec<(String, String)>, String> {
        let ProviderRequest { service, kind, verb, .. } = request;
        let action = match verb.as_str() {
            "up" => "create",
            "down" => "remove",
            other => other,
        };
        let failed = |why: String| format!("failed to {action} service provider: {why}");
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(failed("it has no output".to_owned()));
        };
        let mut variables = Vec::new();
        let mut problem = None;
        let answers = async {
            let mut out = BufReader::new(out);
            let mut line = Vec::new();
            while (&mut out).take(LONGEST_LINE).read_until(b'\n', &mut line).await? > 0 {
                let Ok(message) = serde_json::from_slice::<Message>(&line) else {
                    let text = String::from_utf8_lossy(&line).trim().to_owned();
                    problem.get_or_insert_with(|| failed(format!("`{kind}` said what is not a message: {text}")));
                    line.clear();
                    continue;
                };
                line.clear();
                match message.kind.as_str() {
                    "info" => say(message.message),
                    "error" => problem = Some(message.message),
                    "setenv" | "rawsetenv" => match message.message.split_once('=') {
                        Some((key, value)) if message.kind == "rawsetenv" => {
                            variables.push((key.to_owned(), value.to_owned()));
                        }
                        Some((key, value)) => {
                            let key = format!("{}_{key}", service.as_str().to_uppercase());
                            variables.push((key, value.to_owned()));
                        }
                        None => {
                            let text = format!("`{kind}` set `{}`, which is no KEY=VALUE", message.message);
                            problem = Some(failed(text));
                        }
                    },
                    // `debug`, and what later versions may say.
                    _ => {}
                }
            }
            Ok::<(), std::io::Error>(())
        };
        let complaints = async {
            let mut text = Vec::new();
            let mut err = err.take(KEPT_ERROR);
            err.read_to_end(&mut text).await?;
            // The rest is read, too: a full pipe would stop the program.
            tokio::io::copy(&mut err.into_inner(), &mut tokio::io::sink()).await?;
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&text).trim().to_owned())
        };
        let (answered, complaint) = tokio::join!(answers, complaints);
        let status = child.wait().await.map_err(|error| failed(error.to_string()))?;
        answered.map_err(|error| failed(error.to_string()))?;
        if let Some(problem) = problem {
            return Err(problem);
        }
        if !status.success() {
            let complaint = complaint.unwrap_or_default();
            return Err(failed(if complaint.is_empty() {
                status.to_string()
            } else {
                format!("{status}: {complaint}")
            }));
        }
        Ok(variables)
    }
}

/// The options that the program declares; those it requires must be there.
fn checked(verb: &Verb, request: &ProviderRequest) -> Result<Vec<String>, String> {
    let key = |option: &str| option.trim_start_matches('-').split('=').next().unwrap_or_default().to_owned();
    let given: Vec<String> = request.options.iter().map(|option| key(option)).collect();
    let missing = verb.parameters.iter().find(|parameter| parameter.required && !given.contains(&parameter.name));
    if let Some(missing) = missing {
        return Err(format!(
            "required parameter \"{}\" is missing from provider \"{}\" definition",
            missing.name, request.kind
        ));
    }
    let declared = |option: &&String| verb.parameters.iter().any(|parameter| parameter.name == key(option));
    Ok(request.options.iter().filter(declared).cloned().collect())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const PROVIDER: &str = r#"#!/bin/sh
case "$2" in metadata)
  [ -n "$NO_METADATA" ] && exit 1
  echo '{"up":{"parameters":[{"name":"size","required":true}]}}'; exit 0;;
esac
echo "{\"type\":\"info\",\"message\":\"args $*\"}"
echo '{"type":"debug","message":"x"}'
echo '{"type":"setenv","message":"URL=http://a=b"}'
echo '{"type":"rawsetenv","message":"RAW=1"}'
[ "$FAILS" = exit ] && { echo broken >&2; exit 3; }
[ "$FAILS" = error ] && echo '{"type":"error","message":"no quota"}'
exit 0
"#;

    async fn ask(
        variables: &[(&str, &str)],
        verb: &str,
        options: &[&str],
    ) -> (Vec<String>, Result<Vec<(String, String)>, String>) {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("cloud");
        std::fs::write(&program, PROVIDER).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", directory.path().display());
        let mut environment: BTreeMap<String, String> = [("PATH".to_owned(), path)].into();
        environment.extend(variables.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let programs = ProviderPrograms { project: "shop".into(), plugin_directories: Vec::new(), environment };
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let request =
            ProviderRequest { service: "my-db".into(), kind: "cloud".to_owned(), verb: verb.to_owned(), options };
        let mut said = Vec::new();
        let result = programs.run(&request, &mut |line| said.push(line)).await;
        (said, result)
    }

    #[tokio::test]
    async fn it_is_told_what_it_declares_and_its_variables_carry_the_service() {
        let (said, result) = ask(&[], "up", &["--size=3", "--other=x"]).await;
        assert_eq!(said, ["args compose --project-name=shop up --size=3 my-db"]);
        let set = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(result, Ok(vec![set("MY-DB_URL", "http://a=b"), set("RAW", "1")]));
        let (said, _) = ask(&[("NO_METADATA", "1")], "up", &["--size=3", "--other=x"]).await;
        assert_eq!(said, ["args compose --project-name=shop up --size=3 --other=x my-db"]);
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told() {
        let (_, result) = ask(&[], "up", &[]).await;
        assert_eq!(result, Err("required parameter \"size\" is missing from provider \"cloud\" definition".to_owned()));
        let (_, result) = ask(&[("FAILS", "error")], "down", &[]).await;
        assert_eq!(result, Err("no quota".to_owned()));
        let (_, result) = ask(&[("FAILS", "exit")], "down", &[]).await;
        assert_eq!(result, Err("failed to remove service provider: exit status: 3: broken".to_owned()));
    }

    #[tokio::test]
    async fn stop_is_asked_only_of_those_that_know_it() {
        assert_eq!(ask(&[("FAILS", "exit")], "stop", &[]).await, (Vec::new(), Ok(Vec::new())));
    }

    #[test]
    fn what_is_no_provider_is_not_run() {
        let programs =
            ProviderPrograms { project: "p".into(), plugin_directories: Vec::new(), environment: BTreeMap::new() };
        assert_eq!(programs.find("compose"), Err("'compose' is not a valid provider type".to_owned()));
        assert_eq!(programs.find("../x"), Err("'../x' is not a valid provider type".to_owned()));
        let missing = "exec: \"nope\": executable file not found in $PATH";
        assert_eq!(programs.find("nope"), Err(missing.to_owned()));
    }
}
