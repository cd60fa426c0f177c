//! Output, input, events and samples.

use std::io;
use std::pin::Pin;

use bytes::Bytes;
use futures::Stream;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWrite;

use crate::names::ContainerId;
use crate::resource::Texts;
use crate::runtime::ResultStream;

/// Where a chunk of output was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Standard output, or the terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A piece of output: any bytes, any length, lines not kept whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Where it was written to.
    pub output: Output,
    /// What was written.
    pub bytes: Bytes,
}

/// Input to a process; closing it ends the process's standard input only.
pub type Input = Pin<Box<dyn AsyncWrite + Send>>;

/// An attached process.
pub struct Attached {
    /// What it writes; ends when it ends.
    pub output: ResultStream<Chunk>,
    /// What it reads, when input was asked for.
    pub input: Option<Input>,
}

/// A tar archive on its way into a container. An error of its source ends the upload.
pub struct Archive(pub Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>);

impl From<Bytes> for Archive {
    fn from(bytes: Bytes) -> Self {
        Self(Box::pin(futures::stream::iter([Ok(bytes)])))
    }
}

/// What lies at a path inside a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// What it is.
    pub kind: InsideKind,
    /// Bytes of a file.
    pub size: u64,
}

/// What a path inside a container means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InsideKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, and the path it points to, all links on the way followed.
    Link(String),
    /// A device, a pipe or a socket.
    Special,
}

/// How an image is made out of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Its name; without one it has only its id.
    pub reference: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// A note.
    pub message: Option<String>,
    /// Dockerfile instructions that change its configuration.
    pub changes: Vec<String>,
    /// Freeze the container meanwhile.
    pub pause: bool,
}

/// What of a container's log is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on while it runs.
    pub follow: bool,
    /// Not older: seconds since 1970 with fraction, or RFC 3339, as engines take it.
    pub since: Option<String>,
    /// Not newer.
    pub until: Option<String>,
    /// The last lines only; `None` for all.
    pub tail: Option<u64>,
    /// Each line begins with its RFC 3339 time and a blank.
    pub timestamps: bool,
}

/// What of a container is attached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachOptions {
    /// Give it input.
    pub stdin: bool,
    /// What it wrote before, first.
    pub logs: bool,
    /// Keys that detach, in the engine's words; `None` leaves the engine's.
    pub detach_keys: Option<String>,
}

/// A command inside a running container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecSpec {
    /// Program and arguments.
    pub command: Vec<String>,
    /// `K=V`.
    pub environment: Vec<String>,
    /// As whom.
    pub user: Option<String>,
    /// Where.
    pub working_dir: Option<String>,
    /// With all rights.
    pub privileged: bool,
    /// On a terminal.
    pub tty: bool,
    /// With input.
    pub stdin: bool,
    /// Its output is wanted.
    pub attach_output: bool,
    /// Keys that detach.
    pub detach_keys: Option<String>,
    /// Size of its terminal at the beginning.
    pub size: Option<TerminalSize>,
}

/// How an exec goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecState {
    /// Whether it still runs.
    pub running: bool,
    /// Its exit code, once it ended.
    pub exit_code: Option<i64>,
}

/// Size of a terminal in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// `key` or `key=value`; all of them.
    pub labels: Vec<String>,
    /// `container`, `network`, …; empty means all.
    pub kinds: Vec<String>,
    /// Begin in the past: seconds since 1970 or RFC 3339.
    pub since: Option<String>,
    /// End there.
    pub until: Option<String>,
}

/// Something that happened in the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeEvent {
    /// Nanoseconds since 1970.
    pub time: i64,
    /// `container`, `network`, `volume`, `image`.
    pub kind: String,
    /// `start`, `die`, `health_status: healthy`, …
    pub action: String,
    /// Id of the thing.
    pub id: String,
    /// Labels and more: `name`, `image`, `exitCode`.
    pub attributes: Texts,
}

impl RuntimeEvent {
    /// The container it is about.
    pub fn container(&self) -> Option<ContainerId> {
        (self.kind == "container").then(|| ContainerId::new(self.id.clone()))
    }
}

/// A sample of a container's use of resources.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Percent of one processor.
    pub cpu_percent: f64,
    /// Bytes in use, page cache taken off as docker does.
    pub memory: u64,
    /// Bytes at most.
    pub memory_limit: u64,
    /// Processes.
    pub pids: u64,
    /// Network and block traffic so far.
    pub totals: StatsTotals,
}

/// Traffic since the container started, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatsTotals {
    /// Received.
    pub network_in: u64,
    /// Sent.
    pub network_out: u64,
    /// Read from block devices.
    pub block_in: u64,
    /// Written to block devices.
    pub block_out: u64,
}
