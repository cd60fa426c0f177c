//! Decides: `(Project, Snapshot, Options) -> Plan`. Pure: no IO, no clock, no randomness, no log, no question asked.
//!
//! Start reading at [`up`]. A plan is made by a [`PlanBuilder`] alone.

mod builder;
mod container;
mod content;
mod control;
mod decide;
mod devices;
mod down;
mod explain;
mod fields;
mod goal;
mod hooks;
mod image;
mod infra;
mod interest;
mod mounts;
mod needed_devices;
mod order;
mod outside;
mod plan;
mod preflight;
mod run;
mod saved;
mod stack;
mod summary;
mod supply;
#[cfg(test)]
mod tests;
mod text;
mod up;
mod values;
mod watch;

pub use builder::{PlanBuilder, after, settled};
pub use container::name as container_name;
pub use content::{Answer, Contents, Watched, watched};
pub use control::{kill, pause, remove, restart, start, stop, unpause};
pub use down::down;
pub use explain::{Explanation, explain};
pub use goal::{
    BuildOptions, DownOptions, Interest, PullOptions, PushOptions, Recreate, RemoveImages, RemoveOptions, UpOptions,
};
pub use hooks::Step;
pub use interest::{interest, interest_in_stack};
pub use order::wanted_replicas;
pub use outside::with_answers;
pub use plan::{
    Blocker, Certainty, ContainerRef, Edge, FieldChange, HashPart, Late, Need, NodeId, Op, Plan, PlanNode, Question,
    Reason, Shown, Unchanged, Until,
};
pub use preflight::{starting, touches_host, unexplained, wish};
pub use run::{OneOff, remove_one_off, start_one_off};
pub use saved::{SavedPlan, SavedStep};
pub use stack::{Stack, StackService};
pub use summary::{Action, Change, changes};
pub use supply::{build, pull, push};
pub use text::{reason, to_text, without_values};
pub use up::{run, up};
pub use watch::{commands, prune};
