//! One entry under `services:`.

use crate::diagnostics::Diagnostic;
use crate::names::{NetworkKey, ServiceName};
use crate::spec::codes;
use crate::spec::decode::{Decoder, json, words};
use crate::spec::model::{
    BindOptions, BlkioConfig, ByteSize, CredentialSpec, Dependency, DependencyCondition, Develop, DeviceMapping,
    EnvFile, FileReference, Healthcheck, Hook, ImageOptions, Logging, Mount, Port, Provider, Service, ServiceModel,
    ServiceNetwork, ThrottleDevice, TmpfsOptions, VolumeOptions, WatchRule, WeightDevice,
};
use crate::spec::place::Place;
use crate::spec::scalar;
use crate::spec::tree::{Mapping, Node, Value};

impl Decoder {
    /// Reads a service.
    pub(in crate::spec) fn service(&mut self, name: &str, node: &Node, place: &Place<'_>) -> Service {
        let mut service = Service { name: ServiceName::from(name), ..Service::default() };
        let Some(mapping) = node.as_mapping() else { return service };
        for (key, entry) in mapping.iter() {
            let (node, at) = (&entry.node, &place.key(key));
            if key.starts_with("x-") {
                service.extensions.insert(key.to_owned(), json(node));
            } else if !node.is_null() && !self.scalars(&mut service, key, node, at) {
                self.structures(&mut service, key, node, at);
            }
        }
        service
    }

    /// Reads attributes that are one value or a list of texts; answers whether the key is one of them.
    fn scalars(&mut self, service: &mut Service, key: &str, node: &Node, at: &Place<'_>) -> bool {
        match key {
            "profiles" => service.profiles = self.texts(node, at),
            "annotations" => service.annotations = self.mapping(node, at),
            "attach" => service.attach = self.boolean(node, at),
            "cap_add" => service.cap_add = self.texts(node, at),
            "cap_drop" => service.cap_drop = self.texts(node, at),
            "cgroup_parent" => service.cgroup_parent = self.word(node, at),
            "cgroup" => service.cgroup = self.word(node, at),
            "cpu_count" => service.cpu_count = self.integer(node, at).filter(|number| *number != 0),
            "cpu_percent" => service.cpu_percent = self.float(node, at).filter(|number| *number != 0.0),
            "cpu_period" => service.cpu_period = self.integer(node, at).filter(|number| *number != 0),
            "cpu_quota" => service.cpu_quota = self.integer(node, at).filter(|number| *number != 0),
            "cpu_rt_period" => service.cpu_rt_period = self.integer(node, at).filter(|number| *number != 0),
            "cpu_rt_runtime" => service.cpu_rt_runtime = self.integer(node, at).filter(|number| *number != 0),
            "cpus" => service.cpus = self.float(node, at).filter(|number| *number != 0.0),
            "cpuset" => service.cpuset = self.word(node, at),
            "cpu_shares" => service.cpu_shares = self.integer(node, at).filter(|number| *number != 0),
            "command" => service.command = self.command(node, at),
            "container_name" => service.container_name = self.word(node, at),
            "device_cgroup_rules" => service.device_cgroup_rules = self.texts(node, at),
            "dns" => service.dns = self.texts(node, at),
            "dns_opt" => service.dns_opt = self.texts(node, at),
            "dns_search" => service.dns_search = self.texts(node, at),
            "domainname" => service.domainname = self.word(node, at),
            "entrypoint" => service.entrypoint = self.command(node, at),
            "environment" => service.environment = self.variables(node, at),
            "expose" => service.expose = self.texts(node, at),
            "external_links" => service.external_links = self.texts(node, at),
            "extra_hosts" => service.extra_hosts = self.hosts(node, at),
            "group_add" => service.group_add = self.texts(node, at),
            "hostname" => service.hostname = self.word(node, at),
            "image" => service.image = self.word(node, at),
            "init" => service.init = self.boolean(node, at),
            "ipc" => service.ipc = self.word(node, at),
            "isolation" => service.isolation = self.word(node, at),
            "labels" => service.labels = self.mapping(node, at),
            "label_file" => service.label_files = self.texts(node, at),
            "links" => service.links = self.texts(node, at),
            "mem_limit" => service.mem_limit = self.size(node, at),
            "mem_reservation" => service.mem_reservation = self.size(node, at),
            "memswap_limit" => service.memswap_limit = self.size(node, at),
            "mem_swappiness" => {
                service.mem_swappiness = self.size(node, at).map(|ByteSize(number)| number);
            }
            "mac_address" => service.mac_address = self.word(node, at),
            "network_mode" => service.network_mode = self.word(node, at),
            "oom_kill_disable" => service.oom_kill_disable = self.boolean(node, at).unwrap_or_default(),
            "oom_score_adj" => service.oom_score_adj = self.integer(node, at).filter(|number| *number != 0),
            "pid" => service.pid = self.word(node, at),
            "pids_limit" => service.pids_limit = self.integer(node, at).filter(|number| *number != 0),
            "platform" => service.platform = self.word(node, at),
            "privileged" => service.privileged = self.boolean(node, at).unwrap_or_default(),
            "pull_policy" => service.pull_policy = self.word(node, at),
            "read_only" => service.read_only = self.boolean(node, at).unwrap_or_default(),
            "restart" => service.restart = self.word(node, at),
            "runtime" => service.runtime = self.word(node, at),
            "scale" => service.scale = self.integer(node, at),
            "security_opt" => service.security_opt = self.texts(node, at),
            "shm_size" => service.shm_size = self.size(node, at),
            "stdin_open" => service.stdin_open = self.boolean(node, at).unwrap_or_default(),
            "stop_grace_period" => service.stop_grace_period = self.duration(node, at),
            "stop_signal" => service.stop_signal = self.word(node, at),
            "storage_opt" => service.storage_opt = self.mapping(node, at),
            "sysctls" => service.sysctls = self.mapping(node, at),
            "tmpfs" => service.tmpfs = self.texts(node, at),
            "tty" => service.tty = self.boolean(node, at).unwrap_or_default(),
            "ulimits" => service.ulimits = self.ulimits(node, at),
            "use_api_socket" => service.use_api_socket = self.boolean(node, at).unwrap_or_default(),
            "user" => service.user = self.word(node, at),
            "userns_mode" => service.userns_mode = self.word(node, at),
            "uts" => service.uts = self.word(node, at),
            "volumes_from" => service.volumes_from = self.texts(node, at),
            "working_dir" => service.working_dir = self.word(node, at),
            _ => return false,
        }
        true
    }

    fn structures(&mut self, service: &mut Service, key: &str, node: &Node, at: &Place<'_>) {
        match key {
            "build" => service.build = self.build(node, at),
            "develop" => service.develop = self.develop(node, at),
            "blkio_config" => service.blkio_config = self.blkio(node, at),
            "configs" => service.configs = self.items(node, at, Self::file_reference),
            "secrets" => service.secrets = self.items(node, at, Self::file_reference),
            "credential_spec" => service.credential_spec = self.credentials(node, at),
            "depends_on" => {
                for (name, entry) in node.as_mapping().into_iter().flat_map(Mapping::iter) {
                    let dependency = self.dependency(&entry.node, &at.key(name));
                    service.depends_on.insert(ServiceName::from(name), dependency);
                }
            }
            "deploy" => service.deploy = self.deploy(node, at),
            "devices" => service.devices = self.items(node, at, Self::device),
            "provider" => service.provider = self.provider(node, at),
            "env_file" => service.env_file = self.items(node, at, Self::env_file),
            "gpus" => service.gpus = self.items(node, at, Self::device_request),
            "healthcheck" => service.healthcheck = self.healthcheck(node, at),
            "logging" => service.logging = self.logging(node, at),
            "models" => {
                for (name, entry) in node.as_mapping().into_iter().flat_map(Mapping::iter) {
                    let model = self.service_model(&entry.node, &at.key(name));
                    service.models.insert(name.to_owned(), model);
                }
            }
            "networks" => {
                for (name, entry) in node.as_mapping().into_iter().flat_map(Mapping::iter) {
                    let network = self.service_network(&entry.node, &at.key(name));
                    service.networks.insert(NetworkKey::from(name), network);
                }
            }
            "ports" => service.ports = self.items(node, at, Self::port),
            "volumes" => service.volumes = self.items(node, at, Self::mount),
            "pre_start" => service.pre_start = self.items(node, at, Self::hook),
            "post_start" => service.post_start = self.items(node, at, Self::hook),
            "pre_stop" => service.pre_stop = self.items(node, at, Self::hook),
            _ => {}
        }
    }

    /// A number of bytes; 0 is none, because it is left out everywhere.
    fn size(&mut self, node: &Node, at: &Place<'_>) -> Option<ByteSize> {
        self.bytes(node, at).filter(|size| size.0 != 0)
    }

    /// A command: a list, or a line that is split.
    fn command(&mut self, node: &Node, place: &Place<'_>) -> Option<Vec<String>> {
        match &node.value {
            Value::Null => None,
            Value::String(line) => match words::split(line) {
                Ok(words) => Some(words),
                Err(problem) => {
                    self.findings.push(
                        Diagnostic::error(codes::INVALID_VALUE, problem)
                            .at(node.span, "")
                            .hint("write it as a list, one item for each word"),
                    );
                    None
                }
            },
            _ => Some(self.texts(node, place)),
        }
    }

    fn dependency(&mut self, node: &Node, place: &Place<'_>) -> Dependency {
        let mut dependency = Dependency { required: true, ..Dependency::default() };
        let mut extensions = std::mem::take(&mut dependency.extensions);
        if let Some(mapping) = node.as_mapping() {
            self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
                "condition" => {
                    dependency.condition = match node.as_str() {
                        Some("service_healthy") => DependencyCondition::Healthy,
                        Some("service_completed_successfully") => DependencyCondition::CompletedSuccessfully,
                        _ => DependencyCondition::Started,
                    }
                }
                "restart" => dependency.restart = this.boolean(node, at).unwrap_or_default(),
                "required" => dependency.required = this.boolean(node, at).unwrap_or(true),
                _ => {}
            });
        }
        dependency.extensions = extensions;
        dependency
    }

    fn env_file(&mut self, mapping: &Mapping, place: &Place<'_>) -> EnvFile {
        let mut file = EnvFile { required: true, ..EnvFile::default() };
        for (key, entry) in mapping.iter() {
            let at = place.key(key);
            match key {
                "path" => file.path = self.text(&entry.node, &at).unwrap_or_default(),
                "required" => file.required = self.boolean(&entry.node, &at).unwrap_or(true),
                "format" => file.format = self.word(&entry.node, &at),
                _ => {}
            }
        }
        file
    }

    pub(super) fn file_reference(&mut self, mapping: &Mapping, place: &Place<'_>) -> FileReference {
        let mut reference = FileReference::default();
        let mut extensions = std::mem::take(&mut reference.extensions);
        self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
            "source" => reference.source = this.text(node, at).unwrap_or_default(),
            "target" => reference.target = this.word(node, at),
            "uid" => reference.uid = this.word(node, at),
            "gid" => reference.gid = this.word(node, at),
            "mode" => reference.mode = this.mode(node, at),
            _ => {}
        });
        reference.extensions = extensions;
        reference
    }

    /// Permission bits: text is octal, a number is what it is.
    fn mode(&mut self, node: &Node, place: &Place<'_>) -> Option<u32> {
        match &node.value {
            Value::String(text) => {
                let mode = u32::from_str_radix(text.strip_prefix("0o").unwrap_or(text), 8).ok();
                if mode.is_none() {
                    self.problem(node.span, place, &format!("strconv.ParseInt: parsing \"{text}\": invalid syntax"));
                }
                mode
            }
            _ => self.integer(node, place).and_then(|number| u32::try_from(number).ok()),
        }
    }

    fn healthcheck(&mut self, node: &Node, place: &Place<'_>) -> Option<Healthcheck> {
        let mut check = Healthcheck::default();
        let mut extensions = std::mem::take(&mut check.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "test" => check.test = this.health_test(node, at),
            "timeout" => check.timeout = this.duration(node, at),
            "interval" => check.interval = this.duration(node, at),
            "retries" => check.retries = this.integer(node, at),
            "start_period" => check.start_period = this.duration(node, at),
            "start_interval" => check.start_interval = this.duration(node, at),
            "disable" => check.disable = this.boolean(node, at).unwrap_or_default(),
            _ => {}
        });
        check.extensions = extensions;
        Some(check)
    }

    fn health_test(&mut self, node: &Node, place: &Place<'_>) -> Option<Vec<String>> {
        if let Value::String(line) = &node.value {
            return Some(vec!["CMD-SHELL".to_owned(), line.clone()]);
        }
        if node.is_null() {
            return None;
        }
        let test = self.texts(node, place);
        match test.first().map(String::as_str) {
            Some("CMD" | "CMD-SHELL" | "NONE") => {}
            Some(_) => self.findings.push(
                Diagnostic::error(
                    codes::INVALID_VALUE,
                    "healthcheck.test must start either by \"CMD\", \"CMD-SHELL\" or \"NONE\"",
                )
                .at(node.span, "")
                .hint("put \"CMD\" before the program, or write the whole line as one text"),
            ),
            None => return None,
        }
        Some(test)
    }

    fn logging(&mut self, node: &Node, place: &Place<'_>) -> Option<Logging> {
        let mut logging = Logging::default();
        let mut extensions = std::mem::take(&mut logging.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "driver" => logging.driver = this.word(node, at),
            "options" => logging.options = this.mapping(node, at),
            _ => {}
        });
        logging.extensions = extensions;
        Some(logging)
    }

    fn hook(&mut self, mapping: &Mapping, place: &Place<'_>) -> Hook {
        let mut hook = Hook::default();
        let mut extensions = std::mem::take(&mut hook.extensions);
        self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
            "command" => hook.command = this.command(node, at),
            "image" => hook.image = this.word(node, at),
            "user" => hook.user = this.word(node, at),
            "privileged" => hook.privileged = this.boolean(node, at).unwrap_or_default(),
            "working_dir" => hook.working_dir = this.word(node, at),
            "environment" => hook.environment = this.variables(node, at),
            "per_replica" => hook.per_replica = this.boolean(node, at),
            _ => {}
        });
        hook.extensions = extensions;
        hook
    }

    fn develop(&mut self, node: &Node, place: &Place<'_>) -> Option<Develop> {
        let mut develop = Develop::default();
        let mut extensions = std::mem::take(&mut develop.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| {
            if key == "watch" {
                develop.watch = this.items(node, at, Self::watch_rule);
            }
        });
        develop.extensions = extensions;
        Some(develop)
    }

    fn watch_rule(&mut self, mapping: &Mapping, place: &Place<'_>) -> WatchRule {
        let mut rule = WatchRule::default();
        let mut extensions = std::mem::take(&mut rule.extensions);
        self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
            "path" => rule.path = this.text(node, at).unwrap_or_default(),
            "action" => rule.action = this.text(node, at).unwrap_or_default(),
            "target" => rule.target = this.word(node, at),
            "exec" => {
                if let Some(mapping) = node.as_mapping() {
                    rule.exec = this.hook(mapping, at);
                }
            }
            "include" => rule.include = this.texts(node, at),
            "ignore" => rule.ignore = this.texts(node, at),
            "initial_sync" => rule.initial_sync = this.boolean(node, at).unwrap_or_default(),
            _ => {}
        });
        rule.extensions = extensions;
        rule
    }

    fn provider(&mut self, node: &Node, place: &Place<'_>) -> Option<Provider> {
        let mut provider = Provider::default();
        let mut extensions = std::mem::take(&mut provider.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "type" => provider.kind = this.text(node, at).unwrap_or_default(),
            "options" => {
                for (name, entry) in node.as_mapping().into_iter().flat_map(Mapping::iter) {
                    let values = this.texts(&entry.node, &at.key(name));
                    provider.options.insert(name.to_owned(), values);
                }
            }
            _ => {}
        });
        provider.extensions = extensions;
        Some(provider)
    }

    fn service_model(&mut self, node: &Node, place: &Place<'_>) -> Option<ServiceModel> {
        let mut model = ServiceModel::default();
        let mut extensions = std::mem::take(&mut model.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "endpoint_var" => model.endpoint_var = this.word(node, at),
            "model_var" => model.model_var = this.word(node, at),
            _ => {}
        });
        model.extensions = extensions;
        Some(model)
    }

    fn credentials(&mut self, node: &Node, place: &Place<'_>) -> Option<CredentialSpec> {
        let mut spec = CredentialSpec::default();
        let mut extensions = std::mem::take(&mut spec.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "config" => spec.config = this.word(node, at),
            "file" => spec.file = this.word(node, at),
            "registry" => spec.registry = this.word(node, at),
            _ => {}
        });
        spec.extensions = extensions;
        Some(spec)
    }

    fn device(&mut self, mapping: &Mapping, place: &Place<'_>) -> DeviceMapping {
        let mut device = DeviceMapping::default();
        let mut extensions = std::mem::take(&mut device.extensions);
        self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
            "source" => device.source = this.text(node, at).unwrap_or_default(),
            "target" => device.target = this.word(node, at),
            "permissions" => device.permissions = this.word(node, at),
            _ => {}
        });
        device.extensions = extensions;
        device
    }

    fn service_network(&mut self, node: &Node, place: &Place<'_>) -> Option<ServiceNetwork> {
        let mut network = ServiceNetwork::default();
        let mut extensions = std::mem::take(&mut network.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "aliases" => network.aliases = this.texts(node, at),
            "driver_opts" => network.driver_opts = this.mapping(node, at),
            "gw_priority" => network.gw_priority = this.integer(node, at).filter(|number| *number != 0),
            "interface_name" => network.interface_name = this.word(node, at),
            "ipv4_address" => network.ipv4_address = this.word(node, at),
            "ipv6_address" => network.ipv6_address = this.word(node, at),
            "link_local_ips" => network.link_local_ips = this.texts(node, at),
            "mac_address" => network.mac_address = this.word(node, at),
            "priority" => network.priority = this.integer(node, at).filter(|number| *number != 0),
            _ => {}
        });
        network.extensions = extensions;
        Some(network)
    }

    fn port(&mut self, mapping: &Mapping, place: &Place<'_>) -> Port {
        let mut port = Port::default();
        let mut extensions = std::mem::take(&mut port.extensions);
        self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
            "name" => port.name = this.word(node, at),
            "mode" => port.mode = this.word(node, at),
            "host_ip" => port.host_ip = this.word(node, at),
            "target" => {
                port.target = this.integer(node, at).and_then(|number| u32::try_from(number).ok()).unwrap_or_default();
            }
            "published" => port.published = scalar::text(node).filter(|text| !text.is_empty()),
            "protocol" => port.protocol = this.word(node, at),
            "app_protocol" => port.app_protocol = this.word(node, at),
            _ => {}
        });
        port.extensions = extensions;
        port
    }

    fn mount(&mut self, mapping: &Mapping, place: &Place<'_>) -> Mount {
        let mut mount = Mount::default();
        let mut extensions = std::mem::take(&mut mount.extensions);
        self.fields(mapping, place, &mut extensions, |this, key, node, at| match key {
            "type" => mount.kind = this.text(node, at).unwrap_or_default(),
            "source" => mount.source = this.word(node, at),
            "target" => mount.target = this.word(node, at),
            "read_only" => mount.read_only = this.boolean(node, at).unwrap_or_default(),
            "consistency" => mount.consistency = this.word(node, at),
            "bind" => mount.bind = this.bind(node, at),
            "volume" => mount.volume = this.volume_options(node, at),
            "tmpfs" => mount.tmpfs = this.tmpfs(node, at),
            "image" => {
                let subpath = node.get("subpath").and_then(|node| this.word(node, at));
                mount.image = node.as_mapping().map(|_| ImageOptions { subpath, ..ImageOptions::default() });
            }
            _ => {}
        });
        mount.extensions = extensions;
        mount
    }

    fn bind(&mut self, node: &Node, place: &Place<'_>) -> Option<BindOptions> {
        let mut bind = BindOptions::default();
        let mut extensions = std::mem::take(&mut bind.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "selinux" => bind.selinux = this.word(node, at),
            "propagation" => bind.propagation = this.word(node, at),
            "create_host_path" => {
                bind.create_host_path_given = this.boolean(node, at);
                bind.create_host_path = bind.create_host_path_given.unwrap_or_default();
            }
            "recursive" => bind.recursive = this.word(node, at),
            _ => {}
        });
        bind.extensions = extensions;
        Some(bind)
    }

    fn volume_options(&mut self, node: &Node, place: &Place<'_>) -> Option<VolumeOptions> {
        let mut volume = VolumeOptions::default();
        let mut extensions = std::mem::take(&mut volume.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "labels" => volume.labels = this.mapping(node, at),
            "nocopy" => volume.nocopy = this.boolean(node, at).unwrap_or_default(),
            "subpath" => volume.subpath = this.word(node, at),
            _ => {}
        });
        volume.extensions = extensions;
        Some(volume)
    }

    fn tmpfs(&mut self, node: &Node, place: &Place<'_>) -> Option<TmpfsOptions> {
        let mut tmpfs = TmpfsOptions::default();
        let mut extensions = std::mem::take(&mut tmpfs.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "size" => tmpfs.size = this.size(node, at),
            "mode" => tmpfs.mode = this.mode(node, at).filter(|mode| *mode != 0),
            _ => {}
        });
        tmpfs.extensions = extensions;
        Some(tmpfs)
    }

    fn blkio(&mut self, node: &Node, place: &Place<'_>) -> Option<BlkioConfig> {
        let mut blkio = BlkioConfig::default();
        let mut extensions = std::mem::take(&mut blkio.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "weight" => blkio.weight = this.integer(node, at).and_then(|number| u16::try_from(number).ok()),
            "weight_device" => {
                blkio.weight_device = this.items(node, at, |this, mapping, at| WeightDevice {
                    path: mapping.get("path").and_then(|node| this.text(node, at)).unwrap_or_default(),
                    weight: mapping
                        .get("weight")
                        .and_then(|node| this.integer(node, at))
                        .and_then(|number| u16::try_from(number).ok())
                        .unwrap_or_default(),
                    ..WeightDevice::default()
                });
            }
            "device_read_bps" => blkio.device_read_bps = this.items(node, at, Self::throttle),
            "device_read_iops" => blkio.device_read_iops = this.items(node, at, Self::throttle),
            "device_write_bps" => blkio.device_write_bps = this.items(node, at, Self::throttle),
            "device_write_iops" => blkio.device_write_iops = this.items(node, at, Self::throttle),
            _ => {}
        });
        blkio.extensions = extensions;
        Some(blkio)
    }

    fn throttle(&mut self, mapping: &Mapping, place: &Place<'_>) -> ThrottleDevice {
        ThrottleDevice {
            path: mapping.get("path").and_then(|node| self.text(node, place)).unwrap_or_default(),
            rate: mapping.get("rate").and_then(|node| self.bytes(node, place)).unwrap_or_default(),
            ..ThrottleDevice::default()
        }
    }
}
