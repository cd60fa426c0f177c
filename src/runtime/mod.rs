//! What an engine can do. Knows nothing of Compose: no project, no service, no label has a meaning here.
//!
//! A runtime is used as `Arc<dyn Runtime>`. What a method promises is written at the method and held by the contract
//! tests, which the in-memory fake and every real engine pass alike.

#[doc(hidden)]
pub mod contract;
pub mod docker;
mod error;
pub mod fake;
pub mod ignore;
mod stream;

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::Stream;

use crate::names::{ContainerId, ContainerName, ImageId, NetworkName, VolumeName};
use crate::resource::{
    BuildProgress, BuildRequest, Builder, Container, ContainerDetails, ContainerSpec, Created, Endpoint, EngineFacts,
    HostFound, HostWish, ImageDetails, LayerProgress, Network, NetworkSpec, RegistryAuth, Texts, Volume, VolumeSpec,
};

pub use error::{Error, ErrorKind, Result};
pub use stream::{
    Archive, AttachOptions, Attached, Chunk, Commit, EventFilter, ExecSpec, ExecState, Input, Inside, InsideKind,
    LogOptions, Output, RuntimeEvent, Stats, StatsTotals, TerminalSize,
};

/// A stream of results that owns what it needs.
pub type ResultStream<T> = Pin<Box<dyn Stream<Item = Result<T>> + Send>>;

/// The end of a container, still to come: its exit code.
pub type Ending = Pin<Box<dyn Future<Output = Result<i64>> + Send>>;

/// Labels that things must have: `key` or `key=value`, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelFilter(pub Vec<String>);

impl LabelFilter {
    /// Things with this label and value.
    pub fn equals(key: &str, value: &str) -> Self {
        Self(vec![format!("{key}={value}")])
    }
    /// Whether labels satisfy it.
    pub fn matches(&self, labels: &Texts) -> bool {
        self.0.iter().all(|wanted| match wanted.split_once('=') {
            Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
            None => labels.contains_key(wanted),
        })
    }
}

/// Processes of a container: titles and one row per process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Processes {
    /// Column titles.
    pub titles: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<String>>,
}

/// Containers and what is done to them.
#[async_trait]
pub trait Containers {
    /// All containers with these labels, stopped ones included. One call to the engine, no inspect.
    async fn list_containers(&self, filter: &LabelFilter) -> Result<Vec<Container>>;
    /// One container by id or name. `NotFound` when there is none.
    async fn inspect_container(&self, container: &ContainerId) -> Result<ContainerDetails>;
    /// Creates a container. `Conflict` when the name is taken, `NotFound` when the image is not there. A network that is
    /// not there is `NotFound` here or at the start, as the engine likes.
    async fn create_container(&self, spec: &ContainerSpec) -> Result<Created>;
    /// Starts it; nothing happens when it runs already. `NotFound` when it is not there.
    async fn start_container(&self, container: &ContainerId) -> Result<()>;
    /// Stops it gently, then kills it after `grace`, or after its own stop timeout when `None`. Nothing happens when
    /// it does not run. Returns when it has stopped, however long that takes.
    async fn stop_container(&self, container: &ContainerId, grace: Option<Duration>) -> Result<()>;
    /// Stops and starts it in one call.
    async fn restart_container(&self, container: &ContainerId, grace: Option<Duration>) -> Result<()>;
    /// Sends a signal. `Conflict` when it does not run.
    async fn signal_container(&self, container: &ContainerId, signal: &str) -> Result<()>;
    /// Freezes it. `Conflict` when it does not run or is frozen.
    async fn pause_container(&self, container: &ContainerId) -> Result<()>;
    /// Thaws it. `Conflict` when it is not frozen.
    async fn unpause_container(&self, container: &ContainerId) -> Result<()>;
    /// Removes it, killing it first with `force`; with `volumes` its anonymous volumes go too. `NotFound` when it is
    /// not there, `Conflict` when it runs and there is no `force` or when it is being removed already.
    async fn remove_container(&self, container: &ContainerId, force: bool, volumes: bool) -> Result<()>;
    /// Gives it another name. `Conflict` when that is taken.
    async fn rename_container(&self, container: &ContainerId, name: &ContainerName) -> Result<()>;
    /// Waits until it does not run and gives its exit code; at once when it does not run.
    async fn wait_container(&self, container: &ContainerId) -> Result<i64>;
    /// The next end of a container that was created or runs: its exit code. Once this returned the end is not missed,
    /// even when the container is removed at once. With `removed` it is told when the container has been removed, too.
    async fn watch_end(&self, container: &ContainerId, removed: bool) -> Result<Ending>;
    /// Its processes. `Conflict` when it does not run.
    async fn processes(&self, container: &ContainerId) -> Result<Processes>;
    /// Samples of its use of resources: one when not `follow`, else about one a second until it stops.
    async fn stats(&self, container: &ContainerId, follow: bool) -> Result<ResultStream<Stats>>;
    /// Resizes its terminal. `Conflict` when it does not run.
    async fn resize_container(&self, container: &ContainerId, size: TerminalSize) -> Result<()>;
}

/// Files of a container, running or not.
#[async_trait]
pub trait Files {
    /// What lies at `path` inside; a link is not followed. `NotFound` when there is nothing.
    async fn look_inside(&self, container: &ContainerId, path: &str) -> Result<Inside>;
    /// Unpacks a tar archive below the directory `path` inside, making directories that are missing below it. Files
    /// belong to whom the archive says, or with `to_user` to the user that the container runs as. `NotFound` when there
    /// is no `path`, `Invalid` when a directory would take the place of a file, or the other way round.
    async fn upload(&self, container: &ContainerId, path: &str, archive: Archive, to_user: bool) -> Result<()>;
    /// A tar archive of what lies at `path` inside; its names begin with the last part of the path.
    async fn download(&self, container: &ContainerId, path: &str) -> Result<ResultStream<Bytes>>;
    /// A tar archive of all files, but for what is mounted.
    async fn export_container(&self, container: &ContainerId) -> Result<ResultStream<Bytes>>;
    /// Makes an image out of its files and gives the image's id.
    async fn commit_container(&self, container: &ContainerId, commit: &Commit) -> Result<ImageId>;
}

/// Images, how they come and go.
#[async_trait]
pub trait Images {
    /// One image by reference or id; `Ok(None)` when it is not there. With a platform (`os/arch`), only one that fits.
    async fn find_image(&self, reference: &str, platform: Option<&str>) -> Result<Option<ImageDetails>>;
    /// Local images with these labels.
    async fn list_images(&self, filter: &LabelFilter) -> Result<Vec<ImageDetails>>;
    /// Pulls an image; the stream ends when it is there, or with the error that kept it away. Dropping it ends the pull.
    async fn pull_image(
        &self,
        reference: &str,
        platform: Option<&str>,
        auth: Option<&RegistryAuth>,
    ) -> Result<ResultStream<LayerProgress>>;
    /// Pushes an image.
    async fn push_image(&self, reference: &str, auth: Option<&RegistryAuth>) -> Result<ResultStream<LayerProgress>>;
    /// The digest (`sha256:…`) that the registry has for a reference now; nothing is pulled. `NotFound` when it has none.
    async fn registry_digest(&self, reference: &str, auth: Option<&RegistryAuth>) -> Result<String>;
    /// Builds an image; the stream ends after `Built`, or with the error that made the build fail.
    async fn build_image(&self, request: &BuildRequest, builder: Builder) -> Result<ResultStream<BuildProgress>>;
    /// Gives an image a further name.
    async fn tag_image(&self, image: &ImageId, reference: &str) -> Result<()>;
    /// Takes a name away and the image with its last name. `NotFound`, or `Conflict` when a container uses it.
    async fn remove_image(&self, reference: &str) -> Result<()>;
}

/// Networks.
#[async_trait]
pub trait Networks {
    /// All networks with these labels.
    async fn list_networks(&self, filter: &LabelFilter) -> Result<Vec<Network>>;
    /// Networks of exactly this name, or else of this id; several when the engine allows equal names.
    async fn find_networks(&self, name_or_id: &str) -> Result<Vec<Network>>;
    /// Creates a network. `Conflict` when the name is taken.
    async fn create_network(&self, spec: &NetworkSpec) -> Result<Network>;
    /// Removes a network by name or id. `NotFound`, or `Conflict` when a container uses it.
    async fn remove_network(&self, network: &str) -> Result<()>;
    /// Connects a container.
    async fn connect(&self, network: &NetworkName, container: &ContainerId, endpoint: &Endpoint) -> Result<()>;
    /// Disconnects a container, running or not.
    async fn disconnect(&self, network: &NetworkName, container: &ContainerId) -> Result<()>;
}

/// Volumes.
#[async_trait]
pub trait Volumes {
    /// All volumes with these labels.
    async fn list_volumes(&self, filter: &LabelFilter) -> Result<Vec<Volume>>;
    /// One volume by name; `Ok(None)` when it is not there.
    async fn find_volume(&self, name: &VolumeName) -> Result<Option<Volume>>;
    /// Creates a volume; an existing one of this name is left as it is and returned.
    async fn create_volume(&self, spec: &VolumeSpec) -> Result<Volume>;
    /// Removes a volume. `NotFound`, or `Conflict` when a container uses it.
    async fn remove_volume(&self, name: &VolumeName) -> Result<()>;
}

/// What flows.
#[async_trait]
pub trait Streams {
    /// What a container wrote. Ends when all is told, or with `follow` when the container ends. Raw bytes, framed by
    /// the engine's own marks; a container with a terminal has one stream only.
    async fn logs(&self, container: &ContainerId, options: &LogOptions) -> Result<ResultStream<Chunk>>;
    /// Output from now on (and input): nothing is lost when it is called before the start.
    async fn attach(&self, container: &ContainerId, options: &AttachOptions) -> Result<Attached>;
    /// Prepares a command inside a running container and gives its id. `Conflict` when the container does not run.
    async fn create_exec(&self, container: &ContainerId, spec: &ExecSpec) -> Result<String>;
    /// Starts it attached.
    async fn start_exec(&self, exec: &str, tty: bool) -> Result<Attached>;
    /// Starts it and does not look back.
    async fn start_exec_detached(&self, exec: &str) -> Result<()>;
    /// How it goes.
    async fn inspect_exec(&self, exec: &str) -> Result<ExecState>;
    /// Sends a signal to it. `Unsupported` where that can not be done from here: engines have no call for it, and only
    /// who shares a machine with the engine and has the rights may signal the process itself.
    async fn signal_exec(&self, exec: &str, signal: &str) -> Result<()>;
    /// Resizes its terminal.
    async fn resize_exec(&self, exec: &str, size: TerminalSize) -> Result<()>;
    /// What happens from now on (or `since`). Once this returned, no later event is missed while the stream lives.
    async fn events(&self, filter: &EventFilter) -> Result<ResultStream<RuntimeEvent>>;
}

/// An engine.
#[async_trait]
pub trait Runtime: Containers + Files + Images + Networks + Volumes + Streams + Send + Sync {
    /// What engine it is. The first call makes the connection: `Unavailable` or `Denied` when there is none.
    async fn facts(&self) -> Result<EngineFacts>;
    /// What else is on the engine's host, as far as it can be known; nothing, when that is another machine.
    async fn look_at_host(&self, _wish: &HostWish) -> HostFound {
        HostFound::default()
    }
}
