//! `watch`: which changes of files mean what for which service, gathered until it is quiet. A pure state machine; the
//! disk, the clock and the engine are whoever drives it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::names::ServiceName;
use crate::runtime::ignore::IgnoreRules;

/// Names that editors and version control make beside the files that are meant.
const EPHEMERAL: &[&str] = &[
    "**/.git",
    "**/.idea",
    "**/*~",
    "**/.*.swp",
    "**/.*.swx",
    "**/.*.swo",
    "**/.*.swn",
    "**/4913",
    "**/#*#",
    "**/.#*",
    "**/*___jb_old___",
    "**/*___jb_tmp___",
    "**/.*.kate-swp",
    "**/*-go-tmp-umask",
];

/// What a change leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Files are copied.
    Sync,
    /// The service is restarted.
    Restart,
    /// Files are copied, then the service is restarted.
    SyncAndRestart,
    /// Files are copied, then a command is run in each container.
    SyncAndExec,
    /// The image is built and the containers are made anew.
    Rebuild,
}

impl Action {
    /// From the word in a file.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "sync" => Self::Sync,
            "restart" => Self::Restart,
            "sync+restart" => Self::SyncAndRestart,
            "sync+exec" => Self::SyncAndExec,
            "rebuild" => Self::Rebuild,
            _ => return None,
        })
    }
    /// Whether files are copied.
    pub fn syncs(self) -> bool {
        matches!(self, Self::Sync | Self::SyncAndRestart | Self::SyncAndExec)
    }
}

/// Patterns and the directory that they are relative to.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    /// The directory.
    pub root: PathBuf,
    /// The patterns.
    pub rules: IgnoreRules,
}

impl Patterns {
    /// What editors and version control make below a directory.
    pub fn ephemeral(root: &Path) -> Self {
        Self { root: root.to_owned(), rules: IgnoreRules::from_patterns(EPHEMERAL).unwrap_or_default() }
    }
    /// Whether a path matches; what lies outside the directory never does.
    fn matches(&self, path: &Path) -> bool {
        relative(path, &self.root).is_some_and(|name| self.rules.excludes(&name))
    }
}

/// One rule of a service.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Whose.
    pub service: ServiceName,
    /// What it watches: a directory or a file.
    pub path: PathBuf,
    /// Whether that is a file.
    pub is_file: bool,
    /// What a change leads to.
    pub action: Action,
    /// Where files go inside.
    pub target: String,
    /// Only these, unless there is none.
    pub include: Option<Patterns>,
    /// Not these.
    pub ignore: Vec<Patterns>,
    /// Everything is copied in the beginning.
    pub initial_sync: bool,
}

impl Rule {
    /// Whether a change of a path is meant by the rule.
    pub fn means(&self, path: &Path) -> bool {
        self.enters(path) && self.include.as_ref().is_none_or(|include| self.path == path || include.matches(path))
    }

    /// Whether a directory may hold something that is meant.
    pub fn enters(&self, path: &Path) -> bool {
        path.starts_with(&self.path) && !self.ignore.iter().any(|ignore| ignore.matches(path))
    }

    /// Where a path goes inside a container; `None` for a path that is none of the rule's.
    pub fn inside(&self, path: &Path) -> Option<String> {
        let name = relative(path, &self.path)?;
        let target = self.target.trim_end_matches('/');
        if !name.is_empty() {
            return Some(format!("{target}/{name}"));
        }
        // A target that ends like a directory takes the file in.
        let own = path.file_name().filter(|_| self.is_file && self.target.ends_with('/'));
        Some(own.map_or_else(|| target.to_owned(), |own| format!("{target}/{}", own.to_string_lossy())))
    }
}

/// A path below a directory, slashes between its parts.
fn relative(path: &Path, root: &Path) -> Option<String> {
    let parts = path.strip_prefix(root).ok()?.components();
    Some(parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/"))
}

/// What changes lead to, all at once: rebuilds first, then copies, restarts and commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Services whose image is built and whose containers are made anew.
    pub rebuild: BTreeSet<ServiceName>,
    /// Per service: what is copied, or removed when it is gone, and where it lies inside.
    pub sync: BTreeMap<ServiceName, BTreeMap<PathBuf, BTreeSet<String>>>,
    /// Services that are restarted.
    pub restart: BTreeSet<ServiceName>,
    /// Rules (by their number) whose command is run.
    pub exec: BTreeSet<usize>,
}

impl Batch {
    fn add(&mut self, number: usize, rule: &Rule, path: &Path) {
        let service = || rule.service.clone();
        if rule.action.syncs()
            && let Some(inside) = rule.inside(path)
        {
            self.sync.entry(service()).or_default().entry(path.to_owned()).or_default().insert(inside);
        }
        match rule.action {
            Action::Sync => {}
            Action::Restart | Action::SyncAndRestart => {
                self.restart.insert(service());
            }
            Action::SyncAndExec => {
                self.exec.insert(number);
            }
            Action::Rebuild => {
                self.rebuild.insert(service());
            }
        }
    }
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What the machine is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// These paths were made, written, renamed or removed.
    Changed(Vec<PathBuf>),
    /// Nothing changed since the last [`Output::AwaitQuiet`] for as long as it takes.
    Quiet,
    /// The batch was done, well or not.
    Applied,
}

/// What the machine wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Tell [`Input::Quiet`] when it was quiet from now on; an earlier wish of this kind is void.
    AwaitQuiet,
    /// Do this, then tell [`Input::Applied`].
    Apply(Batch),
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Watch {
    rules: Vec<Rule>,
    gathered: Batch,
    busy: bool,
}

impl Watch {
    /// For these rules; nothing has changed yet.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self { rules, gathered: Batch::default(), busy: false }
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What is to be copied before anything has changed, out of all paths that there are.
    pub fn initial(&self, paths: &[PathBuf]) -> Batch {
        let mut batch = Batch::default();
        let first = |rule: &&Rule| rule.initial_sync && matches!(rule.action, Action::Sync | Action::SyncAndRestart);
        for rule in self.rules.iter().filter(first) {
            for path in paths.iter().filter(|path| rule.means(path)) {
                let inside = rule.inside(path);
                let service = batch.sync.entry(rule.service.clone()).or_default();
                service.entry(path.clone()).or_default().extend(inside);
            }
        }
        batch
    }

    /// One step.
    pub fn step(&mut self, input: Input) -> Option<Output> {
        match input {
            Input::Changed(paths) => {
                let mut meant = false;
                for path in paths {
                    for (number, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.means(&path)) {
                        self.gathered.add(number, rule, &path);
                        meant = true;
                    }
                }
                (meant && !self.busy).then_some(Output::AwaitQuiet)
            }
            Input::Quiet => {
                if self.busy || self.gathered.is_empty() {
                    return None;
                }
                self.busy = true;
                Some(Output::Apply(std::mem::take(&mut self.gathered)))
            }
            Input::Applied => {
                self.busy = false;
                (!self.gathered.is_empty()).then_some(Output::AwaitQuiet)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(service: &str, path: &str, action: Action, target: &str) -> Rule {
        Rule {
            service: service.into(),
            path: path.into(),
            is_file: false,
            action,
            target: target.to_owned(),
            include: None,
            ignore: vec![Patterns::ephemeral(Path::new(path))],
            initial_sync: false,
        }
    }

    fn patterns(root: &str, patterns: &[&str]) -> Patterns {
        Patterns { root: root.into(), rules: IgnoreRules::from_patterns(patterns).unwrap() }
    }

    fn changed(paths: &[&str]) -> Input {
        Input::Changed(paths.iter().map(PathBuf::from).collect())
    }

    fn applied(watch: &mut Watch) -> Batch {
        match watch.step(Input::Quiet) {
            Some(Output::Apply(batch)) => batch,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_path_is_meant_where_it_lies_below_and_is_not_ignored() {
        let mut of = rule("web", "/p/src", Action::Sync, "/app");
        of.ignore.push(patterns("/p/src", &["node_modules/"]));
        of.ignore.push(patterns("/p", &["**/*.log", "!src/kept.log"]));
        for (path, means) in [
            ("/p/src/a", true),
            ("/p/src", true),
            ("/p/srcs/a", false),
            ("/p/other", false),
            ("/p/src/node_modules/x/y", false),
            ("/p/src/x.log", false),
            ("/p/src/kept.log", true),
            ("/p/src/.git/HEAD", false),
            ("/p/src/d/.a.swp", false),
            ("/p/src/a~", false),
            ("/p/src/#a#", false),
        ] {
            assert_eq!(of.means(Path::new(path)), means, "{path}");
        }
        of.include = Some(patterns("/p/src", &["**/*.py", "*.txt"]));
        for (path, means) in [("/p/src/d/a.py", true), ("/p/src/a.txt", true), ("/p/src/d/a.txt", false)] {
            assert_eq!(of.means(Path::new(path)), means, "{path}");
        }
        assert!(of.enters(Path::new("/p/src/d")), "what is included may lie deeper");
    }

    #[test]
    fn places_inside() {
        for (path, is_file, target, changed, inside) in [
            ("/p/src", false, "/app", "/p/src/a/b", Some("/app/a/b")),
            ("/p/src", false, "/app/", "/p/src/a", Some("/app/a")),
            ("/p/src", false, "/app/", "/p/src", Some("/app")),
            ("/p/f.json", true, "/app/g.json", "/p/f.json", Some("/app/g.json")),
            ("/p/f.json", true, "/app/", "/p/f.json", Some("/app/f.json")),
            ("/p/src", false, "/", "/p/src/a", Some("/a")),
            ("/p/src", false, "/app", "/p/x", None),
        ] {
            let rule = Rule { is_file, ..rule("web", path, Action::Sync, target) };
            assert_eq!(rule.inside(Path::new(changed)).as_deref(), inside, "{changed}");
        }
    }

    #[test]
    fn changes_are_gathered_until_it_is_quiet() {
        let rules = vec![
            rule("web", "/p/src", Action::Sync, "/app"),
            rule("web", "/p/src/conf", Action::SyncAndRestart, "/conf"),
            rule("web", "/p/run", Action::SyncAndExec, "/run"),
            rule("db", "/p/Dockerfile", Action::Rebuild, ""),
            rule("db", "/p/re", Action::Restart, ""),
        ];
        let mut watch = Watch::new(rules);
        assert_eq!(watch.step(changed(&["/p/nobody"])), None);
        assert_eq!(watch.step(Input::Quiet), None, "nothing to do is nothing done");
        assert_eq!(watch.step(changed(&["/p/src/a", "/p/src/conf/c"])), Some(Output::AwaitQuiet));
        assert_eq!(watch.step(changed(&["/p/src/a", "/p/run/r"])), Some(Output::AwaitQuiet));
        assert_eq!(watch.step(changed(&["/p/Dockerfile", "/p/re/x"])), Some(Output::AwaitQuiet));
        let batch = applied(&mut watch);
        let synced: Vec<String> =
            batch.sync.values().flatten().map(|(path, inside)| format!("{path:?} {inside:?}")).collect();
        assert_eq!(
            synced,
            [r#""/p/run/r" {"/run/r"}"#, r#""/p/src/a" {"/app/a"}"#, r#""/p/src/conf/c" {"/app/conf/c", "/conf/c"}"#]
        );
        assert_eq!(batch.rebuild, ["db".into()].into());
        assert_eq!(batch.restart, ["db".into(), "web".into()].into());
        assert_eq!(batch.exec, [2].into());
    }

    #[test]
    fn what_changes_meanwhile_comes_afterwards() {
        let mut watch = Watch::new(vec![rule("web", "/p/src", Action::Sync, "/app")]);
        watch.step(changed(&["/p/src/a"]));
        applied(&mut watch);
        assert_eq!(watch.step(changed(&["/p/src/b"])), None);
        assert_eq!(watch.step(Input::Quiet), None, "one batch at a time");
        assert_eq!(watch.step(Input::Applied), Some(Output::AwaitQuiet));
        let batch = applied(&mut watch);
        assert_eq!(batch.sync.values().flatten().count(), 1);
        assert_eq!(watch.step(Input::Applied), None);
    }

    #[test]
    fn only_rules_that_ask_for_it_copy_in_the_beginning() {
        let asks = |action| Rule { initial_sync: true, ..rule("web", "/p/src", action, "/app") };
        let paths: Vec<PathBuf> = ["/p/src/a", "/p/src/.git/x", "/p/other"].map(PathBuf::from).into();
        let watch = Watch::new(vec![asks(Action::Sync), rule("db", "/p/src", Action::Sync, "/app")]);
        let batch = watch.initial(&paths);
        assert_eq!(batch.sync.keys().collect::<Vec<_>>(), [&ServiceName::from("web")]);
        assert_eq!(batch.sync.values().flatten().count(), 1);
        let batch = Watch::new(vec![asks(Action::SyncAndRestart)]).initial(&paths);
        assert!(batch.restart.is_empty() && !batch.sync.is_empty());
        assert!(Watch::new(vec![asks(Action::Rebuild)]).initial(&paths).is_empty());
    }
}
