//! What would fail later, found before anything is touched: names and ports that others have.

use std::collections::BTreeSet;

use crate::names::{ContainerId, ContainerName};
use crate::planner::builder::PlanBuilder;
use crate::planner::plan::{Blocker, ContainerRef, Op, Plan, Reason};
use crate::resource::{ResourceId, Snapshot};
use crate::spec::model::{Port, Project, Service};

/// Whether a plan makes or starts containers, now or in a later round, so that what others have on this host matters
/// to it.
pub fn touches_host(plan: &Plan) -> bool {
    !plan.complete
        || plan.nodes.iter().any(|node| matches!(node.op, Op::CreateContainer { .. } | Op::StartContainer { .. }))
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
    let mut taken: Vec<(Taken, &ContainerName)> = Vec::new();
    for (service, container) in started {
        for (index, port) in service.ports.iter().enumerate() {
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
                builder.block(Blocker { message, hint: Some(hint), place: place() });
                continue;
            }
            let foreign = snapshot
                .foreign
                .ports
                .iter()
                .find(|(key, _)| Taken::parse(key).is_some_and(|known| known.overlaps(&wanted)));
            if let (Some((_, holder)), true) = (foreign, snapshot.engine.local) {
                builder.block(Blocker {
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
            taken.push((wanted, container));
        }
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
