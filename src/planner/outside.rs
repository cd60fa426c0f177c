//! What other programs give before containers can be made: services that a provider provides, and models.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::names::ServiceName;
use crate::planner::builder::{PlanBuilder, after};
use crate::planner::goal::UpOptions;
use crate::planner::order;
use crate::planner::plan::{NodeId, Op, Reason, Shown};
use crate::resource::ResourceId;
use crate::spec::model::{Project, Provider, Service};

/// The programs that have not answered yet.
#[derive(Debug, Default)]
pub(super) struct Outside {
    /// What asks them, by the service that waits for the answer.
    pub(super) asked: BTreeMap<ServiceName, Vec<NodeId>>,
}

impl Outside {
    /// Services whose environment is not known before somebody answered.
    pub(super) fn waiting(&self) -> BTreeSet<ServiceName> {
        self.asked.keys().cloned().collect()
    }
}

/// Plans the questions: models and providers, after the images that are planned already, because what a provider
/// makes may cost money.
pub(super) fn plan(builder: &mut PlanBuilder, project: &Project, options: &UpOptions) -> Outside {
    let first: Vec<NodeId> = (0..builder.next_id().0).map(NodeId).collect();
    let mut outside = Outside::default();
    for (key, model) in project.models.iter().filter(|(key, _)| !options.models.contains_key(*key)) {
        let target = ResourceId::Model(if model.name.is_empty() { key.clone() } else { model.name.clone() });
        let op = Op::ConfigureModel {
            key: key.clone(),
            model: model.model.clone(),
            context_size: model.context_size,
            flags: model.runtime_flags.clone(),
        };
        let shown = Shown::new(&target, "Configuring", "Configured");
        let node = builder.add(op, target, Reason::Asked, shown, &after(first.iter().copied()));
        for service in project.services.values().filter(|service| service.models.contains_key(key)) {
            outside.asked.entry(service.name.clone()).or_default().push(node);
        }
    }
    let mut asked: BTreeMap<&ServiceName, NodeId> = BTreeMap::new();
    for name in order::dependencies_first(project.services.iter().map(|(name, service)| (name, &service.depends_on))) {
        let Some(service) = project.services.get(name) else { continue };
        let Some(provider) = &service.provider else { continue };
        if options.provided.contains_key(name) {
            continue;
        }
        let others = service.depends_on.keys().filter_map(|other| asked.get(other).copied());
        let needs = after(first.iter().copied().chain(others));
        let target = ResourceId::Provider(name.to_string());
        let shown = Shown::new(&target, "Creating", "Created");
        let node = builder.add(op(name, provider, "up"), target, Reason::Asked, shown, &needs);
        asked.insert(&service.name, node);
        for dependent in project.services.values().filter(|other| other.depends_on.contains_key(name)) {
            outside.asked.entry(dependent.name.clone()).or_default().push(node);
        }
    }
    outside
}

/// What is asked of a provider.
pub(super) fn op(service: &ServiceName, provider: &Provider, verb: &str) -> Op {
    let options = provider.options.iter();
    Op::RunProvider {
        service: service.clone(),
        kind: provider.kind.clone(),
        verb: verb.to_owned(),
        options: options.flat_map(|(key, values)| values.iter().map(move |value| format!("--{key}={value}"))).collect(),
    }
}

/// The project with what providers and models answered, as docker compose puts it into the environment of dependents.
pub fn with_answers<'a>(
    project: &'a Project,
    provided: &BTreeMap<ServiceName, Vec<(String, String)>>,
    models: &BTreeMap<String, String>,
) -> Cow<'a, Project> {
    if provided.is_empty() && models.is_empty() {
        return Cow::Borrowed(project);
    }
    let mut project = project.clone();
    for service in project.services.values_mut() {
        for (_, variables) in provided.iter().filter(|(name, _)| service.depends_on.contains_key(*name)) {
            for (key, value) in variables {
                service.environment.insert(key.clone(), Some(value.clone()));
            }
        }
        add_models(service, &project.models, models);
    }
    Cow::Owned(project)
}

fn add_models(
    service: &mut Service,
    known: &BTreeMap<String, crate::spec::model::Model>,
    endpoints: &BTreeMap<String, String>,
) {
    for (key, how) in service.models.clone() {
        let (Some(model), Some(endpoint)) = (known.get(&key), endpoints.get(&key)) else { continue };
        let prefix = key.to_uppercase().replace('-', "_");
        let how = how.unwrap_or_default();
        let name = how.model_var.unwrap_or_else(|| format!("{prefix}_MODEL"));
        let url = how.endpoint_var.unwrap_or_else(|| format!("{prefix}_URL"));
        service.environment.insert(name, Some(model.model.clone()));
        service.environment.insert(url, Some(endpoint.clone()));
    }
}
