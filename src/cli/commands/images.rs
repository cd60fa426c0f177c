//! `images`: the images of the containers that are there.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use serde_json::{Map, Value};

use crate::cli::commands::Ended;
use crate::cli::commands::containers;
use crate::cli::commands::format::escaped;
use crate::cli::commands::ls::unknown_format;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::names::ImageId;
use crate::resource::{Container, ImageDetails};
use crate::ui::table::{self, Layout};
use crate::ui::units;

/// List the images that containers were made from
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose images     which image each container was made from\n"
)]
pub struct ImagesArgs {
    /// Write a table or json
    #[arg(long, value_name = "string")]
    pub format: Option<String>,
    /// IDs only
    #[arg(short, long)]
    pub quiet: bool,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: ImagesArgs, context: &Context<'_>) -> Ended {
    let ImagesArgs { format, quiet, services } = args;
    let json = match format.as_deref() {
        None | Some("" | "table" | "pretty") => false,
        Some("json") => true,
        Some(word) => return Err(unknown_format(word)),
    };
    let project = context.project_name()?;
    let runtime = context.runtime().await?;
    let found = containers::of_project(runtime.as_ref(), &project).await?;
    let found: Vec<&Container> = found.iter().filter(|container| containers::is_of(container, &services)).collect();
    let ids: BTreeSet<&ImageId> = found.iter().map(|container| &container.image_id).collect();
    if quiet {
        let text: String = ids.iter().map(|id| format!("{}\n", id.as_str().trim_start_matches("sha256:"))).collect();
        context.io.stdout.text(&text);
        return Ok(0);
    }
    let looks = ids.iter().map(async |id| {
        let image = runtime.find_image(id.as_str(), None).await?;
        Ok::<_, Failure>((id.as_str().to_owned(), image.unwrap_or_default()))
    });
    let images: BTreeMap<String, ImageDetails> = try_join_all(looks).await?.into_iter().collect();
    let image_of = |container: &Container| images.get(container.image_id.as_str()).cloned().unwrap_or_default();
    if json {
        let items: Vec<String> =
            found.iter().map(|container| Value::Object(object(container, &image_of(container))).to_string()).collect();
        context.io.stdout.text(&escaped(&format!("[{}]\n", items.join(","))));
        return Ok(0);
    }
    let now = context.io.now().as_second();
    let heading = ["CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"].map(str::to_owned);
    let rows = found.iter().map(|container| row(container, &image_of(container), now));
    context.io.stdout.text(&table::render(Layout::WIDE, std::iter::once(heading).chain(rows)));
    Ok(0)
}

/// Repository and tag, as the container's own reference says or else the image's first name.
fn repository_and_tag(container: &Container, image: &ImageDetails) -> (String, String) {
    let named = image.tags.iter().find(|tag| **tag == container.image).or_else(|| image.tags.first());
    let Some(reference) = named else { return ("<none>".to_owned(), "<none>".to_owned()) };
    match reference.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository.to_owned(), tag.to_owned()),
        _ => (reference.clone(), "<none>".to_owned()),
    }
}

fn platform(image: &ImageDetails) -> String {
    let parts = [image.os.as_str(), image.arch.as_str(), image.variant.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// A moment, unless the engine does not know it.
fn known(time: &str) -> Option<jiff::Timestamp> {
    let time: jiff::Timestamp = time.parse().ok()?;
    (time.as_second() > 0).then_some(time)
}

fn row(container: &Container, image: &ImageDetails, now: i64) -> [String; 7] {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let size = units::decimal_size(image.size as f64, 3);
    let (repository, tag) = repository_and_tag(container, image);
    let id: String = container.image_id.as_str().trim_start_matches("sha256:").chars().take(12).collect();
    let created = known(&image.created).or_else(|| known(&image.last_tagged));
    let created = created.map_or("N/A".to_owned(), |time| units::ago(time.as_second(), now));
    [container.name.as_str().to_owned(), repository, tag, platform(image), id, size, created]
}

fn object(container: &Container, image: &ImageDetails) -> Map<String, Value> {
    let (repository, tag) = repository_and_tag(container, image);
    let mut object = Map::new();
    let mut set = |key: &str, value: Value| object.insert(key.to_owned(), value);
    set("ID", container.image_id.as_str().into());
    set("ContainerName", container.name.as_str().into());
    set("Repository", repository.into());
    set("Tag", tag.into());
    set("Platform", platform(image).into());
    set("Size", image.size.into());
    if let Some(created) = known(&image.created) {
        set("Created", created.to_string().into());
    }
    set("LastTagTime", if image.last_tagged.is_empty() { "0001-01-01T00:00:00Z" } else { &image.last_tagged }.into());
    object
}
