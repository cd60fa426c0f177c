//! Brings a project from a registry into the cache.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::external::registry::artifact::{Artifact, COMPOSE_FILE, ENV_FILE};
use crate::external::registry::{Access, Descriptor, Reference, Registry, RegistryError, Version};
use crate::labels;

/// The compose files of a project become the documents of this file.
const MAIN_FILE: &str = "compose.yaml";
/// Compose files and env files are text that people write; more than this is a mistake.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;
const MOST_FILES: usize = 1000;

type Result<T> = std::result::Result<T, RegistryError>;

/// The files of a project that is named by its digest and was fetched before: for these no registry is asked.
pub fn cached(reference: &Reference, cache: &Path) -> Option<PathBuf> {
    match &reference.version {
        Version::Digest(digest) => fetched(cache, digest),
        Version::Tag(_) => None,
    }
}

/// A directory below `cache` with the files of a project. A tag is looked up each time, and what it means is fetched once.
///
/// # Errors
/// The registry does not have it, or it is no project, or it can not be written.
pub fn fetch(reference: &Reference, access: &Access, cache: &Path) -> Result<PathBuf> {
    let registry = Registry::open(reference, access, false, &[])?;
    let manifest = registry.manifest(&reference.version)?;
    if let Some(done) = fetched(cache, &manifest.digest) {
        return Ok(done);
    }
    let artifact: Artifact = serde_json::from_slice(&manifest.bytes).map_err(|_| {
        RegistryError::text(format!("{reference} is not a compose project, but {}", manifest.media_type))
    })?;
    if !artifact.is_project() {
        return Err(RegistryError::text(format!("{reference} is not a compose project, but {}", artifact.kind())));
    }
    if artifact.layers().len() > MOST_FILES {
        return Err(RegistryError::text(format!("{reference} has more than {MOST_FILES} files")));
    }
    let done = cache.join(directory_of(&manifest.digest));
    // Made under another name first: whoever sees the directory sees all of it.
    let making = cache.join(format!(".{}.{}", directory_of(&manifest.digest), std::process::id()));
    let result = write(&registry, &artifact, &making).and_then(|()| match fs::rename(&making, &done) {
        // Somebody else was as fast.
        Err(_) if done.is_dir() => Ok(()),
        result => result.map_err(|error| unwritable(&done, &error)),
    });
    if making.exists() {
        let _ = fs::remove_dir_all(&making);
    }
    result.map(|()| done)
}

fn fetched(cache: &Path, digest: &str) -> Option<PathBuf> {
    let directory = cache.join(directory_of(digest));
    directory.is_dir().then_some(directory)
}

/// Digests were checked to be hexadecimal.
fn directory_of(digest: &str) -> &str {
    digest.trim_start_matches("sha256:")
}

fn write(registry: &Registry, artifact: &Artifact, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).map_err(|error| unwritable(directory, &error))?;
    let mut main: Option<Vec<u8>> = None;
    for layer in artifact.layers() {
        let named = |key: &str| layer.annotations.get(key).map(String::as_str);
        match layer.media_type.as_str() {
            COMPOSE_FILE if named(labels::ARTIFACT_EXTENDS).is_some() => {
                write_file(directory, named(labels::ARTIFACT_FILE), layer, registry)?;
            }
            COMPOSE_FILE => {
                let content = registry.blob(layer, LARGEST_FILE)?;
                match &mut main {
                    None => main = Some(content),
                    Some(main) => {
                        main.extend_from_slice(b"\n---\n");
                        main.extend(content);
                    }
                }
            }
            ENV_FILE => write_file(directory, named(labels::ARTIFACT_ENV_FILE), layer, registry)?,
            // What later versions add.
            _ => {}
        }
    }
    let main = main.ok_or_else(|| RegistryError::text("there is no compose file in it".to_owned()))?;
    create(&directory.join(MAIN_FILE), &main)
}

fn write_file(directory: &Path, name: Option<&str>, layer: &Descriptor, registry: &Registry) -> Result<()> {
    let name = name.filter(|name| is_file_name(name)).ok_or_else(|| {
        RegistryError::text(format!("the layer {} has no name that is one of a file: {name:?}", layer.digest))
    })?;
    create(&directory.join(name), &registry.blob(layer, LARGEST_FILE)?)
}

/// Whether a name lies in the directory it is written to, and is not the one that matters.
fn is_file_name(name: &str) -> bool {
    !matches!(name, "" | "." | ".." | MAIN_FILE) && !name.contains(['/', '\\']) && !name.contains(char::is_control)
}

fn create(path: &Path, content: &[u8]) -> Result<()> {
    // New and no link: nothing that is there already is written to.
    let file = fs::OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(content)).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> RegistryError {
    RegistryError::text(format!("{} can not be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_lead_elsewhere() {
        for (name, good) in [
            ("02ae.env", true),
            ("base.yaml", true),
            ("..", false),
            ("../x", false),
            ("/etc/passwd", false),
            ("a\\b", false),
            ("compose.yaml", false),
            ("", false),
            ("a\0", false),
        ] {
            assert_eq!(is_file_name(name), good, "{name:?}");
        }
    }
}
