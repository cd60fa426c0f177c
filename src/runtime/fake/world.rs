//! The world of the fake: everything in it, its clock, and what will happen in it without a further call.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use indexmap::IndexMap;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::names::{ContainerId, ContainerName, ImageId, NetworkName, VolumeName};
use crate::resource::{
    ContainerSpec, ContainerState, Endpoint, EngineFacts, Health, ImageDetails, MountedAt, Network, PublishedPort,
    Texts, Volume,
};
use crate::runtime::fake::behaviour::{Behaviour, ExecBehaviour, fits};
use crate::runtime::fake::fault::Faults;
use crate::runtime::{Output, RuntimeEvent};

/// When a fake's world begins: 2026-01-01T00:00:00Z, in seconds since 1970.
const BEGINNING: i64 = 1_767_225_600;

/// A container.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) id: ContainerId,
    pub(super) name: ContainerName,
    pub(super) spec: ContainerSpec,
    pub(super) image_id: ImageId,
    pub(super) created: Duration,
    pub(super) state: ContainerState,
    pub(super) health: Health,
    pub(super) exit_code: i64,
    pub(super) error: String,
    pub(super) restart_count: i64,
    pub(super) started: Option<Duration>,
    pub(super) finished: Option<Duration>,
    /// Which of its runs this is; what was meant for an earlier one does not happen.
    pub(super) run: u64,
    /// Somebody stopped it, so that its restart policy does not apply.
    pub(super) stopped: bool,
    pub(super) networks: IndexMap<NetworkName, Endpoint>,
    pub(super) mounts: Vec<MountedAt>,
    pub(super) ports: Vec<PublishedPort>,
    pub(super) files: BTreeMap<String, File>,
    /// What it wrote, piece by piece.
    pub(super) log: Vec<Written>,
    /// What it was told by whom is attached.
    pub(super) input: Vec<u8>,
    /// What it was told before it was started.
    pub(super) waiting: Vec<Bytes>,
    /// Its input ended before it was started.
    pub(super) input_ended: bool,
}

impl Record {
    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, ContainerState::Running | ContainerState::Paused | ContainerState::Restarting)
    }
    /// Whether there are processes now.
    pub(super) fn is_alive(&self) -> bool {
        matches!(self.state, ContainerState::Running | ContainerState::Paused)
    }
}

/// A file in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) content: Vec<u8>,
    pub(super) mode: u32,
    pub(super) owner: (u64, u64),
}

/// A piece of output.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) at: Duration,
    pub(super) output: Output,
    pub(super) bytes: Bytes,
}

/// A volume and what lies in it.
#[derive(Clone, Debug)]
pub(super) struct VolumeRecord {
    pub(super) volume: Volume,
    pub(super) is_anonymous: bool,
    pub(super) content: String,
}

/// A command inside a container.
#[derive(Clone, Debug)]
pub(super) struct ExecRecord {
    pub(super) container: ContainerId,
    pub(super) run: u64,
    pub(super) behaviour: ExecBehaviour,
    pub(super) started: bool,
    pub(super) exit_code: Option<i64>,
    pub(super) output: Vec<(Output, Bytes)>,
}

/// An image that a registry has.
#[derive(Clone, Debug)]
pub(super) struct Remote {
    pub(super) image: ImageDetails,
    pub(super) takes: Duration,
}

/// Something that will happen.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    Write { container: ContainerId, run: u64, output: Output, bytes: Bytes },
    Healthy { container: ContainerId, run: u64, health: Health },
    Exit { container: ContainerId, run: u64, code: i64 },
    Restart { container: ContainerId, run: u64 },
    ExecEnd { exec: String },
}

/// Everything.
#[derive(Clone)]
pub(super) struct World {
    pub(super) facts: EngineFacts,
    pub(super) containers: BTreeMap<ContainerId, Record>,
    pub(super) networks: Vec<Network>,
    pub(super) volumes: BTreeMap<VolumeName, VolumeRecord>,
    pub(super) images: Vec<ImageDetails>,
    pub(super) remotes: BTreeMap<String, Remote>,
    pub(super) builds: BTreeMap<String, ImageDetails>,
    pub(super) execs: BTreeMap<String, ExecRecord>,
    pub(super) events: Vec<RuntimeEvent>,
    /// What removed containers wrote: whoever was attached still gets it.
    pub(super) last_words: BTreeMap<ContainerId, Vec<Written>>,
    /// Grows whenever event streams are cut.
    pub(super) event_cuts: u64,
    pub(super) behaviours: Vec<(String, Behaviour)>,
    pub(super) exec_behaviours: Vec<(String, ExecBehaviour)>,
    /// Ports of the host that something else than a container holds.
    pub(super) taken_ports: BTreeSet<u16>,
    pub(super) faults: Faults,
    pub(super) clock: Duration,
    last_look: Option<Instant>,
    pub(super) effects: BTreeMap<(Duration, u64), Effect>,
    counter: u64,
}

impl World {
    pub(super) fn new(facts: EngineFacts) -> Self {
        let mut world = Self {
            facts,
            containers: BTreeMap::new(),
            networks: Vec::new(),
            volumes: BTreeMap::new(),
            images: Vec::new(),
            remotes: BTreeMap::new(),
            builds: BTreeMap::new(),
            execs: BTreeMap::new(),
            events: Vec::new(),
            last_words: BTreeMap::new(),
            event_cuts: 0,
            behaviours: Vec::new(),
            exec_behaviours: Vec::new(),
            taken_ports: BTreeSet::new(),
            faults: Faults::default(),
            clock: Duration::ZERO,
            last_look: None,
            effects: BTreeMap::new(),
            counter: 0,
        };
        for (name, driver) in [("bridge", "bridge"), ("host", "host"), ("none", "null")] {
            let id = world.new_id("network").into();
            let network = Network {
                id,
                name: name.into(),
                driver: driver.to_owned(),
                scope: "local".to_owned(),
                internal: false,
                labels: Texts::new(),
            };
            world.networks.push(network);
        }
        world
    }

    /// 64 hex digits that no other thing of this world has, the same in every run of a test.
    pub(super) fn new_id(&mut self, kind: &str) -> String {
        self.counter += 1;
        hex(&format!("{kind} {}", self.counter))
    }

    /// Lets time pass and what is due happen, in its order. Tells whether anything happened.
    pub(super) fn advance(&mut self) -> bool {
        let now = Instant::now();
        // Clocks of two tests' runtimes need not agree: time never goes back here.
        let passed = self.last_look.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        self.last_look = Some(now);
        let until = self.clock + passed;
        let mut happened = false;
        while let Some(entry) = self.effects.first_entry()
            && entry.key().0 <= until
        {
            self.clock = self.clock.max(entry.key().0);
            let effect = entry.remove();
            self.happen(effect);
            happened = true;
        }
        self.clock = until;
        happened
    }
    /// How long until something happens by itself.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.effects.first_key_value().map(|((at, _), _)| at.saturating_sub(self.clock))
    }
    pub(super) fn schedule(&mut self, after: Duration, effect: Effect) {
        self.counter += 1;
        self.effects.insert((self.clock + after, self.counter), effect);
    }

    /// Seconds since 1970.
    pub(super) fn seconds(at: Duration) -> i64 {
        BEGINNING + i64::try_from(at.as_secs()).unwrap_or(i64::MAX / 2)
    }
    /// Nanoseconds since 1970.
    pub(super) fn nanoseconds(at: Duration) -> i64 {
        BEGINNING * 1_000_000_000 + i64::try_from(at.as_nanos()).unwrap_or(i64::MAX / 4)
    }
    /// RFC 3339; the engine's zero time for what never was.
    pub(super) fn time_text(at: Option<Duration>) -> String {
        let Some(at) = at else { return "0001-01-01T00:00:00Z".to_owned() };
        jiff::Timestamp::from_nanosecond(Self::nanoseconds(at).into())
            .map_or_else(|_| String::new(), |time| format!("{time:.9}"))
    }

    /// By id or by name.
    pub(super) fn container_id(&self, id_or_name: &str) -> Option<ContainerId> {
        if let Some((id, _)) = self.containers.get_key_value(id_or_name) {
            return Some(id.clone());
        }
        self.containers.values().find(|record| record.name.as_str() == id_or_name).map(|record| record.id.clone())
    }
    pub(super) fn network(&self, name_or_id: &str) -> Option<&Network> {
        let named = self.networks.iter().find(|network| network.name.as_str() == name_or_id);
        named.or_else(|| self.networks.iter().find(|network| network.id.as_str() == name_or_id))
    }
    pub(super) fn image(&self, reference: &str) -> Option<&ImageDetails> {
        let full = normal(reference);
        self.images
            .iter()
            .find(|image| image.tags.iter().any(|tag| normal(tag) == full))
            .or_else(|| self.images.iter().find(|image| image.digests.iter().any(|digest| digest == reference)))
            .or_else(|| self.images.iter().find(|image| image.id.as_str() == reference))
    }
    /// Gives an image a name, taking it from the one that has it.
    pub(super) fn name_image(&mut self, mut image: ImageDetails, reference: &str) {
        let full = normal(reference);
        for other in &mut self.images {
            other.tags.retain(|tag| normal(tag) != full);
        }
        if let Some(known) = self.images.iter_mut().find(|other| other.id == image.id) {
            known.tags.push(reference.to_owned());
        } else {
            image.tags = vec![reference.to_owned()];
            self.images.push(image);
        }
    }
    /// The script for a container: the last one that fits its name or image.
    pub(super) fn behaviour(&self, record: &Record) -> Behaviour {
        let image = record.spec.image.as_str();
        self.behaviours
            .iter()
            .rev()
            .find(|(pattern, _)| fits(pattern, record.name.as_str()) || fits(pattern, image))
            .map(|(_, behaviour)| behaviour.clone())
            .unwrap_or_default()
    }

    /// Tells something of a thing.
    pub(super) fn tell(&mut self, kind: &str, action: &str, id: &str, attributes: Texts) {
        // Times differ even when nothing takes time, so that `since` is exact.
        let order = i64::try_from(self.events.len()).unwrap_or(0);
        self.events.push(RuntimeEvent {
            time: Self::nanoseconds(self.clock) + order,
            kind: kind.to_owned(),
            action: action.to_owned(),
            id: id.to_owned(),
            attributes,
        });
    }
    /// Tells something of a container: with its labels, name and image, as docker does.
    pub(super) fn tell_container(&mut self, id: &ContainerId, action: &str, more: &[(&str, String)]) {
        let Some(record) = self.containers.get(id) else { return };
        let mut attributes = record.spec.labels.clone();
        attributes.insert("name".to_owned(), record.name.as_str().to_owned());
        attributes.insert("image".to_owned(), record.spec.image.as_str().to_owned());
        attributes.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        self.tell("container", action, id.as_str(), attributes);
    }
}

/// The full form of a reference: `docker.io/library/x` is `x`, and no tag is `latest`.
pub(super) fn normal(reference: &str) -> String {
    let short = reference.strip_prefix("docker.io/").unwrap_or(reference);
    let short = short.strip_prefix("library/").unwrap_or(short);
    let last = short.rsplit('/').next().unwrap_or(short);
    if last.contains(':') || short.contains('@') { short.to_owned() } else { format!("{short}:latest") }
}

/// 64 hex digits that hang on a text only.
pub(super) fn hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
