//! Volumes of the fake, and how containers come to theirs.

use async_trait::async_trait;

use crate::names::VolumeName;
use crate::resource::{ContainerSpec, ImageDetails, MountKind, MountedAt, Texts, Volume, VolumeSpec};
use crate::runtime::fake::Fake;
use crate::runtime::fake::containers::{kind_word, volume_mount};
use crate::runtime::fake::world::{VolumeRecord, World};
use crate::runtime::{Error, ErrorKind, LabelFilter, Result, Volumes};

#[async_trait]
impl Volumes for Fake {
    async fn list_volumes(&self, filter: &LabelFilter) -> Result<Vec<Volume>> {
        let filter = filter.clone();
        self.look("list volumes", move |world| {
            let found = world.volumes.values().map(|record| &record.volume);
            Ok(found.filter(|volume| filter.matches(&volume.labels)).cloned().collect())
        })
        .await
    }

    async fn find_volume(&self, name: &VolumeName) -> Result<Option<Volume>> {
        let name = name.clone();
        self.look(format!("find volume {name}"), move |world| {
            Ok(world.volumes.get(&name).map(|record| record.volume.clone()))
        })
        .await
    }

    async fn create_volume(&self, spec: &VolumeSpec) -> Result<Volume> {
        let spec = spec.clone();
        self.change(format!("create volume {}", spec.name), move |world| {
            Ok(volume(world, &spec.name, spec.driver.as_deref(), spec.labels, false))
        })
        .await
    }

    async fn remove_volume(&self, name: &VolumeName) -> Result<()> {
        let name = name.clone();
        let what = format!("remove volume {name}");
        self.change(what.clone(), move |world| {
            if !world.volumes.contains_key(&name) {
                return Err(Error::new(ErrorKind::NotFound, what, format!("get {name}: no such volume")));
            }
            if world.is_mounted(&name) {
                let detail = format!("remove {name}: volume is in use");
                return Err(Error::new(ErrorKind::Conflict, what, detail));
            }
            world.volumes.remove(&name);
            world.tell("volume", "destroy", name.as_str(), Texts::new());
            Ok(())
        })
        .await
    }
}

/// The volume of this name; made when it is not there.
fn volume(world: &mut World, name: &VolumeName, driver: Option<&str>, labels: Texts, is_anonymous: bool) -> Volume {
    if let Some(known) = world.volumes.get(name) {
        return known.volume.clone();
    }
    let volume = Volume {
        name: name.clone(),
        driver: driver.unwrap_or("local").to_owned(),
        mountpoint: format!("/var/lib/fake/volumes/{name}/_data"),
        scope: "local".to_owned(),
        labels,
    };
    let record = VolumeRecord { volume: volume.clone(), is_anonymous, content: String::new() };
    world.volumes.insert(name.clone(), record);
    world.tell("volume", "create", name.as_str(), Texts::new());
    volume
}

fn anonymous(world: &mut World, labels: Texts) -> VolumeName {
    let name = VolumeName::new(world.new_id("volume"));
    volume(world, &name, None, labels, true);
    name
}

/// What a new container has mounted; volumes that are not there are made, as engines do.
pub(super) fn mounts_of(
    world: &mut World,
    what: &str,
    spec: &ContainerSpec,
    image: &ImageDetails,
) -> Result<Vec<MountedAt>> {
    let mut mounts: Vec<MountedAt> = Vec::new();
    for bind in &spec.host.binds {
        let mut parts = bind.splitn(3, ':');
        let (Some(source), Some(target)) = (parts.next(), parts.next()) else {
            return Err(Error::new(ErrorKind::Invalid, what, format!("invalid volume specification: '{bind}'")));
        };
        let writable = !parts.next().is_some_and(|options| options.split(',').any(|option| option == "ro"));
        if source.starts_with('/') {
            mounts.push(MountedAt {
                kind: "bind".to_owned(),
                source: source.to_owned(),
                destination: target.to_owned(),
                writable,
                ..MountedAt::default()
            });
        } else {
            volume(world, &source.into(), None, Texts::new(), false);
            mounts.push(volume_mount(&source.into(), target, writable));
        }
    }
    for mount in &spec.host.mounts {
        let writable = !mount.read_only;
        match &mount.kind {
            MountKind::Volume { labels, driver, .. } => {
                let name = if mount.source.is_empty() {
                    anonymous(world, labels.clone())
                } else {
                    let driver = driver.as_ref().map(|(driver, _)| driver.as_str());
                    volume(world, &mount.source.as_str().into(), driver, labels.clone(), false).name
                };
                mounts.push(volume_mount(&name, &mount.target, writable));
            }
            other => mounts.push(MountedAt {
                kind: kind_word(other).to_owned(),
                source: mount.source.clone(),
                destination: mount.target.clone(),
                writable,
                ..MountedAt::default()
            }),
        }
    }
    for from in &spec.host.volumes_from {
        let (from, mode) = from.split_once(':').unwrap_or((from, "rw"));
        let others = world.known("use the volumes of container", from)?.mounts.clone();
        for mount in others.into_iter().filter(|mount| mount.kind != "tmpfs") {
            if !mounts.iter().any(|known| known.destination == mount.destination) {
                mounts.push(MountedAt { writable: mount.writable && mode != "ro", ..mount });
            }
        }
    }
    for path in &image.volumes {
        let is_covered = mounts.iter().any(|mount| mount.destination == *path) || spec.host.tmpfs.contains_key(path);
        if !is_covered {
            let name = anonymous(world, Texts::new());
            mounts.push(volume_mount(&name, path, true));
        }
    }
    mounts.sort_by(|one, other| one.destination.cmp(&other.destination));
    Ok(mounts)
}
