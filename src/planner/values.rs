//! A container's configuration in the words of the file, so that what it was made from and what is wanted now can be
//! put side by side.

use std::collections::{BTreeMap, BTreeSet};

use crate::resource::{ContainerSpec, Mount, MountKind};

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// One value.
    One(String),
    /// Several, whose order says nothing.
    Many(BTreeSet<String>),
}

/// The configuration by path below the service. What is not set is left out, and so is what engines and images fill
/// in by themselves and cannot be told from what was asked for.
pub(super) fn of(spec: &ContainerSpec) -> BTreeMap<String, Shown> {
    let mut view = View(BTreeMap::new());
    view.one("image", Some(spec.image.as_str()));
    view.one("platform", spec.platform.as_deref());
    view.words("command", spec.command.as_deref());
    view.words("entrypoint", spec.entrypoint.as_deref());
    for variable in &spec.environment {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        view.set(format!("environment.{name}"), value.to_owned());
    }
    for (key, value) in &spec.labels {
        if !key.starts_with("com.docker.compose.") && !key.starts_with("dev.compose.") {
            view.set(format!("labels.{key}"), value.clone());
        }
    }
    view.one("hostname", spec.hostname.as_deref());
    view.one("domainname", spec.domainname.as_deref());
    view.one("user", spec.user.as_deref());
    view.one("working_dir", spec.working_dir.as_deref());
    view.flag("tty", spec.tty);
    view.flag("stdin_open", spec.stdin_open);
    view.one("stop_signal", spec.stop_signal.as_deref());
    view.number("stop_grace_period", spec.stop_timeout, |seconds| format!("{seconds}s"));
    if let Some(check) = &spec.healthcheck {
        view.words("healthcheck.test", Some(&check.test));
        for (key, nanos) in [
            ("interval", check.interval),
            ("timeout", check.timeout),
            ("start_period", check.start_period),
            ("start_interval", check.start_interval),
        ] {
            view.number(&format!("healthcheck.{key}"), (nanos != 0).then_some(nanos), duration);
        }
        view.number("healthcheck.retries", (check.retries != 0).then_some(check.retries), |count| count.to_string());
    }
    host(&mut view, spec);
    view.0
}

fn host(view: &mut View, spec: &ContainerSpec) {
    let host = &spec.host;
    let ports = host.port_bindings.iter().flat_map(|(port, places)| {
        places.iter().map(move |place| {
            let host = [place.host_ip.as_str(), place.host_port.as_str()];
            let parts: Vec<&str> = host.into_iter().filter(|part| !part.is_empty()).collect();
            let port = port.strip_suffix("/tcp").unwrap_or(port);
            if parts.is_empty() { port.to_owned() } else { format!("{}:{port}", parts.join(":")) }
        })
    });
    view.many("ports", ports);
    let published: BTreeSet<&String> = host.port_bindings.keys().collect();
    view.many("expose", spec.exposed_ports.iter().filter(|port| !published.contains(port)).cloned());
    let binds = host.binds.iter().map(|bind| bind.strip_suffix(":rw").unwrap_or(bind).to_owned());
    view.many("volumes", binds.chain(host.mounts.iter().filter_map(mount)));
    view.many("tmpfs", host.tmpfs.iter().map(|(path, options)| pair(path, ":", options)));
    view.many("networks", spec.endpoints.keys().map(ToString::to_string));
    let mode = host.network_mode.as_deref().filter(|mode| !spec.endpoints.contains_key(*mode));
    view.one("network_mode", mode);
    view.one("ipc", host.ipc_mode.as_deref());
    view.one("pid", host.pid_mode.as_deref());
    view.one("uts", host.uts_mode.as_deref());
    view.one("userns_mode", host.userns_mode.as_deref());
    view.one("cgroup", host.cgroupns_mode.as_deref());
    view.one("cgroup_parent", host.cgroup_parent.as_deref());
    let restart = match (host.restart_policy.name.as_str(), host.restart_policy.maximum_retry_count) {
        ("" | "no", _) => None,
        (name, 0) => Some(name.to_owned()),
        (name, count) => Some(format!("{name}:{count}")),
    };
    view.one("restart", restart.as_deref());
    view.flag("privileged", host.privileged);
    view.flag("read_only", host.readonly_rootfs);
    view.one("init", host.init.map(|init| if init { "true" } else { "false" }));
    view.many("cap_add", host.cap_add.iter().cloned());
    view.many("cap_drop", host.cap_drop.iter().cloned());
    view.many("group_add", host.group_add.iter().cloned());
    view.many("security_opt", host.security_opt.iter().cloned());
    view.many("dns", host.dns.iter().cloned());
    view.many("dns_opt", host.dns_options.iter().cloned());
    view.many("dns_search", host.dns_search.iter().cloned());
    view.many("extra_hosts", host.extra_hosts.iter().cloned());
    view.many("links", host.links.iter().cloned());
    view.many("devices", host.devices.iter().map(|device| pair(&device.host_path, ":", &device.container_path)));
    for (key, value) in &host.sysctls {
        view.set(format!("sysctls.{key}"), value.clone());
    }
    for (key, value) in &host.annotations {
        view.set(format!("annotations.{key}"), value.clone());
    }
    for limit in &host.ulimits {
        let both = limit.soft == limit.hard;
        let text = if both { limit.soft.to_string() } else { format!("{}:{}", limit.soft, limit.hard) };
        view.set(format!("ulimits.{}", limit.name), text);
    }
    if let Some(log) = &host.log_config {
        view.one("logging.driver", Some(&log.driver));
        view.many("logging.options", log.options.iter().map(|(key, value)| pair(key, "=", value)));
    }
    view.one("runtime", host.runtime.as_deref());
    view.one("isolation", host.isolation.as_deref());
    view.number("shm_size", host.shm_size, bytes);
    #[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
    view.number("cpus", host.nano_cpus, |nanos| (nanos as f64 / 1e9).to_string());
    view.one("cpuset", host.cpuset_cpus.as_deref());
    view.number("mem_limit", host.memory, bytes);
    view.number("mem_reservation", host.memory_reservation, bytes);
    view.number("memswap_limit", host.memory_swap, bytes);
    for (key, value) in [
        ("cpu_shares", host.cpu_shares),
        ("cpu_period", host.cpu_period),
        ("cpu_quota", host.cpu_quota),
        ("cpu_rt_period", host.cpu_rt_period),
        ("cpu_rt_runtime", host.cpu_rt_runtime),
        ("mem_swappiness", host.memory_swappiness),
        ("oom_score_adj", host.oom_score_adj),
        ("pids_limit", host.pids_limit),
    ] {
        view.number(key, value, |number| number.to_string());
    }
    view.flag("oom_kill_disable", host.oom_kill_disable);
}

struct View(BTreeMap<String, Shown>);

impl View {
    fn set(&mut self, path: String, value: String) {
        self.0.insert(path, Shown::One(value));
    }
    fn one(&mut self, path: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.set(path.to_owned(), value.to_owned());
        }
    }
    fn words(&mut self, path: &str, words: Option<&[String]>) {
        if let Some(words) = words.filter(|words| !words.is_empty()) {
            let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            self.set(path.to_owned(), format!("[{}]", quoted.join(", ")));
        }
    }
    fn flag(&mut self, path: &str, set: bool) {
        self.one(path, set.then_some("true"));
    }
    fn number(&mut self, path: &str, value: Option<i64>, text: impl Fn(i64) -> String) {
        self.one(path, value.map(text).as_deref());
    }
    fn many(&mut self, path: &str, values: impl Iterator<Item = String>) {
        let values: BTreeSet<String> = values.collect();
        if !values.is_empty() {
            self.0.insert(path.to_owned(), Shown::Many(values));
        }
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("{word:?}") }
}

fn pair(left: &str, separator: &str, right: &str) -> String {
    if right.is_empty() { left.to_owned() } else { format!("{left}{separator}{right}") }
}

/// `source:target:ro`; nothing for anonymous volumes, whose names say nothing.
fn mount(mount: &Mount) -> Option<String> {
    let is_id = mount.source.len() == 64 && mount.source.bytes().all(|byte| byte.is_ascii_hexdigit());
    if matches!(mount.kind, MountKind::Volume { .. }) && (mount.source.is_empty() || is_id) {
        return None;
    }
    let access = if mount.read_only { ":ro" } else { "" };
    let left = pair(&mount.source, ":", &mount.target);
    Some(format!("{}{access}", left.trim_start_matches(':')))
}

/// `1m30s`, `500ms`.
fn duration(nanos: i64) -> String {
    let (minutes, rest) = (nanos / 60_000_000_000, nanos % 60_000_000_000);
    let seconds = if rest % 1_000_000_000 == 0 {
        format!("{}s", rest / 1_000_000_000)
    } else {
        format!("{}ms", rest / 1_000_000)
    };
    match (minutes, rest) {
        (0, _) => seconds,
        (_, 0) => format!("{minutes}m"),
        _ => format!("{minutes}m{seconds}"),
    }
}

/// `64m`, `1g`; bytes that are no whole number of such are told as they are.
fn bytes(size: i64) -> String {
    for (unit, shift) in [("g", 30), ("m", 20), ("k", 10)] {
        if size != 0 && size % (1 << shift) == 0 {
            return format!("{}{unit}", size >> shift);
        }
    }
    size.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_told_as_people_write_them() {
        for (size, text) in [(64 << 20, "64m"), (1 << 30, "1g"), (1 << 10, "1k"), (1000, "1000"), (0, "0")] {
            assert_eq!(bytes(size), text);
        }
        for (nanos, text) in
            [(500_000_000, "500ms"), (30_000_000_000, "30s"), (60_000_000_000, "1m"), (90_000_000_000, "1m30s")]
        {
            assert_eq!(duration(nanos), text);
        }
    }
}
