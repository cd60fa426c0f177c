//! How loading reads files, so that tests need no disk and remote files can be jailed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// What loading asks of a file system. Paths are absolute.
pub trait Files {
    /// The whole content. Errors are those of the system; things that are no regular files (FIFOs, devices) and files
    /// larger than a sane limit are refused.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Whether something is there.
    fn exists(&self, path: &Path) -> bool;
    /// Whether a directory is there.
    fn is_dir(&self, path: &Path) -> bool;
    /// The path with its symbolic links resolved.
    fn canonical(&self, path: &Path) -> io::Result<PathBuf>;
    /// Whether the path itself is a symbolic link.
    fn is_symlink(&self, path: &Path) -> bool;
    /// All of standard input; asked at most once for a load.
    fn stdin(&self) -> io::Result<Vec<u8>>;
}

/// Files in memory, for tests.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl MemoryFiles {
    /// Adds a file; its directories come with it.
    #[must_use]
    pub fn with(mut self, path: &str, content: &str) -> Self {
        self.files.insert(PathBuf::from(path), content.as_bytes().to_vec());
        self
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if self.is_dir(path) {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file or directory"))
    }
    fn exists(&self, path: &Path) -> bool {
        self.files.contains_key(path) || self.is_dir(path)
    }
    fn is_dir(&self, path: &Path) -> bool {
        self.files.keys().any(|file| file.as_path() != path && file.starts_with(path))
    }
    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
    fn is_symlink(&self, _path: &Path) -> bool {
        false
    }
    fn stdin(&self) -> io::Result<Vec<u8>> {
        self.read(Path::new("/dev/stdin"))
    }
}
