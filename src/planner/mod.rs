//! Decides: `(Project, Snapshot, Options) -> Plan`. Pure: no IO, no clock, no randomness, no log, no question asked.

mod builder;
mod goal;
mod plan;
mod stack;

use std::time::Duration;

use crate::names::ServiceName;
use crate::resource::Snapshot;
use crate::spec::model::Project;

pub use builder::{PlanBuilder, after, settled};
pub use goal::{BuildOptions, DownOptions, Interest, PullOptions, Recreate, RemoveImages, RemoveOptions, UpOptions};
pub use plan::{
    Blocker, Certainty, ContainerRef, Edge, FieldChange, HashPart, Late, Need, NodeId, Op, Plan, PlanNode, Question,
    Reason, Shown, Unchanged, Until,
};
pub use stack::{Stack, StackService};

/// What has to be looked at before a project can be planned.
pub fn interest(project: &Project) -> Interest {
    let _ = project;
    Interest::default()
}
/// Makes the engine match the project: `up`, `create`, `scale`, the dependencies of `run`.
pub fn up(project: &Project, snapshot: &Snapshot, options: &UpOptions) -> Plan {
    let _ = (project, snapshot, options);
    Plan::default()
}
/// Takes the project away.
pub fn down(stack: &Stack, snapshot: &Snapshot, options: &DownOptions) -> Plan {
    let _ = (stack, snapshot, options);
    Plan::default()
}
/// Stops services (none named: all), dependents first.
pub fn stop(stack: &Stack, snapshot: &Snapshot, services: &[ServiceName], grace: Option<Duration>) -> Plan {
    let _ = (stack, snapshot, services, grace);
    Plan::default()
}
/// Starts containers that exist, dependencies first.
pub fn start(
    stack: &Stack,
    snapshot: &Snapshot,
    services: &[ServiceName],
    wait: bool,
    timeout: Option<Duration>,
) -> Plan {
    let _ = (stack, snapshot, services, wait, timeout);
    Plan::default()
}
/// Restarts containers that exist, dependencies first; dependents with `restart: true` too, unless `no_deps`.
pub fn restart(
    stack: &Stack,
    snapshot: &Snapshot,
    services: &[ServiceName],
    grace: Option<Duration>,
    no_deps: bool,
) -> Plan {
    let _ = (stack, snapshot, services, grace, no_deps);
    Plan::default()
}
/// Sends a signal to running containers.
pub fn kill(stack: &Stack, snapshot: &Snapshot, services: &[ServiceName], signal: &str, orphans: bool) -> Plan {
    let _ = (stack, snapshot, services, signal, orphans);
    Plan::default()
}
/// Freezes containers.
pub fn pause(stack: &Stack, snapshot: &Snapshot, services: &[ServiceName]) -> Plan {
    let _ = (stack, snapshot, services);
    Plan::default()
}
/// Thaws containers.
pub fn unpause(stack: &Stack, snapshot: &Snapshot, services: &[ServiceName]) -> Plan {
    let _ = (stack, snapshot, services);
    Plan::default()
}
/// Removes containers that do not run.
pub fn remove(stack: &Stack, snapshot: &Snapshot, options: &RemoveOptions) -> Plan {
    let _ = (stack, snapshot, options);
    Plan::default()
}
/// Builds images.
pub fn build(project: &Project, snapshot: &Snapshot, options: &BuildOptions) -> Plan {
    let _ = (project, snapshot, options);
    Plan::default()
}
/// Pulls images.
pub fn pull(project: &Project, snapshot: &Snapshot, options: &PullOptions) -> Plan {
    let _ = (project, snapshot, options);
    Plan::default()
}
