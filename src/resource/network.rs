//! Networks, wanted and found.

use serde::{Deserialize, Serialize};

use crate::names::{NetworkId, NetworkName};
use crate::resource::Texts;

/// A network that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// Name in the engine.
    pub name: NetworkName,
    /// The engine's default when `None`.
    pub driver: Option<String>,
    /// For the driver.
    pub options: Texts,
    /// Addresses; `None` leaves all of it to the engine.
    pub ipam: Option<IpamSpec>,
    /// Without a way out.
    pub internal: bool,
    /// Open to single containers.
    pub attachable: bool,
    /// Sent only when said.
    pub enable_ipv4: Option<bool>,
    /// Sent only when said.
    pub enable_ipv6: Option<bool>,
    /// All labels, compose's included.
    pub labels: Texts,
}

/// Address management.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpamSpec {
    /// Driver of it.
    pub driver: Option<String>,
    /// Pools.
    pub pools: Vec<IpamPool>,
    /// For the driver.
    pub options: Texts,
}

/// A pool of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpamPool {
    /// CIDR.
    pub subnet: Option<String>,
    /// Address of the gateway.
    pub gateway: Option<String>,
    /// The part that containers get.
    pub ip_range: Option<String>,
    /// Addresses that are taken, by name.
    pub aux_addresses: Texts,
}

/// A network that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its id.
    pub id: NetworkId,
    /// Its name.
    pub name: NetworkName,
    /// Its driver.
    pub driver: String,
    /// `local`, `swarm`.
    pub scope: String,
    /// Without a way out.
    pub internal: bool,
    /// Its labels.
    pub labels: Texts,
}
