//! Networks of the fake.

use async_trait::async_trait;

use crate::names::{ContainerId, NetworkId, NetworkName};
use crate::resource::{Endpoint, Network, NetworkSpec};
use crate::runtime::fake::Fake;
use crate::runtime::fake::containers::named;
use crate::runtime::fake::world::{Record, World};
use crate::runtime::{Error, ErrorKind, LabelFilter, Networks, Result};

#[async_trait]
impl Networks for Fake {
    async fn list_networks(&self, filter: &LabelFilter) -> Result<Vec<Network>> {
        let filter = filter.clone();
        self.look("list networks", move |world| {
            Ok(world.networks.iter().filter(|network| filter.matches(&network.labels)).cloned().collect())
        })
        .await
    }

    async fn find_networks(&self, name_or_id: &str) -> Result<Vec<Network>> {
        let wanted = name_or_id.to_owned();
        self.look(format!("find network {name_or_id}"), move |world| {
            Ok(world.network(&wanted).cloned().into_iter().collect())
        })
        .await
    }

    async fn create_network(&self, spec: &NetworkSpec) -> Result<Network> {
        let spec = spec.clone();
        let what = format!("create network {}", spec.name);
        self.change(what.clone(), move |world| {
            if world.networks.iter().any(|network| network.name == spec.name) {
                let detail = format!("network with name {} already exists", spec.name);
                return Err(Error::new(ErrorKind::Conflict, what, detail));
            }
            let network = Network {
                id: NetworkId::new(world.new_id("network")),
                name: spec.name,
                driver: spec.driver.unwrap_or_else(|| "bridge".to_owned()),
                scope: "local".to_owned(),
                internal: spec.internal,
                labels: spec.labels,
            };
            world.networks.push(network.clone());
            world.tell("network", "create", network.id.as_str(), named(network.name.as_str()));
            Ok(network)
        })
        .await
    }

    async fn remove_network(&self, network: &str) -> Result<()> {
        let wanted = network.to_owned();
        let what = format!("remove network {network}");
        self.change(what.clone(), move |world| {
            let network = known(world, &what, &wanted)?;
            let users: Vec<&Record> = world
                .containers
                .values()
                .filter(|record| record.is_alive() && record.networks.contains_key(&network.name))
                .collect();
            if let Some(user) = users.first() {
                let detail = format!(
                    "error while removing network: network {} has active endpoints (name:\"{}\")",
                    network.name, user.name
                );
                return Err(Error::new(ErrorKind::Conflict, what, detail));
            }
            world.networks.retain(|other| other.id != network.id);
            world.tell("network", "destroy", network.id.as_str(), named(network.name.as_str()));
            Ok(())
        })
        .await
    }

    async fn connect(&self, network: &NetworkName, container: &ContainerId, endpoint: &Endpoint) -> Result<()> {
        let (wanted, id, endpoint) = (network.clone(), container.clone(), endpoint.clone());
        let what = format!("connect container {} to network {network}", self.name_of(container));
        self.change(what.clone(), move |world| {
            let network = known(world, &what, wanted.as_str())?;
            let record = world.known("connect container", id.as_str())?;
            if record.networks.contains_key(&network.name) && record.is_alive() {
                let detail = format!("endpoint with name {} already exists in network {}", record.name, network.name);
                return Err(Error::new(ErrorKind::Conflict, what, detail));
            }
            record.networks.insert(network.name.clone(), endpoint);
            let mut attributes = named(network.name.as_str());
            attributes.insert("container".to_owned(), record.id.as_str().to_owned());
            world.tell("network", "connect", network.id.as_str(), attributes);
            Ok(())
        })
        .await
    }

    async fn disconnect(&self, network: &NetworkName, container: &ContainerId) -> Result<()> {
        let (wanted, id) = (network.clone(), container.clone());
        let what = format!("disconnect container {} from network {network}", self.name_of(container));
        self.change(what.clone(), move |world| {
            let network = known(world, &what, wanted.as_str())?;
            let record = world.known("disconnect container", id.as_str())?;
            if record.networks.shift_remove(&network.name).is_none() {
                let detail = format!("container {} is not connected to network {}", record.id, network.name);
                return Err(Error::new(ErrorKind::NotFound, what, detail));
            }
            let mut attributes = named(network.name.as_str());
            attributes.insert("container".to_owned(), record.id.as_str().to_owned());
            world.tell("network", "disconnect", network.id.as_str(), attributes);
            Ok(())
        })
        .await
    }
}

fn known(world: &World, what: &str, name_or_id: &str) -> Result<Network> {
    world
        .network(name_or_id)
        .cloned()
        .ok_or_else(|| Error::new(ErrorKind::NotFound, what, format!("network {name_or_id} not found")))
}
