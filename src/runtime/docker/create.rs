//! A wanted container as the body of the engine's create call, field by field as docker compose sends it.

use bollard::models as api;

use crate::resource::{BlkioDevice, ContainerSpec, Endpoint, Healthcheck, HostSpec, Mount, MountKind, Texts};
use crate::runtime::{Error, ErrorKind, Result};

/// The body of a create call. With `all_endpoints` every network is in it (API 1.44), else only the first; the others
/// are connected afterwards. `Invalid` for words that the API does not know.
pub(super) fn body(spec: &ContainerSpec, all_endpoints: bool, what: &str) -> Result<api::ContainerCreateBody> {
    let ContainerSpec {
        name: _,
        image,
        platform: _,
        command,
        entrypoint,
        environment,
        labels,
        hostname,
        domainname,
        user,
        working_dir,
        tty,
        stdin_open,
        attach_stdin,
        stdin_once,
        stop_signal,
        stop_timeout,
        healthcheck,
        exposed_ports,
        host,
        endpoints,
        network_disabled,
    } = spec;
    let wanted = if all_endpoints { endpoints.len() } else { 1 };
    let endpoints_config: Option<_> = (!endpoints.is_empty()).then(|| {
        endpoints.iter().take(wanted).map(|(name, endpoint)| (name.to_string(), settings(endpoint))).collect()
    });
    Ok(api::ContainerCreateBody {
        hostname: hostname.clone(),
        domainname: domainname.clone(),
        user: user.clone(),
        attach_stdin: Some(*attach_stdin),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        exposed_ports: some(exposed_ports.iter().cloned().collect()),
        tty: Some(*tty),
        open_stdin: Some(*stdin_open),
        stdin_once: Some(*stdin_once),
        env: some(environment.clone()),
        cmd: command.clone(),
        healthcheck: healthcheck.as_ref().map(health),
        image: Some(image.to_string()),
        working_dir: working_dir.clone(),
        entrypoint: entrypoint.clone(),
        network_disabled: network_disabled.then_some(true),
        labels: map(labels),
        stop_signal: stop_signal.clone(),
        stop_timeout: *stop_timeout,
        host_config: Some(host_config(host, what)?),
        networking_config: Some(api::NetworkingConfig { endpoints_config }),
        ..Default::default()
    })
}

/// How a container takes part in a network, for create and connect.
pub(super) fn settings(endpoint: &Endpoint) -> api::EndpointSettings {
    let Endpoint { aliases, links, ipv4_address, ipv6_address, link_local_ips, mac_address, driver_opts, gw_priority } =
        endpoint;
    let addressed = ipv4_address.is_some() || ipv6_address.is_some() || !link_local_ips.is_empty();
    api::EndpointSettings {
        ipam_config: addressed.then(|| api::EndpointIpamConfig {
            ipv4_address: ipv4_address.clone(),
            ipv6_address: ipv6_address.clone(),
            link_local_ips: some(link_local_ips.clone()),
        }),
        links: some(links.clone()),
        mac_address: mac_address.clone(),
        aliases: some(aliases.clone()),
        driver_opts: map(driver_opts),
        gw_priority: *gw_priority,
        ..Default::default()
    }
}

fn health(check: &Healthcheck) -> api::HealthConfig {
    let Healthcheck { test, interval, timeout, start_period, start_interval, retries } = check;
    let number = |value: &i64| (*value != 0).then_some(*value);
    api::HealthConfig {
        test: some(test.clone()),
        interval: number(interval),
        timeout: number(timeout),
        retries: number(retries),
        start_period: number(start_period),
        start_interval: number(start_interval),
    }
}

fn host_config(host: &HostSpec, what: &str) -> Result<api::HostConfig> {
    let HostSpec {
        binds,
        mounts,
        tmpfs,
        volumes_from,
        port_bindings,
        network_mode,
        ipc_mode,
        pid_mode,
        uts_mode,
        userns_mode,
        cgroupns_mode,
        cgroup_parent,
        restart_policy,
        auto_remove,
        console_size,
        privileged,
        readonly_rootfs,
        init,
        cap_add,
        cap_drop,
        group_add,
        security_opt,
        unmask_system_paths,
        dns,
        dns_options,
        dns_search,
        extra_hosts,
        links,
        annotations,
        log_config,
        sysctls,
        ulimits,
        storage_opt,
        shm_size,
        runtime,
        isolation,
        devices,
        device_cgroup_rules,
        device_requests,
        nano_cpus,
        cpu_shares,
        cpu_period,
        cpu_quota,
        cpu_rt_period,
        cpu_rt_runtime,
        cpu_count,
        cpu_percent,
        cpuset_cpus,
        memory,
        memory_reservation,
        memory_swap,
        memory_swappiness,
        oom_kill_disable,
        oom_score_adj,
        pids_limit,
        blkio_weight,
        blkio_weight_device,
        blkio_read_bps,
        blkio_read_iops,
        blkio_write_bps,
        blkio_write_iops,
    } = host;
    let port_bindings = port_bindings.iter().map(|(port, places)| {
        let places = places.iter().map(|place| api::PortBinding {
            host_ip: Some(place.host_ip.clone()),
            host_port: Some(place.host_port.clone()),
        });
        (port.clone(), Some(places.collect()))
    });
    let restart_count = restart_policy.maximum_retry_count;
    Ok(api::HostConfig {
        cpu_shares: *cpu_shares,
        memory: *memory,
        cgroup_parent: cgroup_parent.clone(),
        blkio_weight: *blkio_weight,
        blkio_weight_device: some(blkio_weight_device.iter().map(weight).collect()),
        blkio_device_read_bps: some(blkio_read_bps.iter().map(throttle).collect()),
        blkio_device_write_bps: some(blkio_write_bps.iter().map(throttle).collect()),
        blkio_device_read_iops: some(blkio_read_iops.iter().map(throttle).collect()),
        blkio_device_write_iops: some(blkio_write_iops.iter().map(throttle).collect()),
        cpu_period: *cpu_period,
        cpu_quota: *cpu_quota,
        cpu_realtime_period: *cpu_rt_period,
        cpu_realtime_runtime: *cpu_rt_runtime,
        cpuset_cpus: cpuset_cpus.clone(),
        devices: some(
            devices
                .iter()
                .map(|device| api::DeviceMapping {
                    path_on_host: Some(device.host_path.clone()),
                    path_in_container: Some(device.container_path.clone()),
                    cgroup_permissions: Some(device.permissions.clone()),
                })
                .collect(),
        ),
        device_cgroup_rules: some(device_cgroup_rules.clone()),
        device_requests: some(
            device_requests
                .iter()
                .map(|request| api::DeviceRequest {
                    driver: Some(request.driver.clone()).filter(|driver| !driver.is_empty()),
                    count: (request.count != 0).then_some(request.count),
                    device_ids: some(request.device_ids.clone()),
                    capabilities: some(request.capabilities.clone()).map(|list| vec![list]),
                    options: map(&request.options),
                })
                .collect(),
        ),
        memory_reservation: *memory_reservation,
        memory_swap: *memory_swap,
        memory_swappiness: *memory_swappiness,
        nano_cpus: *nano_cpus,
        oom_kill_disable: Some(*oom_kill_disable),
        init: *init,
        pids_limit: *pids_limit,
        ulimits: some(
            ulimits
                .iter()
                .map(|limit| api::ResourcesUlimits {
                    name: Some(limit.name.clone()),
                    soft: Some(limit.soft),
                    hard: Some(limit.hard),
                })
                .collect(),
        ),
        cpu_count: *cpu_count,
        cpu_percent: *cpu_percent,
        binds: some(binds.clone()),
        log_config: log_config
            .as_ref()
            .map(|config| api::HostConfigLogConfig { typ: Some(config.driver.clone()), config: map(&config.options) }),
        network_mode: network_mode.clone(),
        port_bindings: Some(port_bindings.collect()),
        restart_policy: Some(api::RestartPolicy {
            name: Some(word(&restart_policy.name, "restart policy", what)?),
            maximum_retry_count: (restart_count != 0).then_some(restart_count),
        }),
        auto_remove: auto_remove.then_some(true),
        console_size: console_size.map(|(rows, columns)| vec![rows.into(), columns.into()]),
        volumes_from: some(volumes_from.clone()),
        mounts: some(mounts.iter().map(|mount| mounted(mount, what)).collect::<Result<_>>()?),
        annotations: map(annotations),
        cap_add: some(cap_add.clone()),
        cap_drop: some(cap_drop.clone()),
        cgroupns_mode: optional_word(cgroupns_mode.as_deref(), "cgroup namespace mode", what)?,
        dns: some(dns.clone()),
        dns_options: some(dns_options.clone()),
        dns_search: some(dns_search.clone()),
        extra_hosts: Some(extra_hosts.clone()),
        group_add: some(group_add.clone()),
        ipc_mode: ipc_mode.clone(),
        links: some(links.clone()),
        oom_score_adj: *oom_score_adj,
        pid_mode: pid_mode.clone(),
        privileged: privileged.then_some(true),
        readonly_rootfs: readonly_rootfs.then_some(true),
        security_opt: some(security_opt.clone()),
        storage_opt: map(storage_opt),
        tmpfs: map(tmpfs),
        uts_mode: uts_mode.clone(),
        userns_mode: userns_mode.clone(),
        shm_size: *shm_size,
        sysctls: map(sysctls),
        runtime: runtime.clone(),
        isolation: optional_word(isolation.as_deref(), "isolation", what)?,
        // Empty lists, not absent ones: nothing is masked.
        masked_paths: unmask_system_paths.then(Vec::new),
        readonly_paths: unmask_system_paths.then(Vec::new),
        ..Default::default()
    })
}

fn mounted(mount: &Mount, what: &str) -> Result<api::Mount> {
    let Mount { kind, source, target, read_only, consistency } = mount;
    let mut body = api::Mount {
        target: Some(target.clone()),
        source: Some(source.clone()).filter(|source| !source.is_empty()),
        read_only: read_only.then_some(true),
        consistency: consistency.clone(),
        ..Default::default()
    };
    match kind {
        MountKind::Bind { propagation, create_mountpoint, recursive } => {
            body.typ = Some(api::MountType::BIND);
            let recursive = recursive.as_deref();
            if propagation.is_some() || create_mountpoint.is_some() || recursive.is_some() {
                body.bind_options = Some(api::MountBindOptions {
                    propagation: optional_word(propagation.as_deref(), "mount propagation", what)?,
                    non_recursive: (recursive == Some("disabled")).then_some(true),
                    create_mountpoint: *create_mountpoint,
                    read_only_non_recursive: (recursive == Some("writable")).then_some(true),
                    read_only_force_recursive: (recursive == Some("readonly")).then_some(true),
                });
            }
        }
        MountKind::Volume { labels, no_copy, subpath, driver } => {
            body.typ = Some(api::MountType::VOLUME);
            body.volume_options = Some(api::MountVolumeOptions {
                no_copy: no_copy.then_some(true),
                labels: map(labels),
                driver_config: driver.as_ref().map(|(name, options)| api::MountVolumeOptionsDriverConfig {
                    name: Some(name.clone()).filter(|name| !name.is_empty()),
                    options: map(options),
                }),
                subpath: subpath.clone(),
            });
        }
        MountKind::Tmpfs { size, mode } => {
            body.typ = Some(api::MountType::TMPFS);
            body.tmpfs_options =
                Some(api::MountTmpfsOptions { size_bytes: *size, mode: mode.map(i64::from), options: None });
        }
        MountKind::Image { subpath } => {
            body.typ = Some(api::MountType::IMAGE);
            body.image_options = subpath.as_ref().map(|path| api::MountImageOptions { subpath: Some(path.clone()) });
        }
        MountKind::Other(name) => body.typ = Some(word(name, "mount type", what)?),
    }
    Ok(body)
}

fn weight(device: &BlkioDevice) -> api::ResourcesBlkioWeightDevice {
    let weight = usize::try_from(device.value).unwrap_or_default();
    api::ResourcesBlkioWeightDevice { path: Some(device.path.clone()), weight: Some(weight) }
}

fn throttle(device: &BlkioDevice) -> api::ThrottleDevice {
    api::ThrottleDevice { path: Some(device.path.clone()), rate: Some(device.value) }
}

fn word<T: std::str::FromStr>(text: &str, role: &str, what: &str) -> Result<T> {
    text.parse().map_err(|_| Error::new(ErrorKind::Invalid, what, format!("unknown {role} {text:?}")))
}

fn optional_word<T: std::str::FromStr>(text: Option<&str>, role: &str, what: &str) -> Result<Option<T>> {
    text.map(|text| word(text, role, what)).transpose()
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

pub(super) fn map<M: FromIterator<(String, String)>>(texts: &Texts) -> Option<M> {
    (!texts.is_empty()).then(|| texts.clone().into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::NetworkName;
    use crate::resource::RestartPolicy;

    fn json(spec: &ContainerSpec, all: bool) -> serde_json::Value {
        serde_json::to_value(body(spec, all, "x").unwrap()).unwrap()
    }

    #[test]
    fn what_is_sent_although_unset() {
        let spec = ContainerSpec { image: "i".into(), ..Default::default() };
        insta::assert_snapshot!(json(&spec, true), @r#"{"AttachStdin":false,"AttachStdout":true,"AttachStderr":true,"Tty":false,"OpenStdin":false,"StdinOnce":false,"Image":"i","HostConfig":{"OomKillDisable":false,"PortBindings":{},"RestartPolicy":{"Name":""},"ExtraHosts":[]},"NetworkingConfig":{}}"#);
    }

    #[test]
    fn empty_and_unset_commands_differ() {
        let spec = ContainerSpec { entrypoint: Some(vec![]), ..Default::default() };
        let found = json(&spec, true);
        assert_eq!(found["Entrypoint"], serde_json::json!([]));
        assert!(found.get("Cmd").is_none());
    }

    #[test]
    fn endpoints_by_api_version() {
        let mut spec = ContainerSpec::default();
        for name in ["one", "two"] {
            let endpoint = Endpoint { aliases: vec![name.to_owned()], ..Default::default() };
            spec.endpoints.insert(NetworkName::from(name), endpoint);
        }
        let count = |all| json(&spec, all)["NetworkingConfig"]["EndpointsConfig"].as_object().unwrap().len();
        assert_eq!((count(true), count(false)), (2, 1));
        assert!(json(&spec, false)["NetworkingConfig"]["EndpointsConfig"]["one"].is_object());
    }

    #[test]
    fn mounts() {
        let mount = |kind, source: &str| Mount {
            kind,
            source: source.to_owned(),
            target: "/t".to_owned(),
            read_only: true,
            consistency: None,
        };
        let kinds = [
            (MountKind::Bind { propagation: None, create_mountpoint: Some(false), recursive: None }, "/s"),
            (
                MountKind::Bind {
                    propagation: Some("rslave".into()),
                    create_mountpoint: None,
                    recursive: Some("readonly".into()),
                },
                "/s",
            ),
            (MountKind::Volume { labels: Texts::new(), no_copy: true, subpath: Some("d".into()), driver: None }, ""),
            (MountKind::Tmpfs { size: Some(1), mode: Some(0o1777) }, ""),
            (MountKind::Image { subpath: None }, "busybox"),
            (MountKind::Other("npipe".into()), "p"),
        ];
        let found: Vec<_> = kinds
            .into_iter()
            .map(|(kind, source)| serde_json::to_string(&mounted(&mount(kind, source), "x").unwrap()).unwrap())
            .collect();
        insta::assert_snapshot!(found.join("\n"), @r#"
        {"Target":"/t","Source":"/s","Type":"bind","ReadOnly":true,"BindOptions":{"CreateMountpoint":false}}
        {"Target":"/t","Source":"/s","Type":"bind","ReadOnly":true,"BindOptions":{"Propagation":"rslave","ReadOnlyForceRecursive":true}}
        {"Target":"/t","Type":"volume","ReadOnly":true,"VolumeOptions":{"NoCopy":true,"Subpath":"d"}}
        {"Target":"/t","Type":"tmpfs","ReadOnly":true,"TmpfsOptions":{"SizeBytes":1,"Mode":1023}}
        {"Target":"/t","Source":"busybox","Type":"image","ReadOnly":true}
        {"Target":"/t","Source":"p","Type":"npipe","ReadOnly":true}
        "#);
    }

    #[test]
    fn unknown_words_are_invalid() {
        let host = HostSpec {
            restart_policy: RestartPolicy { name: "sometimes".into(), maximum_retry_count: 0 },
            ..Default::default()
        };
        let error = body(&ContainerSpec { host, ..Default::default() }, true, "create container a").unwrap_err();
        assert_eq!(error.to_string(), "failed to create container a: unknown restart policy \"sometimes\"");
        assert_eq!(error.kind, ErrorKind::Invalid);
    }
}
