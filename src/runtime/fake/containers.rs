//! What is done to containers of the fake.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;

use crate::names::{ContainerId, ContainerName, NetworkId, NetworkName, VolumeName};
use crate::resource::{
    Container, ContainerDetails, ContainerSpec, ContainerState, Created, Endpoint, Health, HealthProbe, MountKind,
    MountedAt, Texts,
};
use crate::runtime::fake::world::{Record, World};
use crate::runtime::fake::{Fake, volumes};
use crate::runtime::{
    Containers, Ending, Error, ErrorKind, LabelFilter, Processes, Result, ResultStream, Stats, TerminalSize,
};

#[async_trait]
impl Containers for Fake {
    async fn list_containers(&self, filter: &LabelFilter) -> Result<Vec<Container>> {
        let filter = filter.clone();
        self.look("list containers", move |world| {
            world.faults.look();
            let found = world.containers.values().filter(|record| filter.matches(&record.spec.labels));
            let mut found: Vec<&Record> = found.collect();
            // Newest first, as docker lists them.
            found.sort_by_key(|record| std::cmp::Reverse((record.created, record.name.clone())));
            Ok(found.into_iter().map(|record| listed(world, record)).collect())
        })
        .await
    }

    async fn inspect_container(&self, container: &ContainerId) -> Result<ContainerDetails> {
        let id = container.clone();
        self.look(format!("inspect container {container}"), move |world| {
            let record = world.known("inspect container", id.as_str())?;
            Ok(details(record))
        })
        .await
    }

    async fn create_container(&self, spec: &ContainerSpec) -> Result<Created> {
        let spec = spec.clone();
        self.change(format!("create container {}", spec.name), move |world| create(world, spec)).await
    }

    async fn start_container(&self, container: &ContainerId) -> Result<()> {
        let id = container.clone();
        self.change(format!("start container {}", self.name_of(container)), move |world| {
            let id = world.known("start container", id.as_str())?.id.clone();
            world.start(&id)
        })
        .await
    }

    async fn stop_container(&self, container: &ContainerId, grace: Option<Duration>) -> Result<()> {
        let id = container.clone();
        let stopping = self
            .change(format!("stop container {}", self.name_of(container)), move |world| {
                let id = world.known("stop container", id.as_str())?.id.clone();
                Ok(world.begin_stop(&id, grace).map(|run| (id, run)))
            })
            .await?;
        if let Some((id, run)) = stopping {
            self.end_of_run(&id, run).await;
            self.inside(|world| world.tell_container(&id, "stop", &[]));
        }
        Ok(())
    }

    async fn restart_container(&self, container: &ContainerId, grace: Option<Duration>) -> Result<()> {
        let id = container.clone();
        let (id, stopping) = self
            .change(format!("restart container {}", self.name_of(container)), move |world| {
                let id = world.known("restart container", id.as_str())?.id.clone();
                let run = world.begin_stop(&id, grace);
                Ok((id, run))
            })
            .await?;
        if let Some(run) = stopping {
            self.end_of_run(&id, run).await;
            self.inside(|world| world.tell_container(&id, "stop", &[]));
        }
        self.inside(|world| {
            world.start(&id)?;
            world.tell_container(&id, "restart", &[]);
            Ok(())
        })
    }

    async fn signal_container(&self, container: &ContainerId, signal: &str) -> Result<()> {
        let (id, signal) = (container.clone(), signal.to_owned());
        let what = format!("send {signal} to container {}", self.name_of(container));
        self.change(what.clone(), move |world| {
            let record = world.known("signal container", id.as_str())?;
            if !record.is_alive() {
                return Err(not_running(&what, record));
            }
            let id = record.id.clone();
            world.signal(&id, &signal);
            Ok(())
        })
        .await
    }

    async fn pause_container(&self, container: &ContainerId) -> Result<()> {
        self.freeze("pause", container, ContainerState::Running, ContainerState::Paused).await
    }

    async fn unpause_container(&self, container: &ContainerId) -> Result<()> {
        self.freeze("unpause", container, ContainerState::Paused, ContainerState::Running).await
    }

    async fn remove_container(&self, container: &ContainerId, force: bool, volumes: bool) -> Result<()> {
        let id = container.clone();
        let what = format!("remove container {}", self.name_of(container));
        self.change(what.clone(), move |world| {
            let record = world.known("remove container", id.as_str())?;
            if record.is_running() && !force {
                let detail = format!(
                    "cannot remove container \"{}\": container is running: stop the container before removing or force remove",
                    record.name
                );
                return Err(Error::new(ErrorKind::Conflict, what, detail));
            }
            let id = record.id.clone();
            world.remove(&id, volumes);
            Ok(())
        })
        .await
    }

    async fn rename_container(&self, container: &ContainerId, name: &ContainerName) -> Result<()> {
        let (id, name) = (container.clone(), name.clone());
        let what = format!("rename container {} to {name}", self.name_of(container));
        self.change(what.clone(), move |world| {
            let id = world.known("rename container", id.as_str())?.id.clone();
            if let Some(error) = name_taken(world, &what, &name) {
                return Err(error);
            }
            let record = world.known("rename container", id.as_str())?;
            let old = std::mem::replace(&mut record.name, name.clone());
            record.spec.name = name;
            world.tell_container(&id, "rename", &[("oldName", format!("/{old}"))]);
            Ok(())
        })
        .await
    }

    async fn wait_container(&self, container: &ContainerId) -> Result<i64> {
        let id = container.clone();
        let (id, run) = self
            .look(format!("wait for container {container}"), move |world| {
                let record = world.known("wait for container", id.as_str())?;
                Ok((record.id.clone(), record.run))
            })
            .await?;
        Ok(self.end_of_run(&id, run).await)
    }

    async fn watch_end(&self, container: &ContainerId, removed: bool) -> Result<Ending> {
        let id = container.clone();
        let (id, run) = self
            .look(format!("wait for container {container}"), move |world| {
                let record = world.known("wait for container", id.as_str())?;
                Ok((record.id.clone(), if record.is_running() { record.run } else { record.run + 1 }))
            })
            .await?;
        let fake = self.clone();
        Ok(Box::pin(async move {
            let code = fake.until(|world| match world.containers.get(&id) {
                None => Some(last_code(world, &id)),
                Some(record) if record.run > run || (record.run == run && !record.is_running()) => {
                    (!removed).then_some(record.exit_code)
                }
                Some(_) => None,
            });
            Ok(code.await)
        }))
    }

    async fn processes(&self, container: &ContainerId) -> Result<Processes> {
        let id = container.clone();
        let what = format!("list processes of container {}", self.name_of(container));
        self.look(what.clone(), move |world| {
            let record = world.known("list processes of container", id.as_str())?;
            if !record.is_alive() {
                return Err(not_running(&what, record));
            }
            let titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];
            let command = command_of(&record.spec);
            let row = ["root", "4242", "4200", "0", "00:00", "?", "00:00:00", &command];
            Ok(Processes { titles: titles.map(str::to_owned).into(), rows: vec![row.map(str::to_owned).into()] })
        })
        .await
    }

    async fn stats(&self, container: &ContainerId, follow: bool) -> Result<ResultStream<Stats>> {
        let id = container.clone();
        let (id, run, alive) = self
            .look(format!("read the use of container {container}"), move |world| {
                let record = world.known("read the use of container", id.as_str())?;
                Ok((record.id.clone(), record.run, record.is_alive()))
            })
            .await?;
        let sample = Stats { cpu_percent: 1.5, memory: 4 << 20, memory_limit: 1 << 30, pids: 1, ..Stats::default() };
        let sample = if alive { sample } else { Stats::default() };
        if !follow {
            return Ok(Box::pin(futures::stream::iter([Ok(sample)])));
        }
        let fake = self.clone();
        Ok(Box::pin(futures::stream::unfold(true, move |first| {
            let (fake, id) = (fake.clone(), id.clone());
            async move {
                if !first {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                let runs = |world: &mut World| {
                    world.containers.get(&id).is_some_and(|record| record.run == run && record.is_alive())
                };
                (first || fake.inside(runs)).then_some((Ok(sample), false))
            }
        })))
    }

    async fn resize_container(&self, container: &ContainerId, _size: TerminalSize) -> Result<()> {
        let id = container.clone();
        self.change(format!("resize container {}", self.name_of(container)), move |world| {
            let what = format!("resize container {id}");
            let record = world.known("resize container", id.as_str())?;
            if record.is_alive() { Ok(()) } else { Err(not_running(&what, record)) }
        })
        .await
    }
}

/// The code with which a container that is gone ended last.
fn last_code(world: &World, id: &ContainerId) -> i64 {
    let mut deaths = world.events.iter().rev().filter(|event| event.action == "die" && event.id == id.as_str());
    deaths.find_map(|event| event.attributes.get("exitCode")?.parse().ok()).unwrap_or(137)
}

impl Fake {
    /// Waits for the end of a run and gives its code; one that was removed meanwhile ended with 137.
    async fn end_of_run(&self, id: &ContainerId, run: u64) -> i64 {
        self.until(|world| match world.containers.get(id) {
            None => Some(137),
            Some(record) if record.run != run || !record.is_running() => Some(record.exit_code),
            Some(_) => None,
        })
        .await
    }

    async fn freeze(
        &self,
        verb: &'static str,
        container: &ContainerId,
        from: ContainerState,
        to: ContainerState,
    ) -> Result<()> {
        let id = container.clone();
        let what = format!("{verb} container {}", self.name_of(container));
        self.change(what.clone(), move |world| {
            let record = world.known(verb, id.as_str())?;
            if record.state != from {
                let detail = if to == ContainerState::Running {
                    format!("Container {} is not paused", record.id)
                } else if record.state == to {
                    format!("Container {} is already paused", record.id)
                } else {
                    format!("container {} is not running", record.id)
                };
                return Err(Error::new(ErrorKind::Conflict, what, detail));
            }
            record.state = to;
            let id = record.id.clone();
            world.tell_container(&id, verb, &[]);
            Ok(())
        })
        .await
    }
}

pub(super) fn not_running(what: &str, record: &Record) -> Error {
    Error::new(ErrorKind::Conflict, what, format!("container {} is not running", record.id))
}

fn name_taken(world: &World, what: &str, name: &ContainerName) -> Option<Error> {
    let holder = world.containers.values().find(|record| record.name == *name)?;
    let detail = format!(
        "Conflict. The container name \"/{name}\" is already in use by container \"{}\". You have to remove (or rename) that container to be able to reuse that name.",
        holder.id
    );
    Some(Error::new(ErrorKind::Conflict, what, detail))
}

fn create(world: &mut World, mut spec: ContainerSpec) -> Result<Created> {
    let what = format!("create container {}", spec.name);
    if let Some(error) = name_taken(world, &what, &spec.name) {
        return Err(error);
    }
    let Some(image) = world.image(spec.image.as_str()).cloned() else {
        return Err(Error::new(ErrorKind::NotFound, what, format!("No such image: {}", spec.image)));
    };
    let id = ContainerId::new(world.new_id("container"));
    if spec.name.as_str().is_empty() {
        spec.name = format!("nameless_{}", id.short()).into();
    }
    let networks = networks_of(&spec);
    let mounts = volumes::mounts_of(world, &what, &spec, &image)?;
    let record = Record {
        id: id.clone(),
        name: spec.name.clone(),
        image_id: image.id,
        created: world.clock,
        state: ContainerState::Created,
        health: Health::None,
        exit_code: 0,
        error: String::new(),
        restart_count: 0,
        started: None,
        finished: None,
        run: 0,
        stopped: false,
        networks,
        mounts,
        ports: Vec::new(),
        files: BTreeMap::new(),
        log: Vec::new(),
        input: Vec::new(),
        waiting: Vec::new(),
        input_ended: false,
        spec,
    };
    world.containers.insert(id.clone(), record);
    world.tell_container(&id, "create", &[]);
    Ok(Created { id, warnings: Vec::new() })
}

fn networks_of(spec: &ContainerSpec) -> IndexMap<NetworkName, Endpoint> {
    let mode = spec.host.network_mode.as_deref().unwrap_or("default");
    if spec.network_disabled || mode.starts_with("container:") {
        return IndexMap::new();
    }
    let mut networks = spec.endpoints.clone();
    let main = if mode == "default" || mode.is_empty() { "bridge" } else { mode };
    if networks.is_empty() || (mode != "default" && !mode.is_empty() && !networks.contains_key(main)) {
        networks.insert(main.into(), Endpoint::default());
    }
    networks
}

/// Numbers of the user it runs as; names are not known here.
pub(super) fn user_of(spec: &ContainerSpec) -> (u64, u64) {
    let text = spec.user.as_deref().unwrap_or_default();
    let (user, group) = text.split_once(':').unwrap_or((text, ""));
    (user.parse().unwrap_or(0), group.parse().unwrap_or(0))
}

fn command_of(spec: &ContainerSpec) -> String {
    let words = spec.entrypoint.iter().chain(&spec.command).flatten();
    words.map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn listed(world: &World, record: &Record) -> Container {
    let id_of =
        |name: &NetworkName| world.network(name.as_str()).map_or_else(NetworkId::default, |network| network.id.clone());
    Container {
        id: record.id.clone(),
        name: record.name.clone(),
        image: record.spec.image.as_str().to_owned(),
        image_id: record.image_id.clone(),
        command: command_of(&record.spec),
        created: World::seconds(record.created),
        state: record.state,
        status: status(world, record),
        health: if record.is_alive() { record.health } else { Health::None },
        exit_code: (record.state == ContainerState::Exited).then_some(record.exit_code),
        labels: record.spec.labels.clone(),
        ports: record.ports.clone(),
        networks: record.networks.keys().map(|name| (name.clone(), id_of(name))).collect(),
        mounts: record.mounts.clone(),
        size_rw: None,
    }
}

/// The engine's phrase.
fn status(world: &World, record: &Record) -> String {
    let ago = |at: Option<Duration>| match world.clock.saturating_sub(at.unwrap_or_default()).as_secs() {
        0 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        seconds @ 2..60 => format!("{seconds} seconds"),
        60..120 => "About a minute".to_owned(),
        seconds @ 120..3600 => format!("{} minutes", seconds / 60),
        seconds => format!("{} hours", seconds / 3600),
    };
    match record.state {
        ContainerState::Created => "Created".to_owned(),
        ContainerState::Running => match record.health {
            Health::None => format!("Up {}", ago(record.started)),
            Health::Starting => format!("Up {} (health: starting)", ago(record.started)),
            Health::Healthy | Health::Unhealthy => {
                format!("Up {} ({})", ago(record.started), record.health.as_str())
            }
        },
        ContainerState::Paused => format!("Up {} (Paused)", ago(record.started)),
        ContainerState::Restarting => format!("Restarting ({}) {} ago", record.exit_code, ago(record.finished)),
        ContainerState::Removing => "Removal In Progress".to_owned(),
        ContainerState::Exited => format!("Exited ({}) {} ago", record.exit_code, ago(record.finished)),
        ContainerState::Dead => "Dead".to_owned(),
    }
}

fn details(record: &Record) -> ContainerDetails {
    let probe = match record.health {
        Health::Healthy => Some(HealthProbe { exit_code: 0, output: String::new() }),
        Health::Unhealthy => Some(HealthProbe { exit_code: 1, output: "not well".to_owned() }),
        Health::None | Health::Starting => None,
    };
    ContainerDetails {
        id: record.id.clone(),
        state: record.state,
        health: record.health,
        probes: probe.into_iter().collect(),
        exit_code: record.exit_code,
        oom_killed: false,
        error: record.error.clone(),
        restart_count: record.restart_count,
        started_at: World::time_text(record.started),
        finished_at: World::time_text(record.finished),
        image_id: record.image_id.clone(),
        ports: record.ports.clone(),
        mounts: record.mounts.clone(),
        spec: ContainerSpec { name: record.name.clone(), ..record.spec.clone() },
    }
}

/// A mount of a volume.
pub(super) fn volume_mount(name: &VolumeName, destination: &str, writable: bool) -> MountedAt {
    MountedAt {
        kind: "volume".to_owned(),
        name: name.as_str().to_owned(),
        source: format!("/var/lib/fake/volumes/{name}/_data"),
        destination: destination.to_owned(),
        driver: "local".to_owned(),
        writable,
    }
}

/// The word by which a found mount is told.
pub(super) fn kind_word(kind: &MountKind) -> &str {
    match kind {
        MountKind::Bind { .. } => "bind",
        MountKind::Volume { .. } => "volume",
        MountKind::Tmpfs { .. } => "tmpfs",
        MountKind::Image { .. } => "image",
        MountKind::Other(word) => word,
    }
}

/// Labels as a network or volume event has them.
pub(super) fn named(name: &str) -> Texts {
    [("name".to_owned(), name.to_owned())].into()
}
