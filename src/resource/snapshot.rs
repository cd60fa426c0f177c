//! What was found in the engine at one look, and names for single things in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::{ContainerId, ContainerName, NetworkName, VolumeName};
use crate::resource::container::{Container, ContainerDetails};
use crate::resource::engine::EngineFacts;
use crate::resource::image::ImageDetails;
use crate::resource::network::Network;
use crate::resource::volume::Volume;

/// The engine, as far as a project is concerned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// What engine it is.
    pub engine: EngineFacts,
    /// All containers with the project's label, one-offs and hooks included, sorted by name.
    pub containers: Vec<Container>,
    /// Networks with the project's label, and those that were asked for by name.
    pub networks: Vec<Network>,
    /// Volumes with the project's label, and those that were asked for by name.
    pub volumes: Vec<Volume>,
    /// Local images, by the reference that was asked for; a reference without an entry is not there.
    pub images: BTreeMap<String, ImageDetails>,
    /// Images with the project's label, when they were asked for.
    pub project_images: Vec<ImageDetails>,
    /// What belongs to others but is in the way.
    pub foreign: Foreign,
    /// Containers that were inspected, because a plan would make them anew and a person wants to know why.
    pub details: BTreeMap<ContainerId, ContainerDetails>,
    /// Whether they were looked for; those that could not be inspected are missing all the same.
    pub is_detailed: bool,
}

/// Things of others that matter to a plan that creates or starts something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// Containers outside the project whose names the project wants: name and the project they belong to, if any.
    pub names: BTreeMap<ContainerName, Option<String>>,
    /// Host ports that containers outside the project publish: `ip:port/protocol` and the container's name.
    pub ports: BTreeMap<String, ContainerName>,
    /// What else is on the host.
    pub host: HostFound,
}

/// What of the engine's host matters to a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostWish {
    /// Ports that are published, with their protocol.
    pub ports: BTreeSet<(u16, String)>,
    /// Paths that must be there.
    pub paths: BTreeSet<String>,
    /// Drivers by which GPUs are asked for; empty for any.
    pub gpu_drivers: BTreeSet<String>,
    /// Devices by their CDI names.
    pub cdi_devices: BTreeSet<String>,
    /// OCI runtimes.
    pub runtimes: BTreeSet<String>,
}

impl HostWish {
    /// Whether nothing matters.
    pub fn is_empty(&self) -> bool {
        let Self { ports, paths, gpu_drivers, cdi_devices, runtimes } = self;
        ports.is_empty() && [paths, gpu_drivers, cdi_devices, runtimes].iter().all(|wanted| wanted.is_empty())
    }
}

/// What was found on the engine's host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFound {
    /// Sockets on the wanted ports, those of containers included: `ip:port/protocol`, and whose they are, when that
    /// could be seen.
    pub sockets: BTreeMap<String, String>,
    /// Wanted paths that are not there.
    pub missing_paths: BTreeSet<String>,
    /// Drivers by which GPUs are asked for, and for which there is surely none.
    pub missing_gpu_drivers: BTreeSet<String>,
    /// Devices by their CDI names that the engine does not know.
    pub missing_cdi_devices: BTreeSet<String>,
    /// Where the engine looks for descriptions of such devices; empty where it looks for none.
    pub cdi_directories: Vec<String>,
    /// OCI runtimes that the engine does not have.
    pub missing_runtimes: BTreeSet<String>,
}

/// What an operation is about, as progress and plans name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ResourceId {
    /// A container, by the name it has or will have in the end.
    Container(ContainerName),
    /// A network, by its name in the engine.
    Network(NetworkName),
    /// A volume, by its name in the engine.
    Volume(VolumeName),
    /// An image, by its reference.
    Image(String),
    /// A service that an external program provides.
    Provider(String),
    /// A model.
    Model(String),
}

impl fmt::Display for ResourceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(name) => write!(out, "Container {name}"),
            Self::Network(name) => write!(out, "Network {name}"),
            Self::Volume(name) => write!(out, "Volume {name}"),
            Self::Image(name) => write!(out, "Image {name}"),
            Self::Provider(name) | Self::Model(name) => out.write_str(name),
        }
    }
}
