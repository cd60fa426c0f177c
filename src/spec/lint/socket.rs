//! `docker-socket`: a container that may do whatever the engine may.

use crate::diagnostics::{Code, Diagnostic};
use crate::spec::lint::Scope;

pub(super) const CODE: Code = Code("docker-socket");
pub(super) const PAGE: &str = include_str!("../../../docs/diagnostics/docker-socket.md");

const SOCKETS: [&str; 4] = ["docker.sock", "podman.sock", "containerd.sock", "docker_engine"];

pub(super) fn run(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for service in &scope.services {
        let name = &service.name;
        for (at, mount) in service.volumes.iter().enumerate() {
            let source = mount.source.as_deref().unwrap_or_default();
            let file = source.rsplit(['/', '\\']).next().unwrap_or_default();
            if !matches!(mount.kind.as_str(), "bind" | "npipe") || !SOCKETS.contains(&file) {
                continue;
            }
            let span = scope.value(service, &["volumes", &at.to_string()]);
            let label = if mount.read_only { "`read_only` protects the file, not the engine behind it" } else { "" };
            found.push(finding(name.as_str(), "mounts the socket of the engine").at(span, label));
        }
        if service.use_api_socket {
            found.push(
                finding(name.as_str(), "gets the socket of the engine").at(scope.key(service, &["use_api_socket"]), ""),
            );
        }
    }
}

fn finding(name: &str, what: &str) -> Diagnostic {
    Diagnostic::warning(CODE, format!("services.{name} {what}: whoever breaks into it owns the host")).hint(
        "put a proxy in between that lets through only the calls that are needed, or give up the mount".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::lint::tests::warnings;

    #[test]
    fn sockets_are_told_and_other_files_are_not() {
        for (service, told) in [
            ("image: a:1, volumes: ['/var/run/docker.sock:/var/run/docker.sock']", true),
            ("image: a:1, volumes: ['/run/docker.sock:/x:ro']", true),
            ("image: a:1, volumes: [{type: bind, source: /run/user/1000/podman/podman.sock, target: /x}]", true),
            ("image: a:1, use_api_socket: true", true),
            ("image: a:1, volumes: ['/run/mysqld.sock:/run/mysqld.sock']", false),
            ("image: a:1, volumes: ['/x:/var/run/docker.sock']", false),
            ("image: a:1, use_api_socket: false", false),
        ] {
            assert_eq!(!warnings(service, CODE).is_empty(), told, "{service}");
        }
    }

    #[test]
    fn read_only_does_not_help() {
        insta::assert_snapshot!(warnings("image: a:1, volumes: ['/var/run/docker.sock:/s:ro']", CODE), @"
        warning[docker-socket]: services.web mounts the socket of the engine: whoever breaks into it owns the host
         --> compose.yaml:2:31
          |
        2 |   web: {image: a:1, volumes: ['/var/run/docker.sock:/s:ro']}
          |                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `read_only` protects the file, not the engine behind it
          |
          = help: put a proxy in between that lets through only the calls that are needed, or give up the mount
        ");
    }
}
