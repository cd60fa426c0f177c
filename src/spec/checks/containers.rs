//! Names of containers that two services claim.

use std::collections::BTreeMap;

use crate::diagnostics::Diagnostic;
use crate::spec::checks::place;
use crate::spec::codes;
use crate::spec::model::Project;

pub(super) fn check(project: &Project, findings: &mut Vec<Diagnostic>) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for service in project.services.values() {
        let Some(name) = service.container_name.as_deref() else { continue };
        let Some(owner) = owners.insert(name, service.name.as_str()) else { continue };
        let span = |service: &str| place(project, ["services", service, "container_name"]);
        let message = format!(
            "services.{}: container name \"{name}\" is already in use by service {owner}: invalid compose project",
            service.name
        );
        findings.push(
            Diagnostic::error(codes::REPEATED_CONTAINER_NAME, message)
                .at(span(service.name.as_str()), "")
                .at(span(owner), "the first one"),
        );
    }
}
