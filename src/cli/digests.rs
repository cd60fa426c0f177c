//! Images by digest: what the registry has under a tag now, for `config --resolve-image-digests`.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use futures::stream;

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::spec::model::Project;
use crate::spec::tree::{Mapping, Node, Value as Tree};

/// Questions that registries are asked at once.
const SIDE_BY_SIDE: usize = 8;

/// Gives every image of a project the digest that its registry has for it now.
///
/// # Errors
/// A registry does not know an image, or cannot be reached.
pub async fn pin(project: &mut Project, context: &Context<'_>) -> Result<(), Failure> {
    let images = project.services.values().filter_map(|service| service.image.clone()).collect();
    let pinned = pinned(images, context).await?;
    for service in project.services.values_mut() {
        if let Some(image) = &mut service.image
            && let Some(exact) = pinned.get(image)
        {
            exact.clone_into(image);
        }
    }
    Ok(())
}

/// The same in a tree of a file.
///
/// # Errors
/// As for [`pin`].
pub async fn pin_tree(tree: &mut Node, context: &Context<'_>) -> Result<(), Failure> {
    let services = tree.get("services").and_then(Node::as_mapping);
    let image_of = |node: &Node| node.get("image").and_then(Node::as_str).map(str::to_owned);
    let images =
        services.into_iter().flat_map(|services| services.iter().filter_map(|(_, entry)| image_of(&entry.node)));
    let pinned = pinned(images.collect(), context).await?;
    let services = tree.as_mapping_mut().and_then(|top| top.get_mut("services")).and_then(Node::as_mapping_mut);
    for (_, entry) in services.into_iter().flat_map(Mapping::iter_mut) {
        let image = entry.node.as_mapping_mut().and_then(|service| service.get_mut("image"));
        if let Some(Node { value: Tree::String(image), .. }) = image
            && let Some(exact) = pinned.get(image)
        {
            exact.clone_into(image);
        }
    }
    Ok(())
}

async fn pinned(mut images: Vec<String>, context: &Context<'_>) -> Result<BTreeMap<String, String>, Failure> {
    images.sort();
    images.dedup();
    // What is pinned already stays, and then no engine is needed.
    images.retain(|image| !image.contains('@'));
    if images.is_empty() {
        return Ok(BTreeMap::new());
    }
    let runtime = context.runtime().await?;
    let credentials = context.engines.credentials(&context.global.docker, &context.environment);
    let asked = images.into_iter().map(|image| {
        let (runtime, credentials) = (runtime.clone(), credentials.clone());
        Ok(async move {
            let full = full_reference(&image);
            let auth = credentials.for_image(&image).await;
            let digest = runtime.registry_digest(&full, auth.as_ref()).await.map_err(|error| {
                Failure::Message(format!("failed to resolve digest for {full}: {}", Failure::from(error).text()))
            })?;
            Ok((image, format!("{full}@{digest}")))
        })
    });
    let answers = stream::iter(asked).try_buffered(SIDE_BY_SIDE).try_collect();
    context.unless_interrupted(answers).await
}

/// A reference with registry and tag: `docker.io/library/alpine:latest` of `alpine`.
fn full_reference(image: &str) -> String {
    let registry = |first: &str| first.contains(['.', ':']) || first == "localhost";
    let named = match image.split_once('/') {
        Some((first, rest)) if registry(first) => {
            if (first == "docker.io" || first == "index.docker.io") && !rest.contains('/') {
                format!("docker.io/library/{rest}")
            } else {
                image.to_owned()
            }
        }
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    };
    let last = named.rsplit('/').next().unwrap_or(&named);
    if last.contains(':') { named } else { named + ":latest" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_get_registry_and_tag() {
        for (image, full) in [
            ("alpine", "docker.io/library/alpine:latest"),
            ("alpine:3", "docker.io/library/alpine:3"),
            ("team/web", "docker.io/team/web:latest"),
            ("docker.io/alpine", "docker.io/library/alpine:latest"),
            ("localhost/web", "localhost/web:latest"),
            ("host:5000/a/b:c", "host:5000/a/b:c"),
            ("host:5000/a", "host:5000/a:latest"),
        ] {
            assert_eq!(full_reference(image), full);
        }
    }
}
