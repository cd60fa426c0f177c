//! How loading reads files, so that tests need no disk and remote files can be jailed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Files that lie elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// What brings them here.
    pub kind: RemoteKind,
    /// Where they are found: as git has it, or the whole name in a registry, `example.com/shop:1`.
    pub repository: String,
    /// Of a git repository a branch, a tag or a commit; `None` is what the repository has checked out.
    pub reference: Option<String>,
    /// A directory or file in it.
    pub directory: Option<String>,
    /// The whole reference as it was written.
    pub written: String,
}

/// What brings files here that lie elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteKind {
    /// Git.
    Git,
    /// A registry that a project was published to.
    Oci,
}

/// Who wants a repository to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker<'a> {
    /// The user, by naming it on the command line.
    User,
    /// A file; `compose.yaml:4:7`.
    File(&'a str),
}

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
    /// Fetches a repository, with the user's consent, and answers the directory it lies in. The error's text is for the
    /// user.
    fn fetch(&self, remote: &Remote, _asker: Asker<'_>) -> io::Result<PathBuf> {
        Err(io::Error::new(io::ErrorKind::Unsupported, format!("nothing is fetched here: {}", remote.written)))
    }
    /// All of standard input; asked at most once for a load.
    fn stdin(&self) -> io::Result<Vec<u8>>;
}

/// Files in memory, for tests.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    files: BTreeMap<PathBuf, Vec<u8>>,
    links: BTreeMap<PathBuf, PathBuf>,
    repositories: BTreeMap<String, PathBuf>,
}

impl MemoryFiles {
    /// Adds a file; its directories come with it.
    #[must_use]
    pub fn with(mut self, path: &str, content: &str) -> Self {
        self.files.insert(PathBuf::from(path), content.as_bytes().to_vec());
        self
    }
    /// Adds a symbolic link to an absolute path.
    #[must_use]
    pub fn with_link(mut self, path: &str, target: &str) -> Self {
        self.links.insert(path.into(), target.into());
        self
    }
    /// Says where a repository lies that can be fetched.
    #[must_use]
    pub fn with_repository(mut self, repository: &str, directory: &str) -> Self {
        self.repositories.insert(repository.to_owned(), directory.into());
        self
    }
    /// The path with the links on its way followed, a few of them.
    fn followed(&self, path: &Path) -> PathBuf {
        const MOST_LINKS: usize = 8;
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let link = path.ancestors().find_map(|part| Some((part.to_owned(), self.links.get(part)?)));
            let Some((link, target)) = link else { break };
            let rest = path.strip_prefix(&link).map(Path::to_owned).unwrap_or_default();
            path = if rest.as_os_str().is_empty() { target.clone() } else { target.join(rest) };
        }
        path
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let path = &self.followed(path);
        if self.is_dir(path) {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file or directory"))
    }
    fn exists(&self, path: &Path) -> bool {
        let path = &self.followed(path);
        self.files.contains_key(path) || self.is_dir(path)
    }
    fn is_dir(&self, path: &Path) -> bool {
        let path = &self.followed(path);
        self.files.keys().any(|file| file.as_path() != path && file.starts_with(path))
    }
    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(self.followed(path))
    }
    fn is_symlink(&self, path: &Path) -> bool {
        self.links.contains_key(path)
    }
    fn fetch(&self, remote: &Remote, _asker: Asker<'_>) -> io::Result<PathBuf> {
        let known = self.repositories.get(&remote.repository).cloned();
        known.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no repository {}", remote.repository)))
    }
    fn stdin(&self) -> io::Result<Vec<u8>> {
        self.read(Path::new("/dev/stdin"))
    }
}
