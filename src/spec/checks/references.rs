//! Names that services use and nothing has.

use crate::diagnostics::Diagnostic;
use crate::names::ServiceName;
use crate::spec::checks::place;
use crate::spec::codes;
use crate::spec::model::{Project, Service};
use crate::spec::suggest;

pub(super) fn check(project: &Project, findings: &mut Vec<Diagnostic>) {
    secrets(project, findings);
    for service in project.services.values() {
        image(project, service, findings);
        dependencies(project, service, findings);
        resources(project, service, findings);
        build(project, service, findings);
    }
}

/// What a driver would provide is nowhere without Swarm.
fn secrets(project: &Project, findings: &mut Vec<Diagnostic>) {
    for (name, secret) in &project.secrets {
        if !secret.external && secret.file.is_none() && secret.environment.is_none() && secret.content.is_none() {
            let message =
                format!("secret \"{name}\" must declare either `file` or `environment`: invalid compose project");
            let span = place(project, ["secrets", name.as_str()]);
            findings.push(Diagnostic::error(codes::MISSING_KEY, message).at(span, ""));
        }
    }
}

fn image(project: &Project, service: &Service, findings: &mut Vec<Diagnostic>) {
    if service.image.is_none() && service.build.is_none() && service.provider.is_none() {
        let message = format!(
            "service \"{}\" has neither an image nor a build context specified: invalid compose project",
            service.name
        );
        findings.push(
            Diagnostic::error(codes::NO_IMAGE, message)
                .at(place(project, ["services", service.name.as_str()]), "")
                .hint("give it `image:` or `build:`"),
        );
    }
}

fn dependencies(project: &Project, service: &Service, findings: &mut Vec<Diagnostic>) {
    for (name, dependency) in &service.depends_on {
        if project.services.contains_key(name) {
            continue;
        }
        let disabled = project.disabled_services.get(name);
        if disabled.is_some() && !dependency.required {
            continue;
        }
        let message =
            format!("service \"{}\" depends on undefined service \"{name}\": invalid compose project", service.name);
        let span = place(project, ["services", service.name.as_str(), "depends_on", name.as_str()]);
        let finding = Diagnostic::error(codes::UNDEFINED_REFERENCE, message).at(span, "");
        findings.push(match disabled {
            Some(disabled) => finding.hint(format!(
                "\"{name}\" is only there with one of its profiles: {}; write `required: false` if it may be missing",
                disabled.profiles.join(", ")
            )),
            None => suggest::did_you_mean(finding, name.as_str(), names(project)),
        });
    }
    if let Some(name) = service.network_mode.as_deref().and_then(|mode| mode.strip_prefix("service:"))
        && !project.services.contains_key(name)
        && !service.depends_on.contains_key(name)
    {
        let message = format!("service \"{name}\" not found for network_mode 'service:{name}'");
        let span = place(project, ["services", service.name.as_str(), "network_mode"]);
        let finding = Diagnostic::error(codes::UNDEFINED_REFERENCE, message).at(span, "");
        findings.push(suggest::did_you_mean(finding, name, names(project)));
    }
}

fn names(project: &Project) -> impl Iterator<Item = &str> {
    project.services.keys().map(ServiceName::as_str)
}

fn resources(project: &Project, service: &Service, findings: &mut Vec<Diagnostic>) {
    for key in service.networks.keys() {
        // Beside `network_mode` there are no networks, which is another finding.
        if service.network_mode.is_none() && !project.networks.contains_key(key) {
            let known = project.networks.keys().map(crate::names::NetworkKey::as_str);
            findings.push(undefined(project, service, "network", key.as_str(), ["networks", key.as_str()], known));
        }
    }
    for (at, mount) in service.volumes.iter().enumerate() {
        if let Some(source) = &mount.source
            && mount.kind == "volume"
            && !project.volumes.contains_key(source.as_str())
        {
            let at = at.to_string();
            let known = project.volumes.keys().map(crate::names::VolumeKey::as_str);
            let finding = undefined(project, service, "volume", source, ["volumes", &at], known);
            let top =
                format!("declare it at the top level: `volumes: {{ {source}: }}`, or write `./{source}` for a path");
            findings.push(if finding.hints.is_empty() { finding.hint(top) } else { finding });
        }
    }
    for (at, secret) in service.secrets.iter().enumerate() {
        if !project.secrets.contains_key(&secret.source) {
            let at = at.to_string();
            let known = project.secrets.keys().map(String::as_str);
            findings.push(undefined(project, service, "secret", &secret.source, ["secrets", &at], known));
        }
    }
    for (at, config) in service.configs.iter().enumerate() {
        if !project.configs.contains_key(&config.source) {
            let at = at.to_string();
            let known = project.configs.keys().map(String::as_str);
            findings.push(undefined(project, service, "config", &config.source, ["configs", &at], known));
        }
    }
    for name in service.models.keys() {
        if !project.models.contains_key(name) {
            let known = project.models.keys().map(String::as_str);
            findings.push(undefined(project, service, "model", name, ["models", name], known));
        }
    }
}

fn undefined<'a>(
    project: &Project,
    service: &Service,
    kind: &str,
    name: &str,
    [list, at]: [&str; 2],
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let message = format!("service \"{}\" refers to undefined {kind} {name}: invalid compose project", service.name);
    let span = place(project, ["services", service.name.as_str(), list, at]);
    suggest::did_you_mean(Diagnostic::error(codes::UNDEFINED_REFERENCE, message).at(span, ""), name, known)
}

fn build(project: &Project, service: &Service, findings: &mut Vec<Diagnostic>) {
    let Some(build) = &service.build else { return };
    for (at, secret) in build.secrets.iter().enumerate() {
        if !project.secrets.contains_key(&secret.source) {
            let at = at.to_string();
            let span = place(project, ["services", service.name.as_str(), "build", "secrets", &at]);
            let message = format!(
                "service \"{}\" refers to undefined build secret {}: invalid compose project",
                service.name, secret.source
            );
            let known = project.secrets.keys().map(String::as_str);
            let finding = Diagnostic::error(codes::UNDEFINED_REFERENCE, message).at(span, "");
            findings.push(suggest::did_you_mean(finding, &secret.source, known));
        }
    }
    for (context, source) in &build.additional_contexts {
        let Some(name) = source.strip_prefix("service:") else { continue };
        let problem = match project.services.get(name) {
            None => format!(
                "service \"{}\" declares unknown service \"{name}\" as additional contexts {context}",
                service.name
            ),
            Some(other) if other.build.is_none() => format!(
                "service \"{}\" declares non-buildable service \"{name}\" as additional contexts {context}",
                service.name
            ),
            Some(_) => continue,
        };
        let span = place(project, ["services", service.name.as_str(), "build", "additional_contexts", context]);
        let finding = Diagnostic::error(codes::UNDEFINED_REFERENCE, problem).at(span, "");
        findings.push(match project.disabled_services.get(name) {
            Some(disabled) => finding
                .hint(format!("\"{name}\" is only there with one of its profiles: {}", disabled.profiles.join(", "))),
            None => suggest::did_you_mean(finding, name, names(project)),
        });
    }
}
