//! Sends a directory to BuildKit: names, sizes and times of everything first, then the content of what it asks for.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use futures::{FutureExt, Stream, StreamExt};
use hyper::header::HeaderMap;
use tokio::sync::mpsc;

use crate::runtime::docker::build::grpc::{Messages, Status};
use crate::runtime::docker::build::protobuf::{Writer, fields};
use crate::runtime::ignore::IgnoreRules;

/// Bytes of content in one packet.
const PIECE: usize = 32 << 10;
/// Packets that wait for the connection.
const WAITING: usize = 64;

const STAT: u64 = 0;
const REQUEST: u64 = 1;
const DATA: u64 = 2;
const FIN: u64 = 3;
const FAILURE: u64 = 4;

/// Bits of Go's file modes.
const GO_DIRECTORY: u32 = 1 << 31;
const GO_SYMLINK: u32 = 1 << 27;
const GO_SETUID: u32 = 1 << 23;
const GO_SETGID: u32 = 1 << 22;
const GO_STICKY: u32 = 1 << 20;

/// Something that BuildKit may ask for.
#[derive(Clone)]
pub(super) enum Source {
    /// A directory of this machine.
    Directory(PathBuf),
    /// One file that is only in memory.
    Memory {
        /// Its name.
        name: String,
        /// Its content.
        content: Arc<Vec<u8>>,
    },
}

/// Which part of a source is wanted.
#[derive(Default)]
struct Selection {
    excludes: IgnoreRules,
    /// Paths that are wanted, with all that is in them; empty means everything.
    includes: Vec<String>,
}

/// Content that can be asked for, by the number of its entry.
type Files = Arc<Mutex<BTreeMap<u64, PathBuf>>>;
type Packets = mpsc::Sender<Result<Vec<u8>, Status>>;

/// The answer to `DiffCopy`: packets, until BuildKit has what it wants.
pub(super) fn diff_copy(
    source: Source,
    headers: &HeaderMap,
    messages: Messages,
    sent: Arc<AtomicU64>,
) -> impl Stream<Item = Result<Vec<u8>, Status>> + Send + 'static {
    let (packets, receiver) = mpsc::channel(WAITING);
    let driver = match Selection::read(headers, &source) {
        Ok(selection) => drive(source, selection, messages, packets, sent).boxed(),
        Err(error) => async move {
            let _ = packets.send(Err(Status::unknown(error))).await;
        }
        .boxed(),
    };
    let received = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|packet| (packet, receiver))
    });
    // The driver is polled with the answer and gives nothing itself.
    let driven = futures::stream::once(driver).filter_map(|()| futures::future::ready(None));
    futures::stream::select(received, driven)
}

async fn drive(source: Source, selection: Selection, mut messages: Messages, packets: Packets, sent: Arc<AtomicU64>) {
    let files = Files::default();
    let (wanted, queue) = mpsc::unbounded_channel();
    let (walked, known, output) = (source.clone(), Arc::clone(&files), packets.clone());
    tokio::task::spawn_blocking(move || walk(&walked, &selection, &known, &output));
    let output = packets.clone();
    tokio::task::spawn_blocking(move || send_files(&source, queue, &files, &output, &sent));
    let outcome = loop {
        match messages.next().await {
            Ok(Some(message)) => match packet(&message) {
                (REQUEST, number, _) if wanted.send(number).is_err() => break None,
                (FIN, ..) => break Some(Ok(Writer::default().number(1, FIN).finish())),
                (FAILURE, _, text) => break Some(Err(Status::unknown(format!("error from receiver: {text}")))),
                _ => {}
            },
            Ok(None) => break None,
            Err(status) => break Some(Err(status)),
        }
    };
    if let Some(outcome) = outcome {
        let _ = packets.send(outcome).await;
    }
}

/// Kind, number and text of a packet.
fn packet(message: &[u8]) -> (u64, u64, String) {
    let (mut kind, mut number, mut text) = (STAT, 0, String::new());
    for (field, value) in fields(message) {
        match field {
            1 => kind = value.number(),
            3 => number = value.number(),
            4 => text = value.text(),
            _ => {}
        }
    }
    (kind, number, text)
}

fn walk(source: &Source, selection: &Selection, files: &Files, packets: &Packets) {
    let mut number = 0;
    let mut tell = |stat: Vec<u8>, file: Option<PathBuf>| {
        if let Some(path) = file {
            files.lock().unwrap_or_else(PoisonError::into_inner).insert(number, path);
        }
        number += 1;
        let packet = Writer::default().bytes(2, &stat).finish();
        // Nobody listens any more when this fails.
        packets.blocking_send(Ok(packet)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    };
    let outcome = match source {
        Source::Directory(root) => walk_directory(root, selection, &mut tell),
        Source::Memory { name, content } => {
            let stat = Writer::default().bytes(1, name.as_bytes()).number(2, 0o644).number(5, content.len() as u64);
            tell(stat.finish(), Some(PathBuf::from(name)))
        }
    };
    let last = match outcome {
        Ok(()) => Ok(Writer::default().finish()),
        Err(error) => Ok(Writer::default().number(1, FAILURE).bytes(4, error.to_string().as_bytes()).finish()),
    };
    let _ = packets.blocking_send(last);
}

type Tell<'a> = &'a mut dyn FnMut(Vec<u8>, Option<PathBuf>) -> io::Result<()>;

fn walk_directory(root: &Path, selection: &Selection, tell: Tell<'_>) -> io::Result<()> {
    let mut waiting = children(root, "")?;
    waiting.reverse();
    // Directories that lead to something wanted but were not told yet.
    let mut pending: Vec<(String, Vec<u8>)> = Vec::new();
    while let Some(path) = waiting.pop() {
        let full = root.join(&path);
        let data = match fs::symlink_metadata(&full) {
            Ok(data) => data,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(named(&full, &error)),
        };
        pending.retain(|(parent, _)| path.strip_prefix(parent.as_str()).is_some_and(|rest| rest.starts_with('/')));
        let (is_wanted, go_on) = selection.wants(&path);
        let leads = go_on && data.is_dir();
        if !is_wanted && !leads {
            continue;
        }
        let Some(stat) = stat(&path, &full, &data)? else { continue };
        let file = data.is_file().then(|| PathBuf::from(&path));
        if leads {
            let mut inside = children(root, &path)?;
            inside.reverse();
            waiting.append(&mut inside);
        }
        if !is_wanted {
            pending.push((path, stat));
            continue;
        }
        for (_, stat) in pending.drain(..) {
            tell(stat, None)?;
        }
        tell(stat, file)?;
    }
    Ok(())
}

fn children(root: &Path, path: &str) -> io::Result<Vec<String>> {
    let full = root.join(path);
    let entries = fs::read_dir(&full).map_err(|error| named(&full, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| named(&full, &error))?.file_name();
        // The protocol's names are text.
        let Some(name) = name.to_str() else {
            return Err(io::Error::other(format!("{} in {}: the name is not UTF-8", name.display(), full.display())));
        };
        names.push(if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") });
    }
    names.sort();
    Ok(names)
}

/// `Stat`: path 1, mode 2, uid 3, gid 4, size 5, modification time 6, link 7. All belongs to root, as docker sends it.
fn stat(path: &str, full: &Path, data: &Metadata) -> io::Result<Option<Vec<u8>>> {
    let kind = data.file_type();
    let permissions = mode_of(data);
    let mut mode = permissions & 0o777;
    for (bit, go) in [(0o4000, GO_SETUID), (0o2000, GO_SETGID), (0o1000, GO_STICKY)] {
        if permissions & bit != 0 {
            mode |= go;
        }
    }
    let (mut size, mut link) = (0, String::new());
    if kind.is_dir() {
        mode |= GO_DIRECTORY;
    } else if kind.is_symlink() {
        mode |= GO_SYMLINK;
        let target = fs::read_link(full).map_err(|error| named(full, &error))?;
        link = target.to_string_lossy().into_owned();
    } else if kind.is_file() {
        size = data.len();
    } else {
        // Sockets, pipes and devices have no content to send.
        return Ok(None);
    }
    let time = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let stat = Writer::default()
        .bytes(1, path.as_bytes())
        .number(2, u64::from(mode))
        .number(5, size)
        .number(6, u64::try_from(time.as_nanos()).unwrap_or_default())
        .bytes(7, link.as_bytes());
    Ok(Some(stat.finish()))
}

fn send_files(
    source: &Source,
    mut queue: mpsc::UnboundedReceiver<u64>,
    files: &Files,
    packets: &Packets,
    sent: &AtomicU64,
) {
    while let Some(number) = queue.blocking_recv() {
        let path = files.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        let outcome = match (path, source) {
            (None, _) => Err(io::Error::other(format!("there is no file {number}"))),
            (Some(path), Source::Directory(root)) => {
                let full = root.join(path);
                File::open(&full)
                    .and_then(|file| send_file(number, file, packets, sent))
                    .map_err(|error| named(&full, &error))
            }
            (Some(_), Source::Memory { content, .. }) => send_file(number, content.as_slice(), packets, sent),
        };
        if let Err(error) = outcome {
            let _ = packets.blocking_send(Err(Status::unknown(error.to_string())));
            return;
        }
    }
}

fn send_file(number: u64, mut file: impl Read, packets: &Packets, sent: &AtomicU64) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        let count = file.read(&mut buffer)?;
        let packet = Writer::default().number(1, DATA).number(3, number).bytes(4, &buffer[..count]).finish();
        packets.blocking_send(Ok(packet)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        // An empty packet ends the file.
        if count == 0 {
            return Ok(());
        }
        sent.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl Selection {
    fn read(headers: &HeaderMap, source: &Source) -> Result<Self, String> {
        let excludes = IgnoreRules::from_patterns(&values(headers, "exclude-patterns"))?;
        let mut includes = values(headers, "include-patterns");
        includes.extend(values(headers, "followpaths"));
        let Source::Directory(root) = source else { return Ok(Self::default()) };
        let mut wanted = Vec::new();
        for path in includes {
            match literal(root, &path) {
                Some(path) => wanted.push(path),
                // A link leads elsewhere, or everything is meant: then everything may be needed.
                None => return Ok(Self { excludes, includes: Vec::new() }),
            }
        }
        Ok(Self { excludes, includes: wanted })
    }

    /// Whether a path is wanted, and whether something below it may be.
    fn wants(&self, path: &str) -> (bool, bool) {
        let is_below = |below: &str, above: &str| {
            below.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let included = self.includes.is_empty() || self.includes.iter().any(|wanted| is_below(path, wanted));
        let leads = included || self.includes.iter().any(|wanted| is_below(wanted, path));
        if self.excludes.excludes(path) {
            return (false, leads && self.excludes.may_count_below(path));
        }
        (included, leads)
    }
}

/// The part of a pattern before its first wildcard, when no link is on the way; `None` for everything.
fn literal(root: &Path, pattern: &str) -> Option<String> {
    let mut found = String::new();
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            return None;
        }
        if part.contains(['*', '?', '[', '\\']) {
            break;
        }
        if !found.is_empty() {
            found.push('/');
        }
        found.push_str(part);
        if fs::symlink_metadata(root.join(&found)).is_ok_and(|data| data.is_symlink()) {
            return None;
        }
    }
    (!found.is_empty()).then_some(found)
}

/// A header's values; those with other characters than ASCII come encoded.
fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    let encoded = headers.get(format!("{name}-encoded")).is_some_and(|value| value == "1" || value == "true");
    let values = headers.get_all(name).into_iter().filter_map(|value| std::str::from_utf8(value.as_bytes()).ok());
    values
        .map(|value| match encoded {
            true => form_urlencoded::parse(format!("={value}").as_bytes())
                .next()
                .map_or_else(String::new, |(_, value)| value.into_owned()),
            false => value.to_owned(),
        })
        .collect()
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(unix)]
pub(super) fn mode_of(data: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    data.permissions().mode() & 0o7777
}

#[cfg(not(unix))]
pub(super) fn mode_of(_: &Metadata) -> u32 {
    // As docker does on Windows: everything can be executed.
    0o755
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(root: &Path, selection: &Selection) -> Vec<String> {
        let mut found = Vec::new();
        let mut tell = |stat: Vec<u8>, file: Option<PathBuf>| {
            let (mut path, mut mode, mut link) = (String::new(), 0, String::new());
            for (field, value) in fields(&stat) {
                match field {
                    1 => path = value.text(),
                    2 => mode = value.number(),
                    7 => link = format!(" -> {}", value.text()),
                    3 | 4 => panic!("everything belongs to root"),
                    _ => {}
                }
            }
            assert_eq!(file.is_some(), mode < 1 << 24, "{path}");
            found.push(format!("{path}{link}{}", if mode >> 31 == 1 { "/" } else { "" }));
            Ok(())
        };
        walk_directory(root, selection, &mut tell).unwrap();
        found
    }

    fn selection(root: &Path, excludes: &[&str], follow: &[&str]) -> Selection {
        let mut headers = HeaderMap::new();
        for (name, list) in [("exclude-patterns", excludes), ("followpaths", follow)] {
            for value in list {
                headers.append(name, value.parse().unwrap());
            }
        }
        Selection::read(&headers, &Source::Directory(root.to_owned())).unwrap()
    }

    #[test]
    fn what_is_wanted_is_told_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for path in ["a/b/c", "a/b.x", "a-b", "src/one", "src/two", "src/deep/keep", "z"] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), "x").unwrap();
        }
        let all =
            ["a/", "a/b/", "a/b/c", "a/b.x", "a-b", "src/", "src/deep/", "src/deep/keep", "src/one", "src/two", "z"];
        assert_eq!(listed(root, &selection(root, &[], &[])), all);
        assert_eq!(listed(root, &selection(root, &[], &["/", "z"])), all);
        assert_eq!(listed(root, &selection(root, &["a*", "src"], &[])), ["z"]);
        assert_eq!(listed(root, &selection(root, &["*", "!src/deep"], &[])), ["src/", "src/deep/", "src/deep/keep"]);
        assert_eq!(
            listed(root, &selection(root, &[], &["src/t*", "./z"])),
            ["src/", "src/deep/", "src/deep/keep", "src/one", "src/two", "z"]
        );
        assert_eq!(listed(root, &selection(root, &[], &["src/two", "none"])), ["src/", "src/two"]);
        assert_eq!(listed(root, &selection(root, &["src/one"], &["src/one"])), Vec::<String>::new());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_told_as_links_and_widen_the_selection() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::write(root.join("real"), "x").unwrap();
        std::os::unix::fs::symlink("real", root.join("link")).unwrap();
        assert_eq!(listed(root, &selection(root, &[], &["link"])), ["link -> real", "real"]);
        assert_eq!(listed(root, &selection(root, &[], &["real"])), ["real"]);
    }

    #[test]
    fn encoded_values() {
        let mut headers = HeaderMap::new();
        headers.append("followpaths", "%C3%A9+a%26b".parse().unwrap());
        assert_eq!(values(&headers, "followpaths"), ["%C3%A9+a%26b"]);
        headers.append("followpaths-encoded", "1".parse().unwrap());
        assert_eq!(values(&headers, "followpaths"), ["é a&b"]);
    }
}
