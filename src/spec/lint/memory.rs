//! `no-memory-limit`: services that may take all memory of the host. One finding for all of them.

use crate::diagnostics::{Code, Diagnostic};
use crate::spec::lint::{Scope, listed};
use crate::spec::model::{ByteSize, Service};

pub(super) const CODE: Code = Code("no-memory-limit");
pub(super) const PAGE: &str = include_str!("../../../docs/diagnostics/no-memory-limit.md");

/// Places shown; the names of more services are only counted.
const PLACES: usize = 5;

pub(super) fn run(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let open: Vec<&Service> =
        scope.services.iter().copied().filter(|service| service.provider.is_none() && !has_limit(service)).collect();
    if open.is_empty() {
        return;
    }
    let names = listed(open.iter().map(|service| service.name.as_str()));
    let who = match open.len() {
        1 => "1 service".to_owned(),
        count => format!("{count} services"),
    };
    let mut finding = Diagnostic::warning(CODE, format!("{who} may take all memory of the host: {names}"));
    for service in open.iter().take(PLACES) {
        finding = finding.at(scope.key(service, &[]), "no memory limit");
    }
    found.push(finding.hint("write `mem_limit: 512m` or `deploy.resources.limits.memory`"));
}

fn has_limit(service: &Service) -> bool {
    let deployed = || service.deploy.as_ref()?.resources.limits.as_ref()?.memory;
    service.mem_limit.or_else(deployed).is_some_and(|ByteSize(bytes)| bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::lint::tests::{warnings, warnings_of};

    #[test]
    fn both_ways_to_write_a_limit_count() {
        for (service, told) in [
            ("image: a:1", true),
            ("image: a:1, mem_limit: 0", true),
            ("image: a:1, mem_reservation: 64m", true),
            ("image: a:1, mem_limit: 64m", false),
            ("image: a:1, deploy: {resources: {limits: {memory: 64m}}}", false),
        ] {
            assert_eq!(!warnings(service, CODE).is_empty(), told, "{service}");
        }
    }

    #[test]
    fn all_services_are_one_finding() {
        let text = "services:\n  a: {image: a:1}\n  b: {image: a:1, mem_limit: 1g}\n  c: {image: a:1}\n";
        insta::assert_snapshot!(warnings_of(text, CODE), @"
        warning[no-memory-limit]: 2 services may take all memory of the host: a, c
         --> compose.yaml:2:3
          |
        2 |   a: {image: a:1}
          |   ^ no memory limit
        3 |   b: {image: a:1, mem_limit: 1g}
        4 |   c: {image: a:1}
          |   - no memory limit
          |
          = help: write `mem_limit: 512m` or `deploy.resources.limits.memory`
        ");
    }
}
