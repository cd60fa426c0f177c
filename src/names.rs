//! Names that cross a border are types: a network's key in the file can not be taken for its name in the engine.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is; what is allowed in it is checked where it is read.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.pad(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, out)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

names! {
    /// The project: prefix of every name in the engine, value of the label that says what belongs together.
    ProjectName,
    /// Key under `services:`; never a container name.
    ServiceName,
    /// Key under `networks:`; the engine-side name is [`NetworkName`].
    NetworkKey,
    /// Key under `volumes:`; the engine-side name is [`VolumeName`].
    VolumeKey,
    /// Name of a network in the engine.
    NetworkName,
    /// Name of a volume in the engine.
    VolumeName,
    /// Name of a container in the engine, without the leading slash.
    ContainerName,
    /// Id that the engine handed out for a container.
    ContainerId,
    /// Id that the engine handed out for a network.
    NetworkId,
    /// Id (digest) of an image in the engine.
    ImageId,
    /// Reference of an image as the user or the planner writes it: `postgres:15`, `shop-web`.
    ImageRef,
}

impl ContainerId {
    /// The first twelve characters, as people see ids.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}
