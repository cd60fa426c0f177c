//! Where the files of a build are.

use std::io;
use std::path::{Path, PathBuf};

use crate::resource::Dockerfile;
use crate::runtime::{Error, ErrorKind, Result};

/// A directory and a Dockerfile that are there.
pub(super) struct Located {
    /// The context, links resolved.
    pub(super) root: PathBuf,
    /// The Dockerfile.
    pub(super) dockerfile: LocatedDockerfile,
}

/// A Dockerfile that is there.
pub(super) enum LocatedDockerfile {
    /// Its text.
    Inline(Vec<u8>),
    /// A file.
    File {
        /// As it was written, made absolute.
        written: PathBuf,
        /// With links resolved.
        real: PathBuf,
    },
}

impl Located {
    /// Looks at the directory and the Dockerfile. Reads the disk: not for an async thread.
    pub(super) fn find(directory: &Path, dockerfile: &Dockerfile, what: &str) -> Result<Self> {
        let root = std::fs::canonicalize(directory).map_err(|error| {
            Error::new(kind_of(&error), what, format!("unable to prepare context: {}: {error}", directory.display()))
        })?;
        if !root.is_dir() {
            let detail = format!("unable to prepare context: {} is no directory", directory.display());
            return Err(Error::new(ErrorKind::Invalid, what, detail));
        }
        let dockerfile = match dockerfile {
            Dockerfile::Inline(text) => LocatedDockerfile::Inline(text.clone().into_bytes()),
            Dockerfile::Path(path) => {
                let written = root.join(path);
                let found = std::fs::canonicalize(&written).and_then(|real| Ok((std::fs::metadata(&real)?, real)));
                match found {
                    Ok((data, real)) if data.is_file() => LocatedDockerfile::File { written, real },
                    Ok(_) => return Err(no_dockerfile(&written, "it is no file", what)),
                    Err(error) => return Err(no_dockerfile(&written, &error.to_string(), what)),
                }
            }
        };
        Ok(Self { root, dockerfile })
    }
}

pub(super) fn no_dockerfile(path: &Path, why: &str, what: &str) -> Error {
    Error::new(ErrorKind::NotFound, what, format!("failed to read dockerfile: open {}: {why}", path.display()))
}

pub(super) fn kind_of(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        _ => ErrorKind::Other,
    }
}
