//! Words that planner, engine and runtime share, as plain data: what is wanted, what is found, and what it is called.

mod bake;
mod container;
mod engine;
mod image;
mod network;
mod snapshot;
mod volume;

pub use bake::{bake_allows, bake_file};
pub use container::{
    BlkioDevice, CdiOrGpuRequest, Container, ContainerDetails, ContainerSpec, ContainerState, Created, Device,
    Endpoint, FileUpload, Health, HealthProbe, Healthcheck, HostSpec, LogConfig, Mount, MountKind, MountedAt,
    PortBinding, PublishedPort, RestartPolicy, Ulimit,
};
pub use engine::EngineFacts;
pub use image::{
    BuildContext, BuildExtras, BuildProgress, BuildRequest, BuildSecret, BuildSecretSource, Builder, Dockerfile,
    ImageDetails, LayerProgress, RegistryAuth, StepState,
};
pub use network::{IpamPool, IpamSpec, Network, NetworkSpec};
pub use snapshot::{Foreign, HostFound, HostWish, ResourceId, Snapshot};
pub use volume::{Volume, VolumeSpec};

/// Keys to texts, sorted.
pub type Texts = std::collections::BTreeMap<String, String>;
