//! Networks, and how services take part in them.

use serde::Serialize;

use crate::names::NetworkKey;
use crate::spec::model::{Extensions, Texts};

/// An entry under `networks:`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Network {
    /// Its key.
    #[serde(skip)]
    pub key: NetworkKey,
    /// Name in the engine.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The engine's default unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// For the driver.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub driver_opts: Texts,
    /// Addresses.
    pub ipam: Ipam,
    /// Made by somebody else; never created or removed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// Without a way out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub internal: bool,
    /// Open to single containers (Swarm).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub attachable: bool,
    /// The user's labels.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub labels: Texts,
    /// IPv4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_ipv4: Option<bool>,
    /// IPv6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_ipv6: Option<bool>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// Address management.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ipam {
    /// IPAM driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Pools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<IpamPool>,
    /// For the IPAM driver; docker compose 2.40 knows nothing of it, so it is not printed and no part of the hash.
    #[serde(skip)]
    pub options: Texts,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// One pool of addresses.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct IpamPool {
    /// CIDR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// Address of the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Part of the subnet that containers get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_range: Option<String>,
    /// Addresses that are taken.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub aux_addresses: Texts,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// How a service takes part in a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ServiceNetwork {
    /// Further names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// For the driver.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub driver_opts: Texts,
    /// Which network gives the default gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gw_priority: Option<i64>,
    /// Name of the interface inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_name: Option<String>,
    /// Fixed address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4_address: Option<String>,
    /// Fixed address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_address: Option<String>,
    /// Link-local addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub link_local_ips: Vec<String>,
    /// Fixed hardware address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<String>,
    /// Order of connecting, highest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

/// A published or exposed port.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Port {
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `ingress` or `host`; unused outside Swarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Address of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_ip: Option<String>,
    /// Port inside the container.
    pub target: u32,
    /// Port of the host, or a range; the engine picks when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// `tcp`, `udp`, `sctp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_protocol: Option<String>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}
