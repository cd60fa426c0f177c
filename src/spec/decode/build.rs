//! `build:`

use std::collections::BTreeMap;

use crate::spec::decode::Decoder;
use crate::spec::model::{Build, BuildSecret, Ulimit};
use crate::spec::place::Place;
use crate::spec::tree::{Mapping, Node, Value};

impl Decoder {
    pub(super) fn build(&mut self, node: &Node, place: &Place<'_>) -> Option<Build> {
        let mut build = Build::default();
        let mut extensions = std::mem::take(&mut build.extensions);
        self.fields(node.as_mapping()?, place, &mut extensions, |this, key, node, at| match key {
            "context" => build.context = this.word(node, at),
            "dockerfile" => build.dockerfile = this.word(node, at),
            "dockerfile_inline" => build.dockerfile_inline = this.word(node, at),
            "entitlements" => build.entitlements = this.texts(node, at),
            "args" => build.args = this.optional_mapping(node, at),
            "provenance" => build.provenance = this.word(node, at),
            "sbom" => build.sbom = this.word(node, at),
            "ssh" => build.ssh = this.optional_mapping(node, at).into_iter().collect(),
            "labels" => build.labels = this.mapping(node, at),
            "cache_from" => build.cache_from = this.texts(node, at),
            "cache_to" => build.cache_to = this.texts(node, at),
            "no_cache" => build.no_cache = this.boolean(node, at).unwrap_or_default(),
            "no_cache_filter" => build.no_cache_filter = this.texts(node, at),
            "additional_contexts" => build.additional_contexts = this.mapping(node, at),
            "pull" => build.pull = this.boolean(node, at).unwrap_or_default(),
            "extra_hosts" => build.extra_hosts = this.hosts(node, at),
            "isolation" => build.isolation = this.word(node, at),
            "network" => build.network = this.word(node, at),
            "target" => build.target = this.word(node, at),
            "secrets" => build.secrets = this.items(node, at, Self::build_secret),
            "shm_size" => build.shm_size = this.bytes(node, at),
            "tags" => build.tags = this.texts(node, at),
            "ulimits" => build.ulimits = this.ulimits(node, at),
            "platforms" => build.platforms = this.texts(node, at),
            "privileged" => build.privileged = this.boolean(node, at).unwrap_or_default(),
            _ => {}
        });
        build.extensions = extensions;
        Some(build)
    }

    fn build_secret(&mut self, mapping: &Mapping, place: &Place<'_>) -> BuildSecret {
        let reference = self.file_reference(mapping, place);
        BuildSecret {
            source: reference.source,
            target: reference.target,
            uid: reference.uid,
            gid: reference.gid,
            mode: reference.mode,
            extensions: reference.extensions,
        }
    }

    /// Host names with addresses: a mapping, or a list of `host=address` or `host:address`.
    pub(super) fn hosts(&mut self, node: &Node, place: &Place<'_>) -> BTreeMap<String, Vec<String>> {
        let mut hosts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut add = |this: &mut Self, node: &Node, host: &str, addresses: &str| {
            if host.contains([':', '=']) {
                this.problem(node.span, place, &format!("bad host name '{host}'"));
                return;
            }
            for address in addresses.split(',') {
                let address = address.trim();
                let address = address.strip_prefix('[').and_then(|bare| bare.strip_suffix(']')).unwrap_or(address);
                hosts.entry(host.to_owned()).or_default().push(address.to_owned());
            }
        };
        match &node.value {
            Value::Mapping(mapping) => {
                for (host, entry) in mapping.iter() {
                    for address in self.texts(&entry.node, place) {
                        add(self, &entry.node, host, &address);
                    }
                }
            }
            Value::Sequence(items) => {
                for item in items {
                    let Some(text) = item.as_str() else { continue };
                    match text.split_once('=').or_else(|| text.split_once(':')) {
                        Some((host, addresses)) if !addresses.is_empty() => {
                            add(self, item, host.trim_end(), addresses);
                        }
                        _ => {
                            let problem = format!("invalid additional host, missing IP: {text}");
                            self.problem(item.span, place, &problem);
                        }
                    }
                }
            }
            _ => {}
        }
        hosts
    }

    pub(super) fn ulimits(&mut self, node: &Node, place: &Place<'_>) -> BTreeMap<String, Ulimit> {
        let mut limits = BTreeMap::new();
        let Some(mapping) = node.as_mapping() else { return limits };
        for (name, entry) in mapping.iter() {
            let at = place.key(name);
            let limit = match &entry.node.value {
                Value::Mapping(pair) => {
                    let mut side =
                        |key: &str| pair.get(key).and_then(|node| self.integer(node, &at.key(key))).unwrap_or_default();
                    Some(Ulimit::Pair { soft: side("soft"), hard: side("hard") })
                }
                _ => self.integer(&entry.node, &at).map(Ulimit::Single),
            };
            if let Some(limit) = limit {
                limits.insert(name.to_owned(), limit);
            }
        }
        limits
    }
}
