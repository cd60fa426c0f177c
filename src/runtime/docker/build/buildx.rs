//! Builds that ask for more than the engine's build call offers, by docker's own buildx.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use futures::stream;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use crate::names::ImageId;
use crate::resource::{
    BuildContext, BuildProgress, BuildRequest, BuildSecretSource, Dockerfile, bake_allows, bake_file,
};
use crate::runtime::docker::DockerRuntime;
use crate::runtime::docker::build::status::Status;
use crate::runtime::docker::build::trace::Trace;
use crate::runtime::docker::wire::{Call, Wire, reference};
use crate::runtime::{Error, ErrorKind, Result, ResultStream};

/// Bytes of standard output that are read; a build writes none.
const LONGEST_REST: u64 = 1 << 20;
/// Lines of words that are kept.
const MOST_WORDS: usize = 200;

/// Where buildx is, and the environment it gets beside that of this process.
#[derive(Clone)]
pub struct Buildx {
    /// Looks for the program; asked only when a build needs it.
    pub find: Arc<dyn Fn() -> Option<PathBuf> + Send + Sync>,
    /// Variables: which engine is meant.
    pub environment: BTreeMap<String, String>,
}

/// What of a request only buildx can do, and whether the build is another one without it.
pub(super) fn needed(request: &BuildRequest) -> Option<(&'static str, bool)> {
    let extras = &request.extras;
    let inline_remote =
        matches!((&request.context, &request.dockerfile), (BuildContext::Remote(_), Dockerfile::Inline(_)));
    let key_file = request.ssh.values().flatten().any(|path| std::path::Path::new(path).is_file());
    let asked = [
        (!request.additional_contexts.is_empty(), "build.additional_contexts", true),
        (request.privileged, "build.privileged", true),
        (!extras.entitlements.is_empty(), "build.entitlements", true),
        (extras.platforms.len() > 1, "build.platforms with several platforms", true),
        (!extras.no_cache_filter.is_empty(), "build.no_cache_filter", true),
        (inline_remote, "build.dockerfile_inline with a remote context", true),
        (key_file, "build.ssh with a key file", true),
        (extras.builder.is_some(), "another builder", true),
        (!extras.attest.is_empty(), "an attestation (provenance, sbom)", false),
        (!extras.cache_to.is_empty(), "build.cache_to", false),
    ];
    asked.into_iter().find(|(asked, ..)| *asked).map(|(_, name, matters)| (name, matters))
}

impl DockerRuntime {
    /// Builds by `buildx bake`. `None` when buildx is not there.
    pub(super) async fn bake(&self, request: &BuildRequest, what: &str) -> Result<Option<ResultStream<BuildProgress>>> {
        let Some(buildx) = &self.buildx else { return Ok(None) };
        let Some(program) = (buildx.find)() else { return Ok(None) };
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Other, what, format!("can not run {}: {error}", program.display()))
        };
        let mut command = Command::new(&program);
        command.args(["bake", "--file", "-", "--progress", "rawjson"]);
        if let Some(builder) = &request.extras.builder {
            command.args(["--builder", builder]);
        }
        for allow in bake_allows(request) {
            command.args(["--allow", &allow]);
        }
        command.envs(&buildx.environment).env("NO_COLOR", "1");
        for secret in &request.secrets {
            if let BuildSecretSource::Variable(name) = &secret.source {
                command.env(name, String::from_utf8_lossy(&secret.content).as_ref());
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(failed)?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Error::new(ErrorKind::Other, what, "buildx has no streams"));
        };
        let file = bake_file([("image".to_owned(), request)]).to_string();
        stdin.write_all(file.as_bytes()).await.map_err(failed)?;
        drop(stdin);
        let session = self.session().await?;
        let going = Going {
            child,
            lines: BufReader::new(stderr).lines(),
            stdout,
            trace: Trace::default(),
            told: VecDeque::new(),
            words: Vec::new(),
            reference: request.tags.first().cloned().unwrap_or_default(),
            wire: Arc::clone(&self.wire),
            prefix: session.prefix.clone(),
            what: what.to_owned(),
            ended: false,
        };
        Ok(Some(Box::pin(stream::try_unfold(going, async |mut going| {
            Ok(going.next().await?.map(|event| (event, going)))
        }))))
    }
}

/// A build that goes on; dropping it kills buildx, which ends the build.
struct Going {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    stdout: ChildStdout,
    trace: Trace,
    told: VecDeque<BuildProgress>,
    /// Lines that are no news of the build: why it failed.
    words: Vec<String>,
    reference: String,
    wire: Arc<Wire>,
    prefix: String,
    what: String,
    ended: bool,
}

#[derive(Deserialize)]
struct Made {
    #[serde(rename = "Id")]
    id: String,
}

impl Going {
    async fn next(&mut self) -> Result<Option<BuildProgress>> {
        let what = self.what.clone();
        let failed = |error: std::io::Error| Error::new(ErrorKind::Other, what.clone(), format!("buildx: {error}"));
        if self.ended {
            return Ok(None);
        }
        loop {
            if let Some(event) = self.told.pop_front() {
                return Ok(Some(event));
            }
            let Some(line) = self.lines.next_line().await.map_err(failed)? else { break };
            if let Ok(status) = serde_json::from_str::<Status>(&line) {
                let mut told = Vec::new();
                self.trace.status(&status, &mut told);
                self.told.extend(told);
            } else if self.words.len() < MOST_WORDS {
                self.words.push(line);
            }
        }
        let mut rest = Vec::new();
        (&mut self.stdout).take(LONGEST_REST).read_to_end(&mut rest).await.map_err(failed)?;
        let status = self.child.wait().await.map_err(failed)?;
        if !status.success() {
            let why = why(&self.words).unwrap_or_else(|| format!("buildx ended with {status}"));
            return Err(self.trace.failure(&why, &self.what));
        }
        self.ended = true;
        // An image for several platforms, or of another builder, need not be in the engine.
        let call = Call::get(format!("/images/{}/json", reference(&self.reference)));
        match self.wire.json::<Made>(&self.prefix, call, &self.what).await {
            Ok(made) => Ok(Some(BuildProgress::Built { image: ImageId::new(made.id) })),
            Err(error) if error.is_not_found() => Ok(Some(BuildProgress::Built { image: ImageId::default() })),
            Err(error) => Err(error),
        }
    }
}

/// Why buildx failed: its error first, then the lines of the Dockerfile, which it writes before it.
fn why(words: &[String]) -> Option<String> {
    let words: Vec<&str> = words.iter().map(|word| word.trim_end()).filter(|word| !word.is_empty()).collect();
    let place = words.iter().rposition(|word| word.starts_with("ERROR: "))?;
    let (before, after) = words.split_at(place);
    let (first, rest) = after.split_first()?;
    let first = first.strip_prefix("ERROR: ").unwrap_or(first);
    let first = first.strip_prefix("failed to solve: ").unwrap_or(first);
    let lines: Vec<&str> = [first].into_iter().chain(rest.iter().copied()).chain(before.iter().copied()).collect();
    Some(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::BuildExtras;
    use crate::runtime::docker::build::tests::request;

    #[test]
    fn failures_of_buildx() {
        let words = |text: &str| why(&text.lines().map(str::to_owned).collect::<Vec<_>>());
        let text = "Dockerfile:2\n----\n   2 | >>> RUN x\n----\nERROR: failed to solve: exit code: 1\n\n";
        assert_eq!(words(text).as_deref(), Some("exit code: 1\nDockerfile:2\n----\n   2 | >>> RUN x\n----"));
        let text = "ERROR: Cache export is not supported for the docker driver.\nSwitch to a different driver\n";
        let expected = "Cache export is not supported for the docker driver.\nSwitch to a different driver";
        assert_eq!(words(text).as_deref(), Some(expected));
        assert_eq!(words("signal: killed"), None);
    }

    #[test]
    fn only_what_the_engine_can_not_do_needs_buildx() {
        assert_eq!(needed(&request()), None);
        let with = |extras: BuildExtras| needed(&BuildRequest { extras, ..request() });
        let cache_to = BuildExtras { cache_to: vec!["type=inline".to_owned()], ..BuildExtras::default() };
        assert_eq!(with(cache_to), Some(("build.cache_to", false)));
        let platforms = |list: &[&str]| BuildExtras {
            platforms: list.iter().map(|&name| name.to_owned()).collect(),
            ..BuildExtras::default()
        };
        assert_eq!(with(platforms(&["linux/amd64"])), None);
        assert!(with(platforms(&["linux/amd64", "linux/arm64"])).is_some_and(|(_, matters)| matters));
        assert!(needed(&BuildRequest { privileged: true, ..request() }).is_some());
    }
}
