//! A build session: BuildKit calls back over a connection of ours for files, secrets, agents and registry credentials.

use std::collections::BTreeMap;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, server};
use hyper_util::rt::TokioExecutor;

use crate::resource::{BuildSecret, RegistryAuth};
use crate::runtime::Result;
use crate::runtime::docker::build::filesync::{Source, diff_copy};
use crate::runtime::docker::build::grpc::{Answer, Messages, Status, answer, streamed};
use crate::runtime::docker::build::protobuf::{Writer, fields};
use crate::runtime::docker::wire::{Call, Wire};

/// Who knows the credentials of a registry, by its host name; Docker Hub is `docker.io`.
pub type AuthSource = Arc<dyn Fn(String) -> BoxFuture<'static, Option<RegistryAuth>> + Send + Sync>;

const HEALTH: &str = "/grpc.health.v1.Health/Check";
const FILES: &str = "/moby.filesync.v1.FileSync/DiffCopy";
const CREDENTIALS: &str = "/moby.filesync.v1.Auth/Credentials";
const SECRETS: &str = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
const CHECK_AGENT: &str = "/moby.sshforward.v1.SSH/CheckAgent";
const FORWARD_AGENT: &str = "/moby.sshforward.v1.SSH/ForwardAgent";

/// What a session offers.
pub(super) struct Offers {
    /// Directories by the names that BuildKit uses: `context`, `dockerfile`.
    pub(super) sources: BTreeMap<String, Source>,
    /// Secrets.
    pub(super) secrets: Vec<BuildSecret>,
    /// Sockets of SSH agents, by id.
    pub(super) agents: BTreeMap<String, PathBuf>,
    /// Credentials.
    pub(super) auth: Option<AuthSource>,
    /// Bytes of files that were sent.
    pub(super) sent: Arc<AtomicU64>,
}

/// A session that lives as long as this is polled and kept.
pub(super) struct BuildSession {
    /// What the build names it by.
    pub(super) id: String,
    connection: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl BuildSession {
    /// Opens a session. `shared_key` tells BuildKit which earlier upload to compare with.
    pub(super) async fn open(wire: &Wire, prefix: &str, offers: Offers, shared_key: &str, what: &str) -> Result<Self> {
        let id = random_id();
        let mut call = Call::post("/session")
            .header("x-docker-expose-session-uuid", &id)
            .header("x-docker-expose-session-name", "compose")
            .header("x-docker-expose-session-sharedkey", shared_key);
        for method in [HEALTH, FILES, CREDENTIALS, SECRETS, CHECK_AGENT, FORWARD_AGENT] {
            call = call.append("x-docker-expose-session-grpc-method", method);
        }
        let (stream, _) = wire.upgrade(prefix, call, "h2c", what).await?;
        let offers = Arc::new(offers);
        let service = service_fn(move |request| {
            let offers = Arc::clone(&offers);
            async move { Ok::<_, std::convert::Infallible>(offers.serve(request).await) }
        });
        let connection =
            server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(stream.into_inner(), service);
        // How it ends is told by the build, which needs it.
        Ok(Self { id, connection: Box::pin(connection.map(|_| ())) })
    }

    /// Serves until BuildKit hangs up.
    pub(super) async fn serve(self) {
        self.connection.await;
    }
}

impl Offers {
    async fn serve(&self, request: Request<Incoming>) -> Answer {
        match request.uri().path() {
            // SERVING
            HEALTH => answer(Ok(Writer::default().number(1, 1).finish())),
            FILES => self.files(request),
            CREDENTIALS => answer(self.credentials(request).await),
            SECRETS => answer(self.secret(request).await),
            CHECK_AGENT => answer(self.check_agent(request).await),
            FORWARD_AGENT => self.forward_agent(request).await,
            _ => answer(Err(Status::unimplemented())),
        }
    }

    fn files(&self, request: Request<Incoming>) -> Answer {
        let headers = request.headers().clone();
        let name = headers.get("dir-name").and_then(|name| name.to_str().ok()).unwrap_or_default();
        match self.sources.get(name) {
            Some(source) => {
                let messages = Messages::of(request);
                streamed(diff_copy(source.clone(), &headers, messages, Arc::clone(&self.sent)))
            }
            None => answer(Err(Status::not_found(format!("no access allowed to dir {name:?}")))),
        }
    }

    async fn credentials(&self, request: Request<Incoming>) -> std::result::Result<Vec<u8>, Status> {
        let host = text_of(request).await?;
        let host = if host == "registry-1.docker.io" { "docker.io".to_owned() } else { host };
        let auth = match &self.auth {
            Some(auth) => auth(host).await,
            None => None,
        };
        let Some(auth) = auth else { return Ok(Vec::new()) };
        let secret = auth.identity_token.as_deref().unwrap_or(&auth.password);
        Ok(Writer::default().bytes(1, auth.username.as_bytes()).bytes(2, secret.as_bytes()).finish())
    }

    async fn secret(&self, request: Request<Incoming>) -> std::result::Result<Vec<u8>, Status> {
        let id = text_of(request).await?;
        match self.secrets.iter().find(|secret| secret.id == id) {
            Some(secret) => Ok(Writer::default().bytes(1, &secret.content).finish()),
            None => Err(Status::not_found(format!("secret {id} not found"))),
        }
    }

    async fn check_agent(&self, request: Request<Incoming>) -> std::result::Result<Vec<u8>, Status> {
        let id = agent_id(text_of(request).await?);
        match self.agents.get(&id) {
            Some(_) => Ok(Vec::new()),
            None => Err(Status::not_found(format!("unset ssh forward key {id}"))),
        }
    }

    #[cfg(unix)]
    async fn forward_agent(&self, request: Request<Incoming>) -> Answer {
        let id = request.headers().get("buildkit.ssh.id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        let Some(socket) = self.agents.get(&agent_id(id.to_owned())) else {
            return answer(Err(Status::not_found(format!("unset ssh forward key {id}"))));
        };
        match tokio::net::UnixStream::connect(socket).await {
            Ok(agent) => streamed(forward(agent, Messages::of(request))),
            Err(error) => answer(Err(Status::unknown(format!("{}: {error}", socket.display())))),
        }
    }

    #[cfg(not(unix))]
    async fn forward_agent(&self, _: Request<Incoming>) -> Answer {
        answer(Err(Status::unimplemented()))
    }
}

/// Bytes between BuildKit and an SSH agent: messages with the bytes in field 1.
#[cfg(unix)]
fn forward(
    agent: tokio::net::UnixStream,
    mut messages: Messages,
) -> impl futures::Stream<Item = std::result::Result<Vec<u8>, Status>> + Send + 'static {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (reads, mut writes) = agent.into_split();
    let answers = futures::stream::try_unfold(reads, |mut reads| async move {
        let mut buffer = vec![0; 16 << 10];
        match reads.read(&mut buffer).await {
            Ok(0) => Ok(None),
            Ok(count) => Ok(Some((Writer::default().bytes(1, &buffer[..count]).finish(), reads))),
            Err(error) => Err(Status::unknown(error.to_string())),
        }
    });
    let questions = async move {
        while let Ok(Some(message)) = messages.next().await {
            for (field, value) in fields(&message) {
                if field == 1 && writes.write_all(value.bytes()).await.is_err() {
                    return;
                }
            }
        }
        let _ = writes.shutdown().await;
    };
    let asked = futures::stream::once(questions).filter_map(|()| futures::future::ready(None));
    futures::stream::select(answers, asked)
}

/// The text of a request of one message with one text in field 1.
async fn text_of(request: Request<Incoming>) -> std::result::Result<String, Status> {
    let message = Messages::of(request).next().await?.unwrap_or_default();
    Ok(fields(&message).find(|(field, _)| *field == 1).map(|(_, value)| value.text()).unwrap_or_default())
}

fn agent_id(id: String) -> String {
    if id.is_empty() { "default".to_owned() } else { id }
}

/// 256 bits of the system's randomness, as the standard library's hash maps draw it.
fn random_id() -> String {
    (0u8..4).map(|part| format!("{:016x}", RandomState::new().hash_one(part))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ() {
        let (one, two) = (random_id(), random_id());
        assert_eq!(one.len(), 64);
        assert_ne!(one, two);
    }
}
