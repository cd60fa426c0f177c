//! `host-network`: a container without a network of its own.

use crate::diagnostics::{Code, Diagnostic};
use crate::spec::lint::Scope;

pub(super) const CODE: Code = Code("host-network");
pub(super) const PAGE: &str = include_str!("../../../docs/diagnostics/host-network.md");

pub(super) fn run(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for service in scope.services.iter().filter(|service| service.network_mode.as_deref() == Some("host")) {
        let name = &service.name;
        found.push(
            Diagnostic::warning(CODE, format!("services.{name} uses the network of the host"))
                .at(scope.value(service, &["network_mode"]), "its ports are the host's, on all interfaces")
                .hint(format!("leave it out and publish ports: other services then reach it by the name `{name}`")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::lint::tests::warnings;

    #[test]
    fn only_the_network_of_the_host_is_told() {
        assert_eq!(warnings("image: a:1, network_mode: none", CODE), "");
        insta::assert_snapshot!(warnings("image: a:1, network_mode: host", CODE), @"
        warning[host-network]: services.web uses the network of the host
         --> compose.yaml:2:35
          |
        2 |   web: {image: a:1, network_mode: host}
          |                                   ^^^^ its ports are the host's, on all interfaces
          |
          = help: leave it out and publish ports: other services then reach it by the name `web`
        ");
    }
}
