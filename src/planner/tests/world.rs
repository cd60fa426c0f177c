//! What a plan would make of an engine, without an engine.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::names::{ContainerId, NetworkId};
use crate::planner::{ContainerRef, HashPart, Late, NodeId, Op, Plan};
use crate::resource::{
    Container, ContainerState, EngineFacts, Foreign, ImageDetails, MountKind, MountedAt, Network, Snapshot, Volume,
};

/// A snapshot that plans are applied to.
pub(in crate::planner::tests) struct World {
    pub(in crate::planner::tests) snapshot: Snapshot,
    ids: u64,
}

impl World {
    pub(in crate::planner::tests) fn with_images(names: &[&str]) -> Self {
        let image = |name: &&str| {
            let details = ImageDetails { id: format!("sha256:{name}").into(), ..ImageDetails::default() };
            ((*name).to_owned(), details)
        };
        let engine = EngineFacts {
            kind: "fake".into(),
            version: "1".into(),
            api: (1, 51),
            os: "linux".into(),
            arch: "amd64".into(),
            buildkit: true,
            containerd_store: false,
            local: true,
            endpoint: "fake".into(),
        };
        let snapshot = Snapshot {
            engine,
            containers: Vec::new(),
            networks: Vec::new(),
            volumes: Vec::new(),
            images: names.iter().map(image).collect(),
            project_images: Vec::new(),
            foreign: Foreign::default(),
            details: Default::default(),
            is_detailed: false,
        };
        Self { snapshot, ids: 0 }
    }

    /// Changes a container that is there.
    #[track_caller]
    pub(in crate::planner::tests) fn edit(&mut self, name: &str, change: impl FnOnce(&mut Container)) {
        let found = self.snapshot.containers.iter_mut().find(|container| container.name.as_str() == name);
        change(found.unwrap_or_else(|| panic!("no container {name}")));
    }

    /// Names and states, one container per line.
    pub(in crate::planner::tests) fn containers(&self) -> String {
        let lines = self.snapshot.containers.iter();
        lines.map(|container| format!("{} {}\n", container.name, container.state.as_str())).collect()
    }

    /// Does all of a plan.
    pub(in crate::planner::tests) fn run(&mut self, plan: &Plan) {
        self.run_until(plan, plan.nodes.len());
    }

    /// Does the first operations of a plan only.
    pub(in crate::planner::tests) fn run_until(&mut self, plan: &Plan, end: usize) {
        let mut made: BTreeMap<NodeId, ContainerId> = BTreeMap::new();
        for (id, node) in plan.iter().take(end) {
            self.ids += 1;
            self.apply(id, &node.op, &mut made);
        }
        self.snapshot.containers.sort_by(|a, b| a.name.cmp(&b.name));
    }

    fn apply(&mut self, id: NodeId, op: &Op, made: &mut BTreeMap<NodeId, ContainerId>) {
        let resolve = |reference: &ContainerRef, made: &BTreeMap<NodeId, ContainerId>| match reference {
            ContainerRef::Existing(id) => id.clone(),
            ContainerRef::CreatedBy(node) => made[node].clone(),
        };
        match op {
            Op::CreateNetwork { spec } => self.snapshot.networks.push(Network {
                id: NetworkId::new(format!("net{}", self.ids)),
                name: spec.name.clone(),
                labels: spec.labels.clone(),
                ..Network::default()
            }),
            Op::RemoveNetwork { network } => {
                self.snapshot.networks.retain(|found| found.name.as_str() != network && found.id.as_str() != network);
            }
            Op::CreateVolume { spec } => self.snapshot.volumes.push(Volume {
                name: spec.name.clone(),
                labels: spec.labels.clone(),
                ..Volume::default()
            }),
            Op::RemoveVolume { volume } => self.snapshot.volumes.retain(|found| found.name != *volume),
            Op::CreateContainer { spec, late } => {
                let container = ContainerId::new(format!("{:064x}", self.ids));
                let mut labels = spec.labels.clone();
                for late in late {
                    if let Late::LabelSha256 { key, parts } = late {
                        let text: String = parts
                            .iter()
                            .map(|part| match part {
                                HashPart::Text(text) => text.clone(),
                                HashPart::IdOf(reference) => resolve(reference, made).to_string(),
                            })
                            .collect();
                        let digest = Sha256::digest(text.as_bytes());
                        labels.insert(key.clone(), digest.iter().map(|byte| format!("{byte:02x}")).collect());
                    }
                }
                let bound = spec.host.binds.iter().filter(|bind| !bind.starts_with('/')).map(|bind| {
                    let mut parts = bind.split(':');
                    let name = parts.next().unwrap_or_default().to_owned();
                    let destination = parts.next().unwrap_or_default().to_owned();
                    MountedAt { kind: "volume".into(), name, destination, writable: true, ..MountedAt::default() }
                });
                let mounted = spec.host.mounts.iter().filter_map(|mount| match mount.kind {
                    MountKind::Volume { .. } => Some(MountedAt {
                        kind: "volume".into(),
                        name: if mount.source.is_empty() {
                            format!("anonymous{}", self.ids)
                        } else {
                            mount.source.clone()
                        },
                        destination: mount.target.clone(),
                        writable: true,
                        ..MountedAt::default()
                    }),
                    _ => None,
                });
                let mounts = bound.chain(mounted).collect();
                let networks = spec.endpoints.keys().map(|name| {
                    let network = self.snapshot.networks.iter().find(|network| network.name == *name);
                    (name.clone(), network.map(|network| network.id.clone()).unwrap_or_default())
                });
                self.snapshot.containers.push(Container {
                    id: container.clone(),
                    name: spec.name.clone(),
                    image: spec.image.to_string(),
                    created: i64::try_from(self.ids).unwrap_or(0),
                    networks: networks.collect(),
                    mounts,
                    labels,
                    ..Container::default()
                });
                made.insert(id, container);
            }
            Op::StartContainer { container } => self.state(&resolve(container, made), ContainerState::Running),
            Op::StopContainer { container, .. } => self.state(&resolve(container, made), ContainerState::Exited),
            Op::RemoveContainer { container, .. } => {
                let id = resolve(container, made);
                self.snapshot.containers.retain(|found| found.id != id);
            }
            Op::RenameContainer { container, name } => {
                let id = resolve(container, made);
                for found in self.snapshot.containers.iter_mut().filter(|found| found.id == id) {
                    found.name = name.clone();
                }
            }
            Op::Connect { network, container, .. } => {
                let id = resolve(container, made);
                let network_id =
                    self.snapshot.networks.iter().find(|found| found.name == *network).map(|f| f.id.clone());
                for found in self.snapshot.containers.iter_mut().filter(|found| found.id == id) {
                    found.networks.insert(network.clone(), network_id.clone().unwrap_or_default());
                }
            }
            Op::Disconnect { network, container } => {
                let id = resolve(container, made);
                for found in self.snapshot.containers.iter_mut().filter(|found| found.id == id) {
                    found.networks.remove(network);
                }
            }
            _ => {}
        }
    }

    fn state(&mut self, id: &ContainerId, state: ContainerState) {
        for found in self.snapshot.containers.iter_mut().filter(|found| found.id == *id) {
            found.state = state;
        }
    }
}
