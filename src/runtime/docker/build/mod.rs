//! Builds by the engine: its own BuildKit, or the classic builder where that is all there is.

mod buildx;
mod context;
mod dockerfile;
mod filesync;
mod grpc;
mod located;
mod protobuf;
mod session;
mod status;
mod trace;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use futures::{FutureExt, TryStreamExt};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::resource::{BuildContext, BuildProgress, BuildRequest, BuildSecret, BuildSecretSource, Builder, Dockerfile};
use crate::runtime::docker::DockerRuntime;
use crate::runtime::docker::build::context::Context;
use crate::runtime::docker::build::filesync::Source;
use crate::runtime::docker::build::located::{Located, LocatedDockerfile};
use crate::runtime::docker::build::session::{BuildSession, Offers};
use crate::runtime::docker::build::trace::{Message, Trace};
use crate::runtime::docker::wire::{Call, Wire, lines_of};
use crate::runtime::{Error, ErrorKind, Result, ResultStream};

pub use buildx::Buildx;
pub use session::AuthSource;

/// How often the size of what was sent is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

impl DockerRuntime {
    pub(super) async fn build(&self, request: &BuildRequest, builder: Builder) -> Result<ResultStream<BuildProgress>> {
        let what = match request.tags.first() {
            Some(tag) => format!("build image {tag}"),
            None => "build an image".to_owned(),
        };
        let engine = self.session().await?;
        let buildkit = builder == Builder::BuildKit && engine.facts.buildkit;
        refuse(request, buildkit, &what)?;
        let mut left_out = None;
        if let Some((name, matters)) = buildx::needed(request).filter(|_| buildkit) {
            if let Some(going) = self.bake(request, &what).await? {
                return Ok(going);
            }
            if matters {
                let detail = format!(
                    "{name} is not offered by the engine's build call and takes docker's buildx, which is not installed"
                );
                return Err(Error::new(ErrorKind::Unsupported, what, detail));
            }
            let line = format!("{name} is left out: it takes docker's buildx, which is not installed");
            left_out = Some(BuildProgress::Output { id: String::new(), line, milliseconds: None });
        }
        let secrets = secrets(request, &what).await?;
        let sent = Arc::new(AtomicU64::new(0));
        let mut call = call(request, buildkit);
        let found = match (&request.context, &request.dockerfile) {
            (BuildContext::Directory(directory), dockerfile) => {
                let (directory, dockerfile, task) = (directory.clone(), dockerfile.clone(), what.clone());
                Some(on_a_thread(&what, move || Located::find(&directory, &dockerfile, &task)).await?)
            }
            (BuildContext::Remote(url), _) if url.starts_with("file:") => {
                let detail = format!(
                    "the engine does not fetch {url}, which only this machine can see; name the directory itself as \
                     `context`, or serve the repository over http, ssh or git"
                );
                return Err(Error::new(ErrorKind::Unsupported, what, detail));
            }
            (BuildContext::Remote(url), Dockerfile::Path(path)) => {
                call = call.query("remote", url).query("dockerfile", path);
                None
            }
            (BuildContext::Remote(_), Dockerfile::Inline(_)) => {
                let detail = "an inline Dockerfile can not be used with a context that the engine fetches; clone the \
                              repository and name the directory, or put the Dockerfile into the repository";
                return Err(Error::new(ErrorKind::Unsupported, what, detail));
            }
        };
        let shown = found.as_ref().map(dockerfile::Source::of);
        let session = if buildkit {
            let (sources, key) = match found {
                Some(found) => {
                    let key = shared_key(&found.root);
                    let (sources, dockerfile) = sources(found);
                    call = call.query("remote", "client-session").query("dockerfile", &dockerfile);
                    (sources, key)
                }
                None => (BTreeMap::new(), String::new()),
            };
            let offers = Offers {
                sources,
                secrets,
                agents: agents(request, &what)?,
                auth: self.auth.clone(),
                sent: Arc::clone(&sent),
            };
            let session = BuildSession::open(&self.wire, &engine.prefix, offers, &key, &what).await?;
            call = call.query("session", &session.id);
            Some(session)
        } else {
            if let Some(found) = found {
                let task = what.clone();
                let context = on_a_thread(&what, move || Context::prepare(found, &task)).await?;
                call = call.query("dockerfile", &context.dockerfile).stream(context.stream(Arc::clone(&sent)));
            }
            None
        };
        let going = progress(Arc::clone(&self.wire), engine.prefix.clone(), call, session, what, sent, shown);
        Ok(Box::pin(stream::iter(left_out.map(Ok)).chain(going)))
    }
}

async fn on_a_thread<T: Send + 'static>(what: &str, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Error::new(ErrorKind::Other, what, error.to_string())),
    }
}

/// The secrets with what is in their files.
async fn secrets(request: &BuildRequest, what: &str) -> Result<Vec<BuildSecret>> {
    let mut secrets = request.secrets.clone();
    for secret in &mut secrets {
        if let BuildSecretSource::File(path) = &secret.source {
            let (path, id) = (path.clone(), secret.id.clone());
            let task = what.to_owned();
            secret.content = on_a_thread(what, move || {
                std::fs::read(&path).map_err(|error| {
                    let detail = format!("can not read the secret {id} from {}: {error}", path.display());
                    Error::new(ErrorKind::Invalid, task, detail)
                })
            })
            .await?;
        }
    }
    Ok(secrets)
}

/// What BuildKit may ask for by name, and the Dockerfile's name.
fn sources(found: Located) -> (BTreeMap<String, Source>, String) {
    let (source, name) = match found.dockerfile {
        LocatedDockerfile::Inline(text) => {
            let name = "Dockerfile".to_owned();
            (Source::Memory { name: name.clone(), content: Arc::new(text) }, name)
        }
        LocatedDockerfile::File { written, real } => {
            // A link may lead out of its directory, of which nothing else is offered: then its target is used.
            let path = if written.is_symlink() { real } else { written };
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let directory = path.parent().map_or_else(PathBuf::new, Path::to_owned);
            (Source::Directory(directory), name)
        }
    };
    let sources =
        BTreeMap::from([("context".to_owned(), Source::Directory(found.root)), ("dockerfile".to_owned(), source)]);
    (sources, name)
}

/// By this BuildKit finds what it was sent of this directory before, and asks only for what changed.
fn shared_key(root: &Path) -> String {
    let place = format!("compose:{}", root.display());
    Sha256::digest(place.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sockets of the SSH agents that are asked for.
fn agents(request: &BuildRequest, what: &str) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for (id, path) in &request.ssh {
        let Some(path) = path else {
            let detail =
                format!("`build.ssh` wants an SSH agent for {id:?}, but none runs; start one and set SSH_AUTH_SOCK");
            return Err(Error::new(ErrorKind::Invalid, what, detail));
        };
        if let Err(error) = std::fs::metadata(path) {
            let detail = format!("`build.ssh` names {path} for {id:?}, an agent's socket or a key, but: {error}");
            return Err(Error::new(ErrorKind::Invalid, what, detail));
        }
        if Path::new(path).is_file() {
            let detail = format!(
                "`build.ssh` names the private key {path} for {id:?}; only agents can be forwarded: `ssh-add {path}` and \
                 name the agent's socket, or `default`"
            );
            return Err(Error::new(ErrorKind::Unsupported, what, detail));
        }
        found.insert(id.clone(), PathBuf::from(path));
    }
    Ok(found)
}

/// Says no to what would be left out silently.
fn refuse(request: &BuildRequest, buildkit: bool, what: &str) -> Result<()> {
    if buildkit {
        return Ok(());
    }
    let asked = [
        (request.extras.platforms.len() > 1, "multiple platforms"),
        (!request.additional_contexts.is_empty(), "additional_contexts"),
        (request.privileged, "privileged"),
        (!request.secrets.is_empty(), "secrets"),
        (!request.ssh.is_empty(), "ssh"),
        (request.extras.builder.is_some(), "other builders"),
    ];
    let Some((_, name)) = asked.into_iter().find(|(asked, _)| *asked) else { return Ok(()) };
    let detail = format!("the classic builder doesn't support {name}, set DOCKER_BUILDKIT=1 to use BuildKit");
    Err(Error::new(ErrorKind::Unsupported, what, detail))
}

/// The request without its context and Dockerfile.
fn call(request: &BuildRequest, buildkit: bool) -> Call {
    let BuildRequest {
        context: _,
        dockerfile: _,
        tags,
        args,
        labels,
        target,
        no_cache,
        pull,
        cache_from,
        network,
        extra_hosts,
        shm_size,
        ulimits,
        platform,
        memory,
        isolation,
        secrets: _,
        ssh: _,
        additional_contexts: _,
        privileged: _,
        extras: _,
    } = request;
    let mut call = Call::post("/build")
        .query("version", if buildkit { "2" } else { "1" })
        .query("rm", "1")
        .query("forcerm", "1")
        .query_some("target", target.as_deref())
        .query_some("networkmode", network.as_deref())
        .query_some("platform", platform.as_deref())
        // Only Windows knows it, where there is no BuildKit.
        .query_some("isolation", isolation.as_deref().filter(|_| !buildkit))
        .query_some("shmsize", shm_size.map(|size| size.to_string()).as_deref())
        .query_some("memory", memory.filter(|_| !buildkit).map(|size| size.to_string()).as_deref());
    for tag in tags {
        call = call.query("t", tag);
    }
    for host in extra_hosts {
        let host = if host.contains('=') { host.replacen('=', ":", 1) } else { host.clone() };
        call = call.query("extrahosts", &host);
    }
    for (asked, name) in [(*no_cache, "nocache"), (*pull, "pull")] {
        if asked {
            call = call.query(name, "1");
        }
    }
    if !args.is_empty() {
        call = call.query("buildargs", &json!(args).to_string());
    }
    if !labels.is_empty() {
        call = call.query("labels", &json!(labels).to_string());
    }
    if !cache_from.is_empty() {
        call = call.query("cachefrom", &json!(cache_from).to_string());
    }
    if !ulimits.is_empty() {
        let limits: Vec<_> =
            ulimits.iter().map(|limit| json!({ "Name": limit.name, "Soft": limit.soft, "Hard": limit.hard })).collect();
        call = call.query("ulimits", &json!(limits).to_string());
    }
    call
}

/// What is read of a build that goes on.
struct Going {
    messages: ResultStream<Message>,
    trace: Trace,
    told: VecDeque<BuildProgress>,
    sent: Arc<AtomicU64>,
    told_sent: u64,
    ended: bool,
    what: String,
    /// To show what failed.
    dockerfile: Option<dockerfile::Source>,
}

/// Sends the request when first polled; dropping the stream ends the build and its session.
fn progress(
    wire: Arc<Wire>,
    prefix: String,
    call: Call,
    session: Option<BuildSession>,
    what: String,
    sent: Arc<AtomicU64>,
    dockerfile: Option<dockerfile::Source>,
) -> ResultStream<BuildProgress> {
    let task = what.clone();
    let answer = async move {
        let response = wire.open(&prefix, call, &task).await?;
        Ok::<_, Error>(lines_of::<Message>(response, task, wire.address.clone()))
    };
    let mut answers = Box::pin(stream::once(answer).try_flatten());
    let mut served = session.map(|session| Box::pin(session.serve()).fuse());
    // BuildKit's questions are answered while its news are awaited.
    let messages = stream::poll_fn(move |cx| {
        if let Some(served) = &mut served {
            let _ = served.poll_unpin(cx);
        }
        answers.poll_next_unpin(cx)
    });
    let (trace, told) = (Trace::default(), VecDeque::new());
    let going = Going { messages: Box::pin(messages), trace, told, sent, told_sent: 0, ended: false, what, dockerfile };
    Box::pin(stream::try_unfold(going, |mut going| async move { Ok(going.next().await?.map(|event| (event, going))) }))
}

impl Going {
    async fn next(&mut self) -> Result<Option<BuildProgress>> {
        loop {
            if let Some(event) = self.told.pop_front() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            // The answer may begin only when all is sent: tell meanwhile how much it is.
            let Ok(message) = tokio::time::timeout(TELL_EVERY, self.messages.next()).await else {
                self.tell_sent();
                continue;
            };
            match message {
                Some(message) => match self.trace.read(&message?, &self.what) {
                    Ok(events) => {
                        self.tell_sent();
                        self.told.extend(events);
                    }
                    Err(error) => return Err(self.pointed(error).await),
                },
                None => {
                    let Some(image) = self.trace.built.take() else {
                        return Err(self.trace.failure("the build ended without an image", &self.what));
                    };
                    self.ended = true;
                    self.told.push_back(BuildProgress::Built { image });
                }
            }
        }
    }

    /// The failure with the lines of the Dockerfile that failed.
    async fn pointed(&mut self, error: Error) -> Error {
        let (failed, detail) = (self.trace.failed.take(), error.detail.clone());
        let Some(dockerfile) = self.dockerfile.take() else { return error };
        let look = move || Ok(dockerfile.excerpt(failed.as_deref(), &detail));
        let Ok(Some(excerpt)) = on_a_thread(&self.what, look).await else { return error };
        let (first, rest) = error.detail.split_once('\n').unwrap_or((&error.detail, ""));
        let detail = format!("{first}\n{excerpt}\n{rest}");
        Error::new(error.kind, error.what, detail.trim_end())
    }

    fn tell_sent(&mut self) {
        let sent = self.sent.load(Ordering::Relaxed);
        if sent > self.told_sent {
            self.told_sent = sent;
            self.told.push_back(BuildProgress::Context { sent });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{BuildExtras, Texts, Ulimit};

    pub(super) fn request() -> BuildRequest {
        BuildRequest {
            context: BuildContext::Directory("/c".into()),
            dockerfile: Dockerfile::Path("Dockerfile".to_owned()),
            tags: vec!["a".to_owned(), "b:1".to_owned()],
            args: Texts::from([("K".to_owned(), "v w".to_owned())]),
            labels: Texts::new(),
            target: Some("t".to_owned()),
            no_cache: true,
            pull: false,
            cache_from: vec!["c".to_owned()],
            network: None,
            extra_hosts: vec!["h=10.0.0.1".to_owned(), "i:::1".to_owned()],
            shm_size: Some(5),
            ulimits: vec![Ulimit { name: "nofile".to_owned(), soft: 1, hard: 2 }],
            platform: Some("linux/amd64".to_owned()),
            memory: Some(9),
            isolation: None,
            secrets: vec![],
            ssh: std::collections::BTreeMap::new(),
            additional_contexts: Texts::new(),
            privileged: false,
            extras: BuildExtras::default(),
        }
    }

    #[test]
    fn requests() {
        insta::assert_snapshot!(call(&request(), true).url(), @"/build?version=2&rm=1&forcerm=1&target=t&platform=linux%2Famd64&shmsize=5&t=a&t=b%3A1&extrahosts=h%3A10.0.0.1&extrahosts=i%3A%3A%3A1&nocache=1&buildargs=%7B%22K%22%3A%22v+w%22%7D&cachefrom=%5B%22c%22%5D&ulimits=%5B%7B%22Name%22%3A%22nofile%22%2C%22Soft%22%3A1%2C%22Hard%22%3A2%7D%5D");
        assert!(
            call(&request(), false)
                .url()
                .contains("version=1&rm=1&forcerm=1&target=t&platform=linux%2Famd64&shmsize=5&memory=9")
        );
    }

    #[test]
    fn what_can_not_be_done_is_refused() {
        let mut request = request();
        request.ssh.insert("default".to_owned(), None);
        assert!(refuse(&request, true, "build image a").is_ok());
        assert_eq!(agents(&request, "build image a").unwrap_err().kind, ErrorKind::Invalid);
        assert!(refuse(&request, false, "x").unwrap_err().detail.starts_with("the classic builder doesn't support"));
    }
}
