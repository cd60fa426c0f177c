//! What would fail later, found before anything is touched: names and ports that others have, files and images that
//! are not there.

use std::collections::{BTreeMap, BTreeSet};

use crate::labels;
use crate::names::{ContainerId, ContainerName, ServiceName};
use crate::planner::builder::PlanBuilder;
use crate::planner::fields;
use crate::planner::mounts::{self, Inherited};
use crate::planner::needed_devices;
use crate::planner::plan::{Blocker, ContainerRef, Op, Plan, Reason};
use crate::resource::{Container, ContainerState, HostWish, MountKind, ResourceId, Snapshot};
use crate::spec::hash;
use crate::spec::model::{Port, Project, Service};

/// Whether a plan makes or starts containers, now or in a later round, so that what others have on this host matters
/// to it.
pub fn touches_host(plan: &Plan) -> bool {
    !plan.complete
        || plan.nodes.iter().any(|node| {
            matches!(node.op, Op::CreateContainer { .. } | Op::StartContainer { .. } | Op::RestartContainer { .. })
        })
}

/// Containers that the plan makes anew because their configuration changed; inspected, the next plan can tell the old
/// values.
pub fn unexplained(plan: &Plan, snapshot: &Snapshot) -> Vec<ContainerId> {
    let changed: BTreeSet<&ResourceId> = plan
        .nodes
        .iter()
        .filter(|node| matches!(node.reason, Reason::ConfigChanged { .. }))
        .map(|node| &node.target)
        .collect();
    let removed = plan.nodes.iter().filter(|node| node.reason == Reason::Replaced && changed.contains(&node.target));
    let ids = removed.filter_map(|node| match &node.op {
        Op::RemoveContainer { container: ContainerRef::Existing(id), .. } => Some(id.clone()),
        _ => None,
    });
    ids.filter(|id| !snapshot.details.contains_key(id)).collect()
}

/// Adds a blocker for each name and port that containers outside the project have; `started` are the containers that
/// the plan will start.
pub(super) fn check(
    builder: &mut PlanBuilder,
    project: &Project,
    snapshot: &Snapshot,
    started: &[(&Service, ContainerName)],
) {
    names(builder, project, snapshot);
    images(builder, project, snapshot);
    let touched = touched(builder, project, started);
    let mut blockers = Vec::new();
    files(&mut blockers, project, snapshot, &touched);
    needed_devices::check(&mut blockers, project, &snapshot.foreign.host, &touched, started);
    ports(&mut blockers, project, snapshot, started);
    for blocker in blockers {
        builder.block(blocker);
    }
}

/// Adds to a plan of `start` or `restart` what forbids it: what the containers that do not run yet need of the host.
/// Only containers that are as the files say: what another one needs is not known.
pub fn starting(mut plan: Plan, project: &Project, snapshot: &Snapshot) -> Plan {
    let started: BTreeSet<&ContainerId> = plan
        .nodes
        .iter()
        .filter_map(|node| match &node.op {
            Op::StartContainer { container: ContainerRef::Existing(id) }
            | Op::RestartContainer { container: ContainerRef::Existing(id), .. } => Some(id),
            _ => None,
        })
        .collect();
    let of_service = |name: &str| {
        let found = snapshot.containers.iter().find(|container| container.service() == name && !container.is_one_off());
        found.map(|container| container.id.to_string())
    };
    let mut needing: Vec<(&Service, ContainerName)> = Vec::new();
    for container in snapshot.containers.iter().filter(|found| started.contains(&found.id) && !found.is_running()) {
        let Some(service) = project.services.get(container.service()) else { continue };
        let accepted = hash::accepted(&fields::hashed(project, service), &|name| of_service(name.as_str()));
        if container.label(labels::CONFIG_HASH).is_some_and(|label| accepted.iter().any(|hash| hash == label)) {
            needing.push((service, container.name.clone()));
        }
    }
    let touched = needing.iter().map(|(service, _)| (service.name.as_str(), *service)).collect();
    files(&mut plan.blockers, project, snapshot, &touched);
    // They are made already, with the runtime that they have.
    needed_devices::check(&mut plan.blockers, project, &snapshot.foreign.host, &BTreeMap::new(), &needing);
    ports(&mut plan.blockers, project, snapshot, &needing);
    plan
}

/// What forbids to start a container that is frozen: the engine refuses, and a person who froze it had a reason.
pub(super) fn paused(container: &Container, service: &ServiceName) -> Option<Blocker> {
    (container.state == ContainerState::Paused).then(|| Blocker {
        message: format!("container {} is paused", container.name),
        hint: Some(format!("let it go on: compose unpause {service}")),
        place: None,
    })
}

fn ports(blockers: &mut Vec<Blocker>, project: &Project, snapshot: &Snapshot, started: &[(&Service, ContainerName)]) {
    let mut taken: Vec<(Taken, &ContainerName)> = Vec::new();
    for (service, container) in started {
        // Ports of a container in the host's or another's network are not published.
        let publishes = service.network_mode.as_deref().is_none_or(|mode| matches!(mode, "bridge" | "default"));
        for (index, port) in service.ports.iter().enumerate().filter(|_| publishes) {
            let Some(wanted) = Taken::of(port) else { continue };
            let place = || project.place(&["services", service.name.as_str(), "ports", &index.to_string()]);
            let own = taken.iter().find(|(known, other)| known.overlaps(&wanted) && *other != container);
            if let Some((_, other)) = own {
                let hint = if other.as_str().contains(&format!("{}-{}", project.name, service.name)) {
                    format!(
                        "replicas can not share port {}: publish a range (`8000-8010:80`), or put a proxy before them",
                        wanted.port
                    )
                } else {
                    "publish another port for one of them".to_owned()
                };
                let message = format!("{container} and {other} both publish port {}", wanted.shown());
                blockers.push(Blocker { message, hint: Some(hint), place: place() });
                continue;
            }
            let foreign = snapshot
                .foreign
                .ports
                .iter()
                .find(|(key, _)| Taken::parse(key).is_some_and(|known| known.overlaps(&wanted)));
            if let (Some((_, holder)), true) = (foreign, snapshot.engine.local) {
                blockers.push(Blocker {
                    message: format!(
                        "port {} of service `{}` is already published by container {holder}",
                        wanted.shown(),
                        service.name
                    ),
                    hint: Some(format!("stop it (docker stop {holder}), or publish another port")),
                    place: place(),
                });
                continue;
            }
            if let Some(owner) = snapshot.foreign.host.sockets.iter().find_map(|(key, owner)| {
                let overlaps = Taken::parse(key).is_some_and(|known| known.overlaps(&wanted));
                (overlaps && !is_ours(snapshot, &wanted)).then_some(owner)
            }) {
                let owner = if owner.is_empty() { "another program" } else { owner };
                blockers.push(Blocker {
                    message: format!(
                        "port {} of service `{}` is already used by {owner}: address already in use",
                        wanted.shown(),
                        service.name
                    ),
                    hint: Some("stop it, or publish another port".to_owned()),
                    place: place(),
                });
                continue;
            }
            taken.push((wanted, container));
        }
    }
}

/// Whether a container of the project publishes the port now: it is made anew or goes, or the engine tells.
fn is_ours(snapshot: &Snapshot, wanted: &Taken) -> bool {
    let mut ports = snapshot.containers.iter().flat_map(|container| &container.ports);
    ports.any(|port| port.host_port == wanted.port && port.protocol == wanted.protocol)
}

/// What of the host a project needs.
pub fn wish(project: &Project) -> HostWish {
    let mut wish = HostWish::default();
    for service in project.services.values() {
        let ports = service.ports.iter().filter_map(Taken::of);
        wish.ports.extend(ports.map(|port| (port.port, port.protocol)));
        wish.paths.extend(needed_files(project, service).into_iter().map(|needed| needed.path));
        needed_devices::wish(service, &mut wish);
    }
    wish
}

/// The services that the plan makes or starts containers of.
fn touched<'a>(
    builder: &PlanBuilder,
    project: &'a Project,
    started: &[(&'a Service, ContainerName)],
) -> BTreeMap<&'a str, &'a Service> {
    let created = builder.nodes().filter_map(|node| match &node.op {
        Op::CreateContainer { spec, .. } => project.services.get(spec.labels.get(labels::SERVICE)?.as_str()),
        _ => None,
    });
    let started = started.iter().map(|(service, _)| *service);
    created.chain(started).map(|service| (service.name.as_str(), service)).collect()
}

/// A file of the host that the engine does not make.
struct Needed {
    path: String,
    what: String,
    hint: &'static str,
    /// Where it is asked for.
    steps: Vec<String>,
}

fn needed_files(project: &Project, service: &Service) -> Vec<Needed> {
    let is_file = |kind: &MountKind| match kind {
        MountKind::Bind { create_mountpoint, .. } => *create_mountpoint != Some(true),
        _ => false,
    };
    // What can not be mounted at all is told when the container is planned.
    let files = mounts::of(project, service, Inherited::default()).unwrap_or_default();
    let mut needed = Vec::new();
    for mount in files.mounts.into_iter().filter(|mount| is_file(&mount.kind)) {
        let steps = |steps: &[&str]| steps.iter().map(|step| (*step).to_owned()).collect();
        let volume = service.volumes.iter().position(|volume| volume.target.as_deref() == Some(mount.target.as_str()));
        let secret = project.secrets.iter().find(|(_, secret)| secret.file.as_deref() == Some(mount.source.as_str()));
        let config = project.configs.iter().find(|(_, config)| config.file.as_deref() == Some(mount.source.as_str()));
        let create = "create it first, or choose another file";
        let (what, hint, steps) = match (volume, secret, config) {
            (Some(index), ..) => (
                format!("bind source path of service `{}`", service.name),
                "create it on the host first, or set `bind.create_host_path: true`",
                steps(&["services", service.name.as_str(), "volumes", &index.to_string()]),
            ),
            (None, Some((key, _)), _) => (format!("file of secret `{key}`"), create, steps(&["secrets", key, "file"])),
            (None, None, Some((key, _))) => {
                (format!("file of config `{key}`"), create, steps(&["configs", key, "file"]))
            }
            (None, None, None) => continue,
        };
        needed.push(Needed { path: mount.source, what, hint, steps });
    }
    needed
}

fn files(blockers: &mut Vec<Blocker>, project: &Project, snapshot: &Snapshot, touched: &BTreeMap<&str, &Service>) {
    let missing = &snapshot.foreign.host.missing_paths;
    let mut told = BTreeSet::new();
    for needed in touched.values().flat_map(|service| needed_files(project, service)) {
        if missing.contains(&needed.path) && told.insert((needed.what.clone(), needed.path.clone())) {
            let steps: Vec<&str> = needed.steps.iter().map(String::as_str).collect();
            blockers.push(Blocker {
                message: format!("{} does not exist: {}", needed.what, needed.path),
                hint: Some(needed.hint.to_owned()),
                place: project.place(&steps),
            });
        }
    }
}

/// Images that nothing of the plan brings.
fn images(builder: &mut PlanBuilder, project: &Project, snapshot: &Snapshot) {
    let brought: BTreeSet<ResourceId> = builder
        .nodes()
        .filter(|node| matches!(node.op, Op::PullImage { .. } | Op::BuildImage { .. }))
        .map(|node| node.target.clone())
        .collect();
    let wanted: BTreeSet<(String, String)> = builder
        .nodes()
        .filter_map(|node| match &node.op {
            Op::CreateContainer { spec, .. } => {
                Some((spec.image.to_string(), spec.labels.get(labels::SERVICE)?.clone()))
            }
            _ => None,
        })
        .collect();
    for (image, name) in wanted {
        let Some(service) = project.services.get(name.as_str()) else { continue };
        if snapshot.images.contains_key(&image) || brought.contains(&ResourceId::Image(image.clone())) {
            continue;
        }
        builder.block(Blocker {
            message: format!("No such image: {image}"),
            hint: Some(if service.build.is_some() {
                format!("build it first: compose build {name}")
            } else {
                format!("pull it first (compose pull {name}), or change `pull_policy`")
            }),
            place: project.place(&["services", name.as_str(), if service.image.is_some() { "image" } else { "build" }]),
        });
    }
}

fn names(builder: &mut PlanBuilder, project: &Project, snapshot: &Snapshot) {
    let created: Vec<ContainerName> = builder
        .nodes()
        .filter_map(|node| match (&node.op, &node.target) {
            (Op::CreateContainer { .. }, ResourceId::Container(name)) => Some(name.clone()),
            _ => None,
        })
        .collect();
    for name in created {
        let Some(owner) = snapshot.foreign.names.get(&name) else { continue };
        let owner = match owner {
            Some(project) => format!("project {project}"),
            None => "no project".to_owned(),
        };
        let service =
            project.services.values().find(|service| service.container_name.as_deref() == Some(name.as_str()));
        let place = service.and_then(|service| project.place(&["services", service.name.as_str(), "container_name"]));
        builder.block(Blocker {
            message: format!("the container name {name} is already in use by a container of {owner}"),
            hint: Some(format!("remove it (docker rm -f {name}), or choose another name")),
            place,
        });
    }
}

/// One port of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taken {
    address: String,
    port: u16,
    protocol: String,
}

impl Taken {
    /// Only a single fixed port can be taken: of a range the engine picks a free one.
    fn of(port: &Port) -> Option<Self> {
        let number = port.published.as_deref()?.parse().ok().filter(|port| *port != 0)?;
        Some(Self {
            address: port.host_ip.clone().unwrap_or_default(),
            port: number,
            protocol: port.protocol.clone().unwrap_or_else(|| "tcp".to_owned()),
        })
    }
    /// `address:port/protocol`, as a look keys it.
    fn parse(key: &str) -> Option<Self> {
        let (socket, protocol) = key.rsplit_once('/')?;
        let (address, port) = socket.rsplit_once(':')?;
        Some(Self { address: address.to_owned(), port: port.parse().ok()?, protocol: protocol.to_owned() })
    }
    fn overlaps(&self, other: &Self) -> bool {
        let any = |address: &str| matches!(address, "" | "0.0.0.0" | "::" | "[::]");
        let same = self.address == other.address || any(&self.address) || any(&other.address);
        // An address of one family does not collide with "all" of the other.
        let family = |address: &str| (!address.is_empty()).then(|| address.contains(':'));
        let families = match (family(&self.address), family(&other.address)) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        };
        self.port == other.port && self.protocol == other.protocol && same && families
    }
    fn shown(&self) -> String {
        let address = if self.address.is_empty() { "0.0.0.0" } else { &self.address };
        format!("{address}:{}/{}", self.port, self.protocol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_ports_collide() {
        let taken = |key: &str| Taken::parse(key).unwrap();
        for (one, two, collide) in [
            ("0.0.0.0:80/tcp", ":80/tcp", true),
            ("127.0.0.1:80/tcp", "127.0.0.2:80/tcp", false),
            ("127.0.0.1:80/tcp", "0.0.0.0:80/tcp", true),
            ("127.0.0.1:80/tcp", ":::80/tcp", false),
            (":80/tcp", ":80/udp", false),
            (":80/tcp", ":81/tcp", false),
        ] {
            assert_eq!(taken(one).overlaps(&taken(two)), collide, "{one} {two}");
        }
    }
}
