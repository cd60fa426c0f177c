//! Which containers a command is about, and how they are described.

use serde_json::{Value, json};

use crate::cli::commands::format::{Row, ellipsis};
use crate::cli::context::Context;
use crate::cli::failure::{Failure, nearest};
use crate::labels;
use crate::names::{ContainerId, ContainerName, ProjectName};
use crate::resource::{Container, PublishedPort};
use crate::runtime::{LabelFilter, Runtime};
use crate::ui::paint::Tone;
use crate::ui::template::{LABELS, quoted};
use crate::ui::units;

/// Longest command and mount in a table.
const COMMAND_SHOWN: usize = 20;
const MOUNT_SHOWN: usize = 15;

/// All containers of a project, sorted by name: one call to the engine.
///
/// # Errors
/// The engine said no.
pub async fn of_project(runtime: &dyn Runtime, project: &ProjectName) -> Result<Vec<Container>, Failure> {
    let filter = LabelFilter::equals(labels::PROJECT, project.as_str());
    let mut containers = runtime.list_containers(&filter).await?;
    containers.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(containers)
}

/// Whether a container belongs to one of these services; none named means all.
pub fn is_of(container: &Container, services: &[String]) -> bool {
    services.is_empty() || services.iter().any(|service| service == container.service())
}

/// The running container of a service that `--index` means: by number, else the lowest number, one-offs last.
///
/// # Errors
/// There is none.
pub fn running_one(containers: &[Container], service: &str, index: Option<i64>) -> Result<Container, Failure> {
    let index = index.and_then(|index| u32::try_from(index).ok()).filter(|index| *index > 0);
    let found = containers
        .iter()
        .filter(|container| container.service() == service && container.is_running())
        .filter(|container| index.is_none() || container.number() == index)
        .min_by_key(|container| {
            (container.is_one_off(), container.number().unwrap_or(u32::MAX), container.name.clone())
        });
    found.cloned().ok_or_else(|| {
        let which = index.map(|index| format!(" container #{index}")).unwrap_or_default();
        let message = format!("service \"{service}\" is not running{which}");
        Failure::about(message, service, containers.iter().map(Container::service))
    })
}

/// Tells which service was probably meant, for commands that show nothing of one that is not there.
pub fn hint_at_near(context: &Context<'_>, containers: &[Container], services: &[String]) {
    let known = || containers.iter().map(Container::service);
    for service in services.iter().filter(|service| !known().any(|known| known == service.as_str())) {
        if let Some(meant) = nearest(service, known()) {
            context.note("hint", Tone::Quiet, &format!("nothing is there of {service}; did you mean `{meant}`?"));
        }
    }
}

/// A failure of the engine's about a container, with its name where the engine knows its id.
pub fn named(failure: impl Into<Failure>, container: &Container) -> Failure {
    match failure.into() {
        Failure::Engine(mut error) => {
            for text in [&mut error.what, &mut error.detail] {
                *text = with_name(text, &container.id, &container.name);
            }
            Failure::Engine(error)
        }
        other => other,
    }
}

/// A text of the engine's with the name of a container in place of its id, long or short.
pub fn with_name(text: &str, id: &ContainerId, name: &ContainerName) -> String {
    if id.short().is_empty() {
        return text.to_owned();
    }
    text.replace(id.as_str(), name.as_str()).replace(id.short(), name.as_str())
}

/// Headings of fields that only templates in tables show.
pub const MORE_TITLES: &[(&str, &str)] = &[
    ("ID", "CONTAINER ID"),
    ("Names", "NAMES"),
    ("State", "STATE"),
    ("Health", "HEALTH"),
    ("ExitCode", "EXIT CODE"),
    ("Labels", "LABELS"),
    ("Mounts", "MOUNTS"),
    ("LocalVolumes", "LOCAL VOLUMES"),
    ("Networks", "NETWORKS"),
    ("CreatedAt", "CREATED AT"),
    ("Project", "PROJECT"),
    ("Size", "SIZE"),
    ("Publishers", "PUBLISHERS"),
];

/// A container as `ps` lists it; `now` is in seconds since 1970.
pub fn row(container: &Container, now: i64, whole: bool) -> Row {
    let command = if whole { container.command.clone() } else { ellipsis(&container.command, COMMAND_SHOWN) };
    let ended =
        matches!(container.state, crate::resource::ContainerState::Exited | crate::resource::ContainerState::Dead);
    let running = container.state == crate::resource::ContainerState::Running;
    let mounts: Vec<String> = container
        .mounts
        .iter()
        .map(|mount| {
            let name = if mount.name.is_empty() { &mount.source } else { &mount.name };
            if whole { name.clone() } else { ellipsis(name, MOUNT_SHOWN) }
        })
        .collect();
    let labels: Vec<String> = container.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let networks: Vec<&str> = container.networks.keys().map(crate::names::NetworkName::as_str).collect();
    let mut ports = container.ports.clone();
    ports.sort_by(|one, other| key(one).cmp(&key(other)));
    let publishers: Vec<Value> = ports
        .iter()
        .map(|port| {
            json!({
                "URL": port.host_ip,
                "TargetPort": port.container_port,
                "PublishedPort": port.host_port,
                "Protocol": port.protocol,
            })
        })
        .collect();
    let pairs = [
        ("ID", Value::from(if whole { container.id.as_str() } else { container.id.short() })),
        ("Name", container.name.as_str().into()),
        ("Names", container.name.as_str().into()),
        ("Image", container.image.as_str().into()),
        ("Command", quoted(&command).into()),
        ("Project", container.label(labels::PROJECT).unwrap_or_default().into()),
        ("Service", container.service().into()),
        ("CreatedAt", moment(container.created).into()),
        ("RunningFor", units::ago(container.created, now).into()),
        ("State", container.state.as_str().into()),
        ("Status", container.status.as_str().into()),
        ("Health", if running { container.health.as_str().into() } else { "".into() }),
        ("ExitCode", if ended { container.exit_code.unwrap_or(0).into() } else { 0.into() }),
        ("Ports", port_text(&ports).into()),
        ("Publishers", publishers.into()),
        ("Labels", labels.join(",").into()),
        ("Mounts", mounts.join(",").into()),
        ("LocalVolumes", container.mounts.iter().filter(|mount| mount.kind == "volume").count().to_string().into()),
        ("Networks", networks.join(",").into()),
        ("Size", "0B".into()),
        (LABELS, json!(container.labels)),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// `2006-01-02 15:04:05 +0000 UTC`
fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|time| time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string())
        .unwrap_or_default()
}

fn key(port: &PublishedPort) -> (u16, &str, u16, &str) {
    (port.container_port, &port.host_ip, port.host_port, &port.protocol)
}

/// Ports as docker shows them: neighbours with equal numbers on both sides become a range. Sorted ports come in.
fn port_text(ports: &[PublishedPort]) -> String {
    struct Group<'a> {
        ip: &'a str,
        protocol: &'a str,
        first: u16,
        last: u16,
    }
    fn text(group: &Group<'_>) -> String {
        let Group { ip, protocol, first, last } = group;
        let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
        if ip.is_empty() { format!("{range}/{protocol}") } else { format!("{}->{range}/{protocol}", host(ip, &range)) }
    }
    let mut parts = Vec::new();
    let mut mappings = Vec::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for port in ports {
        if !port.host_ip.is_empty() && port.host_port != port.container_port {
            let at = host(&port.host_ip, &port.host_port.to_string());
            mappings.push(format!("{at}->{}/{}", port.container_port, port.protocol));
            continue;
        }
        let number = port.container_port;
        let known = groups.iter_mut().find(|group| group.ip == port.host_ip && group.protocol == port.protocol);
        match known {
            None => groups.push(Group { ip: &port.host_ip, protocol: &port.protocol, first: number, last: number }),
            Some(group) if number == group.last.saturating_add(1) => group.last = number,
            Some(group) => {
                parts.push(text(group));
                (group.first, group.last) = (number, number);
            }
        }
    }
    parts.extend(groups.iter().map(text));
    parts.extend(mappings);
    parts.join(", ")
}

/// `127.0.0.1:80`, `[::]:80`
pub fn host(ip: &str, port: &str) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(host_ip: &str, host_port: u16, container_port: u16) -> PublishedPort {
        PublishedPort { host_ip: host_ip.into(), host_port, container_port, protocol: "tcp".into() }
    }

    #[test]
    fn ports_are_told_as_docker_tells_them() {
        for (ports, text) in [
            (vec![], ""),
            (vec![port("", 0, 99)], "99/tcp"),
            (vec![port("127.0.0.1", 18471, 80), port("", 0, 99)], "99/tcp, 127.0.0.1:18471->80/tcp"),
            (
                vec![port("0.0.0.0", 8000, 8000), port("0.0.0.0", 8001, 8001), port("::", 8000, 8000)],
                "0.0.0.0:8000-8001->8000-8001/tcp, [::]:8000->8000/tcp",
            ),
            (vec![port("", 0, 1), port("", 0, 2), port("", 0, 9)], "1-2/tcp, 9/tcp"),
        ] {
            assert_eq!(port_text(&ports), text);
        }
    }
}
