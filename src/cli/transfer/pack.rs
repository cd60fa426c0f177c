//! Files of the disk as a tar archive, written by a thread while it is sent.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;

use crate::cli::transfer::{PIECE, Pieces, WAITING};
use crate::runtime::Archive;

/// One thing to be packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it lies on the disk.
    pub from: PathBuf,
    /// Its name in the archive, slashes between parts; empty for a directory whose content alone is meant.
    pub name: String,
    /// A link there stands for what it points to.
    pub follow: bool,
    /// A directory is packed with all that is in it.
    pub recursive: bool,
}

/// An archive on its way.
pub struct Packed(Pieces);

impl From<Packed> for Archive {
    fn from(Packed(pieces): Packed) -> Self {
        Self(Box::pin(futures::stream::unfold(pieces, async |mut pieces| {
            let piece = pieces.recv().await?;
            Some((piece, pieces))
        })))
    }
}

/// An archive of things of this disk. What is gone when its turn comes is left out, and so are sockets. A thread of
/// its own reads the disk; it ends when the archive is dropped.
pub fn pack(items: Vec<Item>) -> Packed {
    let (sender, receiver) = mpsc::channel(WAITING);
    std::thread::spawn(move || {
        let mut output = Output { sender: sender.clone(), buffer: BytesMut::with_capacity(PIECE) };
        let written = write(&items, &mut output).and_then(|()| output.flush());
        if let Err(error) = written {
            let _ = sender.blocking_send(Err(error));
        }
    });
    Packed(receiver)
}

/// Pieces of an archive as they become full.
struct Output {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: BytesMut,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(PIECE - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..length]);
        if self.buffer.len() == PIECE {
            self.flush()?;
        }
        Ok(length)
    }
    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = self.buffer.split().freeze();
        self.buffer.reserve(PIECE);
        self.sender.blocking_send(Ok(piece)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

fn write(items: &[Item], output: impl Write) -> io::Result<()> {
    let mut archive = Builder::new(output);
    let mut links = BTreeMap::new();
    for item in items {
        // What is still to be written, the last one first; deep trees need no deep stack.
        let mut waiting = vec![(item.from.clone(), item.name.clone())];
        while let Some((path, name)) = waiting.pop() {
            let is_top = path == item.from;
            let data = if is_top && item.follow { fs::metadata(&path) } else { fs::symlink_metadata(&path) };
            let data = match data {
                Ok(data) => data,
                // Gone since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound && !(is_top && item.recursive) => continue,
                Err(error) => return Err(told(&path, &error)),
            };
            if data.is_dir() && item.recursive {
                let mut children = children(&path)?;
                children.reverse();
                let below = |child: &str| if name.is_empty() { child.to_owned() } else { format!("{name}/{child}") };
                waiting.extend(children.into_iter().map(|(path, child)| (path, below(&child))));
            }
            if !name.is_empty() {
                write_entry(&mut archive, &path, &name, &data, &mut links).map_err(|error| told(&path, &error))?;
            }
        }
    }
    archive.finish()
}

fn children(directory: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let mut children = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| told(directory, &error))? {
        let entry = entry.map_err(|error| told(directory, &error))?;
        // Archives for engines have names in UTF-8.
        children.push((entry.path(), entry.file_name().to_string_lossy().into_owned()));
    }
    children.sort();
    Ok(children)
}

fn write_entry(
    archive: &mut Builder<impl Write>,
    path: &Path,
    name: &str,
    data: &Metadata,
    links: &mut BTreeMap<(u64, u64), String>,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_metadata(data);
    let kind = data.file_type();
    if kind.is_symlink() {
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        return archive.append_link(&mut header, name, fs::read_link(path)?);
    }
    if kind.is_dir() {
        header.set_size(0);
        return archive.append_data(&mut header, format!("{name}/"), io::empty());
    }
    if !kind.is_file() {
        return write_special(archive, &mut header, name, data);
    }
    if let Some(first) = linked_before(data, name, links) {
        header.set_entry_type(EntryType::Link);
        header.set_size(0);
        return archive.append_link(&mut header, name, first);
    }
    let size = data.len();
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    // The header promises a size: a file that grows meanwhile is cut, one that shrinks is filled up.
    let content = (&mut file).take(size).chain(io::repeat(0)).take(size);
    archive.append_data(&mut header, name, content)
}

/// The name under which the same file was written before, when it has several names.
#[cfg(unix)]
fn linked_before(data: &Metadata, name: &str, links: &mut BTreeMap<(u64, u64), String>) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    if data.nlink() < 2 {
        return None;
    }
    let first = links.entry((data.dev(), data.ino())).or_insert_with(|| name.to_owned());
    (first != name).then(|| first.clone())
}

#[cfg(not(unix))]
fn linked_before(_: &Metadata, _: &str, _: &mut BTreeMap<(u64, u64), String>) -> Option<String> {
    None
}

/// Pipes and devices go along; a socket means nothing elsewhere.
#[cfg(unix)]
fn write_special(
    archive: &mut Builder<impl Write>,
    header: &mut Header,
    name: &str,
    data: &Metadata,
) -> io::Result<()> {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let kind = data.file_type();
    let entry = if kind.is_fifo() {
        EntryType::Fifo
    } else if kind.is_char_device() {
        EntryType::Char
    } else if kind.is_block_device() {
        EntryType::Block
    } else {
        return Ok(());
    };
    if entry != EntryType::Fifo {
        let device = data.rdev();
        let number = |value| u32::try_from(value).map_err(io::Error::other);
        header.set_device_major(number(((device >> 8) & 0xfff) | ((device >> 32) & !0xfff))?)?;
        header.set_device_minor(number((device & 0xff) | ((device >> 12) & !0xff))?)?;
    }
    header.set_entry_type(entry);
    header.set_size(0);
    archive.append_data(header, name, io::empty())
}

#[cfg(not(unix))]
fn write_special(_: &mut Builder<impl Write>, _: &mut Header, _: &str, _: &Metadata) -> io::Result<()> {
    Ok(())
}

fn told(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Names, kinds and link targets of an archive.
    fn listed(bytes: &[u8]) -> Vec<String> {
        let mut archive = tar::Archive::new(bytes);
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let link = entry.link_name().unwrap().map(|link| format!(" -> {}", link.display())).unwrap_or_default();
            format!("{:?} {}{link}", entry.header().entry_type(), entry.path().unwrap().display())
        });
        entries.collect()
    }

    fn item(from: &Path, name: &str) -> Item {
        Item { from: from.to_owned(), name: name.to_owned(), follow: false, recursive: true }
    }

    #[test]
    fn a_directory_is_packed_under_another_name_with_links_as_links() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("src");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(root.join("sub/a"), "a").unwrap();
        fs::hard_link(root.join("sub/a"), root.join("sub/b")).unwrap();
        symlink("/etc", root.join("l")).unwrap();
        let mut bytes = Vec::new();
        write(&[item(&root, "new")], &mut bytes).unwrap();
        assert_eq!(
            listed(&bytes),
            [
                "Directory new/",
                "Symlink new/l -> /etc",
                "Directory new/sub/",
                "Regular new/sub/a",
                "Link new/sub/b -> new/sub/a"
            ]
        );
        bytes.clear();
        write(&[item(&root, "")], &mut bytes).unwrap();
        assert_eq!(listed(&bytes).first().map(String::as_str), Some("Symlink l -> /etc"));
    }

    #[test]
    fn what_is_named_must_be_there_and_what_is_only_listed_need_not() {
        let directory = tempfile::tempdir().unwrap();
        let gone = directory.path().join("gone");
        let error = write(&[item(&gone, "x")], Vec::new()).unwrap_err();
        assert!(error.to_string().contains("gone: "), "{error}");
        let mut bytes = Vec::new();
        write(&[Item { recursive: false, ..item(&gone, "x") }], &mut bytes).unwrap();
        assert!(listed(&bytes).is_empty());
    }

    #[tokio::test]
    async fn pieces_are_bounded_and_whole() {
        use futures::StreamExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("big");
        fs::write(&path, vec![7; 3 * PIECE + 1]).unwrap();
        let mut archive = Archive::from(pack(vec![item(&path, "big")]));
        let mut bytes = Vec::new();
        while let Some(piece) = archive.0.next().await {
            let piece = piece.unwrap();
            assert!(piece.len() <= PIECE);
            bytes.extend_from_slice(&piece);
        }
        assert_eq!(listed(&bytes), ["Regular big"]);
    }
}
