//! Any engine that speaks Docker's API, from 1.41 on: the only folder that names bollard.
//!
//! Plain calls go through bollard's client. What it can not say or would guess at (headers of the ping, raw streams of
//! attach, exec, logs and build, answers with words that a newer engine may have invented) goes over the same pool of
//! connections in `wire`.

mod build;
mod connection;
mod containers;
mod create;
mod endpoint;
mod engine_devices;
mod failure;
mod files;
mod found;
mod frames;
mod host;
mod images;
mod inspect;
mod inspect_host;
mod networks;
mod ports;
mod process;
mod progress;
mod stats;
mod streams;
#[cfg(feature = "tls")]
mod tls;
mod volumes;
mod wire;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bollard::{BollardRequest, ClientVersion, Docker};
use hyper::HeaderMap;
use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::resource::{EngineFacts, HostFound, HostWish};
use crate::runtime::docker::ports::PortRanges;
use crate::runtime::docker::streams::Terminals;
use crate::runtime::docker::wire::{Call, Wire};
use crate::runtime::{Error, ErrorKind, Result, Runtime};

pub use build::{AuthSource, Buildx};
pub use endpoint::{EndpointChoice, EngineEndpoint, TlsFiles, Transport, config_directory, resolve_endpoint};

/// The newest API that is spoken: what newer engines changed after it is not asked for.
const NEWEST_API: (u32, u32) = (1, 51);
/// How long the first answer may take.
const PING_LIMIT: Duration = Duration::from_secs(30);
/// bollard's time limit on every call, in seconds: none. Stops, waits and pulls take as long as they take.
const NO_LIMIT: u64 = u64::MAX;

/// An engine with Docker's API. Cheap to make; the first call connects.
pub struct DockerRuntime {
    endpoint: EngineEndpoint,
    wire: Arc<Wire>,
    session: OnceCell<Session>,
    ranges: PortRanges,
    terminals: Terminals,
    auth: Option<AuthSource>,
    buildx: Option<Buildx>,
}

/// What the first answer of the engine decided.
struct Session {
    facts: EngineFacts,
    client: Docker,
    /// `/v1.51`, in front of every path.
    prefix: String,
}

impl DockerRuntime {
    /// A runtime for this engine; nothing is sent yet.
    pub fn new(endpoint: EngineEndpoint) -> Self {
        let wire = Arc::new(Wire::new(&endpoint));
        let (session, ranges, terminals) = (OnceCell::new(), PortRanges::default(), Terminals::default());
        Self { endpoint, wire, session, ranges, terminals, auth: None, buildx: None }
    }

    /// Lets builds use credentials of registries for the images they begin with.
    #[must_use]
    pub fn with_auth(mut self, auth: AuthSource) -> Self {
        self.auth = Some(auth);
        self
    }

    /// Lets builds that ask for more than the engine's build call offers use buildx.
    #[must_use]
    pub fn with_buildx(mut self, buildx: Buildx) -> Self {
        self.buildx = Some(buildx);
        self
    }

    /// The engine's address and how it was chosen.
    pub fn endpoint(&self) -> &EngineEndpoint {
        &self.endpoint
    }

    async fn session(&self) -> Result<&Session> {
        self.session.get_or_try_init(|| self.open_session()).await
    }

    /// One ping tells almost everything; only engines elsewhere are also asked for their version.
    async fn open_session(&self) -> Result<Session> {
        let what = "reach the engine";
        let ping = tokio::time::timeout(PING_LIMIT, self.wire.open("", Call::get("/_ping"), what));
        let response = ping.await.map_err(|_| {
            let detail = format!("the engine at {} did not answer within 30 s", self.wire.address);
            Error::new(ErrorKind::TimedOut, what, detail)
        })??;
        let answer = Ping::read(response.headers());
        let local = is_local(&self.endpoint.transport).await;
        let (mut version, mut arch) = (answer.version, own_arch().to_owned());
        if !local || version.is_empty() {
            let told: Version = self.wire.json("", Call::get("/version"), what).await?;
            (version, arch) = (told.version, told.arch);
        }
        let api = self.endpoint.api_version.unwrap_or(answer.api.min(NEWEST_API));
        let (major_version, minor_version) = (api.0 as usize, api.1 as usize);
        let wire = Arc::clone(&self.wire);
        let transport = move |request: BollardRequest| {
            let answer = wire.send(request);
            async move { answer.await.map_err(bollard::errors::Error::from) }
        };
        let client_version = ClientVersion { major_version, minor_version };
        let client = Docker::connect_with_custom_transport(transport, Some("http://docker"), NO_LIMIT, &client_version)
            .map_err(|error| failure::from_client(what, &self.wire.address, error))?;
        let facts = EngineFacts {
            // Engines from 18.09 on have BuildKit, whatever builder they advertise as their default.
            buildkit: answer.kind == "docker" && answer.os != "windows",
            kind: answer.kind,
            version,
            api,
            os: answer.os,
            arch,
            containerd_store: false,
            local,
            endpoint: self.endpoint.address.clone(),
        };
        Ok(Session { facts, client, prefix: format!("/v{}.{}", api.0, api.1) })
    }
}

/// Connects to an engine: `Unavailable`, `Denied` or `TimedOut` when that fails.
pub async fn connect(endpoint: EngineEndpoint) -> Result<DockerRuntime> {
    let runtime = DockerRuntime::new(endpoint);
    runtime.session().await?;
    Ok(runtime)
}

#[async_trait]
impl Runtime for DockerRuntime {
    async fn facts(&self) -> Result<EngineFacts> {
        Ok(self.session().await?.facts.clone())
    }

    async fn look_at_host(&self, wish: &HostWish) -> HostFound {
        let Ok(session) = self.session().await else { return HostFound::default() };
        let mut found = if session.facts.local { host::look(wish) } else { HostFound::default() };
        if engine_devices::matters(wish) {
            let info = self.wire.json(&session.prefix, Call::get("/info"), "ask the engine for its devices").await;
            let EngineFacts { kind, api, .. } = &session.facts;
            engine_devices::compare(wish, &info.unwrap_or_default(), kind, *api, &mut found);
        }
        found
    }
}

struct Ping {
    api: (u32, u32),
    kind: String,
    version: String,
    os: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Version {
    #[serde(rename = "Version")]
    version: String,
    #[serde(rename = "Arch")]
    arch: String,
}

impl Ping {
    fn read(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        // `Docker/28.5.2 (linux)`, `Libpod/5.4.0 (linux)`
        let (product, rest) = text("server").split_once('/').unwrap_or_default();
        let kind = if product.eq_ignore_ascii_case("libpod") { "podman" } else { "docker" };
        Self {
            // Engines that do not tell are as old as the oldest that is spoken to.
            api: endpoint::parse_version(text("api-version")).unwrap_or((1, 41)),
            kind: kind.to_owned(),
            version: rest.split(' ').next().unwrap_or_default().to_owned(),
            os: Some(text("ostype")).filter(|os| !os.is_empty()).unwrap_or("linux").to_ascii_lowercase(),
        }
    }
}

/// Whether the engine's host is this machine, so that its ports and paths are ours.
async fn is_local(transport: &Transport) -> bool {
    match transport {
        Transport::Unix(path) => {
            let contained = ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists());
            !contained || connection::peer_is_here(path).await
        }
        Transport::NamedPipe(_) => true,
        Transport::Tcp { .. } | Transport::Ssh { .. } => false,
    }
}

/// This machine's architecture in the words of image platforms.
fn own_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}

/// An id as messages show it: twelve digits; names as they are.
fn shown(id: &str) -> &str {
    if id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) { &id[..12] } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings() {
        type Pairs = &'static [(&'static str, &'static str)];
        type Row = (Pairs, (u32, u32), &'static str, &'static str, &'static str);
        let rows: [Row; 3] = [
            (
                &[("server", "Docker/28.5.2+dfsg4 (linux)"), ("api-version", "1.51"), ("ostype", "linux")],
                (1, 51),
                "docker",
                "28.5.2+dfsg4",
                "linux",
            ),
            (&[("server", "Libpod/5.4.0 (linux)"), ("api-version", "1.41")], (1, 41), "podman", "5.4.0", "linux"),
            (&[("ostype", "Windows")], (1, 41), "docker", "", "windows"),
        ];
        for (pairs, api, kind, version, os) in rows {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            let found = Ping::read(&headers);
            assert_eq!(
                (found.api, found.kind.as_str(), found.version.as_str(), found.os.as_str()),
                (api, kind, version, os)
            );
        }
    }

    #[test]
    fn ids_are_shown_short() {
        assert_eq!(shown(&"ab".repeat(32)), "abababababab");
        assert_eq!(shown("shop-web-1"), "shop-web-1");
    }
}
