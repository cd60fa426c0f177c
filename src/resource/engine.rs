//! What the planner must know of an engine.

use serde::{Deserialize, Serialize};

/// Facts about an engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineFacts {
    /// Kind of runtime: `docker`, `podman`, `fake`, `native`.
    pub kind: String,
    /// The engine's own version, for people.
    pub version: String,
    /// The API version that is spoken: major, minor.
    pub api: (u32, u32),
    /// `linux` or `windows`.
    pub os: String,
    /// Architecture as in image platforms: `amd64`.
    pub arch: String,
    /// Whether `/build?version=2` works.
    pub buildkit: bool,
    /// Whether images live in containerd's store.
    pub containerd_store: bool,
    /// Whether the engine runs on this machine, so that its host ports and paths are ours.
    pub local: bool,
    /// Where it is reached, for messages: `unix:///var/run/docker.sock`.
    pub endpoint: String,
}
