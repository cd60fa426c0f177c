//! Volumes, secrets and configs of a service as binds, mounts and uploads.

use indexmap::IndexMap;

use crate::resource::{FileUpload, Mount, MountKind, MountedAt};
use crate::spec::model::{self, FileReference, Project, Service};

/// What a new container takes over from the one it replaces.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Inherited<'a> {
    /// The old container's mounts; none for a container that replaces nothing.
    pub(super) mounts: &'a [MountedAt],
    /// Paths under which the new image has volumes.
    pub(super) image_volumes: &'a [String],
}

/// Where the files of a container come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Files {
    pub(super) binds: Vec<String>,
    pub(super) mounts: Vec<Mount>,
}

/// Binds and mounts of a service, those of secrets and configs with a file included.
///
/// # Errors
/// A phrase for a source that no engine can give.
pub(super) fn of(project: &Project, service: &Service, inherited: Inherited<'_>) -> Result<Files, String> {
    let mut files = Files::default();
    let mut by_target: IndexMap<&str, Mount> = IndexMap::new();
    let mut replaced: Vec<&str> = Vec::new();
    for old in inherited.mounts.iter().filter(|old| old.kind != "tmpfs") {
        let anonymous = service.volumes.iter().any(|mount| is_anonymous_at(mount, &old.destination));
        if anonymous {
            replaced.push(&old.destination);
        }
        if anonymous || inherited.image_volumes.contains(&old.destination) {
            by_target.insert(&old.destination, carried_over(old));
        }
    }
    for volume in &service.volumes {
        let target = volume.target.as_deref().unwrap_or_default();
        if volume.source.is_none() && replaced.contains(&target) {
            continue;
        }
        by_target.insert(target, mount(project, volume));
    }
    let secret_mounts = referenced(&service.secrets, "secret", |reference| {
        let secret = project.secrets.get(&reference.source)?;
        Some(Source {
            external: secret.external,
            driver: secret.driver.is_some() || secret.template_driver.is_some(),
            file: secret.file.as_deref(),
            uploaded: secret.environment.is_some() || secret.content.is_some(),
        })
    })?;
    let config_mounts = referenced(&service.configs, "config", |reference| {
        let config = project.configs.get(&reference.source)?;
        Some(Source {
            external: config.external,
            driver: config.driver.is_some() || config.template_driver.is_some(),
            file: config.file.as_deref(),
            uploaded: config.environment.is_some() || config.content.is_some(),
        })
    })?;
    if service.read_only
        && let Some(name) = uploaded_name(project, service)
    {
        return Err(format!(
            "cannot create {name} in read-only service {}: `file` is the sole supported option",
            service.name
        ));
    }
    let secret_mounts: Vec<(String, Mount)> = secret_mounts
        .into_iter()
        .map(|(reference, file)| file_mount(secret_target(reference), file, Some(false)))
        .collect();
    let config_mounts: Vec<(String, Mount)> =
        config_mounts.into_iter().map(|(reference, file)| file_mount(config_target(reference), file, None)).collect();

    for (target, mount) in by_target {
        match bind_text(project, service, target, &mount) {
            Some(bind) => files.binds.push(bind),
            None => files.mounts.push(mount),
        }
    }
    for (target, mount) in secret_mounts.into_iter().chain(config_mounts) {
        let taken = files.mounts.iter().any(|known| known.target == target)
            || service.volumes.iter().any(|volume| volume.target.as_deref() == Some(target.as_str()));
        if !taken {
            files.mounts.push(mount);
        }
    }
    Ok(files)
}

fn is_anonymous_at(mount: &model::Mount, target: &str) -> bool {
    mount.source.is_none() && mount.target.as_deref() == Some(target)
}

fn carried_over(old: &MountedAt) -> Mount {
    let volume = MountKind::Volume { labels: model::Texts::new(), no_copy: false, subpath: None, driver: None };
    let kind = match old.kind.as_str() {
        "volume" => volume,
        "bind" => MountKind::Bind { propagation: None, create_mountpoint: None, recursive: None },
        "image" => MountKind::Image { subpath: None },
        other => MountKind::Other(other.to_owned()),
    };
    Mount {
        kind,
        source: if old.kind == "volume" { old.name.clone() } else { old.source.clone() },
        target: old.destination.clone(),
        read_only: !old.writable,
        consistency: None,
    }
}

fn mount(project: &Project, mount: &model::Mount) -> Mount {
    let kind = match mount.kind.as_str() {
        "bind" => MountKind::Bind {
            propagation: mount.bind.as_ref().and_then(|bind| bind.propagation.clone()),
            create_mountpoint: mount.bind.as_ref().map(|bind| bind.create_host_path),
            recursive: mount.bind.as_ref().and_then(|bind| bind.recursive.clone()),
        },
        "volume" => MountKind::Volume {
            labels: mount.volume.as_ref().map(|volume| volume.labels.clone()).unwrap_or_default(),
            no_copy: mount.volume.as_ref().is_some_and(|volume| volume.nocopy),
            subpath: mount.volume.as_ref().and_then(|volume| volume.subpath.clone()),
            driver: None,
        },
        "tmpfs" => MountKind::Tmpfs {
            size: mount.tmpfs.as_ref().and_then(|tmpfs| tmpfs.size).map(|size| size.0),
            mode: mount.tmpfs.as_ref().and_then(|tmpfs| tmpfs.mode),
        },
        "image" => MountKind::Image { subpath: mount.image.as_ref().and_then(|image| image.subpath.clone()) },
        other => MountKind::Other(other.to_owned()),
    };
    let source = mount.source.clone().unwrap_or_default();
    let source = match (mount.kind.as_str(), project.volumes.get(source.as_str())) {
        ("volume", Some(volume)) => volume.name.clone(),
        ("image", _) => project.services.get(source.as_str()).map_or(source, |service| project.image_of(service)),
        _ => source,
    };
    Mount {
        kind,
        source,
        target: mount.target.clone().unwrap_or_default(),
        read_only: mount.read_only,
        consistency: mount.consistency.clone(),
    }
}

/// The bind text for a mount that needs no more than that: the engine then creates a missing source, which mounts
/// cannot ask for in all its versions. `None` when only a mount can say it.
fn bind_text(project: &Project, service: &Service, target: &str, mount: &Mount) -> Option<String> {
    let written = service.volumes.iter().find(|volume| volume.target.as_deref() == Some(target))?;
    match &mount.kind {
        MountKind::Bind { .. } => {
            let needs_mount = written
                .bind
                .as_ref()
                .is_some_and(|bind| !bind.create_host_path || bind.propagation.is_some() || bind.recursive.is_some());
            if needs_mount {
                return None;
            }
        }
        MountKind::Volume { labels, no_copy, subpath, .. } => {
            let named = project.volumes.values().any(|volume| volume.name == mount.source);
            if !named || *no_copy || subpath.is_some() || !labels.is_empty() {
                return None;
            }
        }
        MountKind::Tmpfs { .. } | MountKind::Image { .. } | MountKind::Other(_) => return None,
    }
    let access = if written.read_only { "ro" } else { "rw" };
    let selinux = written.bind.as_ref().and_then(|bind| bind.selinux.as_deref());
    Some(match selinux {
        Some(flag) => format!("{}:{target}:{access},{flag}", mount.source),
        None => format!("{}:{target}:{access}", mount.source),
    })
}

/// What a secret or config is made of.
struct Source<'a> {
    external: bool,
    driver: bool,
    file: Option<&'a str>,
    uploaded: bool,
}

/// The references that are mounted from files.
fn referenced<'a>(
    references: &'a [FileReference],
    kind: &str,
    find: impl Fn(&FileReference) -> Option<Source<'a>>,
) -> Result<Vec<(&'a FileReference, &'a str)>, String> {
    let mut mounted = Vec::new();
    for reference in references {
        let Some(source) = find(reference) else { continue };
        if source.external {
            return Err(format!("unsupported external {kind} {}", reference.source));
        }
        if source.driver {
            return Err(format!("Docker Compose does not support {kind}s.*.driver"));
        }
        if let (Some(file), false) = (source.file, source.uploaded) {
            mounted.push((reference, file));
        }
    }
    Ok(mounted)
}

fn file_mount(target: String, file: &str, create_mountpoint: Option<bool>) -> (String, Mount) {
    let mount = Mount {
        kind: MountKind::Bind { propagation: None, create_mountpoint, recursive: None },
        source: file.to_owned(),
        target: target.clone(),
        read_only: true,
        consistency: None,
    };
    (target, mount)
}

fn secret_target(reference: &FileReference) -> String {
    below("/run/secrets", reference)
}

fn config_target(reference: &FileReference) -> String {
    below("", reference)
}

fn below(directory: &str, reference: &FileReference) -> String {
    match reference.target.as_deref().filter(|target| !target.is_empty()) {
        None => format!("{directory}/{}", reference.source),
        Some(target) if target.starts_with('/') => target.to_owned(),
        Some(target) => format!("{directory}/{target}"),
    }
}

fn uploaded_name(project: &Project, service: &Service) -> Option<String> {
    let secret = service.secrets.iter().find_map(|reference| {
        let secret = project.secrets.get(&reference.source)?;
        (secret.environment.is_some() || secret.content.is_some()).then(|| format!("secret \"{}\"", secret.name))
    });
    secret.or_else(|| {
        service.configs.iter().find_map(|reference| {
            let config = project.configs.get(&reference.source)?;
            (config.environment.is_some() || config.content.is_some()).then(|| format!("config \"{}\"", config.name))
        })
    })
}

/// Secrets and configs whose content does not lie in a file: they are put into the container before each start.
///
/// # Errors
/// The variable that should hold a secret is not set.
pub(super) fn uploads(project: &Project, service: &Service) -> Result<Vec<FileUpload>, String> {
    let mut files = Vec::new();
    let content = |kind: &str, name: &str, variable: Option<&str>, text: Option<&str>| match (variable, text) {
        (Some(variable), _) => project
            .variable(variable)
            .map(|value| Some(value.as_bytes().to_vec()))
            .ok_or_else(|| format!("environment variable \"{variable}\" required by {kind} \"{name}\" is not set")),
        (None, Some(text)) => Ok(Some(text.as_bytes().to_vec())),
        (None, None) => Ok(None),
    };
    for reference in &service.secrets {
        let Some(secret) = project.secrets.get(&reference.source) else { continue };
        let text = content("secret", &secret.name, secret.environment.as_deref(), secret.content.as_deref())?;
        files.extend(text.and_then(|text| upload(reference, secret_target(reference), text)));
    }
    for reference in &service.configs {
        let Some(config) = project.configs.get(&reference.source) else { continue };
        let text = content("config", &config.name, config.environment.as_deref(), config.content.as_deref())?;
        files.extend(text.and_then(|text| upload(reference, config_target(reference), text)));
    }
    Ok(files)
}

/// Nothing is written for an empty content, as docker compose does.
fn upload(reference: &FileReference, path: String, content: Vec<u8>) -> Option<FileUpload> {
    let id = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<u64>().ok());
    let (uid, gid) = (id(&reference.uid), id(&reference.gid));
    let owner = (uid.is_some() || gid.is_some()).then(|| (uid.unwrap_or(0), gid.unwrap_or(0)));
    (!content.is_empty()).then(|| FileUpload { path, content, mode: reference.mode.unwrap_or(0o444), owner })
}
