//! `run`: a container for one command, and what its service needs.

use crate::labels;
use crate::names::{ContainerId, ContainerName, ServiceName};
use crate::planner::builder::{PlanBuilder, after};
use crate::planner::control::hook_op;
use crate::planner::plan::{ContainerRef, Edge, NodeId, Op, Plan, Reason, Shown};
use crate::resource::{ContainerSpec, ResourceId};
use crate::spec::model::{Hook, Service};

/// A container that is wanted beside those of its service. What the service says of its command, environment, ports
/// and so on has been changed already in the project that is planned for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OneOff {
    /// Its service.
    pub service: ServiceName,
    /// Its name.
    pub name: ContainerName,
    /// 64 random hex digits, by which it is known again.
    pub slug: String,
    /// It gets input.
    pub stdin: bool,
    /// Rows and columns of its terminal at the beginning.
    pub console_size: Option<(u16, u16)>,
    /// The engine removes it when it ends.
    pub remove: bool,
    /// It answers to the names of its service.
    pub use_aliases: bool,
    /// It is started, too; else it is only made.
    pub start: bool,
    /// Progress has rows for it; else its output is all there is to see of it.
    pub is_shown: bool,
}

impl OneOff {
    /// How progress shows what is done with its container.
    pub(super) fn shown(&self, begin: &str, end: &str) -> Shown {
        let target = ResourceId::Container(self.name.clone());
        if self.is_shown { Shown::new(&target, begin, end) } else { Shown::hidden(&target) }
    }
    /// The container of a replica made that of a one-off.
    pub(super) fn adapt(&self, spec: &mut ContainerSpec) {
        spec.name = self.name.clone();
        spec.labels.remove(labels::NUMBER);
        spec.labels.remove(labels::FIELDS);
        spec.labels.insert(labels::ONE_OFF.to_owned(), "True".to_owned());
        spec.labels.insert(labels::SLUG.to_owned(), self.slug.clone());
        spec.attach_stdin = self.stdin;
        spec.stdin_open = self.stdin;
        spec.stdin_once = self.stdin;
        spec.host.auto_remove = self.remove;
        spec.host.console_size = self.console_size;
        if !self.use_aliases {
            for endpoint in spec.endpoints.values_mut() {
                endpoint.aliases = vec![self.name.to_string()];
            }
        }
    }
}

/// Starts a container of `run` that was made, and runs what its service wants to be run after a start.
pub fn start_one_off(service: &Service, container: &ContainerId, name: &ContainerName) -> Plan {
    let mut builder = PlanBuilder::new();
    let reference = ContainerRef::Existing(container.clone());
    let target = ResourceId::Container(name.clone());
    start(&mut builder, &reference, Shown::hidden(&target), &target, service, &[]);
    builder.finish()
}

/// Takes a container of `run` away, whatever it is doing.
pub fn remove_one_off(container: &ContainerId, name: &ContainerName) -> Plan {
    let mut builder = PlanBuilder::new();
    let target = ResourceId::Container(name.clone());
    let op = Op::RemoveContainer {
        container: ContainerRef::Existing(container.clone()),
        force: true,
        // Those that the engine removes by itself lose them, too.
        volumes: true,
    };
    let shown = Shown::hidden(&target);
    builder.add(op, target, Reason::Asked, shown, &[]);
    builder.finish()
}

/// Plans the start, and the hooks after it.
pub(super) fn start(
    builder: &mut PlanBuilder,
    container: &ContainerRef,
    shown: Shown,
    target: &ResourceId,
    service: &Service,
    first: &[Edge],
) -> NodeId {
    let op = Op::StartContainer { container: container.clone() };
    let mut last = builder.add(op, target.clone(), Reason::Asked, shown, first);
    for hook in &service.post_start {
        let hook: &Hook = hook;
        let op = hook_op(container, &service.name, hook);
        last = builder.add(op, target.clone(), Reason::Asked, Shown::hidden(target), &after([last]));
    }
    last
}
