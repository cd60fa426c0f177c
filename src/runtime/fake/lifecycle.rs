//! How containers of the fake live: starting, ending, restarting by themselves, health.

use std::time::Duration;

use bytes::Bytes;

use crate::names::{ContainerId, VolumeName};
use crate::resource::{ContainerState, Health, PublishedPort};
use crate::runtime::fake::world::{Effect, Record, World, Written};
use crate::runtime::{Error, ErrorKind, Output, Result};

/// How long a container may take to stop when nobody said so.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// The first pause before a restart policy acts; it doubles each time.
const FIRST_RESTART_PAUSE: Duration = Duration::from_millis(100);
/// First of the ports that are picked for containers.
const FIRST_PICKED_PORT: u16 = 32768;

impl World {
    /// The container and its id, or `NotFound`.
    pub(super) fn known(&mut self, what: &str, id_or_name: &str) -> Result<&mut Record> {
        let id = self.container_id(id_or_name);
        id.and_then(|id| self.containers.get_mut(&id)).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("{what} {id_or_name}"), format!("No such container: {id_or_name}"))
        })
    }

    /// What is due happens.
    pub(super) fn happen(&mut self, effect: Effect) {
        match effect {
            Effect::Write { container, run, output, bytes } => {
                if self.containers.get(&container).is_some_and(|record| record.run == run && record.is_alive()) {
                    self.write_log(&container, output, bytes);
                }
            }
            Effect::Healthy { container, run, health } => {
                let Some(record) = self.containers.get_mut(&container) else { return };
                if record.run == run && record.is_alive() && record.health != health {
                    record.health = health;
                    self.tell_container(&container, &format!("health_status: {}", health.as_str()), &[]);
                }
            }
            Effect::Exit { container, run, code } => {
                if self.containers.get(&container).is_some_and(|record| record.run == run && record.is_alive()) {
                    self.end(&container, code);
                }
            }
            Effect::Restart { container, run } => {
                let due = |record: &Record| record.run == run && record.state == ContainerState::Restarting;
                if self.containers.get(&container).is_some_and(due)
                    && let Err(error) = self.start(&container)
                    && let Some(record) = self.containers.get_mut(&container)
                {
                    record.state = ContainerState::Exited;
                    record.error = error.detail;
                }
            }
            Effect::ExecEnd { exec } => {
                if let Some(exec) = self.execs.get_mut(&exec)
                    && exec.exit_code.is_none()
                {
                    exec.exit_code = Some(exec.behaviour.exit_code);
                    let attributes = [("exitCode", exec.behaviour.exit_code.to_string())];
                    let container = exec.container.clone();
                    self.tell_container(&container, "exec_die", &attributes);
                }
            }
        }
    }

    pub(super) fn write_log(&mut self, container: &ContainerId, output: Output, bytes: Bytes) {
        let at = self.clock;
        if let Some(record) = self.containers.get_mut(container) {
            record.log.push(Written { at, output, bytes });
        }
    }

    /// Starts it; nothing happens when it runs.
    pub(super) fn start(&mut self, id: &ContainerId) -> Result<()> {
        let Some(record) = self.containers.get(id) else {
            return Err(Error::new(ErrorKind::NotFound, format!("start container {id}"), "No such container"));
        };
        let what = format!("start container {}", record.name);
        match record.state {
            ContainerState::Running => return Ok(()),
            ContainerState::Paused => {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    what,
                    "cannot start a paused container, try unpause instead",
                ));
            }
            _ => {}
        }
        let behaviour = self.behaviour(record);
        let problem = match &behaviour.start_error {
            Some(reason) => Some((ErrorKind::Other, reason.clone())),
            None => self.start_problem(record),
        };
        if let Some((kind, reason)) = problem {
            if let Some(record) = self.containers.get_mut(id) {
                record.error.clone_from(&reason);
                record.exit_code = 128;
            }
            return Err(Error::new(kind, what, reason));
        }
        let record = record.clone();
        let ports = self.pick_ports(&record).map_err(|detail| Error::new(ErrorKind::Other, what, detail))?;
        let has_healthcheck = self.has_healthcheck(&record);
        let now = self.clock;
        let Some(record) = self.containers.get_mut(id) else { return Ok(()) };
        record.state = ContainerState::Running;
        record.health = if has_healthcheck { Health::Starting } else { Health::None };
        record.started = Some(now);
        record.exit_code = 0;
        record.error.clear();
        record.run += 1;
        record.stopped = false;
        record.ports = ports;
        let run = record.run;
        let (waiting, input_ended) = (std::mem::take(&mut record.waiting), std::mem::take(&mut record.input_ended));
        self.tell_container(id, "start", &[]);
        let container = id.clone();
        if behaviour.echoes {
            for bytes in waiting {
                let output = Output::Stdout;
                self.schedule(Duration::ZERO, Effect::Write { container: container.clone(), run, output, bytes });
            }
            if input_ended {
                let code = behaviour.exit_code;
                self.schedule(Duration::ZERO, Effect::Exit { container: container.clone(), run, code });
            }
        }
        for (at, output, bytes) in behaviour.writes {
            self.schedule(at, Effect::Write { container: container.clone(), run, output, bytes: bytes.into() });
        }
        if has_healthcheck {
            let turns = [(behaviour.healthy_after, Health::Healthy), (behaviour.unhealthy_after, Health::Unhealthy)];
            for (after, health) in turns.into_iter().filter_map(|(after, health)| Some((after?, health))) {
                self.schedule(after, Effect::Healthy { container: container.clone(), run, health });
            }
        }
        if let Some(after) = behaviour.runs_for {
            self.schedule(after, Effect::Exit { container, run, code: behaviour.exit_code });
        }
        Ok(())
    }

    fn start_problem(&self, record: &Record) -> Option<(ErrorKind, String)> {
        let missing = record.networks.keys().find(|name| self.network(name.as_str()).is_none());
        if let Some(name) = missing {
            return Some((
                ErrorKind::NotFound,
                format!("failed to set up container networking: network {name} not found"),
            ));
        }
        for mode in [&record.spec.host.network_mode, &record.spec.host.ipc_mode, &record.spec.host.pid_mode] {
            let Some(other) = mode.as_deref().and_then(|mode| mode.strip_prefix("container:")) else { continue };
            match self.container_id(other).and_then(|other| self.containers.get(&other)) {
                None => return Some((ErrorKind::NotFound, format!("No such container: {other}"))),
                Some(other) if !other.is_alive() => {
                    return Some((
                        ErrorKind::Conflict,
                        format!("cannot join network of a non running container: {}", other.id),
                    ));
                }
                Some(_) => {}
            }
        }
        None
    }

    fn has_healthcheck(&self, record: &Record) -> bool {
        let of_image = || self.image(record.image_id.as_str()).is_some_and(|image| image.has_healthcheck);
        match &record.spec.healthcheck {
            Some(check) if check.test.first().is_some_and(|word| word == "NONE") => false,
            Some(check) if !check.test.is_empty() => true,
            _ => of_image(),
        }
    }

    fn pick_ports(&self, record: &Record) -> std::result::Result<Vec<PublishedPort>, String> {
        let mut picked: Vec<PublishedPort> = Vec::new();
        let in_use = |picked: &[PublishedPort], port: u16, protocol: &str| {
            let same = |other: &PublishedPort| other.host_port == port && other.protocol == protocol;
            self.taken_ports.contains(&port)
                || picked.iter().any(same)
                || self.containers.values().filter(|other| other.is_running()).any(|other| other.ports.iter().any(same))
        };
        for (inside, bindings) in &record.spec.host.port_bindings {
            let (port, protocol) = inside.split_once('/').unwrap_or((inside, "tcp"));
            let container_port = port.parse().map_err(|_| format!("invalid port {port}"))?;
            for binding in bindings {
                let wanted: Vec<u16> = match binding.host_port.split_once('-') {
                    _ if binding.host_port.is_empty() || binding.host_port == "0" => {
                        (FIRST_PICKED_PORT..u16::MAX).collect()
                    }
                    Some((first, last)) => match (first.parse::<u16>(), last.parse::<u16>()) {
                        (Ok(first), Ok(last)) => (first..=last).collect(),
                        _ => return Err(format!("invalid port range {}", binding.host_port)),
                    },
                    None => vec![binding.host_port.parse().map_err(|_| format!("invalid port {}", binding.host_port))?],
                };
                let host_ip = if binding.host_ip.is_empty() { "0.0.0.0" } else { &binding.host_ip };
                let Some(host_port) = wanted.iter().copied().find(|port| !in_use(&picked, *port, protocol)) else {
                    let port = wanted.first().copied().unwrap_or(0);
                    return Err(format!("Bind for {host_ip}:{port} failed: port is already allocated"));
                };
                picked.push(PublishedPort {
                    host_ip: host_ip.to_owned(),
                    host_port,
                    container_port,
                    protocol: protocol.to_owned(),
                });
            }
        }
        Ok(picked)
    }

    /// Its process ended.
    pub(super) fn end(&mut self, id: &ContainerId, code: i64) {
        let now = self.clock;
        let Some(record) = self.containers.get_mut(id) else { return };
        let policy = record.spec.host.restart_policy.clone();
        let again = !record.stopped
            && match policy.name.as_str() {
                "always" | "unless-stopped" => true,
                "on-failure" => {
                    let most = policy.maximum_retry_count;
                    code != 0 && (most == 0 || record.restart_count < most)
                }
                _ => false,
            };
        record.exit_code = code;
        record.finished = Some(now);
        if record.health != Health::None {
            record.health = Health::Unhealthy;
        }
        record.ports.clear();
        let run = record.run;
        let auto_remove = record.spec.host.auto_remove && !again;
        if again {
            record.state = ContainerState::Restarting;
            let pause = FIRST_RESTART_PAUSE * 2_u32.pow(u32::try_from(record.restart_count.min(9)).unwrap_or(9));
            record.restart_count += 1;
            self.schedule(pause, Effect::Restart { container: id.clone(), run });
        } else {
            record.state = ContainerState::Exited;
        }
        self.tell_container(id, "die", &[("exitCode", code.to_string())]);
        if auto_remove {
            self.remove(id, true);
        }
    }

    /// Asks it to stop: it will end when its script says, at the latest after `grace`. Gives the run that will end,
    /// `None` when it does not run.
    pub(super) fn begin_stop(&mut self, id: &ContainerId, grace: Option<Duration>) -> Option<u64> {
        let record = self.containers.get_mut(id).filter(|record| record.is_running())?;
        record.stopped = true;
        let run = record.run;
        if record.state == ContainerState::Restarting {
            record.state = ContainerState::Exited;
            return None;
        }
        let own = record.spec.stop_timeout.map(|seconds| Duration::from_secs(seconds.try_into().unwrap_or(u64::MAX)));
        let grace = grace.or(own).unwrap_or(STOP_TIMEOUT);
        let record = record.clone();
        let behaviour = self.behaviour(&record);
        self.tell_container(id, "kill", &[("signal", "15".to_owned())]);
        let (after, code) = match behaviour.stop_takes {
            Some(takes) if takes <= grace => (takes, behaviour.stop_code),
            _ => (grace, 137),
        };
        self.schedule(after, Effect::Exit { container: id.clone(), run, code });
        Some(run)
    }

    /// Sends a signal to a running one.
    pub(super) fn signal(&mut self, id: &ContainerId, signal: &str) {
        let Some(record) = self.containers.get_mut(id) else { return };
        let name = signal.trim_start_matches("SIG");
        let run = record.run;
        let record = record.clone();
        let behaviour = self.behaviour(&record);
        self.tell_container(id, "kill", &[("signal", signal.to_owned())]);
        let mut stopped = true;
        match name {
            "KILL" | "9" => self.end_now(id, 137),
            "TERM" | "15" | "INT" | "2" | "QUIT" | "3" => {
                if let Some(takes) = behaviour.stop_takes {
                    self.mark_stopped(id);
                    self.schedule(takes, Effect::Exit { container: id.clone(), run, code: behaviour.stop_code });
                }
            }
            _ => stopped = false,
        }
        if stopped {
            self.mark_stopped(id);
        }
    }
    fn mark_stopped(&mut self, id: &ContainerId) {
        if let Some(record) = self.containers.get_mut(id) {
            record.stopped = true;
        }
    }
    fn end_now(&mut self, id: &ContainerId, code: i64) {
        self.mark_stopped(id);
        self.end(id, code);
    }

    /// Takes it away, killing it first.
    pub(super) fn remove(&mut self, id: &ContainerId, volumes: bool) {
        if self.containers.get(id).is_some_and(Record::is_alive) {
            self.tell_container(id, "kill", &[("signal", "9".to_owned())]);
            self.end_now(id, 137);
        }
        self.tell_container(id, "destroy", &[]);
        let Some(mut record) = self.containers.remove(id) else { return };
        self.last_words.insert(id.clone(), std::mem::take(&mut record.log));
        if !volumes {
            return;
        }
        for mount in record.mounts.iter().filter(|mount| mount.kind == "volume") {
            let name = VolumeName::new(mount.name.clone());
            if self.volumes.get(&name).is_some_and(|volume| volume.is_anonymous) && !self.is_mounted(&name) {
                self.volumes.remove(&name);
                self.tell("volume", "destroy", name.as_str(), [("driver".to_owned(), "local".to_owned())].into());
            }
        }
    }
    /// Whether a container, running or not, has the volume.
    pub(super) fn is_mounted(&self, volume: &VolumeName) -> bool {
        let mut mounts = self.containers.values().flat_map(|record| &record.mounts);
        mounts.any(|mount| mount.kind == "volume" && mount.name == volume.as_str())
    }
}
