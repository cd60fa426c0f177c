//! Containers and what is done to them.

use std::time::Duration;

use async_trait::async_trait;
use bollard::query_parameters as query;
use futures::StreamExt;
use serde::Deserialize;

use crate::names::{ContainerId, ContainerName};
use crate::resource::{Container, ContainerDetails, ContainerSpec, Created};
use crate::runtime::docker::found::{Summary, nullable};
use crate::runtime::docker::inspect::Inspected;
use crate::runtime::docker::stats::Sample;
use crate::runtime::docker::wire::{Call, lines_of, segment};
use crate::runtime::docker::{DockerRuntime, Session, create, failure, ports, shown};
use crate::runtime::{
    Containers, Ending, Error, ErrorKind, LabelFilter, Processes, Result, ResultStream, Stats, TerminalSize,
};

/// From this API on a container can be created with all its networks at once.
const ALL_ENDPOINTS_API: (u32, u32) = (1, 44);
/// How often a start is tried again when another container was given the same port of a range at the same time.
const RANGE_ATTEMPTS: usize = 5;

#[derive(Deserialize)]
struct Waited {
    #[serde(rename = "StatusCode")]
    status_code: i64,
    #[serde(rename = "Error", default)]
    error: Option<WaitError>,
}

impl Waited {
    fn code(self, what: String) -> Result<i64> {
        match self.error {
            Some(error) if !error.message.is_empty() => Err(Error::new(ErrorKind::Other, what, error.message)),
            _ => Ok(self.status_code),
        }
    }
}

#[derive(Deserialize)]
struct WaitError {
    #[serde(rename = "Message", default)]
    message: String,
}

#[derive(Deserialize)]
struct Top {
    #[serde(rename = "Titles", default, deserialize_with = "nullable")]
    titles: Vec<String>,
    #[serde(rename = "Processes", default, deserialize_with = "nullable")]
    processes: Vec<Vec<String>>,
}

impl DockerRuntime {
    /// A failure of bollard's client in our words.
    pub(super) fn failed(&self, what: String) -> impl FnOnce(bollard::errors::Error) -> Error {
        move |error| failure::from_client(&what, &self.wire.address, error)
    }

    /// The answer to a call as JSON.
    pub(super) async fn ask<T: serde::de::DeserializeOwned>(&self, call: Call, what: &str) -> Result<T> {
        let session = self.session().await?;
        self.wire.json(&session.prefix, call, what).await
    }

    pub(super) async fn inspect(&self, container: &ContainerId) -> Result<Inspected> {
        let what = format!("inspect container {}", shown(container.as_str()));
        self.ask(Call::get(format!("/containers/{}/json", segment(container.as_str()))), &what).await
    }

    /// Engines before API 1.44 take one network with the create call; the others are connected before the start.
    async fn connect_rest(&self, session: &Session, spec: &ContainerSpec, container: &str, what: &str) -> Result<()> {
        for (network, endpoint) in spec.endpoints.iter().skip(1) {
            let request = bollard::models::NetworkConnectRequest {
                container: container.to_owned(),
                endpoint_config: Some(create::settings(endpoint)),
            };
            let connected = session.client.connect_network(network.as_str(), request).await;
            if let Err(error) = connected {
                // Half a container must not stay behind; the first failure is the one to tell.
                let options = query::RemoveContainerOptions { force: true, v: true, link: false };
                let _ = session.client.remove_container(container, Some(options)).await;
                return Err(failure::from_client(what, &self.wire.address, error));
            }
        }
        Ok(())
    }

    async fn start_once(&self, container: &ContainerId, what: &str) -> Result<()> {
        let session = self.session().await?;
        let started = session.client.start_container(container.as_str(), None).await;
        started.map_err(self.failed(what.to_owned()))
    }
}

fn what(verb: &str, container: &ContainerId) -> String {
    format!("{verb} container {}", shown(container.as_str()))
}

/// Whole seconds, rounded up: no less grace than was asked for.
fn seconds(grace: Option<Duration>) -> Option<i32> {
    grace.map(|grace| {
        let seconds = grace.as_secs().saturating_add(u64::from(grace.subsec_nanos() > 0));
        i32::try_from(seconds).unwrap_or(i32::MAX)
    })
}

fn ports_clash(error: &Error) -> bool {
    error.detail.contains("port is already allocated") || error.detail.contains("address already in use")
}

#[async_trait]
impl Containers for DockerRuntime {
    async fn list_containers(&self, filter: &LabelFilter) -> Result<Vec<Container>> {
        let mut call = Call::get("/containers/json").query("all", "1");
        if !filter.0.is_empty() {
            call = call.query("filters", &serde_json::json!({ "label": filter.0 }).to_string());
        }
        let found: Vec<Summary> = self.ask(call, "list containers").await?;
        let mut containers: Vec<Container> = found.into_iter().map(Container::from).collect();
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(containers)
    }

    async fn inspect_container(&self, container: &ContainerId) -> Result<ContainerDetails> {
        Ok(self.inspect(container).await?.details())
    }

    async fn create_container(&self, spec: &ContainerSpec) -> Result<Created> {
        let session = self.session().await?;
        let what = format!("create container {}", spec.name);
        let all_endpoints = session.facts.api >= ALL_ENDPOINTS_API;
        let body = create::body(spec, all_endpoints, &what)?;
        let options = query::CreateContainerOptions {
            name: Some(spec.name.to_string()).filter(|name| !name.is_empty()),
            platform: spec.platform.clone().unwrap_or_default(),
        };
        let created = session.client.create_container(Some(options), body).await.map_err(self.failed(what.clone()))?;
        if !all_endpoints {
            self.connect_rest(session, spec, &created.id, &what).await?;
        }
        let id = ContainerId::new(created.id);
        self.ranges.learn(&id, ports::ranges_of(spec));
        Ok(Created { id, warnings: created.warnings })
    }

    async fn start_container(&self, container: &ContainerId) -> Result<()> {
        let what = what("start", container);
        let guard = self.ranges.lock(container).await;
        let mut outcome = self.start_once(container, &what).await;
        if !outcome.as_ref().is_err_and(ports_clash) {
            return outcome;
        }
        // Another container may have been given the same port of a range a moment ago; the next try gets another one.
        drop(guard);
        // One that removes itself is gone by now.
        let Ok(found) = self.inspect(container).await else { return outcome };
        let ranges = ports::ranges_of(&found.details().spec);
        if ranges.is_empty() {
            return outcome;
        }
        self.ranges.learn(container, ranges);
        let _guard = self.ranges.lock(container).await;
        for _ in 0..RANGE_ATTEMPTS {
            outcome = self.start_once(container, &what).await;
            if !outcome.as_ref().is_err_and(ports_clash) {
                break;
            }
        }
        outcome
    }

    async fn stop_container(&self, container: &ContainerId, grace: Option<Duration>) -> Result<()> {
        let options = query::StopContainerOptions { signal: None, t: seconds(grace) };
        let client = &self.session().await?.client;
        let stopped = client.stop_container(container.as_str(), Some(options)).await;
        stopped.map_err(self.failed(what("stop", container)))
    }

    async fn restart_container(&self, container: &ContainerId, grace: Option<Duration>) -> Result<()> {
        let options = query::RestartContainerOptions { signal: None, t: seconds(grace) };
        let client = &self.session().await?.client;
        let restarted = client.restart_container(container.as_str(), Some(options)).await;
        restarted.map_err(self.failed(what("restart", container)))
    }

    async fn signal_container(&self, container: &ContainerId, signal: &str) -> Result<()> {
        let options = query::KillContainerOptions { signal: signal.to_owned() };
        let client = &self.session().await?.client;
        let sent = client.kill_container(container.as_str(), Some(options)).await;
        sent.map_err(self.failed(format!("send {signal} to container {}", shown(container.as_str()))))
    }

    async fn pause_container(&self, container: &ContainerId) -> Result<()> {
        let paused = self.session().await?.client.pause_container(container.as_str()).await;
        paused.map_err(self.failed(what("pause", container)))
    }

    async fn unpause_container(&self, container: &ContainerId) -> Result<()> {
        let unpaused = self.session().await?.client.unpause_container(container.as_str()).await;
        unpaused.map_err(self.failed(what("unpause", container)))
    }

    async fn remove_container(&self, container: &ContainerId, force: bool, volumes: bool) -> Result<()> {
        let options = query::RemoveContainerOptions { force, v: volumes, link: false };
        let client = &self.session().await?.client;
        let removed = client.remove_container(container.as_str(), Some(options)).await;
        removed.map_err(self.failed(what("remove", container)))
    }

    async fn rename_container(&self, container: &ContainerId, name: &ContainerName) -> Result<()> {
        let options = query::RenameContainerOptions { name: name.to_string() };
        let client = &self.session().await?.client;
        let renamed = client.rename_container(container.as_str(), options).await;
        renamed.map_err(self.failed(format!("{} to {name}", what("rename", container))))
    }

    async fn wait_container(&self, container: &ContainerId) -> Result<i64> {
        let what = what("wait for", container);
        let call =
            Call::post(format!("/containers/{}/wait", segment(container.as_str()))).query("condition", "not-running");
        let waited: Waited = self.ask(call, &what).await?;
        waited.code(what)
    }

    async fn watch_end(&self, container: &ContainerId, removed: bool) -> Result<Ending> {
        let what = what("wait for", container);
        let condition = if removed { "removed" } else { "next-exit" };
        let call =
            Call::post(format!("/containers/{}/wait", segment(container.as_str()))).query("condition", condition);
        // The engine answers when it has begun to wait, and sends the code later.
        let response = self.wire.open(&self.session().await?.prefix, call, &what).await?;
        let mut answers = lines_of::<Waited>(response, what.clone(), self.wire.address.clone());
        Ok(Box::pin(async move {
            match answers.next().await {
                Some(waited) => waited?.code(what),
                None => Err(Error::new(ErrorKind::Unavailable, what, "the engine ended the answer early")),
            }
        }))
    }

    async fn processes(&self, container: &ContainerId) -> Result<Processes> {
        let what = what("list processes of", container);
        let top: Top = self.ask(Call::get(format!("/containers/{}/top", segment(container.as_str()))), &what).await?;
        Ok(Processes { titles: top.titles, rows: top.processes })
    }

    async fn stats(&self, container: &ContainerId, follow: bool) -> Result<ResultStream<Stats>> {
        let what = what("read statistics of", container);
        let session = self.session().await?;
        let call = Call::get(format!("/containers/{}/stats", segment(container.as_str())))
            .query("stream", if follow { "1" } else { "0" });
        let response = self.wire.open(&session.prefix, call, &what).await?;
        let samples = lines_of::<Sample>(response, what, self.wire.address.clone());
        // A container that stopped goes on sending samples without a time.
        let running = samples.take_while(move |sample| {
            futures::future::ready(!follow || sample.as_ref().map_or(true, Sample::is_taken))
        });
        Ok(Box::pin(running.map(|sample| sample.map(|sample| sample.stats()))))
    }

    async fn resize_container(&self, container: &ContainerId, size: TerminalSize) -> Result<()> {
        let options = query::ResizeContainerTTYOptions { h: size.rows.into(), w: size.columns.into() };
        let client = &self.session().await?.client;
        let resized = client.resize_container_tty(container.as_str(), options).await;
        resized.map_err(self.failed(what("resize the terminal of", container)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grace_is_never_cut() {
        let rows = [
            (None, None),
            (Some(Duration::ZERO), Some(0)),
            (Some(Duration::from_millis(1)), Some(1)),
            (Some(Duration::from_secs(300)), Some(300)),
            (Some(Duration::MAX), Some(i32::MAX)),
        ];
        for (grace, expected) in rows {
            assert_eq!(seconds(grace), expected);
        }
    }
}
