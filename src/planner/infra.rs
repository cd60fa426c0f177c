//! Networks and volumes: which are there, which are missing, which do not fit any more.

use std::collections::BTreeMap;

use crate::labels;
use crate::names::{ContainerId, NetworkId, NetworkKey, NetworkName, VolumeKey, VolumeName};
use crate::planner::builder::{PlanBuilder, after};
use crate::planner::goal::UpOptions;
use crate::planner::plan::{Blocker, ContainerRef, NodeId, Op, Question, Reason, Shown};
use crate::resource::{IpamPool, IpamSpec, NetworkSpec, ResourceId, Snapshot, VolumeSpec};
use crate::spec::hash;
use crate::spec::model::{self, Project};

/// Networks and volumes as the rest of a plan needs them.
#[derive(Debug, Default)]
pub(super) struct Infra {
    /// Networks by key.
    pub(super) networks: BTreeMap<NetworkKey, PlannedNetwork>,
    /// Operations that make volumes, by key.
    pub(super) volumes: BTreeMap<VolumeKey, NodeId>,
    /// Containers that were stopped for the sake of a network, and by which operation.
    pub(super) stopped: BTreeMap<ContainerId, NodeId>,
    /// Containers that are removed because their volume is made anew, and by which operation.
    pub(super) removed: BTreeMap<ContainerId, NodeId>,
}

/// A network of the project.
#[derive(Debug)]
pub(super) struct PlannedNetwork {
    /// Its name in the engine.
    pub(super) name: NetworkName,
    /// Its id, unless the plan makes it.
    pub(super) id: Option<NetworkId>,
    /// What makes it.
    pub(super) create: Option<NodeId>,
    /// Whether it replaces one that did not fit, so that containers that stay must be connected again.
    pub(super) replaced: bool,
}

/// Plans networks, then volumes.
pub(super) fn plan(builder: &mut PlanBuilder, project: &Project, snapshot: &Snapshot, options: &UpOptions) -> Infra {
    let mut infra = Infra::default();
    for (key, network) in &project.networks {
        let planned = plan_network(builder, project, snapshot, options, (key, network), &mut infra.stopped);
        infra.networks.insert(key.clone(), planned);
    }
    for (key, volume) in &project.volumes {
        plan_volume(builder, project, snapshot, options, (key, volume), &mut infra);
    }
    infra
}

fn plan_network(
    builder: &mut PlanBuilder,
    project: &Project,
    snapshot: &Snapshot,
    options: &UpOptions,
    (key, network): (&NetworkKey, &model::Network),
    stopped: &mut BTreeMap<ContainerId, NodeId>,
) -> PlannedNetwork {
    let name = NetworkName::new(network.name.clone());
    let planned = |id, create, replaced| PlannedNetwork { name: name.clone(), id, create, replaced };
    let named = snapshot.networks.iter().find(|found| found.name == name);
    if network.external {
        let by_id = || snapshot.networks.iter().find(|found| found.id.as_str() == network.name);
        let found = named.or_else(by_id);
        if found.is_none() {
            builder.block(Blocker {
                message: format!("network {name} declared as external, but could not be found"),
                hint: Some(format!("create it first: docker network create {name}")),
                place: project.place(&["networks", key.as_str()]),
            });
        }
        return planned(found.map(|found| found.id.clone()), None, false);
    }
    let target = ResourceId::Network(name.clone());
    let Some(found) = named else {
        let spec = Box::new(network_spec(project, key, network));
        let shown = Shown::new(&target, "Creating", "Created");
        let node = builder.add(Op::CreateNetwork { spec }, target, Reason::Missing, shown, &[]);
        return planned(None, Some(node), false);
    };
    match found.labels.get(labels::PROJECT).map(String::as_str) {
        None => builder.warn(format!(
            "a network with name {name} exists but was not created by compose.\nSet `external: true` to use an existing network"
        )),
        Some(owner) if owner != project.name.as_str() => builder.warn(format!(
            "a network with name {name} exists but was not created for project \"{}\".\nSet `external: true` to use an existing network",
            project.name
        )),
        Some(_) => {
            let diverged = found.labels.get(labels::CONFIG_HASH).is_some_and(|label| *label != hash::network(network));
            if diverged {
                let node = replace_network(builder, project, snapshot, options, (key, network), stopped);
                return planned(None, Some(node), true);
            }
        }
    }
    planned(Some(found.id.clone()), None, false)
}

/// Stop what is attached, disconnect it, remove the network, create it anew.
fn replace_network(
    builder: &mut PlanBuilder,
    project: &Project,
    snapshot: &Snapshot,
    options: &UpOptions,
    (key, network): (&NetworkKey, &model::Network),
    stopped: &mut BTreeMap<ContainerId, NodeId>,
) -> NodeId {
    let name = NetworkName::new(network.name.clone());
    let reason = || Reason::ConfigChanged { fields: Vec::new() };
    let because = || Reason::NetworkChanged { network: name.clone() };
    let mut disconnected = Vec::new();
    for container in snapshot.containers.iter().filter(|container| container.networks.contains_key(&name)) {
        let target = ResourceId::Container(container.name.clone());
        let existing = || ContainerRef::Existing(container.id.clone());
        let mut first = Vec::new();
        if container.is_running() {
            let known = stopped.get(&container.id).copied();
            let stop = known.unwrap_or_else(|| {
                let op = Op::StopContainer { container: existing(), grace: options.grace };
                builder.add(op, target.clone(), because(), Shown::new(&target, "Stopping", "Stopped"), &[])
            });
            stopped.insert(container.id.clone(), stop);
            first.push(stop);
        }
        let op = Op::Disconnect { network: name.clone(), container: existing() };
        disconnected.push(builder.add(op, target.clone(), because(), Shown::hidden(&target), &after(first)));
    }
    let target = ResourceId::Network(name.clone());
    let op = Op::RemoveNetwork { network: name.to_string() };
    let shown = Shown::new(&target, "Removing", "Removed");
    let removed = builder.add(op, target.clone(), reason(), shown, &after(disconnected));
    let spec = Box::new(network_spec(project, key, network));
    let shown = Shown::new(&target, "Creating", "Created");
    builder.add(Op::CreateNetwork { spec }, target, reason(), shown, &after([removed]))
}

fn network_spec(project: &Project, key: &NetworkKey, network: &model::Network) -> NetworkSpec {
    let ipam = &network.ipam;
    let has_ipam = ipam.driver.is_some() || !ipam.config.is_empty() || !ipam.options.is_empty();
    let mut labels = network.labels.clone();
    labels.insert(labels::NETWORK.to_owned(), key.to_string());
    labels.insert(labels::PROJECT.to_owned(), project.name.to_string());
    labels.insert(labels::VERSION.to_owned(), labels::COMPATIBLE_VERSION.to_owned());
    labels.insert(labels::CONFIG_HASH.to_owned(), hash::network(network));
    NetworkSpec {
        name: network.name.clone().into(),
        driver: network.driver.clone(),
        options: network.driver_opts.clone(),
        ipam: has_ipam.then(|| IpamSpec {
            driver: ipam.driver.clone(),
            pools: ipam
                .config
                .iter()
                .map(|pool| IpamPool {
                    subnet: pool.subnet.clone(),
                    gateway: pool.gateway.clone(),
                    ip_range: pool.ip_range.clone(),
                    aux_addresses: pool.aux_addresses.clone(),
                })
                .collect(),
            options: ipam.options.clone(),
        }),
        internal: network.internal,
        attachable: network.attachable,
        enable_ipv4: network.enable_ipv4,
        enable_ipv6: network.enable_ipv6,
        labels,
    }
}

fn plan_volume(
    builder: &mut PlanBuilder,
    project: &Project,
    snapshot: &Snapshot,
    options: &UpOptions,
    (key, volume): (&VolumeKey, &model::Volume),
    infra: &mut Infra,
) {
    let name = VolumeName::new(volume.name.clone());
    let found = snapshot.volumes.iter().find(|found| found.name == name);
    if volume.external {
        if found.is_none() {
            builder.block(Blocker {
                message: format!("external volume \"{name}\" not found"),
                hint: Some(format!("create it first: docker volume create {name}")),
                place: project.place(&["volumes", key.as_str()]),
            });
        }
        return;
    }
    let target = ResourceId::Volume(name.clone());
    let spec = || Box::new(volume_spec(project, key, volume));
    let Some(found) = found else {
        let shown = Shown::new(&target, "Creating", "Created");
        let node = builder.add(Op::CreateVolume { spec: spec() }, target, Reason::Missing, shown, &[]);
        infra.volumes.insert(key.clone(), node);
        return;
    };
    match found.labels.get(labels::PROJECT).map(String::as_str) {
        None => builder.warn(format!(
            "volume \"{name}\" already exists but was not created by Docker Compose. Use `external: true` to use an existing volume"
        )),
        Some(owner) if owner != project.name.as_str() => builder.warn(format!(
            "volume \"{name}\" already exists but was created for project \"{owner}\" (expected \"{}\"). Use `external: true` to use an existing volume",
            project.name
        )),
        Some(_) => {
            let diverged = found.labels.get(labels::CONFIG_HASH).is_some_and(|label| *label != hash::volume(volume));
            if !diverged {
                return;
            }
            let question = Question::RecreateVolume { volume: name.clone() };
            match options.answers.get(&question) {
                None => builder.ask(question),
                // The user said no: it is kept and used as it is, and asked for again next time.
                Some(false) => {}
                Some(true) => replace_volume(builder, snapshot, options, (key, &name), &spec(), infra),
            }
        }
    }
}

fn replace_volume(
    builder: &mut PlanBuilder,
    snapshot: &Snapshot,
    options: &UpOptions,
    (key, name): (&VolumeKey, &VolumeName),
    spec: &VolumeSpec,
    infra: &mut Infra,
) {
    let because = || Reason::VolumeChanged { volume: name.clone() };
    let uses = |mounts: &[crate::resource::MountedAt]| {
        mounts.iter().any(|mount| mount.kind == "volume" && mount.name == name.as_str())
    };
    let mut gone = Vec::new();
    for container in snapshot.containers.iter().filter(|container| uses(&container.mounts)) {
        let removed = infra.removed.get(&container.id).copied().unwrap_or_else(|| {
            let target = ResourceId::Container(container.name.clone());
            let existing = || ContainerRef::Existing(container.id.clone());
            let stop = infra.stopped.get(&container.id).copied().unwrap_or_else(|| {
                let op = Op::StopContainer { container: existing(), grace: options.grace };
                builder.add(op, target.clone(), because(), Shown::new(&target, "Stopping", "Stopped"), &[])
            });
            let op = Op::RemoveContainer { container: existing(), force: true, volumes: false };
            builder.add(op, target.clone(), because(), Shown::new(&target, "Removing", "Removed"), &after([stop]))
        });
        infra.removed.insert(container.id.clone(), removed);
        gone.push(removed);
    }
    let target = ResourceId::Volume(name.clone());
    let reason = || Reason::ConfigChanged { fields: Vec::new() };
    let op = Op::RemoveVolume { volume: name.clone() };
    let shown = Shown::new(&target, "Removing", "Removed");
    let removed = builder.add(op, target.clone(), reason(), shown, &after(gone));
    let shown = Shown::new(&target, "Creating", "Created");
    let op = Op::CreateVolume { spec: Box::new(spec.clone()) };
    let node = builder.add(op, target, reason(), shown, &after([removed]));
    infra.volumes.insert(key.clone(), node);
}

fn volume_spec(project: &Project, key: &VolumeKey, volume: &model::Volume) -> VolumeSpec {
    let mut labels = volume.labels.clone();
    labels.insert(labels::VOLUME.to_owned(), key.to_string());
    labels.insert(labels::PROJECT.to_owned(), project.name.to_string());
    labels.insert(labels::VERSION.to_owned(), labels::COMPATIBLE_VERSION.to_owned());
    labels.insert(labels::CONFIG_HASH.to_owned(), hash::volume(volume));
    VolumeSpec {
        name: volume.name.clone().into(),
        driver: volume.driver.clone(),
        options: volume.driver_opts.clone(),
        labels,
    }
}
