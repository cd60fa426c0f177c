//! Connects a foreground session with the engine and with whoever sits in front of it.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, LocalBoxStream};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, sleep_until};

use crate::engine::session::foreground::{End, Foreground, In, Out};
use crate::names::ContainerId;
use crate::runtime::{Attached, Ending, Input, Output, Result, Runtime, TerminalSize};

/// Output of a process that ended goes on so long after the last piece of it: what it started may have it open for ever.
const DRAIN: Duration = Duration::from_secs(2);
/// A terminal that is made right now can be resized a moment later.
const RESIZES: u32 = 6;
const BEFORE_RESIZE: Duration = Duration::from_millis(10);

/// What is in the foreground.
pub enum Process {
    /// A container, and its end.
    Container(ContainerId, Ending),
    /// A command inside a container.
    Command(String),
}

/// Who sits in front of it.
pub struct Sides<'a> {
    /// What is typed or piped; `None` where it gets no input.
    pub input: Option<LocalBoxStream<'a, Bytes>>,
    /// Signals of this process: name, and whether it is a wish to end.
    pub signals: LocalBoxStream<'a, (&'static str, bool)>,
    /// Sizes of the terminal, the present one first; nothing where there is none.
    pub sizes: LocalBoxStream<'a, TerminalSize>,
    /// Who shows what it writes; an error means that nobody reads any more.
    pub show: &'a mut dyn FnMut(Output, &[u8]) -> io::Result<()>,
}

/// Keeps a process in the foreground to its end. `begin` starts it and tells whether it could.
///
/// # Errors
/// The engine is lost.
pub async fn foreground(
    runtime: &dyn Runtime,
    process: Process,
    attached: Attached,
    begin: impl Future<Output = bool>,
    mut session: Foreground,
    sides: Sides<'_>,
) -> Result<End> {
    let Attached { output, input } = attached;
    let mut output = Some(output);
    let (target, mut ending) = match process {
        Process::Container(id, ending) => (Target::Container(id), Some(ending as LocalBoxFuture<'_, _>)),
        Process::Command(exec) => (Target::Command(exec), None),
    };
    let Sides { input: mut typed, signals, sizes, show } = sides;
    let (mut signals, mut sizes) = (signals.fuse(), sizes.fuse());
    let mut writer = Writer { input, queue: VecDeque::new(), unflushed: false, closing: false };
    let mut begin = pin!(begin);
    let mut beginning = true;
    let mut calls: FuturesUnordered<LocalBoxFuture<'_, Option<In>>> = FuturesUnordered::new();
    let mut drain: Option<Instant> = None;
    loop {
        let step = tokio::select! {
            Some(signal) = signals.next() => In::Signal(signal.0, signal.1),
            started = &mut begin, if beginning => {
                beginning = false;
                if started { In::Started } else { In::NotStarted }
            }
            Some(told) = calls.next(), if !calls.is_empty() => match told {
                Some(told) => told,
                None => continue,
            },
            Some(size) = sizes.next() => In::Resized(size),
            piece = next(&mut output) => match piece {
                Some(chunk) => {
                    let chunk = chunk?;
                    drain = drain.map(|_| Instant::now() + DRAIN);
                    if show(chunk.output, &chunk.bytes).is_ok() { In::Spoke } else { In::Unheard }
                }
                None => {
                    output = None;
                    if let Target::Command(exec) = &target {
                        let exec = exec.clone();
                        ending = Some(Box::pin(code_of(runtime, exec)));
                    }
                    In::OutputEnded
                }
            },
            code = end(&mut ending) => {
                ending = None;
                In::Exited(code?)
            }
            () = writer.work(), if writer.has_work() => continue,
            piece = next(&mut typed), if !writer.has_work() => match piece {
                Some(bytes) => In::Input(bytes),
                None => {
                    typed = None;
                    In::InputEnded
                }
            },
            () = sleep_until(drain.unwrap_or_else(Instant::now)), if drain.is_some() => In::Quiet,
        };
        for out in session.step(step) {
            match out {
                Out::Write(bytes) => writer.queue.push_back(bytes),
                Out::CloseInput => writer.closing = true,
                Out::Send(signal) => calls.push(Box::pin(send(runtime, target.clone(), signal))),
                Out::Resize(size) => calls.push(Box::pin(resize(runtime, target.clone(), size))),
                Out::Redraw(size) => {
                    let other = TerminalSize { columns: size.columns.saturating_add(1), ..size };
                    let target = target.clone();
                    calls.push(Box::pin(async move {
                        resize(runtime, target.clone(), other).await;
                        resize(runtime, target, size).await
                    }));
                }
                Out::Drain => drain = Some(Instant::now() + DRAIN),
                Out::End(end) => return Ok(end),
            }
        }
    }
}

#[derive(Clone)]
enum Target {
    Container(ContainerId),
    Command(String),
}

/// The next piece; waits for ever when there is nothing to wait for.
async fn next<T>(stream: &mut Option<impl futures::Stream<Item = T> + Unpin>) -> Option<T> {
    match stream {
        Some(stream) => stream.next().await,
        None => pending().await,
    }
}

async fn end(ending: &mut Option<LocalBoxFuture<'_, Result<i64>>>) -> Result<i64> {
    match ending {
        Some(ending) => ending.await,
        None => pending().await,
    }
}

/// The exit code of a command whose output has ended. Engines tell the end of the output a moment before the end of
/// the command, and have no call that waits for it.
async fn code_of(runtime: &dyn Runtime, exec: String) -> Result<i64> {
    let mut pause = Duration::from_millis(2);
    loop {
        let state = runtime.inspect_exec(&exec).await?;
        if !state.running {
            return Ok(state.exit_code.unwrap_or(0));
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}

async fn send(runtime: &dyn Runtime, target: Target, signal: &'static str) -> Option<In> {
    let sent = match &target {
        Target::Container(id) => runtime.signal_container(id, signal).await,
        Target::Command(exec) => runtime.signal_exec(exec, signal).await,
    };
    match sent {
        // One that does not run any more needs none.
        Err(error) if !error.is_conflict() && !error.is_not_found() => Some(In::Undelivered),
        _ => None,
    }
}

async fn resize(runtime: &dyn Runtime, target: Target, size: TerminalSize) -> Option<In> {
    for attempt in 1..=RESIZES {
        let resized = match &target {
            Target::Container(id) => runtime.resize_container(id, size).await,
            Target::Command(exec) => runtime.resize_exec(exec, size).await,
        };
        if resized.is_ok() {
            break;
        }
        sleep(BEFORE_RESIZE * attempt).await;
    }
    None
}

/// Writes to the process, so that one that does not read holds up nothing but its input.
struct Writer {
    input: Option<Input>,
    queue: VecDeque<Bytes>,
    unflushed: bool,
    closing: bool,
}

impl Writer {
    fn has_work(&self) -> bool {
        self.input.is_some() && (!self.queue.is_empty() || self.unflushed || self.closing)
    }

    /// One step; broken off at any point nothing is lost or written twice.
    async fn work(&mut self) {
        let Some(input) = &mut self.input else { return };
        let done = match self.queue.front_mut() {
            Some(bytes) => match input.write(bytes).await {
                Ok(length) if length > 0 => {
                    bytes.advance(length);
                    if bytes.is_empty() {
                        self.queue.pop_front();
                    }
                    self.unflushed = true;
                    true
                }
                _ => false,
            },
            // What was written is on its way before the end is told.
            None if self.unflushed => {
                let flushed = input.flush().await;
                self.unflushed = false;
                flushed.is_ok()
            }
            None => {
                let _ = input.shutdown().await;
                false
            }
        };
        // A process that reads no more is no failure.
        if !done {
            self.input = None;
            self.queue.clear();
        }
    }
}
