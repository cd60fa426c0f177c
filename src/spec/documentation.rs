//! What the attributes of compose files are for, one sentence each.

use crate::spec::rules::{Others, Shape, TOP};

/// What the attribute at a path is for: `services.web.image`, or `image` and `healthcheck.interval` of any service.
/// Names of services and numbers of items are passed over. `None` for what is not an attribute.
pub fn documentation(path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.split(['.', '[', ']']).filter(|part| !part.is_empty()).collect();
    let of_service = |key: String| format!("services.{key}");
    let mut key =
        pattern(&TOP, &parts).or_else(|| pattern(TOP.field("services")?.field("x")?, &parts).map(of_service))?;
    for (from, to) in SAME {
        if let Some(rest) = key.strip_prefix(from).filter(|rest| rest.starts_with('.')) {
            key = format!("{to}{rest}");
        }
    }
    let at = SENTENCES.binary_search_by(|(known, _)| (*known).cmp(key.as_str())).ok()?;
    SENTENCES.get(at).map(|(_, sentence)| *sentence)
}

/// The attributes on the way, joined by dots.
fn pattern(shape: &'static Shape, parts: &[&str]) -> Option<String> {
    let mut shape = shape;
    let mut key = String::new();
    for part in parts {
        if let Some(items) = shape.items
            && part.parse::<usize>().is_ok()
        {
            shape = items;
            continue;
        }
        // Items may be left out: `ports.target`.
        let known = |shape: &'static Shape| shape.fields.iter().find(|(name, _)| name == part).map(|(_, field)| *field);
        if let Some(field) = known(shape).or_else(|| known(shape.items?)) {
            if !key.is_empty() {
                key.push('.');
            }
            key.push_str(part);
            shape = field;
            continue;
        }
        shape = match shape.others {
            Others::Any(other) | Others::Named(other) | Others::NamedOpen(other) | Others::Words(other) => other,
            // The key of a `key=value` item.
            _ => shape.items.filter(|items| items.fields.is_empty())?,
        };
    }
    (!key.is_empty()).then_some(key)
}

/// Attributes that have the same attributes below.
const SAME: [(&str, &str); 11] = [
    ("services.blkio_config.device_read_iops", "services.blkio_config.device_read_bps"),
    ("services.blkio_config.device_write_bps", "services.blkio_config.device_read_bps"),
    ("services.blkio_config.device_write_iops", "services.blkio_config.device_read_bps"),
    ("services.build.secrets", "services.secrets"),
    ("services.build.ulimits", "services.ulimits"),
    ("services.configs", "services.secrets"),
    ("services.deploy.rollback_config", "services.deploy.update_config"),
    ("services.develop.watch.exec", "services.pre_start"),
    ("services.gpus", "services.deploy.resources.reservations.devices"),
    ("services.post_start", "services.pre_start"),
    ("services.pre_stop", "services.pre_start"),
];

/// Sorted by attribute.
#[rustfmt::skip]
const SENTENCES: &[(&str, &str)] = &[
    ("configs", "Files of configuration that services can mount without building them into an image."),
    ("configs.content", "The text of the file itself; variables in it are filled in."),
    ("configs.environment", "The variable of your shell or `.env` whose value becomes the file."),
    ("configs.external", "Somebody else keeps it; this is for Swarm and has no effect on a single engine."),
    ("configs.external.name", "The old way to write `name` of an external config."),
    ("configs.file", "The file on your machine that is mounted."),
    ("configs.labels", "Labels of the config; for Swarm."),
    ("configs.name", "Its name outside the project, instead of `<project>_<key>`."),
    ("configs.template_driver", "The driver that fills in a template; for Swarm."),
    ("include", "Other compose files whose resources become part of this project, each with its own directory and variables."),
    ("include.env_file", "Files of variables for the included file, instead of the `.env` beside it."),
    ("include.path", "The compose file; several are merged first, later ones over earlier ones."),
    ("include.project_directory", "The directory that relative paths of the included file belong to."),
    ("models", "AI models that services use."),
    ("models.context_size", "How many tokens the model can look at."),
    ("models.model", "The reference of the model in its registry."),
    ("models.name", "The name of the model, instead of its key."),
    ("models.runtime_flags", "Options for the program that runs the model."),
    ("name", "The name of the project: prefix of everything it has in the engine; `-p` and COMPOSE_PROJECT_NAME go before it."),
    ("networks", "Networks that connect services; those that share one reach each other by name."),
    ("networks.attachable", "Single containers may join it, too; for Swarm."),
    ("networks.driver", "What makes the network: `bridge` on one host unless the engine says otherwise."),
    ("networks.driver_opts", "Options for the driver."),
    ("networks.enable_ipv4", "Whether containers get IPv4 addresses in it."),
    ("networks.enable_ipv6", "Whether containers get IPv6 addresses in it."),
    ("networks.external", "Somebody else made it: it must be there, and is never created or removed."),
    ("networks.external.name", "The old way to write `name` of an external network."),
    ("networks.internal", "It has no way out of the host."),
    ("networks.ipam", "Which addresses the network has."),
    ("networks.ipam.config", "The pools of addresses."),
    ("networks.ipam.config.aux_addresses", "Addresses of the pool that are taken by others."),
    ("networks.ipam.config.gateway", "The address of the gateway."),
    ("networks.ipam.config.ip_range", "The part of the subnet that containers get addresses from."),
    ("networks.ipam.config.subnet", "The subnet, in CIDR notation."),
    ("networks.ipam.driver", "What hands out addresses, instead of the engine's own way."),
    ("networks.ipam.options", "Options for that driver."),
    ("networks.labels", "Labels of the network in the engine."),
    ("networks.name", "Its name in the engine, instead of `<project>_<key>`."),
    ("secrets", "Files with secrets that services and builds can read; they go into no image and no variable."),
    ("secrets.driver", "The store that has the secret; for Swarm."),
    ("secrets.driver_opts", "Options for that store."),
    ("secrets.environment", "The variable of your shell or `.env` whose value becomes the file."),
    ("secrets.external", "Somebody else keeps it; this is for Swarm and has no effect on a single engine."),
    ("secrets.external.name", "The old way to write `name` of an external secret."),
    ("secrets.file", "The file on your machine that is mounted."),
    ("secrets.labels", "Labels of the secret; for Swarm."),
    ("secrets.name", "Its name outside the project, instead of `<project>_<key>`."),
    ("secrets.template_driver", "The driver that fills in a template; for Swarm."),
    ("services", "What runs: each entry is made into one or more equal containers."),
    ("services.annotations", "OCI annotations of the containers, for their runtime."),
    ("services.attach", "Whether an attached `up` shows its output; it does unless this is false."),
    ("services.blkio_config", "How its reading and writing of disks is shared and limited."),
    ("services.blkio_config.device_read_bps", "How many bytes a second it may read, by device."),
    ("services.blkio_config.device_read_bps.path", "The device."),
    ("services.blkio_config.device_read_bps.rate", "How much a second."),
    ("services.blkio_config.device_read_iops", "How many times a second it may read, by device."),
    ("services.blkio_config.device_write_bps", "How many bytes a second it may write, by device."),
    ("services.blkio_config.device_write_iops", "How many times a second it may write, by device."),
    ("services.blkio_config.weight", "Its share of the disks against others, 10 to 1000."),
    ("services.blkio_config.weight_device", "Its share, by device."),
    ("services.blkio_config.weight_device.path", "The device."),
    ("services.blkio_config.weight_device.weight", "The share, 10 to 1000."),
    ("services.build", "How its image is made from sources; a text is the `context`."),
    ("services.build.additional_contexts", "Further directories, images or services that the Dockerfile can name."),
    ("services.build.args", "Values for `ARG` of the Dockerfile; they stay readable in the image, so no secrets."),
    ("services.build.cache_from", "Where the builder may take finished steps from."),
    ("services.build.cache_to", "Where the builder puts finished steps."),
    ("services.build.context", "The directory that is sent to the builder, or the address of a repository; `.` unless written."),
    ("services.build.dockerfile", "The Dockerfile, relative to the context; `Dockerfile` unless written."),
    ("services.build.dockerfile_inline", "The text of the Dockerfile itself."),
    ("services.build.entitlements", "Extra rights for the build, such as the host's network."),
    ("services.build.extra_hosts", "Host names with addresses that are known during the build."),
    ("services.build.isolation", "How the build is isolated on Windows."),
    ("services.build.labels", "Labels of the image."),
    ("services.build.network", "The network of `RUN` steps: `default`, `host`, `none` or a name."),
    ("services.build.no_cache", "Every step is done anew."),
    ("services.build.no_cache_filter", "Stages that are done anew."),
    ("services.build.platforms", "Platforms the image is made for, as `os/arch`."),
    ("services.build.privileged", "The build has all rights, where the builder allows it."),
    ("services.build.provenance", "Whether and how it is attested where the image came from."),
    ("services.build.pull", "Images that it begins with are pulled even when they are there."),
    ("services.build.sbom", "Whether and how a list of what is in the image is attested."),
    ("services.build.secrets", "Secrets that `RUN --mount=type=secret` can read; they do not stay in the image."),
    ("services.build.shm_size", "Size of /dev/shm during the build."),
    ("services.build.ssh", "Keys or agents for `RUN --mount=type=ssh`."),
    ("services.build.tags", "Further names of the image."),
    ("services.build.target", "The stage of the Dockerfile that becomes the image; the last one unless written."),
    ("services.build.ulimits", "Limits of processes during the build."),
    ("services.cap_add", "Capabilities of the kernel it has beside the usual ones."),
    ("services.cap_drop", "Capabilities of the kernel that are taken from it."),
    ("services.cgroup", "Its namespace of control groups: `host` or `private`."),
    ("services.cgroup_parent", "The control group it is put under."),
    ("services.command", "What is run, instead of the image's `CMD`; an empty list clears that."),
    ("services.configs", "Configs it sees as files, at `/<name>` unless written."),
    ("services.container_name", "The name of its container, instead of `<project>-<service>-<number>`; then there can be only one."),
    ("services.cpu_count", "How many processors it may use; Windows only."),
    ("services.cpu_percent", "What part of the processors it may use; Windows only."),
    ("services.cpu_period", "The period that `cpu_quota` counts in, in microseconds."),
    ("services.cpu_quota", "Processor time in each period, in microseconds."),
    ("services.cpu_rt_period", "The period of the real-time scheduler, in microseconds."),
    ("services.cpu_rt_runtime", "Real-time processor time in each period, in microseconds."),
    ("services.cpu_shares", "Its share of the processors against others when they are busy; 1024 is usual."),
    ("services.cpus", "How many processors it may use at most; fractions are allowed."),
    ("services.cpuset", "Which processors it may use: `0-2`, `0,3`."),
    ("services.credential_spec", "How a managed Windows account is used."),
    ("services.credential_spec.config", "The config that has the credential spec."),
    ("services.credential_spec.file", "The file that has the credential spec."),
    ("services.credential_spec.registry", "The name of the credential spec in the registry of the host."),
    ("services.depends_on", "Services that are started before it and stopped after it."),
    ("services.depends_on.condition", "What is waited for: `service_started`, `service_healthy` or `service_completed_successfully`."),
    ("services.depends_on.required", "Whether it is an error when the other service is missing or fails; it is unless this is false."),
    ("services.depends_on.restart", "It is restarted when compose restarts or replaces the other service."),
    ("services.deploy", "How many containers with what resources; what is beyond that is for Swarm."),
    ("services.deploy.endpoint_mode", "How others find it, `vip` or `dnsrr`; for Swarm."),
    ("services.deploy.labels", "Labels of the Swarm service; containers get those of `labels`."),
    ("services.deploy.mode", "`replicated` or `global`; for Swarm, or as jobs."),
    ("services.deploy.placement", "Where it runs; for Swarm."),
    ("services.deploy.placement.constraints", "What nodes must be like; for Swarm."),
    ("services.deploy.placement.max_replicas_per_node", "How many of it one node takes at most; for Swarm."),
    ("services.deploy.placement.preferences", "How it is spread over nodes; for Swarm."),
    ("services.deploy.placement.preferences.spread", "The label of nodes that it is spread over; for Swarm."),
    ("services.deploy.replicas", "How many containers there are; 1 unless written."),
    ("services.deploy.resources", "Limits and reservations of processors, memory and devices."),
    ("services.deploy.resources.limits", "What each container may use at most."),
    ("services.deploy.resources.limits.cpus", "How many processors at most; fractions are allowed."),
    ("services.deploy.resources.limits.memory", "How much memory at most; what takes more is killed."),
    ("services.deploy.resources.limits.pids", "How many processes at most."),
    ("services.deploy.resources.reservations", "What is set aside for each container."),
    ("services.deploy.resources.reservations.cpus", "How many processors are set aside."),
    ("services.deploy.resources.reservations.devices", "Devices by what they can do, such as GPUs."),
    ("services.deploy.resources.reservations.devices.capabilities", "What the devices must be able to do: `gpu`, `compute`."),
    ("services.deploy.resources.reservations.devices.count", "How many devices, or `all`; not together with `device_ids`."),
    ("services.deploy.resources.reservations.devices.device_ids", "Which devices; not together with `count`."),
    ("services.deploy.resources.reservations.devices.driver", "The driver of the devices, such as `nvidia`."),
    ("services.deploy.resources.reservations.devices.options", "Options for that driver."),
    ("services.deploy.resources.reservations.generic_resources", "Resources that nodes announce; for Swarm."),
    ("services.deploy.resources.reservations.generic_resources.discrete_resource_spec", "A resource that is counted; for Swarm."),
    ("services.deploy.resources.reservations.generic_resources.discrete_resource_spec.kind", "What is counted."),
    ("services.deploy.resources.reservations.generic_resources.discrete_resource_spec.value", "How many."),
    ("services.deploy.resources.reservations.memory", "How much memory is set aside; less is taken away when memory is short."),
    ("services.deploy.restart_policy", "When containers start again by themselves; goes before `restart`."),
    ("services.deploy.restart_policy.condition", "`none`, `on-failure` or `any`."),
    ("services.deploy.restart_policy.delay", "The time between attempts; for Swarm."),
    ("services.deploy.restart_policy.max_attempts", "How often it is tried."),
    ("services.deploy.restart_policy.window", "How long it must run to count as started; for Swarm."),
    ("services.deploy.rollback_config", "How a failed update is taken back; for Swarm."),
    ("services.deploy.update_config", "How an update goes over the containers; for Swarm."),
    ("services.deploy.update_config.delay", "The time between two groups."),
    ("services.deploy.update_config.failure_action", "What a failure leads to: `continue`, `rollback` or `pause`."),
    ("services.deploy.update_config.max_failure_ratio", "What part may fail."),
    ("services.deploy.update_config.monitor", "How long each one is watched for failure."),
    ("services.deploy.update_config.order", "`stop-first` or `start-first`."),
    ("services.deploy.update_config.parallelism", "How many at a time; 0 is all."),
    ("services.develop", "What `watch` does while you write the service."),
    ("services.develop.watch", "Rules: which files are watched and what a change leads to."),
    ("services.develop.watch.action", "`rebuild`, `sync`, `restart`, `sync+restart` or `sync+exec`."),
    ("services.develop.watch.exec", "The command of `sync+exec`."),
    ("services.develop.watch.ignore", "Patterns of files that are not watched."),
    ("services.develop.watch.include", "Patterns of the only files that are watched."),
    ("services.develop.watch.initial_sync", "All files are copied when watching begins."),
    ("services.develop.watch.path", "The file or directory that is watched."),
    ("services.develop.watch.target", "Where files are copied to inside the container."),
    ("services.device_cgroup_rules", "Rules for devices it may use, in the words of the kernel: `c 42:* rmw`."),
    ("services.devices", "Devices of the host it can use, `/dev/host:/dev/inside:rwm`, or names of the CDI."),
    ("services.devices.permissions", "What it may do: `r`ead, `w`rite, `m`ake."),
    ("services.devices.source", "The device on the host."),
    ("services.devices.target", "The device inside; the same unless written."),
    ("services.dns", "Name servers it asks."),
    ("services.dns_opt", "Options of its resolver."),
    ("services.dns_search", "Domains that are tried behind short names."),
    ("services.domainname", "Its domain."),
    ("services.entrypoint", "What is run before the command, instead of the image's `ENTRYPOINT`; the image's `CMD` is dropped then."),
    ("services.env_file", "Files of variables for its containers; `environment` goes before them, later files before earlier ones."),
    ("services.env_file.format", "`raw` takes values as they are, without quotes and variables."),
    ("services.env_file.path", "The file."),
    ("services.env_file.required", "Whether it is an error when the file is missing; it is unless this is false."),
    ("services.environment", "Variables of its containers; a name without value is taken from your shell or `.env`."),
    ("services.expose", "Ports it listens on, as information for others; nothing is published."),
    ("services.extends", "A service whose attributes this one begins with."),
    ("services.extends.file", "The file the other service is in; this one unless written."),
    ("services.extends.service", "The other service."),
    ("services.external_links", "Containers outside the project that it reaches by name."),
    ("services.extra_hosts", "Host names with addresses, as in /etc/hosts: `name=address`."),
    ("services.gpus", "GPUs it can use; `all` for all of them."),
    ("services.group_add", "Further groups of its user."),
    ("services.healthcheck", "How the engine knows that it works; goes before the image's own."),
    ("services.healthcheck.disable", "It has no healthcheck, not even the image's."),
    ("services.healthcheck.interval", "The time between checks, and before the first one; 30 s unless written."),
    ("services.healthcheck.retries", "How many failures in a row make it unhealthy; 3 unless written."),
    ("services.healthcheck.start_interval", "The time between checks during the start period; from engine 25 on."),
    ("services.healthcheck.start_period", "How long failures do not count after the start."),
    ("services.healthcheck.test", "The command that says whether it works: `[CMD, …]`, `[CMD-SHELL, …]`, a text for the shell, or `[NONE]`."),
    ("services.healthcheck.timeout", "How long a check may take; 30 s unless written."),
    ("services.hostname", "Its name for itself; the container's id unless written."),
    ("services.image", "The image its containers are made from, or the name of the image that is built."),
    ("services.init", "A small init process runs first: it hands on signals and clears away dead processes."),
    ("services.ipc", "Its namespace of shared memory: `host`, `shareable`, `service:<name>`, `container:<name>`."),
    ("services.isolation", "How it is isolated on Windows."),
    ("services.label_file", "Files of labels for its containers; `labels` goes before them."),
    ("services.labels", "Labels of its containers."),
    ("services.links", "Services it also reaches by other names, and depends on; networks are the newer way."),
    ("services.logging", "Where its output goes."),
    ("services.logging.driver", "The driver: `json-file`, `local`, `journald`, `none`, …; the engine's unless written."),
    ("services.logging.options", "Options for the driver, such as `max-size` and `max-file`."),
    ("services.mac_address", "Its hardware address in its first network."),
    ("services.mem_limit", "How much memory it may use at most; what takes more is killed."),
    ("services.mem_reservation", "How much memory it keeps when memory is short."),
    ("services.mem_swappiness", "How readily its memory is swapped out, 0 to 100."),
    ("services.memswap_limit", "How much memory and swap it may use together; -1 is no limit."),
    ("services.models", "Models it uses; each gives it variables with where the model is."),
    ("services.models.endpoint_var", "The variable that gets the address of the model."),
    ("services.models.model_var", "The variable that gets the name of the model."),
    ("services.network_mode", "Instead of networks: `none`, `host`, `service:<name>` or `container:<name>`."),
    ("services.networks", "Networks it takes part in; the project's `default` unless written."),
    ("services.networks.aliases", "Further names others reach it by in this network."),
    ("services.networks.driver_opts", "Options for the driver of the network."),
    ("services.networks.gw_priority", "The network with the highest number gives the way out."),
    ("services.networks.interface_name", "The name of its interface to this network."),
    ("services.networks.ipv4_address", "Its fixed IPv4 address in this network."),
    ("services.networks.ipv6_address", "Its fixed IPv6 address in this network."),
    ("services.networks.link_local_ips", "Link-local addresses it has in this network."),
    ("services.networks.mac_address", "Its hardware address in this network."),
    ("services.networks.priority", "In which order networks are connected, the highest number first."),
    ("services.oom_kill_disable", "It is not killed when memory is short; old kernels only."),
    ("services.oom_score_adj", "How readily it is killed when memory is short, -1000 to 1000."),
    ("services.pid", "Its namespace of processes: `host`, `service:<name>`, `container:<name>`."),
    ("services.pids_limit", "How many processes it may have; -1 is no limit."),
    ("services.platform", "The platform its image is for, as `os/arch`."),
    ("services.ports", "Ports it publishes on the host: `[address:][host:]container[/protocol]`."),
    ("services.ports.app_protocol", "What is spoken there, such as `http`; information only."),
    ("services.ports.host_ip", "The address of the host; all of them unless written."),
    ("services.ports.mode", "`ingress` or `host`; for Swarm."),
    ("services.ports.name", "A name for people."),
    ("services.ports.protocol", "`tcp`, `udp` or `sctp`; `tcp` unless written."),
    ("services.ports.published", "The port of the host, or a range to pick from; the engine picks one unless written."),
    ("services.ports.target", "The port inside the container."),
    ("services.post_start", "Commands that are run in the container after it started."),
    ("services.pre_start", "Commands that are run before it starts."),
    ("services.pre_start.command", "What is run."),
    ("services.pre_start.environment", "Variables of the command, beside the service's."),
    ("services.pre_start.image", "The image the command is run in; the service's unless written."),
    ("services.pre_start.per_replica", "It is run for each container, not once for the service."),
    ("services.pre_start.privileged", "The command has all rights."),
    ("services.pre_start.user", "As whom it is run; the service's user unless written."),
    ("services.pre_start.working_dir", "Where it is run; the service's directory unless written."),
    ("services.pre_stop", "Commands that are run in the container before compose stops it."),
    ("services.privileged", "It has all rights: its root is root on the host."),
    ("services.profiles", "It is left out unless one of these profiles, or the service itself, is asked for."),
    ("services.provider", "Another program that stands for the service, instead of containers."),
    ("services.provider.options", "Options for that program."),
    ("services.provider.type", "The program: `docker-<type>` or `<type>`."),
    ("services.pull_policy", "When its image is pulled: `missing`, `always`, `never`, `build`, `daily`, `weekly`, `every_<duration>`."),
    ("services.pull_refresh_after", "After which time an image is pulled again."),
    ("services.read_only", "It cannot write to its own files, only to volumes and tmpfs."),
    ("services.restart", "When the engine starts it again: `no`, `on-failure[:times]`, `always`, `unless-stopped`."),
    ("services.runtime", "The OCI runtime of its containers, such as `runc`."),
    ("services.scale", "How many containers there are; the same as `deploy.replicas`."),
    ("services.secrets", "Secrets it sees as files, at `/run/secrets/<name>` unless written."),
    ("services.secrets.gid", "The group of the file; only where the content is no file on your machine."),
    ("services.secrets.mode", "The permissions of the file, in octal."),
    ("services.secrets.source", "Which one, by its key at the top level."),
    ("services.secrets.target", "Where it is inside; a name alone lies in the usual directory."),
    ("services.secrets.uid", "The owner of the file; only where the content is no file on your machine."),
    ("services.security_opt", "Options of its security: `no-new-privileges:true`, `seccomp=…`, `label=…`."),
    ("services.shm_size", "Size of its /dev/shm."),
    ("services.stdin_open", "Its standard input stays open, as with `docker run -i`."),
    ("services.stop_grace_period", "How long it may take to stop before it is killed; 10 s unless written."),
    ("services.stop_signal", "The signal that asks it to stop; SIGTERM unless written."),
    ("services.storage_opt", "Options of the storage driver, such as `size`."),
    ("services.sysctls", "Parameters of the kernel inside."),
    ("services.tmpfs", "Directories in memory: `/path[:options]`."),
    ("services.tty", "It has a terminal, as with `docker run -t`."),
    ("services.ulimits", "Limits of its processes, such as `nofile`: one number, or `soft` and `hard`."),
    ("services.ulimits.hard", "How far the soft limit may be raised."),
    ("services.ulimits.soft", "The limit in force."),
    ("services.use_api_socket", "It gets the engine's socket and your logins: it can do whatever you can."),
    ("services.user", "As whom it runs, `user[:group]`, instead of the image's user."),
    ("services.userns_mode", "Its namespace of users: `host` turns off the engine's mapping."),
    ("services.uts", "Its namespace of host names: `host` shares the host's."),
    ("services.volumes", "What is mounted into it: `source:/target[:options]`; a path is of the host, a name is a volume."),
    ("services.volumes.bind", "Options of a mounted path."),
    ("services.volumes.bind.create_host_path", "A missing path is made on the host, as a directory."),
    ("services.volumes.bind.propagation", "How mounts inside it are seen on the other side."),
    ("services.volumes.bind.recursive", "What becomes of mounts inside it: `enabled`, `disabled`, `writable`, `readonly`."),
    ("services.volumes.bind.selinux", "It is relabelled: `z` shared, `Z` for this container alone."),
    ("services.volumes.consistency", "Kept for old files; it has no effect."),
    ("services.volumes.image", "Options of a mounted image."),
    ("services.volumes.image.subpath", "The directory of the image that is mounted."),
    ("services.volumes.read_only", "It cannot be written to."),
    ("services.volumes.source", "The path on the host, the key of a volume, or the image; an anonymous volume unless written."),
    ("services.volumes.target", "Where it is inside."),
    ("services.volumes.tmpfs", "Options of a directory in memory."),
    ("services.volumes.tmpfs.mode", "Its permissions, in octal."),
    ("services.volumes.tmpfs.size", "How much it holds at most."),
    ("services.volumes.type", "`bind`, `volume`, `tmpfs`, `image`, `npipe` or `cluster`."),
    ("services.volumes.volume", "Options of a volume."),
    ("services.volumes.volume.labels", "Labels of an anonymous volume."),
    ("services.volumes.volume.nocopy", "What the image has at the target is not copied into the empty volume."),
    ("services.volumes.volume.subpath", "The directory of the volume that is mounted."),
    ("services.volumes_from", "Services or `container:<name>` whose mounts it gets, too; `:ro` at the end makes them read-only."),
    ("services.working_dir", "The directory its command is run in, instead of the image's."),
    ("version", "It has no meaning any more and can be removed."),
    ("volumes", "Volumes that keep data when containers are replaced."),
    ("volumes.driver", "What keeps the data; `local` unless written."),
    ("volumes.driver_opts", "Options for the driver, such as the address of a server."),
    ("volumes.external", "Somebody else made it: it must be there, and is never created or removed."),
    ("volumes.external.name", "The old way to write `name` of an external volume."),
    ("volumes.labels", "Labels of the volume in the engine."),
    ("volumes.name", "Its name in the engine, instead of `<project>_<key>`."),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// All attributes of the table of rules.
    fn attributes(shape: &'static Shape, path: &str, all: &mut Vec<String>) {
        for (key, field) in shape.fields {
            let path = if path.is_empty() { (*key).to_owned() } else { format!("{path}.{key}") };
            all.push(path.clone());
            attributes(field, &path, all);
        }
        if let Some(items) = shape.items {
            attributes(items, path, all);
        }
        if let Others::Any(other) | Others::Named(other) | Others::NamedOpen(other) | Others::Words(other) =
            shape.others
        {
            attributes(other, path, all);
        }
    }

    #[test]
    fn every_attribute_has_its_sentence_and_nothing_else_has() {
        assert!(SENTENCES.is_sorted_by(|left, right| left.0 < right.0));
        let mut all = Vec::new();
        attributes(&TOP, "", &mut all);
        let same = |path: &str| {
            SAME.iter().find_map(|(from, to)| {
                path.strip_prefix(from).filter(|rest| rest.starts_with('.')).map(|rest| format!("{to}{rest}"))
            })
        };
        let all: std::collections::BTreeSet<String> = all.into_iter().map(|path| same(&path).unwrap_or(path)).collect();
        let known: std::collections::BTreeSet<String> = SENTENCES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(all.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "without a sentence");
        assert_eq!(known.difference(&all).collect::<Vec<_>>(), Vec::<&String>::new(), "without an attribute");
        for (path, sentence) in SENTENCES {
            assert!(sentence.ends_with('.') && sentence.len() < 140, "{path}: {sentence}");
        }
    }

    #[test]
    fn names_and_numbers_are_passed_over() {
        for (path, begin) in [
            ("services.web.image", Some("The image its containers")),
            ("image", Some("The image its containers")),
            ("services.web", Some("What runs")),
            ("services.web.ports.0.target", Some("The port inside")),
            ("services.web.ports[0].target", Some("The port inside")),
            ("ports.target", Some("The port inside")),
            ("services.web.environment.A", Some("Variables of its containers")),
            ("services.web.post_start.0.user", Some("As whom it is run")),
            ("networks.front.ipam.config.0.subnet", Some("The subnet")),
            ("volumes", Some("Volumes that keep data")),
            ("volumes.data", Some("Volumes that keep data")),
            ("services.web.imgae", None),
            ("nothing", None),
            ("", None),
        ] {
            let found = documentation(path);
            assert_eq!(found.is_some(), begin.is_some(), "{path}: {found:?}");
            assert!(begin.is_none_or(|begin| found.is_some_and(|found| found.starts_with(begin))), "{path}: {found:?}");
        }
    }
}
