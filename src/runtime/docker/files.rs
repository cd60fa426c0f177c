//! Files of a container: what lies where, tar archives in and out, and an image of it all.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

use crate::names::{ContainerId, ImageId};
use crate::runtime::docker::wire::{Call, bytes_of, segment};
use crate::runtime::docker::{DockerRuntime, shown};
use crate::runtime::{Archive, Commit, Error, ErrorKind, Files, Inside, InsideKind, Result, ResultStream};

/// The header by which the engine tells what lies at a path: JSON in base64.
const PATH_STAT: &str = "x-docker-container-path-stat";
/// Go's bits for kinds of files.
const GO_DIRECTORY: u32 = 1 << 31;
const GO_LINK: u32 = 1 << 27;
/// Devices, pipes, sockets, character devices and whatever else is no file.
const GO_SPECIAL: u32 = (1 << 26) | (1 << 25) | (1 << 24) | (1 << 21) | (1 << 19);

#[derive(Deserialize)]
struct FoundPath {
    #[serde(default)]
    size: i64,
    mode: u32,
    #[serde(rename = "linkTarget", default)]
    link_target: String,
}

impl From<FoundPath> for Inside {
    fn from(found: FoundPath) -> Self {
        let kind = if found.mode & GO_DIRECTORY != 0 {
            InsideKind::Directory
        } else if found.mode & GO_LINK != 0 {
            InsideKind::Link(found.link_target)
        } else if found.mode & GO_SPECIAL != 0 {
            InsideKind::Special
        } else {
            InsideKind::File
        };
        Self { kind, size: u64::try_from(found.size).unwrap_or(0) }
    }
}

#[derive(Deserialize)]
struct Made {
    #[serde(rename = "Id")]
    id: String,
}

/// A name in the parts that the engine takes: repository and tag.
fn repository_and_tag(reference: &str) -> (&str, Option<&str>) {
    match reference.rsplit_once(':') {
        // What follows a colon before a slash is a port.
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (reference, None),
    }
}

#[async_trait]
impl Files for DockerRuntime {
    async fn look_inside(&self, container: &ContainerId, path: &str) -> Result<Inside> {
        let what = format!("look at {path} in container {}", shown(container.as_str()));
        let session = self.session().await?;
        let call = Call::head(format!("/containers/{}/archive", segment(container.as_str()))).query("path", path);
        let response = self.wire.open(&session.prefix, call, &what).await.map_err(|error| {
            // An answer to HEAD has no text.
            let missing = format!("Could not find the file {path} in container {container}");
            if error.is_not_found() { Error { detail: missing, ..error } } else { error }
        })?;
        let header = response.headers().get(PATH_STAT).and_then(|value| STANDARD.decode(value).ok());
        let found = header.and_then(|bytes| serde_json::from_slice::<FoundPath>(&bytes).ok());
        found
            .map(Inside::from)
            .ok_or_else(|| Error::new(ErrorKind::Other, what, "the engine's answer does not tell what lies there"))
    }

    async fn upload(&self, container: &ContainerId, path: &str, archive: Archive, to_user: bool) -> Result<()> {
        let what = format!("copy to {path} in container {}", shown(container.as_str()));
        let session = self.session().await?;
        let call = Call::put(format!("/containers/{}/archive", segment(container.as_str())))
            .query("path", path)
            .query("noOverwriteDirNonDir", "true")
            .query_some("copyUIDGID", to_user.then_some("true"))
            .stream(archive.0);
        self.wire.open(&session.prefix, call, &what).await.map(drop)
    }

    async fn download(&self, container: &ContainerId, path: &str) -> Result<ResultStream<Bytes>> {
        let what = format!("copy {path} from container {}", shown(container.as_str()));
        let session = self.session().await?;
        let call = Call::get(format!("/containers/{}/archive", segment(container.as_str()))).query("path", path);
        let response = self.wire.open(&session.prefix, call, &what).await?;
        Ok(bytes_of(response, what, self.wire.address.clone()))
    }

    async fn export_container(&self, container: &ContainerId) -> Result<ResultStream<Bytes>> {
        let what = format!("export container {}", shown(container.as_str()));
        let session = self.session().await?;
        let call = Call::get(format!("/containers/{}/export", segment(container.as_str())));
        let response = self.wire.open(&session.prefix, call, &what).await?;
        Ok(bytes_of(response, what, self.wire.address.clone()))
    }

    async fn commit_container(&self, container: &ContainerId, commit: &Commit) -> Result<ImageId> {
        let Commit { reference, author, message, changes, pause } = commit;
        let what = format!("commit container {}", shown(container.as_str()));
        let (repository, tag) = reference.as_deref().map(repository_and_tag).unzip();
        let mut call = Call::post("/commit")
            .query("container", container.as_str())
            .query_some("repo", repository)
            .query_some("tag", tag.flatten())
            .query_some("author", author.as_deref())
            .query_some("comment", message.as_deref())
            .query("pause", if *pause { "1" } else { "0" });
        for change in changes {
            call = call.query("changes", change);
        }
        Ok(ImageId::new(self.ask::<Made>(call, &what).await?.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_gos() {
        for (mode, kind) in [
            (0o644, InsideKind::File),
            (GO_DIRECTORY | 0o755, InsideKind::Directory),
            (GO_LINK | 0o777, InsideKind::Link("/x".into())),
            ((1 << 26) | (1 << 21), InsideKind::Special),
        ] {
            let found = FoundPath { size: 3, mode, link_target: "/x".into() };
            assert_eq!(Inside::from(found), Inside { kind, size: 3 });
        }
    }

    #[test]
    fn ports_are_no_tags() {
        for (reference, repository, tag) in [
            ("a", "a", None),
            ("a:1", "a", Some("1")),
            ("h:5000/a", "h:5000/a", None),
            ("h:5000/a:1", "h:5000/a", Some("1")),
        ] {
            assert_eq!(repository_and_tag(reference), (repository, tag));
        }
    }
}
