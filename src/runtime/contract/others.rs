//! Promises about networks, volumes and images.

use super::{Broken, Case, Kept, ensure, fails};
use crate::names::{NetworkName, VolumeName};
use crate::resource::{Endpoint, NetworkSpec, VolumeSpec};
use crate::runtime::ErrorKind;
use futures::StreamExt;

fn network(case: &Case<'_>, name: &str) -> NetworkSpec {
    NetworkSpec { name: NetworkName::new(case.name(name)), labels: case.labels(), ..NetworkSpec::default() }
}

fn volume(case: &Case<'_>, name: &str) -> VolumeSpec {
    VolumeSpec { name: VolumeName::new(case.name(name)), labels: case.labels(), ..VolumeSpec::default() }
}

pub(super) async fn networks_come_and_go(case: &Case<'_>) -> Kept {
    let spec = network(case, "net");
    let made = case.runtime.create_network(&spec).await?;
    ensure!(made.name == spec.name && !made.id.as_str().is_empty(), "it is {made:?}");
    fails(case.runtime.create_network(&spec).await, ErrorKind::Conflict, "a second creation")?;
    let listed = case.networks().await?;
    let [listed] = listed.as_slice() else { return Err(Broken(format!("the list is {listed:?}"))) };
    ensure!(listed.id == made.id && listed.name == spec.name && listed.driver == "bridge", "the list has {listed:?}");
    ensure!(case.labels().iter().all(|(key, value)| listed.labels.get(key) == Some(value)), "{:?}", listed.labels);
    for wanted in [spec.name.as_str(), made.id.as_str()] {
        let found = case.runtime.find_networks(wanted).await?;
        ensure!(found.len() == 1 && found.iter().all(|network| network.id == made.id), "{wanted} finds {found:?}");
    }
    // Exactly this name: engines filter by a part of it.
    let part = spec.name.as_str().get(..spec.name.as_str().len() - 1).unwrap_or_default();
    let found = case.runtime.find_networks(part).await?;
    ensure!(found.is_empty(), "{part} finds {found:?}");
    case.runtime.remove_network(spec.name.as_str()).await?;
    fails(case.runtime.remove_network(spec.name.as_str()).await, ErrorKind::NotFound, "a second removal")?;
    ensure!(case.networks().await?.is_empty(), "it is still listed");
    Ok(())
}

pub(super) async fn containers_are_connected_and_disconnected(case: &Case<'_>) -> Kept {
    let (one, two) = (network(case, "one"), network(case, "two"));
    for spec in [&one, &two] {
        case.runtime.create_network(spec).await?;
    }
    let mut spec = case.spec("member", "sleep 1000");
    spec.host.network_mode = Some(one.name.as_str().to_owned());
    spec.endpoints.insert(one.name.clone(), Endpoint { aliases: vec!["alias".to_owned()], ..Endpoint::default() });
    let id = case.create(&spec).await?;
    let on = async || -> Result<Vec<NetworkName>, Broken> {
        let listed = case.containers().await?;
        Ok(listed.into_iter().flat_map(|container| container.networks.into_keys()).collect())
    };
    for running in [false, true] {
        if running {
            case.runtime.start_container(&id).await?;
        }
        let found = on().await?;
        ensure!(found == [one.name.clone()], "running {running}, it is on {found:?}");
        case.runtime.connect(&two.name, &id, &Endpoint::default()).await?;
        let found = on().await?;
        ensure!(found == [one.name.clone(), two.name.clone()], "running {running}, it is on {found:?}");
        case.runtime.disconnect(&two.name, &id).await?;
    }
    fails(case.runtime.remove_network(one.name.as_str()).await, ErrorKind::Conflict, "removing what is in use")?;
    let nowhere = NetworkName::new(case.name("nowhere"));
    fails(case.runtime.connect(&nowhere, &id, &Endpoint::default()).await, ErrorKind::NotFound, "connecting to it")
}

pub(super) async fn volumes_come_and_go(case: &Case<'_>) -> Kept {
    let spec = volume(case, "vol");
    ensure!(case.runtime.find_volume(&spec.name).await?.is_none(), "it is there before it is made");
    let made = case.runtime.create_volume(&spec).await?;
    ensure!(made.name == spec.name && made.driver == "local", "it is {made:?}");
    let again = case.runtime.create_volume(&spec).await?;
    ensure!(again.name == spec.name, "the second time it is {again:?}");
    let other = VolumeSpec { labels: [("other".to_owned(), "label".to_owned())].into(), ..spec.clone() };
    case.runtime.create_volume(&other).await?;
    let found = case.runtime.find_volume(&spec.name).await?;
    let Some(found) = found else { return Err(Broken("it is not found".to_owned())) };
    ensure!(found.labels == case.labels(), "its labels are {:?}", found.labels);
    let listed = case.volumes().await?;
    ensure!(listed.len() == 1 && listed.iter().all(|volume| volume.name == spec.name), "the list is {listed:?}");
    case.runtime.remove_volume(&spec.name).await?;
    fails(case.runtime.remove_volume(&spec.name).await, ErrorKind::NotFound, "a second removal")?;
    ensure!(case.volumes().await?.is_empty(), "it is still listed");
    Ok(())
}

pub(super) async fn a_named_volume_is_made_with_its_container(case: &Case<'_>) -> Kept {
    let spec = volume(case, "held");
    case.runtime.create_volume(&spec).await?;
    let mut user = case.spec("user", "sleep 1000");
    user.host.binds = vec![format!("{}:/data:ro", spec.name)];
    let id = case.create(&user).await?;
    let found = case.runtime.inspect_container(&id).await?.mounts;
    let [mount] = found.as_slice() else { return Err(Broken(format!("its mounts are {found:?}"))) };
    ensure!(mount.name == spec.name.as_str() && mount.destination == "/data" && !mount.writable, "it has {mount:?}");
    fails(case.runtime.remove_volume(&spec.name).await, ErrorKind::Conflict, "removing what is in use")?;
    case.runtime.remove_container(&id, true, true).await?;
    ensure!(case.runtime.find_volume(&spec.name).await?.is_some(), "a named volume went with its container");
    Ok(())
}

pub(super) async fn images_are_found_tagged_and_removed(case: &Case<'_>) -> Kept {
    let image = case.image().await?;
    ensure!(!image.id.as_str().is_empty() && !image.os.is_empty() && !image.arch.is_empty(), "it is {image:?}");
    let by_id = case.runtime.find_image(image.id.as_str(), None).await?;
    ensure!(by_id.is_some_and(|found| found.id == image.id), "it is not found by its id");
    let platform = format!("{}/{}", image.os, image.arch);
    let fits = case.runtime.find_image(&case.fixture.image, Some(&platform)).await?;
    ensure!(fits.is_some(), "it is not found for its own platform {platform}");
    let other = case.runtime.find_image(&case.fixture.image, Some("linux/s390x")).await?;
    ensure!(other.is_none(), "it is found for another platform: {other:?}");
    let tag = case.tag();
    ensure!(case.runtime.find_image(&tag, None).await?.is_none(), "{tag} is there before it is made");
    case.runtime.tag_image(&image.id, &tag).await?;
    let found = case.runtime.find_image(&tag, None).await?;
    ensure!(found.is_some_and(|found| found.id == image.id), "{tag} is another image");
    case.runtime.remove_image(&tag).await?;
    fails(case.runtime.remove_image(&tag).await, ErrorKind::NotFound, "a second removal")?;
    ensure!(case.image().await?.id == image.id, "the image went with its second name");
    Ok(())
}

pub(super) async fn an_image_without_source_is_not_pulled(case: &Case<'_>) -> Kept {
    // Nothing listens at port 1; real registries are not asked.
    let reference = format!("localhost:1/{}:1", case.fixture.prefix);
    let pulled = match case.runtime.pull_image(&reference, None, None).await {
        Err(error) => Err(error),
        Ok(stream) => stream.fold(Ok(()), async |so_far, item| so_far.and(item.map(drop))).await,
    };
    let Err(error) = pulled else { return Err(Broken("the pull went well".to_owned())) };
    ensure!(error.kind != ErrorKind::Conflict && !error.detail.is_empty(), "the error is {error:?}");
    Ok(())
}
