//! The project as the Compose Specification means it: short forms made long, variables replaced, files merged.
//!
//! Field order is that of docker compose's printed output and of its config hash (see [`super::hash`]); do not sort.

mod build;
mod deploy;
mod network;
mod project;
mod scalar;
mod service;
mod storage;

pub use build::{Build, BuildSecret};
pub use deploy::{
    Deploy, DeviceRequest, GenericResource, Placement, PlacementPreference, ResourceSpec, Resources, RestartPolicy,
    UpdateConfig,
};
pub use network::{Ipam, IpamPool, Network, Port, ServiceNetwork};
pub use project::{Model, Project};
pub use scalar::{ByteSize, GoDuration};
pub use service::{
    BlkioConfig, CredentialSpec, Dependency, DependencyCondition, Develop, DeviceMapping, EnvFile, Healthcheck, Hook,
    Logging, Provider, Service, ServiceModel, ThrottleDevice, Ulimit, WatchRule, WeightDevice,
};
pub use storage::{
    BindOptions, Config, FileReference, ImageOptions, Mount, Secret, TmpfsOptions, Volume, VolumeOptions,
};

/// Keys to texts, sorted: labels, options, arguments.
pub type Texts = std::collections::BTreeMap<String, String>;
/// Keys to texts that may be without value (`environment: {A: null}`), sorted.
pub type OptionalTexts = std::collections::BTreeMap<String, Option<String>>;
/// `x-` keys, as they were written.
pub type Extensions = indexmap::IndexMap<String, serde_json::Value>;
