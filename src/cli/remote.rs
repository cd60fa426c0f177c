//! Files of repositories and registries that compose files name are fetched, but only when the user wants it.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::context::Engines;
use crate::cli::global::{DockerArgs, Environment, parse_bool};
use crate::cli::terminal::Io;
use crate::external::registry::{self, Access, Reference};
use crate::external::{Credentials, Git};
use crate::spec::files::{Asker, Files, Remote, RemoteKind};
use crate::ui::prompt;

/// Switches git off altogether, as in docker compose.
const GIT_SWITCH: &str = "COMPOSE_EXPERIMENTAL_GIT_REMOTE";
/// Switches registries off altogether, as in docker compose.
const OCI_SWITCH: &str = "COMPOSE_EXPERIMENTAL_OCI_REMOTE";
/// Says yes for all references in files.
const CONSENT: &str = "COMPOSE_REMOTE_INCLUDE";

/// Files of this machine, and those of repositories that may be fetched.
pub struct FetchingFiles<'a> {
    files: &'a dyn Files,
    fetching: Fetching<'a>,
    answers: RefCell<BTreeMap<String, bool>>,
    /// What was fetched, by repository and reference: within one command a branch or tag means one thing.
    fetched: RefCell<BTreeMap<(String, Option<String>), PathBuf>>,
    /// Standard input can be read once, and a command may load its files again.
    stdin: OnceCell<Vec<u8>>,
    was_broken_off: Cell<bool>,
}

/// With what, and for whom, files are fetched.
#[derive(Clone, Copy)]
pub struct Fetching<'a> {
    /// Where switches, caches and consent are told.
    pub environment: &'a Environment,
    /// Who is asked.
    pub io: &'a Io,
    /// Who knows the credentials of registries.
    pub engines: &'a dyn Engines,
    /// docker's flags.
    pub docker: &'a DockerArgs,
    /// Registries that are spoken to without TLS.
    pub insecure_registries: &'a [String],
    /// `-y`.
    pub yes: bool,
}

impl<'a> FetchingFiles<'a> {
    /// Files that are fetched only with consent.
    pub fn new(files: &'a dyn Files, fetching: Fetching<'a>) -> Self {
        Self {
            files,
            fetching,
            answers: RefCell::default(),
            fetched: RefCell::default(),
            stdin: OnceCell::new(),
            was_broken_off: Cell::new(false),
        }
    }

    /// Whether a person wanted to end instead of answering.
    pub fn was_broken_off(&self) -> bool {
        self.was_broken_off.get()
    }

    /// Whether the user wants a repository that a file names.
    fn consents(&self, remote: &Remote, place: &str) -> io::Result<bool> {
        if self.fetching.yes || self.flag(CONSENT)?.unwrap_or(false) {
            return Ok(true);
        }
        if let Some(answer) = self.answers.borrow().get(&remote.repository) {
            return Ok(*answer);
        }
        if !self.fetching.io.stdin_is_terminal {
            return Ok(false);
        }
        let text = format!("{place} asks for files of {}. Fetch them?", remote.repository);
        self.fetching.io.stderr.text(&prompt::question(&text, true));
        let Some(answer) = self.fetching.io.read_line() else {
            self.fetching.io.stderr.text("\n");
            self.was_broken_off.set(true);
            return Err(io::Error::other("interrupted"));
        };
        let answer = prompt::is_yes(&answer);
        self.answers.borrow_mut().insert(remote.repository.clone(), answer);
        Ok(answer)
    }

    fn flag(&self, name: &str) -> io::Result<Option<bool>> {
        let word = self.fetching.environment.get(name);
        word.map(|word| parse_bool(word).map_err(|problem| refused(format!("{name}: {problem}")))).transpose()
    }

    /// The directory for one kind of files that are fetched.
    fn cache(&self, kind: &str) -> io::Result<PathBuf> {
        let home = || self.fetching.environment.get("HOME").map(|home| Path::new(home).join(".cache"));
        let user = self.fetching.environment.get("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
        let user = user.ok_or_else(|| refused("no place for files that are fetched: HOME is not set".to_owned()))?;
        Ok(user.join("compose").join(kind))
    }

    fn fetch_oci(&self, remote: &Remote) -> io::Result<PathBuf> {
        let reference = Reference::parse(&remote.repository).map_err(refused)?;
        let cache = self.cache("oci")?;
        if let Some(known) = registry::cached(&reference, &cache) {
            return Ok(known);
        }
        let insecure = self.fetching.insecure_registries.contains(&reference.registry);
        let credentials = self.fetching.engines.credentials(self.fetching.docker, self.fetching.environment);
        // Loading is synchronous and goes on within an event loop, which hears no signal meanwhile: this has its own.
        let bring = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(unless_ended(bring(reference.clone(), credentials.as_ref(), insecure, cache)))
        };
        let result = std::thread::scope(|scope| scope.spawn(bring).join());
        let result = result.unwrap_or_else(|_| Err(io::Error::other("it ended without a result")));
        result.map_err(|error| io::Error::other(format!("failed to pull OCI resource \"{reference}\": {error}")))
    }
}

/// Fetches a project by a thread that is left to itself when nobody waits for it any more.
async fn bring(
    reference: Reference,
    credentials: &dyn Credentials,
    insecure: bool,
    cache: PathBuf,
) -> io::Result<PathBuf> {
    let access = Access { insecure, auth: credentials.for_image(&reference.name()).await };
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Nobody waits when it was broken off.
        let _ = sender.send(registry::fetch(&reference, &access, &cache));
    });
    let result = receiver.await.map_err(io::Error::other)?;
    result.map_err(io::Error::other)
}

/// Work that ends with a Ctrl-C.
async fn unless_ended<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::select! {
        biased;
        result = work => result,
        _ = tokio::signal::ctrl_c() => Err(io::Error::new(io::ErrorKind::Interrupted, "broken off")),
    }
}

fn refused(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, text)
}

impl Files for FetchingFiles<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.read(path)
    }
    fn exists(&self, path: &Path) -> bool {
        self.files.exists(path)
    }
    fn is_dir(&self, path: &Path) -> bool {
        self.files.is_dir(path)
    }
    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        self.files.canonical(path)
    }
    fn is_symlink(&self, path: &Path) -> bool {
        self.files.is_symlink(path)
    }
    fn stdin(&self) -> io::Result<Vec<u8>> {
        if let Some(known) = self.stdin.get() {
            return Ok(known.clone());
        }
        let bytes = self.files.stdin()?;
        Ok(self.stdin.get_or_init(|| bytes).clone())
    }
    fn fetch(&self, remote: &Remote, asker: Asker<'_>) -> io::Result<PathBuf> {
        let (switch, kind) = match remote.kind {
            RemoteKind::Git => (GIT_SWITCH, "git"),
            RemoteKind::Oci => (OCI_SWITCH, "OCI"),
        };
        if self.flag(switch)? == Some(false) {
            return Err(refused(format!("{kind} remote resource is disabled by \"{switch}\"")));
        }
        if let Asker::File(place) = asker
            && !self.consents(remote, place)?
        {
            let text = format!(
                "files of {} are not fetched without your consent: set {CONSENT}=1, or answer yes on a terminal",
                remote.repository
            );
            return Err(refused(text));
        }
        let place = (remote.repository.clone(), remote.reference.clone());
        if let Some(known) = self.fetched.borrow().get(&place) {
            return Ok(known.clone());
        }
        let path = match (self.files.fetch(remote, asker), remote.kind) {
            (Err(error), RemoteKind::Oci) if error.kind() == io::ErrorKind::Unsupported => self.fetch_oci(remote),
            (Err(error), RemoteKind::Git) if error.kind() == io::ErrorKind::Unsupported => {
                let git = Git::new(self.cache("git")?, |name| self.fetching.environment.get(name).is_some());
                git.checkout(&remote.repository, remote.reference.as_deref())
            }
            (answer, _) => answer,
        }?;
        self.fetched.borrow_mut().insert(place, path.clone());
        Ok(path)
    }
}
