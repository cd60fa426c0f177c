//! `images`: the images of the containers that are there.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;
use serde_json::{Map, Value};

use crate::cli::commands::Ended;
use crate::cli::commands::containers;
use crate::cli::commands::format::{Format, Row, escaped};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::names::ImageId;
use crate::resource::{Container, ImageDetails};
use crate::ui::table::Layout;
use crate::ui::units;

const COLUMNS: &[(&str, &str)] = &[
    ("ContainerName", "CONTAINER"),
    ("Repository", "REPOSITORY"),
    ("Tag", "TAG"),
    ("Platform", "PLATFORM"),
    ("ID", "IMAGE ID"),
    ("Size", "SIZE"),
    ("Created", "CREATED"),
];

/// List the images that containers were made from
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose images     which image each container was made from\n"
)]
pub struct ImagesArgs {
    /// Layout: table, table TEMPLATE, json or a Go template
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
    let format = Format::parse_list(format.as_deref())?;
    let project = context.project_name()?;
    let runtime = context.runtime().await?;
    let found = containers::of_project(runtime.as_ref(), &project).await?;
    containers::hint_at_near(context, &found, &services);
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
    if matches!(format, Format::Json) {
        let items: Vec<String> =
            found.iter().map(|container| Value::Object(object(container, &image_of(container))).to_string()).collect();
        // With an empty line behind it, as docker compose writes it.
        context.io.stdout.text(&escaped(&format!("[{}]\n\n", items.join(","))));
        return Ok(0);
    }
    let now = context.io.now().as_second();
    let rows: Vec<Row> = found.iter().map(|container| row(container, &image_of(container), now)).collect();
    context.io.stdout.text(&format.render_as(Layout::WIDE, COLUMNS, &[], &rows)?);
    Ok(0)
}

/// Repository and tag, as the container's own reference says or else the image's first name.
fn repository_and_tag(container: &Container, image: &ImageDetails) -> (String, String) {
    // The image may have many names; a name without a tag means `latest`.
    let latest = format!("{}:latest", container.image);
    let meant = |tag: &&String| **tag == container.image || **tag == latest;
    let named = image.tags.iter().find(meant).or_else(|| image.tags.first());
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

fn row(container: &Container, image: &ImageDetails, now: i64) -> Row {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let size = units::decimal_size(image.size as f64, 3);
    let (repository, tag) = repository_and_tag(container, image);
    let id: String = container.image_id.as_str().trim_start_matches("sha256:").chars().take(12).collect();
    let created = known(&image.created).or_else(|| known(&image.last_tagged));
    let created = created.map_or("N/A".to_owned(), |time| units::ago(time.as_second(), now));
    let pairs = [
        ("ContainerName", container.name.as_str().to_owned()),
        ("Repository", repository),
        ("Tag", tag),
        ("Platform", platform(image)),
        ("ID", id),
        ("Size", size),
        ("Created", created),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
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
