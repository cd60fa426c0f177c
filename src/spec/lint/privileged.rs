//! `privileged-container`: a container that is root on the host.

use crate::diagnostics::{Code, Diagnostic};
use crate::spec::lint::Scope;

pub(super) const CODE: Code = Code("privileged-container");
pub(super) const PAGE: &str = include_str!("../../../docs/diagnostics/privileged-container.md");

pub(super) fn run(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for service in scope.services.iter().filter(|service| service.privileged) {
        let name = &service.name;
        found.push(
            Diagnostic::warning(CODE, format!("services.{name} is privileged: its root is root on the host"))
                .at(scope.key(service, &["privileged"]), "")
                .hint("give it just what it needs: `cap_add`, `devices`, `security_opt`"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::lint::tests::warnings;

    #[test]
    fn only_privileged_services_are_told() {
        assert_eq!(warnings("image: a:1, privileged: false", CODE), "");
        insta::assert_snapshot!(warnings("image: a:1, privileged: true", CODE), @"
        warning[privileged-container]: services.web is privileged: its root is root on the host
         --> compose.yaml:2:21
          |
        2 |   web: {image: a:1, privileged: true}
          |                     ^^^^^^^^^^
          |
          = help: give it just what it needs: `cap_add`, `devices`, `security_opt`
        ");
    }
}
