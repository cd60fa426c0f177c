//! Files of containers of the fake: regular files only, in a handful of directories that every container has.

use std::io::Read;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;

use crate::names::{ContainerId, ImageId};
use crate::resource::ImageDetails;
use crate::runtime::fake::Fake;
use crate::runtime::fake::containers::user_of;
use crate::runtime::fake::world::{File, Record, hex, normal};
use crate::runtime::{Archive, Commit, Error, ErrorKind, Files, Inside, InsideKind, Result, ResultStream};

/// Directories that every container has.
const DIRECTORIES: &[&str] = &["", "/etc", "/run", "/tmp", "/usr", "/var"];

#[async_trait]
impl Files for Fake {
    async fn look_inside(&self, container: &ContainerId, path: &str) -> Result<Inside> {
        let (id, path) = (container.clone(), path.trim_end_matches(['/', '.']).to_owned());
        let what = format!("look at {path} in container {}", self.name_of(container));
        self.look(what.clone(), move |world| {
            let record = world.known("look into container", id.as_str())?;
            if let Some(file) = record.files.get(&path) {
                return Ok(Inside { kind: InsideKind::File, size: file.content.len() as u64 });
            }
            if is_directory(record, &path) {
                return Ok(Inside { kind: InsideKind::Directory, size: 0 });
            }
            let detail = format!("Could not find the file {path} in container {}", record.name);
            Err(Error::new(ErrorKind::NotFound, what, detail))
        })
        .await
    }

    async fn upload(&self, container: &ContainerId, path: &str, archive: Archive, to_user: bool) -> Result<()> {
        let (id, path) = (container.clone(), path.trim_end_matches('/').to_owned());
        let what = format!("put files into container {}", self.name_of(container));
        let archive = whole(archive, &what).await?;
        self.change(what.clone(), move |world| {
            let record = world.known("put files into container", id.as_str())?;
            if !is_directory(record, &path) {
                let detail = format!("Could not find the file {path} in container {}", record.name);
                return Err(Error::new(ErrorKind::NotFound, what, detail));
            }
            let invalid = |error: std::io::Error| Error::new(ErrorKind::Invalid, what.clone(), error.to_string());
            let mut archive = tar::Archive::new(archive.as_slice());
            for entry in archive.entries().map_err(invalid)? {
                let mut entry = entry.map_err(invalid)?;
                if !entry.header().entry_type().is_file() {
                    continue;
                }
                let header = entry.header();
                let mode = header.mode().map_err(invalid)?;
                let owner = (header.uid().map_err(invalid)?, header.gid().map_err(invalid)?);
                let inside = format!("{path}/{}", entry.path().map_err(invalid)?.display());
                let mut content = Vec::new();
                entry.read_to_end(&mut content).map_err(invalid)?;
                let owner = if to_user { user_of(&record.spec) } else { owner };
                record.files.insert(inside, File { content, mode, owner });
            }
            let id = record.id.clone();
            world.tell_container(&id, "extract-to-dir", &[]);
            Ok(())
        })
        .await
    }

    async fn download(&self, container: &ContainerId, path: &str) -> Result<ResultStream<Bytes>> {
        let (id, path) = (container.clone(), path.trim_end_matches('/').to_owned());
        let what = format!("read {path} of container {}", self.name_of(container));
        let archive = self
            .look(what.clone(), move |world| {
                let record = world.known("read container", id.as_str())?;
                let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
                let below = format!("{path}/");
                let mut found =
                    record.files.iter().filter(|(name, _)| **name == path || name.starts_with(&below)).peekable();
                if found.peek().is_none() {
                    let detail = format!("Could not find the file {path} in container {}", record.name);
                    return Err(Error::new(ErrorKind::NotFound, what, detail));
                }
                packed(found.map(|(name, file)| (name.strip_prefix(parent).unwrap_or(name), file)), &what)
            })
            .await?;
        Ok(Box::pin(futures::stream::iter([Ok(archive)])))
    }

    async fn export_container(&self, container: &ContainerId) -> Result<ResultStream<Bytes>> {
        let id = container.clone();
        let what = format!("export container {}", self.name_of(container));
        let archive = self
            .look(what.clone(), move |world| {
                let record = world.known("export container", id.as_str())?;
                packed(record.files.iter().map(|(name, file)| (name.as_str(), file)), &what)
            })
            .await?;
        Ok(Box::pin(futures::stream::iter([Ok(archive)])))
    }

    async fn commit_container(&self, container: &ContainerId, commit: &Commit) -> Result<ImageId> {
        let (id, commit) = (container.clone(), commit.clone());
        self.change(format!("commit container {}", self.name_of(container)), move |world| {
            let record = world.known("commit container", id.as_str())?;
            let image = ImageDetails {
                id: ImageId::new(format!("sha256:{}", hex(&format!("{} {commit:?}", record.id)))),
                labels: record.spec.labels.clone(),
                ..ImageDetails::default()
            };
            let made = image.id.clone();
            match &commit.reference {
                Some(reference) => world.name_image(image, &normal(reference)),
                None => world.images.push(image),
            }
            Ok(made)
        })
        .await
    }
}

fn is_directory(record: &Record, path: &str) -> bool {
    let below = format!("{path}/");
    DIRECTORIES.contains(&path) || record.files.keys().any(|name| name.starts_with(&below))
}

/// All of an archive that comes in pieces.
async fn whole(mut archive: Archive, what: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(piece) = archive.0.next().await {
        bytes.extend_from_slice(&piece.map_err(|error| Error::new(ErrorKind::Other, what, error.to_string()))?);
    }
    Ok(bytes)
}

fn packed<'a>(files: impl Iterator<Item = (&'a str, &'a File)>, what: &str) -> Result<Bytes> {
    let failed = |error: std::io::Error| Error::new(ErrorKind::Other, what, error.to_string());
    let mut archive = tar::Builder::new(Vec::new());
    for (name, file) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(file.content.len() as u64);
        header.set_mode(file.mode);
        header.set_uid(file.owner.0);
        header.set_gid(file.owner.1);
        archive.append_data(&mut header, name.trim_start_matches('/'), file.content.as_slice()).map_err(failed)?;
    }
    archive.into_inner().map(Bytes::from).map_err(failed)
}
