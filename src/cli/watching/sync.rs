//! Changed files into a container: one archive for what is there, one command for what is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use futures::StreamExt;

use crate::cli::failure::Failure;
use crate::cli::transfer::{Item, pack};
use crate::cli::watching::Copied;
use crate::resource::{Container, ContainerState};
use crate::runtime::{ExecSpec, Runtime};

/// Arguments of one command; systems allow only so many.
const MOST_ARGUMENTS: usize = 500;

/// Paths that are there, and places inside of those that are not.
pub(super) fn sorted(paths: &BTreeMap<PathBuf, BTreeSet<String>>) -> (Copied, Vec<String>) {
    let mut copied = Copied::new();
    let mut removed = Vec::new();
    for (path, places) in paths {
        let is_there = fs::symlink_metadata(path).is_ok();
        for place in places {
            if is_there {
                copied.insert(place.clone(), path.clone());
            } else {
                removed.push(place.clone());
            }
        }
    }
    (copied, removed)
}

/// Brings a container up to date.
pub(super) async fn sync(
    runtime: &dyn Runtime,
    container: &Container,
    copied: &Copied,
    removed: &[String],
) -> Result<(), Failure> {
    if !removed.is_empty() && container.state == ContainerState::Running {
        for places in removed.chunks(MOST_ARGUMENTS) {
            remove(runtime, container, places).await?;
        }
    }
    if copied.is_empty() {
        return Ok(());
    }
    let with_directories = upload(runtime, container, copied, true).await;
    match with_directories {
        // A directory of ours may be a link inside: then only the files are copied.
        Err(Failure::Engine(error)) if error.detail.contains("cannot overwrite") => {
            upload(runtime, container, copied, false).await
        }
        result => result,
    }
}

async fn upload(
    runtime: &dyn Runtime,
    container: &Container,
    copied: &Copied,
    directories: bool,
) -> Result<(), Failure> {
    let items = copied.iter().filter(|(_, path)| directories || !path.is_dir()).map(|(place, path)| Item {
        from: path.clone(),
        name: place.trim_start_matches('/').to_owned(),
        follow: false,
        recursive: false,
    });
    Ok(runtime.upload(&container.id, "/", pack(items.collect()).into(), true).await?)
}

async fn remove(runtime: &dyn Runtime, container: &Container, places: &[String]) -> Result<(), Failure> {
    let command = ["rm", "-rf", "--"].into_iter().map(str::to_owned).chain(places.iter().cloned()).collect();
    let spec = ExecSpec { command, attach_output: true, ..ExecSpec::default() };
    let exec = runtime.create_exec(&container.id, &spec).await?;
    let mut attached = runtime.start_exec(&exec, false).await?;
    drop(attached.input.take());
    let mut said = Vec::new();
    while let Some(chunk) = attached.output.next().await {
        said.extend_from_slice(&chunk?.bytes);
        said.truncate(1024);
    }
    match runtime.inspect_exec(&exec).await?.exit_code {
        None | Some(0) => Ok(()),
        Some(code) => {
            let said = String::from_utf8_lossy(&said);
            let name = &container.name;
            Err(Failure::Message(format!(
                "failed to remove files from {name}: `rm` ended with {code}: {}",
                said.trim()
            )))
        }
    }
}
