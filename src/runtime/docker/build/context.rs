//! The files of a build as a tar archive, made while it is sent.

use std::collections::VecDeque;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use bytes::{Bytes, BytesMut};
use futures::Stream;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;

use crate::runtime::docker::build::filesync::mode_of;
use crate::runtime::docker::build::located::{Located, LocatedDockerfile, kind_of, no_dockerfile};
use crate::runtime::ignore::IgnoreRules;
use crate::runtime::{Error, ErrorKind, Result};

/// Bytes that go to the connection at once.
const PIECE: usize = 64 << 10;
/// Pieces that wait for the connection.
const WAITING: usize = 16;

/// A directory that is ready to be sent.
pub(super) struct Context {
    root: PathBuf,
    rules: IgnoreRules,
    /// The Dockerfile's path in the archive.
    pub(super) dockerfile: String,
    /// Text that is put in the archive under that path, when it is not a file of the context.
    added: Option<Vec<u8>>,
}

impl Context {
    /// Reads what the archive's making depends on: not for an async thread.
    pub(super) fn prepare(found: Located, what: &str) -> Result<Self> {
        let Located { root, dockerfile } = found;
        let (name, added, own_rules) = match dockerfile {
            LocatedDockerfile::Inline(text) => (generated(&text), Some(text), None),
            LocatedDockerfile::File { written, real } => {
                let mut rules = written.clone().into_os_string();
                rules.push(".dockerignore");
                let rules = Some(PathBuf::from(rules));
                match real.strip_prefix(&root).ok().and_then(slashed) {
                    Some(name) => (name, None, rules),
                    None => {
                        let text =
                            fs::read(&real).map_err(|error| no_dockerfile(&written, &error.to_string(), what))?;
                        (generated(&text), Some(text), rules)
                    }
                }
            }
        };
        let own_rules = own_rules.filter(|path| path.is_file());
        let rules = read_rules(&own_rules.unwrap_or_else(|| root.join(".dockerignore")), what)?;
        Ok(Self { root, rules, dockerfile: name, added })
    }

    /// The archive in pieces. A thread reads the files while it is sent; it ends when the stream is dropped. `sent`
    /// counts bytes that the connection has taken.
    pub(super) fn stream(self, sent: Arc<AtomicU64>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            let mut pieces = Pieces { sender: sender.clone(), buffer: BytesMut::with_capacity(PIECE) };
            if let Err(error) = self.write(&mut pieces).and_then(|()| pieces.flush()) {
                let _ = sender.blocking_send(Err(error));
            }
        });
        futures::stream::unfold((receiver, sent), |(mut receiver, sent)| async move {
            let piece = receiver.recv().await?;
            if let Ok(bytes) = &piece {
                sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
            Some((piece, (receiver, sent)))
        })
    }

    /// Writes the archive: directories before what is in them, names sorted.
    fn write(&self, output: impl Write) -> io::Result<()> {
        let mut archive = Builder::new(output);
        // What is still to be written, in order; deep trees need no deep stack.
        let mut waiting = VecDeque::from(self.children(Path::new(""))?);
        let mut parents = Parents::default();
        while let Some(path) = waiting.pop_front() {
            let full = self.root.join(&path);
            let data = match fs::symlink_metadata(&full) {
                Ok(data) => data,
                // Gone since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(told(&full, &error)),
            };
            let excluded = self.excludes(&path);
            if data.is_dir() && (!excluded || self.counts_below(&path)) {
                for child in self.children(&path)?.into_iter().rev() {
                    waiting.push_front(child);
                }
            }
            if !excluded {
                parents.write(&mut archive, &self.root, &path)?;
                write_entry(&mut archive, &full, &path, &data)?;
                parents.written(path, data.is_dir());
            }
        }
        if let Some(text) = &self.added {
            let mut header = Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            header.set_entry_type(EntryType::Regular);
            archive.append_data(&mut header, &self.dockerfile, text.as_slice())?;
        }
        archive.finish()
    }

    fn excludes(&self, path: &Path) -> bool {
        // Names that are no text are matched with replacement characters.
        let name = path.to_string_lossy();
        let name = if cfg!(windows) { name.replace('\\', "/") } else { name.into_owned() };
        // The builder needs its Dockerfile, ignored or not.
        self.rules.excludes(&name) && name != self.dockerfile
    }

    fn counts_below(&self, path: &Path) -> bool {
        let Some(name) = slashed(path) else { return true };
        self.rules.may_count_below(&name) || self.dockerfile.starts_with(&format!("{name}/"))
    }

    fn children(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let full = self.root.join(path);
        let entries = fs::read_dir(&full).map_err(|error| told(&full, &error))?;
        let mut names = entries
            .map(|entry| Ok(path.join(entry?.file_name())))
            .collect::<io::Result<Vec<_>>>()
            .map_err(|error| told(&full, &error))?;
        names.sort();
        Ok(names)
    }
}

/// Directories that are ignored themselves but have something that counts: they are written before it.
#[derive(Default)]
struct Parents {
    last: Vec<PathBuf>,
}

impl Parents {
    fn write<W: Write>(&mut self, archive: &mut Builder<W>, root: &Path, path: &Path) -> io::Result<()> {
        self.last.retain(|parent| path.starts_with(parent));
        let known = self.last.len();
        let mut missing: Vec<PathBuf> =
            path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()).map(Path::to_owned).collect();
        missing.reverse();
        for parent in missing.into_iter().skip(known) {
            let full = root.join(&parent);
            let data = fs::symlink_metadata(&full).map_err(|error| told(&full, &error))?;
            write_entry(archive, &full, &parent, &data)?;
            self.last.push(parent);
        }
        Ok(())
    }

    fn written(&mut self, path: PathBuf, is_directory: bool) {
        if is_directory {
            self.last.push(path);
        }
    }
}

fn write_entry<W: Write>(archive: &mut Builder<W>, full: &Path, path: &Path, data: &Metadata) -> io::Result<()> {
    let mut header = Header::new_gnu();
    // All belongs to root, as docker sends it.
    header.set_uid(0);
    header.set_gid(0);
    header.set_mode(mode_of(data));
    let modified = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    header.set_mtime(modified.map_or(0, |time| time.as_secs()));
    header.set_size(0);
    let kind = data.file_type();
    if kind.is_dir() {
        header.set_entry_type(EntryType::Directory);
        let mut name = path.as_os_str().to_owned();
        name.push("/");
        return archive.append_data(&mut header, name, io::empty());
    }
    if kind.is_symlink() {
        header.set_entry_type(EntryType::Symlink);
        let target = fs::read_link(full).map_err(|error| told(full, &error))?;
        return archive.append_link(&mut header, path, target);
    }
    if !kind.is_file() {
        // Sockets, pipes and devices have no content to send.
        return Ok(());
    }
    let file = File::open(full).map_err(|error| told(full, &error))?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(data.len());
    let exact = Exact { left: data.len(), file, path: full };
    archive.append_data(&mut header, path, exact)
}

/// A file's content, exactly as long as its header says, whatever happens to the file meanwhile.
struct Exact<'a> {
    file: File,
    left: u64,
    path: &'a Path,
}

impl Read for Exact<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        match self.file.read(&mut buffer[..most]) {
            Ok(0) => Err(told(self.path, &io::Error::other("it became shorter while it was read"))),
            Ok(count) => {
                self.left -= count as u64;
                Ok(count)
            }
            Err(error) => Err(told(self.path, &error)),
        }
    }
}

/// Bytes on their way to the connection.
struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: BytesMut,
}

impl Write for &mut Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Pieces::flush(self)
    }
}

impl Pieces {
    fn flush(&mut self) -> io::Result<()> {
        let bytes = self.buffer.split().freeze();
        if bytes.is_empty() {
            return Ok(());
        }
        self.buffer.reserve(PIECE);
        // Nobody listens any more: the build was dropped.
        self.sender.blocking_send(Ok(bytes)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

fn read_rules(path: &Path, what: &str) -> Result<IgnoreRules> {
    match fs::read(path) {
        Ok(bytes) => IgnoreRules::parse(&String::from_utf8_lossy(&bytes))
            .map_err(|error| Error::new(ErrorKind::Invalid, what, format!("{}: {error}", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(IgnoreRules::default()),
        Err(error) => Err(Error::new(kind_of(&error), what, format!("{}: {error}", path.display()))),
    }
}

/// A name that depends on the text alone, so that equal builds stay equal.
fn generated(text: &[u8]) -> String {
    let digest: String = Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!(".dockerfile.{digest}")
}

fn slashed(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

/// A failed read of a file, so that it is not taken for a failed connection.
fn told(path: &Path, error: &io::Error) -> io::Error {
    let detail = format!("{}: {error}", path.display());
    io::Error::other(Error::new(kind_of(error), "send the build context", detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Dockerfile;

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        directory
    }

    fn listed(context: &Context) -> Vec<String> {
        let mut bytes = Vec::new();
        context.write(&mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            assert_eq!((entry.header().uid().unwrap(), entry.header().gid().unwrap()), (0, 0));
            match entry.link_name().unwrap() {
                Some(target) => format!("{path} -> {}", target.display()),
                None => path,
            }
        });
        entries.collect()
    }

    fn prepare(directory: &tempfile::TempDir, dockerfile: &str) -> Result<Context> {
        let dockerfile = Dockerfile::Path(dockerfile.to_owned());
        let found = Located::find(directory.path(), &dockerfile, "build image x")?;
        Context::prepare(found, "build image x")
    }

    #[test]
    fn ignored_files_stay_at_home() {
        let files = [
            ("Dockerfile", "FROM x"),
            (".dockerignore", "*\n!src\nsrc/tmp\n!deep/*/keep\n"),
            ("a", ""),
            ("src/b", ""),
            ("src/tmp/c", ""),
            ("deep/one/keep", ""),
            ("deep/one/drop", ""),
            ("other/x", ""),
        ];
        let directory = directory(&files);
        let found = listed(&prepare(&directory, "Dockerfile").unwrap());
        assert_eq!(found, ["Dockerfile", "deep/", "deep/one/", "deep/one/keep", "src/", "src/b"]);
    }

    #[test]
    fn the_dockerfile_s_own_rules_come_first() {
        let directory = directory(&[
            ("d/Dockerfile", "FROM x"),
            ("d/Dockerfile.dockerignore", "a\n"),
            (".dockerignore", "b\n"),
            ("a", ""),
            ("b", ""),
        ]);
        let context = prepare(&directory, "d/Dockerfile").unwrap();
        assert_eq!(context.dockerfile, "d/Dockerfile");
        assert_eq!(listed(&context), [".dockerignore", "b", "d/", "d/Dockerfile", "d/Dockerfile.dockerignore"]);
    }

    #[test]
    fn dockerfiles_from_elsewhere_are_added() {
        let outside = directory(&[("My.Dockerfile", "FROM y"), ("My.Dockerfile.dockerignore", "skip\n")]);
        let directory = directory(&[("a", ""), ("skip", "")]);
        let context = prepare(&directory, outside.path().join("My.Dockerfile").to_str().unwrap()).unwrap();
        assert!(context.dockerfile.starts_with(".dockerfile."));
        assert_eq!(listed(&context), ["a".to_owned(), context.dockerfile.clone()]);
        let inline = Dockerfile::Inline("FROM y".to_owned());
        let found = Located::find(directory.path(), &inline, "build image x").unwrap();
        let other = Context::prepare(found, "build image x").unwrap();
        assert_eq!(other.dockerfile, context.dockerfile);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_modes_are_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = directory(&[("Dockerfile", ""), ("run.sh", "")]);
        fs::set_permissions(directory.path().join("run.sh"), fs::Permissions::from_mode(0o4751)).unwrap();
        symlink("/nowhere/else", directory.path().join("link")).unwrap();
        symlink(".", directory.path().join("loop")).unwrap();
        let context = prepare(&directory, "Dockerfile").unwrap();
        assert_eq!(listed(&context), ["Dockerfile", "link -> /nowhere/else", "loop -> .", "run.sh"]);
        let mut bytes = Vec::new();
        context.write(&mut bytes).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let last = archive.entries().unwrap().last().unwrap().unwrap();
        assert_eq!(last.header().mode().unwrap(), 0o4751);
    }

    #[test]
    fn what_is_missing_is_named() {
        let directory = directory(&[("Dockerfile/x", ""), (".dockerignore", "[\n")]);
        let error = |dockerfile| prepare(&directory, dockerfile).map(|_| ()).unwrap_err();
        assert!(error("nope").detail.starts_with("failed to read dockerfile: open "));
        assert_eq!(error("nope").kind, ErrorKind::NotFound);
        assert!(error("Dockerfile").detail.ends_with("it is no file"));
        assert!(error("Dockerfile/x").detail.ends_with("line 1: syntax error in pattern \"[\""));
        let gone = Located::find(&directory.path().join("gone"), &Dockerfile::Path("x".into()), "build image x");
        assert_eq!(gone.map(|_| ()).unwrap_err().kind, ErrorKind::NotFound);
    }
}
