//! The process's own streams, terminal and signals.

use std::fmt;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::Stream as FuturesStream;
use futures::stream;
use tokio::sync::mpsc;

use crate::ui::stream::{SizeOf, Stream};

/// A wish to end, from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// `kill`.
    Terminate,
}

/// Signals as they come.
pub type Signals = Pin<Box<dyn FuturesStream<Item = Signal>>>;

/// What a command reads from and writes to.
#[derive(Clone)]
pub struct Io {
    /// Data.
    pub stdout: Stream,
    /// Everything else.
    pub stderr: Stream,
    /// Whether standard input is a terminal.
    pub stdin_is_terminal: bool,
    stdin: Arc<Mutex<dyn BufRead + Send>>,
    signals: Arc<dyn Fn() -> Signals + Send + Sync>,
    now: fn() -> jiff::Timestamp,
}

impl fmt::Debug for Io {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Io({:?}, {:?})", self.stdout, self.stderr)
    }
}

impl Io {
    /// That of this process.
    pub fn of_process() -> Self {
        Self {
            stdout: stream_of(io::stdout().is_terminal(), io::stdout(), stdout_size),
            stderr: stream_of(io::stderr().is_terminal(), io::stderr(), stderr_size),
            stdin_is_terminal: io::stdin().is_terminal(),
            stdin: Arc::new(Mutex::new(BufReader::new(io::stdin()))),
            signals: Arc::new(process_signals),
            now: jiff::Timestamp::now,
        }
    }

    /// For tests: these streams, this input, these signals and nothing of the process.
    pub fn with(
        stdout: Stream,
        stderr: Stream,
        stdin: &str,
        signals: impl Fn() -> Signals + Send + Sync + 'static,
    ) -> Self {
        Self {
            stdout,
            stderr,
            stdin_is_terminal: false,
            stdin: Arc::new(Mutex::new(io::Cursor::new(stdin.as_bytes().to_vec()))),
            signals: Arc::new(signals),
            now: || jiff::Timestamp::UNIX_EPOCH,
        }
    }

    /// One line of input, without its end; empty at the end of input.
    pub fn read_line(&self) -> String {
        /// More than any answer.
        const MOST: u64 = 64 * 1024;
        let mut line = String::new();
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        // What can not be read is no answer.
        let _ = (&mut *stdin).take(MOST).read_line(&mut line);
        line.trim_end_matches(['\n', '\r']).to_owned()
    }

    /// Input in pieces, until its end. Read by a thread of its own that nobody waits for: a read that nothing comes
    /// for can not be broken off.
    pub fn input(&self) -> mpsc::Receiver<Vec<u8>> {
        let (sender, receiver) = mpsc::channel(4);
        let stdin = Arc::clone(&self.stdin);
        std::thread::spawn(move || {
            let mut stdin = stdin.lock().unwrap_or_else(PoisonError::into_inner);
            while let Ok(piece) = stdin.fill_buf() {
                let (piece, length) = (piece.to_vec(), piece.len());
                if length == 0 || sender.blocking_send(piece).is_err() {
                    break;
                }
                stdin.consume(length);
            }
        });
        receiver
    }

    /// The time of day; tests live at the beginning of 1970.
    pub fn now(&self) -> jiff::Timestamp {
        (self.now)()
    }

    /// Signals from now on.
    pub fn signals(&self) -> Signals {
        (self.signals)()
    }
}

fn stream_of(terminal: bool, sink: impl io::Write + Send + 'static, size: fn() -> Option<(u16, u16)>) -> Stream {
    if terminal {
        let size: SizeOf = Arc::new(size);
        Stream::terminal(sink, size)
    } else {
        Stream::new(sink)
    }
}

#[cfg(unix)]
fn size_of(file: impl std::os::fd::AsFd) -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(file).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

#[cfg(unix)]
fn stdout_size() -> Option<(u16, u16)> {
    size_of(io::stdout())
}

#[cfg(unix)]
fn stderr_size() -> Option<(u16, u16)> {
    size_of(io::stderr())
}

#[cfg(not(unix))]
fn stdout_size() -> Option<(u16, u16)> {
    None
}

#[cfg(not(unix))]
fn stderr_size() -> Option<(u16, u16)> {
    None
}

#[cfg(unix)]
fn process_signals() -> Signals {
    use tokio::signal::unix::{SignalKind, signal};
    let both = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(interrupt), Ok(terminate)) = both else { return Box::pin(stream::pending()) };
    Box::pin(stream::unfold((interrupt, terminate), async |(mut interrupt, mut terminate)| {
        let signal = tokio::select! {
            _ = interrupt.recv() => Signal::Interrupt,
            _ = terminate.recv() => Signal::Terminate,
        };
        Some((signal, (interrupt, terminate)))
    }))
}

#[cfg(not(unix))]
fn process_signals() -> Signals {
    Box::pin(stream::unfold((), async |()| {
        tokio::signal::ctrl_c().await.ok()?;
        Some((Signal::Interrupt, ()))
    }))
}
