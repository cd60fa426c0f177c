//! stub
use crate::names::ServiceName;
use crate::spec::model::{Network, Service, Volume};
use sha2::Digest;
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashPart {
    Text(String),
    ContainerOf(ServiceName),
}
pub fn service_parts(service: &Service) -> Vec<HashPart> {
    vec![HashPart::Text(serde_json::to_string(service).unwrap_or_default())]
}
pub fn service_parts_v5(service: &Service) -> Vec<HashPart> {
    service_parts(service)
}
pub fn network(network: &Network) -> String {
    sha(&serde_json::to_string(network).unwrap_or_default())
}
pub fn volume(volume: &Volume) -> String {
    sha(&serde_json::to_string(volume).unwrap_or_default())
}
pub fn sha(t: &str) -> String {
    sha2::Sha256::digest(t.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}
