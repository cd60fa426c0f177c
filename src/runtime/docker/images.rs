//! Images: found ones, pulls, pushes, names.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bollard::query_parameters as query;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use crate::names::ImageId;
use crate::resource::{BuildProgress, BuildRequest, Builder, ImageDetails, LayerProgress, RegistryAuth, Texts};
use crate::runtime::docker::found::nullable;
use crate::runtime::docker::progress::{Message, layers};
use crate::runtime::docker::wire::{Call, lines_of, reference};
use crate::runtime::docker::{DockerRuntime, shown};
use crate::runtime::{Images, LabelFilter, Result, ResultStream};

/// From this API on inspect takes a platform.
const INSPECT_PLATFORM_API: (u32, u32) = (1, 49);

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Found {
    id: String,
    #[serde(deserialize_with = "nullable")]
    repo_tags: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    repo_digests: Vec<String>,
    size: i64,
    created: Option<Created>,
    os: String,
    architecture: String,
    variant: String,
    #[serde(deserialize_with = "nullable")]
    config: FoundConfig,
    #[serde(deserialize_with = "nullable")]
    metadata: FoundMetadata,
    /// Of the list.
    #[serde(deserialize_with = "nullable")]
    labels: Texts,
}

/// What a registry says of a reference.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Distribution {
    descriptor: Descriptor,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Descriptor {
    digest: String,
}

/// Inspect writes a time, the list seconds since 1970.
#[derive(Deserialize)]
#[serde(untagged)]
enum Created {
    Text(String),
    Seconds(i64),
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundConfig {
    #[serde(deserialize_with = "nullable")]
    volumes: BTreeMap<String, IgnoredAny>,
    #[serde(deserialize_with = "nullable")]
    exposed_ports: BTreeMap<String, IgnoredAny>,
    #[serde(deserialize_with = "nullable")]
    env: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    labels: Texts,
    healthcheck: Option<FoundCheck>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundCheck {
    #[serde(deserialize_with = "nullable")]
    test: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundMetadata {
    #[serde(deserialize_with = "nullable")]
    last_tag_time: String,
}

impl From<Found> for ImageDetails {
    fn from(found: Found) -> Self {
        let created = match found.created {
            Some(Created::Text(text)) => text,
            Some(Created::Seconds(seconds)) => {
                jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
            }
            None => String::new(),
        };
        let test = found.config.healthcheck.map(|check| check.test).unwrap_or_default();
        let real = |names: Vec<String>| names.into_iter().filter(|name| !name.contains("<none>")).collect();
        let mut labels = found.config.labels;
        labels.extend(found.labels);
        Self {
            id: ImageId::new(found.id),
            tags: real(found.repo_tags),
            digests: real(found.repo_digests),
            size: found.size,
            created,
            last_tagged: Some(found.metadata.last_tag_time)
                .filter(|time| !time.starts_with("0001-"))
                .unwrap_or_default(),
            os: found.os,
            arch: found.architecture,
            variant: found.variant,
            volumes: found.config.volumes.into_keys().collect(),
            exposed_ports: found.config.exposed_ports.into_keys().collect(),
            environment: found.config.env,
            labels,
            has_healthcheck: test.first().is_some_and(|word| word != "NONE"),
        }
    }
}

/// A platform in parts: operating system, architecture, variant.
fn platform_parts(platform: &str) -> (String, String, String) {
    let mut parts = platform.split('/').map(str::to_ascii_lowercase);
    let mut next = || parts.next().unwrap_or_default();
    let (mut os, mut arch, mut variant) = (next(), next(), next());
    if arch.is_empty() && !["linux", "windows", "darwin", "freebsd"].contains(&os.as_str()) {
        // An architecture alone means this system's.
        (os, arch) = ("linux".to_owned(), os);
    }
    let (plain, implied) = match arch.as_str() {
        "x86_64" | "x86-64" => ("amd64", ""),
        "aarch64" => ("arm64", ""),
        "armhf" => ("arm", "v7"),
        "armel" => ("arm", "v6"),
        "i386" => ("386", ""),
        _ => ("", ""),
    };
    if !plain.is_empty() {
        arch = plain.to_owned();
        if variant.is_empty() {
            variant = implied.to_owned();
        }
    }
    // Variants that say what is so anyway.
    if matches!((arch.as_str(), variant.as_str()), ("arm64", "v8" | "8") | ("amd64", "v1")) {
        variant.clear();
    }
    if arch == "arm" && variant.is_empty() {
        variant = "v7".to_owned();
    }
    (os, arch, variant)
}

fn fits(image: &ImageDetails, platform: &str) -> bool {
    let (os, arch, variant) = platform_parts(platform);
    let (found_os, found_arch, found_variant) =
        platform_parts(&format!("{}/{}/{}", image.os, image.arch, image.variant));
    os == found_os
        && (arch.is_empty() || arch == found_arch)
        && (variant.is_empty() || found_variant.is_empty() || variant == found_variant)
}

/// Name and tag (or digest) of a reference; without either the tag is `latest`.
pub(super) fn name_and_tag(reference: &str) -> (&str, &str) {
    if let Some((name, digest)) = reference.split_once('@') {
        // A tag beside a digest means nothing to the engine.
        let slash = name.rfind('/').map_or(0, |position| position + 1);
        let name = name[slash..].find(':').map_or(name, |colon| &name[..slash + colon]);
        return (name, digest);
    }
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') && !name.is_empty() => (name, tag),
        _ => (reference, "latest"),
    }
}

/// The header that bears credentials; an empty object without any.
pub(super) fn auth_header(auth: Option<&RegistryAuth>) -> String {
    let value = auth.map_or_else(
        || json!({}),
        |auth| match &auth.identity_token {
            Some(token) => json!({ "identitytoken": token, "serveraddress": auth.server }),
            None => json!({ "username": auth.username, "password": auth.password, "serveraddress": auth.server }),
        },
    );
    URL_SAFE.encode(value.to_string())
}

#[async_trait]
impl Images for DockerRuntime {
    async fn find_image(&self, name: &str, platform: Option<&str>) -> Result<Option<ImageDetails>> {
        let mut call = Call::get(format!("/images/{}/json", reference(name)));
        if let Some(platform) = platform
            && self.session().await?.facts.api >= INSPECT_PLATFORM_API
        {
            let (os, architecture, variant) = platform_parts(platform);
            let mut wanted = json!({ "os": os, "architecture": architecture });
            if !variant.is_empty() {
                wanted["variant"] = variant.into();
            }
            call = call.query("platform", &wanted.to_string());
        }
        match self.ask::<Found>(call, &format!("inspect image {}", shown(name))).await {
            Ok(found) => Ok(Some(ImageDetails::from(found)).filter(|image| platform.is_none_or(|it| fits(image, it)))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn list_images(&self, filter: &LabelFilter) -> Result<Vec<ImageDetails>> {
        let mut call = Call::get("/images/json");
        if !filter.0.is_empty() {
            call = call.query("filters", &json!({ "label": filter.0 }).to_string());
        }
        let found: Vec<Found> = self.ask(call, "list images").await?;
        Ok(found.into_iter().map(ImageDetails::from).collect())
    }

    async fn pull_image(
        &self,
        name: &str,
        platform: Option<&str>,
        auth: Option<&RegistryAuth>,
    ) -> Result<ResultStream<LayerProgress>> {
        let what = format!("pull image {name}");
        let session = self.session().await?;
        let (image, tag) = name_and_tag(name);
        let call = Call::post("/images/create")
            .query("fromImage", image)
            .query("tag", tag)
            .query_some("platform", platform)
            .header("x-registry-auth", &auth_header(auth));
        let response = self.wire.open(&session.prefix, call, &what).await?;
        Ok(layers(lines_of::<Message>(response, what.clone(), self.wire.address.clone()), what))
    }

    async fn push_image(&self, name: &str, auth: Option<&RegistryAuth>) -> Result<ResultStream<LayerProgress>> {
        let what = format!("push image {name}");
        let session = self.session().await?;
        let (image, tag) = name_and_tag(name);
        let call = Call::post(format!("/images/{}/push", reference(image)))
            .query("tag", tag)
            .header("x-registry-auth", &auth_header(auth));
        let response = self.wire.open(&session.prefix, call, &what).await?;
        Ok(layers(lines_of::<Message>(response, what.clone(), self.wire.address.clone()), what))
    }

    async fn registry_digest(&self, name: &str, auth: Option<&RegistryAuth>) -> Result<String> {
        let call =
            Call::get(format!("/distribution/{}/json", reference(name))).header("x-registry-auth", &auth_header(auth));
        let found: Distribution = self.ask(call, &format!("ask the registry for {name}")).await?;
        Ok(found.descriptor.digest)
    }

    async fn build_image(&self, request: &BuildRequest, builder: Builder) -> Result<ResultStream<BuildProgress>> {
        self.build(request, builder).await
    }

    async fn tag_image(&self, image: &ImageId, name: &str) -> Result<()> {
        let (repo, tag) = name_and_tag(name);
        let options = query::TagImageOptions { repo: Some(repo.to_owned()), tag: Some(tag.to_owned()) };
        let tagged = self.session().await?.client.tag_image(image.as_str(), Some(options)).await;
        tagged.map_err(self.failed(format!("tag image {} as {name}", shown(image.as_str()))))
    }

    async fn remove_image(&self, name: &str) -> Result<()> {
        let options = query::RemoveImageOptions { force: false, noprune: true, platforms: None };
        let removed = self.session().await?.client.remove_image(name, Some(options), None).await;
        removed.map(|_| ()).map_err(self.failed(format!("remove image {}", shown(name))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let rows = [
            ("busybox", "busybox", "latest"),
            ("busybox:1.35", "busybox", "1.35"),
            ("h:5000/a/b", "h:5000/a/b", "latest"),
            ("h:5000/a/b:c", "h:5000/a/b", "c"),
            ("a@sha256:12", "a", "sha256:12"),
            ("h:5000/a:t@sha256:12", "h:5000/a", "sha256:12"),
            (":x", ":x", "latest"),
        ];
        for (reference, name, tag) in rows {
            assert_eq!(name_and_tag(reference), (name, tag), "{reference}");
        }
    }

    #[test]
    fn platforms() {
        let image = |os: &str, arch: &str, variant: &str| ImageDetails {
            os: os.to_owned(),
            arch: arch.to_owned(),
            variant: variant.to_owned(),
            ..Default::default()
        };
        let rows = [
            (image("linux", "amd64", ""), "linux/amd64", true),
            (image("linux", "amd64", ""), "linux/x86_64", true),
            (image("linux", "amd64", ""), "amd64", true),
            (image("linux", "amd64", ""), "linux", true),
            (image("linux", "amd64", ""), "linux/arm64", false),
            (image("linux", "arm64", "v8"), "linux/arm64", true),
            (image("linux", "arm64", ""), "linux/arm64/v8", true),
            (image("linux", "arm", "v6"), "linux/arm/v7", false),
            (image("linux", "arm", "v7"), "linux/arm", true),
            (image("windows", "amd64", ""), "linux/amd64", false),
        ];
        for (image, platform, expected) in rows {
            assert_eq!(fits(&image, platform), expected, "{}/{} {platform}", image.os, image.arch);
        }
    }

    #[test]
    fn inspected_and_listed() {
        let inspected = r#"{"Id": "sha256:1", "RepoTags": ["a:1"], "RepoDigests": [], "Created": "2026-01-01T00:00:00Z",
            "Architecture": "amd64", "Os": "linux", "Size": 5, "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"},
            "Config": {"Volumes": {"/data": {}}, "Env": ["A=1"], "Labels": {"l": "1"}, "Healthcheck": {"Test": ["CMD", "x"]}}}"#;
        let image = ImageDetails::from(serde_json::from_str::<Found>(inspected).unwrap());
        assert!(image.has_healthcheck && image.last_tagged.is_empty());
        assert_eq!(image.volumes, ["/data"]);
        let listed = r#"{"Id": "sha256:1", "RepoTags": ["<none>:<none>"], "RepoDigests": null, "Created": 1767225600, "Labels": {"l": "1"}}"#;
        let image = ImageDetails::from(serde_json::from_str::<Found>(listed).unwrap());
        assert_eq!((image.created.as_str(), image.tags.len()), ("2026-01-01T00:00:00Z", 0));
        assert_eq!(image.labels.len(), 1);
    }

    #[test]
    fn credentials_go_into_one_header() {
        let auth =
            RegistryAuth { server: "r".into(), username: "u".into(), password: "p".into(), identity_token: None };
        let read = |header: String| String::from_utf8(URL_SAFE.decode(header).unwrap()).unwrap();
        assert_eq!(read(auth_header(Some(&auth))), r#"{"username":"u","password":"p","serveraddress":"r"}"#);
        assert_eq!(read(auth_header(None)), "{}");
    }
}
