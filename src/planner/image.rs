//! Which images must be pulled or built before containers can be made.

use std::collections::{BTreeMap, BTreeSet};

use crate::labels;
use crate::names::ServiceName;
use crate::planner::builder::{PlanBuilder, after};
use crate::planner::container;
use crate::planner::goal::{BuildOptions, UpOptions};
use crate::planner::plan::{NodeId, Op, Reason, Shown};
use crate::resource::{
    BuildContext, BuildExtras, BuildRequest, BuildSecret, BuildSecretSource, Dockerfile, ImageDetails, ResourceId,
    Snapshot,
};
use crate::spec::model::{self, Build, Project, Service};

/// What has to happen to the image of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is there, or its absence is the engine's to tell.
    Nothing,
    /// Pull it; when it can also be built, a failure is only told.
    Pull {
        /// Why.
        reason: Reason,
        /// Whether a failure is only told.
        optional: bool,
    },
    /// Build it.
    Build {
        /// Why.
        reason: Reason,
    },
}

/// Decides for one service; `found` is its local image.
pub(super) fn step(project: &Project, service: &Service, found: Option<&ImageDetails>, options: &UpOptions) -> Step {
    if service.provider.is_some() {
        return Step::Nothing;
    }
    let reference = project.image_of(service);
    let builds = service.build.is_some() && !options.no_build;
    let policy = match (&options.pull, service.build.is_some() && options.build) {
        (_, true) => "build",
        (Some(policy), false) => policy.as_str(),
        (None, false) => service.pull_policy.as_deref().unwrap_or("missing"),
    };
    if options.built.contains(&reference) {
        return Step::Nothing;
    }
    let pulled = options.pulled.contains(&reference);
    let build = |reason| if builds { Step::Build { reason } } else { Step::Nothing };
    if policy == "build" {
        return build(Reason::PullPolicy { policy: policy.to_owned() });
    }
    if service.build.is_some() && service.image.is_none() {
        return if found.is_some() { Step::Nothing } else { build(Reason::Missing) };
    }
    let outdated = found.is_some_and(|image| is_outdated(policy, image, options.now));
    let wants_pull = match (policy, found) {
        ("never", _) => false,
        ("always", _) | (_, None) => true,
        (_, Some(_)) => outdated,
    };
    let reason = if found.is_some() || policy == "always" {
        Reason::PullPolicy { policy: policy.to_owned() }
    } else {
        Reason::Missing
    };
    match (wants_pull && !pulled, found) {
        (true, _) => Step::Pull { reason, optional: builds },
        (false, None) => build(Reason::Missing),
        (false, Some(_)) => Step::Nothing,
    }
}

/// `daily`, `weekly`, `every_<duration>`: whether the image was tagged longer ago than that.
fn is_outdated(policy: &str, image: &ImageDetails, now: i64) -> bool {
    let limit = match policy {
        "daily" => Some(86_400),
        "weekly" => Some(7 * 86_400),
        other => other.strip_prefix("every_").and_then(seconds),
    };
    let (Some(limit), Ok(tagged)) = (limit, image.last_tagged.parse::<jiff::Timestamp>()) else { return false };
    now - tagged.as_second() > limit
}

/// Sum of `N` with unit `w d h m s`.
fn seconds(text: &str) -> Option<i64> {
    let mut total = 0i64;
    let mut number = 0i64;
    for character in text.chars() {
        if let Some(digit) = character.to_digit(10) {
            number = number.checked_mul(10)?.checked_add(i64::from(digit))?;
            continue;
        }
        let unit = match character {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        number = 0;
    }
    (number == 0).then_some(total)
}

/// Plans the pulls and builds that services need, each image once; gives the services whose image may be another one
/// afterwards.
pub(super) fn plan(
    builder: &mut PlanBuilder,
    project: &Project,
    snapshot: &Snapshot,
    options: &UpOptions,
) -> BTreeSet<ServiceName> {
    let mut touched = BTreeSet::new();
    let mut nodes: BTreeMap<String, NodeId> = BTreeMap::new();
    let mut builds: Vec<(&Service, Reason)> = Vec::new();
    for service in project.services.values() {
        let reference = project.image_of(service);
        match step(project, service, snapshot.images.get(&reference), options) {
            Step::Nothing => continue,
            Step::Build { reason } => builds.push((service, reason)),
            Step::Pull { reason, optional } => {
                let known = nodes.get(&reference).copied();
                let node = known.unwrap_or_else(|| {
                    let node = pull_node(builder, project, service, reason);
                    nodes.insert(reference, node);
                    node
                });
                // One service that can build the image is enough to make its pull optional.
                if optional {
                    builder.optional(node);
                }
            }
        }
        touched.insert(service.name.clone());
    }
    for service in project.services.values() {
        for (reference, policy) in further(project, service) {
            let policy = options.pull.as_deref().filter(|_| policy.is_some()).or(policy).unwrap_or("missing");
            let is_there = snapshot.images.contains_key(&reference);
            let wanted = policy == "always" || (policy != "never" && !is_there);
            if !wanted || options.pulled.contains(&reference) || nodes.contains_key(&reference) {
                continue;
            }
            let target = ResourceId::Image(reference.clone());
            let shown = Shown::new(&target, "Pulling", "Pulled");
            let reason = if is_there { Reason::PullPolicy { policy: policy.to_owned() } } else { Reason::Missing };
            let op = Op::PullImage { reference: reference.clone(), platform: None };
            nodes.insert(reference, builder.add(op, target, reason, shown, &[]));
        }
    }
    let build_options = BuildOptions { proxies: options.proxies.clone(), ..BuildOptions::default() };
    let mut builds = with_bases(project, builds);
    builds.retain(|(service, _)| !options.built.contains(&project.image_of(service)));
    touched.extend(
        builds.iter().map(|(service, _)| service.name.clone()).filter(|name| project.services.contains_key(name)),
    );
    build_nodes(builder, project, &builds, &build_options);
    touched
}

/// The images that a service takes beside its own: those of its `pre_start` steps, which follow its pull policy, and
/// those it mounts, which do not.
pub(super) fn further<'a>(project: &Project, service: &'a Service) -> Vec<(String, Option<&'a str>)> {
    let policy = service.pull_policy.as_deref().filter(|policy| *policy != "build").unwrap_or("missing");
    let steps = service.pre_start.iter().filter_map(|step| step.image.clone()).map(|image| (image, Some(policy)));
    let mounted = service.volumes.iter().filter(|mount| mount.kind == "image").filter_map(|mount| {
        let source = mount.source.clone()?;
        (!project.services.contains_key(source.as_str())).then_some((source, None))
    });
    steps.chain(mounted).filter(|(image, _)| *image != project.image_of(service)).collect()
}

/// Plans one pull.
pub(super) fn pull_node(builder: &mut PlanBuilder, project: &Project, service: &Service, reason: Reason) -> NodeId {
    let reference = project.image_of(service);
    let target = ResourceId::Image(reference.clone());
    let shown = Shown::new(&target, "Pulling", "Pulled");
    let platform = container::platform(project, service);
    builder.add(Op::PullImage { reference, platform }, target, reason, shown, &[])
}

/// Plans builds, those that others take a stage from first. What several services build alike under one name is built
/// once.
pub(super) fn build_nodes(
    builder: &mut PlanBuilder,
    project: &Project,
    services: &[(&Service, Reason)],
    options: &BuildOptions,
) -> BTreeMap<ServiceName, NodeId> {
    let wanted: BTreeMap<&ServiceName, &(&Service, Reason)> =
        services.iter().map(|entry| (&entry.0.name, entry)).collect();
    let bases: BTreeMap<ServiceName, BTreeMap<ServiceName, model::Dependency>> = wanted
        .values()
        .map(|(service, _)| {
            let on = service_contexts(service).map(|name| (name, model::Dependency::default())).collect();
            (service.name.clone(), on)
        })
        .collect();
    let mut nodes: BTreeMap<ServiceName, NodeId> = BTreeMap::new();
    let mut by_name: BTreeMap<String, Vec<(BuildRequest, NodeId, &ServiceName)>> = BTreeMap::new();
    for name in super::order::dependencies_first(&bases) {
        let Some((service, reason)) = wanted.get(name) else { continue };
        let Some(build) = &service.build else { continue };
        let mut request = request(project, service, build, options);
        request.extras.push = pushes_itself(service, &request, options);
        let reference = project.image_of(service);
        let same_name = by_name.entry(reference.clone()).or_default();
        let anonymous = BuildRequest { labels: without_service(&request.labels), ..request.clone() };
        if let Some((_, node, _)) = same_name.iter().find(|(other, ..)| *other == anonymous) {
            nodes.insert(service.name.clone(), *node);
            continue;
        }
        if let Some((_, _, other)) = same_name.last() {
            builder.warn(format!(
                "services {other} and {} build different images under one name, {reference}: the latter stays",
                service.name
            ));
        }
        let target = ResourceId::Image(reference);
        let shown = Shown::new(&target, "Building", "Built");
        let bases = service_contexts(service).filter_map(|base| nodes.get(&base).copied());
        let first = after(bases.chain(same_name.last().map(|(_, node, _)| *node)));
        let op = Op::BuildImage { request: Box::new(request) };
        let node = builder.add(op, target, reason.clone(), shown, &first);
        same_name.push((anonymous, node, &service.name));
        nodes.insert(service.name.clone(), node);
    }
    nodes
}

/// What tells apart builds that are alike but for the service they are for.
fn without_service(labels: &model::Texts) -> model::Texts {
    labels.iter().filter(|(key, _)| *key != labels::SERVICE).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// These services and those whose images they build upon, which may be outside of what was chosen.
pub(super) fn with_bases<'a>(project: &'a Project, services: Vec<(&'a Service, Reason)>) -> Vec<(&'a Service, Reason)> {
    let mut all = services;
    let mut known: BTreeSet<&ServiceName> = all.iter().map(|(service, _)| &service.name).collect();
    let mut next = 0;
    while let Some((service, reason)) = all.get(next) {
        let (service, reason) = (*service, reason.clone());
        next += 1;
        for name in service_contexts(service) {
            let base = project.services.get(&name).or_else(|| project.disabled_services.get(&name));
            if let Some(base) = base.filter(|base| base.build.is_some())
                && known.insert(&base.name)
            {
                all.push((base, reason.clone()));
            }
        }
    }
    all
}

fn service_contexts(service: &Service) -> impl Iterator<Item = ServiceName> {
    let contexts = service.build.iter().flat_map(|build| build.additional_contexts.values());
    contexts.filter_map(|context| context.strip_prefix("service:")).map(ServiceName::from)
}

/// `default`, or `ID=PATH`.
fn ssh_key(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((id, path)) => (id.to_owned(), Some(path.to_owned()).filter(|path| !path.is_empty())),
        None if text.is_empty() => ("default".to_owned(), None),
        None => (text.to_owned(), None),
    }
}

fn extras(build: &Build, options: &BuildOptions) -> BuildExtras {
    let attest = |kind: &str, flag: &Option<String>, written: &Option<String>| match flag
        .as_deref()
        .or(written.as_deref())
        .unwrap_or("false")
    {
        "false" | "" => None,
        "true" => Some(format!("type={kind}")),
        value => Some(format!("type={kind},{value}")),
    };
    let provenance = attest("provenance", &options.provenance, &build.provenance);
    let sbom = attest("sbom", &options.sbom, &build.sbom);
    BuildExtras {
        cache_to: build.cache_to.clone(),
        entitlements: build.entitlements.clone(),
        platforms: if options.all_platforms { build.platforms.clone() } else { Vec::new() },
        no_cache_filter: build.no_cache_filter.clone(),
        attest: provenance.into_iter().chain(sbom).collect(),
        builder: options.builder.clone(),
        push: false,
    }
}

/// Whether a build uploads the image itself: what another builder makes, or for several platforms, is not in the engine.
fn pushes_itself(service: &Service, request: &BuildRequest, options: &BuildOptions) -> bool {
    options.push && service.image.is_some() && (request.extras.builder.is_some() || request.extras.platforms.len() > 1)
}

fn request(project: &Project, service: &Service, build: &Build, options: &BuildOptions) -> BuildRequest {
    let context = build.context.as_deref().unwrap_or(".");
    let is_remote = ["://", "git@", "github.com/"]
        .iter()
        .any(|mark| if *mark == "://" { context.contains(mark) } else { context.starts_with(mark) });
    let dockerfile = match (&build.dockerfile_inline, &build.dockerfile) {
        (Some(text), _) => Dockerfile::Inline(text.clone()),
        (None, path) => Dockerfile::Path(path.clone().unwrap_or_else(|| "Dockerfile".to_owned())),
    };
    let mut tags = vec![project.image_of(service)];
    tags.extend(build.tags.iter().cloned());
    let mut args: model::Texts =
        build.args.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect();
    for argument in &options.args {
        let value = match argument.split_once('=') {
            Some((key, value)) => Some((key, value.to_owned())),
            None => project.variable(argument).map(|value| (argument.as_str(), value.to_owned())),
        };
        if let Some((key, value)) = value {
            args.insert(key.to_owned(), value);
        }
    }
    for (key, value) in options.proxies.iter().filter(|(key, _)| !build.args.contains_key(*key)) {
        args.entry(key.clone()).or_insert_with(|| value.clone());
    }
    let mut image_labels = build.labels.clone();
    image_labels.insert(labels::PROJECT.to_owned(), project.name.to_string());
    image_labels.insert(labels::SERVICE.to_owned(), service.name.to_string());
    image_labels.insert(labels::VERSION.to_owned(), labels::COMPATIBLE_VERSION.to_owned());
    let contexts = build.additional_contexts.iter().map(|(name, context)| {
        let context = match context
            .strip_prefix("service:")
            .and_then(|other| project.services.get(other).or_else(|| project.disabled_services.get(other)))
        {
            Some(other) => format!("docker-image://{}", project.image_of(other)),
            None => context.clone(),
        };
        (name.clone(), context)
    });
    let secrets = build.secrets.iter().map(|secret| {
        let known = project.secrets.get(&secret.source);
        let variable = known.and_then(|known| known.environment.as_deref());
        let file = known.and_then(|known| known.file.as_deref());
        BuildSecret {
            id: secret.target.clone().unwrap_or_else(|| secret.source.clone()),
            content: variable.and_then(|name| project.variable(name)).unwrap_or_default().as_bytes().to_vec(),
            source: match (variable, file) {
                (None, Some(file)) => BuildSecretSource::File(file.into()),
                (name, _) => BuildSecretSource::Variable(name.unwrap_or_default().to_owned()),
            },
        }
    });
    BuildRequest {
        context: if is_remote {
            BuildContext::Remote(context.to_owned())
        } else {
            BuildContext::Directory(context.into())
        },
        dockerfile,
        tags,
        args,
        labels: image_labels,
        target: build.target.clone(),
        no_cache: build.no_cache || options.no_cache,
        pull: build.pull || options.pull,
        cache_from: build.cache_from.clone(),
        network: build.network.clone(),
        extra_hosts: build
            .extra_hosts
            .iter()
            .flat_map(|(host, ips)| ips.iter().map(move |ip| format!("{host}:{ip}")))
            .collect(),
        shm_size: build.shm_size.map(|size| size.0),
        ulimits: build.ulimits.iter().map(|(name, limit)| container::ulimit(name, *limit)).collect(),
        platform: container::platform(project, service).or_else(|| match build.platforms.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }),
        memory: options.memory,
        isolation: build.isolation.clone(),
        secrets: secrets.collect(),
        // `default` without a path is the user's agent.
        ssh: build
            .ssh
            .iter()
            .cloned()
            .chain(options.ssh.iter().map(|key| ssh_key(key)))
            .map(|(id, path)| {
                let agent = || project.variable("SSH_AUTH_SOCK").filter(|_| id == "default").map(str::to_owned);
                let path = path.or_else(agent);
                (id, path)
            })
            .collect(),
        additional_contexts: contexts.collect(),
        privileged: build.privileged,
        extras: extras(build, options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_of_pull_policies() {
        for (text, expected) in
            [("1h", Some(3600)), ("1d12h", Some(129_600)), ("90", None), ("", Some(0)), ("5x", None)]
        {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
