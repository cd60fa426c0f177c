//! `published-database`: a database that everybody who reaches the host can reach.

use crate::diagnostics::{Code, Diagnostic};
use crate::spec::lint::{Scope, image_parts};
use crate::spec::model::Port;

pub(super) const CODE: Code = Code("published-database");
pub(super) const PAGE: &str = include_str!("../../../docs/diagnostics/published-database.md");

/// Last part of the names of images that are databases, caches or search engines.
const IMAGES: [&str; 41] = [
    "arangodb",
    "cassandra",
    "clickhouse",
    "clickhouse-server",
    "cockroach",
    "couchbase",
    "couchdb",
    "dragonfly",
    "dynamodb-local",
    "elasticsearch",
    "etcd",
    "influxdb",
    "keydb",
    "mariadb",
    "mariadb-server",
    "memcached",
    "mongo",
    "mongodb",
    "mongodb-community-server",
    "mysql",
    "mysql-server",
    "neo4j",
    "opensearch",
    "percona",
    "percona-server",
    "pgvector",
    "postgis",
    "postgres",
    "postgresql",
    "qdrant",
    "questdb",
    "redis",
    "redis-stack",
    "redis-stack-server",
    "rethinkdb",
    "scylla",
    "surrealdb",
    "timescaledb",
    "timescaledb-ha",
    "typesense",
    "valkey",
];

/// Ports that hardly anything but a database listens on.
const PORTS: [(u32, &str); 10] = [
    (1433, "SQL Server"),
    (1521, "Oracle"),
    (3306, "MySQL"),
    (5432, "PostgreSQL"),
    (5984, "CouchDB"),
    (6379, "Redis"),
    (9042, "Cassandra"),
    (11211, "memcached"),
    (26257, "CockroachDB"),
    (27017, "MongoDB"),
];

pub(super) fn run(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for service in &scope.services {
        let image = service.image.as_deref().map(image_parts).filter(|(path, last, _)| is_database(path, last));
        let open: Vec<(usize, &Port)> = service
            .ports
            .iter()
            .enumerate()
            .filter(|(_, port)| is_open(port) && (image.is_some() || kind(port.target).is_some()))
            .collect();
        let Some((_, first)) = open.first() else { continue };
        let name = &service.name;
        let what = image.map(|(_, last, _)| last).or_else(|| kind(first.target)).unwrap_or("a database");
        let mut finding = Diagnostic::warning(
            CODE,
            format!("services.{name} publishes {what} (port {}) on all interfaces of the host", first.target),
        );
        for (at, _) in &open {
            finding = finding.at(scope.value(service, &["ports", &at.to_string()]), "reachable from other machines");
        }
        let target = first.target;
        let published =
            first.published.as_deref().filter(|text| !text.is_empty()).map_or(target.to_string(), str::to_owned);
        found.push(finding.hint(format!(
            "write `127.0.0.1:{published}:{target}`, or leave the port out: other services reach it as `{name}:{target}`"
        )));
    }
}

fn is_database(path: &str, last: &str) -> bool {
    IMAGES.binary_search(&last).is_ok() || path.ends_with("mssql/server") || path.ends_with("database/free")
}

fn kind(port: u32) -> Option<&'static str> {
    PORTS.iter().find(|(number, _)| *number == port).map(|(_, name)| *name)
}

/// Whether a port is open on all addresses of the host.
fn is_open(port: &Port) -> bool {
    matches!(port.host_ip.as_deref(), None | Some("" | "0.0.0.0" | "::" | "[::]"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::lint::tests::warnings;

    #[test]
    fn names_of_images_are_sorted() {
        assert!(IMAGES.is_sorted());
    }

    #[test]
    fn only_open_ports_of_databases_are_told() {
        for (service, told) in [
            ("image: postgres:15, ports: ['5432:5432']", true),
            ("image: postgres:15, ports: ['0.0.0.0:5432:5432']", true),
            ("image: postgres:15, ports: ['[::]:5432:5432']", true),
            ("image: postgres:15, ports: ['5432']", true),
            ("image: registry.example:5000/team/redis:7, ports: ['1:2']", true),
            ("image: mcr.microsoft.com/mssql/server:2022, ports: ['1433:1433']", true),
            ("build: ., ports: [{target: 5432, published: 15432}]", true),
            ("image: postgres:15, ports: ['127.0.0.1:5432:5432']", false),
            ("image: postgres:15, ports: ['[::1]:5432:5432']", false),
            ("image: postgres:15, expose: [5432]", false),
            ("image: mongo-express, ports: ['8081:8081']", false),
            ("image: nginx, ports: ['80:80']", false),
        ] {
            assert_eq!(!warnings(service, CODE).is_empty(), told, "{service}");
        }
    }

    #[test]
    fn the_way_out_keeps_the_ports() {
        insta::assert_snapshot!(warnings("image: postgres:15, ports: ['15432:5432', '9187:9187']", CODE), @"
        warning[published-database]: services.web publishes postgres (port 5432) on all interfaces of the host
         --> compose.yaml:2:37
          |
        2 |   web: {image: postgres:15, ports: ['15432:5432', '9187:9187']}
          |                                     ^^^^^^^^^^^^  ----------- reachable from other machines
          |                                     |
          |                                     reachable from other machines
          |
          = help: write `127.0.0.1:15432:5432`, or leave the port out: other services reach it as `web:5432`
        ");
    }
}
