//! Networks, volumes, secrets, configs and models.

use crate::names::{NetworkKey, VolumeKey};
use crate::spec::decode::Decoder;
use crate::spec::model::{Config, Ipam, IpamPool, Model, Network, Secret, Volume};
use crate::spec::place::Place;
use crate::spec::tree::{Mapping, Node};

impl Decoder {
    pub(in crate::spec) fn network(&mut self, key: &str, node: &Node, place: &Place<'_>) -> Network {
        let mut network = Network { key: NetworkKey::from(key), ..Network::default() };
        let mut extensions = std::mem::take(&mut network.extensions);
        if let Some(mapping) = node.as_mapping() {
            self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
                "name" => network.name = this.text(node, at).unwrap_or_default(),
                "driver" => network.driver = this.word(node, at),
                "driver_opts" => network.driver_opts = this.mapping(node, at),
                "ipam" => network.ipam = this.ipam(node, at).unwrap_or_default(),
                "external" => network.external = this.boolean(node, at).unwrap_or_default(),
                "internal" => network.internal = this.boolean(node, at).unwrap_or_default(),
                "attachable" => network.attachable = this.boolean(node, at).unwrap_or_default(),
                "labels" => network.labels = this.mapping(node, at),
                "enable_ipv4" => network.enable_ipv4 = this.boolean(node, at),
                "enable_ipv6" => network.enable_ipv6 = this.boolean(node, at),
                _ => {}
            });
        }
        network.extensions = extensions;
        network
    }

    fn ipam(&mut self, node: &Node, place: &Place<'_>) -> Option<Ipam> {
        let mut ipam = Ipam::default();
        let mut extensions = std::mem::take(&mut ipam.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "driver" => ipam.driver = this.word(node, at),
            "config" => ipam.config = this.items(node, at, Self::pool),
            "options" => ipam.options = this.mapping(node, at),
            _ => {}
        });
        ipam.extensions = extensions;
        Some(ipam)
    }

    fn pool(&mut self, mapping: &Mapping, place: &Place<'_>) -> IpamPool {
        let mut pool = IpamPool::default();
        let mut extensions = std::mem::take(&mut pool.extensions);
        self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
            "subnet" => pool.subnet = this.word(node, at),
            "gateway" => pool.gateway = this.word(node, at),
            "ip_range" => pool.ip_range = this.word(node, at),
            "aux_addresses" => pool.aux_addresses = this.mapping(node, at),
            _ => {}
        });
        pool.extensions = extensions;
        pool
    }

    pub(in crate::spec) fn volume(&mut self, key: &str, node: &Node, place: &Place<'_>) -> Volume {
        let mut volume = Volume { key: VolumeKey::from(key), ..Volume::default() };
        let mut extensions = std::mem::take(&mut volume.extensions);
        if let Some(mapping) = node.as_mapping() {
            self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
                "name" => volume.name = this.text(node, at).unwrap_or_default(),
                "driver" => volume.driver = this.word(node, at),
                "driver_opts" => volume.driver_opts = this.mapping(node, at),
                "external" => volume.external = this.boolean(node, at).unwrap_or_default(),
                "labels" => volume.labels = this.mapping(node, at),
                _ => {}
            });
        }
        volume.extensions = extensions;
        volume
    }

    pub(in crate::spec) fn secret(&mut self, node: &Node, place: &Place<'_>) -> Secret {
        let mut secret = Secret::default();
        let mut extensions = std::mem::take(&mut secret.extensions);
        if let Some(mapping) = node.as_mapping() {
            secret.content = mapping.get("x-#value").and_then(Node::as_str).map(str::to_owned);
            self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
                "name" => secret.name = this.text(node, at).unwrap_or_default(),
                "file" => secret.file = this.word(node, at),
                "environment" => secret.environment = this.word(node, at),
                "external" => secret.external = this.boolean(node, at).unwrap_or_default(),
                "labels" => secret.labels = this.mapping(node, at),
                "driver" => secret.driver = this.word(node, at),
                "driver_opts" => secret.driver_opts = this.mapping(node, at),
                "template_driver" => secret.template_driver = this.word(node, at),
                _ => {}
            });
        }
        secret.extensions = extensions;
        secret
    }

    pub(in crate::spec) fn config(&mut self, node: &Node, place: &Place<'_>) -> Config {
        let mut config = Config::default();
        let mut extensions = std::mem::take(&mut config.extensions);
        if let Some(mapping) = node.as_mapping() {
            config.content = mapping.get("x-#value").and_then(Node::as_str).map(str::to_owned);
            self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
                "name" => config.name = this.text(node, at).unwrap_or_default(),
                "file" => config.file = this.word(node, at),
                "environment" => config.environment = this.word(node, at),
                "content" => config.content = this.text(node, at),
                "external" => config.external = this.boolean(node, at).unwrap_or_default(),
                "labels" => config.labels = this.mapping(node, at),
                "driver" => config.driver = this.word(node, at),
                "driver_opts" => config.driver_opts = this.mapping(node, at),
                "template_driver" => config.template_driver = this.word(node, at),
                _ => {}
            });
        }
        config.extensions = extensions;
        config
    }

    pub(in crate::spec) fn model(&mut self, node: &Node, place: &Place<'_>) -> Model {
        let mut model = Model::default();
        let mut extensions = std::mem::take(&mut model.extensions);
        if let Some(mapping) = node.as_mapping() {
            self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
                "name" => model.name = this.text(node, at).unwrap_or_default(),
                "model" => model.model = this.text(node, at).unwrap_or_default(),
                "context_size" => model.context_size = this.integer(node, at),
                "runtime_flags" => model.runtime_flags = this.texts(node, at),
                _ => {}
            });
        }
        model.extensions = extensions;
        model
    }
}
