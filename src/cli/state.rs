//! What must be remembered while a container lives, and that its labels cannot hold: digests of files whose content
//! counts (`x-on-change`). A file in the user's state directory; losing it costs a signal at most, never data.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cli::context::Context;
use crate::cli::lease::{key, state_directory};
use crate::engine::{Applied, Ending};
use crate::labels;
use crate::names::{ContainerId, ServiceName};
use crate::planner::{Answer, Contents, Recreate, UpOptions, watched};
use crate::resource::Snapshot;
use crate::runtime::{LabelFilter, Runtime};
use crate::spec::model::Project;

/// The form of the file.
const VERSION: u32 = 1;
/// Hex digits of a digest.
const DIGEST_LENGTH: usize = 32;
/// So much of a file or directory is read; of what is larger, size and time of the rest count.
const MOST_READ: u64 = 64 << 20;
/// So many entries of a directory are looked at.
const MOST_ENTRIES: usize = 10_000;
/// So deep directories are looked into.
const DEEPEST: usize = 32;

/// What is remembered of a project.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct State {
    version: u32,
    /// For people who look into the file.
    project: String,
    /// Digests of contents, by path as it is written, that each container has seen.
    containers: BTreeMap<ContainerId, BTreeMap<String, String>>,
}

/// The files of a project whose content counts, as they are now.
pub struct Files<'a> {
    context: &'a Context<'a>,
    project: &'a Project,
    now: BTreeMap<ServiceName, BTreeMap<String, String>>,
}

impl std::fmt::Debug for Files<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Files({:?})", self.now)
    }
}

impl<'a> Files<'a> {
    /// Reads them. Costs nothing where no content counts.
    pub fn of(context: &'a Context<'a>, project: &'a Project) -> Self {
        let services = project.services.iter().map(|(name, service)| {
            let digests = watched(service).0.into_iter().map(|file| {
                let digest = digest(context, &project.working_dir.join(&file.path));
                (file.path, digest)
            });
            (name.clone(), digests.collect::<BTreeMap<_, _>>())
        });
        let now = services.filter(|(_, digests)| !digests.is_empty()).collect();
        Self { context, project, now }
    }

    /// The options with what is known of contents.
    pub fn options<'o>(&self, options: &'o UpOptions, snapshot: &Snapshot) -> Cow<'o, UpOptions> {
        if self.now.is_empty() {
            return Cow::Borrowed(options);
        }
        let path = self.path(&snapshot.engine.endpoint);
        let seen = path.map(|path| read(&path).containers).unwrap_or_default();
        let contents = Contents { now: self.now.clone(), seen };
        Cow::Owned(UpOptions { contents: Some(Arc::new(contents)), ..options.clone() })
    }

    /// Remembers what the containers have seen now that the plan of an `up` or `create` was run to its end.
    pub async fn remember(&self, runtime: &dyn Runtime, applied: &Applied, options: &UpOptions) {
        if self.now.is_empty() || applied.ending != Ending::Done {
            return;
        }
        let ours = LabelFilter::equals(labels::PROJECT, self.project.name.as_str());
        let (Ok(facts), Ok(found)) = (runtime.facts().await, runtime.list_containers(&ours).await) else { return };
        let Some(path) = self.path(&facts.endpoint) else { return };
        let before = read(&path);
        let mut containers = BTreeMap::new();
        for container in found.into_iter().filter(|container| !container.is_one_off()) {
            let known = before.containers.get(&container.id);
            let mut digests = known.cloned().unwrap_or_default();
            if let Some(now) = self.now.get(container.service()) {
                let made = applied.rounds.made.values().any(|made| *made == container.id);
                let open = |path: &str| !made && self.is_unanswered(container.service(), path, options);
                // What was never seen counts from now on.
                let seen = now.iter().filter(|(path, _)| !(digests.contains_key(*path) && open(path)));
                let seen: Vec<_> = seen.map(|(path, digest)| (path.clone(), digest.clone())).collect();
                digests.retain(|path, _| now.contains_key(path));
                digests.extend(seen);
            }
            if !digests.is_empty() {
                containers.insert(container.id, digests);
            }
        }
        let state = State { version: VERSION, project: self.project.name.to_string(), containers };
        if state != before
            && let Err(error) = write(&path, &state)
        {
            let text =
                format!("what containers saw of x-on-change files could not be kept in {}: {error}", path.display());
            self.context.warn(&text);
        }
    }

    /// Whether a container that stayed was not told of a change: without a start nothing is, and what would make it
    /// anew was ruled out with `--no-recreate`.
    fn is_unanswered(&self, service: &str, path: &str, options: &UpOptions) -> bool {
        let asks_recreate = || {
            let rules = self.project.services.get(service).map(|service| watched(service).0).unwrap_or_default();
            rules.iter().any(|rule| rule.path == path && rule.answer == Answer::Recreate)
        };
        !options.start || (options.recreate == Recreate::Never && asks_recreate())
    }

    fn path(&self, endpoint: &str) -> Option<PathBuf> {
        let directory = state_directory(&self.context.environment)?;
        Some(directory.join("projects").join(key(endpoint, &self.project.name)).with_extension("json"))
    }
}

/// What is not there or cannot be understood is nothing.
fn read(path: &Path) -> State {
    let state = fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<State>(&bytes).ok());
    state.filter(|state| state.version == VERSION).unwrap_or_default()
}

fn write(path: &Path, state: &State) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    // Whoever reads meanwhile sees the old one or the new one.
    let next = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&next, serde_json::to_vec(state)?)?;
    fs::rename(&next, path)
}

/// A digest of a file, or of a directory with all below it. What cannot be read has a digest, too: that of its absence.
fn digest(context: &Context<'_>, path: &Path) -> String {
    let mut hash = Sha256::new();
    let mut left = Left { bytes: MOST_READ, entries: MOST_ENTRIES };
    if context.files.is_dir(path) {
        directory(&mut hash, path, 0, &mut left);
    } else {
        match context.files.read(path) {
            Ok(bytes) => hash.update(&bytes),
            Err(_) => file(&mut hash, path, &mut left),
        }
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    hex.get(..DIGEST_LENGTH).unwrap_or(&hex).to_owned()
}

/// What may still be read.
struct Left {
    bytes: u64,
    entries: usize,
}

fn directory(hash: &mut Sha256, path: &Path, depth: usize, left: &mut Left) {
    let Ok(entries) = fs::read_dir(path) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().take(left.entries).map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        if left.entries == 0 {
            return;
        }
        left.entries -= 1;
        hash.update(entry.file_name().unwrap_or_default().as_encoded_bytes());
        hash.update([0]);
        match fs::symlink_metadata(&entry) {
            Ok(found) if found.is_dir() && depth < DEEPEST => directory(hash, &entry, depth + 1, left),
            Ok(found) if found.is_symlink() => {
                hash.update(fs::read_link(&entry).unwrap_or_default().as_os_str().as_encoded_bytes());
            }
            _ => file(hash, &entry, left),
        }
        hash.update([0]);
    }
}

/// The content of a regular file, as far as it may be read; of everything else its size and time.
fn file(hash: &mut Sha256, path: &Path, left: &mut Left) {
    let Ok(found) = fs::metadata(path) else { return };
    if found.is_file()
        && found.len() <= left.bytes
        && let Ok(opened) = File::open(path)
    {
        let mut content = Vec::new();
        // What can be read of it counts.
        let _ = opened.take(left.bytes).read_to_end(&mut content);
        left.bytes -= (content.len() as u64).min(left.bytes);
        hash.update(&content);
        return;
    }
    hash.update(found.len().to_be_bytes());
    let changed = found.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    hash.update(changed.unwrap_or_default().as_nanos().to_be_bytes());
}
