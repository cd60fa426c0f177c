//! The `git` program: fetches one commit of a repository into a cache.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Git with a place for what it fetches.
#[derive(Clone, Debug)]
pub struct Git {
    program: PathBuf,
    cache: PathBuf,
    settings: Vec<(&'static str, String)>,
}

impl Git {
    /// The `git` of the search path; `cache` need not exist yet. What `set` (variables of the environment) already says
    /// about terminals and ssh is left alone.
    pub fn new(cache: PathBuf, set: impl Fn(&str) -> bool) -> Self {
        // A question for a password, on a terminal or in a window, would stand behind the progress output for ever.
        let defaults = [("GIT_TERMINAL_PROMPT", "0"), ("GIT_SSH_COMMAND", "ssh -o ControlMaster=no -o BatchMode=yes")];
        let mut settings: Vec<(&str, String)> = defaults
            .into_iter()
            .filter(|(name, _)| !(set(name) || *name == "GIT_SSH_COMMAND" && set("GIT_SSH")))
            .map(|(name, value)| (name, value.to_owned()))
            .collect();
        // No transport that starts a program of the reference's choice.
        settings.push(("GIT_ALLOW_PROTOCOL", "https:http:ssh:git:file".to_owned()));
        // What messages of git are looked at for.
        settings.push(("LC_ALL", "C".to_owned()));
        Self { program: PathBuf::from("git"), cache, settings }
    }

    /// A directory with the files of a repository at a branch, tag or commit (`None`: what it has checked out). A
    /// commit that was fetched before is not fetched again.
    ///
    /// # Errors
    /// There is no git, no such repository or no such reference; the text says what git said.
    pub fn checkout(&self, repository: &str, reference: Option<&str>) -> io::Result<PathBuf> {
        let commit = match reference {
            Some(commit) if is_commit(commit) => commit.to_owned(),
            reference => self.commit_of(repository, reference.unwrap_or("HEAD"))?,
        };
        let done = self.cache.join(&commit);
        if done.is_dir() {
            return Ok(done);
        }
        fs::create_dir_all(&self.cache)?;
        // Made under another name first: whoever sees the directory sees all of it.
        let making = self.cache.join(format!(".{commit}.{}", std::process::id()));
        let result = self.fetch(&making, repository, &commit);
        let result = result.and_then(|()| match fs::rename(&making, &done) {
            // Somebody else was as fast.
            Err(_) if done.is_dir() => Ok(()),
            result => result,
        });
        if result.is_err() || making.exists() {
            let _ = fs::remove_dir_all(&making);
        }
        result.map(|()| done)
    }

    fn fetch(&self, into: &Path, repository: &str, commit: &str) -> io::Result<()> {
        let within = into.to_string_lossy().into_owned();
        self.run(&["init", "--quiet", "--", &within], repository)?;
        let run = |words: &[&str]| {
            // Hooks and filters of this machine's configuration have no business with somebody else's files.
            let mut all = vec!["-C", &within, "-c", "core.hooksPath=/dev/null"];
            all.extend(words);
            self.run(&all, repository).map(|_| ())
        };
        run(&["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", repository, commit])?;
        run(&["checkout", "--quiet", "--detach", commit])
    }

    fn commit_of(&self, repository: &str, reference: &str) -> io::Result<String> {
        let peeled = format!("{reference}^{{}}");
        let said = self.run(&["ls-remote", "--", repository, reference, &peeled], repository)?;
        let lines: Vec<(&str, &str)> = said.lines().filter_map(|line| line.split_once('\t')).collect();
        let named = |wanted: String| lines.iter().find(|(_, name)| *name == wanted).map(|(commit, _)| *commit);
        let commit = named(reference.to_owned())
            .or_else(|| named(format!("refs/heads/{reference}")))
            .or_else(|| named(format!("refs/tags/{reference}^{{}}")))
            .or_else(|| named(format!("refs/tags/{reference}")))
            .or_else(|| lines.first().map(|(commit, _)| *commit))
            .filter(|commit| is_commit(commit));
        commit.map(str::to_owned).ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, format!("repository {repository} does not contain ref {reference}"))
        })
    }

    fn run(&self, words: &[&str], repository: &str) -> io::Result<String> {
        let mut command = Command::new(&self.program);
        command.args(words).stdin(Stdio::null());
        // Where compose was started must not lead git to another repository.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] {
            command.env_remove(name);
        }
        command.envs(self.settings.iter().map(|(name, value)| (*name, value)));
        let output = command.output().map_err(|error| {
            let hint = if error.kind() == io::ErrorKind::NotFound { ": install git to fetch files" } else { "" };
            io::Error::new(error.kind(), format!("failed to run git for {repository}: {error}{hint}"))
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().chars().filter(|c| !c.is_control() || *c == '\n').collect::<String>();
        Err(io::Error::other(format!("failed to access repository at {repository}:\n {said}")))
    }
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
