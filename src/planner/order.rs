//! In which order services come: dependencies first.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::{DiGraph, NodeIndex};

use crate::names::ServiceName;
use crate::spec::model::{Dependency, Service};

/// How many containers a service should have.
pub fn wanted_replicas(service: &Service) -> u32 {
    let replicas = service.deploy.as_ref().and_then(|deploy| deploy.replicas);
    u32::try_from(service.scale.or(replicas).unwrap_or(1)).unwrap_or(0)
}

/// Names of services, dependencies before dependents, else by name. Loading has refused cycles; should one be here,
/// its members come last, by name.
pub(super) fn dependencies_first<'a>(
    services: impl IntoIterator<Item = (&'a ServiceName, &'a BTreeMap<ServiceName, Dependency>)>,
) -> Vec<&'a ServiceName> {
    let services: BTreeMap<_, _> = services.into_iter().collect();
    let mut graph = DiGraph::<&ServiceName, ()>::new();
    let nodes: BTreeMap<&ServiceName, NodeIndex> = services.keys().map(|name| (*name, graph.add_node(*name))).collect();
    for (name, depends_on) in &services {
        for dependency in depends_on.keys() {
            if let (Some(from), Some(to)) = (nodes.get(dependency), nodes.get(name)) {
                graph.update_edge(*from, *to, ());
            }
        }
    }
    // Kahn's algorithm with a sorted ready set, so that the order is the same every time.
    let mut waiting: BTreeMap<NodeIndex, usize> = graph
        .node_indices()
        .map(|node| (node, graph.neighbors_directed(node, petgraph::Direction::Incoming).count()))
        .collect();
    let mut ready: BTreeSet<(&ServiceName, NodeIndex)> =
        waiting.iter().filter(|(_, count)| **count == 0).map(|(node, _)| (graph[*node], *node)).collect();
    let mut order = Vec::with_capacity(services.len());
    while let Some((name, node)) = ready.pop_first() {
        order.push(name);
        waiting.remove(&node);
        for next in graph.neighbors(node) {
            if let Some(count) = waiting.get_mut(&next) {
                *count -= 1;
                if *count == 0 {
                    ready.insert((graph[next], next));
                }
            }
        }
    }
    order.extend(waiting.keys().map(|node| graph[*node]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_come_first_and_equals_by_name() {
        let on = |names: &[&str]| -> BTreeMap<ServiceName, Dependency> {
            names.iter().map(|name| (ServiceName::from(*name), Dependency::default())).collect()
        };
        let services: BTreeMap<ServiceName, _> =
            [("a", on(&["z"])), ("b", on(&[])), ("z", on(&["y", "gone"])), ("y", on(&[]))]
                .map(|(name, on)| (name.into(), on))
                .into();
        let order: Vec<_> = dependencies_first(&services).into_iter().map(ServiceName::as_str).collect();
        assert_eq!(order, ["b", "y", "z", "a"]);
    }

    #[test]
    fn a_cycle_does_not_lose_services() {
        let on = |name: &str| BTreeMap::from([(ServiceName::from(name), Dependency::default())]);
        let services: BTreeMap<ServiceName, _> = [("a", on("b")), ("b", on("a"))].map(|(n, on)| (n.into(), on)).into();
        assert_eq!(dependencies_first(&services).len(), 2);
    }
}
