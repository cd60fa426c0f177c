//! Attributes of a service that exclude each other or say different things about the same.

use crate::diagnostics::Diagnostic;
use crate::spec::checks::place;
use crate::spec::codes;
use crate::spec::model::{ByteSize, Project, ResourceSpec, Service};

pub(super) fn check(project: &Project, findings: &mut Vec<Diagnostic>) {
    for service in project.services.values() {
        build(project, service, findings);
        networks(project, service, findings);
        counts(project, service, findings);
        limits(project, service, findings);
        watch(project, service, findings);
    }
}

fn at(project: &Project, service: &Service, message: String, path: &[&str]) -> Diagnostic {
    let path = ["services", service.name.as_str()].into_iter().chain(path.iter().copied());
    Diagnostic::error(codes::CONFLICT, message).at(place(project, path), "")
}

fn build(project: &Project, service: &Service, findings: &mut Vec<Diagnostic>) {
    let Some(build) = &service.build else { return };
    if build.dockerfile.is_some() && build.dockerfile_inline.is_some() {
        let message = format!(
            "service \"{}\" declares mutualy exclusive dockerfile and dockerfile_inline: invalid compose project",
            service.name
        );
        findings.push(at(project, service, message, &["build", "dockerfile_inline"]));
    }
    if let Some(platform) = &service.platform
        && !build.platforms.is_empty()
        && !build.platforms.contains(platform)
    {
        let message =
            format!("service.build.platforms MUST include service.platform \"{platform}\": invalid compose project");
        findings.push(at(project, service, message, &["build", "platforms"]));
    }
}

fn networks(project: &Project, service: &Service, findings: &mut Vec<Diagnostic>) {
    if service.network_mode.is_some() && !service.networks.is_empty() {
        let message = format!(
            "service {} declares mutually exclusive `network_mode` and `networks`: invalid compose project",
            service.name
        );
        findings.push(at(project, service, message, &["networks"]).hint("remove one of the two"));
    }
}

fn counts(project: &Project, service: &Service, findings: &mut Vec<Diagnostic>) {
    let replicas = service.deploy.as_ref().and_then(|deploy| deploy.replicas);
    if let (Some(scale), Some(replicas)) = (service.scale, replicas)
        && scale != replicas
    {
        let message = format!(
            "services.{}: can't set distinct values on 'scale' and 'deploy.replicas': invalid compose project",
            service.name
        );
        findings.push(at(project, service, message, &["scale"]));
    }
    for (count, path) in [(service.scale, &["scale"][..]), (replicas, &["deploy", "replicas"])] {
        if count.is_some_and(|count| count < 0) {
            let message = format!("services.{}.{}: must be greater than or equal to 0", service.name, path.join("."));
            findings.push(at(project, service, message, path));
        }
        if service.container_name.is_some() && count.is_some_and(|count| count > 1) {
            let message = format!(
                "services.{}: can't set container_name and {} as container name must be unique: invalid compose project",
                path.join("."),
                service.name
            );
            findings
                .push(at(project, service, message, path).hint("remove `container_name`, or run one container only"));
        }
    }
}

/// The old and the new way to limit must agree; a missing new one counts as 0, as it does in docker compose.
fn limits(project: &Project, service: &Service, findings: &mut Vec<Diagnostic>) {
    let Some(resources) = service.deploy.as_ref().map(|deploy| &deploy.resources) else { return };
    let mut conflict = |own: &str, other: &str| {
        let message = format!(
            "services.{}: can't set distinct values on '{own}' and 'deploy.resources.{other}': invalid compose project",
            service.name
        );
        findings.push(at(project, service, message, &[own]));
    };
    let bytes = |size: Option<ByteSize>| size.unwrap_or_default();
    let differ = |spec: &Option<ResourceSpec>, test: &dyn Fn(&ResourceSpec) -> bool| spec.as_ref().is_some_and(test);
    if let Some(cpus) = service.cpus
        && differ(&resources.limits, &|limits| limits.cpus.unwrap_or_default().to_bits() != cpus.to_bits())
    {
        conflict("cpus", "limits.cpus");
    }
    if let Some(memory) = service.mem_limit
        && differ(&resources.limits, &|limits| bytes(limits.memory) != memory)
    {
        conflict("mem_limit", "limits.memory");
    }
    if let Some(memory) = service.mem_reservation
        && differ(&resources.reservations, &|reservations| bytes(reservations.memory) != memory)
    {
        conflict("mem_reservation", "reservations.memory");
    }
    if let Some(pids) = service.pids_limit
        && differ(&resources.limits, &|limits| limits.pids.unwrap_or_default() != pids)
    {
        conflict("pids_limit", "limits.pids");
    }
}

fn watch(project: &Project, service: &Service, findings: &mut Vec<Diagnostic>) {
    let rules = service.develop.iter().flat_map(|develop| &develop.watch);
    for (number, rule) in rules.enumerate() {
        if rule.target.is_none() && !matches!(rule.action.as_str(), "rebuild" | "restart") {
            let message = format!(
                "services.{}.develop.watch: target is required for non-rebuild actions: invalid compose project",
                service.name
            );
            let number = number.to_string();
            findings.push(at(project, service, message, &["develop", "watch", &number]));
        }
    }
}
