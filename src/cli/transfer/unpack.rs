//! A tar archive out of a container onto the disk. Nothing is ever written outside the directory it is unpacked in,
//! whatever names and links the archive has.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use bytes::{Buf, Bytes};
use futures::StreamExt;
use tar::{Archive, EntryType};
use tokio::sync::{mpsc, oneshot};

use crate::cli::transfer::{Pieces, WAITING};
use crate::runtime::ResultStream;

/// What came of an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Entries that were left out, because they are devices, pipes or sockets.
    pub left_out: Vec<String>,
}

/// Unpacks an archive below `directory`. Its entries begin with one name, which becomes `name`, or goes away.
///
/// # Errors
/// The stream broke, the archive is none, or the disk said no.
pub async fn unpack(
    mut archive: ResultStream<Bytes>,
    directory: PathBuf,
    name: Option<String>,
    keep_owners: bool,
) -> io::Result<Unpacked> {
    let (sender, receiver) = mpsc::channel(WAITING);
    let (done, result) = oneshot::channel();
    std::thread::spawn(move || {
        let _ =
            done.send(write(Input { pieces: receiver, piece: Bytes::new() }, &directory, name.as_deref(), keep_owners));
    });
    while let Some(piece) = archive.next().await {
        let piece = piece.map_err(|error| io::Error::other(error.to_string()));
        // The thread ends early when the disk says no; it tells why.
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    result.await.map_err(io::Error::other)?
}

/// The archive's bytes as a reader for the thread.
struct Input {
    pieces: Pieces,
    piece: Bytes,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

fn write(input: impl Read, directory: &Path, name: Option<&str>, keep_owners: bool) -> io::Result<Unpacked> {
    let root = fs::canonicalize(directory).map_err(|error| told(directory, &error))?;
    let mut archive = Archive::new(input);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(keep_owners);
    archive.set_overwrite(true);
    let mut unpacked = Unpacked::default();
    // Directories get their rights and times last: writing into them needs the one and changes the other.
    let mut directories = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let written = entry.path()?.into_owned();
        let Some(relative) = renamed(&written, name)? else { continue };
        let path = inside(&root, &relative)?;
        match entry.header().entry_type() {
            EntryType::Directory => {
                make_directory(&path)?;
                directories.push((path, entry.header().mode().ok(), entry.header().mtime().ok()));
            }
            EntryType::Symlink => {
                let target = entry.link_name()?.ok_or_else(|| broken(&written, "the link has no target"))?;
                remove_file(&path)?;
                link(&target, &path).map_err(|error| told(&path, &error))?;
            }
            EntryType::Link => {
                let target = entry.link_name()?.ok_or_else(|| broken(&written, "the link has no target"))?;
                let target = renamed(&target, name)?.ok_or_else(|| broken(&written, "the link has no target"))?;
                let target = inside(&root, &target)?;
                remove_file(&path)?;
                fs::hard_link(&target, &path).map_err(|error| told(&path, &error))?;
            }
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                unpacked.left_out.push(relative.display().to_string());
            }
            _ => {
                if path.is_dir() && !path.is_symlink() {
                    return Err(broken(&path, "a file can not take the place of a directory"));
                }
                entry.unpack(&path).map_err(|error| told(&path, &error))?;
            }
        }
    }
    for (path, mode, modified) in directories.into_iter().rev() {
        finish_directory(&path, mode, modified).map_err(|error| told(&path, &error))?;
    }
    Ok(unpacked)
}

/// A name of the archive with another first part; `None` for the top itself when that has no name.
fn renamed(path: &Path, name: Option<&str>) -> io::Result<Option<PathBuf>> {
    let mut parts = Vec::new();
    let mut is_whole = false;
    for (number, component) in path.components().enumerate() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => is_whole |= number == 0,
            Component::RootDir => is_whole = true,
            Component::ParentDir | Component::Prefix(_) => {
                return Err(broken(path, "the archive's names lead out of it"));
            }
        }
    }
    // The archive of `dir/.` begins with `./`, that of the root with `/`, that of `dir` with `dir/`.
    let rest = if is_whole { parts.as_slice() } else { parts.get(1..).unwrap_or_default() };
    let renamed: PathBuf = name.map(std::ffi::OsStr::new).into_iter().chain(rest.iter().copied()).collect();
    Ok(Some(renamed).filter(|path| !path.as_os_str().is_empty()))
}

/// Where an entry goes. Directories on the way are made; one that is a link to somewhere else is a way out.
fn inside(root: &Path, relative: &Path) -> io::Result<PathBuf> {
    let mut parts = relative.components();
    let name = parts.next_back();
    let mut path = root.to_owned();
    for part in parts {
        path.push(part);
        match fs::symlink_metadata(&path) {
            Ok(data) if data.is_dir() => {}
            Ok(data) if data.is_symlink() => {
                let real = fs::canonicalize(&path).map_err(|error| told(&path, &error))?;
                if !real.starts_with(root) || !real.is_dir() {
                    return Err(broken(&path, "a link leads out of the directory that is written to"));
                }
                path = real;
            }
            Ok(_) => return Err(broken(&path, "is not a directory")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(&path).map_err(|error| told(&path, &error))?;
            }
            Err(error) => return Err(told(&path, &error)),
        }
    }
    path.extend(name);
    Ok(path)
}

fn make_directory(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => Ok(()),
        Ok(_) => Err(broken(path, "a directory can not take the place of a file")),
        Err(_) => fs::create_dir(path).map_err(|error| told(path, &error)),
    }
}

/// Takes away what a link is to replace; a directory is not taken away.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(told(path, &error)),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

fn finish_directory(path: &Path, mode: Option<u32>, modified: Option<u64>) -> io::Result<()> {
    let directory = fs::File::open(path)?;
    if let Some(modified) = modified
        .and_then(|seconds| std::time::SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds)))
    {
        directory.set_modified(modified)?;
    }
    #[cfg(unix)]
    if let Some(mode) = mode {
        use std::os::unix::fs::PermissionsExt;
        directory.set_permissions(fs::Permissions::from_mode(mode & 0o7777))?;
    }
    Ok(())
}

fn broken(path: &Path, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", path.display()))
}

fn told(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// An archive out of names as they are, also those that no honest program writes.
    fn archive(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_mode(0o755);
            header.set_mtime(1_000_000);
            let is_file = *kind == EntryType::Regular;
            if !is_file {
                header.as_old_mut().linkname[..content.len()].copy_from_slice(content.as_bytes());
            }
            header.set_size(if is_file { content.len() as u64 } else { 0 });
            header.set_cksum();
            archive.append(&header, if is_file { content.as_bytes() } else { &[] }).unwrap();
        }
        archive.into_inner().unwrap()
    }

    /// What lies in a directory, links with their targets.
    fn found(directory: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut waiting = vec![directory.to_owned()];
        while let Some(path) = waiting.pop() {
            for entry in fs::read_dir(path).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(directory).unwrap().display().to_string();
                if path.is_symlink() {
                    found.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
                } else if path.is_dir() {
                    found.push(format!("{name}/"));
                    waiting.push(path);
                } else {
                    found.push(format!("{name}: {}", String::from_utf8_lossy(&fs::read(&path).unwrap())));
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn the_first_part_becomes_the_name() {
        use EntryType::{Directory, Regular, Symlink};
        let bytes =
            archive(&[("d/", Directory, ""), ("d/f", Regular, "x"), ("d/s/g", Regular, "y"), ("d/l", Symlink, "/etc")]);
        for (name, expected) in [
            (Some("new"), vec!["new/", "new/f: x", "new/l -> /etc", "new/s/", "new/s/g: y"]),
            (None, vec!["f: x", "l -> /etc", "s/", "s/g: y"]),
        ] {
            let directory = tempfile::tempdir().unwrap();
            write(bytes.as_slice(), directory.path(), name, false).unwrap();
            assert_eq!(found(directory.path()), expected);
        }
        let directory = tempfile::tempdir().unwrap();
        write(archive(&[("./", Directory, ""), ("./f", Regular, "x")]).as_slice(), directory.path(), None, false)
            .unwrap();
        assert_eq!(found(directory.path()), ["f: x"]);
    }

    #[test]
    fn nothing_is_written_outside() {
        use EntryType::{Directory, Link, Regular, Symlink};
        let outside = tempfile::tempdir().unwrap();
        let secret = outside.path().join("secret");
        fs::write(&secret, "old").unwrap();
        let (away, secret_path) = (outside.path().to_str().unwrap(), secret.to_str().unwrap());
        for (entries, is_error) in [
            (vec![("d/../../x", Regular, "new")], true),
            (vec![("d/", Directory, ""), ("d/l", Symlink, away), ("d/l/secret", Regular, "new")], true),
            (vec![("d/l", Symlink, away), ("d/l/new/deep", Regular, "new")], true),
            (vec![("d/l", Symlink, away), ("d/l", Directory, "")], true),
            // A file takes the place of the link, not of what the link points to.
            (vec![("d/l", Symlink, secret_path), ("d/l", Regular, "new")], false),
            (vec![("d/h", Link, "d/../../../secret"), ("d/h", Regular, "new")], true),
            (vec![("d/l", Symlink, away), ("d/h", Link, "d/l/secret")], true),
            (vec![("/etc/passwd-not", Regular, "new")], false),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let result = write(archive(&entries).as_slice(), directory.path(), Some("d"), false);
            assert_eq!(result.is_err(), is_error, "{entries:?} {result:?}");
            assert_eq!(found(outside.path()), ["secret: old"], "{entries:?}");
        }
        assert!(!Path::new("/etc/passwd-not").exists());
    }

    #[test]
    fn a_link_that_was_there_is_not_followed_outside() {
        let outside = tempfile::tempdir().unwrap();
        let directory = tempfile::tempdir().unwrap();
        symlink(outside.path(), directory.path().join("d")).unwrap();
        let bytes = archive(&[("d/f", EntryType::Regular, "x")]);
        assert!(write(bytes.as_slice(), directory.path(), Some("d"), false).is_err());
        assert!(found(outside.path()).is_empty());
    }

    #[test]
    fn devices_are_left_out_and_told() {
        let directory = tempfile::tempdir().unwrap();
        let bytes = archive(&[("d/p", EntryType::Fifo, ""), ("d/f", EntryType::Regular, "x")]);
        let unpacked = write(bytes.as_slice(), directory.path(), Some("d"), false).unwrap();
        assert_eq!(unpacked.left_out, ["d/p"]);
        assert_eq!(found(directory.path()), ["d/", "d/f: x"]);
    }

    #[test]
    fn what_is_no_archive_is_told() {
        let directory = tempfile::tempdir().unwrap();
        assert!(write([1; 700].as_slice(), directory.path(), Some("d"), false).is_err());
    }
}
