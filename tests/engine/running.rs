//! A command that was started, what it writes, and how it ends.

use std::fmt::Display;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::patience::{PATIENCE, eventually};

type Text = Arc<Mutex<Vec<u8>>>;

fn collect(readers: &mut JoinSet<()>, mut from: impl AsyncRead + Unpin + Send + 'static) -> Text {
    let text = Text::default();
    let to = Arc::clone(&text);
    readers.spawn(async move {
        let mut part = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut part).await {
            to.lock().expect("no reader panics").extend_from_slice(&part[..length]);
        }
    });
    text
}

fn text(bytes: &Text) -> String {
    String::from_utf8_lossy(&bytes.lock().expect("no reader panics")).into_owned()
}

/// What a process used so far.
#[derive(Clone, Copy, Debug, Default)]
#[expect(dead_code, reason = "for people who read the transcript")]
pub(crate) struct Usage {
    /// Hundredths of a second of processor time.
    pub(crate) ticks: u64,
    /// The most memory at once, in kilobytes.
    pub(crate) memory: u64,
}

impl Usage {
    fn of(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let memory = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let memory = memory.trim().trim_end_matches(" kB").parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum();
        Some(Self { ticks, memory })
    }
}

/// A command that runs.
pub(crate) struct Running {
    shown: String,
    child: Child,
    readers: JoinSet<()>,
    stdout: Text,
    stderr: Text,
}

impl Running {
    /// Starts the command; its output is read all the time, so that it never waits for us.
    pub(crate) fn start(mut command: Command, shown: String) -> Self {
        eprintln!("$ {shown}");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
        let mut readers = JoinSet::new();
        let stdout = collect(&mut readers, child.stdout.take().expect("stdout is piped"));
        let stderr = collect(&mut readers, child.stderr.take().expect("stderr is piped"));
        Self { shown, child, readers, stdout, stderr }
    }

    /// Waits until the command has written `words` on either stream.
    pub(crate) async fn says(&mut self, words: &str) {
        eventually(&format!("{} says {words:?}", self.shown), async || {
            // Asked first: what it wrote before its end is then complete.
            let ended = matches!(self.child.try_wait(), Ok(Some(_)))
                && self.readers.try_join_next().is_none()
                && self.readers.is_empty();
            let all = text(&self.stdout) + &text(&self.stderr);
            if all.contains(words) {
                return Ok(());
            }
            assert!(!ended, "{} ended and did not say {words:?}\n{all}", self.shown);
            Err(all)
        })
        .await;
    }

    pub(crate) fn signal(&self, signal: Signal) {
        eprintln!("{signal:?} to: {}", self.shown);
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        kill_process(pid.expect("the command still runs"), signal).expect("a signal can be sent to an own child");
    }

    /// What it uses until its end; begins to look when it is polled.
    pub(crate) fn usage(&mut self) -> impl Future<Output = Usage> + use<> {
        let pid = self.child.id().expect("the command runs");
        async move {
            let mut used = Usage::default();
            // A process that ended and was not waited for has no memory any more.
            while let Some(now) = Usage::of(pid) {
                used = now;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            used
        }
    }

    /// Kills the command unless it ends before; whether it had to be killed.
    pub(crate) async fn kill_after(mut self, moment: Duration) -> bool {
        match timeout(moment, self.child.wait()).await {
            Ok(_) => false,
            Err(_) => {
                self.signal(Signal::KILL);
                let _ = self.child.wait().await;
                true
            }
        }
    }

    /// Waits for the end of the command.
    #[must_use = "say .succeeds() or .fails()"]
    pub(crate) async fn end(self) -> Run {
        self.end_within(PATIENCE).await
    }

    /// The same for a command that does many things one after the other.
    #[must_use = "say .succeeds() or .fails()"]
    pub(crate) async fn end_within(mut self, patience: Duration) -> Run {
        let status = match timeout(patience, self.child.wait()).await {
            Ok(status) => status.expect("a child can be waited for"),
            Err(_) => {
                panic!("{} does not end\n{}{}", self.shown, text(&self.stdout), text(&self.stderr))
            }
        };
        while self.readers.join_next().await.is_some() {}
        let run =
            Run { shown: self.shown, code: status.code(), stdout: text(&self.stdout), stderr: text(&self.stderr) };
        eprintln!("{run}");
        run
    }
}

/// What a command did, as far as it tells.
pub(crate) struct Run {
    shown: String,
    /// None: ended by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (stream, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            for line in text.lines() {
                writeln!(f, "  {stream}: {line}")?;
            }
        }
        match self.code {
            Some(code) => write!(f, "  exit code {code} of {}", self.shown),
            None => write!(f, "  ended by a signal: {}", self.shown),
        }
    }
}

impl Run {
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{self}");
        self
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        self.exits(0)
    }

    #[track_caller]
    pub(crate) fn fails(self) -> Self {
        assert!(self.code.is_some_and(|code| code != 0), "it should have failed\n{self}");
        self
    }

    /// One of the streams has these words.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.stdout.contains(words) || self.stderr.contains(words), "it does not say {words:?}\n{self}");
        self
    }

    /// Neither stream has these words.
    #[track_caller]
    pub(crate) fn does_not_say(self, words: &str) -> Self {
        assert!(!self.stdout.contains(words) && !self.stderr.contains(words), "it says {words:?}\n{self}");
        self
    }
}
