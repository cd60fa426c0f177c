//! What lives on after a plan: `up` that stays attached, and `logs`. A state machine decides, [`drive`] connects it
//! with the engine's streams, and a sink prints.

mod attached;
mod drive;
mod foreground;
mod logs;
mod merge;
mod roll;
pub mod watch;

use std::collections::BTreeSet;
use std::io;

use crate::labels;
use crate::names::{ContainerId, ContainerName, ServiceName};
use crate::resource::Texts;
use crate::runtime::{Error, Output};

pub use attached::{Attached, AttachedOptions, Cascade};
pub use drive::{Drive, Ended, Ends, Key, StartHooks, Starts, attached_up, follow_logs, starts};
pub use foreground::{
    DetachKeys, End, Foreground, ForegroundOptions, In as ForegroundIn, Out as ForegroundOut, Process, Sides,
    foreground,
};
pub use logs::{Logs, LogsOptions};

/// A container whose output is followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// Its id.
    pub id: ContainerId,
    /// Its name now.
    pub name: ContainerName,
    /// The service it belongs to.
    pub service: ServiceName,
    /// Number of the replica.
    pub number: Option<u32>,
}

impl Followed {
    /// From a container's labels; `None` when it is none of a service, or made by `run` or for a hook.
    pub fn of_labels(id: ContainerId, name: ContainerName, labels: &Texts) -> Option<Self> {
        let label = |key: &str| labels.get(key).map(String::as_str);
        let is_one_off = label(labels::ONE_OFF).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_one_off || labels.contains_key(labels::HOOK) {
            return None;
        }
        let service = label(labels::SERVICE).filter(|service| !service.is_empty())?.into();
        let number = label(labels::NUMBER).and_then(|number| number.parse().ok());
        Some(Self { id, name, service, number })
    }
}

/// Which services are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Chosen {
    /// All of them.
    #[default]
    All,
    /// These.
    Only(BTreeSet<ServiceName>),
}

impl Chosen {
    /// Whether a service is among them.
    pub fn has(&self, service: &ServiceName) -> bool {
        match self {
            Self::All => true,
            Self::Only(services) => services.contains(service),
        }
    }
}

/// What a session is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum In {
    /// These containers were there at the beginning, and whether they run.
    Found(Vec<(Followed, bool)>),
    /// The session's own plan starts it now.
    BeforeStart(Followed),
    /// The session's own plan is over.
    PlanDone(Ended),
    /// Somebody made it to take the place of another.
    Coming(Followed),
    /// It was started.
    Started(Followed),
    /// It has another name.
    Renamed(ContainerId, ContainerName),
    /// It ended.
    Died {
        /// Which.
        id: ContainerId,
        /// Its code.
        code: i64,
        /// Whether it starts again.
        again: bool,
        /// When, as log options take it.
        at: String,
    },
    /// It was removed.
    Gone(ContainerId),
    /// After events were missed: only these are still there.
    Left(BTreeSet<ContainerId>),
    /// All of its output was shown.
    OutputEnded(ContainerId),
    /// A person wants it to end.
    Interrupt,
    /// A person wants to leave it alone.
    Detach,
    /// The stop or kill that the session asked for is over.
    StopDone,
    /// What was still to come after the stop had its time.
    Drained,
}

/// What a session wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    /// Attach to it before it starts.
    Attach(ContainerId),
    /// Follow its log.
    Follow {
        /// Whose.
        id: ContainerId,
        /// From when on; `None` for what the command was asked for.
        since: Option<String>,
    },
    /// Show something.
    Tell(Status),
    /// Break off the plan.
    BreakOff,
    /// Stop all services.
    Stop,
    /// Kill all services.
    Kill,
    /// Leave what is still to come a moment, then tell [`In::Drained`].
    Drain,
    /// The session is over with this exit code.
    End(i64),
}

/// Something that is told beside output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It ended.
    Exited {
        /// Which.
        container: Followed,
        /// Its code.
        code: i64,
        /// Whether it starts again.
        again: bool,
    },
    /// It takes the place of another one.
    Recreated(Followed),
    /// An end stops the others.
    Aborting,
    /// A person stops them; a second time kills.
    Stopping,
    /// Its output can not be shown.
    NoOutput {
        /// Whose.
        container: Followed,
        /// Why.
        error: Error,
    },
}

/// A line of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// Who wrote it.
    pub container: &'a Followed,
    /// Where to.
    pub output: Output,
    /// The engine's time of it, RFC 3339, when that was asked for.
    pub time: Option<&'a str>,
    /// The line without its end.
    pub text: &'a [u8],
}

/// Who shows what a session has to show.
pub trait LogSink {
    /// A line of output.
    ///
    /// # Errors
    /// It can not be written any more; the session ends.
    fn line(&mut self, line: &LogLine<'_>) -> io::Result<()>;
    /// Something else.
    ///
    /// # Errors
    /// It can not be written any more; the session ends.
    fn status(&mut self, status: &Status) -> io::Result<()>;
}

/// A session's decisions.
pub trait Machine {
    /// Takes what happened and gives what is to be done, in this order.
    fn step(&mut self, input: In) -> Vec<Out>;
}
