//! Images: found ones, and how they are pulled and built.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::names::ImageId;
use crate::resource::Texts;
use crate::resource::container::Ulimit;

/// An image in the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageDetails {
    /// Its id.
    pub id: ImageId,
    /// Names with tags.
    pub tags: Vec<String>,
    /// Names with digests.
    pub digests: Vec<String>,
    /// Size in bytes.
    pub size: i64,
    /// When it was made, RFC 3339; empty when unknown.
    pub created: String,
    /// When it was last tagged here, RFC 3339; empty when unknown.
    pub last_tagged: String,
    /// `linux`.
    pub os: String,
    /// `amd64`.
    pub arch: String,
    /// `v8`; empty when there is none.
    pub variant: String,
    /// Paths under which containers get anonymous volumes.
    pub volumes: Vec<String>,
    /// Ports that it says it listens on: `80/tcp`.
    pub exposed_ports: Vec<String>,
    /// Its environment, `K=V`.
    pub environment: Vec<String>,
    /// Its labels.
    pub labels: Texts,
    /// Whether it brings a healthcheck.
    pub has_healthcheck: bool,
}

/// Who may pull or push.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistryAuth {
    /// Registry host or URL, as in the credential store.
    pub server: String,
    /// User name; empty with an identity token.
    pub username: String,
    /// Password; never printed.
    pub password: String,
    /// Identity token instead of a password; never printed.
    pub identity_token: Option<String>,
}

impl std::fmt::Debug for RegistryAuth {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "RegistryAuth({} at {})", self.username, self.server)
    }
}

/// What a pull or push tells while it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LayerProgress {
    /// Short id of the layer; empty for lines about the image as a whole.
    pub layer: String,
    /// The engine's words: `Downloading`, `Pull complete`.
    pub status: String,
    /// Bytes done, when known.
    pub current: Option<u64>,
    /// Bytes in all, when known.
    pub total: Option<u64>,
}

/// Which builder is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Builder {
    /// The engine's own BuildKit.
    BuildKit,
    /// The old builder, for engines without BuildKit.
    Classic,
}

/// Where the files of a build come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BuildContext {
    /// A directory of this machine.
    Directory(PathBuf),
    /// Something that the engine fetches itself: a git or http URL.
    Remote(String),
}

/// Which Dockerfile is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dockerfile {
    /// A path relative to the context, or absolute.
    Path(String),
    /// The text itself.
    Inline(String),
}

/// A secret for `RUN --mount=type=secret`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildSecret {
    /// Its id in the Dockerfile.
    pub id: String,
    /// Its content, when it comes out of a variable; never printed.
    #[serde(skip)]
    pub content: Vec<u8>,
    /// Where it comes from.
    pub source: BuildSecretSource,
}

/// Where a secret of a build comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BuildSecretSource {
    /// A variable of this name.
    Variable(String),
    /// A file, read when the build begins.
    File(PathBuf),
}

/// What the engine's own build call does not offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildExtras {
    /// Where layers go to.
    pub cache_to: Vec<String>,
    /// Rights that the build asks for.
    pub entitlements: Vec<String>,
    /// Platforms, when there are several.
    pub platforms: Vec<String>,
    /// Stages that are built again.
    pub no_cache_filter: Vec<String>,
    /// Attestations: `type=provenance,mode=max`.
    pub attest: Vec<String>,
    /// A builder of buildx other than the engine.
    pub builder: Option<String>,
    /// Upload the image while it is built: what it makes need not be in the engine afterwards.
    pub push: bool,
}

impl std::fmt::Debug for BuildSecret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "BuildSecret({})", self.id)
    }
}

/// A build to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BuildRequest {
    /// Where its files come from.
    pub context: BuildContext,
    /// Which Dockerfile.
    pub dockerfile: Dockerfile,
    /// Names that the image gets; the first is the service's image.
    pub tags: Vec<String>,
    /// Build arguments.
    pub args: Texts,
    /// Labels of the image.
    pub labels: Texts,
    /// Stage to build.
    pub target: Option<String>,
    /// Build every layer again.
    pub no_cache: bool,
    /// Look for newer base images.
    pub pull: bool,
    /// Where layers may be taken from.
    pub cache_from: Vec<String>,
    /// Network mode of `RUN`.
    pub network: Option<String>,
    /// Host names with their addresses.
    pub extra_hosts: Vec<String>,
    /// Size of /dev/shm in bytes.
    pub shm_size: Option<i64>,
    /// Process limits.
    pub ulimits: Vec<Ulimit>,
    /// `os/arch`.
    pub platform: Option<String>,
    /// Memory limit in bytes, classic builder only.
    pub memory: Option<i64>,
    /// Windows isolation.
    pub isolation: Option<String>,
    /// Secrets.
    pub secrets: Vec<BuildSecret>,
    /// SSH agents and keys: id and path.
    pub ssh: BTreeMap<String, Option<String>>,
    /// Named contexts.
    pub additional_contexts: Texts,
    /// Run with elevated rights.
    pub privileged: bool,
    /// What takes more than the engine's build call.
    pub extras: BuildExtras,
}

/// What a build tells while it goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum BuildProgress {
    /// Context was sent: bytes so far.
    Context {
        /// Bytes sent.
        sent: u64,
    },
    /// A step began or ended.
    Step {
        /// Number or digest that tells steps apart.
        id: String,
        /// The instruction: `[2/3] RUN make`.
        name: String,
        /// How far it is.
        state: StepState,
    },
    /// A line of output of a step.
    Output {
        /// The step; empty for the classic builder.
        id: String,
        /// One line, without its end.
        line: String,
        /// How long its step had been going on then.
        milliseconds: Option<u64>,
    },
    /// A part of a step is over: a layer came, a name was given.
    Transfer {
        /// The step.
        id: String,
        /// What it was.
        name: String,
        /// Bytes; 0 when there are none.
        current: u64,
        /// Bytes as announced; 0 when unknown.
        total: u64,
        /// How long it took.
        milliseconds: u64,
    },
    /// A mistake in the Dockerfile that stops nothing.
    Warning {
        /// The step.
        id: String,
        /// What and where.
        text: String,
    },
    /// The image that was made.
    Built {
        /// Its id.
        image: ImageId,
    },
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum StepState {
    /// It began.
    Started,
    /// It was taken from the cache.
    Cached,
    /// It ended well, after so many milliseconds.
    Done {
        /// How long it took.
        milliseconds: u64,
    },
    /// It failed.
    Failed {
        /// Why.
        error: String,
    },
}
