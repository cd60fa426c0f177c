//! Registries: projects are put there and fetched from there as OCI artifacts.
//!
//! [`Registry`] speaks the protocol, [`Artifact`] says what of a project lies there and how, [`fetch`] brings it here.

mod artifact;
mod auth;
mod client;
mod fetch;
mod reference;
#[cfg(feature = "tls")]
mod tls;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::resource::RegistryAuth;

pub use artifact::{Artifact, Layer, OciVersion, Published, copy_images, publish};
pub use client::{Manifest, Registry};
pub use fetch::{cached, fetch};
pub use reference::{Reference, Version};

/// How a registry is spoken to.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Without TLS, wherever it is. A registry on this machine that has no TLS is spoken to without it anyway.
    pub insecure: bool,
    /// What is shown when it asks.
    pub auth: Option<RegistryAuth>,
}

/// Why a registry did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryError {
    /// The HTTP status when the registry refused.
    pub status: Option<u16>,
    /// What was tried, and why it failed.
    pub text: String,
}

impl RegistryError {
    fn text(text: String) -> Self {
        Self { status: None, text }
    }
    /// Whether the registry does not take what it was given, for another reason than that it denies access.
    fn is_refusal(&self) -> bool {
        self.status.is_some_and(|status| (400..500).contains(&status) && !matches!(status, 401 | 403 | 407))
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl std::error::Error for RegistryError {}

/// What a manifest says of a content. The fields stand in the order in which docker compose writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Its kind.
    pub media_type: String,
    /// `sha256:…`
    pub digest: String,
    /// In bytes.
    pub size: u64,
    /// What else is known of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The content itself, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The machine that an image is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<serde_json::Value>,
    /// What an artifact is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}
