//! `deploy:` and requests for devices.

use crate::spec::decode::Decoder;
use crate::spec::model::{
    Deploy, DeviceRequest, GenericResource, Placement, PlacementPreference, ResourceSpec, Resources, RestartPolicy,
    UpdateConfig,
};
use crate::spec::place::Place;
use crate::spec::tree::{Mapping, Node};

impl Decoder {
    pub(super) fn deploy(&mut self, node: &Node, place: &Place<'_>) -> Option<Deploy> {
        let mut deploy = Deploy::default();
        let mut extensions = std::mem::take(&mut deploy.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "mode" => deploy.mode = this.word(node, at),
            "replicas" => deploy.replicas = this.integer(node, at),
            "labels" => deploy.labels = this.mapping(node, at),
            "update_config" => deploy.update_config = this.update_config(node, at),
            "rollback_config" => deploy.rollback_config = this.update_config(node, at),
            "resources" => deploy.resources = this.resources(node, at).unwrap_or_default(),
            "restart_policy" => deploy.restart_policy = this.restart_policy(node, at),
            "placement" => deploy.placement = this.placement(node, at).unwrap_or_default(),
            "endpoint_mode" => deploy.endpoint_mode = this.word(node, at),
            _ => {}
        });
        deploy.extensions = extensions;
        Some(deploy)
    }

    fn update_config(&mut self, node: &Node, place: &Place<'_>) -> Option<UpdateConfig> {
        let mut config = UpdateConfig::default();
        let mut extensions = std::mem::take(&mut config.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "parallelism" => config.parallelism = this.integer(node, at),
            "delay" => config.delay = this.duration(node, at),
            "failure_action" => config.failure_action = this.word(node, at),
            "monitor" => config.monitor = this.duration(node, at),
            "max_failure_ratio" => config.max_failure_ratio = this.float(node, at),
            "order" => config.order = this.word(node, at),
            _ => {}
        });
        config.extensions = extensions;
        Some(config)
    }

    fn resources(&mut self, node: &Node, place: &Place<'_>) -> Option<Resources> {
        let mut resources = Resources::default();
        let mut extensions = std::mem::take(&mut resources.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "limits" => resources.limits = this.resource_spec(node, at),
            "reservations" => resources.reservations = this.resource_spec(node, at),
            _ => {}
        });
        resources.extensions = extensions;
        Some(resources)
    }

    fn resource_spec(&mut self, node: &Node, place: &Place<'_>) -> Option<ResourceSpec> {
        let mut spec = ResourceSpec::default();
        let mut extensions = std::mem::take(&mut spec.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "cpus" => spec.cpus = this.float(node, at),
            "memory" => spec.memory = this.bytes(node, at),
            "pids" => spec.pids = this.integer(node, at),
            "devices" => spec.devices = this.items(node, at, Self::device_request),
            "generic_resources" => spec.generic_resources = this.items(node, at, Self::generic_resource),
            _ => {}
        });
        spec.extensions = extensions;
        Some(spec)
    }

    fn generic_resource(&mut self, mapping: &Mapping, place: &Place<'_>) -> GenericResource {
        let mut resource = GenericResource::default();
        if let Some(discrete) = mapping.get("discrete_resource_spec") {
            if let Some(kind) = discrete.get("kind") {
                resource.kind = self.text(kind, place).unwrap_or_default();
            }
            if let Some(value) = discrete.get("value") {
                resource.value = self.integer(value, place).unwrap_or_default();
            }
        }
        resource
    }

    pub(super) fn device_request(&mut self, mapping: &Mapping, place: &Place<'_>) -> DeviceRequest {
        let mut request = DeviceRequest::default();
        let mut extensions = std::mem::take(&mut request.extensions);
        self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
            "capabilities" => request.capabilities = this.texts(node, at),
            "driver" => request.driver = this.word(node, at),
            "count" => request.count = this.device_count(node, at),
            "device_ids" => request.device_ids = this.texts(node, at),
            "options" => request.options = this.mapping(node, at),
            _ => {}
        });
        request.extensions = extensions;
        request
    }

    fn device_count(&mut self, node: &Node, place: &Place<'_>) -> Option<i64> {
        match node.as_str() {
            Some(text) if text.eq_ignore_ascii_case("all") => Some(-1),
            Some(text) if text.parse::<i64>().is_err() => {
                let problem = format!("invalid value \"{text}\", the only value allowed is 'all' or a number");
                self.problem(node.span, place, &problem);
                None
            }
            _ => self.integer(node, place),
        }
    }

    fn restart_policy(&mut self, node: &Node, place: &Place<'_>) -> Option<RestartPolicy> {
        let mut policy = RestartPolicy::default();
        let mut extensions = std::mem::take(&mut policy.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "condition" => policy.condition = this.word(node, at),
            "delay" => policy.delay = this.duration(node, at),
            "max_attempts" => policy.max_attempts = this.integer(node, at),
            "window" => policy.window = this.duration(node, at),
            _ => {}
        });
        policy.extensions = extensions;
        Some(policy)
    }

    fn placement(&mut self, node: &Node, place: &Place<'_>) -> Option<Placement> {
        let mut placement = Placement::default();
        let mut extensions = std::mem::take(&mut placement.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "constraints" => placement.constraints = this.texts(node, at),
            "preferences" => {
                placement.preferences = this.items(node, at, |this, mapping, at| {
                    let mut preference = PlacementPreference::default();
                    let mut extensions = std::mem::take(&mut preference.extensions);
                    this.fields(mapping, at, &mut extensions, |this, key, node, at| {
                        if key == "spread" {
                            preference.spread = this.text(node, at).unwrap_or_default();
                        }
                    });
                    preference.extensions = extensions;
                    preference
                });
            }
            "max_replicas_per_node" => {
                placement.max_replicas_per_node = this.integer(node, at).filter(|number| *number != 0);
            }
            _ => {}
        });
        placement.extensions = extensions;
        Some(placement)
    }
}
