//! The directories that are watched: those that rules enter, and those above, so that what is replaced is seen.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::cli::failure::Failure;
use crate::engine::session::watch::Rule;

/// Events between the system's thread and us; more make it wait.
const WAITING: usize = 4096;

/// What is watched.
pub(super) struct Tree {
    watcher: RecommendedWatcher,
    events: mpsc::Receiver<notify::Result<Event>>,
    rules: Vec<Rule>,
    watched: BTreeSet<PathBuf>,
}

impl Tree {
    /// Begins to watch for some rules; also gives all paths that there are.
    pub(super) fn new(rules: Vec<Rule>) -> Result<(Self, Vec<PathBuf>), Failure> {
        let (sender, events) = mpsc::channel(WAITING);
        let tell = move |event| {
            // Nobody listens any more: nothing to be told.
            let _ = sender.blocking_send(event);
        };
        let watcher =
            RecommendedWatcher::new(tell, Config::default()).map_err(|error| told(Path::new("files"), &error))?;
        let mut tree = Self { watcher, events, rules, watched: BTreeSet::new() };
        let found = tree.all()?;
        Ok((tree, found))
    }

    /// Paths that changed, were made or are gone. Files in new directories are among them.
    pub(super) async fn changed(&mut self) -> Result<Vec<PathBuf>, Failure> {
        let Some(event) = self.events.recv().await else { return std::future::pending().await };
        let event = event.map_err(|error| told(Path::new("files"), &error))?;
        if event.need_rescan() {
            // Events were lost: whatever is there may have changed.
            self.watched.retain(|path| path.is_dir());
            return self.all();
        }
        if matches!(event.kind, EventKind::Access(_)) {
            return Ok(Vec::new());
        }
        let mut changed = Vec::new();
        for path in event.paths {
            if !fs::symlink_metadata(&path).is_ok_and(|data| data.is_dir()) {
                self.watched.retain(|watched| !watched.starts_with(&path));
            } else if matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_)) && !self.watched.contains(&path)
            {
                self.add(&path, &mut changed)?;
            }
            changed.push(path);
        }
        Ok(changed)
    }

    fn all(&mut self) -> Result<Vec<PathBuf>, Failure> {
        let mut found = Vec::new();
        let roots: Vec<PathBuf> = self.rules.iter().map(|rule| rule.path.clone()).collect();
        for root in roots {
            // The nearest directory that is there: it tells when the path comes into being, or is replaced.
            if let Some(above) = root.ancestors().skip(1).find(|path| path.is_dir()) {
                self.watch(above)?;
            }
            if root.is_dir() {
                self.add(&root, &mut found)?;
            } else if root.exists() {
                found.push(root);
            }
        }
        Ok(found)
    }

    /// Watches a directory and those below it, as far as rules go there, and gathers what is in them.
    fn add(&mut self, directory: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
        let mut waiting = vec![directory.to_owned()];
        while let Some(directory) = waiting.pop() {
            let entered = self.rules.iter().any(|rule| rule.enters(&directory));
            let leads_on = self.rules.iter().any(|rule| rule.path.starts_with(&directory));
            if !entered && !leads_on {
                continue;
            }
            // Watched before it is read: what comes in between is told twice, not never.
            self.watch(&directory)?;
            found.push(directory.clone());
            let Ok(entries) = fs::read_dir(&directory) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => waiting.push(path),
                    // A rule's own path may be a link to a directory; others are copied as links.
                    Ok(kind)
                        if kind.is_symlink() && path.is_dir() && self.rules.iter().any(|rule| rule.path == path) =>
                    {
                        waiting.push(path);
                    }
                    _ => found.push(path),
                }
            }
        }
        Ok(())
    }

    fn watch(&mut self, directory: &Path) -> Result<(), Failure> {
        if self.watched.contains(directory) {
            return Ok(());
        }
        match self.watcher.watch(directory, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(directory.to_owned());
                Ok(())
            }
            // Gone since it was listed.
            Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) || !directory.exists() => Ok(()),
            Err(error) => Err(told(directory, &error)),
        }
    }
}

fn told(path: &Path, error: &notify::Error) -> Failure {
    let message = format!("can not watch {}: {error}", path.display());
    let hint = match error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "the system allows no more watches: raise fs.inotify.max_user_watches, or list large directories under `ignore`"
        }
        _ => "`ignore` under develop.watch leaves directories out",
    };
    Failure::Hinted { message, hints: vec![hint.to_owned()] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::session::watch::{Action, Patterns};
    use crate::runtime::ignore::IgnoreRules;

    fn rule(path: PathBuf) -> Rule {
        let rules = IgnoreRules::from_patterns(&["skipped"]).unwrap();
        Rule {
            service: "web".into(),
            is_file: false,
            action: Action::Sync,
            target: "/app".to_owned(),
            include: None,
            ignore: vec![Patterns { root: path.clone(), rules }],
            initial_sync: false,
            path,
        }
    }

    async fn until(tree: &mut Tree, path: &Path) {
        while !tree.changed().await.unwrap().iter().any(|changed| changed == path) {}
    }

    #[tokio::test]
    async fn deep_changes_are_seen_and_ignored_directories_are_not_entered() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("src");
        fs::create_dir_all(root.join("skipped/deep")).unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/one"), "1").unwrap();
        let (mut tree, mut found) = Tree::new(vec![rule(root.clone())]).unwrap();
        found.sort();
        assert_eq!(found, [root.clone(), root.join("a"), root.join("a/b"), root.join("a/b/one")]);
        assert!(!tree.watched.iter().any(|path| path.ends_with("skipped")));
        fs::write(root.join("a/b/one"), "2").unwrap();
        until(&mut tree, &root.join("a/b/one")).await;
        // Files of a directory that was filled before it could be watched.
        fs::create_dir_all(directory.path().join("new/er")).unwrap();
        fs::write(directory.path().join("new/er/two"), "2").unwrap();
        fs::rename(directory.path().join("new"), root.join("new")).unwrap();
        until(&mut tree, &root.join("new/er/two")).await;
        fs::write(root.join("new/er/three"), "3").unwrap();
        until(&mut tree, &root.join("new/er/three")).await;
        fs::remove_dir_all(root.join("new")).unwrap();
        until(&mut tree, &root.join("new")).await;
        assert!(!tree.watched.contains(&root.join("new")));
    }

    #[tokio::test]
    async fn a_path_that_comes_into_being_later_is_watched() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("x/src");
        let (mut tree, found) = Tree::new(vec![rule(root.clone())]).unwrap();
        assert!(found.is_empty());
        fs::create_dir_all(&root).unwrap();
        until(&mut tree, &root).await;
        fs::write(root.join("one"), "1").unwrap();
        until(&mut tree, &root.join("one")).await;
        // Replaced as a whole.
        fs::remove_dir_all(&root).unwrap();
        until(&mut tree, &root).await;
        fs::create_dir(&root).unwrap();
        until(&mut tree, &root).await;
        fs::write(root.join("two"), "2").unwrap();
        until(&mut tree, &root.join("two")).await;
    }
}
