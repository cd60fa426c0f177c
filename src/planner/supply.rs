//! `build` and `pull`: images without containers.

use std::collections::BTreeSet;

use crate::names::ServiceName;
use crate::planner::builder::{PlanBuilder, after};
use crate::planner::goal::{BuildOptions, PullOptions, PushOptions};
use crate::planner::image;
use crate::planner::plan::{NodeId, Op, Plan, Reason, Shown, Unchanged};
use crate::resource::{ResourceId, Snapshot};
use crate::spec::model::{Project, Service};

/// Builds images.
pub fn build(project: &Project, options: &BuildOptions) -> Plan {
    let mut builder = PlanBuilder::new();
    let wanted = chosen(project, &options.services, options.with_dependencies);
    let services: Vec<(&Service, Reason)> = all(project)
        .filter(|service| wanted.contains(&service.name) && service.build.is_some())
        .map(|service| (service, Reason::Asked))
        .collect();
    let services = image::with_bases(project, services);
    let nodes = image::build_nodes(&mut builder, project, &services, options);
    if options.push {
        let pushed_itself = |node: &NodeId| {
            let node = builder.nodes().nth(node.index());
            node.is_some_and(|node| matches!(&node.op, Op::BuildImage { request } if request.extras.push))
        };
        let named = services.iter().filter(|(service, _)| service.image.is_some());
        let left: Vec<(&Service, NodeId)> = named
            .filter_map(|(service, _)| Some((*service, *nodes.get(&service.name)?)))
            .filter(|(_, node)| !pushed_itself(node))
            .collect();
        let mut once = BTreeSet::new();
        for (service, node) in left.into_iter().filter(|(_, node)| once.insert(*node)) {
            push_nodes(&mut builder, project, service, Some(node));
        }
    }
    builder.finish()
}

/// Pushes images that are built here and have a name.
pub fn push(project: &Project, options: &PushOptions) -> Plan {
    let mut builder = PlanBuilder::new();
    let wanted = chosen(project, &options.services, options.include_deps);
    for service in all(project).filter(|service| wanted.contains(&service.name)) {
        if service.build.is_none() || service.image.is_none() {
            builder.keep(Unchanged {
                target: ResourceId::Provider(service.name.to_string()),
                word: "Skipped".to_owned(),
                container: None,
            });
            continue;
        }
        for node in push_nodes(&mut builder, project, service, None) {
            if options.ignore_failures {
                builder.optional(node);
            }
        }
    }
    builder.finish()
}

/// Pushes all names that a service's image has.
fn push_nodes(builder: &mut PlanBuilder, project: &Project, service: &Service, built: Option<NodeId>) -> Vec<NodeId> {
    let tags = service.build.iter().flat_map(|build| build.tags.iter().cloned());
    let references: BTreeSet<String> = tags.chain([project.image_of(service)]).collect();
    let mut nodes = Vec::new();
    for reference in references {
        let target = ResourceId::Image(reference.clone());
        let shown = Shown::new(&target, "Pushing", "Pushed");
        nodes.push(builder.add(Op::PushImage { reference }, target, Reason::Asked, shown, &after(built)));
    }
    nodes
}

/// Pulls images.
pub fn pull(project: &Project, snapshot: &Snapshot, options: &PullOptions) -> Plan {
    let mut builder = PlanBuilder::new();
    let wanted = chosen(project, &options.services, options.include_deps);
    let mut seen = BTreeSet::new();
    for service in all(project).filter(|service| wanted.contains(&service.name)) {
        let reference = project.image_of(service);
        let skipped = |word: &str| Unchanged {
            target: ResourceId::Provider(service.name.to_string()),
            word: word.to_owned(),
            container: None,
        };
        let policy = options.policy.as_deref().or(service.pull_policy.as_deref());
        if service.image.is_none() {
            builder.keep(skipped("Skipped - No image to be pulled"));
            continue;
        }
        if options.ignore_buildable && service.build.is_some() {
            builder.keep(skipped("Skipped - Image can be built"));
            continue;
        }
        if matches!(policy, Some("never" | "build")) {
            builder.keep(skipped("Skipped"));
            continue;
        }
        let present = snapshot.images.contains_key(&reference);
        let is_latest =
            !reference.rsplit('/').next().is_some_and(|name| name.contains(':') && !name.ends_with(":latest"));
        if matches!(policy, Some("missing" | "if_not_present")) && present && !is_latest {
            builder.keep(skipped("Skipped - Image is already present locally"));
            continue;
        }
        if seen.insert(reference) {
            let node = image::pull_node(&mut builder, project, service, Reason::Asked);
            if options.ignore_failures {
                builder.optional(node);
            }
        }
    }
    builder.finish()
}

fn all(project: &Project) -> impl Iterator<Item = &Service> {
    project.services.values().chain(project.disabled_services.values())
}

/// The services that are named, or all that are active, with their dependencies when asked for.
fn chosen(project: &Project, named: &[ServiceName], with_dependencies: bool) -> BTreeSet<ServiceName> {
    if named.is_empty() {
        return project.services.keys().cloned().collect();
    }
    let mut chosen: BTreeSet<ServiceName> = named.iter().cloned().collect();
    let mut open: Vec<ServiceName> = if with_dependencies { named.to_vec() } else { Vec::new() };
    while let Some(name) = open.pop() {
        let depends_on = project.services.get(&name).into_iter().flat_map(|service| service.depends_on.keys());
        for dependency in depends_on {
            if chosen.insert(dependency.clone()) {
                open.push(dependency.clone());
            }
        }
    }
    chosen
}
