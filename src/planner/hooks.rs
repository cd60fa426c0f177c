//! `pre_start` steps: containers that run to their end, one after the other, before the first replica of a service
//! starts.

use indexmap::IndexMap;

use crate::labels;
use crate::names::{ContainerName, ImageRef, NetworkName, ServiceName};
use crate::planner::builder::{PlanBuilder, after};
use crate::planner::container;
use crate::planner::plan::{ContainerRef, Edge, Late, NodeId, Op, Reason, Shown};
use crate::resource::{Container, ContainerSpec, Endpoint, HostSpec, ResourceId, Snapshot};
use crate::spec::model::{Hook, Project, Service};

/// The word for them in labels and names.
const PRE_START: &str = "pre_start";

/// A step, but for the replica whose volumes it sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its container.
    pub spec: ContainerSpec,
    /// The service whose network it shares, when the service does.
    pub shares_network_with: Option<ServiceName>,
}

/// The steps of a service.
pub(super) fn steps(project: &Project, service: &Service) -> Vec<Step> {
    service.pre_start.iter().enumerate().map(|(index, hook)| step(project, service, hook, index)).collect()
}

fn step(project: &Project, service: &Service, hook: &Hook, index: usize) -> Step {
    let separator = project.separator();
    let name = format!("{}{separator}{}{separator}{PRE_START}{separator}{index}", project.name, service.name);
    let name = ContainerName::new(name);
    let mut environment = service.environment.clone();
    environment.extend(hook.environment.clone());
    let label = |key: &str, value: String| (key.to_owned(), value);
    let of_service = service.network_mode.as_deref().and_then(|mode| mode.strip_prefix("service:"));
    let mut endpoints: IndexMap<NetworkName, Endpoint> = IndexMap::new();
    if service.network_mode.is_none() {
        let keys = container::networks_by_priority(service).into_iter();
        for network in keys.filter_map(|key| project.networks.get(key)) {
            let endpoint = Endpoint { aliases: vec![name.to_string()], ..Endpoint::default() };
            endpoints.insert(network.name.clone().into(), endpoint);
        }
    }
    let mode = match &service.network_mode {
        Some(_) if of_service.is_some() => None,
        Some(mode) => Some(mode.clone()),
        None => Some(endpoints.keys().next().map_or_else(|| "none".to_owned(), ToString::to_string)),
    };
    let spec = ContainerSpec {
        image: ImageRef::new(hook.image.clone().unwrap_or_else(|| project.image_of(service))),
        platform: container::platform(project, service).filter(|_| hook.image.is_none()),
        command: hook.command.clone(),
        environment: environment
            .into_iter()
            .map(|(key, value)| value.map_or_else(|| key.clone(), |value| format!("{key}={value}")))
            .collect(),
        user: hook.user.clone().or_else(|| service.user.clone()),
        working_dir: hook.working_dir.clone().or_else(|| service.working_dir.clone()),
        labels: [
            label(labels::PROJECT, project.name.to_string()),
            label(labels::SERVICE, service.name.to_string()),
            label(labels::VERSION, labels::COMPATIBLE_VERSION.to_owned()),
            label(labels::HOOK, PRE_START.to_owned()),
        ]
        .into(),
        host: HostSpec { network_mode: mode, privileged: hook.privileged, ..HostSpec::default() },
        endpoints,
        name,
        ..ContainerSpec::default()
    };
    Step { spec, shares_network_with: of_service.map(ServiceName::from) }
}

/// Plans the steps; the edge to the last one. `replica` is the one whose volumes they see, `network` the container of
/// the service whose network is shared.
pub(super) fn plan(
    builder: &mut PlanBuilder,
    service: &ServiceName,
    steps: &[Step],
    replica: &ContainerRef,
    network: impl Fn(&ServiceName) -> Option<ContainerRef>,
    first: &[Edge],
) -> Vec<Edge> {
    let mut edges = first.to_vec();
    for (index, step) in (0..).zip(steps) {
        let mut late = vec![Late::VolumesFrom(replica.clone())];
        late.extend(step.shares_network_with.as_ref().and_then(&network).map(Late::NetworkMode));
        let target = ResourceId::Container(step.spec.name.clone());
        let op = Op::RunStep { service: service.clone(), index, spec: Box::new(step.spec.clone()), late };
        let shown = Shown::new(&target, "Running", "Exited");
        let node = builder.add(op, target, Reason::Asked, shown, &edges);
        edges = after([node]);
    }
    edges
}

/// Whether a container is one of a step.
pub(super) fn is_step(container: &Container) -> bool {
    container.label(labels::HOOK) == Some(PRE_START)
}

/// Removes what failed or interrupted runs left of a service's steps.
pub(super) fn remove_leftovers(builder: &mut PlanBuilder, snapshot: &Snapshot, service: &ServiceName) -> Vec<NodeId> {
    let of_service = |container: &&Container| is_step(container) && container.service() == service.as_str();
    let left = snapshot.containers.iter().filter(of_service).map(|container| {
        let target = ResourceId::Container(container.name.clone());
        let container = ContainerRef::Existing(container.id.clone());
        let op = Op::RemoveContainer { container, force: true, volumes: true };
        let shown = Shown::new(&target, "Removing", "Removed");
        builder.add(op, target, Reason::LeftBehind, shown, &[])
    });
    left.collect()
}
