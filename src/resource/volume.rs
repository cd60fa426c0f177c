//! Volumes, wanted and found.

use serde::{Deserialize, Serialize};

use crate::names::VolumeName;
use crate::resource::Texts;

/// A volume that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeSpec {
    /// Name in the engine.
    pub name: VolumeName,
    /// `local` when `None`.
    pub driver: Option<String>,
    /// For the driver.
    pub options: Texts,
    /// All labels, compose's included.
    pub labels: Texts,
}

/// A volume that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its name.
    pub name: VolumeName,
    /// Its driver.
    pub driver: String,
    /// Where it is mounted on the host.
    pub mountpoint: String,
    /// `local`, `global`.
    pub scope: String,
    /// Its labels; empty for anonymous ones.
    pub labels: Texts,
}
