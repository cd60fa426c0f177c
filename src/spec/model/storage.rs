//! Volumes, mounts, secrets and configs.

use serde::{Serialize, Serializer};

use crate::names::VolumeKey;
use crate::spec::model::{ByteSize, Extensions, Texts};

pub(in crate::spec) fn octal<S: Serializer>(mode: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    match mode {
        Some(mode) => serializer.collect_str(&format_args!("0{mode:o}")),
        None => serializer.serialize_none(),
    }
}

/// An entry under `volumes:`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Volume {
    /// Its key.
    #[serde(skip)]
    pub key: VolumeKey,
    /// Name in the engine.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `local` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// For the driver.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub driver_opts: Texts,
    /// Made by somebody else; never created or removed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// The user's labels.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub labels: Texts,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// An entry under `secrets:`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Secret {
    /// Informational.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Absolute path of its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Variable that holds its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The content that the variable had when the project was loaded; never printed.
    #[serde(skip)]
    pub content: Option<String>,
    /// Kept by somebody else; unsupported outside Swarm.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// The user's labels.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub labels: Texts,
    /// Unsupported outside Swarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// For the driver.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub driver_opts: Texts,
    /// Unsupported outside Swarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_driver: Option<String>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// An entry under `configs:`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Config {
    /// Informational.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Absolute path of its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Variable that holds its content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The content itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Kept by somebody else; unsupported outside Swarm.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// The user's labels.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub labels: Texts,
    /// Unsupported outside Swarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// For the driver.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub driver_opts: Texts,
    /// Unsupported outside Swarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_driver: Option<String>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// A service's use of a secret or config.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FileReference {
    /// Key under `secrets:` or `configs:`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Where it appears; see semantics of secrets and configs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Owner (content and environment only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Group (content and environment only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<String>,
    /// Permission bits.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "octal")]
    pub mode: Option<u32>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// Something mounted into a container.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Mount {
    /// `bind`, `volume`, `tmpfs`, `image`, `npipe`, `cluster`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Absolute path, volume key or image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Path inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Not writable.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Kept, without effect on Linux.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consistency: Option<String>,
    /// For binds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind: Option<BindOptions>,
    /// For volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<VolumeOptions>,
    /// For tmpfs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmpfs: Option<TmpfsOptions>,
    /// For images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageOptions>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// Options of a bind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BindOptions {
    /// `z` or `Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selinux: Option<String>,
    /// Mount propagation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propagation: Option<String>,
    /// The engine creates a missing source; printed only when true, as docker compose 2.40 does.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub create_host_path: bool,
    /// What the file says about it, which docker compose 5 prints and hashes in another way.
    #[serde(skip)]
    pub create_host_path_given: Option<bool>,
    /// `enabled`, `disabled`, `writable`, `readonly`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recursive: Option<String>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// Options of a volume mount.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct VolumeOptions {
    /// Labels of an anonymous volume.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub labels: Texts,
    /// Do not copy the image's content into it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nocopy: bool,
    /// Directory inside the volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subpath: Option<String>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// Options of a tmpfs mount.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TmpfsOptions {
    /// At most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<ByteSize>,
    /// Permission bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// Options of an image mount.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ImageOptions {
    /// Directory inside the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subpath: Option<String>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}
