//! Places inside a container where two things are mounted.

use std::collections::BTreeMap;

use crate::diagnostics::Diagnostic;
use crate::spec::checks::place;
use crate::spec::codes;
use crate::spec::model::{Project, Service};

pub(super) fn check(project: &Project, findings: &mut Vec<Diagnostic>) {
    for service in project.services.values() {
        one(project, service, findings);
    }
}

fn one(project: &Project, service: &Service, findings: &mut Vec<Diagnostic>) {
    let tmpfs = service.tmpfs.iter().map(|spec| spec.split(':').next().unwrap_or_default());
    let volumes = service.volumes.iter().map(|mount| mount.target.as_deref().unwrap_or_default());
    let mut taken: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    let lists: [(&str, Vec<&str>); 2] = [("tmpfs", tmpfs.collect()), ("volumes", volumes.collect())];
    for (list, targets) in lists {
        for (at, target) in targets.into_iter().enumerate() {
            if target.is_empty() {
                continue;
            }
            let Some((other_list, other)) = taken.insert(target.to_owned(), (list, at)) else { continue };
            let name = &service.name;
            let message = format!(
                "services.{name}.{list}[{at}]: target {target} already mounted as services.{name}.{other_list}[{other}]"
            );
            let span = |list: &str, at: usize| {
                let at = at.to_string();
                place(project, ["services", name.as_str(), list, &at])
            };
            findings.push(
                Diagnostic::error(codes::REPEATED_TARGET, message)
                    .at(span(list, at), "")
                    .at(span(other_list, other), "mounted here already"),
            );
        }
    }
}
