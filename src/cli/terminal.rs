//! The process's own streams, terminal and signals.

use std::fmt;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream;
use futures::{Stream as FuturesStream, StreamExt};
use tokio::sync::mpsc;

use crate::ui::stream::{SizeOf, Stream};

/// A signal to this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// `kill`.
    Terminate,
    /// The terminal is gone.
    Hangup,
    /// Ctrl-\\.
    Quit,
    /// Whatever the process makes of it.
    User1,
    /// Whatever the process makes of it.
    User2,
    /// A timer.
    Alarm,
}

impl Signal {
    /// Its name, as engines take it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Hangup => "SIGHUP",
            Self::Quit => "SIGQUIT",
            Self::User1 => "SIGUSR1",
            Self::User2 => "SIGUSR2",
            Self::Alarm => "SIGALRM",
        }
    }
    /// Whether it is a wish to end.
    pub fn is_wish(self) -> bool {
        matches!(self, Self::Interrupt | Self::Terminate | Self::Hangup | Self::Quit)
    }
}

/// Signals as they come.
pub type Signals = Pin<Box<dyn FuturesStream<Item = Signal>>>;

/// Which signals are listened to: the others keep the effect that they have on any program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// Those that ask for the end.
    Wishes,
    /// All that can be passed on to another process.
    All,
}

/// What is given to the program as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// Everything.
    All,
    /// What has no meaning to the terminal.
    Letters,
}

/// That the size of the terminal changed.
pub type Resizes = Pin<Box<dyn FuturesStream<Item = ()>>>;

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
    signals: Arc<dyn Fn(Heard) -> Signals + Send + Sync>,
    resizes: fn() -> Resizes,
    raw: fn(Keys) -> Option<Raw>,
    now: fn() -> jiff::Timestamp,
    is_of_process: bool,
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
            resizes: process_resizes,
            raw: raw::begin,
            now: jiff::Timestamp::now,
            is_of_process: true,
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
            signals: Arc::new(move |_| signals()),
            resizes: || Box::pin(stream::pending()),
            raw: |_| None,
            now: || jiff::Timestamp::UNIX_EPOCH,
            is_of_process: false,
        }
    }

    /// One line of input, without its end; empty at the end of input. `None` when a wish to end came first.
    pub fn read_line(&self) -> Option<String> {
        if !self.is_of_process {
            return Some(line_of(&self.stdin));
        }
        // Who asks waits for the answer, so that signals are heard elsewhere. Neither thread is waited for: a read that
        // nothing comes for can not be broken off.
        let (sender, receiver) = std::sync::mpsc::channel();
        let (stdin, answers) = (Arc::clone(&self.stdin), sender.clone());
        std::thread::spawn(move || answers.send(Some(line_of(&stdin))));
        let signals = Arc::clone(&self.signals);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            if let Ok(runtime) = runtime
                && runtime.block_on(async { signals(Heard::Wishes).next().await }).is_some()
            {
                let _ = sender.send(None);
            }
        });
        receiver.recv().ok().flatten()
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

    /// Wishes to end from now on.
    pub fn signals(&self) -> Signals {
        (self.signals)(Heard::Wishes)
    }

    /// All signals that can be passed on, from now on.
    pub fn all_signals(&self) -> Signals {
        (self.signals)(Heard::All)
    }

    /// Changes of the terminal's size, from now on.
    pub fn resizes(&self) -> Resizes {
        (self.resizes)()
    }

    /// Gives every key to the program as it is typed until the value is dropped; `None` when input is no terminal.
    pub fn raw(&self) -> Option<Raw> {
        if self.stdin_is_terminal { (self.raw)(Keys::All) } else { None }
    }

    /// The same for letters, while Ctrl-C and the like stay what they are.
    pub fn single_keys(&self) -> Option<Raw> {
        if self.stdin_is_terminal { (self.raw)(Keys::Letters) } else { None }
    }
}

fn line_of(stdin: &Mutex<dyn BufRead + Send>) -> String {
    /// More than any answer.
    const MOST: u64 = 64 * 1024;
    let mut line = String::new();
    let mut stdin = stdin.lock().unwrap_or_else(PoisonError::into_inner);
    // What can not be read is no answer.
    let _ = (&mut *stdin).take(MOST).read_line(&mut line);
    line.trim_end_matches(['\n', '\r']).to_owned()
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
fn process_signals(heard: Heard) -> Signals {
    use tokio::signal::unix::{SignalKind, signal};
    let wishes = [(SignalKind::interrupt(), Signal::Interrupt), (SignalKind::terminate(), Signal::Terminate)];
    let others = [
        (SignalKind::hangup(), Signal::Hangup),
        (SignalKind::quit(), Signal::Quit),
        (SignalKind::user_defined1(), Signal::User1),
        (SignalKind::user_defined2(), Signal::User2),
        (SignalKind::alarm(), Signal::Alarm),
    ];
    let others = others.into_iter().filter(|_| heard == Heard::All);
    let streams = wishes.into_iter().chain(others).filter_map(|(kind, name)| {
        let signals = signal(kind).ok()?;
        let told = stream::unfold(signals, async |mut signals| Some((signals.recv().await?, signals)));
        Some(Box::pin(told.map(move |()| name)) as Signals)
    });
    Box::pin(stream::select_all(streams))
}

#[cfg(not(unix))]
fn process_signals(_heard: Heard) -> Signals {
    Box::pin(stream::unfold((), async |()| {
        tokio::signal::ctrl_c().await.ok()?;
        Some((Signal::Interrupt, ()))
    }))
}

#[cfg(unix)]
fn process_resizes() -> Resizes {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::window_change()) {
        Ok(changes) => Box::pin(stream::unfold(changes, async |mut changes| Some((changes.recv().await?, changes)))),
        Err(_) => Box::pin(stream::pending()),
    }
}

#[cfg(not(unix))]
fn process_resizes() -> Resizes {
    Box::pin(stream::pending())
}

pub use raw::Raw;

/// The terminal without its own line editing. What it was before is kept where a panic finds it, because a program that
/// is built to abort drops nothing.
#[cfg(unix)]
mod raw {
    use std::io;
    use std::panic;
    use std::sync::{Mutex, Once, PoisonError};

    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

    use crate::cli::terminal::Keys;

    static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);
    static PANICS: Once = Once::new();

    /// Puts the terminal back when it is dropped.
    #[derive(Debug)]
    pub struct Raw(());

    pub(super) fn begin(keys: Keys) -> Option<Raw> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut raw = before.clone();
        match keys {
            Keys::All => raw.make_raw(),
            Keys::Letters => {
                raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
                // A read gives one key, and waits for it.
                raw.special_codes[SpecialCodeIndex::VMIN] = 1;
                raw.special_codes[SpecialCodeIndex::VTIME] = 0;
            }
        }
        PANICS.call_once(|| {
            let usual = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                restore();
                usual(panic);
            }));
        });
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let guard = Raw(());
        tcsetattr(io::stdin(), OptionalActions::Drain, &raw).ok().map(|()| guard)
    }

    fn restore() {
        if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &before);
        }
    }

    impl Drop for Raw {
        fn drop(&mut self) {
            restore();
        }
    }
}

#[cfg(not(unix))]
mod raw {
    use crate::cli::terminal::Keys;

    /// There is no way to it here.
    #[derive(Debug)]
    pub struct Raw(());

    pub(super) fn begin(_keys: Keys) -> Option<Raw> {
        None
    }
}
