//! `up` and `create`: makes the engine match the project.

use std::collections::{BTreeMap, BTreeSet};

use crate::labels;
use crate::names::{ContainerId, ContainerName, ServiceName};
use crate::planner::builder::{PlanBuilder, after, settled};
use crate::planner::container::{self, Wanted};
use crate::planner::content::{self, Answer};
use crate::planner::decide::{self, Decided, Inputs, Kept, Replaced};
use crate::planner::goal::UpOptions;
use crate::planner::infra::{self, Infra};
use crate::planner::mounts::{self, Inherited};
use crate::planner::outside::Outside;
use crate::planner::plan::{
    Blocker, ContainerRef, Edge, HashPart, Late, NodeId, Op, Plan, Reason, Shown, Unchanged, Until,
};
use crate::planner::run::{self as one_off, OneOff};
use crate::planner::saved::SavedPlan;
use crate::planner::{fields, hooks, image, order, outside, preflight, text};
use crate::resource::{Container, ContainerSpec, ContainerState, ResourceId, Snapshot};
use crate::spec::hash;
use crate::spec::model::{DependencyCondition, Project, Service};

/// Makes the engine match the project: `up`, `create`, `scale`, the dependencies of `run`.
pub fn up(project: &Project, snapshot: &Snapshot, options: &UpOptions) -> Plan {
    let plan = planned(project, snapshot, options, None);
    let Some(saved) = &options.only else { return plan };
    if !snapshot.is_detailed && !preflight::unexplained(&plan, snapshot).is_empty() {
        // Looked at closely, which comes next, a container may turn out to be as it should be.
        return plan;
    }
    let differences = if options.begun {
        saved.uncovered(&plan)
    } else {
        // What was saved was planned without pulling, building or asking.
        let mut options = UpOptions { assume_images: true, ..options.clone() };
        let mut foreseen = planned(project, snapshot, &options, None);
        if !foreseen.questions.is_empty() {
            options.answers.extend(foreseen.questions.drain(..).map(|question| (question, true)));
            foreseen = planned(project, snapshot, &options, None);
        }
        saved.differences(project, snapshot, &foreseen)
    };
    SavedPlan::hold(differences, plan)
}

/// Makes a container for one command, after what its service depends on has been started. The service's own containers
/// stay as they are; a container with the same slug is taken for the one that is wanted.
pub fn run(project: &Project, snapshot: &Snapshot, options: &UpOptions, one_off: &OneOff) -> Plan {
    planned(project, snapshot, options, Some(one_off))
}

fn planned(project: &Project, snapshot: &Snapshot, options: &UpOptions, one_off: Option<&OneOff>) -> Plan {
    let project = &*outside::with_answers(project, &options.provided, &options.models);
    let mut builder = PlanBuilder::new();
    let images_change = image::plan(&mut builder, project, snapshot, options);
    let outside = outside::plan(&mut builder, project, options);
    if !builder.is_empty() && !options.assume_images {
        // What images there will be, and what others answer, decides over the rest: that is planned once it is known.
        // What forbids the rest is told before anything is touched.
        builder.incomplete();
        for blocker in
            planned(project, snapshot, &UpOptions { assume_images: true, ..options.clone() }, one_off).blockers
        {
            builder.block(blocker);
        }
        return builder.finish();
    }
    let waiting = outside.waiting();
    let infra = infra::plan(&mut builder, project, snapshot, options);
    let inputs = Inputs { project, snapshot, options, infra: &infra, images_change: &images_change, waiting: &waiting };
    let decided = decide::decide(&inputs);
    let mut up = Up {
        project,
        snapshot,
        options,
        builder,
        infra: &infra,
        outside: &outside,
        images_change: &images_change,
        decided: &decided,
        stopped: infra.stopped.clone(),
        replicas: BTreeMap::new(),
        started: BTreeMap::new(),
        awaited: BTreeMap::new(),
        publishing: Vec::new(),
    };
    let others = project.services.iter().filter(|(name, _)| one_off.is_none_or(|one_off| **name != one_off.service));
    let order = order::dependencies_first(others.map(|(name, service)| (name, &service.depends_on)));
    up.stop_dependents(&order);
    for name in &order {
        up.converge(name);
    }
    up.orphans();
    if options.start {
        for name in &order {
            up.start(name);
        }
        if options.wait {
            up.wait(&order);
        }
    }
    if let Some(one_off) = one_off {
        up.one_off(one_off);
    }
    up.unsupported();
    up.contents();
    preflight::check(&mut up.builder, project, snapshot, &up.publishing);
    up.builder.finish()
}

/// A container that the service will have, and what makes it ready to be started.
#[derive(Clone, Debug)]
struct Replica<'a> {
    reference: ContainerRef,
    name: ContainerName,
    number: u32,
    /// The container that stays; `None` for one that the plan makes.
    found: Option<&'a Container>,
    ready: Vec<NodeId>,
}

struct Up<'a> {
    project: &'a Project,
    snapshot: &'a Snapshot,
    options: &'a UpOptions,
    builder: PlanBuilder,
    infra: &'a Infra,
    outside: &'a Outside,
    /// Services whose image is pulled or built first; known only to plans that are shown and not run.
    images_change: &'a BTreeSet<ServiceName>,
    decided: &'a BTreeMap<&'a ServiceName, Decided<'a>>,
    /// Containers that this plan has stopped already, and by which operation.
    stopped: BTreeMap<ContainerId, NodeId>,
    replicas: BTreeMap<&'a ServiceName, Vec<Replica<'a>>>,
    /// The last operation of starting each container of a service.
    started: BTreeMap<&'a ServiceName, Vec<NodeId>>,
    /// Waits that are planned already, so that dependents share them.
    awaited: BTreeMap<(&'a ServiceName, Until), Vec<NodeId>>,
    /// Containers that are started, for their ports.
    publishing: Vec<(&'a Service, ContainerName)>,
}

impl<'a> Up<'a> {
    fn service(&self, name: &ServiceName) -> Option<&'a Service> {
        self.project.services.get(name)
    }

    /// Containers whose dependency says `restart: true` and is made anew are stopped first and started again after.
    fn stop_dependents(&mut self, order: &[&'a ServiceName]) {
        for name in order.iter().rev() {
            let (Some(service), Some(decided)) = (self.service(name), self.decided.get(name)) else { continue };
            let restarted = service.depends_on.iter().find(|(dependency, how)| {
                how.restart && self.decided.get(dependency).is_some_and(|decided| !decided.replaced.is_empty())
            });
            let Some((dependency, _)) = restarted else { continue };
            let reason = Reason::DependencyRecreated { service: dependency.clone() };
            for kept in decided.kept.iter().filter(|kept| kept.container.is_running()) {
                self.stop(kept.container, reason.clone(), None);
            }
        }
    }

    /// Stops a container unless this plan has done so.
    fn stop(&mut self, container: &Container, reason: Reason, group: Option<u32>) -> NodeId {
        self.stop_after(container, reason, group, Vec::new())
    }

    fn stop_after(&mut self, container: &Container, reason: Reason, group: Option<u32>, first: Vec<NodeId>) -> NodeId {
        if let Some(known) = self.stopped.get(&container.id) {
            return *known;
        }
        let target = ResourceId::Container(container.name.clone());
        let op =
            Op::StopContainer { container: ContainerRef::Existing(container.id.clone()), grace: self.options.grace };
        let shown = Shown { group, ..Shown::new(&target, "Stopping", "Stopped") };
        let node = self.builder.add(op, target, reason, shown, &after(first));
        self.stopped.insert(container.id.clone(), node);
        node
    }

    fn remove(&mut self, container: &Container, reason: Reason) -> NodeId {
        let stop = self.stop(container, reason.clone(), None);
        let target = ResourceId::Container(container.name.clone());
        let op = Op::RemoveContainer {
            container: ContainerRef::Existing(container.id.clone()),
            force: true,
            volumes: false,
        };
        self.builder.add(op, target.clone(), reason, Shown::new(&target, "Removing", "Removed"), &after([stop]))
    }

    /// Makes the containers of one service what they should be, without starting them.
    fn converge(&mut self, name: &'a ServiceName) {
        let (Some(service), Some(decided)) = (self.service(name), self.decided.get(name)) else { return };
        let mut gone: BTreeMap<&ContainerName, NodeId> = BTreeMap::new();
        for (container, reason) in &decided.removed {
            let node = self.remove(container, reason.clone());
            gone.insert(&container.name, node);
        }
        let mut replicas: Vec<Replica<'a>> = Vec::new();
        for kept in &decided.kept {
            replicas.push(self.keep(service, kept, &gone));
        }
        for replaced in &decided.replaced {
            replicas.extend(self.replace(service, replaced, &gone));
        }
        // Replicas are made one after the other: cut off at any point, the numbers have no gap.
        let mut previous = Vec::new();
        for number in &decided.missing {
            let removed_first = gone.values().copied().collect::<Vec<_>>();
            let first = removed_first.into_iter().chain(previous);
            let Some(replica) = self.create(service, *number, first.collect()) else { return };
            previous = replica.ready.clone();
            replicas.push(replica);
        }
        replicas.sort_by_key(|replica| replica.number);
        self.replicas.insert(name, replicas);
    }

    fn keep(&mut self, service: &'a Service, kept: &Kept<'a>, gone: &BTreeMap<&ContainerName, NodeId>) -> Replica<'a> {
        let Kept { container, number, .. } = *kept;
        // Other names than the usual one, such as those of another separator, are kept: somebody may know them.
        let usual = container::name(self.project, service, number);
        let is_temporary = container::is_temporary_name(&container.name, &usual);
        let name = if is_temporary { usual } else { container.name.clone() };
        let reference = ContainerRef::Existing(container.id.clone());
        let target = ResourceId::Container(name.clone());
        let mut ready: Vec<NodeId> = Vec::new();
        if is_temporary {
            let op = Op::RenameContainer { container: reference.clone(), name: name.clone() };
            let first = gone.get(&name).copied();
            ready.push(self.builder.add(op, target.clone(), Reason::LeftBehind, Shown::hidden(&target), &after(first)));
        }
        for network in &kept.reconnect {
            let planned = self.infra.networks.iter().find(|(_, planned)| planned.name == *network);
            let Some((key, planned)) = planned else { continue };
            let config = service.networks.get(key).and_then(Option::as_ref);
            let endpoint = Box::new(container::endpoint(&service.name, &name, config, &[], None));
            let op = Op::Connect { network: network.clone(), container: reference.clone(), endpoint };
            let reason = Reason::NetworkChanged { network: network.clone() };
            let first = planned.create.into_iter().chain(self.stopped.get(&container.id).copied());
            let first = after(first);
            ready.push(self.builder.add(op, target.clone(), reason, Shown::hidden(&target), &first));
        }
        let stays_up = container.state == ContainerState::Running && !self.stopped.contains_key(&container.id);
        if stays_up {
            self.builder.keep(Unchanged { target, word: "Running".to_owned(), container: Some(container.id.clone()) });
        }
        ready.extend(self.stopped.get(&container.id));
        Replica { reference, name, number, found: Some(container), ready }
    }

    /// Create under a temporary name, stop the old one, remove it, take its name. Whatever step is the last one that
    /// happens, one of the two is complete and the next plan can tell which.
    fn replace(
        &mut self,
        service: &'a Service,
        replaced: &Replaced<'a>,
        gone: &BTreeMap<&ContainerName, NodeId>,
    ) -> Option<Replica<'a>> {
        let Replaced { container: old, number, reason } = replaced;
        let name = container::name(self.project, service, *number);
        let temporary = container::temporary_name(&old.id, &name);
        let group = Some(self.builder.group());
        let target = ResourceId::Container(name.clone());
        let shown = || Shown { group, ..Shown::new(&target, "Recreate", "Recreated") };

        let image_volumes = self.image_volumes(service);
        let mounts: &[_] = if self.options.renew_anonymous_volumes { &[] } else { &old.mounts };
        let inherited = Inherited { mounts, image_volumes: &image_volumes };
        let (mut spec, late) = self.spec(service, *number, inherited)?;
        let replaces = service.container_name.clone().unwrap_or_else(|| format!("{}-{number}", service.name));
        if !self.options.renew_anonymous_volumes {
            spec.labels.insert(labels::REPLACE.to_owned(), replaces);
        }
        spec.name = temporary.clone();
        spec.labels.insert(labels::REASON.to_owned(), text::without_values(reason));
        let mut first = self.needs(service);
        first.extend(gone.get(&temporary));
        first.extend(self.dependents_stopped(service));
        let op = Op::CreateContainer { spec: Box::new(spec), late };
        let create = self.builder.add(op, target.clone(), reason.clone(), shown(), &after(first));
        let stop = if old.is_running() { self.stop_after(old, Reason::Replaced, group, vec![create]) } else { create };
        let op = Op::RemoveContainer { container: ContainerRef::Existing(old.id.clone()), force: true, volumes: false };
        let removed = self.builder.add(op, target.clone(), Reason::Replaced, shown(), &after([create, stop]));
        let reference = ContainerRef::CreatedBy(create);
        let op = Op::RenameContainer { container: reference.clone(), name: name.clone() };
        let first = gone.get(&name).copied().into_iter().chain([removed]);
        let renamed = self.builder.add(op, target.clone(), Reason::Replaced, shown(), &after(first));
        if matches!(reason, Reason::ImageMayChange | Reason::EnvironmentMayChange) {
            for node in [create, stop, removed, renamed] {
                self.builder.uncertain(node);
            }
        }
        Some(Replica { reference, name, number: *number, found: None, ready: vec![renamed] })
    }

    fn create(&mut self, service: &'a Service, number: u32, mut first: Vec<NodeId>) -> Option<Replica<'a>> {
        let (mut spec, late) = self.spec(service, number, Inherited::default())?;
        spec.labels.insert(labels::REASON.to_owned(), text::without_values(&Reason::Missing));
        let name = spec.name.clone();
        let target = ResourceId::Container(name.clone());
        first.extend(self.needs(service));
        let op = Op::CreateContainer { spec: Box::new(spec), late };
        let shown = Shown::new(&target, "Creating", "Created");
        let node = self.builder.add(op, target, Reason::Missing, shown, &after(first));
        if self.images_change.contains(&service.name) {
            self.builder.uncertain(node);
        }
        Some(Replica { reference: ContainerRef::CreatedBy(node), name, number, found: None, ready: vec![node] })
    }

    /// The stops of containers that must not run while what they depend on is made anew.
    fn dependents_stopped(&self, service: &Service) -> Vec<NodeId> {
        let dependents = self
            .project
            .services
            .values()
            .filter(|other| other.depends_on.get(&service.name).is_some_and(|dependency| dependency.restart));
        let kept = dependents.filter_map(|other| self.decided.get(&other.name)).flat_map(|decided| &decided.kept);
        kept.filter_map(|kept| self.stopped.get(&kept.container.id).copied()).collect()
    }

    /// Networks, volumes and containers that must be there before a container of the service can be made.
    fn needs(&self, service: &Service) -> Vec<NodeId> {
        let networks = service.networks.keys().filter_map(|key| self.infra.networks.get(key)?.create);
        let volumes = service.volumes.iter().filter(|mount| mount.kind == "volume");
        let volumes = volumes.filter_map(|mount| self.infra.volumes.get(mount.source.as_deref()?).copied());
        let parents = decide::shared_with(service)
            .filter_map(|parent| self.replicas.get(&parent)?.first().map(|replica| replica.ready.clone()))
            .flatten();
        let removed = self.infra.removed.values().copied();
        let answers = self.outside.asked.get(&service.name).into_iter().flatten().copied();
        networks.chain(volumes).chain(parents).chain(removed).chain(answers).collect()
    }

    fn image_volumes(&self, service: &Service) -> Vec<String> {
        let image = self.snapshot.images.get(&self.project.image_of(service));
        image.map(|image| image.volumes.clone()).unwrap_or_default()
    }

    /// The container that is wanted and what of it hangs on others; `None` when a blocker says why there is none.
    fn spec(
        &mut self,
        service: &'a Service,
        number: u32,
        inherited: Inherited<'_>,
    ) -> Option<(ContainerSpec, Vec<Late>)> {
        let image = self.snapshot.images.get(&self.project.image_of(service));
        let image_id = image.map(|image| image.id.as_str());
        let proxies = &self.options.proxies;
        let wanted = Wanted { project: self.project, service, number, image_id, proxies, inherited };
        let mut spec = match container::spec(wanted) {
            Ok(spec) => spec,
            Err(message) => {
                self.block(service, message);
                return None;
            }
        };
        let mut late = Vec::new();
        let mut missing = None;
        let mut reference = |name: &ServiceName, what: &str| {
            let first = self.replicas.get(name).and_then(|replicas| replicas.first());
            if first.is_none() {
                missing = Some(format!("cannot share {what} with service {name}: container missing"));
            }
            first.map(|replica| replica.reference.clone())
        };
        for (mode, what) in [
            (&service.network_mode, "network namespace"),
            (&service.ipc, "IPC namespace"),
            (&service.pid, "PID namespace"),
        ] {
            let Some(parent) = mode.as_deref().and_then(|mode| mode.strip_prefix("service:")) else { continue };
            if let Some(reference) = reference(&ServiceName::from(parent), what) {
                late.push(match what {
                    "network namespace" => Late::NetworkMode(reference),
                    "IPC namespace" => Late::IpcMode(reference),
                    _ => Late::PidMode(reference),
                });
            }
        }
        for parent in decide::volumes_from(service) {
            late.extend(reference(&parent, "volume").map(Late::VolumesFrom));
        }
        let hashed = hash::service_parts(&fields::hashed(self.project, service));
        let parts: Vec<HashPart> = hashed
            .clone()
            .into_iter()
            .filter_map(|part| match part {
                hash::HashPart::Text(text) => Some(HashPart::Text(text)),
                hash::HashPart::ContainerOf(name) => reference(&name, "namespace").map(HashPart::IdOf),
            })
            .collect();
        if let Some(message) = missing {
            self.block(service, message);
            return None;
        }
        if hashed.iter().all(|part| matches!(part, hash::HashPart::Text(_))) {
            spec.labels.insert(labels::CONFIG_HASH.to_owned(), hash::fill(&hashed, &|_| None));
        } else {
            late.push(Late::LabelSha256 { key: labels::CONFIG_HASH.to_owned(), parts });
        }
        spec.labels.insert(labels::FIELDS.to_owned(), fields::label(self.project, service, spec.name.as_str()));
        Some((spec, late))
    }

    /// Rules for contents that cannot be understood.
    fn contents(&mut self) {
        for service in self.project.services.values() {
            for message in content::watched(service).1 {
                let place = self.project.place(&["services", service.name.as_str(), content::KEY]);
                let message = format!("service `{}`: {message}", service.name);
                self.builder.block(Blocker { message, hint: None, place });
            }
        }
    }

    fn block(&mut self, service: &Service, message: String) {
        let place = self.project.place(&["services", service.name.as_str()]);
        self.builder.block(Blocker { message, hint: None, place });
    }

    /// What no version of compose does is said before anything is touched, instead of being left out silently.
    fn unsupported(&mut self) {
        for service in self.project.services.values() {
            if service.pre_start.iter().any(|step| step.per_replica == Some(true)) {
                let message = format!("service `{}`: pre_start steps can not run per_replica yet", service.name);
                self.block(service, message);
            }
        }
    }

    /// Runs the `pre_start` steps of a service whose replicas are all down; what their starts wait for then.
    fn pre_start(&mut self, service: &'a Service, replicas: &[Replica<'a>], first: Vec<Edge>) -> Vec<Edge> {
        let left = hooks::remove_leftovers(&mut self.builder, self.snapshot, &service.name);
        let is_up = |replica: &Replica<'_>| self.stays_up(replica);
        let Some(lowest) = replicas.first().filter(|_| !replicas.iter().any(is_up)) else { return first };
        let mut first = first;
        first.extend(after(left.into_iter().chain(lowest.ready.iter().copied())));
        let steps = hooks::steps(self.project, service);
        let parents = &self.replicas;
        let network = |name: &ServiceName| Some(parents.get(name)?.first()?.reference.clone());
        hooks::plan(&mut self.builder, &service.name, &steps, &lowest.reference, network, &first)
    }

    fn stays_up(&self, replica: &Replica<'_>) -> bool {
        replica.found.is_some_and(|found| {
            matches!(found.state, ContainerState::Running | ContainerState::Restarting)
                && !self.stopped.contains_key(&found.id)
        })
    }

    fn orphans(&mut self) {
        let project = self.project;
        let known =
            |service: &str| project.services.contains_key(service) || project.disabled_services.contains_key(service);
        let orphans = decide::orphans(self.snapshot, known, &self.infra.removed);
        if orphans.is_empty() || self.options.ignore_orphans {
            return;
        }
        if self.options.remove_orphans {
            for orphan in orphans {
                self.remove(orphan, Reason::Orphan);
            }
            return;
        }
        // Those that other files of the same project made are told apart: they may be wanted.
        let mut own = Vec::new();
        let mut others: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for orphan in orphans {
            let files = orphan.label(labels::CONFIG_FILES).unwrap_or_default();
            let is_other =
                !files.is_empty() && files.split(',').all(|file| !project.config_files.iter().any(|own| own == file));
            if is_other {
                others.entry(files).or_default().push(orphan.name.as_str());
            } else {
                own.push(orphan.name.as_str());
            }
        }
        if !own.is_empty() {
            self.builder.warn(format!(
                "Found orphan containers ([{}]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.",
                own.join(" ")
            ));
        }
        for (files, names) in others {
            self.builder.warn(format!(
                "Found orphan containers ([{}]) for this project that come from {files}. If both belong together, give all files with -f; else give this project a name of its own with -p, or remove them with --remove-orphans.",
                names.join(" ")
            ));
        }
    }

    /// Starts what does not run, after what it depends on.
    fn start(&mut self, name: &'a ServiceName) {
        let (Some(service), Some(replicas)) = (self.service(name), self.replicas.get(name).cloned()) else { return };
        let dependencies = self.dependencies(service);
        let dependencies = self.pre_start(service, &replicas, dependencies);
        let uploads = match mounts::uploads(self.project, service) {
            Ok(uploads) => uploads,
            Err(message) => return self.block(service, message),
        };
        let mut started = Vec::new();
        for replica in replicas {
            if self.stays_up(&replica) {
                // Nothing waits for a container that runs, but what was waited for is waited for all the same.
                started.extend(replica.ready.iter().copied());
                started.extend(self.content_changed(service, &replica));
                continue;
            }
            if let Some(paused) = replica.found.and_then(|found| preflight::paused(found, &service.name)) {
                self.builder.block(paused);
                continue;
            }
            self.publishing.push((service, replica.name.clone()));
            let target = ResourceId::Container(replica.name.clone());
            let reason = match replica.found {
                Some(found) if found.state == ContainerState::Exited => {
                    Reason::RunsAgain { exit_code: found.exit_code.unwrap_or(0) }
                }
                _ => Reason::NotRunning,
            };
            let mut first = dependencies.clone();
            first.extend(after(replica.ready.iter().copied()));
            if !uploads.is_empty() {
                let op = Op::CopyInto { container: replica.reference.clone(), files: uploads.clone() };
                let shown = Shown::hidden(&target);
                let ready = after(replica.ready.iter().copied());
                let copied = self.builder.add(op, target.clone(), reason.clone(), shown, &ready);
                first.extend(after([copied]));
            }
            let op = Op::StartContainer { container: replica.reference.clone() };
            let shown = Shown::new(&target, "Starting", "Started");
            let mut last = self.builder.add(op, target.clone(), reason.clone(), shown, &first);
            for hook in &service.post_start {
                let op = super::control::hook_op(&replica.reference, &service.name, hook);
                last = self.builder.add(op, target.clone(), Reason::Asked, Shown::hidden(&target), &after([last]));
            }
            started.push(last);
        }
        self.started.insert(&service.name, started);
    }

    /// The container for one command, made once what its service depends on is there.
    fn one_off(&mut self, wanted: &OneOff) {
        let project = self.project;
        let Some(service) = project.services.get(&wanted.service) else { return };
        let uploads = match mounts::uploads(project, service) {
            Ok(uploads) => uploads,
            Err(message) => return self.block(service, message),
        };
        let target = ResourceId::Container(wanted.name.clone());
        let found = self
            .snapshot
            .containers
            .iter()
            .find(|container| container.label(labels::SLUG).is_some_and(|slug| slug == wanted.slug));
        let mut ready = Vec::new();
        let reference = match found {
            Some(found) => ContainerRef::Existing(found.id.clone()),
            None => {
                let Some((mut spec, late)) = self.spec(service, 1, Inherited::default()) else { return };
                wanted.adapt(&mut spec);
                let mut first = after(self.needs(service));
                first.extend(self.dependencies(service));
                let op = Op::CreateContainer { spec: Box::new(spec), late };
                let shown = wanted.shown("Creating", "Created");
                let node = self.builder.add(op, target.clone(), Reason::Asked, shown, &first);
                ready = vec![node];
                ContainerRef::CreatedBy(node)
            }
        };
        self.publishing.push((service, wanted.name.clone()));
        if !uploads.is_empty() {
            let op = Op::CopyInto { container: reference.clone(), files: uploads };
            let shown = Shown::hidden(&target);
            ready = vec![self.builder.add(op, target.clone(), Reason::Asked, shown, &after(ready))];
        }
        if wanted.start {
            let shown = wanted.shown("Starting", "Started");
            one_off::start(&mut self.builder, &reference, shown, &target, service, &after(ready));
        }
    }

    /// What `x-on-change` asks for when a file of a container that stays has another content.
    fn content_changed(&mut self, service: &'a Service, replica: &Replica<'a>) -> Option<NodeId> {
        let contents = self.options.contents.as_ref()?;
        let (answer, reason) = content::changed(self.project, service, self.snapshot, contents, replica.found?, true)?;
        let target = ResourceId::Container(replica.name.clone());
        let container = replica.reference.clone();
        let ready = after(replica.ready.iter().copied());
        let (op, shown) = match answer {
            Answer::Signal(signal) => {
                let shown = Shown::new(&target, "Signalling", "Signalled");
                (Op::SignalContainer { container, signal }, shown)
            }
            // One that stays because of `--no-recreate` is asked for the others.
            Answer::Recreate => return None,
            Answer::Restart => {
                let shown = Shown::new(&target, "Restarting", "Restarted");
                (Op::RestartContainer { container, grace: self.options.grace }, shown)
            }
        };
        let restarts = matches!(op, Op::RestartContainer { .. });
        let mut last = self.builder.add(op, target.clone(), reason, shown, &ready);
        for hook in service.post_start.iter().filter(|_| restarts) {
            let op = super::control::hook_op(&replica.reference, &service.name, hook);
            last = self.builder.add(op, target.clone(), Reason::Asked, Shown::hidden(&target), &after([last]));
        }
        Some(last)
    }

    /// What a start of the service waits for.
    fn dependencies(&mut self, service: &'a Service) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (name, dependency) in &service.depends_on {
            let Some(other) = self.service(name) else { continue };
            if other.provider.is_some() || !self.replicas.contains_key(name) {
                continue;
            }
            let nodes = match dependency.condition {
                DependencyCondition::Started => self.started.get(name).cloned().unwrap_or_default(),
                DependencyCondition::Healthy => self.await_all(&other.name, Until::Healthy),
                DependencyCondition::CompletedSuccessfully => self.await_all(&other.name, Until::CompletedSuccessfully),
            };
            if dependency.required {
                for node in &nodes {
                    self.builder.edit(*node, |node| {
                        if matches!(node.op, Op::Await { .. }) {
                            node.optional = false;
                        }
                    });
                }
                edges.extend(after(nodes));
            } else {
                edges.extend(settled(nodes));
            }
        }
        edges
    }

    /// Waits for all containers of a service; planned once for all dependents. It counts as optional until somebody
    /// requires it.
    fn await_all(&mut self, name: &'a ServiceName, until: Until) -> Vec<NodeId> {
        if let Some(known) = self.awaited.get(&(name, until)) {
            return known.clone();
        }
        let started = after(self.started.get(name).cloned().unwrap_or_default());
        let replicas = self.replicas.get(name).cloned().unwrap_or_default();
        let mut nodes = Vec::with_capacity(replicas.len());
        for replica in replicas {
            let target = ResourceId::Container(replica.name.clone());
            let op = Op::Await {
                container: replica.reference,
                service: name.clone(),
                until,
                timeout: self.options.wait_timeout,
            };
            let done = if until == Until::CompletedSuccessfully { "Exited" } else { "Healthy" };
            let reason = Reason::NeededBy { service: name.clone() };
            let node = self.builder.add(op, target.clone(), reason, Shown::new(&target, "Waiting", done), &started);
            self.builder.optional(node);
            nodes.push(node);
        }
        self.awaited.insert((name, until), nodes.clone());
        nodes
    }

    /// `--wait`: everything runs or is healthy in the end; what others wait for to complete must have completed.
    fn wait(&mut self, order: &[&'a ServiceName]) {
        let completes: BTreeSet<&ServiceName> = self
            .project
            .services
            .values()
            .flat_map(|service| &service.depends_on)
            .filter(|(_, dependency)| dependency.condition == DependencyCondition::CompletedSuccessfully)
            .map(|(name, _)| name)
            .collect();
        for name in order {
            let until = if completes.contains(name) { Until::CompletedSuccessfully } else { Until::RunningOrHealthy };
            for node in self.await_all(name, until) {
                self.builder.edit(node, |node| {
                    node.optional = false;
                    node.reason = Reason::Asked;
                });
            }
        }
    }
}
