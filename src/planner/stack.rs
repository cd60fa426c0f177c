//! The services of a project as far as stopping, starting and removing need them: from the files, or from the labels
//! of what is running when there are no files.

use std::collections::BTreeMap;

use crate::names::{NetworkName, ProjectName, ServiceName, VolumeName};
use crate::planner::hooks::{self, Step};
use crate::planner::mounts;
use crate::resource::{FileUpload, Snapshot};
use crate::spec::model::{Dependency, Hook, Project, Provider};

/// A project without what only creating needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stack {
    /// Its name.
    pub name: ProjectName,
    /// Its services, those hidden by profiles left out.
    pub services: BTreeMap<ServiceName, StackService>,
    /// Services that are in the files but hidden now; their containers are no orphans.
    pub hidden: Vec<ServiceName>,
    /// Its networks that are not external.
    pub networks: Vec<NetworkName>,
    /// Its volumes that are not external.
    pub volumes: Vec<VolumeName>,
    /// Whether it was made from labels, so that nothing in it counts as an orphan.
    pub from_labels: bool,
}

/// A service of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StackService {
    /// What must be there before it, and what goes after it.
    pub depends_on: BTreeMap<ServiceName, Dependency>,
    /// The image it runs; empty when it is made from labels, and for what a provider provides.
    pub image: String,
    /// Whether the image is built here and has no name of its own.
    pub local_image: bool,
    /// What is put into its containers before each start.
    pub uploads: Vec<FileUpload>,
    /// Before the first start.
    pub pre_start: Vec<Step>,
    /// After each start.
    pub post_start: Vec<Hook>,
    /// Before each stop.
    pub pre_stop: Vec<Hook>,
    /// Who provides it in place of containers.
    pub provider: Option<Provider>,
}

impl Stack {
    /// From the files.
    pub fn of_project(project: &Project) -> Self {
        Self {
            name: project.name.clone(),
            services: project
                .services
                .iter()
                .map(|(name, service)| {
                    let of_stack = StackService {
                        depends_on: service.depends_on.clone(),
                        image: if service.provider.is_none() { project.image_of(service) } else { String::new() },
                        local_image: service.image.is_none(),
                        // A variable that is missing is told by `up`; what was put there before stays.
                        uploads: mounts::uploads(project, service).unwrap_or_default(),
                        pre_start: hooks::steps(project, service),
                        post_start: service.post_start.clone(),
                        pre_stop: service.pre_stop.clone(),
                        provider: service.provider.clone(),
                    };
                    (name.clone(), of_stack)
                })
                .collect(),
            hidden: project.disabled_services.keys().cloned().collect(),
            networks: project
                .networks
                .values()
                .filter(|net| !net.external)
                .map(|net| net.name.clone().into())
                .collect(),
            volumes: project.volumes.values().filter(|vol| !vol.external).map(|vol| vol.name.clone().into()).collect(),
            from_labels: false,
        }
    }

    /// From what was found. Conditions are kept, but every dependency is optional: the files that would say more are
    /// not there.
    pub fn of_labels(name: ProjectName, snapshot: &Snapshot) -> Self {
        let mut services: BTreeMap<ServiceName, StackService> = BTreeMap::new();
        for container in snapshot.containers.iter().filter(|container| !container.service().is_empty()) {
            let service = services.entry(container.service().into()).or_default();
            let Some(depends_on) = container.label(crate::labels::DEPENDS_ON) else { continue };
            service.depends_on.extend(depends_on.split(',').filter_map(parse_dependency));
        }
        Self {
            services,
            networks: snapshot.networks.iter().map(|network| network.name.clone()).collect(),
            volumes: snapshot.volumes.iter().map(|volume| volume.name.clone()).collect(),
            hidden: Vec::new(),
            from_labels: true,
            name,
        }
    }
}

fn parse_dependency(text: &str) -> Option<(ServiceName, Dependency)> {
    use crate::spec::model::DependencyCondition as Condition;
    let mut parts = text.split(':');
    let name = parts.next().filter(|name| !name.is_empty())?;
    let condition = match parts.next() {
        Some("service_healthy") => Condition::Healthy,
        Some("service_completed_successfully") => Condition::CompletedSuccessfully,
        _ => Condition::Started,
    };
    let restart = parts.next() == Some("true");
    Some((name.into(), Dependency { condition, restart, required: false, ..Dependency::default() }))
}
