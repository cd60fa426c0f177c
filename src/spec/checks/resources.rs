//! Volumes, secrets, configs, ports, watch paths and device requests, each by itself.

use std::net::IpAddr;

use crate::diagnostics::Diagnostic;
use crate::spec::checks::entries;
use crate::spec::codes;
use crate::spec::scalar;
use crate::spec::tree::{Mapping, Node};

pub(super) fn check(tree: &Node, findings: &mut Vec<Diagnostic>) {
    for (name, entry) in entries(tree, "volumes") {
        external_volume(name, &entry.node, findings);
    }
    for (section, sources) in
        [("configs", &["file", "environment", "content"][..]), ("secrets", &["file", "environment"])]
    {
        for (name, entry) in entries(tree, section) {
            if let Some(mapping) = entry.node.as_mapping() {
                one_source(&format!("{section}.{name}"), &entry.node, mapping, sources, findings);
            }
        }
    }
    for (name, entry) in entries(tree, "services") {
        service(name, &entry.node, findings);
    }
}

fn external_volume(name: &str, node: &Node, findings: &mut Vec<Diagnostic>) {
    let Some(volume) = node.as_mapping() else { return };
    let Some(external) = volume.get("external") else { return };
    if scalar::text(external).is_none_or(|text| text != "true") {
        return;
    }
    let other = volume.iter().find(|(key, _)| !matches!(*key, "external" | "name") && !key.starts_with("x-"));
    if let Some((key, entry)) = other {
        let message = format!("volumes.{name}: conflicting parameters \"external\" and \"{key}\" specified");
        findings.push(
            Diagnostic::error(codes::CONFLICT, message)
                .at(entry.key_span, "has no effect on a volume that somebody else made")
                .at(external.span, ""),
        );
    }
}

fn one_source(path: &str, node: &Node, mapping: &Mapping, sources: &[&str], findings: &mut Vec<Diagnostic>) {
    let given: Vec<_> = sources.iter().filter_map(|source| mapping.entry(source)).collect();
    let list = sources.join("|");
    match given.as_slice() {
        [] if mapping.contains_key("driver") || mapping.contains_key("external") => {}
        [] => findings.push(
            Diagnostic::error(codes::MISSING_KEY, format!("{path}: one of {list} must be set")).at(node.span, ""),
        ),
        [_] => {}
        [first, second, ..] => findings.push(
            Diagnostic::error(codes::CONFLICT, format!("{path}: {list} attributes are mutually exclusive"))
                .at(second.key_span, "")
                .at(first.key_span, ""),
        ),
    }
}

fn service(name: &str, node: &Node, findings: &mut Vec<Diagnostic>) {
    let items = |path: &[&str]| node.at(path.iter().copied()).and_then(Node::as_sequence).unwrap_or_default();
    for port in items(&["ports"]) {
        if let Some(address) = port.get("host_ip")
            && let Some(text) = address.as_str()
            && text.parse::<IpAddr>().is_err()
        {
            let message = format!("services.{name}.ports.[]: invalid ip address: {text}");
            findings.push(Diagnostic::error(codes::INVALID_VALUE, message).at(address.span, ""));
        }
    }
    for rule in items(&["develop", "watch"]) {
        if let Some(path) = rule.get("path")
            && path.as_str() == Some("")
        {
            let message = format!("services.{name}.develop.watch.[].path: value can't be blank");
            findings.push(Diagnostic::error(codes::INVALID_VALUE, message).at(path.span, ""));
        }
    }
    for (path, shown) in [
        (&["gpus"][..], "gpus"),
        (&["deploy", "resources", "reservations", "devices"], "deploy.resources.reservations.devices"),
    ] {
        for request in items(path) {
            if let (Some(count), Some(ids)) = (request.get("count"), request.get("device_ids")) {
                let message =
                    format!("services.{name}.{shown}.[]: \"count\" and \"device_ids\" attributes are exclusive");
                findings.push(Diagnostic::error(codes::CONFLICT, message).at(count.span, "").at(ids.span, ""));
            }
        }
    }
}
