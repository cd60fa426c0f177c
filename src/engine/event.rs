//! What an engine tells while it runs a plan, and what is left in the end.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::names::{ContainerId, ContainerName, ServiceName};
use crate::planner::NodeId;
use crate::resource::{BuildProgress, LayerProgress};
use crate::runtime;

/// Something that happened to an operation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Event {
    /// It began.
    Started {
        /// Which.
        node: NodeId,
    },
    /// It goes on.
    Progress {
        /// Which.
        node: NodeId,
        /// How far.
        progress: Progress,
    },
    /// It is done.
    Finished {
        /// Which.
        node: NodeId,
        /// Something that is to be shown in place of the usual word, as a warning: `Resource is still in use`.
        warning: Option<String>,
    },
    /// It failed.
    Failed {
        /// Which.
        node: NodeId,
        /// Why.
        error: OpError,
        /// Whether it was optional, so that the failure is only told.
        optional: bool,
    },
    /// It was never begun, because something it needs failed.
    Skipped {
        /// Which.
        node: NodeId,
        /// What failed.
        because: NodeId,
    },
    /// Nothing new is begun any more.
    Stopping,
}

/// How far an operation is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Progress {
    /// Of a pull or push.
    Layer(LayerProgress),
    /// Of a build.
    Build(BuildProgress),
    /// What a provider or model is at, in its own words.
    Words(String),
    /// A line that a hook wrote, or a warning of the engine.
    Line(String),
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum OpError {
    /// The runtime said no.
    Runtime(runtime::Error),
    /// The container is unhealthy.
    Unhealthy {
        /// Which.
        container: ContainerName,
    },
    /// It has no healthcheck that could be waited for.
    NoHealthcheck {
        /// Which.
        container: ContainerName,
    },
    /// It ended while it should run.
    Exited {
        /// Which.
        container: ContainerName,
        /// Its code.
        code: i64,
    },
    /// It ended with a code other than 0.
    DidNotComplete {
        /// Of which service.
        service: ServiceName,
        /// Its code.
        code: i64,
    },
    /// It keeps ending and starting again.
    CrashLoop {
        /// Which.
        container: ContainerName,
        /// Its last code.
        code: i64,
    },
    /// The time that waiting may take is over.
    TimedOut {
        /// Which.
        container: ContainerName,
        /// After how long.
        after: Duration,
    },
    /// A hook ended with a code other than 0.
    Hook {
        /// Of which service.
        service: ServiceName,
        /// Its code.
        code: i64,
        /// The last lines it wrote.
        tail: String,
    },
    /// A `pre_start` step ended with a code other than 0.
    Step {
        /// Of which service.
        service: ServiceName,
        /// Which one.
        index: u32,
        /// Its code.
        code: i64,
    },
    /// An external program failed.
    Provider {
        /// What it said.
        detail: String,
    },
}

impl OpError {
    /// The runtime's error, when it is one.
    pub fn runtime(&self) -> Option<&runtime::Error> {
        match self {
            Self::Runtime(error) => Some(error),
            _ => None,
        }
    }
}

impl From<runtime::Error> for OpError {
    fn from(error: runtime::Error) -> Self {
        Self::Runtime(error)
    }
}

impl fmt::Display for OpError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime(error) => error.fmt(out),
            Self::Unhealthy { container } => write!(out, "container {container} is unhealthy"),
            Self::NoHealthcheck { container } => write!(out, "container {container} has no healthcheck configured"),
            Self::Exited { container, code } => write!(out, "container {container} exited ({code})"),
            Self::DidNotComplete { service, code } => {
                write!(out, "service \"{service}\" didn't complete successfully: exit {code}")
            }
            Self::CrashLoop { container, code } => {
                write!(out, "container {container} keeps restarting, its last exit code is {code}")
            }
            Self::TimedOut { container, after } => {
                write!(out, "container {container} is not ready after {}s", after.as_secs())
            }
            Self::Hook { service, code, tail } if tail.is_empty() => {
                write!(out, "{service} hook exited with status {code}")
            }
            Self::Hook { service, code, tail } => write!(out, "{service} hook exited with status {code}: {tail}"),
            Self::Step { service, index, code } => {
                write!(out, "service \"{service}\" pre_start[{index}] exited with code {code}")
            }
            Self::Provider { detail } => out.write_str(detail),
        }
    }
}

/// What is left of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// What failed and counts, in the order in which it failed.
    pub failed: Vec<(NodeId, OpError)>,
    /// What was skipped because of that.
    pub skipped: Vec<NodeId>,
    /// Whether the user broke it off.
    pub interrupted: bool,
    /// The containers that were made.
    pub made: BTreeMap<NodeId, ContainerId>,
    /// Variables that providers set, by the service they provide.
    pub provided: BTreeMap<ServiceName, Vec<(String, String)>>,
    /// Where models are reached, by their key.
    pub models: BTreeMap<String, String>,
}

impl Outcome {
    /// Whether all that counts was done.
    pub fn is_success(&self) -> bool {
        self.failed.is_empty() && !self.interrupted
    }
}
