//! This terminal (or pipe) in front of a process in a container: `run`, `exec` and `attach`.

use std::io;

use bytes::Bytes;
use futures::{StreamExt, stream};
use serde::Deserialize;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::terminal::Io;
use crate::engine::session::{DetachKeys, End, Foreground, ForegroundOptions, Process, Sides, foreground};
use crate::runtime::docker::config_directory;
use crate::runtime::{Attached, Output, Runtime, TerminalSize};

/// What docker's configuration says of terminals.
#[derive(Default, Deserialize)]
#[serde(default)]
struct DockerConfig {
    #[serde(rename = "detachKeys")]
    detach_keys: String,
}

/// How a process is connected with this terminal.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    /// It has a terminal of its own, which becomes one with this.
    pub(super) tty: bool,
    /// It gets input.
    pub(super) stdin: bool,
    /// It gets the signals of this process.
    pub(super) passes_signals: bool,
    /// It runs already.
    pub(super) is_running: bool,
    /// What is on its terminal already is drawn again.
    pub(super) redraws: bool,
    /// Keys that leave it alone, in docker's words; empty for the usual ones.
    pub(super) detach_keys: String,
}

impl Seat {
    /// Keeps the process in front until its end or until it is left alone. The terminal is as it was afterwards.
    pub(super) async fn hold(
        &self,
        context: &Context<'_>,
        runtime: &dyn Runtime,
        process: Process,
        attached: Attached,
        begin: impl Future<Output = bool>,
    ) -> Result<End, Failure> {
        let Self { tty, stdin, passes_signals, is_running, redraws, detach_keys } = self;
        let io = context.io;
        let leaves = *tty && *stdin && io.stdin_is_terminal;
        let options = ForegroundOptions {
            detach_keys: if leaves { Some(DetachKeys::parse(detach_keys).map_err(Failure::Message)?) } else { None },
            passes_signals: *passes_signals,
            is_running: *is_running,
            redraws: *redraws,
        };
        let mut show = |output: Output, bytes: &[u8]| {
            let to = if output == Output::Stdout { &io.stdout } else { &io.stderr };
            to.bytes(bytes);
            if to.is_broken() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
        };
        context.signals_are_passed_on.set(true);
        let signals = io.all_signals().map(|signal| (signal.name(), signal.is_wish()));
        let sides = Sides {
            input: stdin.then(|| typed(io)),
            signals: Box::pin(signals),
            sizes: if *tty { sizes(io) } else { Box::pin(stream::pending()) },
            show: &mut show,
        };
        let raw = leaves.then(|| io.raw());
        let end = foreground(runtime, process, attached, begin, Foreground::new(options), sides).await;
        drop(raw);
        context.signals_are_passed_on.set(false);
        Ok(end?)
    }
}

/// Keys that leave a process alone: the flag, else what docker's configuration says.
pub(super) fn detach_keys(flag: Option<&str>, context: &Context<'_>) -> Result<String, Failure> {
    let keys = match flag {
        Some(keys) if !keys.is_empty() => keys.to_owned(),
        _ => {
            let mut variables = context.environment.variables.clone();
            if let Some(directory) = &context.global.docker.config {
                variables.insert("DOCKER_CONFIG".to_owned(), directory.clone());
            }
            let path = config_directory(&variables).join("config.json");
            // A configuration that can not be read is the business of those who need more of it.
            let config: Option<DockerConfig> =
                context.files.read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            config.unwrap_or_default().detach_keys
        }
    };
    DetachKeys::parse(&keys).map_err(Failure::Message)?;
    Ok(keys)
}

/// The size of the terminal, when it tells.
pub(super) fn size(io: &Io) -> Option<TerminalSize> {
    io.stdout.size().map(|(columns, rows)| TerminalSize { columns, rows })
}

/// What docker tells when the keys were typed that leave a running process alone.
pub(super) fn detached() -> Failure {
    Failure::message("read escape sequence")
}

/// What is told of a process that is left to itself.
pub(super) fn left(what: &str, how_to_end: &str) -> Failure {
    Failure::Left { message: format!("{what} still runs"), hint: how_to_end.to_owned() }
}

fn typed(io: &Io) -> stream::LocalBoxStream<'_, Bytes> {
    let pieces = stream::unfold(io.input(), async |mut pieces| Some((Bytes::from(pieces.recv().await?), pieces)));
    Box::pin(pieces.fuse())
}

fn sizes(io: &Io) -> stream::LocalBoxStream<'_, TerminalSize> {
    let changes = stream::once(async {}).chain(io.resizes());
    Box::pin(changes.filter_map(move |()| futures::future::ready(size(io))))
}
