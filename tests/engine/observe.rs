//! What the engine holds of a project, asked from the engine directly.

use std::collections::BTreeMap;

use bollard::Docker;
use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::{
    ListContainersOptions, ListImagesOptions, ListNetworksOptions, ListVolumesOptions, LogsOptions,
};
use futures::StreamExt;

/// A container as the engine describes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) service: String,
    /// `created`, `running`, `exited`, …
    pub(crate) state: String,
    /// Empty without a health check.
    pub(crate) health: String,
    pub(crate) exit_code: i64,
    pub(crate) started_at: String,
    pub(crate) finished_at: String,
    pub(crate) env: Vec<String>,
    pub(crate) labels: BTreeMap<String, String>,
    /// Network names.
    pub(crate) networks: Vec<String>,
    /// Volume names, anonymous ones too.
    pub(crate) volumes: Vec<String>,
    /// Container port (`80/tcp`) to the host's port.
    pub(crate) ports: BTreeMap<String, u16>,
    /// Bytes; 0 without a limit.
    pub(crate) memory: i64,
    /// Thousand-millionths of a CPU; 0 without a limit.
    pub(crate) nano_cpus: i64,
}

impl Seen {
    fn new(found: ContainerInspectResponse) -> Self {
        let state = found.state.unwrap_or_default();
        let config = found.config.unwrap_or_default();
        let host = found.host_config.unwrap_or_default();
        let network = found.network_settings.unwrap_or_default();
        let labels: BTreeMap<String, String> = config.labels.unwrap_or_default().into_iter().collect();
        let mut networks: Vec<String> = network.networks.unwrap_or_default().into_keys().collect();
        networks.sort();
        let mut env = config.env.unwrap_or_default();
        env.sort();
        let mut volumes: Vec<String> = found.mounts.unwrap_or_default().into_iter().filter_map(|m| m.name).collect();
        volumes.sort();
        let ports = network.ports.unwrap_or_default().into_iter().filter_map(|(port, bindings)| {
            let host = bindings?.into_iter().find_map(|binding| binding.host_port?.parse().ok())?;
            Some((port, host))
        });
        Self {
            name: found.name.unwrap_or_default().trim_start_matches('/').to_owned(),
            id: found.id.unwrap_or_default(),
            service: labels.get("com.docker.compose.service").cloned().unwrap_or_default(),
            state: state.status.map(|status| status.to_string()).unwrap_or_default(),
            health: state.health.and_then(|health| health.status).map(|status| status.to_string()).unwrap_or_default(),
            exit_code: state.exit_code.unwrap_or_default(),
            started_at: state.started_at.unwrap_or_default(),
            finished_at: state.finished_at.unwrap_or_default(),
            env,
            labels,
            networks,
            volumes,
            ports: ports.collect(),
            memory: host.memory.unwrap_or_default(),
            nano_cpus: host.nano_cpus.unwrap_or_default(),
        }
    }

    /// The host's port that leads to this port of the container, like `80/tcp`.
    #[track_caller]
    pub(crate) fn port(&self, container: &str) -> u16 {
        *self.ports.get(container).unwrap_or_else(|| panic!("{}: {container} is not published: {self:?}", self.name))
    }
}

fn project_filter<T: FromIterator<(String, Vec<String>)>>(project: &str) -> Option<T> {
    let label = format!("com.docker.compose.project={project}");
    Some(std::iter::once(("label".to_owned(), vec![label])).collect())
}

/// All containers of a project, stopped ones and one-off ones too, by name.
pub(crate) async fn containers(docker: &Docker, project: &str) -> Vec<Seen> {
    let options = ListContainersOptions { all: true, filters: project_filter(project), ..Default::default() };
    let found = docker.list_containers(Some(options)).await.expect("the engine lists containers");
    let mut seen = Vec::new();
    for id in found.into_iter().filter_map(|container| container.id) {
        // One that went away in between is not there.
        if let Ok(container) = docker.inspect_container(&id, None).await {
            seen.push(Seen::new(container));
        }
    }
    seen.sort_by(|a, b| a.name.cmp(&b.name));
    seen
}

/// The names of a project's networks.
pub(crate) async fn networks(docker: &Docker, project: &str) -> Vec<String> {
    let options = ListNetworksOptions { filters: project_filter(project) };
    let found = docker.list_networks(Some(options)).await.expect("the engine lists networks");
    let mut names: Vec<String> = found.into_iter().filter_map(|network| network.name).collect();
    names.sort();
    names
}

/// The names of a project's volumes.
pub(crate) async fn volumes(docker: &Docker, project: &str) -> Vec<String> {
    let options = ListVolumesOptions { filters: project_filter(project) };
    let found = docker.list_volumes(Some(options)).await.expect("the engine lists volumes");
    let mut names: Vec<String> = found.volumes.unwrap_or_default().into_iter().map(|volume| volume.name).collect();
    names.sort();
    names
}

/// The names of the images that were built for a project.
pub(crate) async fn images(docker: &Docker, project: &str) -> Vec<String> {
    let found = docker.list_images(None::<ListImagesOptions>).await.expect("the engine lists images");
    let built = format!("{project}-");
    found.into_iter().flat_map(|image| image.repo_tags).filter(|tag| tag.starts_with(&built)).collect()
}

/// The last lines that a container wrote.
pub(crate) async fn last_lines(docker: &Docker, id: &str) -> String {
    let options = LogsOptions { stdout: true, stderr: true, tail: "20".to_owned(), ..Default::default() };
    let mut stream = docker.logs(id, Some(options));
    let mut text = String::new();
    while let Some(Ok(part)) = stream.next().await {
        text.push_str(&String::from_utf8_lossy(&part.into_bytes()));
    }
    text
}
