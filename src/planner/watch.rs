//! What `watch` does by plan: commands after a copy, and images that a rebuild replaced.

use crate::names::ServiceName;
use crate::planner::builder::{PlanBuilder, after};
use crate::planner::control::hook_op;
use crate::planner::plan::{ContainerRef, Op, Plan, Reason, Shown};
use crate::resource::{ContainerState, ResourceId, Snapshot};
use crate::spec::model::Hook;

/// Runs commands in every running container of their services, in a container one after the other.
pub fn commands(snapshot: &Snapshot, commands: &[(ServiceName, Hook)]) -> Plan {
    let mut builder = PlanBuilder::new();
    let running = snapshot.containers.iter().filter(|container| container.state == ContainerState::Running);
    for container in running.filter(|container| !container.is_one_off()) {
        let target = ResourceId::Container(container.name.clone());
        let mut last = None;
        for (service, hook) in commands.iter().filter(|(service, _)| service.as_str() == container.service()) {
            let op = hook_op(&ContainerRef::Existing(container.id.clone()), service, hook);
            let node = builder.add(op, target.clone(), Reason::Asked, Shown::hidden(&target), &after(last));
            last = Some(node);
        }
    }
    builder.finish()
}

/// Removes images of the project that have no name any more; those that containers use stay.
pub fn prune(snapshot: &Snapshot) -> Plan {
    let mut builder = PlanBuilder::new();
    let used = |id: &str| snapshot.containers.iter().any(|container| container.image_id.as_str() == id);
    for image in &snapshot.project_images {
        if !image.tags.is_empty() || !image.digests.is_empty() || used(image.id.as_str()) {
            continue;
        }
        let target = ResourceId::Image(image.id.to_string());
        let op = Op::RemoveImage { reference: image.id.to_string() };
        let node = builder.add(op, target.clone(), Reason::Replaced, Shown::hidden(&target), &[]);
        builder.optional(node);
    }
    builder.finish()
}
