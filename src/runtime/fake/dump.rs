//! The world of the fake as text that hangs on no id and no time, so that two worlds can be compared.

use std::fmt::Write;

use crate::runtime::fake::world::{File, World};

impl World {
    /// One block per container, network, volume and image. Ids of containers are told by name; values of the labels
    /// that begin with one of `without` are left out.
    pub(super) fn dump(&self, without: &[&str]) -> String {
        let mut text = String::new();
        let mut containers: Vec<_> = self.containers.values().collect();
        containers.sort_by(|one, other| one.name.cmp(&other.name));
        for record in containers {
            let _ = write!(text, "container {} {} {}", record.name, record.spec.image, record.state.as_str());
            if record.finished.is_some() && !record.is_running() {
                let _ = write!(text, "({})", record.exit_code);
            }
            text.push('\n');
            let host = &record.spec.host;
            let modes = [("network", &host.network_mode), ("ipc", &host.ipc_mode), ("pid", &host.pid_mode)];
            for (kind, mode) in modes.into_iter().filter_map(|(kind, mode)| Some((kind, mode.as_deref()?))) {
                let _ = writeln!(text, "  {kind} mode {}", self.named(mode));
            }
            for from in &host.volumes_from {
                let _ = writeln!(text, "  volumes from {}", self.named(from));
            }
            for name in record.networks.keys() {
                let _ = writeln!(text, "  on {name}");
            }
            for mount in &record.mounts {
                let what = self.content_of(&mount.name).unwrap_or_else(|| mount.source.clone());
                let _ = writeln!(text, "  mount {} {} {what}", mount.destination, mount.kind);
            }
            for (path, File { content, mode, owner }) in &record.files {
                let _ = writeln!(text, "  file {path} {mode:o} {}:{} {} bytes", owner.0, owner.1, content.len());
            }
            for (key, value) in &record.spec.labels {
                if !without.iter().any(|prefix| key.starts_with(prefix)) {
                    let _ = writeln!(text, "  label {key}={value}");
                }
            }
        }
        let mut networks: Vec<_> = self.networks.iter().map(|network| network.name.as_str()).collect();
        networks.sort_unstable();
        for name in networks.iter().filter(|name| !["bridge", "host", "none"].contains(name)) {
            let _ = writeln!(text, "network {name}");
        }
        let mut volumes: Vec<String> = self.volumes.keys().filter_map(|name| self.content_of(name.as_str())).collect();
        volumes.sort_unstable();
        for volume in volumes {
            let _ = writeln!(text, "volume {volume}");
        }
        let mut images: Vec<String> = self.images.iter().map(|image| image.tags.join(" ")).collect();
        images.sort_unstable();
        for tags in images.iter().filter(|tags| !tags.is_empty()) {
            let _ = writeln!(text, "image {tags}");
        }
        text
    }

    /// A text with the id of a container replaced by its name.
    fn named(&self, text: &str) -> String {
        let id = text.strip_prefix("container:").unwrap_or(text);
        self.containers.get(id).map_or_else(|| text.to_owned(), |record| format!("container {}", record.name))
    }
    /// A volume's name, or `anonymous`, and what lies in it.
    fn content_of(&self, name: &str) -> Option<String> {
        let record = self.volumes.get(name)?;
        let name = if record.is_anonymous { "anonymous" } else { name };
        Some(if record.content.is_empty() { name.to_owned() } else { format!("{name} with {}", record.content) })
    }
}
