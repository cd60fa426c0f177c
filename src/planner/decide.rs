//! For each service: which of its containers stay, which are made anew and why, which go, which are missing.

use std::collections::{BTreeMap, BTreeSet};

use crate::labels;
use crate::names::{ContainerId, NetworkName, ServiceName};
use crate::planner::container;
use crate::planner::content::{self, Answer};
use crate::planner::fields;
use crate::planner::goal::{Recreate, UpOptions};
use crate::planner::infra::Infra;
use crate::planner::order;
use crate::planner::plan::Reason;
use crate::resource::{Container, ContainerState, Snapshot};
use crate::spec::hash;
use crate::spec::model::{Project, Service};

/// What becomes of the containers of one service.
#[derive(Debug, Default)]
pub(super) struct Decided<'a> {
    /// They stay.
    pub(super) kept: Vec<Kept<'a>>,
    /// They are made anew, under the same number.
    pub(super) replaced: Vec<Replaced<'a>>,
    /// They go.
    pub(super) removed: Vec<(&'a Container, Reason)>,
    /// Numbers of replicas that are missing.
    pub(super) missing: Vec<u32>,
}

/// A container that stays.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    pub(super) container: &'a Container,
    pub(super) number: u32,
    /// Networks it has lost while it did not run.
    pub(super) reconnect: Vec<NetworkName>,
}

/// A container that is made anew.
#[derive(Debug)]
pub(super) struct Replaced<'a> {
    pub(super) container: &'a Container,
    pub(super) number: u32,
    pub(super) reason: Reason,
}

/// All that deciding looks at.
pub(super) struct Inputs<'a> {
    pub(super) project: &'a Project,
    pub(super) snapshot: &'a Snapshot,
    pub(super) options: &'a UpOptions,
    pub(super) infra: &'a Infra,
    /// Services whose image may be another one after a pull or build.
    pub(super) images_change: &'a BTreeSet<ServiceName>,
    /// Services whose environment is not known before providers or models answered.
    pub(super) waiting: &'a BTreeSet<ServiceName>,
}

/// Decides for all services, dependencies first, because a namespace that is shared binds fates.
pub(super) fn decide<'a>(inputs: &Inputs<'a>) -> BTreeMap<&'a ServiceName, Decided<'a>> {
    let mut by_service: BTreeMap<&str, Vec<&'a Container>> = BTreeMap::new();
    for container in &inputs.snapshot.containers {
        let ours = !container.is_one_off()
            && container.label(labels::CONFIG_HASH).is_some()
            && container.label(labels::HOOK).is_none()
            && !inputs.infra.removed.contains_key(&container.id);
        if ours {
            by_service.entry(container.service()).or_default().push(container);
        }
    }
    let services = &inputs.project.services;
    let mut all = BTreeMap::new();
    for name in order::dependencies_first(services.iter().map(|(name, service)| (name, &service.depends_on))) {
        let Some(service) = services.get(name) else { continue };
        if service.provider.is_none() {
            let existing = by_service.remove(name.as_str()).unwrap_or_default();
            let decided = decide_service(inputs, service, existing, &all);
            all.insert(&service.name, decided);
        }
    }
    all
}

fn decide_service<'a>(
    inputs: &Inputs<'a>,
    service: &'a Service,
    existing: Vec<&'a Container>,
    others: &BTreeMap<&'a ServiceName, Decided<'a>>,
) -> Decided<'a> {
    let Inputs { project, options, .. } = inputs;
    let mut decided = Decided::default();
    let wanted = order::wanted_replicas(service) as usize;
    let highest = existing.iter().filter_map(|container| container.number()).max().unwrap_or(0);

    // The hashes are the same for all replicas.
    let id_of = |name: &ServiceName| others.get(name).and_then(first_kept).map(|container| container.id.clone());
    let hashed = fields::hashed(project, service);
    let accepted = hash::accepted(&hashed, &|name| id_of(name).map(|id| id.to_string()));

    // Several containers with one number: somebody was cut off between making the new one and removing the old one.
    // The best one stays.
    let mut by_number: BTreeMap<u32, Vec<(Option<Reason>, &'a Container)>> = BTreeMap::new();
    for container in existing {
        let divergence = match divergence(inputs, service, container, others, &accepted) {
            // The hash was made without what is not known yet.
            Some(Reason::ConfigChanged { .. }) if inputs.waiting.contains(&service.name) => {
                Some(Reason::EnvironmentMayChange)
            }
            other => other,
        };
        by_number.entry(container.number().unwrap_or(1)).or_default().push((divergence, container));
    }
    let mut candidates: Vec<(Option<Reason>, u32, &'a Container)> = Vec::new();
    for (number, mut group) in by_number {
        let final_name = container::name(project, service, number);
        group.sort_by_key(|(divergence, container)| {
            let rank = (divergence.is_some(), !container.is_running(), container.name != final_name);
            (rank, std::cmp::Reverse(container.created), container.id.clone())
        });
        let mut group = group.into_iter();
        if let Some((divergence, container)) = group.next() {
            candidates.push((divergence, number, container));
        }
        decided.removed.extend(group.map(|(_, container)| {
            let stale = is_temporary(container.name.as_str()) || container.name == final_name;
            (container, if stale { Reason::LeftBehind } else { Reason::Duplicate })
        }));
    }
    candidates.sort_by_key(|(divergence, number, _)| (divergence.is_some(), *number));

    let targeted = options.targets.is_empty() || options.targets.contains(&service.name);
    let policy = if targeted { options.recreate } else { options.recreate_deps };
    let policy = if targeted && options.renew_anonymous_volumes { Recreate::Force } else { policy };
    let count = candidates.len();
    for (position, (divergence, number, container)) in candidates.into_iter().enumerate() {
        if position >= wanted {
            let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
            decided.removed.push((container, Reason::ScaleDown { wanted }));
            continue;
        }
        let may_change = options.assume_images && inputs.images_change.contains(&service.name);
        let divergence = divergence.or(may_change.then_some(Reason::ImageMayChange));
        let reason = match policy {
            Recreate::Force => Some(divergence.unwrap_or(Reason::Asked)),
            Recreate::Never => None,
            Recreate::Diverged => divergence,
        };
        match reason {
            Some(reason) => decided.replaced.push(Replaced { container, number, reason }),
            None => decided.kept.push(Kept { container, number, reconnect: lost_networks(inputs, service, container) }),
        }
    }
    // Gaps in the numbers are not filled, as docker compose does not.
    decided.missing = (count..wanted).zip(highest + 1..).map(|(_, number)| number).collect();
    decided
}

/// Whether a name is `<12 hex digits>_<name>`: what a container is called while it takes another's place.
pub(super) fn is_temporary(name: &str) -> bool {
    name.split_once('_').is_some_and(|(id, rest)| {
        id.len() == 12
            && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
            && !rest.is_empty()
    })
}

/// The services whose container this one shares a namespace or volumes with.
pub(super) fn shared_with(service: &Service) -> impl Iterator<Item = ServiceName> {
    let modes = [&service.network_mode, &service.ipc, &service.pid];
    let by_mode = modes.into_iter().flatten().filter_map(|mode| mode.strip_prefix("service:")).map(ServiceName::from);
    by_mode.chain(volumes_from(service))
}

/// The services whose volumes this one uses.
pub(super) fn volumes_from(service: &Service) -> impl Iterator<Item = ServiceName> {
    let own = service.volumes_from.iter().filter(|from| !from.starts_with("container:"));
    own.map(|from| ServiceName::from(from.split(':').next().unwrap_or(from)))
}

/// The first container of a service, if it is one that stays.
pub(super) fn first_kept<'a>(decided: &Decided<'a>) -> Option<&'a Container> {
    let first = decided.kept.iter().map(|kept| (kept.number, kept.container)).min_by_key(|(number, _)| *number)?;
    let earlier = decided.replaced.iter().any(|replaced| replaced.number < first.0);
    (!earlier).then_some(first.1)
}

fn divergence(
    inputs: &Inputs<'_>,
    service: &Service,
    container: &Container,
    others: &BTreeMap<&ServiceName, Decided<'_>>,
    accepted: &[String],
) -> Option<Reason> {
    let Inputs { project, snapshot, infra, .. } = inputs;
    for parent in shared_with(service) {
        if others.get(&parent).is_some_and(|decided| first_kept(decided).is_none()) {
            return Some(Reason::DependencyRecreated { service: parent });
        }
    }
    let label = container.label(labels::CONFIG_HASH).unwrap_or_default();
    let has_other_content = fields::content_changed(project, service, container);
    if has_other_content || !accepted.iter().any(|hash| hash == label) {
        let fields = fields::changed(project, service, container, snapshot, &inputs.options.proxies);
        // Another version wrote the hash, and the container is all the same what it should be.
        let is_same = !has_other_content
            && fields.is_empty()
            && fields::is_as_wanted(project, service, container, snapshot, &inputs.options.proxies)
            && container.label(labels::FIELDS).is_none()
            && container.label(labels::VERSION) != Some(labels::COMPATIBLE_VERSION);
        if !is_same {
            return Some(Reason::ConfigChanged { fields });
        }
    }
    let reference = project.image_of(service);
    if let Some(image) = snapshot.images.get(&reference) {
        let made_from = container.label(labels::IMAGE).unwrap_or_default();
        if made_from != image.id.as_str() {
            let from = if made_from.is_empty() { container.image_id.to_string() } else { made_from.to_owned() };
            return Some(Reason::ImageChanged { from, to: image.id.to_string() });
        }
    }
    let contents = inputs.options.contents.as_ref();
    if let Some((Answer::Recreate, reason)) =
        contents.and_then(|contents| content::changed(project, service, snapshot, contents, container, false))
    {
        return Some(reason);
    }
    if service.network_mode.is_none() {
        for key in service.networks.keys() {
            let Some(network) = infra.networks.get(key) else { continue };
            if network.replaced {
                continue;
            }
            let changed = Some(Reason::NetworkChanged { network: network.name.clone() });
            match (container.networks.get(&network.name), &network.id) {
                // A network that is gone took the endpoint with it: such a container could not start again.
                (Some(_), None) if container.state != ContainerState::Created => return changed,
                (Some(id), Some(wanted)) if !id.as_str().is_empty() && id != wanted => return changed,
                (None, _) if container.is_running() => return changed,
                _ => {}
            }
        }
    }
    let lost = service.volumes.iter().filter(|mount| mount.kind == "volume").find_map(|mount| {
        let volume = project.volumes.get(mount.source.as_deref()?)?;
        let mounted = container.mounts.iter().any(|found| found.kind == "volume" && found.name == volume.name);
        (!mounted).then(|| volume.name.clone())
    });
    lost.map(|volume| Reason::VolumeChanged { volume: volume.into() })
}

/// Networks that a container which stays has to be connected to again.
fn lost_networks(inputs: &Inputs<'_>, service: &Service, container: &Container) -> Vec<NetworkName> {
    if service.network_mode.is_some() {
        return Vec::new();
    }
    let planned = container::networks_by_priority(service).into_iter().filter_map(|key| inputs.infra.networks.get(key));
    planned
        .filter(|network| {
            let absent = !container.networks.contains_key(&network.name);
            network.replaced || (absent && !container.is_running())
        })
        .map(|network| network.name.clone())
        .collect()
}

/// Containers that belong to the project but to none of its services, and one-offs that have ended.
pub(super) fn orphans<'a>(
    snapshot: &'a Snapshot,
    is_known: impl Fn(&str) -> bool,
    removed: &BTreeMap<ContainerId, crate::planner::plan::NodeId>,
) -> Vec<&'a Container> {
    let ended = |container: &Container| matches!(container.state, ContainerState::Exited | ContainerState::Dead);
    let of_project = snapshot
        .containers
        .iter()
        .filter(|container| container.label(labels::CONFIG_HASH).is_some() && !removed.contains_key(&container.id));
    of_project
        .filter(|container| if container.is_one_off() { ended(container) } else { !is_known(container.service()) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_names() {
        for (name, temporary) in
            [("bd36a8e69992_p-a-2", true), ("p-a-2", false), ("bd36a8e69992_", false), ("BD36a8e69992_p-a-1", false)]
        {
            assert_eq!(is_temporary(name), temporary, "{name}");
        }
    }
}
