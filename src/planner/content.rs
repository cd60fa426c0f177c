//! `x-on-change`: what is to be done when the content of a mounted file changes, which no configuration tells.

use std::collections::BTreeMap;

use crate::names::{ContainerId, ServiceName};
use crate::planner::plan::Reason;
use crate::resource::{Container, Snapshot};
use crate::spec::model::{Project, Service};

/// The key on a service.
pub(super) const KEY: &str = "x-on-change";

/// What is done to a container when a file of it changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It gets a signal.
    Signal(String),
    /// It is stopped and started again.
    Restart,
    /// It is made anew.
    Recreate,
}

impl Answer {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "restart" => Some(Self::Restart),
            "recreate" => Some(Self::Recreate),
            word => {
                let rest = word.strip_prefix("SIG")?;
                let known = !rest.is_empty()
                    && rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "+-".contains(c));
                known.then(|| Self::Signal(word.to_owned()))
            }
        }
    }
    fn word(&self) -> &str {
        match self {
            Self::Signal(signal) => signal,
            Self::Restart => "restart",
            Self::Recreate => "recreate",
        }
    }
}

/// A file or directory whose content counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// As it is written.
    pub path: String,
    /// What is done.
    pub answer: Answer,
}

/// Contents by digest: as they are, and as each container has seen them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Now, by path as it is written.
    pub now: BTreeMap<ServiceName, BTreeMap<String, String>>,
    /// When it was last looked after. What is not known here is taken for unchanged.
    pub seen: BTreeMap<ContainerId, BTreeMap<String, String>>,
}

/// The files of a service whose content counts; the second list is what cannot be understood.
pub fn watched(service: &Service) -> (Vec<Watched>, Vec<String>) {
    let (mut known, mut wrong) = (Vec::new(), Vec::new());
    match service.extensions.get(KEY) {
        None | Some(serde_json::Value::Null) => {}
        Some(serde_json::Value::Object(entries)) => {
            for (path, word) in entries {
                match word.as_str().and_then(Answer::parse) {
                    Some(answer) => known.push(Watched { path: path.clone(), answer }),
                    None => {
                        wrong.push(format!("{KEY}: `{path}` needs `restart`, `recreate` or a signal like `SIGHUP`"));
                    }
                }
            }
        }
        Some(_) => wrong.push(format!("{KEY} must be a mapping of paths: `./Caddyfile: SIGHUP`")),
    }
    (known, wrong)
}

/// Files of a container that changed since it was last looked after, the gravest answer first. A container of which
/// nothing is known has seen everything, and so has one on another machine. With `stays` the container is not made
/// anew, whatever they ask for.
pub(super) fn changed(
    project: &Project,
    service: &Service,
    snapshot: &Snapshot,
    contents: &Contents,
    container: &Container,
    stays: bool,
) -> Option<(Answer, Reason)> {
    let (now, seen) = (contents.now.get(&service.name)?, contents.seen.get(&container.id)?);
    let files = watched(service).0.into_iter().filter(|file| {
        let (now, seen) = (now.get(&file.path), seen.get(&file.path));
        let counts = !(stays && file.answer == Answer::Recreate);
        snapshot.engine.local && now.is_some() && seen.is_some() && now != seen && counts
    });
    let file = files.max_by(|one, other| one.answer.cmp(&other.answer))?;
    let place = project.place(&["services", service.name.as_str(), KEY, &file.path]);
    let place = place.and_then(|place| place.rsplit_once(':').map(|(line, _)| line.to_owned()));
    let reason = Reason::ContentChanged { path: file.path, answer: file.answer.word().to_owned(), place };
    Some((file.answer, reason))
}
