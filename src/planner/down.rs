//! `down`: takes the project away, dependents first, then networks, images and volumes.

use std::collections::{BTreeMap, BTreeSet};

use crate::labels;
use crate::names::ServiceName;
use crate::planner::builder::settled;
use crate::planner::control::Control;
use crate::planner::decide;
use crate::planner::goal::{DownOptions, RemoveImages};
use crate::planner::outside;
use crate::planner::plan::{ContainerRef, Edge, NodeId, Op, Plan, Reason, Shown};
use crate::planner::stack::Stack;
use crate::resource::{Container, ResourceId, Snapshot};

/// Takes the project away.
pub fn down(stack: &Stack, snapshot: &Snapshot, options: &DownOptions) -> Plan {
    let mut control = Control::new(stack, snapshot, &options.services);
    let mut removed: BTreeMap<&ServiceName, Vec<NodeId>> = BTreeMap::new();
    for name in stack.dependencies_first().into_iter().rev() {
        let first = settled(stack.dependents(name).filter_map(|other| removed.get(other)).flatten().copied());
        let mut containers: Vec<&Container> = control.containers(name).collect();
        let meant = options.services.is_empty() || options.services.contains(name);
        if options.remove_orphans && meant {
            let one_off = |container: &&Container| container.is_one_off() && container.service() == name.as_str();
            containers.extend(snapshot.containers.iter().filter(one_off));
        }
        let mut nodes: Vec<NodeId> = containers
            .into_iter()
            .map(|container| take_away(&mut control, name, container, options, Reason::Asked, &first))
            .collect();
        let provider = stack.services.get(name).and_then(|service| service.provider.as_ref());
        if let Some(provider) = provider.filter(|_| meant) {
            let target = ResourceId::Provider(name.to_string());
            let shown = Shown::new(&target, "Removing", "Removed");
            nodes.push(control.builder.add(outside::op(name, provider, "down"), target, Reason::Asked, shown, &first));
        }
        removed.insert(name, nodes);
    }
    let mut all: Vec<NodeId> = removed.into_values().flatten().collect();
    if options.remove_orphans {
        let known = |service: &str| {
            stack.services.contains_key(service) || stack.hidden.iter().any(|name| name.as_str() == service)
        };
        for orphan in decide::orphans(snapshot, known, &BTreeMap::new()) {
            if known(orphan.service()) {
                continue;
            }
            let name = ServiceName::from(orphan.service());
            all.push(take_away(&mut control, &name, orphan, options, Reason::Orphan, &[]));
        }
    }
    // Containers of hooks that were left behind are nobody's service.
    for hook in snapshot.containers.iter().filter(|container| container.label(labels::HOOK).is_some()) {
        let name = ServiceName::from(hook.service());
        all.push(take_away(&mut control, &name, hook, options, Reason::LeftBehind, &[]));
    }
    let first = settled(all);
    resources(&mut control, stack, snapshot, options, &first);
    control.builder.finish()
}

fn take_away(
    control: &mut Control<'_>,
    name: &ServiceName,
    container: &Container,
    options: &DownOptions,
    reason: Reason,
    first: &[Edge],
) -> NodeId {
    let mut first = first.to_vec();
    if container.is_running() {
        let stop = control.stop(name, container, options.grace, reason.clone(), &first);
        first = crate::planner::builder::after([stop]);
    }
    let target = ResourceId::Container(container.name.clone());
    let op = Op::RemoveContainer {
        container: ContainerRef::Existing(container.id.clone()),
        force: true,
        volumes: options.volumes,
    };
    control.builder.add(op, target.clone(), reason, Shown::new(&target, "Removing", "Removed"), &first)
}

fn resources(control: &mut Control<'_>, stack: &Stack, snapshot: &Snapshot, options: &DownOptions, first: &[Edge]) {
    let removing = |target: &ResourceId| Shown::new(target, "Removing", "Removed");
    for network in snapshot.networks.iter().filter(|network| stack.networks.contains(&network.name)) {
        // Another project's network of this name is not ours to remove.
        let foreign = network.labels.get(labels::PROJECT).is_none_or(|owner| owner != stack.name.as_str());
        if foreign {
            continue;
        }
        let target = ResourceId::Network(network.name.clone());
        let op = Op::RemoveNetwork { network: network.id.to_string() };
        control.builder.add(op, target.clone(), Reason::Asked, removing(&target), first);
    }
    if options.volumes {
        for volume in snapshot.volumes.iter().filter(|volume| stack.volumes.contains(&volume.name)) {
            let target = ResourceId::Volume(volume.name.clone());
            let op = Op::RemoveVolume { volume: volume.name.clone() };
            control.builder.add(op, target.clone(), Reason::Asked, removing(&target), first);
        }
    }
    for reference in images(stack, snapshot, options) {
        let target = ResourceId::Image(reference.clone());
        let op = Op::RemoveImage { reference };
        control.builder.add(op, target.clone(), Reason::Asked, removing(&target), first);
    }
}

/// References of the images that go.
fn images(stack: &Stack, snapshot: &Snapshot, options: &DownOptions) -> BTreeSet<String> {
    let mut references = BTreeSet::new();
    if options.images == RemoveImages::None {
        return references;
    }
    for image in &snapshot.project_images {
        let service = image.labels.get(labels::SERVICE).map(String::as_str).unwrap_or_default();
        if stack.services.contains_key(service) || options.remove_orphans {
            references.extend(image.tags.first().cloned());
        }
    }
    for service in stack.services.values().filter(|service| snapshot.images.contains_key(&service.image)) {
        if service.local_image || options.images == RemoveImages::All {
            references.insert(with_tag(&service.image));
        }
    }
    references
}

/// The reference as the engine lists it, so that one image is not removed under two spellings.
fn with_tag(reference: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or(reference);
    if name.contains(':') || name.contains('@') { reference.to_owned() } else { format!("{reference}:latest") }
}
