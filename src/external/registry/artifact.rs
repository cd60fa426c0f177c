//! A project as an OCI artifact, byte for byte as docker compose writes it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::external::registry::client::digest_of;
use crate::external::registry::{Descriptor, Manifest, Registry, RegistryError, Version};
use crate::labels;

/// The kind of the artifact, for registries that know OCI 1.1.
pub(super) const PROJECT: &str = "application/vnd.docker.compose.project";
/// A compose file.
pub(super) const COMPOSE_FILE: &str = "application/vnd.docker.compose.file+yaml";
/// A file of variables.
pub(super) const ENV_FILE: &str = "application/vnd.docker.compose.envfile";
/// The empty configuration by which OCI 1.0 tells that an artifact is a project.
pub(super) const PROJECT_CONFIG: &str = "application/vnd.docker.compose.config.empty.v1+json";
/// The empty configuration of OCI 1.1.
const EMPTY_CONFIG: &str = "application/vnd.oci.empty.v1+json";
const EMPTY: &[u8] = b"{}";
const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Indexes of indexes are no images.
const MAX_DEPTH: usize = 3;

type Result<T> = std::result::Result<T, RegistryError>;

/// What an artifact looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OciVersion {
    /// Told by the kind of its configuration.
    V1_0,
    /// Told by its `artifactType`.
    V1_1,
}

/// A file of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A compose file that is merged with the others.
    Compose {
        /// What it is called.
        name: String,
        /// What is in it.
        content: Vec<u8>,
    },
    /// A compose file that others extend services of.
    Extended {
        /// What the others call it.
        name: String,
        /// What is in it.
        content: Vec<u8>,
    },
    /// A file of variables.
    Environment {
        /// What the compose files call it.
        name: String,
        /// What is in it.
        content: Vec<u8>,
    },
}

impl Layer {
    fn content(&self) -> &[u8] {
        match self {
            Self::Compose { content, .. } | Self::Extended { content, .. } | Self::Environment { content, .. } => {
                content
            }
        }
    }

    fn descriptor(&self) -> Descriptor {
        let (media_type, name, key) = match self {
            Self::Compose { name, .. } | Self::Extended { name, .. } => (COMPOSE_FILE, name, labels::ARTIFACT_FILE),
            Self::Environment { name, .. } => (ENV_FILE, name, labels::ARTIFACT_ENV_FILE),
        };
        let mut annotations = versioned();
        annotations.insert(key.to_owned(), name.clone());
        if let Self::Extended { .. } = self {
            annotations.insert(labels::ARTIFACT_EXTENDS.to_owned(), "true".to_owned());
        }
        Descriptor { annotations, ..described(media_type, self.content()) }
    }
}

/// A manifest that says what a project's artifact is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    schema_version: u32,
    media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    config: Descriptor,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Artifact {
    fn of(layers: Vec<Descriptor>, version: OciVersion, created: &str) -> Self {
        let (config, artifact_type) = match version {
            OciVersion::V1_0 => (PROJECT_CONFIG, None),
            OciVersion::V1_1 => (EMPTY_CONFIG, Some(PROJECT.to_owned())),
        };
        let created = ("org.opencontainers.image.created".to_owned(), created.to_owned());
        Self {
            schema_version: 2,
            media_type: IMAGE_MANIFEST.to_owned(),
            artifact_type,
            config: described(config, EMPTY),
            layers,
            annotations: [created].into(),
        }
    }

    /// Whether it is a project, and not an image or something else.
    pub(super) fn is_project(&self) -> bool {
        match self.artifact_type.as_deref() {
            None | Some("") => self.config.media_type == PROJECT_CONFIG,
            Some(kind) => kind == PROJECT,
        }
    }

    /// What it is instead, for a message.
    pub(super) fn kind(&self) -> &str {
        self.artifact_type.as_deref().filter(|kind| !kind.is_empty()).unwrap_or(&self.config.media_type)
    }

    pub(super) fn layers(&self) -> &[Descriptor] {
        &self.layers
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u32,
    media_type: &'static str,
    manifests: &'a [Descriptor],
    subject: &'a Descriptor,
    annotations: BTreeMap<String, String>,
}

/// What was put into a registry.
#[derive(Clone, Debug)]
pub struct Published {
    descriptor: Descriptor,
}

/// Puts a project into a registry. Without a `version` it is OCI 1.1, and 1.0 where the registry does not take that.
///
/// # Errors
/// The registry does not take it.
pub fn publish(
    registry: &Registry,
    tag: &str,
    layers: &[Layer],
    version: Option<OciVersion>,
    created: &str,
) -> Result<Published> {
    registry.push_blob(&digest_of(EMPTY), EMPTY)?;
    let mut descriptors = Vec::with_capacity(layers.len());
    for layer in layers {
        let descriptor = layer.descriptor();
        registry.push_blob(&descriptor.digest, layer.content())?;
        descriptors.push(descriptor);
    }
    let push = |version| -> Result<Published> {
        let artifact = Artifact::of(descriptors.clone(), version, created);
        let bytes = json(&artifact)?;
        registry.push_manifest(tag, IMAGE_MANIFEST, &bytes)?;
        let whole = described(IMAGE_MANIFEST, &bytes);
        let annotations = versioned();
        let descriptor = Descriptor { annotations, data: None, artifact_type: artifact.artifact_type, ..whole };
        Ok(Published { descriptor })
    };
    match push(version.unwrap_or(OciVersion::V1_1)) {
        Err(error) if version.is_none() && error.is_refusal() => push(OciVersion::V1_0),
        result => result,
    }
}

/// Copies the images of a project into its repository, and puts an index of them beside what was published. Each image
/// comes with the repository it lies in.
///
/// # Errors
/// An image is not in its registry, or the other does not take it.
pub fn copy_images(to: &Registry, published: &Published, images: &[(Registry, Version, String)]) -> Result<()> {
    let mut manifests = Vec::with_capacity(images.len());
    for (from, version, repository) in images {
        let manifest = from.manifest(version)?;
        copy(to, from, &manifest, MAX_DEPTH)?;
        // Where it was copied from, as containerd notes it.
        let (host, path) = repository.split_once('/').unwrap_or((repository, ""));
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        let source = (format!("containerd.io/distribution.source.{host}"), path.to_owned());
        let whole = described(&manifest.media_type, &manifest.bytes);
        manifests.push(Descriptor { annotations: [source].into(), data: None, ..whole });
    }
    let bytes = json(&Index {
        schema_version: 2,
        media_type: IMAGE_INDEX,
        manifests: &manifests,
        subject: &published.descriptor,
        annotations: versioned(),
    })?;
    to.push_manifest(&digest_of(&bytes), IMAGE_INDEX, &bytes)
}

/// What image manifests and indexes say that they are made of.
#[derive(Deserialize)]
struct Parts {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

fn copy(to: &Registry, from: &Registry, manifest: &Manifest, depth: usize) -> Result<()> {
    let parts: Parts = serde_json::from_slice(&manifest.bytes)
        .map_err(|error| RegistryError::text(format!("the manifest {} is not understood: {error}", manifest.digest)))?;
    if depth == 0 {
        return Err(RegistryError::text(format!("{} is an index of indexes, and no image", manifest.digest)));
    }
    for part in &parts.manifests {
        let part = from.manifest(&Version::Digest(part.digest.clone()))?;
        copy(to, from, &part, depth - 1)?;
    }
    for part in parts.layers.iter().chain(&parts.config) {
        to.copy_blob(from, part)?;
    }
    to.push_manifest(&manifest.digest, &manifest.media_type, &manifest.bytes)
}

fn described(media_type: &str, content: &[u8]) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest: digest_of(content),
        size: content.len() as u64,
        data: Some(STANDARD.encode(content)),
        ..Descriptor::default()
    }
}

fn versioned() -> BTreeMap<String, String> {
    [(labels::VERSION.to_owned(), labels::COMPATIBLE_VERSION.to_owned())].into()
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| RegistryError::text(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(version: OciVersion) -> String {
        let layers = [
            Layer::Compose { name: "compose.yaml".to_owned(), content: b"services: {}\n".to_vec() },
            Layer::Extended { name: "ab.yaml".to_owned(), content: b"x\n".to_vec() },
            Layer::Environment { name: "cd.env".to_owned(), content: b"A=1\n".to_vec() },
        ];
        let layers = layers.iter().map(Layer::descriptor).collect();
        String::from_utf8(json(&Artifact::of(layers, version, "2026-01-02T03:04:05Z")).unwrap()).unwrap()
    }

    #[test]
    fn manifests_are_those_of_docker_compose() {
        insta::assert_snapshot!(manifest(OciVersion::V1_1).replace(",\"", ",\n\""), @r#"
        {"schemaVersion":2,
        "mediaType":"application/vnd.oci.image.manifest.v1+json",
        "artifactType":"application/vnd.docker.compose.project",
        "config":{"mediaType":"application/vnd.oci.empty.v1+json",
        "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "size":2,
        "data":"e30="},
        "layers":[{"mediaType":"application/vnd.docker.compose.file+yaml",
        "digest":"sha256:fa6ccea1ca4e3a031d9e99f25cc05db803aa9bac642c000ddab14f6d9da54b52",
        "size":13,
        "annotations":{"com.docker.compose.file":"compose.yaml",
        "com.docker.compose.version":"2.40.3"},
        "data":"c2VydmljZXM6IHt9Cg=="},{"mediaType":"application/vnd.docker.compose.file+yaml",
        "digest":"sha256:73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac",
        "size":2,
        "annotations":{"com.docker.compose.extends":"true",
        "com.docker.compose.file":"ab.yaml",
        "com.docker.compose.version":"2.40.3"},
        "data":"eAo="},{"mediaType":"application/vnd.docker.compose.envfile",
        "digest":"sha256:91d6a3d55e9fea7911c537afae6607c77fa8bc0f3a76c375e104ac5a8cfa84db",
        "size":4,
        "annotations":{"com.docker.compose.envfile":"cd.env",
        "com.docker.compose.version":"2.40.3"},
        "data":"QT0xCg=="}],
        "annotations":{"org.opencontainers.image.created":"2026-01-02T03:04:05Z"}}
        "#);
        insta::assert_snapshot!(manifest(OciVersion::V1_0).split(",\"layers\"").next().unwrap(), @r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.docker.compose.config.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="}"#);
    }

    #[test]
    fn projects_are_told_from_images() {
        for (kind, config, project) in [
            (Some(PROJECT), EMPTY_CONFIG, true),
            (None, PROJECT_CONFIG, true),
            (Some(""), PROJECT_CONFIG, true),
            (Some("application/other"), PROJECT_CONFIG, false),
            (None, "application/vnd.oci.image.config.v1+json", false),
        ] {
            let mut artifact = Artifact::of(Vec::new(), OciVersion::V1_1, "");
            artifact.artifact_type = kind.map(str::to_owned);
            config.clone_into(&mut artifact.config.media_type);
            assert_eq!(artifact.is_project(), project, "{kind:?} {config}");
        }
    }
}
