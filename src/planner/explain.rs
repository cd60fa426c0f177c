//! Why an operation failed, in terms of the file: the service, the line that asked for it, and what to do.

use crate::names::ServiceName;
use crate::planner::container;
use crate::planner::plan::{Op, PlanNode};
use crate::resource::ResourceId;
use crate::spec::model::{Project, Service};

/// Where a failed operation was asked for, and a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The service.
    pub service: ServiceName,
    /// `file:line:column`.
    pub place: Option<String>,
    /// What to do; empty when nothing better can be said than the engine did.
    pub hints: Vec<String>,
}

/// Explains the failure of an operation; `error` is the engine's text. `None` when it belongs to no service.
pub fn explain(project: &Project, node: &PlanNode, error: &str) -> Option<Explanation> {
    let service = service_of(project, node)?;
    let (path, hints) = match &node.op {
        Op::PullImage { .. } if service.build.is_some() => {
            (vec!["image".to_owned()], vec![format!("it is built here: compose build {}", service.name)])
        }
        Op::PullImage { reference, .. } => (vec!["image".to_owned()], pull_hints(reference, error)),
        Op::BuildImage { .. } => (vec!["build".to_owned()], Vec::new()),
        _ => container_failure(service, error),
    };
    let steps: Vec<&str> =
        ["services", service.name.as_str()].into_iter().chain(path.iter().map(String::as_str)).collect();
    Some(Explanation { service: service.name.clone(), place: project.place(&steps), hints })
}

fn service_of<'a>(project: &'a Project, node: &PlanNode) -> Option<&'a Service> {
    let mut services = project.services.values().chain(project.disabled_services.values());
    match &node.target {
        ResourceId::Image(reference) => services.find(|service| project.image_of(service) == *reference),
        ResourceId::Container(name) => services.find(|service| {
            let number = name.as_str().rsplit(project.separator()).next().and_then(|text| text.parse().ok());
            container::name(project, service, number.unwrap_or(1)) == *name
        }),
        ResourceId::Provider(name) => services.find(|service| service.name.as_str() == name),
        ResourceId::Network(_) | ResourceId::Volume(_) | ResourceId::Model(_) => None,
    }
}

fn pull_hints(reference: &str, error: &str) -> Vec<String> {
    let lower = error.to_lowercase();
    if ["denied", "unauthorized", "authentication"].iter().any(|word| lower.contains(word)) {
        let registry = reference.split_once('/').map(|(host, _)| host).filter(|host| host.contains(['.', ':']));
        let login = registry.map_or_else(|| "docker login".to_owned(), |host| format!("docker login {host}"));
        return vec![format!("check the name, or log in first: {login}")];
    }
    if ["not found", "manifest unknown", "no such image"].iter().any(|word| lower.contains(word)) {
        return vec!["check the image's name and tag, or add `build:` to build it here".to_owned()];
    }
    vec!["check the connection to the registry, and try again".to_owned()]
}

/// The attribute that a failed create or start hangs on, and what to do about it.
fn container_failure(service: &Service, error: &str) -> (Vec<String>, Vec<String>) {
    let at = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
    let port_taken = ["port is already allocated", "address already in use", "ports are not available"];
    if port_taken.iter().any(|words| error.contains(words)) {
        let taken = service.ports.iter().position(|port| {
            port.published.as_deref().is_some_and(|published| error.contains(&format!(":{published}")))
        });
        let published = taken.and_then(|index| service.ports.get(index)?.published.clone()).unwrap_or_default();
        let path = taken.map_or_else(|| at("ports"), |index| at(&format!("ports.{index}")));
        let hint =
            format!("stop what uses port {published} (ss -ltnp 'sport = :{published}'), or publish another port");
        return (path, vec![hint]);
    }
    if error.contains("No such image") {
        let hint = "pull it (compose pull) or build it (compose build) first, or change `pull_policy`";
        return (at("image"), vec![hint.to_owned()]);
    }
    if error.contains("bind source path does not exist") {
        let index = service.volumes.iter().position(|mount| {
            mount.source.as_deref().is_some_and(|source| error.contains(&format!("does not exist: {source}")))
        });
        let path = index.map_or_else(|| at("volumes"), |index| at(&format!("volumes.{index}")));
        return (path, vec!["create it on the host first, or set `bind.create_host_path: true`".to_owned()]);
    }
    if error.contains("executable file not found") || error.contains("no such file or directory: unknown") {
        let key = if service.entrypoint.is_some() { "entrypoint" } else { "command" };
        return (at(key), vec!["is the program in the image? Paths are those inside the container".to_owned()]);
    }
    if error.contains("restart policy") {
        let hint = "use no, always, unless-stopped, on-failure or on-failure:N".to_owned();
        return (at("restart"), vec![hint]);
    }
    if error.contains("is already in use by container") {
        let key = if service.container_name.is_some() { "container_name" } else { "" };
        let hint = "remove or rename the other container, or choose another name".to_owned();
        return (at(key).into_iter().filter(|step| !step.is_empty()).collect(), vec![hint]);
    }
    if error.contains("is unhealthy") || error.contains("no healthcheck") {
        let hint = format!("see what it says: compose logs {}", service.name);
        return (at("healthcheck"), vec![hint]);
    }
    if error.contains("exited (") || error.contains("didn't complete successfully") {
        return (Vec::new(), vec![format!("see what it says: compose logs {}", service.name)]);
    }
    (Vec::new(), Vec::new())
}
