//! Builds by the engine: its own BuildKit, or the classic builder where that is all there is.

mod context;
mod protobuf;
mod trace;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use serde_json::json;

use crate::resource::{BuildContext, BuildProgress, BuildRequest, Builder, Dockerfile};
use crate::runtime::docker::DockerRuntime;
use crate::runtime::docker::build::context::Context;
use crate::runtime::docker::build::trace::{Message, Trace};
use crate::runtime::docker::wire::{Call, Wire, lines_of};
use crate::runtime::{Error, ErrorKind, Result, ResultStream};

/// How often the size of what was sent is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

impl DockerRuntime {
    pub(super) async fn build(&self, request: &BuildRequest, builder: Builder) -> Result<ResultStream<BuildProgress>> {
        let what = match request.tags.first() {
            Some(tag) => format!("build image {tag}"),
            None => "build an image".to_owned(),
        };
        let session = self.session().await?;
        let buildkit = builder == Builder::BuildKit && session.facts.buildkit;
        refuse(request, buildkit, &what)?;
        let mut call = call(request, buildkit);
        let sent = Arc::new(AtomicU64::new(0));
        let dockerfile = match (&request.context, &request.dockerfile) {
            (BuildContext::Remote(url), Dockerfile::Path(path)) => {
                call = call.query("remote", url);
                path.clone()
            }
            (BuildContext::Remote(_), Dockerfile::Inline(_)) => {
                let detail = "an inline Dockerfile with a remote context needs a build session, which is not there yet; \
                              clone the repository and name the directory, or put the Dockerfile into the repository";
                return Err(Error::new(ErrorKind::Unsupported, what, detail));
            }
            (BuildContext::Directory(directory), dockerfile) => {
                let (directory, dockerfile, task) = (directory.clone(), dockerfile.clone(), what.clone());
                let prepared =
                    tokio::task::spawn_blocking(move || Context::prepare(&directory, &dockerfile, &task)).await;
                let context =
                    prepared.map_err(|error| Error::new(ErrorKind::Other, what.as_str(), error.to_string()))??;
                let name = context.dockerfile.clone();
                call = call.stream(context.stream(Arc::clone(&sent)));
                name
            }
        };
        let call = call.query("dockerfile", &dockerfile);
        Ok(progress(Arc::clone(&self.wire), session.prefix.clone(), call, what, sent))
    }
}

/// Says no to what would be left out silently.
fn refuse(request: &BuildRequest, buildkit: bool, what: &str) -> Result<()> {
    let asked = [
        (!request.secrets.is_empty(), "secrets"),
        (!request.ssh.is_empty(), "ssh"),
        (!request.additional_contexts.is_empty(), "additional_contexts"),
        (request.privileged, "privileged"),
    ];
    let Some((_, name)) = asked.into_iter().find(|(asked, _)| *asked) else { return Ok(()) };
    let detail = if buildkit {
        format!(
            "`build.{name}` needs a BuildKit session, which is not there yet; build this image with `docker buildx`"
        )
    } else {
        format!("the classic builder doesn't support {name}, set DOCKER_BUILDKIT=1 to use BuildKit")
    };
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
    } = request;
    let mut call = Call::post("/build")
        .query("version", if buildkit { "2" } else { "1" })
        .query("rm", "1")
        .query("forcerm", "1")
        .query_some("target", target.as_deref())
        .query_some("networkmode", network.as_deref())
        .query_some("platform", platform.as_deref())
        .query_some("isolation", isolation.as_deref())
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
}

/// Sends the request when first polled; dropping the stream ends the build.
fn progress(
    wire: Arc<Wire>,
    prefix: String,
    call: Call,
    what: String,
    sent: Arc<AtomicU64>,
) -> ResultStream<BuildProgress> {
    let task = what.clone();
    let answer = async move {
        let response = wire.open(&prefix, call, &task).await?;
        Ok::<_, Error>(lines_of::<Message>(response, task, wire.address.clone()))
    };
    let messages: ResultStream<Message> = Box::pin(futures::TryStreamExt::try_flatten(stream::once(answer)));
    let going =
        Going { messages, trace: Trace::default(), told: VecDeque::new(), sent, told_sent: 0, ended: false, what };
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
                Some(message) => {
                    let events = self.trace.read(&message?, &self.what)?;
                    self.tell_sent();
                    self.told.extend(events);
                }
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
    use crate::resource::{Texts, Ulimit};

    fn request() -> BuildRequest {
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
    fn what_needs_a_session_is_refused() {
        let mut request = request();
        request.privileged = true;
        let error = refuse(&request, true, "build image a").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(refuse(&request, false, "x").unwrap_err().detail.starts_with("the classic builder doesn't support"));
    }
}
