//! Promises about containers and what is done to them.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;

use super::{Broken, Case, Kept, ensure, fails};
use crate::names::{ContainerId, ContainerName};
use crate::resource::{ContainerState, Endpoint, FileUpload, Mount, MountKind};
use crate::runtime::{
    AttachOptions, Commit, ErrorKind, ExecSpec, Inside, InsideKind, LabelFilter, LogOptions, TerminalSize,
};

/// The shortest stop.
const AT_ONCE: Option<Duration> = Some(Duration::ZERO);

pub(super) async fn the_engine_tells_what_it_is(case: &Case<'_>) -> Kept {
    let facts = case.runtime.facts().await?;
    ensure!(!facts.kind.is_empty() && !facts.os.is_empty() && !facts.arch.is_empty(), "{facts:?}");
    ensure!(case.runtime.facts().await? == facts, "the second answer is another one");
    Ok(())
}

pub(super) async fn an_unknown_container_is_not_found(case: &Case<'_>) -> Kept {
    let runtime = case.runtime;
    let id = &ContainerId::new(case.name("nobody"));
    let kind = ErrorKind::NotFound;
    fails(runtime.inspect_container(id).await, kind, "inspect")?;
    fails(runtime.start_container(id).await, kind, "start")?;
    fails(runtime.stop_container(id, None).await, kind, "stop")?;
    fails(runtime.restart_container(id, None).await, kind, "restart")?;
    fails(runtime.signal_container(id, "SIGTERM").await, kind, "signal")?;
    fails(runtime.pause_container(id).await, kind, "pause")?;
    fails(runtime.unpause_container(id).await, kind, "unpause")?;
    fails(runtime.remove_container(id, true, false).await, kind, "remove")?;
    fails(runtime.rename_container(id, &ContainerName::new(case.name("other"))).await, kind, "rename")?;
    fails(runtime.wait_container(id).await, kind, "wait")?;
    fails(runtime.upload(id, "/", Bytes::from(vec![0; 1024]).into(), false).await, kind, "upload")?;
    fails(runtime.download(id, "/etc").await.map(drop), kind, "download")?;
    fails(runtime.processes(id).await, kind, "processes")?;
    fails(runtime.stats(id, false).await.map(drop), kind, "stats")?;
    fails(runtime.logs(id, &LogOptions::default()).await.map(drop), kind, "logs")?;
    fails(runtime.attach(id, &AttachOptions::default()).await.map(drop), kind, "attach")?;
    let command = ExecSpec { command: vec!["true".to_owned()], ..ExecSpec::default() };
    fails(runtime.create_exec(id, &command).await, kind, "exec")
}

pub(super) async fn a_created_container_is_as_it_was_asked_for(case: &Case<'_>) -> Kept {
    let mut spec = case.spec("made", "sleep 1000");
    spec.environment = vec!["A=1".to_owned(), "B=two words".to_owned()];
    spec.labels.insert("more".to_owned(), "x=y,z".to_owned());
    spec.hostname = Some("host".to_owned());
    spec.working_dir = Some("/tmp".to_owned());
    spec.stop_timeout = Some(3);
    spec.host.restart_policy.name = "on-failure".to_owned();
    spec.host.restart_policy.maximum_retry_count = 2;
    let id = case.create(&spec).await?;
    let found = case.runtime.inspect_container(&id).await?;
    ensure!(found.id == id, "another id");
    ensure!(found.state == ContainerState::Created, "it is {:?}", found.state);
    ensure!(found.spec.name == spec.name, "its name is {:?}", found.spec.name);
    ensure!(found.spec.command == spec.command, "its command is {:?}", found.spec.command);
    for variable in &spec.environment {
        ensure!(found.spec.environment.contains(variable), "{variable} is not in {:?}", found.spec.environment);
    }
    for (key, value) in &spec.labels {
        ensure!(found.spec.labels.get(key) == Some(value), "label {key} is {:?}", found.spec.labels.get(key));
    }
    ensure!(found.spec.hostname == spec.hostname, "its host name is {:?}", found.spec.hostname);
    ensure!(found.spec.working_dir == spec.working_dir, "its directory is {:?}", found.spec.working_dir);
    ensure!(found.spec.stop_timeout == spec.stop_timeout, "its stop timeout is {:?}", found.spec.stop_timeout);
    let policy = &found.spec.host.restart_policy;
    ensure!(*policy == spec.host.restart_policy, "its restart policy is {policy:?}");
    let by_name = case.runtime.inspect_container(&ContainerId::new(spec.name.as_str())).await?;
    ensure!(by_name.id == id, "by its name another one is found");
    ensure!(found.image_id == case.image().await?.id, "its image is {:?}", found.image_id);
    let listed = case.containers().await?;
    let [listed] = listed.as_slice() else { return Err(Broken(format!("the list is {listed:?}"))) };
    ensure!(listed.id == id && listed.name == spec.name, "the list has {listed:?}");
    ensure!(listed.image == case.fixture.image, "the list has image {:?}", listed.image);
    ensure!(listed.image_id == found.image_id, "the list has image id {:?}", listed.image_id);
    ensure!(listed.state == ContainerState::Created, "the list has state {:?}", listed.state);
    ensure!(listed.labels.get("more").is_some_and(|value| value == "x=y,z"), "the list has labels {:?}", listed.labels);
    Ok(())
}

pub(super) async fn a_list_is_filtered_by_all_labels(case: &Case<'_>) -> Kept {
    for (name, label) in [("one", "yes"), ("two", "no")] {
        let mut spec = case.spec(name, "sleep 1000");
        spec.labels.insert("wanted".to_owned(), label.to_owned());
        case.create(&spec).await?;
    }
    let ours = case.filter().0;
    for (more, expected) in [("wanted=yes", 1), ("wanted", 2), ("wanted=", 0), ("unknown", 0)] {
        let filter = LabelFilter(ours.iter().cloned().chain([more.to_owned()]).collect());
        let found = case.runtime.list_containers(&filter).await?.len();
        ensure!(found == expected, "{found} containers instead of {expected} with {more}");
    }
    Ok(())
}

pub(super) async fn a_taken_name_is_a_conflict(case: &Case<'_>) -> Kept {
    let spec = case.spec("taken", "sleep 1000");
    case.create(&spec).await?;
    fails(case.create(&spec).await, ErrorKind::Conflict, "a second creation")?;
    let other = case.create(&case.spec("other", "sleep 1000")).await?;
    fails(case.runtime.rename_container(&other, &spec.name).await, ErrorKind::Conflict, "the rename")
}

pub(super) async fn a_container_is_renamed(case: &Case<'_>) -> Kept {
    let id = case.running("old").await?;
    let name = ContainerName::new(case.name("new"));
    case.runtime.rename_container(&id, &name).await?;
    let found = case.runtime.inspect_container(&id).await?;
    ensure!(found.spec.name == name, "its name is {:?}", found.spec.name);
    let listed = case.containers().await?;
    ensure!(listed.iter().all(|container| container.name == name), "the list is {listed:?}");
    Ok(())
}

pub(super) async fn a_missing_image_is_not_found(case: &Case<'_>) -> Kept {
    let mut spec = case.spec("imageless", "sleep 1000");
    spec.image = case.name("no-such-image:1").into();
    fails(case.create(&spec).await, ErrorKind::NotFound, "the creation")
}

pub(super) async fn a_missing_network_is_not_found_at_the_start_at_the_latest(case: &Case<'_>) -> Kept {
    let mut spec = case.spec("lonely", "sleep 1000");
    let network = case.name("no-such-network");
    spec.host.network_mode = Some(network.clone());
    spec.endpoints.insert(network.into(), Endpoint::default());
    match case.create(&spec).await {
        Ok(id) => fails(case.runtime.start_container(&id).await, ErrorKind::NotFound, "the start"),
        failed => fails(failed, ErrorKind::NotFound, "the creation"),
    }
}

pub(super) async fn starting_and_stopping_twice_is_fine(case: &Case<'_>) -> Kept {
    let id = case.running("twice").await?;
    case.runtime.start_container(&id).await?;
    let found = case.runtime.inspect_container(&id).await?;
    ensure!(found.state == ContainerState::Running, "it is {:?}", found.state);
    case.runtime.stop_container(&id, AT_ONCE).await?;
    case.runtime.stop_container(&id, AT_ONCE).await?;
    let found = case.runtime.inspect_container(&id).await?;
    ensure!(found.state == ContainerState::Exited, "it is {:?}", found.state);
    case.runtime.start_container(&id).await?;
    let found = case.runtime.inspect_container(&id).await?;
    ensure!(found.state == ContainerState::Running, "it is {:?}", found.state);
    Ok(())
}

pub(super) async fn a_container_is_restarted(case: &Case<'_>) -> Kept {
    let id = case.running("again").await?;
    let before = case.runtime.inspect_container(&id).await?.started_at;
    case.runtime.restart_container(&id, AT_ONCE).await?;
    let after = case.runtime.inspect_container(&id).await?;
    ensure!(after.state == ContainerState::Running, "it is {:?}", after.state);
    ensure!(after.finished_at >= before, "it ended at {:?}, before its start at {before:?}", after.finished_at);
    Ok(())
}

pub(super) async fn an_exit_code_is_told_and_waited_for(case: &Case<'_>) -> Kept {
    let id = case.create(&case.spec("ends-with-3", "exit 3")).await?;
    case.runtime.start_container(&id).await?;
    for _ in 0..2 {
        // The second time it does not run any more.
        let code = case.runtime.wait_container(&id).await?;
        ensure!(code == 3, "its code is {code}");
    }
    let found = case.runtime.inspect_container(&id).await?;
    ensure!(found.state == ContainerState::Exited && found.exit_code == 3, "{:?} {}", found.state, found.exit_code);
    let listed = case.containers().await?;
    let told = listed.first().map(|container| (container.state, container.exit_code));
    ensure!(told == Some((ContainerState::Exited, Some(3))), "the list has {told:?}");
    Ok(())
}

pub(super) async fn a_running_container_is_removed_only_by_force(case: &Case<'_>) -> Kept {
    let id = case.running("held").await?;
    fails(case.runtime.remove_container(&id, false, false).await, ErrorKind::Conflict, "the removal")?;
    case.runtime.remove_container(&id, true, false).await?;
    fails(case.runtime.inspect_container(&id).await, ErrorKind::NotFound, "the look at it")?;
    ensure!(case.containers().await?.is_empty(), "it is still listed");
    Ok(())
}

pub(super) async fn anonymous_volumes_go_only_when_asked(case: &Case<'_>) -> Kept {
    for with_volumes in [true, false] {
        let mut spec = case.spec("with-volume", "sleep 1000");
        let kind = MountKind::Volume { labels: case.labels(), no_copy: false, subpath: None, driver: None };
        spec.host.mounts = vec![Mount {
            kind,
            source: String::new(),
            target: "/data".to_owned(),
            read_only: false,
            consistency: None,
        }];
        let id = case.create(&spec).await?;
        let found = case.runtime.inspect_container(&id).await?;
        let mount = found.mounts.iter().find(|mount| mount.destination == "/data");
        let Some(mount) = mount else { return Err(Broken(format!("it has mounts {:?}", found.mounts))) };
        ensure!(mount.kind == "volume" && !mount.name.is_empty() && mount.writable, "it is {mount:?}");
        let volumes = case.volumes().await?;
        ensure!(volumes.iter().any(|volume| volume.name.as_str() == mount.name), "the volumes are {volumes:?}");
        case.runtime.remove_container(&id, true, with_volumes).await?;
        let left = case.volumes().await?.len();
        ensure!(left == usize::from(!with_volumes), "{left} volumes are left with volumes: {with_volumes}");
    }
    Ok(())
}

pub(super) async fn pausing_has_its_conflicts(case: &Case<'_>) -> Kept {
    let id = case.running("frozen").await?;
    fails(case.runtime.unpause_container(&id).await, ErrorKind::Conflict, "thawing what runs")?;
    case.runtime.pause_container(&id).await?;
    let found = case.runtime.inspect_container(&id).await?;
    ensure!(found.state == ContainerState::Paused, "it is {:?}", found.state);
    fails(case.runtime.pause_container(&id).await, ErrorKind::Conflict, "freezing what is frozen")?;
    case.runtime.unpause_container(&id).await?;
    let found = case.runtime.inspect_container(&id).await?;
    ensure!(found.state == ContainerState::Running, "it is {:?}", found.state);
    Ok(())
}

pub(super) async fn what_does_not_run_can_not_be_asked(case: &Case<'_>) -> Kept {
    let id = &case.create(&case.spec("asleep", "sleep 1000")).await?;
    let kind = ErrorKind::Conflict;
    fails(case.runtime.signal_container(id, "SIGTERM").await, kind, "a signal")?;
    fails(case.runtime.pause_container(id).await, kind, "freezing")?;
    fails(case.runtime.processes(id).await, kind, "the list of processes")?;
    let command = ExecSpec { command: vec!["true".to_owned()], ..ExecSpec::default() };
    fails(case.runtime.create_exec(id, &command).await, kind, "a command")?;
    case.runtime.stop_container(id, AT_ONCE).await?;
    Ok(())
}

pub(super) async fn files_go_in_and_come_out(case: &Case<'_>) -> Kept {
    let mut spec = case.spec("files", "sleep 1000");
    spec.user = Some("33:34".to_owned());
    let id = case.create(&spec).await?;
    let file = FileUpload {
        path: "/run/a/b/secret".to_owned(),
        content: b"\x00content".to_vec(),
        mode: 0o440,
        owner: Some((1001, 1002)),
    };
    let text = |error: std::io::Error| Broken(error.to_string());
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(file.content.len() as u64);
    header.set_mode(file.mode);
    header.set_uid(1001);
    header.set_gid(1002);
    archive.append_data(&mut header, "run/a/b/secret", file.content.as_slice()).map_err(text)?;
    let archive = Bytes::from(archive.into_inner().map_err(text)?);
    for to_user in [false, true] {
        case.runtime.upload(&id, "/", archive.clone().into(), to_user).await?;
        let mut stream = case.runtime.download(&id, "/run/a/b/secret").await?;
        let mut bytes = Vec::new();
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece?);
        }
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entry = archive.entries().map_err(text)?.next().ok_or_else(|| Broken("the archive is empty".to_owned()))?;
        let mut entry = entry.map_err(text)?;
        let header = entry.header();
        let (user, group) = (header.uid().map_err(text)?, header.gid().map_err(text)?);
        let owner = if to_user { (33, 34) } else { (1001, 1002) };
        ensure!((user, group) == owner, "it belongs to {user}:{group} with to_user: {to_user}");
        let mode = header.mode().map_err(text)? & 0o7777;
        ensure!(mode == 0o440, "its mode is {mode:o}");
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).map_err(text)?;
        ensure!(content == file.content, "its content is {content:?}");
    }
    let seen = case.runtime.look_inside(&id, "/run/a/b/secret").await?;
    ensure!(seen == Inside { kind: InsideKind::File, size: 8 }, "the file is {seen:?}");
    let seen = case.runtime.look_inside(&id, "/run/a").await?;
    ensure!(seen.kind == InsideKind::Directory, "the directory is {seen:?}");
    fails(case.runtime.look_inside(&id, "/no/such").await.map(drop), ErrorKind::NotFound, "looking at nothing")?;
    let into_nothing = case.runtime.upload(&id, "/no/such", archive.into(), false).await;
    fails(into_nothing, ErrorKind::NotFound, "an upload into nothing")?;
    fails(case.runtime.download(&id, "/no/such/file").await.map(drop), ErrorKind::NotFound, "an unknown file")
}

pub(super) async fn a_container_is_exported_and_committed(case: &Case<'_>) -> Kept {
    let id = case.create(&case.spec("kept", "true")).await?;
    let text = |error: std::io::Error| Broken(error.to_string());
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    archive.append_data(&mut header, "tmp/kept", b"text".as_slice()).map_err(text)?;
    let archive = Bytes::from(archive.into_inner().map_err(text)?);
    case.runtime.upload(&id, "/", archive.into(), false).await?;
    let mut stream = case.runtime.export_container(&id).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece?);
    }
    let found = {
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut entries = archive.entries().map_err(text)?.flatten();
        entries.any(|entry| entry.path().is_ok_and(|path| path.ends_with("tmp/kept")))
    };
    ensure!(found, "the archive has no tmp/kept");
    let reference = format!("{}-committed:1", case.fixture.prefix);
    let commit = Commit { reference: Some(reference.clone()), pause: true, ..Commit::default() };
    let image = case.runtime.commit_container(&id, &commit).await?;
    let named = case.runtime.find_image(&reference, None).await?;
    ensure!(named.is_some_and(|found| found.id == image), "the image {image} has no name");
    case.runtime.remove_image(&reference).await?;
    let nobody = ContainerId::new("nobody-is-here");
    fails(case.runtime.commit_container(&nobody, &commit).await.map(drop), ErrorKind::NotFound, "a commit of nothing")?;
    fails(case.runtime.export_container(&nobody).await.map(drop), ErrorKind::NotFound, "an export of nothing")
}

pub(super) async fn stats_and_processes_are_told(case: &Case<'_>) -> Kept {
    let id = case.running("measured").await?;
    let samples: Vec<_> = case.runtime.stats(&id, false).await?.collect().await;
    let [Ok(sample)] = samples.as_slice() else { return Err(Broken(format!("the samples are {samples:?}"))) };
    ensure!(sample.memory_limit > 0, "the sample is {sample:?}");
    let mut samples = case.runtime.stats(&id, true).await?;
    for _ in 0..2 {
        let Some(Ok(_)) = samples.next().await else { return Err(Broken("no sample".to_owned())) };
    }
    let processes = case.runtime.processes(&id).await?;
    ensure!(processes.titles.len() > 1 && !processes.rows.is_empty(), "the processes are {processes:?}");
    ensure!(processes.rows.iter().all(|row| row.len() == processes.titles.len()), "the rows are uneven");
    case.runtime.resize_container(&id, TerminalSize { columns: 80, rows: 24 }).await?;
    Ok(())
}
