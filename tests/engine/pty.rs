//! A command in a real terminal: what it draws, what is typed, and whether the terminal is as it was afterwards.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex};

use pty_process::{OwnedWritePty, Size};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, Termios, tcgetattr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::patience::{PATIENCE, eventually};

/// A command that runs in a terminal.
pub(crate) struct InTerminal {
    shown: String,
    child: Child,
    screen: Arc<Mutex<Vec<u8>>>,
    readers: JoinSet<()>,
    keys: OwnedWritePty,
    terminal: OwnedFd,
    before: Termios,
}

impl InTerminal {
    /// Starts it in a terminal of so many rows and columns.
    pub(crate) fn start(
        program: &Path,
        args: &[&str],
        dir: &Path,
        env: &[(String, String)],
        (rows, columns): (u16, u16),
    ) -> Self {
        let shown = format!("{} {}", program.file_name().unwrap_or_default().display(), args.join(" "));
        eprintln!("$ {shown} (in a terminal)");
        let (pty, pts) = pty_process::open().expect("the system gives terminals");
        pty.resize(Size::new(rows, columns)).expect("a terminal can be resized");
        let terminal = pty.as_fd().try_clone_to_owned().expect("a descriptor can be copied");
        let before = tcgetattr(&terminal).expect("a terminal tells its modes");
        let command = pty_process::Command::new(program).args(args).current_dir(dir).env_clear();
        let command = command.envs(env.iter().map(|(key, value)| (key, value))).kill_on_drop(true);
        let child = command.spawn(pts).unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
        let (mut reads, keys) = pty.into_split();
        let screen: Arc<Mutex<Vec<u8>>> = Arc::default();
        let mut readers = JoinSet::new();
        let to = Arc::clone(&screen);
        readers.spawn(async move {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = reads.read(&mut part).await {
                to.lock().expect("no reader panics").extend_from_slice(&part[..length]);
            }
        });
        Self { shown, child, screen, readers, keys, terminal, before }
    }

    /// Everything that was drawn so far.
    pub(crate) fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().expect("no reader panics")).into_owned()
    }

    /// Waits until these words stand on the screen.
    pub(crate) async fn shows(&self, words: &str) {
        eventually(&format!("{} shows {words:?}", self.shown), async || {
            let screen = self.screen();
            if screen.contains(words) { Ok(()) } else { Err(screen) }
        })
        .await;
    }

    /// Waits until every key goes to the program as it is typed.
    pub(crate) async fn is_raw(&self) {
        eventually(&format!("{} takes single keys", self.shown), async || {
            let modes = tcgetattr(&self.terminal).expect("a terminal tells its modes").local_modes;
            if modes.contains(LocalModes::ICANON) { Err(format!("{modes:?}")) } else { Ok(()) }
        })
        .await;
    }

    /// Types.
    pub(crate) async fn types(&mut self, keys: &str) {
        eprintln!("typed: {keys:?}");
        self.keys.write_all(keys.as_bytes()).await.expect("the terminal takes keys");
    }

    /// Makes the window another size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        self.keys.resize(Size::new(rows, columns)).expect("a terminal can be resized");
    }

    /// Sends a signal to the command.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        kill_process(pid.expect("the command still runs"), signal).expect("a signal can be sent to an own child");
    }

    /// Its end, whatever its code.
    pub(crate) async fn exits_somehow(mut self) -> Option<i32> {
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("a child can be waited for");
        status.code()
    }

    /// Its end: it must have this code (`None`: ended by a signal) and leave the terminal as it was.
    pub(crate) async fn exits(mut self, code: Option<i32>) -> String {
        let status = match timeout(PATIENCE, self.child.wait()).await {
            Ok(status) => status.expect("a child can be waited for"),
            Err(_) => panic!("{} does not end\n{}", self.shown, self.screen()),
        };
        let after = tcgetattr(&self.terminal).expect("a terminal tells its modes");
        let modes =
            |termios: &Termios| (termios.local_modes, termios.input_modes, termios.output_modes, termios.control_modes);
        assert_eq!(modes(&after), modes(&self.before), "the terminal is not as it was after {}", self.shown);
        // Our side of the terminal ends when the last one who has it open goes.
        let _ = timeout(PATIENCE, self.readers.join_next()).await;
        let screen = self.screen();
        eprintln!("  screen: {screen:?}\n  exit code {:?}", status.code());
        assert_eq!(status.code(), code, "{}\n{screen}", self.shown);
        screen
    }
}
