//! Which services and resources of a project are wanted.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostics::Diagnostic;
use crate::names::ServiceName;
use crate::spec::codes;
use crate::spec::model::{Project, Service};
use crate::spec::suggest;

/// Disables services that have profiles, none of which is asked for.
pub(in crate::spec) fn profiles(project: &mut Project, asked: &[String]) {
    let inactive = project.services.values().filter(|service| !is_active(service, asked));
    // Services are large: only those that go are moved.
    for name in inactive.map(|service| service.name.clone()).collect::<Vec<_>>() {
        if let Some(service) = project.services.remove(&name) {
            project.disabled_services.insert(name, service);
        }
    }
}

fn is_active(service: &Service, asked: &[String]) -> bool {
    service.profiles.is_empty()
        || asked.iter().any(|profile| profile == "*" || service.profiles.iter().any(|own| own == profile))
}

/// Enables services that are named although their profiles are not asked for, and all others of these profiles.
/// Answers whether all names exist.
pub(in crate::spec) fn enable(project: &mut Project, names: &[String], findings: &mut Vec<Diagnostic>) -> bool {
    let mut good = true;
    for name in names {
        if project.services.contains_key(name.as_str()) {
            continue;
        }
        let Some(service) = project.disabled_services.get(name.as_str()) else {
            let finding = Diagnostic::error(codes::NO_SUCH_SERVICE, format!("no such service: {name}"));
            let known = project.services.keys().chain(project.disabled_services.keys()).map(ServiceName::as_str);
            findings.push(suggest::did_you_mean(finding, name, known));
            good = false;
            continue;
        };
        let asked = service.profiles.clone();
        for profile in &asked {
            if !project.profiles.contains(profile) {
                project.profiles.push(profile.clone());
            }
        }
        let disabled = std::mem::take(&mut project.disabled_services);
        for (name, service) in disabled {
            if is_active(&service, &asked) {
                project.services.insert(name, service);
            } else {
                project.disabled_services.insert(name, service);
            }
        }
    }
    good
}

/// Keeps the named services and what they depend on; all when none is named.
pub(in crate::spec) fn services(project: &mut Project, names: &[String]) {
    project.selected = names.iter().map(|name| ServiceName::from(name.as_str())).collect();
    if names.is_empty() {
        return;
    }
    let mut wanted: BTreeSet<ServiceName> = BTreeSet::new();
    let mut open: Vec<ServiceName> = project.selected.clone();
    while let Some(name) = open.pop() {
        if let Some(service) = project.services.get(&name)
            && wanted.insert(name)
        {
            open.extend(service.depends_on.keys().cloned());
        }
    }
    // Services are large: those that are wanted are moved, and of the others only the map.
    let mut others = std::mem::take(&mut project.services);
    for name in &wanted {
        if let Some(mut service) = others.remove(name) {
            service.depends_on.retain(|dependency, _| wanted.contains(dependency));
            project.services.insert(name.clone(), service);
        }
    }
    project.disabled_services.append(&mut others);
}

/// Drops resources that no service uses.
pub(in crate::spec) fn resources(project: &mut Project) {
    let used = |names: &dyn Fn(&Service) -> Vec<String>| -> BTreeSet<String> {
        project.services.values().flat_map(names).collect()
    };
    let networks = used(&|service| service.networks.keys().map(ToString::to_string).collect());
    let volumes = used(&|service| {
        let volumes = service.volumes.iter().filter(|mount| mount.kind == "volume");
        volumes.filter_map(|mount| mount.source.clone()).collect()
    });
    let secrets = used(&|service| {
        let build = service.build.iter().flat_map(|build| build.secrets.iter().map(|secret| secret.source.clone()));
        service.secrets.iter().map(|secret| secret.source.clone()).chain(build).collect()
    });
    let configs = used(&|service| service.configs.iter().map(|config| config.source.clone()).collect());
    let models = used(&|service| service.models.keys().cloned().collect());
    keep(&mut project.networks, |key| networks.contains(key.as_str()));
    keep(&mut project.volumes, |key| volumes.contains(key.as_str()));
    keep(&mut project.secrets, |key| secrets.contains(key));
    keep(&mut project.configs, |key| configs.contains(key));
    keep(&mut project.models, |key| models.contains(key));
}

fn keep<K: Ord, V>(map: &mut BTreeMap<K, V>, wanted: impl Fn(&K) -> bool) {
    map.retain(|key, _| wanted(key));
}
