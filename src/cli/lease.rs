//! The project lease: on this host one command at a time changes a project. Others wait and say for whom; those that
//! take a project down ask the holder to end.
//!
//! A lock of the operating system on a file in the user's state directory holds it, so that whoever is killed leaves
//! nothing behind. Where there is no such directory, or it cannot be written, everybody goes on without.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::global::Environment;
use crate::engine::Stop;
use crate::names::ProjectName;
use crate::runtime::Runtime;
use crate::ui::paint::Tone;

/// A holder that was asked to end and goes on is asked again after this time, as a person presses Ctrl-C twice.
const PATIENCE: Duration = Duration::from_secs(10);
/// After so many times whoever takes the project down goes on without the lease.
const ASKED_AT_MOST: u32 = 3;
/// More than any command line that is told.
const LONGEST_MESSAGE: usize = 200;

/// What is done about another command that changes the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It does not matter: only images are touched.
    Regardless,
    /// It is waited for.
    Wait,
    /// It is asked to end, and waited for.
    End,
}

impl Manner {
    /// By the word of an operation: who takes a project down must never wait for one that comes up.
    pub fn of(operation: &str) -> Self {
        match operation {
            "down" | "stop" | "kill" | "remove" => Self::End,
            "build" | "pull" | "push" | "publish" => Self::Regardless,
            _ => Self::Wait,
        }
    }
}

/// The right to change a project; given back when it is dropped.
pub struct Lease<'a> {
    context: &'a Context<'a>,
    asks: Asks,
    held: RefCell<Option<os::Held>>,
    /// The lease was taken again, so that there is another place to listen at.
    taken: Notify,
}

/// What for, and as whom.
#[derive(Clone, Debug)]
struct Asks {
    /// The file; `None` without a lease.
    file: Option<PathBuf>,
    holder: Holder,
    manner: Manner,
}

/// Who holds a lease, as the file tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    /// `compose up`.
    command: String,
    /// The project, for people who look into the file.
    project: String,
    /// RFC 3339.
    since: String,
}

impl Holder {
    /// This process, doing that.
    fn new(context: &Context<'_>, project: &ProjectName, command: &str) -> Self {
        Self {
            pid: std::process::id(),
            command: format!("compose {command}"),
            project: project.to_string(),
            since: context.io.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` (pid {}, since {})", printable(&self.command), self.pid, printable(&self.since))
    }
}

impl fmt::Debug for Lease<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Lease({:?})", self.asks)
    }
}

/// Where this user's programs keep what is no configuration: `$XDG_STATE_HOME/compose`.
pub fn state_directory(environment: &Environment) -> Option<PathBuf> {
    let given = environment.get("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let usual = || {
        let home = environment.get("HOME").or_else(|| environment.get("USERPROFILE"))?;
        Some(PathBuf::from(home).join(".local/state"))
    };
    given.or_else(usual).filter(|path| path.is_absolute()).map(|path| path.join("compose"))
}

/// What files about a project on an engine are called.
pub fn key(endpoint: &str, project: &ProjectName) -> String {
    /// Hex digits; enough that no two meet.
    const LENGTH: usize = 20;
    // One socket may have several names.
    let path = endpoint.strip_prefix("unix://").and_then(|path| std::fs::canonicalize(path).ok());
    let endpoint = path.map_or_else(|| endpoint.to_owned(), |path| format!("unix://{}", path.display()));
    let digest = Sha256::digest(format!("{endpoint}\0{project}"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.get(..LENGTH).unwrap_or(&hex).to_owned()
}

impl<'a> Lease<'a> {
    /// No lease at all.
    pub fn without(context: &'a Context<'a>) -> Self {
        let asks = Asks { file: None, holder: Holder::default(), manner: Manner::Regardless };
        Self { context, asks, held: RefCell::new(None), taken: Notify::new() }
    }

    /// Takes the lease of a project for an operation like `up`. Returns at once without one where it is switched off or
    /// cannot be had.
    ///
    /// # Errors
    /// A person broke off the waiting, or the engine does not answer.
    pub async fn take(
        context: &'a Context<'a>,
        runtime: &Arc<dyn Runtime>,
        project: &ProjectName,
        operation: &str,
    ) -> Result<Self, Failure> {
        let manner = Manner::of(operation);
        let wanted = context.global.project_lock && manner != Manner::Regardless && !context.global.dry_run;
        let directory = state_directory(&context.environment).filter(|_| wanted);
        let file = match directory {
            Some(directory) => Some(directory.join("leases").join(key(&runtime.facts().await?.endpoint, project))),
            None => None,
        };
        let command = if operation == "remove" { "rm" } else { operation };
        let asks = Asks { file, holder: Holder::new(context, project, command), manner };
        let lease = Self { context, asks, held: RefCell::new(None), taken: Notify::new() };
        lease.retake().await?;
        Ok(lease)
    }

    /// Gives it back, until [`Lease::retake`].
    pub fn release(&self) {
        self.held.take();
    }

    /// Takes it again after [`Lease::release`].
    ///
    /// # Errors
    /// A person broke off the waiting.
    pub async fn retake(&self) -> Result<(), Failure> {
        let Some(file) = &self.asks.file else { return Ok(()) };
        let held = match os::try_take(file) {
            os::Try::Taken(held) => Some(held),
            os::Try::Without => None,
            os::Try::Busy => self.wait(file).await?,
        };
        if let Some(mut held) = held {
            held.introduce(&serde_json::to_vec(&self.asks.holder).unwrap_or_default());
            self.held.replace(Some(held));
            self.taken.notify_waiters();
        }
        Ok(())
    }

    async fn wait(&self, file: &Path) -> Result<Option<os::Held>, Failure> {
        let holder = os::holder(file).and_then(|bytes| serde_json::from_slice::<Holder>(&bytes).ok());
        let who = holder.map_or_else(|| "another command".to_owned(), |holder| holder.to_string());
        let project = &self.asks.holder.project;
        let text = match self.asks.manner {
            Manner::End => format!("{who} is changing project \"{project}\": it is asked to end"),
            Manner::Wait | Manner::Regardless => format!("waiting for {who}, which is changing project \"{project}\""),
        };
        self.context.note("info", Tone::Quiet, &text);
        let mut free = os::when_free(file);
        let asker = format!("`{}` (pid {})", self.asks.holder.command, self.asks.holder.pid);
        let mut asked = 0;
        loop {
            let ends = self.asks.manner == Manner::End;
            if ends {
                if asked == ASKED_AT_MOST {
                    self.context.warn(&format!("{who} does not end; going on all the same"));
                    return Ok(None);
                }
                asked += 1;
                os::ask(file, &asker).await;
            }
            tokio::select! {
                held = &mut free => return Ok(held.ok().flatten().map(os::Held::of)),
                () = self.context.interrupts.reached(Stop::Gently) => return Err(Failure::Interrupted),
                () = sleep(PATIENCE), if ends => {}
            }
        }
    }

    /// Does the work that the lease is for. Whoever asks the holder to end meanwhile is obeyed as a Ctrl-C is.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                result = &mut work => return result,
                asker = self.asked() => self.context.broken_off.by(&printable(&asker)),
            }
        }
    }

    async fn asked(&self) -> String {
        loop {
            let taken = self.taken.notified();
            let listener = self.held.borrow().as_ref().and_then(os::Held::listener);
            tokio::select! {
                asker = os::heard(listener) => return asker,
                () = taken => {}
            }
        }
    }
}

/// The right to watch a project's files, one `watch` at a time; given back when it is dropped. It hinders nobody who
/// changes the project.
pub struct WatchLease {
    _held: Option<os::Held>,
}

impl WatchLease {
    /// Takes it; without one where it is switched off or cannot be had.
    ///
    /// # Errors
    /// Another `watch` has it, or the engine does not answer.
    pub async fn take(
        context: &Context<'_>,
        runtime: &Arc<dyn Runtime>,
        project: &ProjectName,
    ) -> Result<Self, Failure> {
        let wanted = context.global.project_lock && !context.global.dry_run;
        let Some(directory) = state_directory(&context.environment).filter(|_| wanted) else {
            return Ok(Self { _held: None });
        };
        let key = key(&runtime.facts().await?.endpoint, project);
        let file = directory.join("leases").join(format!("{key}-watch"));
        let holder = Holder::new(context, project, "watch");
        match os::try_take(&file) {
            os::Try::Taken(mut held) => {
                held.tell(&serde_json::to_vec(&holder).unwrap_or_default());
                Ok(Self { _held: Some(held) })
            }
            os::Try::Without => Ok(Self { _held: None }),
            os::Try::Busy => {
                let other = os::holder(&file).and_then(|bytes| serde_json::from_slice::<Holder>(&bytes).ok());
                let who = other
                    .map_or_else(|| "another process".to_owned(), |other| format!("process with PID {}", other.pid));
                Err(Failure::Hinted {
                    message: format!("cannot take exclusive lock for project \"{project}\": {who} is still running"),
                    hints: vec!["one `compose watch` at a time follows a project's files".to_owned()],
                })
            }
        }
    }
}

/// What another process wrote, fit for a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST_MESSAGE).collect()
}

#[cfg(unix)]
mod os {
    //! Locks and sockets of Unix.

    use std::fs::{self, DirBuilder, File, OpenOptions};
    use std::io::Write;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
    use std::path::{Path, PathBuf};
    use std::rc::Rc;

    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{UnixListener, UnixStream};
    use tokio::sync::oneshot;

    use super::LONGEST_MESSAGE;

    /// A lock, and where its holder can be asked to end.
    pub(super) struct Held {
        lock: Lock,
        listener: Option<Rc<UnixListener>>,
    }

    /// Somebody who can be asked.
    pub(super) type Listener = Rc<UnixListener>;

    /// The locked file; it goes when it is given back.
    pub(super) struct Lock {
        file: File,
        path: PathBuf,
    }

    impl Drop for Lock {
        fn drop(&mut self) {
            // While the file is still locked: nobody else has these names yet.
            let _ = fs::remove_file(socket(&self.path));
            let _ = fs::remove_file(lock(&self.path));
        }
    }

    pub(super) enum Try {
        Taken(Held),
        Busy,
        /// There can be none here.
        Without,
    }

    fn lock(path: &Path) -> PathBuf {
        path.with_extension("lock")
    }

    fn socket(path: &Path) -> PathBuf {
        path.with_extension("sock")
    }

    fn open(path: &Path) -> std::io::Result<File> {
        if let Some(directory) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        OpenOptions::new().create(true).read(true).write(true).truncate(false).mode(0o600).open(lock(path))
    }

    /// Whether the locked file is still the one under its name: the last holder removed it when it was done.
    fn is_current(file: &File, path: &Path) -> bool {
        let same = |one: &fs::Metadata, other: &fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
        matches!((file.metadata(), fs::metadata(lock(path))), (Ok(one), Ok(other)) if same(&one, &other))
    }

    pub(super) fn try_take(path: &Path) -> Try {
        loop {
            let Ok(file) = open(path) else { return Try::Without };
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if is_current(&file, path) => {
                    return Try::Taken(Held { lock: Lock { file, path: path.to_owned() }, listener: None });
                }
                Ok(()) | Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) => return Try::Busy,
                Err(_) => return Try::Without,
            }
        }
    }

    /// The lock, once it is free; `None` when there can be none any more. A thread of its own waits for it, since the
    /// operating system wakes it at once and in turn. When nobody waits any more, it is given back.
    pub(super) fn when_free(path: &Path) -> oneshot::Receiver<Option<Lock>> {
        let (sender, receiver) = oneshot::channel();
        let path = path.to_owned();
        std::thread::spawn(move || {
            let found = loop {
                let Ok(file) = open(&path) else { break None };
                match flock(&file, FlockOperation::LockExclusive) {
                    Ok(()) if is_current(&file, &path) => break Some(Lock { file, path }),
                    Ok(()) | Err(Errno::INTR) => {}
                    Err(_) => break None,
                }
            };
            let _ = sender.send(found);
        });
        receiver
    }

    /// What the holder wrote of itself.
    pub(super) fn holder(path: &Path) -> Option<Vec<u8>> {
        fs::read(lock(path)).ok()
    }

    /// Asks the holder to end; who can not be reached is not asked.
    pub(super) async fn ask(path: &Path, asker: &str) {
        if let Ok(mut stream) = UnixStream::connect(socket(path)).await {
            let _ = stream.write_all(asker.as_bytes()).await;
        }
    }

    /// The next one who asks.
    pub(super) async fn heard(listener: Option<Listener>) -> String {
        if let Some(listener) = listener {
            // What is wrong with one connection is not wrong with the next; a listener that is gone hears nobody.
            if let Ok((stream, _)) = listener.accept().await {
                let mut text = Vec::new();
                let _ = stream.take(LONGEST_MESSAGE as u64).read_to_end(&mut text).await;
                return String::from_utf8_lossy(&text).into_owned();
            }
        }
        std::future::pending().await
    }

    impl Held {
        pub(super) fn of(lock: Lock) -> Self {
            Self { lock, listener: None }
        }
        /// Tells who it is.
        pub(super) fn tell(&mut self, holder: &[u8]) {
            let file = &mut self.lock.file;
            // A holder that nobody can read about holds all the same.
            let _ = file.set_len(0).and_then(|()| file.write_all(holder));
        }
        /// Tells who it is, and begins to listen.
        pub(super) fn introduce(&mut self, holder: &[u8]) {
            self.tell(holder);
            let socket = socket(&self.lock.path);
            let _ = fs::remove_file(&socket);
            self.listener = UnixListener::bind(socket).ok().map(Rc::new);
        }
        pub(super) fn listener(&self) -> Option<Listener> {
            self.listener.clone()
        }
    }
}

#[cfg(not(unix))]
mod os {
    //! No lease: commands at the same time are kept right by planning again after conflicts.

    use std::path::Path;

    use tokio::sync::oneshot;

    pub(super) struct Held;
    pub(super) type Listener = ();
    pub(super) struct Lock;

    pub(super) enum Try {
        #[expect(dead_code, reason = "there is no lease here")]
        Taken(Held),
        #[expect(dead_code, reason = "there is no lease here")]
        Busy,
        Without,
    }

    pub(super) fn try_take(_: &Path) -> Try {
        Try::Without
    }
    pub(super) fn when_free(_: &Path) -> oneshot::Receiver<Option<Lock>> {
        oneshot::channel().1
    }
    pub(super) fn holder(_: &Path) -> Option<Vec<u8>> {
        None
    }
    pub(super) async fn ask(_: &Path, _: &str) {}
    pub(super) async fn heard(_: Option<Listener>) -> String {
        std::future::pending().await
    }

    impl Held {
        pub(super) fn of(_: Lock) -> Self {
            Self
        }
        pub(super) fn tell(&mut self, _: &[u8]) {}
        pub(super) fn introduce(&mut self, _: &[u8]) {}
        pub(super) fn listener(&self) -> Option<Listener> {
            None
        }
    }
}
