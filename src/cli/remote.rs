//! Repositories that compose files name are fetched, but only when the user wants it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::global::{Environment, parse_bool};
use crate::cli::terminal::Io;
use crate::external::Git;
use crate::spec::files::{Asker, Files, Remote};
use crate::ui::prompt;

/// Switches git off altogether, as in docker compose.
const SWITCH: &str = "COMPOSE_EXPERIMENTAL_GIT_REMOTE";
/// Says yes for all references in files.
const CONSENT: &str = "COMPOSE_REMOTE_INCLUDE";

/// Files of this machine, and those of repositories that may be fetched.
pub struct FetchingFiles<'a> {
    files: &'a dyn Files,
    environment: &'a Environment,
    io: &'a Io,
    /// `-y`.
    yes: bool,
    answers: RefCell<BTreeMap<String, bool>>,
}

impl<'a> FetchingFiles<'a> {
    /// Files that ask on `io` before they fetch, unless `yes`.
    pub fn new(files: &'a dyn Files, environment: &'a Environment, io: &'a Io, yes: bool) -> Self {
        Self { files, environment, io, yes, answers: RefCell::default() }
    }

    /// Whether the user wants a repository that a file names.
    fn consents(&self, remote: &Remote, place: &str) -> io::Result<bool> {
        if self.yes || self.flag(CONSENT)?.unwrap_or(false) {
            return Ok(true);
        }
        if let Some(answer) = self.answers.borrow().get(&remote.repository) {
            return Ok(*answer);
        }
        if !self.io.stdin_is_terminal {
            return Ok(false);
        }
        let text = format!("{place} asks for files of {}. Fetch them?", remote.repository);
        self.io.stderr.text(&prompt::question(&text, true));
        let answer = prompt::is_yes(&self.io.read_line());
        self.answers.borrow_mut().insert(remote.repository.clone(), answer);
        Ok(answer)
    }

    fn flag(&self, name: &str) -> io::Result<Option<bool>> {
        let word = self.environment.get(name);
        word.map(|word| parse_bool(word).map_err(|problem| refused(format!("{name}: {problem}")))).transpose()
    }

    fn cache(&self) -> io::Result<PathBuf> {
        let home = || self.environment.get("HOME").map(|home| Path::new(home).join(".cache"));
        let user = self.environment.get("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
        let user = user.ok_or_else(|| refused("no place for files that are fetched: HOME is not set".to_owned()))?;
        Ok(user.join("compose").join("git"))
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
        self.files.stdin()
    }
    fn fetch(&self, remote: &Remote, asker: Asker<'_>) -> io::Result<PathBuf> {
        if self.flag(SWITCH)? == Some(false) {
            return Err(refused(format!("git remote resource is disabled by \"{SWITCH}\"")));
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
        match self.files.fetch(remote, asker) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                let git = Git::new(self.cache()?, |name| self.environment.get(name).is_some());
                git.checkout(&remote.repository, remote.reference.as_deref())
            }
            answer => answer,
        }
    }
}
