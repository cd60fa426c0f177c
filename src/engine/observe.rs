//! Looks: all that a plan needs to know of the engine, in a handful of calls side by side.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::labels;
use crate::names::{ContainerId, VolumeName};
use crate::planner::Interest;
use crate::resource::{Container, ContainerDetails, Foreign, HostFound, ImageDetails, Network, Snapshot, Volume};
use crate::runtime::{LabelFilter, Result, Runtime};

/// Images that are looked up side by side; each is one call.
const IMAGES_AT_ONCE: usize = 16;

/// Containers that are inspected side by side.
const DETAILS_AT_ONCE: usize = 16;

/// Takes a look. The number of lists does not hang on the size of the project; images, and networks and volumes
/// without the project's label, are looked up one by one because engines offer no better way.
///
/// # Errors
/// The first call that failed.
pub async fn observe(runtime: &dyn Runtime, interest: &Interest) -> Result<Snapshot> {
    let ours = LabelFilter::equals(labels::PROJECT, interest.project.as_str());
    // With everybody's containers in one list there is no need for a second one.
    let containers = if interest.foreign { LabelFilter::default() } else { ours.clone() };
    let (engine, containers, networks, volumes, images, mut project_images) = tokio::try_join!(
        runtime.facts(),
        runtime.list_containers(&containers),
        networks(runtime, &ours, &interest.networks),
        volumes(runtime, &ours, &interest.volumes),
        images(runtime, &interest.images),
        async { if interest.project_images { runtime.list_images(&ours).await } else { Ok(Vec::new()) } },
    )?;
    let (mut containers, others): (Vec<Container>, Vec<Container>) = containers
        .into_iter()
        .partition(|container| container.label(labels::PROJECT) == Some(interest.project.as_str()));
    containers.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    project_images.sort_by(|one, other| one.id.cmp(&other.id));
    let foreign = foreign(&others);
    Ok(Snapshot {
        engine,
        containers,
        networks,
        volumes,
        images,
        project_images,
        foreign,
        details: BTreeMap::new(),
        is_detailed: false,
    })
}

/// Names and published ports of containers outside the project, and what else of the host matters.
///
/// # Errors
/// The list failed.
pub(super) async fn observe_foreign(runtime: &dyn Runtime, interest: &Interest) -> Result<Foreign> {
    let filter = LabelFilter::default();
    let (others, host) = tokio::join!(runtime.list_containers(&filter), async {
        if interest.host.is_empty() { HostFound::default() } else { runtime.look_at_host(&interest.host).await }
    });
    let mut others = others?;
    others.retain(|container| container.label(labels::PROJECT) != Some(interest.project.as_str()));
    Ok(Foreign { host, ..foreign(&others) })
}

/// Inspects containers, to tell old values. Those that are gone or can not be inspected are left out: the plan does
/// not hang on it.
pub(super) async fn observe_details(
    runtime: &dyn Runtime,
    containers: Vec<ContainerId>,
) -> BTreeMap<ContainerId, ContainerDetails> {
    let looks =
        containers.into_iter().map(async |id| runtime.inspect_container(&id).await.ok().map(|found| (id, found)));
    stream::iter(looks).buffer_unordered(DETAILS_AT_ONCE).filter_map(async |found| found).collect().await
}

async fn networks(runtime: &dyn Runtime, ours: &LabelFilter, wanted: &BTreeSet<String>) -> Result<Vec<Network>> {
    let mut found = runtime.list_networks(ours).await?;
    let known: BTreeSet<&str> = found.iter().map(|network| network.name.as_str()).collect();
    let missing = wanted.iter().filter(|name| !known.contains(name.as_str()));
    let more = try_join_all(missing.map(|name| runtime.find_networks(name))).await?;
    found.extend(more.into_iter().flatten());
    found.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    found.dedup_by(|one, other| one.id == other.id);
    Ok(found)
}

async fn volumes(runtime: &dyn Runtime, ours: &LabelFilter, wanted: &BTreeSet<VolumeName>) -> Result<Vec<Volume>> {
    let mut found = runtime.list_volumes(ours).await?;
    let known: BTreeSet<&VolumeName> = found.iter().map(|volume| &volume.name).collect();
    let missing = wanted.iter().filter(|name| !known.contains(name));
    let more = try_join_all(missing.map(|name| runtime.find_volume(name))).await?;
    found.extend(more.into_iter().flatten());
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

async fn images(
    runtime: &dyn Runtime,
    wanted: &BTreeMap<String, Option<String>>,
) -> Result<BTreeMap<String, ImageDetails>> {
    let looks = wanted.iter().map(async |(reference, platform)| {
        let found = runtime.find_image(reference, platform.as_deref()).await?;
        Ok(found.map(|image| (reference.clone(), image)))
    });
    let found: Vec<Option<(String, ImageDetails)>> =
        stream::iter(looks).buffer_unordered(IMAGES_AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

fn foreign(others: &[Container]) -> Foreign {
    let mut foreign = Foreign::default();
    for container in others {
        let project = container.label(labels::PROJECT).map(str::to_owned);
        foreign.names.insert(container.name.clone(), project);
        for port in container.ports.iter().filter(|port| port.host_port != 0) {
            let key = format!("{}:{}/{}", port.host_ip, port.host_port, port.protocol);
            foreign.ports.insert(key, container.name.clone());
        }
    }
    foreign
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{ContainerName, ProjectName};
    use crate::resource::{ContainerSpec, NetworkSpec, PortBinding, Texts, VolumeSpec};
    use crate::runtime::fake::Fake;
    use crate::runtime::{Containers, Networks, Volumes};

    fn of(project: &str) -> Texts {
        [(labels::PROJECT.to_owned(), project.to_owned())].into()
    }

    async fn world() -> Fake {
        let fake = Fake::new().with_images(&["app", "db:15"]);
        for (name, project) in [("b", "shop"), ("a", "shop"), ("c", "other"), ("d", "")] {
            let mut spec = ContainerSpec { name: name.into(), image: "app".into(), ..ContainerSpec::default() };
            if !project.is_empty() {
                spec.labels = of(project);
            }
            let port = PortBinding { host_ip: String::new(), host_port: String::new() };
            spec.host.port_bindings.insert("80/tcp".to_owned(), vec![port]);
            let made = fake.create_container(&spec).await.unwrap();
            fake.start_container(&made.id).await.unwrap();
        }
        for (name, project) in [("shop_default", "shop"), ("theirs", "other")] {
            let spec = NetworkSpec { name: name.into(), labels: of(project), ..NetworkSpec::default() };
            fake.create_network(&spec).await.unwrap();
            let spec = VolumeSpec { name: name.into(), labels: of(project), ..VolumeSpec::default() };
            fake.create_volume(&spec).await.unwrap();
        }
        fake.forget_calls();
        fake
    }

    #[tokio::test(start_paused = true)]
    async fn one_look_asks_each_thing_once() {
        let fake = world().await;
        let interest = Interest {
            project: ProjectName::new("shop"),
            images: [("app".to_owned(), None), ("gone".to_owned(), None), ("db:15".to_owned(), None)].into(),
            networks: ["shop_default".to_owned(), "theirs".to_owned(), "nowhere".to_owned()].into(),
            volumes: ["shop_default".into(), "theirs".into()].into(),
            project_images: true,
            foreign: true,
            host: Default::default(),
        };
        let seen = observe(&fake, &interest).await.unwrap();
        let mut calls = fake.calls();
        calls.sort();
        assert_eq!(
            calls,
            [
                "ask the engine what it is",
                "find image app",
                "find image db:15",
                "find image gone",
                "find network nowhere",
                "find network theirs",
                "find volume theirs",
                "list containers",
                "list images",
                "list networks",
                "list volumes",
            ]
        );
        let names: Vec<&str> = seen.containers.iter().map(|container| container.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let names: Vec<&str> = seen.networks.iter().map(|network| network.name.as_str()).collect();
        assert_eq!(names, ["shop_default", "theirs"]);
        assert_eq!(seen.volumes.len(), 2);
        assert_eq!(seen.images.keys().collect::<Vec<_>>(), ["app", "db:15"]);
        assert_eq!(
            seen.foreign.names,
            [(ContainerName::new("c"), Some("other".to_owned())), (ContainerName::new("d"), None)].into()
        );
        let ports: Vec<&str> = seen.foreign.ports.keys().map(String::as_str).collect();
        assert_eq!(ports, ["0.0.0.0:32770/tcp", "0.0.0.0:32771/tcp"]);
    }

    #[tokio::test(start_paused = true)]
    async fn others_are_looked_at_only_when_they_matter() {
        let fake = world().await;
        let interest = Interest { project: ProjectName::new("shop"), ..Interest::default() };
        let seen = observe(&fake, &interest).await.unwrap();
        assert_eq!(seen.containers.len(), 2);
        assert_eq!(seen.foreign, Foreign::default());
        assert_eq!(fake.calls().len(), 4);
    }
}
