//! A plan as a person thinks of it: one change per thing instead of one line per operation.

use serde::{Deserialize, Serialize};

use crate::names::ContainerId;
use crate::planner::plan::{Certainty, ContainerRef, Op, Plan, PlanNode, Reason};
use crate::resource::ResourceId;

/// What becomes of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// An image is fetched.
    Pull,
    /// An image is built.
    Build,
    /// An image is uploaded.
    Push,
    /// An image gets a further name.
    Tag,
    /// It is made.
    Create,
    /// It is made anew in place of one that is there.
    Recreate,
    /// It is started.
    Start,
    /// It is stopped and started again.
    Restart,
    /// It is stopped.
    Stop,
    /// It gets a signal.
    Signal,
    /// It is frozen.
    Pause,
    /// It is thawed.
    Unpause,
    /// It gets its name back.
    Rename,
    /// It is connected to a network.
    Connect,
    /// An external program is asked for it.
    Provide,
    /// It goes.
    Remove,
}

impl Action {
    /// The verb: `recreate`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Build => "build",
            Self::Push => "push",
            Self::Tag => "tag",
            Self::Create => "create",
            Self::Recreate => "recreate",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Stop => "stop",
            Self::Signal => "signal",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Rename => "rename",
            Self::Connect => "connect",
            Self::Provide => "provide",
            Self::Remove => "remove",
        }
    }
}

/// What becomes of one thing, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The thing.
    pub target: ResourceId,
    /// What becomes of it.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Whether it is sure, or hangs on an image that is pulled or built first.
    pub certainty: Certainty,
    /// The containers that are there already and are concerned.
    pub containers: Vec<ContainerId>,
}

/// The changes of a plan, in its order. Waiting is none.
pub fn changes(plan: &Plan) -> Vec<Change> {
    let mut targets: Vec<(&ResourceId, Vec<&PlanNode>)> = Vec::new();
    let mut positions = std::collections::BTreeMap::new();
    for node in &plan.nodes {
        let at = *positions.entry(&node.target).or_insert_with(|| {
            targets.push((&node.target, Vec::new()));
            targets.len() - 1
        });
        if let Some((_, nodes)) = targets.get_mut(at) {
            nodes.push(node);
        }
    }
    targets.into_iter().filter_map(|(target, nodes)| change(target, &nodes)).collect()
}

fn change(target: &ResourceId, nodes: &[&PlanNode]) -> Option<Change> {
    let first = |wanted: &dyn Fn(&Op) -> bool| nodes.iter().copied().find(|node| wanted(&node.op));
    let creates =
        |op: &Op| matches!(op, Op::CreateContainer { .. } | Op::CreateNetwork { .. } | Op::CreateVolume { .. });
    let removes = |op: &Op| {
        matches!(
            op,
            Op::RemoveContainer { .. } | Op::RemoveNetwork { .. } | Op::RemoveVolume { .. } | Op::RemoveImage { .. }
        )
    };
    let starts = |op: &Op| matches!(op, Op::StartContainer { .. });
    let stops = |op: &Op| matches!(op, Op::StopContainer { .. });
    let (created, removed) = (first(&creates), first(&removes));
    let (started, stopped) = (first(&starts), first(&stops));
    let (action, node) = match (created, removed, started, stopped) {
        (Some(created), Some(_), ..) => (Action::Recreate, created),
        (Some(created), None, ..) => (Action::Create, created),
        (None, Some(removed), ..) => (Action::Remove, removed),
        (None, None, Some(_), Some(stopped)) => (Action::Restart, stopped),
        (None, None, Some(started), None) => (Action::Start, started),
        (None, None, None, Some(stopped)) => (Action::Stop, stopped),
        (None, None, None, None) => nodes.iter().copied().find_map(|node| Some((single(&node.op)?, node)))?,
    };
    let mut containers: Vec<ContainerId> = nodes.iter().filter_map(|node| existing(&node.op)).cloned().collect();
    containers.sort();
    containers.dedup();
    Some(Change { target: target.clone(), action, reason: node.reason.clone(), certainty: node.certainty, containers })
}

/// What an operation is that stands for itself.
fn single(op: &Op) -> Option<Action> {
    Some(match op {
        Op::PullImage { .. } => Action::Pull,
        Op::BuildImage { .. } => Action::Build,
        Op::PushImage { .. } => Action::Push,
        Op::TagImage { .. } => Action::Tag,
        Op::RestartContainer { .. } => Action::Restart,
        Op::SignalContainer { .. } => Action::Signal,
        Op::PauseContainer { .. } => Action::Pause,
        Op::UnpauseContainer { .. } => Action::Unpause,
        Op::RenameContainer { .. } => Action::Rename,
        Op::Connect { .. } | Op::Disconnect { .. } => Action::Connect,
        Op::RunProvider { .. } => Action::Provide,
        // Waiting changes nothing, and the others come along with a start or stop.
        _ => return None,
    })
}

fn existing(op: &Op) -> Option<&ContainerId> {
    match op {
        Op::StartContainer { container }
        | Op::StopContainer { container, .. }
        | Op::RestartContainer { container, .. }
        | Op::SignalContainer { container, .. }
        | Op::PauseContainer { container }
        | Op::UnpauseContainer { container }
        | Op::RemoveContainer { container, .. }
        | Op::RenameContainer { container, .. }
        | Op::Connect { container, .. }
        | Op::Disconnect { container, .. } => match container {
            ContainerRef::Existing(id) => Some(id),
            ContainerRef::CreatedBy(_) => None,
        },
        _ => None,
    }
}
