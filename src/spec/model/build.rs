//! `build:`

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

use crate::spec::model::{ByteSize, Extensions, OptionalTexts, Texts, Ulimit};

/// How an image is made.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Build {
    /// Absolute directory, or a URL that the builder fetches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Relative to the context; `Dockerfile` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dockerfile: Option<String>,
    /// The Dockerfile itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dockerfile_inline: Option<String>,
    /// Rights that the build asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entitlements: Vec<String>,
    /// Build arguments; without value: dropped.
    #[serde(skip_serializing_if = "OptionalTexts::is_empty")]
    pub args: OptionalTexts,
    /// Provenance attestation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<String>,
    /// Bill of materials attestation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sbom: Option<String>,
    /// SSH agents or keys: id and path.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "keys")]
    pub ssh: Vec<(String, Option<String>)>,
    /// Labels of the image.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub labels: Texts,
    /// Where layers may be taken from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_from: Vec<String>,
    /// Where layers go to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cache_to: Vec<String>,
    /// Build every layer again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_cache: bool,
    /// Stages to build again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub no_cache_filter: Vec<String>,
    /// Named contexts: a path, a URL, `service:x`, `docker-image://x`.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub additional_contexts: Texts,
    /// Look for newer base images.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pull: bool,
    /// Host names known during the build.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", serialize_with = "crate::spec::model::service::host_list")]
    pub extra_hosts: BTreeMap<String, Vec<String>>,
    /// Isolation technology (Windows).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<String>,
    /// Network mode of `RUN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Stage to build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Secrets that `RUN` may mount.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<BuildSecret>,
    /// Size of /dev/shm during the build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<ByteSize>,
    /// Further names of the image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Limits of the build's processes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Platforms to build for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// Build with elevated rights.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub privileged: bool,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

fn keys<S: Serializer>(keys: &[(String, Option<String>)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(keys.iter().map(|(id, path)| match path {
        Some(path) => format!("{id}: {path}"),
        None => id.clone(),
    }))
}

/// A secret given to a build.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BuildSecret {
    /// Key under `secrets:`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Id under which `RUN --mount=type=secret` finds it; the source unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<String>,
    /// Permission bits.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::spec::model::storage::octal")]
    pub mode: Option<u32>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}
