//! A plan: every operation, why it is done, and what it waits for. Holds all that the engine needs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::names::{ContainerId, ContainerName, ImageId, NetworkName, ServiceName, VolumeName};
use crate::resource::{BuildRequest, ContainerSpec, Endpoint, FileUpload, NetworkSpec, ResourceId, VolumeSpec};

/// Which operation of a plan; operations are numbered from 0 in the order in which they were planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u32);

impl NodeId {
    /// Position in [`Plan::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is to be done, in an order that may run side by side wherever nothing waits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Operations; each waits only for earlier ones.
    pub nodes: Vec<PlanNode>,
    /// What a person must answer before the plan may run; the answers change the next plan.
    pub questions: Vec<Question>,
    /// Why the plan must not run at all.
    pub blockers: Vec<Blocker>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// What is as it should be.
    pub unchanged: Vec<Unchanged>,
    /// Whether this is all; else look and plan again once it ran.
    pub complete: bool,
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanNode {
    /// What is done.
    pub op: Op,
    /// To what.
    pub target: ResourceId,
    /// Why.
    pub reason: Reason,
    /// Whether it is known to be needed.
    pub certainty: Certainty,
    /// What must be over before it begins.
    pub after: Vec<Edge>,
    /// How progress shows it.
    pub shown: Shown,
    /// Whether its failure is only told and does not count (and does not hold up what waits for it).
    pub optional: bool,
}

/// That one operation waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The earlier one.
    pub node: NodeId,
    /// What of it is needed.
    pub need: Need,
}

/// What of an earlier operation is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Need {
    /// That it succeeded; else this one is skipped.
    Success,
    /// That it is over, one way or the other.
    Settled,
}

/// A container that is there, or one that the plan makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContainerRef {
    /// It is there.
    Existing(ContainerId),
    /// The operation (a `CreateContainer`) makes it.
    CreatedBy(NodeId),
}

/// Something of a container's configuration that hangs on the id of another container; filled in when that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Late {
    /// `network_mode` becomes `container:<id>`.
    NetworkMode(ContainerRef),
    /// `ipc_mode` becomes `container:<id>`.
    IpcMode(ContainerRef),
    /// `pid_mode` becomes `container:<id>`.
    PidMode(ContainerRef),
    /// The id is added to `volumes_from`.
    VolumesFrom(ContainerRef),
    /// A label becomes the SHA-256, in hex, of the parts written one after the other.
    LabelSha256 {
        /// The label.
        key: String,
        /// What is hashed.
        parts: Vec<HashPart>,
    },
}

/// A piece of a text that is hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HashPart {
    /// As it is.
    Text(String),
    /// The full id of a container.
    IdOf(ContainerRef),
}

/// What can be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Pull an image.
    PullImage {
        /// Its reference.
        reference: String,
        /// `os/arch`.
        platform: Option<String>,
    },
    /// Build an image.
    BuildImage {
        /// How.
        request: Box<BuildRequest>,
    },
    /// Give an image a further name.
    TagImage {
        /// The image.
        image: ImageId,
        /// The name.
        reference: String,
    },
    /// Push an image.
    PushImage {
        /// Its reference.
        reference: String,
    },
    /// Remove an image; one that is in use stays and is told.
    RemoveImage {
        /// Its reference.
        reference: String,
    },
    /// Create a network.
    CreateNetwork {
        /// How.
        spec: Box<NetworkSpec>,
    },
    /// Remove a network; one that is in use stays and is told.
    RemoveNetwork {
        /// Its id or name.
        network: String,
    },
    /// Connect a container to a network.
    Connect {
        /// The network.
        network: NetworkName,
        /// The container.
        container: ContainerRef,
        /// How.
        endpoint: Box<Endpoint>,
    },
    /// Disconnect a container from a network.
    Disconnect {
        /// The network.
        network: NetworkName,
        /// The container.
        container: ContainerRef,
    },
    /// Create a volume.
    CreateVolume {
        /// How.
        spec: Box<VolumeSpec>,
    },
    /// Remove a volume; one that is in use stays and is told.
    RemoveVolume {
        /// Its name.
        volume: VolumeName,
    },
    /// Create a container.
    CreateContainer {
        /// How; but for what `late` fills in.
        spec: Box<ContainerSpec>,
        /// What hangs on ids of other containers.
        late: Vec<Late>,
    },
    /// Start a container.
    StartContainer {
        /// Which.
        container: ContainerRef,
    },
    /// Stop a container.
    StopContainer {
        /// Which.
        container: ContainerRef,
        /// Only when the user said so; else the container's own stop timeout holds.
        grace: Option<Duration>,
    },
    /// Stop and start a container in one call.
    RestartContainer {
        /// Which.
        container: ContainerRef,
        /// Only when the user said so.
        grace: Option<Duration>,
    },
    /// Send a signal.
    SignalContainer {
        /// Which.
        container: ContainerRef,
        /// The signal's name or number.
        signal: String,
    },
    /// Freeze a container.
    PauseContainer {
        /// Which.
        container: ContainerRef,
    },
    /// Thaw a container.
    UnpauseContainer {
        /// Which.
        container: ContainerRef,
    },
    /// Remove a container; one that is not there any more is as good as removed.
    RemoveContainer {
        /// Which.
        container: ContainerRef,
        /// Kill it first when it runs.
        force: bool,
        /// With its anonymous volumes.
        volumes: bool,
    },
    /// Give a container another name.
    RenameContainer {
        /// Which.
        container: ContainerRef,
        /// The name.
        name: ContainerName,
    },
    /// Put files into a container before it starts.
    CopyInto {
        /// Which.
        container: ContainerRef,
        /// What; contents are never shown.
        files: Vec<FileUpload>,
    },
    /// Run a command inside a running container and wait for its end.
    RunHook {
        /// Which.
        container: ContainerRef,
        /// The service, for messages.
        service: ServiceName,
        /// Program and arguments.
        command: Vec<String>,
        /// `K=V`.
        environment: Vec<String>,
        /// As whom.
        user: Option<String>,
        /// Where.
        working_dir: Option<String>,
        /// With all rights.
        privileged: bool,
    },
    /// Make a container, run it to its end, and remove it when it ended with 0; else it stays to be looked at.
    RunStep {
        /// The service, for messages.
        service: ServiceName,
        /// Which `pre_start` step of it.
        index: u32,
        /// The container.
        spec: Box<ContainerSpec>,
        /// What of it hangs on ids of other containers.
        late: Vec<Late>,
    },
    /// Ask an external program to provide a service.
    RunProvider {
        /// The service.
        service: ServiceName,
        /// The program's type.
        kind: String,
        /// `up`, `down`, `stop`.
        verb: String,
        /// `--key=value`, in order.
        options: Vec<String>,
    },
    /// Have a model ready to be used.
    ConfigureModel {
        /// Its key in the files.
        key: String,
        /// Its reference.
        model: String,
        /// Length of the context, in tokens.
        context_size: Option<i64>,
        /// Flags for the model's runtime.
        flags: Vec<String>,
    },
    /// Wait for a container.
    Await {
        /// Which.
        container: ContainerRef,
        /// The service, for messages.
        service: ServiceName,
        /// For what.
        until: Until,
        /// At most so long; `None` is for ever.
        timeout: Option<Duration>,
    },
}

/// What of a container is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Until {
    /// It runs (or has run and ended with 0).
    Started,
    /// It is healthy; having no healthcheck, being unhealthy or having ended is a failure.
    Healthy,
    /// It is healthy, or running if it has no healthcheck, or has ended with 0; another end is a failure, and so is a
    /// crash loop.
    RunningOrHealthy,
    /// It ended with 0; another code is a failure.
    CompletedSuccessfully,
    /// It ended.
    Exited,
}

/// Why an operation is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// It is not there.
    Missing,
    /// What it is made from has changed.
    ConfigChanged {
        /// What exactly, as far as it is known.
        fields: Vec<FieldChange>,
    },
    /// A mounted file, of which `x-on-change` says that its content counts, has another content now.
    ContentChanged {
        /// As it is written.
        path: String,
        /// `restart`, `recreate`, or a signal.
        answer: String,
        /// `file:line` of the rule.
        place: Option<String>,
    },
    /// Its image is another one now.
    ImageChanged {
        /// The image it was made from.
        from: String,
        /// The image that the reference means now.
        to: String,
    },
    /// Its image is pulled or built first, and may be another one then.
    ImageMayChange,
    /// What providers or models say of themselves is in its environment, and they are asked first.
    EnvironmentMayChange,
    /// It is not connected to a network it should be connected to.
    NetworkChanged {
        /// Which.
        network: NetworkName,
    },
    /// A volume it should have is not mounted.
    VolumeChanged {
        /// Which.
        volume: VolumeName,
    },
    /// A container whose namespace or volumes it uses is made anew.
    DependencyRecreated {
        /// Of which service.
        service: ServiceName,
    },
    /// It is not running.
    NotRunning,
    /// It ended and is started again, as every `up` does.
    RunsAgain {
        /// The code it ended with.
        exit_code: i64,
    },
    /// A step of replacing a container.
    Replaced,
    /// It was left behind by a run that was cut off.
    LeftBehind,
    /// Two containers have one service and number.
    Duplicate,
    /// More replicas are there than wanted.
    ScaleDown {
        /// How many are wanted.
        wanted: u32,
    },
    /// Its service is not in the files any more.
    Orphan,
    /// The user asked for it.
    Asked,
    /// Another operation of the plan needs it.
    NeededBy {
        /// Which service.
        service: ServiceName,
    },
    /// The pull policy says so.
    PullPolicy {
        /// Its word.
        policy: String,
    },
}

/// A field of the configuration that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Its path below the service: `environment.LOG_LEVEL`.
    pub path: String,
    /// The old value, when it is known and no secret.
    pub from: Option<String>,
    /// The new value, when it is no secret.
    pub to: Option<String>,
    /// `file:line` of the new value.
    pub place: Option<String>,
}

/// Whether an operation is known to be needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Certainty {
    /// It will be done.
    Sure,
    /// It will be done if an image that is pulled or built first turns out to be another one.
    IfImageChanges,
}

/// How progress shows an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The row: `Container shop-web-1`.
    pub row: String,
    /// While it goes on: `Creating`.
    pub begin: String,
    /// When it is done: `Created`.
    pub end: String,
    /// Operations of one group are one row: `begin` at the first, `end` after the last.
    pub group: Option<u32>,
    /// Not shown at all (unless it fails).
    pub hidden: bool,
}

/// What a person must answer first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Question {
    /// A volume does not fit its configuration any more; making it anew loses what it holds.
    RecreateVolume {
        /// Which.
        volume: VolumeName,
    },
    /// These containers would be removed.
    RemoveContainers {
        /// Which.
        names: Vec<ContainerName>,
    },
}

/// Why a plan must not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// What is the matter, in one phrase.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// `file:line:column` of what asks for it.
    pub place: Option<String>,
}

/// Something that is as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unchanged {
    /// What.
    pub target: ResourceId,
    /// The word that progress shows: `Running`.
    pub word: String,
    /// The container, when it is one.
    pub container: Option<ContainerId>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
    /// The operation with a number; `None` only for a number of another plan.
    pub fn node(&self, id: NodeId) -> Option<&PlanNode> {
        self.nodes.get(id.index())
    }
    /// Operations with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &PlanNode)> {
        (0..).map(NodeId).zip(&self.nodes)
    }
}

impl Shown {
    /// A row of its own.
    pub fn new(target: &ResourceId, begin: &str, end: &str) -> Self {
        Self { row: target.to_string(), begin: begin.to_owned(), end: end.to_owned(), group: None, hidden: false }
    }
    /// Not shown unless it fails.
    pub fn hidden(target: &ResourceId) -> Self {
        Self { hidden: true, ..Self::new(target, "", "") }
    }
}
