//! From a service to the container that is wanted: every attribute of the model is named here once, so that a new one
//! does not compile before somebody decided what it means.
//!
//! Which field of the engine an attribute goes to is docker compose's choice (2.40), so that a container made by
//! either tool looks the same to everything that inspects it.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::labels;
use crate::names::{ContainerId, ContainerName, ImageRef, NetworkKey, NetworkName, ServiceName};
use crate::planner::devices;
use crate::planner::mounts::{self, Inherited};
use crate::resource::{
    ContainerSpec, Endpoint, Healthcheck, HostSpec, LogConfig, PortBinding, RestartPolicy, Texts, Ulimit,
};
use crate::spec::model::{self, Project, Service, ServiceNetwork};

/// Which container of a service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// The project.
    pub(super) project: &'a Project,
    /// The service.
    pub(super) service: &'a Service,
    /// Number of the replica.
    pub(super) number: u32,
    /// Id of the local image, when it is there.
    pub(super) image_id: Option<&'a str>,
    /// Variables that it gets unless the service says otherwise.
    pub(super) proxies: &'a Texts,
    /// What is carried over from the container that this one replaces.
    pub(super) inherited: Inherited<'a>,
}

/// The final name of a replica.
pub fn name(project: &Project, service: &Service, number: u32) -> ContainerName {
    match &service.container_name {
        Some(name) => name.clone().into(),
        None => {
            let separator = project.separator();
            format!("{}{separator}{}{separator}{number}", project.name, service.name).into()
        }
    }
}

/// What a replica is called while the one that it replaces is still there.
pub(super) fn temporary_name(replaced: &ContainerId, name: &ContainerName) -> ContainerName {
    ContainerName::new(format!("{}_{name}", replaced.short()))
}

/// Whether a container has such a name still, because a replacement was cut off.
pub(super) fn is_temporary_name(found: &ContainerName, name: &ContainerName) -> bool {
    /// Letters of a short id.
    const SHORT: usize = 12;
    let before = found.as_str().strip_suffix(name.as_str()).and_then(|before| before.strip_suffix('_'));
    before.is_some_and(|id| id.len() == SHORT && id.chars().all(|c| c.is_ascii_hexdigit()))
}

/// The platform that is asked for.
pub(super) fn platform(project: &Project, service: &Service) -> Option<String> {
    let default = || project.variable("DOCKER_DEFAULT_PLATFORM").filter(|value| !value.is_empty());
    service.platform.as_deref().or_else(default).map(str::to_owned)
}

/// The container, but for its config hash and for namespaces shared with other services, which hang on ids.
///
/// # Errors
/// A phrase for what cannot be said to an engine; it completes "service `x`: …".
pub(super) fn spec(wanted: Wanted<'_>) -> Result<ContainerSpec, String> {
    let Wanted { project, service, number, image_id, proxies, inherited } = wanted;
    let own_name = name(project, service, number);
    let files = mounts::of(project, service, inherited)?;
    let Service {
        name: _,
        profiles: _,
        annotations,
        attach: _,
        build: _,
        develop: _,
        blkio_config,
        cap_add,
        cap_drop,
        cgroup_parent,
        cgroup,
        cpu_count,
        cpu_percent,
        cpu_period,
        cpu_quota,
        cpu_rt_period,
        cpu_rt_runtime,
        cpus,
        cpuset,
        cpu_shares,
        command,
        configs: _, // mounts::of, uploads
        container_name: _,
        credential_spec: _, // docker compose does not send it either
        depends_on: _,
        deploy,
        device_cgroup_rules,
        devices,
        dns,
        dns_opt,
        dns_search,
        domainname,
        entrypoint,
        provider: _, // has no container
        environment,
        env_file: _, // already part of the environment
        expose,
        external_links,
        extra_hosts,
        group_add,
        gpus,
        hostname,
        healthcheck,
        image: _,
        init,
        ipc,
        isolation,
        labels: _,      // own_labels
        label_files: _, // already part of the labels
        links,
        logging,
        mem_limit,
        mem_reservation,
        memswap_limit,
        mem_swappiness,
        mac_address: _, // endpoints
        models: _,      // their variables come with ConfigureModel
        network_mode,
        networks: _, // endpoints
        oom_kill_disable,
        oom_score_adj,
        pid,
        pids_limit,
        platform: _,
        ports,
        privileged,
        pull_policy: _,
        read_only,
        restart,
        runtime,
        scale: _,
        secrets: _, // mounts::of, uploads
        security_opt,
        shm_size,
        stdin_open,
        stop_grace_period,
        stop_signal,
        storage_opt,
        sysctls,
        tmpfs,
        tty,
        ulimits,
        use_api_socket: _, // mounts::of
        user,
        userns_mode,
        uts,
        volumes: _, // mounts::of
        volumes_from,
        working_dir,
        pre_start: _,
        post_start: _,
        pre_stop: _,
        extensions: _,
    } = service;

    let (security_opt, unmask_system_paths) = security(project, security_opt)?;
    let all_links = link_names(project, number, links, external_links);
    let (mode, endpoints) = networking(project, service, &own_name, &all_links);
    let limits = deploy.as_ref().and_then(|deploy| deploy.resources.limits.as_ref());
    let reservations = deploy.as_ref().and_then(|deploy| deploy.resources.reservations.as_ref());
    let blkio = blkio_config.clone().unwrap_or_default();
    let host = HostSpec {
        binds: files.binds,
        mounts: files.mounts,
        tmpfs: tmpfs.iter().map(|entry| split_pair(entry, ':')).collect(),
        volumes_from: volumes_from
            .iter()
            .filter_map(|from| from.strip_prefix("container:"))
            .map(str::to_owned)
            .collect(),
        port_bindings: port_bindings(ports),
        network_mode: mode,
        ipc_mode: own_namespace(ipc),
        pid_mode: own_namespace(pid),
        uts_mode: uts.clone(),
        userns_mode: userns_mode.clone(),
        cgroupns_mode: cgroup.clone(),
        cgroup_parent: cgroup_parent.clone(),
        restart_policy: restart_policy(restart.as_deref(), deploy.as_ref()),
        auto_remove: false,
        console_size: None,
        privileged: *privileged,
        readonly_rootfs: *read_only,
        init: *init,
        cap_add: capabilities(cap_add),
        cap_drop: capabilities(cap_drop),
        group_add: group_add.clone(),
        security_opt,
        unmask_system_paths,
        dns: dns.clone(),
        dns_options: dns_opt.clone(),
        dns_search: dns_search.clone(),
        extra_hosts: extra_hosts
            .iter()
            .flat_map(|(host, ips)| ips.iter().map(move |ip| format!("{host}:{ip}")))
            .collect(),
        links: all_links,
        annotations: annotations.clone(),
        log_config: logging.as_ref().map(|logging| LogConfig {
            driver: logging.driver.clone().unwrap_or_default(),
            options: logging.options.clone(),
        }),
        sysctls: sysctls.clone(),
        ulimits: ulimits.iter().map(|(name, limit)| ulimit(name, *limit)).collect(),
        storage_opt: storage_opt.clone(),
        shm_size: shm_size.map(|size| size.0),
        runtime: runtime.clone(),
        isolation: isolation.clone(),
        devices: devices::plain(devices),
        device_cgroup_rules: device_cgroup_rules.clone(),
        device_requests: devices::requests(reservations, devices, gpus),
        nano_cpus: limits.and_then(|limits| limits.cpus).filter(|cpus| *cpus > 0.0).or(*cpus).map(nanos),
        cpu_shares: *cpu_shares,
        cpu_period: *cpu_period,
        cpu_quota: *cpu_quota,
        cpu_rt_period: *cpu_rt_period,
        cpu_rt_runtime: *cpu_rt_runtime,
        cpu_count: *cpu_count,
        #[expect(clippy::cast_possible_truncation, reason = "a percentage times a hundred is small")]
        cpu_percent: cpu_percent.map(|percent| (percent * 100.0) as i64),
        cpuset_cpus: cpuset.clone(),
        memory: limits.and_then(|limits| limits.memory).or(*mem_limit).map(|size| size.0),
        memory_reservation: reservations.and_then(|least| least.memory).or(*mem_reservation).map(|size| size.0),
        memory_swap: memswap_limit.map(|size| size.0),
        memory_swappiness: mem_swappiness.filter(|swappiness| *swappiness != 0),
        oom_kill_disable: *oom_kill_disable,
        oom_score_adj: *oom_score_adj,
        pids_limit: limits
            .and_then(|limits| limits.pids)
            .filter(|pids| *pids > 0)
            .or(pids_limit.filter(|pids| *pids != 0)),
        blkio_weight: blkio.weight,
        blkio_weight_device: blkio.weight_device.iter().map(devices::weight).collect(),
        blkio_read_bps: blkio.device_read_bps.iter().map(devices::throttle).collect(),
        blkio_read_iops: blkio.device_read_iops.iter().map(devices::throttle).collect(),
        blkio_write_bps: blkio.device_write_bps.iter().map(devices::throttle).collect(),
        blkio_write_iops: blkio.device_write_iops.iter().map(devices::throttle).collect(),
    };
    Ok(ContainerSpec {
        image: ImageRef::new(project.image_of(service)),
        platform: platform(project, service),
        command: command.clone(),
        entrypoint: entrypoint.clone(),
        environment: proxies
            .iter()
            .filter(|(key, _)| !environment.contains_key(*key))
            .map(|(key, value)| format!("{key}={value}"))
            .chain(
                environment
                    .iter()
                    .map(|(key, value)| value.as_ref().map_or_else(|| key.clone(), |value| format!("{key}={value}"))),
            )
            .collect(),
        labels: own_labels(project, service, number, image_id),
        hostname: hostname.clone(),
        domainname: domainname.clone(),
        user: user.clone(),
        working_dir: working_dir.clone(),
        tty: *tty,
        stdin_open: *stdin_open,
        attach_stdin: false,
        stdin_once: false,
        stop_signal: stop_signal.clone(),
        stop_timeout: stop_grace_period.map(|grace| grace.0 / 1_000_000_000),
        healthcheck: healthcheck.as_ref().map(health).transpose()?,
        exposed_ports: exposed(expose, ports),
        host,
        endpoints,
        network_disabled: network_mode.as_deref() == Some("disabled"),
        name: own_name,
    })
}

fn split_pair(text: &str, separator: char) -> (String, String) {
    let (left, right) = text.split_once(separator).unwrap_or((text, ""));
    (left.to_owned(), right.to_owned())
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, and no machine has that many processors")]
fn nanos(cpus: f32) -> i64 {
    (cpus * 1e9) as i64
}

/// A namespace mode that does not name another service (those are late values).
fn own_namespace(mode: &Option<String>) -> Option<String> {
    mode.clone().filter(|mode| !mode.starts_with("service:"))
}

/// Capabilities as Docker's own client sends them: `CAP_X` in capitals, each once, sorted; `ALL` swallows the others.
fn capabilities(names: &[String]) -> Vec<String> {
    let full = |name: &String| {
        let name = name.trim().to_ascii_uppercase();
        if name == "ALL" || name.starts_with("CAP_") { name } else { format!("CAP_{name}") }
    };
    let all: BTreeSet<String> = names.iter().map(full).collect();
    if all.contains("ALL") { vec!["ALL".to_owned()] } else { all.into_iter().collect() }
}

/// A process limit in the engine's terms.
pub(super) fn ulimit(name: &str, limit: model::Ulimit) -> Ulimit {
    let (soft, hard) = match limit {
        model::Ulimit::Single(both) => (both, both),
        model::Ulimit::Pair { soft, hard } => (soft, hard),
    };
    Ulimit { name: name.to_owned(), soft, hard }
}

/// The labels of a replica but for the config hash.
fn own_labels(project: &Project, service: &Service, number: u32, image_id: Option<&str>) -> Texts {
    let depends_on: Vec<String> = service
        .depends_on
        .iter()
        .map(|(name, dependency)| format!("{name}:{}:{}", dependency.condition.as_str(), dependency.restart))
        .collect();
    let mut all = service.labels.clone();
    let mut set = |key: &str, value: String| all.insert(key.to_owned(), value);
    set(labels::PROJECT, project.name.to_string());
    set(labels::SERVICE, service.name.to_string());
    set(labels::VERSION, labels::COMPATIBLE_VERSION.to_owned());
    set(labels::WORKING_DIR, project.working_dir.display().to_string());
    set(labels::CONFIG_FILES, project.config_files.join(","));
    if !project.env_files.is_empty() {
        set(labels::ENVIRONMENT_FILE, project.env_files.join(","));
    }
    set(labels::ONE_OFF, "False".to_owned());
    set(labels::NUMBER, number.to_string());
    set(labels::DEPENDS_ON, depends_on.join(","));
    if let Some(id) = image_id {
        set(labels::IMAGE, id.to_owned());
    }
    all
}

fn health(check: &model::Healthcheck) -> Result<Healthcheck, String> {
    let nanos = |duration: Option<model::GoDuration>| duration.map_or(0, |duration| duration.0);
    if check.start_interval.is_some() && check.start_period.is_none() {
        return Err("healthcheck.start_interval requires healthcheck.start_period to be set".to_owned());
    }
    Ok(Healthcheck {
        test: if check.disable { vec!["NONE".to_owned()] } else { check.test.clone().unwrap_or_default() },
        interval: nanos(check.interval),
        timeout: nanos(check.timeout),
        start_period: nanos(check.start_period),
        start_interval: nanos(check.start_interval),
        retries: check.retries.unwrap_or(0),
    })
}

fn restart_policy(restart: Option<&str>, deploy: Option<&model::Deploy>) -> RestartPolicy {
    // docker compose's words for Swarm's conditions.
    let condition = |word: &str| match word {
        "none" => "no".to_owned(),
        "any" => "always".to_owned(),
        other => other.to_owned(),
    };
    if let Some(policy) = deploy.and_then(|deploy| deploy.restart_policy.as_ref()) {
        return RestartPolicy {
            name: condition(policy.condition.as_deref().unwrap_or_default()),
            maximum_retry_count: policy.max_attempts.unwrap_or(0),
        };
    }
    let Some(restart) = restart else { return RestartPolicy::default() };
    let (name, attempts) = restart.split_once(':').unwrap_or((restart, "0"));
    RestartPolicy { name: condition(name), maximum_retry_count: attempts.parse().unwrap_or(0) }
}

fn exposed(expose: &[String], ports: &[model::Port]) -> BTreeSet<String> {
    let published = ports.iter().map(port_key);
    expose.iter().cloned().chain(published).collect()
}

fn port_key(port: &model::Port) -> String {
    format!("{}/{}", port.target, port.protocol.as_deref().unwrap_or("tcp"))
}

fn port_bindings(ports: &[model::Port]) -> std::collections::BTreeMap<String, Vec<PortBinding>> {
    let mut bindings = std::collections::BTreeMap::<String, Vec<PortBinding>>::new();
    for port in ports {
        bindings.entry(port_key(port)).or_default().push(PortBinding {
            host_ip: port.host_ip.clone().unwrap_or_default(),
            host_port: port.published.clone().unwrap_or_default(),
        });
    }
    bindings
}

/// Security options as the engine takes them, and whether system paths stay visible.
fn security(project: &Project, options: &[String]) -> Result<(Vec<String>, bool), String> {
    let mut unmask = false;
    let mut sent = Vec::with_capacity(options.len());
    for option in options {
        if option == "systempaths=unconfined" {
            unmask = true;
            continue;
        }
        let Some((key, value)) = option.split_once('=').or_else(|| option.split_once(':')) else {
            if option == "no-new-privileges" {
                sent.push(option.clone());
                continue;
            }
            return Err(format!("invalid security-opt: \"{option}\""));
        };
        match project.seccomp_profiles.get(value) {
            Some(profile) if key == "seccomp" => sent.push(format!("seccomp={profile}")),
            None if key == "seccomp" && !matches!(value, "unconfined" | "builtin") => {
                return Err(format!("the seccomp profile `{value}` can not be read, or is no JSON"));
            }
            _ => sent.push(option.clone()),
        }
    }
    Ok((sent, unmask))
}

/// Old-style links: for each replica of the linked service its names, then containers outside the project.
///
/// The numbered names carry the number of the container that has the link, not of the one it leads to: docker compose
/// does so, and files rely on what it does.
fn link_names(project: &Project, own_number: u32, links: &[String], external_links: &[String]) -> Vec<String> {
    let separator = project.separator();
    let mut names = Vec::new();
    for link in links {
        let (target, alias) = link.split_once(':').unwrap_or((link, link));
        let Some(service) = project.services.get(target) else { continue };
        for number in 1..=super::order::wanted_replicas(service) {
            let container = name(project, service, number);
            names.push(format!("{container}:{alias}"));
            names.push(format!("{container}:{target}{separator}{own_number}"));
            names.push(format!("{container}:{}{separator}{target}{separator}{own_number}", project.name));
        }
    }
    names.extend(external_links.iter().map(|link| {
        let (target, alias) = link.split_once(':').unwrap_or((link, link));
        format!("{target}:{alias}")
    }));
    names
}

/// Keys of a service's networks, the one with the highest priority first.
pub(super) fn networks_by_priority(service: &Service) -> Vec<&NetworkKey> {
    let mut keys: Vec<_> = service.networks.iter().collect();
    keys.sort_by_key(|(key, config)| {
        let priority = config.as_ref().and_then(|config| config.priority).unwrap_or(0);
        (std::cmp::Reverse(priority), (*key).clone())
    });
    keys.into_iter().map(|(key, _)| key).collect()
}

fn networking(
    project: &Project,
    service: &Service,
    own_name: &ContainerName,
    links: &[String],
) -> (Option<String>, IndexMap<NetworkName, Endpoint>) {
    if let Some(mode) = &service.network_mode {
        return (own_namespace(&Some(mode.clone())), IndexMap::new());
    }
    let keys = networks_by_priority(service);
    let mut endpoints = IndexMap::new();
    for (position, key) in keys.into_iter().enumerate() {
        let Some(network) = project.networks.get(key) else { continue };
        let config = service.networks.get(key).and_then(Option::as_ref);
        let mac = service.mac_address.as_deref().filter(|_| position == 0);
        endpoints.insert(NetworkName::new(network.name.clone()), endpoint(&service.name, own_name, config, links, mac));
    }
    let mode = endpoints.keys().next().map_or_else(|| "none".to_owned(), ToString::to_string);
    (Some(mode), endpoints)
}

/// How one container takes part in one network.
pub(super) fn endpoint(
    service: &ServiceName,
    own_name: &ContainerName,
    config: Option<&ServiceNetwork>,
    links: &[String],
    service_mac: Option<&str>,
) -> Endpoint {
    let mut aliases = vec![own_name.to_string(), service.to_string()];
    let Some(config) = config else {
        return Endpoint {
            aliases,
            links: links.to_vec(),
            mac_address: service_mac.map(str::to_owned),
            ..Endpoint::default()
        };
    };
    aliases.extend(config.aliases.iter().cloned());
    let mut driver_opts = config.driver_opts.clone();
    if let Some(interface) = &config.interface_name {
        driver_opts.insert("com.docker.network.endpoint.ifname".to_owned(), interface.clone());
    }
    Endpoint {
        aliases,
        links: links.to_vec(),
        ipv4_address: config.ipv4_address.clone(),
        ipv6_address: config.ipv6_address.clone(),
        link_local_ips: config.link_local_ips.clone(),
        mac_address: service_mac.map(str::to_owned).or_else(|| config.mac_address.clone()),
        driver_opts,
        gw_priority: config.gw_priority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_sent_as_docker_sends_them() {
        let sent = |names: &[&str]| capabilities(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(sent(&["sys_time", "CAP_CHOWN", "CHOWN"]), ["CAP_CHOWN", "CAP_SYS_TIME"]);
        assert_eq!(sent(&["chown", "all"]), ["ALL"]);
    }
}
