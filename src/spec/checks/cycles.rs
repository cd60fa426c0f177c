//! Services that wait for each other in a circle.

use std::collections::BTreeMap;

use crate::diagnostics::Diagnostic;
use crate::names::ServiceName;
use crate::spec::checks::place;
use crate::spec::codes;
use crate::spec::model::Project;

pub(super) fn check(project: &Project, findings: &mut Vec<Diagnostic>) {
    let mut done: BTreeMap<&str, bool> = BTreeMap::new();
    for name in project.services.keys() {
        if let Some(circle) = visit(project, name.as_str(), &mut done) {
            let message = format!("dependency cycle detected: {}", circle.join(" -> "));
            let mut finding = Diagnostic::error(codes::DEPENDENCY_CYCLE, message);
            for pair in circle.windows(2) {
                let span = place(project, ["services", pair[0], "depends_on", pair[1]]);
                finding = finding.at(span, format!("{} waits for {}", pair[0], pair[1]));
            }
            findings.push(finding);
            return;
        }
    }
}

/// Depth first without recursion; answers with the first circle, its first service repeated at the end.
fn visit<'p>(project: &'p Project, start: &'p str, done: &mut BTreeMap<&'p str, bool>) -> Option<Vec<&'p str>> {
    if done.contains_key(start) {
        return None;
    }
    let dependencies = |name: &str| -> Vec<&'p str> {
        let service = project.services.get(name);
        service.into_iter().flat_map(|service| service.depends_on.keys().map(ServiceName::as_str)).collect()
    };
    let mut path = vec![(start, dependencies(start))];
    done.insert(start, false);
    while let Some((name, open)) = path.last_mut() {
        let Some(next) = (!open.is_empty()).then(|| open.remove(0)) else {
            done.insert(name, true);
            path.pop();
            continue;
        };
        match done.get(next) {
            Some(true) => {}
            Some(false) => {
                let from = path.iter().position(|(name, _)| *name == next).unwrap_or(0);
                let mut circle: Vec<&str> = path.iter().skip(from).map(|(name, _)| *name).collect();
                circle.push(next);
                return Some(circle);
            }
            None => {
                done.insert(next, false);
                path.push((next, dependencies(next)));
            }
        }
    }
    None
}
