//! Networks.

use async_trait::async_trait;
use bollard::models as api;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::names::{ContainerId, NetworkId, NetworkName};
use crate::resource::{Endpoint, IpamSpec, Network, NetworkSpec, Texts};
use crate::runtime::docker::create::{map, settings};
use crate::runtime::docker::found::nullable;
use crate::runtime::docker::wire::Call;
use crate::runtime::docker::{DockerRuntime, shown};
use crate::runtime::{Error, ErrorKind, LabelFilter, Networks, Result};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Found {
    id: String,
    name: String,
    driver: String,
    scope: String,
    internal: bool,
    #[serde(deserialize_with = "nullable")]
    labels: Texts,
}

#[derive(Deserialize)]
struct Made {
    #[serde(rename = "Id")]
    id: String,
}

impl From<Found> for Network {
    fn from(found: Found) -> Self {
        let Found { id, name, driver, scope, internal, labels } = found;
        Self { id: NetworkId::new(id), name: NetworkName::new(name), driver, scope, internal, labels }
    }
}

impl DockerRuntime {
    async fn networks_by(&self, filter: &Value) -> Result<Vec<Network>> {
        let call = Call::get("/networks").query("filters", &filter.to_string());
        let found: Vec<Found> = self.ask(call, "list networks").await?;
        let mut networks: Vec<Network> = found.into_iter().map(Network::from).collect();
        networks.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(networks)
    }
}

fn request(spec: &NetworkSpec) -> api::NetworkCreateRequest {
    let NetworkSpec { name, driver, options, ipam, internal, attachable, enable_ipv4, enable_ipv6, labels } = spec;
    api::NetworkCreateRequest {
        name: name.to_string(),
        driver: driver.clone(),
        internal: Some(*internal),
        attachable: Some(*attachable),
        ipam: ipam.as_ref().map(|IpamSpec { driver, pools, options }| api::Ipam {
            driver: driver.clone(),
            config: (!pools.is_empty()).then(|| {
                pools
                    .iter()
                    .map(|pool| api::IpamConfig {
                        subnet: pool.subnet.clone(),
                        ip_range: pool.ip_range.clone(),
                        gateway: pool.gateway.clone(),
                        auxiliary_addresses: map(&pool.aux_addresses),
                    })
                    .collect()
            }),
            options: map(options),
        }),
        enable_ipv4: *enable_ipv4,
        enable_ipv6: *enable_ipv6,
        options: map(options),
        labels: map(labels),
        ..Default::default()
    }
}

#[async_trait]
impl Networks for DockerRuntime {
    async fn list_networks(&self, filter: &LabelFilter) -> Result<Vec<Network>> {
        self.networks_by(&if filter.0.is_empty() { json!({}) } else { json!({ "label": filter.0 }) }).await
    }

    async fn find_networks(&self, name_or_id: &str) -> Result<Vec<Network>> {
        // The engine's filter finds parts of names too.
        let mut found = self.networks_by(&json!({ "name": [name_or_id] })).await?;
        found.retain(|network| network.name.as_str() == name_or_id);
        if found.is_empty() && !name_or_id.is_empty() && name_or_id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            found = self.networks_by(&json!({ "id": [name_or_id] })).await?;
            found.retain(|network| network.id.as_str().starts_with(name_or_id));
        }
        Ok(found)
    }

    async fn create_network(&self, spec: &NetworkSpec) -> Result<Network> {
        let what = format!("create network {}", spec.name);
        let mut body = serde_json::to_value(request(spec))
            .map_err(|error| Error::new(ErrorKind::Invalid, what.as_str(), error.to_string()))?;
        // bollard's model lacks this field, without which engines before API 1.44 make a second network of that name.
        body["CheckDuplicate"] = Value::Bool(true);
        let made: Made = self.ask(Call::post("/networks/create").json(&body), &what).await?;
        let windows = self.session().await?.facts.os == "windows";
        let driver = spec.driver.clone().unwrap_or_else(|| if windows { "nat" } else { "bridge" }.to_owned());
        let scope = if driver == "overlay" { "swarm" } else { "local" }.to_owned();
        let (name, internal) = (spec.name.clone(), spec.internal);
        Ok(Network { id: NetworkId::new(made.id), name, driver, scope, internal, labels: spec.labels.clone() })
    }

    async fn remove_network(&self, network: &str) -> Result<()> {
        let removed = self.session().await?.client.remove_network(network).await;
        removed.map_err(self.failed(format!("remove network {}", shown(network))))
    }

    async fn connect(&self, network: &NetworkName, container: &ContainerId, endpoint: &Endpoint) -> Result<()> {
        let request =
            api::NetworkConnectRequest { container: container.to_string(), endpoint_config: Some(settings(endpoint)) };
        let connected = self.session().await?.client.connect_network(network.as_str(), request).await;
        connected.map_err(self.failed(format!("connect container {} to network {network}", shown(container.as_str()))))
    }

    async fn disconnect(&self, network: &NetworkName, container: &ContainerId) -> Result<()> {
        let request = api::NetworkDisconnectRequest { container: container.to_string(), force: Some(true) };
        let gone = self.session().await?.client.disconnect_network(network.as_str(), request).await;
        gone.map_err(self.failed(format!("disconnect container {} from network {network}", shown(container.as_str()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::IpamPool;

    #[test]
    fn requests() {
        let mut spec = NetworkSpec { name: "n".into(), ..Default::default() };
        let mut texts = vec![serde_json::to_string(&request(&spec)).unwrap()];
        let pool = IpamPool { subnet: Some("10.0.0.0/24".into()), ..Default::default() };
        spec.ipam = Some(IpamSpec { driver: None, pools: vec![pool], options: Texts::new() });
        spec.enable_ipv6 = Some(false);
        spec.internal = true;
        texts.push(serde_json::to_string(&request(&spec)).unwrap());
        insta::assert_snapshot!(texts.join("\n"), @r#"
        {"Name":"n","Internal":false,"Attachable":false}
        {"Name":"n","Internal":true,"Attachable":false,"IPAM":{"Config":[{"Subnet":"10.0.0.0/24"}]},"EnableIPv6":false}
        "#);
    }
}
