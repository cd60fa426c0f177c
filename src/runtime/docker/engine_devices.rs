//! Devices and OCI runtimes, as far as the engine tells which it has.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::resource::{HostFound, HostWish};

/// From this API on engines list the devices that they know.
const LISTS_DEVICES: (u32, u32) = (1, 50);

/// The part of `/info` that tells of devices.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Info {
    runtimes: Option<BTreeMap<String, Value>>,
    #[serde(rename = "CDISpecDirs")]
    cdi_directories: Option<Vec<String>>,
    discovered_devices: Option<Vec<Discovered>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Discovered {
    #[serde(rename = "Source")]
    source: String,
    #[serde(rename = "ID")]
    id: String,
}

/// Whether anything that the engine tells matters.
pub(super) fn matters(wish: &HostWish) -> bool {
    !wish.cdi_devices.is_empty() || !wish.runtimes.is_empty() || !wish.gpu_drivers.is_empty()
}

/// What the engine surely does not have. What it does not tell counts as there.
pub(super) fn compare(wish: &HostWish, info: &Info, kind: &str, api: (u32, u32), found: &mut HostFound) {
    if kind != "docker" {
        return;
    }
    let known: BTreeSet<&str> = info
        .discovered_devices
        .iter()
        .flatten()
        .filter(|device| device.source == "cdi")
        .map(|device| device.id.as_str())
        .collect();
    // A GPU may come in other ways than those that are looked for on the host.
    if known.iter().any(|id| id.split('=').next().is_some_and(|kind| kind.ends_with("gpu"))) {
        found.missing_gpu_drivers.clear();
    }
    match &info.cdi_directories {
        Some(directories) if directories.is_empty() => found.missing_cdi_devices.clone_from(&wish.cdi_devices),
        Some(directories) if api >= LISTS_DEVICES => {
            let missing = wish.cdi_devices.iter().filter(|id| !known.contains(id.as_str()));
            found.missing_cdi_devices.extend(missing.cloned());
            found.cdi_directories.clone_from(directories);
        }
        // Older ones do not list them, still older ones do not even say whether they know any.
        Some(_) | None => {}
    }
    if let Some(runtimes) = info.runtimes.as_ref().filter(|runtimes| !runtimes.is_empty()) {
        // Names with dots and paths are containerd's, which looks for a program of that name.
        let plain = wish.runtimes.iter().filter(|name| !name.contains(['.', '/']));
        found.missing_runtimes.extend(plain.filter(|name| !runtimes.contains_key(*name)).cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(info: &str, api: (u32, u32), kind: &str) -> HostFound {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        let wish = HostWish {
            cdi_devices: texts(&["vendor.com/gpu=0", "vendor.com/net=all"]),
            runtimes: texts(&["runc", "nvidia", "io.containerd.kata.v2", "/usr/bin/kata"]),
            gpu_drivers: texts(&[""]),
            ..HostWish::default()
        };
        let mut found = HostFound { missing_gpu_drivers: wish.gpu_drivers.clone(), ..HostFound::default() };
        compare(&wish, &serde_json::from_str(info).unwrap(), kind, api, &mut found);
        found
    }

    fn told(found: &HostFound) -> String {
        let HostFound { missing_cdi_devices, missing_runtimes, missing_gpu_drivers, cdi_directories, .. } = found;
        format!("{missing_cdi_devices:?} {missing_runtimes:?} gpu {} {cdi_directories:?}", missing_gpu_drivers.len())
    }

    #[test]
    fn what_is_certain() {
        let lists = r#"{"Runtimes": {"runc": {}, "io.containerd.runc.v2": {}}, "CDISpecDirs": ["/etc/cdi"],
            "DiscoveredDevices": [{"Source": "cdi", "ID": "vendor.com/net=all"}, {"Source": "other", "ID": "vendor.com/gpu=0"}]}"#;
        insta::assert_snapshot!(told(&missing(lists, (1, 51), "docker")), @r#"{"vendor.com/gpu=0"} {"nvidia"} gpu 1 ["/etc/cdi"]"#);
        insta::assert_snapshot!(told(&missing(lists, (1, 49), "docker")), @r#"{} {"nvidia"} gpu 1 []"#);
        insta::assert_snapshot!(told(&missing(lists, (1, 51), "podman")), @"{} {} gpu 1 []");
        let none = r#"{"Runtimes": {"nvidia": {}, "runc": {}}, "CDISpecDirs": ["/etc/cdi"]}"#;
        insta::assert_snapshot!(told(&missing(none, (1, 51), "docker")), @r#"{"vendor.com/gpu=0", "vendor.com/net=all"} {} gpu 1 ["/etc/cdi"]"#);
        let off = r#"{"Runtimes": null, "CDISpecDirs": []}"#;
        insta::assert_snapshot!(told(&missing(off, (1, 44), "docker")), @r#"{"vendor.com/gpu=0", "vendor.com/net=all"} {} gpu 1 []"#);
        let there =
            r#"{"CDISpecDirs": ["/etc/cdi"], "DiscoveredDevices": [{"Source": "cdi", "ID": "vendor.com/gpu=0"}]}"#;
        insta::assert_snapshot!(told(&missing(there, (1, 50), "docker")), @r#"{"vendor.com/net=all"} {} gpu 0 ["/etc/cdi"]"#);
        insta::assert_snapshot!(told(&missing("{}", (1, 43), "docker")), @"{} {} gpu 1 []");
    }
}
