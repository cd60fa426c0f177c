//! Goals on containers that exist: stop, start, restart, kill, pause, unpause, remove.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::labels;
use crate::names::{ContainerId, ServiceName};
use crate::planner::builder::{PlanBuilder, after, settled};
use crate::planner::goal::RemoveOptions;
use crate::planner::hooks;
use crate::planner::order;
use crate::planner::outside;
use crate::planner::plan::{Blocker, ContainerRef, Edge, NodeId, Op, Plan, Question, Reason, Shown, Until};
use crate::planner::preflight;
use crate::planner::stack::{Stack, StackService};
use crate::resource::{Container, ContainerState, ResourceId, Snapshot};
use crate::spec::model::{DependencyCondition, Hook};

/// Stops services (none named: all), dependents first.
pub fn stop(stack: &Stack, snapshot: &Snapshot, services: &[ServiceName], grace: Option<Duration>) -> Plan {
    let mut control = Control::new(stack, snapshot, services);
    let mut stopped: BTreeMap<&ServiceName, Vec<NodeId>> = BTreeMap::new();
    for name in stack.dependencies_first().into_iter().rev() {
        let first = settled(stack.dependents(name).filter_map(|other| stopped.get(other)).flatten().copied());
        let mut nodes = Vec::new();
        for container in control.containers(name).filter(|container| container.is_running()) {
            nodes.push(control.stop(name, container, grace, Reason::Asked, &first));
        }
        let provider = stack.services.get(name).and_then(|service| service.provider.as_ref());
        if let Some(provider) = provider.filter(|_| services.is_empty() || services.contains(name)) {
            // Only those that say they can be stopped are asked to, so there is nothing to show.
            let target = ResourceId::Provider(name.to_string());
            let op = outside::op(name, provider, "stop");
            let shown = Shown::hidden(&target);
            nodes.push(control.builder.add(op, target, Reason::Asked, shown, &first));
        }
        stopped.insert(name, nodes);
    }
    control.builder.finish()
}

/// Starts containers that exist and those that they depend on, dependencies first; with `wait` until they run or are
/// healthy.
pub fn start(
    stack: &Stack,
    snapshot: &Snapshot,
    services: &[ServiceName],
    wait: bool,
    timeout: Option<Duration>,
) -> Plan {
    let mut control = Control::new(stack, snapshot, &stack.with_dependencies(services));
    if stack.from_labels && stack.services.is_empty() {
        control.builder.block(Blocker {
            message: format!("no container found for project \"{}\": not found", stack.name),
            hint: Some("create it first: compose up".to_owned()),
            place: None,
        });
        return control.builder.finish();
    }
    if control.block_unknown(services) {
        return control.builder.finish();
    }
    let nobody = !stack.services.keys().any(|name| control.containers(name).next().is_some());
    if let (true, Some(name)) = (nobody, services.first().or_else(|| stack.services.keys().next())) {
        control.builder.block(Blocker {
            message: format!("service \"{name}\" has no container to start"),
            hint: Some("create it first: compose up".to_owned()),
            place: None,
        });
        return control.builder.finish();
    }
    let mut started: BTreeMap<&ServiceName, Vec<(ContainerId, Vec<NodeId>)>> = BTreeMap::new();
    for name in stack.dependencies_first() {
        let Some(service) = stack.services.get(name) else { continue };
        let dependencies = control.dependencies(service, &started, timeout);
        let dependencies = control.pre_start(name, service, dependencies);
        let mut nodes = Vec::new();
        for container in control.containers(name) {
            if let Some(paused) = preflight::paused(container, name) {
                control.builder.block(paused);
                continue;
            }
            let node = (!runs(container)).then(|| control.start(name, service, container, &dependencies));
            nodes.push((container.id.clone(), node.into_iter().collect::<Vec<_>>()));
        }
        started.insert(name, nodes);
    }
    if wait {
        for name in stack.services.keys() {
            control.await_all(name, Until::RunningOrHealthy, &started, timeout);
        }
    }
    control.builder.finish()
}

/// Restarts containers that exist, dependencies first; dependents with `restart: true` too, unless `no_deps`.
pub fn restart(
    stack: &Stack,
    snapshot: &Snapshot,
    services: &[ServiceName],
    grace: Option<Duration>,
    no_deps: bool,
) -> Plan {
    let mut wanted: BTreeSet<ServiceName> = services.iter().cloned().collect();
    if !no_deps && !services.is_empty() {
        // A dependent that is restarted takes its own dependents with it.
        for name in stack.dependencies_first() {
            let depends_on = stack.services.get(name).map(|service| &service.depends_on);
            if depends_on.into_iter().flatten().any(|(other, how)| how.restart && wanted.contains(other)) {
                wanted.insert(name.clone());
            }
        }
    }
    let wanted: Vec<ServiceName> = wanted.into_iter().collect();
    let mut control = Control::new(stack, snapshot, &wanted);
    if control.block_unknown(services) {
        return control.builder.finish();
    }
    let mut done: BTreeMap<&ServiceName, Vec<NodeId>> = BTreeMap::new();
    for name in stack.dependencies_first() {
        let Some(service) = stack.services.get(name) else { continue };
        let first = after(service.depends_on.keys().filter_map(|other| done.get(other)).flatten().copied());
        let mut nodes = Vec::new();
        for container in control.containers(name) {
            let target = ResourceId::Container(container.name.clone());
            let existing = ContainerRef::Existing(container.id.clone());
            let mut first = first.clone();
            if container.state == ContainerState::Running {
                first.extend(control.hooks(name, &existing, &target, &service.pre_stop, &first.clone()));
            }
            let op = Op::RestartContainer { container: existing.clone(), grace };
            let shown = Shown::new(&target, "Restarting", "Started");
            let node = control.builder.add(op, target.clone(), Reason::Asked, shown, &first);
            let last = control.hooks(name, &existing, &target, &service.post_start, &after([node]));
            nodes.push(last.map_or(node, |edge| edge.node));
        }
        done.insert(name, nodes);
    }
    control.builder.finish()
}

/// Sends a signal to running containers, those of `run` included; with `orphans` also to those of services that are
/// not in the files.
pub fn kill(stack: &Stack, snapshot: &Snapshot, services: &[ServiceName], signal: &str, orphans: bool) -> Plan {
    let mut builder = PlanBuilder::new();
    let known = |name: &str| stack.services.contains_key(name);
    let wanted = |name: &str| {
        if services.is_empty() { known(name) } else { services.iter().any(|service| service.as_str() == name) }
    };
    for container in snapshot.containers.iter().filter(|container| container.is_running()) {
        let orphan = orphans && !known(container.service());
        if !wanted(container.service()) && !orphan {
            continue;
        }
        let target = ResourceId::Container(container.name.clone());
        let op =
            Op::SignalContainer { container: ContainerRef::Existing(container.id.clone()), signal: signal.to_owned() };
        builder.add(op, target.clone(), Reason::Asked, Shown::new(&target, "Killing", "Killed"), &[]);
    }
    builder.finish()
}

/// Freezes running containers.
pub fn pause(stack: &Stack, snapshot: &Snapshot, services: &[ServiceName]) -> Plan {
    each_running(stack, snapshot, services, "Paused", |container| Op::PauseContainer { container })
}

/// Thaws frozen containers.
pub fn unpause(stack: &Stack, snapshot: &Snapshot, services: &[ServiceName]) -> Plan {
    each_running(stack, snapshot, services, "Unpaused", |container| Op::UnpauseContainer { container })
}

fn each_running(
    stack: &Stack,
    snapshot: &Snapshot,
    services: &[ServiceName],
    word: &str,
    op: impl Fn(ContainerRef) -> Op,
) -> Plan {
    let mut control = Control::new(stack, snapshot, services);
    for name in stack.services.keys() {
        for container in control.containers(name).filter(|container| container.is_running()) {
            let target = ResourceId::Container(container.name.clone());
            let op = op(ContainerRef::Existing(container.id.clone()));
            // docker compose shows only that it is done.
            control.builder.add(op, target.clone(), Reason::Asked, Shown::new(&target, "", word), &[]);
        }
    }
    control.builder.finish()
}

/// Removes containers that do not run.
pub fn remove(stack: &Stack, snapshot: &Snapshot, options: &RemoveOptions) -> Plan {
    let mut control = Control::new(stack, snapshot, &options.services);
    let chosen: Vec<(&ServiceName, &Container)> = stack
        .services
        .keys()
        .flat_map(|name| control.containers(name).map(move |container| (name, container)))
        .filter(|(_, container)| options.stop || !container.is_running())
        .collect();
    if chosen.is_empty() {
        return control.builder.finish();
    }
    if !options.force {
        let names = chosen.iter().map(|(_, container)| container.name.clone()).collect();
        let question = Question::RemoveContainers { names };
        match options.answers.get(&question) {
            Some(true) => {}
            Some(false) => return control.builder.finish(),
            None => {
                control.builder.ask(question);
                return control.builder.finish();
            }
        }
    }
    for (name, container) in chosen {
        let stop = container.is_running().then(|| control.stop(name, container, None, Reason::Asked, &[]));
        let target = ResourceId::Container(container.name.clone());
        let op = Op::RemoveContainer {
            container: ContainerRef::Existing(container.id.clone()),
            force: options.force,
            volumes: options.volumes,
        };
        let shown = Shown::new(&target, "Removing", "Removed");
        control.builder.add(op, target, Reason::Asked, shown, &after(stop));
    }
    control.builder.finish()
}

fn runs(container: &Container) -> bool {
    matches!(container.state, ContainerState::Running | ContainerState::Restarting)
}

/// A hook as an operation.
pub(super) fn hook_op(container: &ContainerRef, service: &ServiceName, hook: &Hook) -> Op {
    let environment = hook
        .environment
        .iter()
        .map(|(key, value)| value.as_ref().map_or_else(|| key.clone(), |value| format!("{key}={value}")));
    Op::RunHook {
        container: container.clone(),
        service: service.clone(),
        command: hook.command.clone().unwrap_or_default(),
        environment: environment.collect(),
        user: hook.user.clone(),
        working_dir: hook.working_dir.clone(),
        privileged: hook.privileged,
    }
}

/// What the goals share: a plan in the making over some services of a stack.
pub(super) struct Control<'a> {
    pub(super) builder: PlanBuilder,
    stack: &'a Stack,
    snapshot: &'a Snapshot,
    services: Vec<ServiceName>,
}

impl<'a> Control<'a> {
    pub(super) fn new(stack: &'a Stack, snapshot: &'a Snapshot, services: &[ServiceName]) -> Self {
        Self { builder: PlanBuilder::new(), stack, snapshot, services: services.to_vec() }
    }

    /// Blocks the plan when a service is named that nothing is known of, where there are no files.
    fn block_unknown(&mut self, services: &[ServiceName]) -> bool {
        let stack = self.stack;
        let unknown = services.iter().find(|name| stack.from_labels && !stack.services.contains_key(*name));
        let Some(unknown) = unknown else { return false };
        let known = stack.services.keys().map(ServiceName::as_str).collect::<Vec<_>>().join(", ");
        self.builder.block(Blocker {
            message: format!("no such service: {unknown}"),
            hint: (!known.is_empty()).then(|| format!("project \"{}\" has {known}", stack.name)),
            place: None,
        });
        true
    }

    /// Containers of a service, when it is one of those that are meant; one-offs left out.
    pub(super) fn containers(&self, name: &ServiceName) -> impl Iterator<Item = &'a Container> + use<'a> {
        let meant = self.services.is_empty() || self.services.contains(name);
        let name = name.clone();
        self.snapshot.containers.iter().filter(move |container| {
            meant
                && container.service() == name.as_str()
                && !container.is_one_off()
                && container.label(labels::CONFIG_HASH).is_some()
                && container.label(labels::HOOK).is_none()
        })
    }

    /// Runs the service's `pre_stop` hooks and stops the container.
    pub(super) fn stop(
        &mut self,
        name: &ServiceName,
        container: &Container,
        grace: Option<Duration>,
        reason: Reason,
        first: &[Edge],
    ) -> NodeId {
        let target = ResourceId::Container(container.name.clone());
        let existing = ContainerRef::Existing(container.id.clone());
        let hooks = self.stack.services.get(name).map(|service| service.pre_stop.clone()).unwrap_or_default();
        let runs = container.state == ContainerState::Running;
        let hooked = runs.then(|| self.hooks(name, &existing, &target, &hooks, first)).flatten();
        let mut first = first.to_vec();
        first.extend(hooked);
        let op = Op::StopContainer { container: existing, grace };
        self.builder.add(op, target.clone(), reason, Shown::new(&target, "Stopping", "Stopped"), &first)
    }

    /// Hooks one after the other; the edge to the last one.
    fn hooks(
        &mut self,
        name: &ServiceName,
        container: &ContainerRef,
        target: &ResourceId,
        hooks: &[Hook],
        first: &[Edge],
    ) -> Option<Edge> {
        let mut edges = first.to_vec();
        let mut last = None;
        for hook in hooks {
            let op = hook_op(container, name, hook);
            let node = self.builder.add(op, target.clone(), Reason::Asked, Shown::hidden(target), &edges);
            edges = after([node]);
            last = edges.first().copied();
        }
        last
    }

    fn start(&mut self, name: &ServiceName, service: &StackService, container: &Container, first: &[Edge]) -> NodeId {
        let target = ResourceId::Container(container.name.clone());
        let existing = ContainerRef::Existing(container.id.clone());
        let mut first = first.to_vec();
        if !service.uploads.is_empty() {
            let op = Op::CopyInto { container: existing.clone(), files: service.uploads.clone() };
            let node = self.builder.add(op, target.clone(), Reason::Asked, Shown::hidden(&target), &[]);
            first.extend(after([node]));
        }
        let op = Op::StartContainer { container: existing.clone() };
        let shown = Shown::new(&target, "Starting", "Started");
        let node = self.builder.add(op, target.clone(), Reason::Asked, shown, &first);
        self.hooks(name, &existing, &target, &service.post_start, &after([node])).map_or(node, |edge| edge.node)
    }

    /// Runs the service's `pre_start` steps when none of its containers runs; what their starts wait for then.
    fn pre_start(&mut self, name: &ServiceName, service: &StackService, first: Vec<Edge>) -> Vec<Edge> {
        let lowest = self.containers(name).min_by_key(|container| container.number());
        let Some(lowest) = lowest.filter(|_| !self.containers(name).any(runs)) else { return first };
        let left = hooks::remove_leftovers(&mut self.builder, self.snapshot, name);
        let mut first = first;
        first.extend(after(left));
        let snapshot = self.snapshot;
        let network = |other: &ServiceName| {
            let found = snapshot.containers.iter().find(|container| {
                container.service() == other.as_str() && !container.is_one_off() && !hooks::is_step(container)
            });
            found.map(|container| ContainerRef::Existing(container.id.clone()))
        };
        let replica = ContainerRef::Existing(lowest.id.clone());
        hooks::plan(&mut self.builder, name, &service.pre_start, &replica, network, &first)
    }

    fn dependencies(
        &mut self,
        service: &StackService,
        started: &BTreeMap<&ServiceName, Vec<(ContainerId, Vec<NodeId>)>>,
        timeout: Option<Duration>,
    ) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (name, dependency) in &service.depends_on {
            let until = match dependency.condition {
                DependencyCondition::Started => {
                    let nodes = started.get(name).into_iter().flatten().flat_map(|(_, nodes)| nodes.clone());
                    edges.extend(if dependency.required { after(nodes) } else { settled(nodes) });
                    continue;
                }
                DependencyCondition::Healthy => Until::Healthy,
                DependencyCondition::CompletedSuccessfully => Until::CompletedSuccessfully,
            };
            let nodes = self.await_all(name, until, started, timeout);
            if dependency.required {
                edges.extend(after(nodes));
            } else {
                for node in &nodes {
                    self.builder.optional(*node);
                }
                edges.extend(settled(nodes));
            }
        }
        edges
    }

    fn await_all(
        &mut self,
        name: &ServiceName,
        until: Until,
        started: &BTreeMap<&ServiceName, Vec<(ContainerId, Vec<NodeId>)>>,
        timeout: Option<Duration>,
    ) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        for (id, first) in started.get(name).into_iter().flatten() {
            let Some(container) = self.snapshot.containers.iter().find(|found| found.id == *id) else { continue };
            let target = ResourceId::Container(container.name.clone());
            let op = Op::Await { container: ContainerRef::Existing(id.clone()), service: name.clone(), until, timeout };
            let done = if until == Until::CompletedSuccessfully { "Exited" } else { "Healthy" };
            let shown = Shown::new(&target, "Waiting", done);
            let reason = Reason::NeededBy { service: name.clone() };
            nodes.push(self.builder.add(op, target, reason, shown, &after(first.iter().copied())));
        }
        nodes
    }
}

impl Stack {
    /// Names of services, dependencies before dependents.
    pub(super) fn dependencies_first(&self) -> Vec<&ServiceName> {
        order::dependencies_first(self.services.iter().map(|(name, service)| (name, &service.depends_on)))
    }

    /// Services and everything that they depend on; none stays none, which means all.
    fn with_dependencies(&self, services: &[ServiceName]) -> Vec<ServiceName> {
        let mut all = services.to_vec();
        let mut at = 0;
        while let Some(name) = all.get(at).cloned() {
            let depends_on = self.services.get(&name).map(|service| service.depends_on.keys());
            let new: Vec<ServiceName> =
                depends_on.into_iter().flatten().filter(|o| !all.contains(o)).cloned().collect();
            all.extend(new);
            at += 1;
        }
        all
    }

    /// Services that depend on one.
    pub(super) fn dependents(&self, name: &ServiceName) -> impl Iterator<Item = &ServiceName> {
        let depends = move |service: &StackService| service.depends_on.contains_key(name);
        self.services.iter().filter(move |(_, service)| depends(service)).map(|(name, _)| name)
    }
}
