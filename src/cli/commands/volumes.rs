//! `volumes`: the volumes of a project.

use serde_json::{Value, json};

use crate::cli::commands::Ended;
use crate::cli::commands::format::{Format, Row};
use crate::cli::context::Context;
use crate::labels;
use crate::resource::Volume;
use crate::runtime::LabelFilter;
use crate::ui::template::LABELS;

const COLUMNS: &[(&str, &str)] = &[("Driver", "DRIVER"), ("Name", "VOLUME NAME")];
const MORE_TITLES: &[(&str, &str)] = &[
    ("Mountpoint", "MOUNTPOINT"),
    ("Scope", "SCOPE"),
    ("Labels", "LABELS"),
    ("Links", "LINKS"),
    ("Size", "SIZE"),
    ("Availability", "AVAILABILITY"),
    ("Group", "GROUP"),
    ("Status", "STATUS"),
];

/// List the project's volumes
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose volumes     where the data lies\n"
)]
pub struct VolumesArgs {
    /// Layout: table, table TEMPLATE, json or a Go template
    #[arg(long, value_name = "string")]
    pub format: Option<String>,
    /// Names only
    #[arg(short, long)]
    pub quiet: bool,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: VolumesArgs, context: &Context<'_>) -> Ended {
    let VolumesArgs { format, quiet, services } = args;
    let format = Format::parse(format.as_deref())?;
    let target = context.target(&[])?;
    target.services(&services)?;
    let runtime = context.runtime().await?;
    let mut volumes = runtime.list_volumes(&LabelFilter::equals(labels::PROJECT, target.name.as_str())).await?;
    volumes.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(project) = target.project.as_ref().filter(|_| !services.is_empty()) {
        let used = |volume: &Volume| {
            let key = volume.labels.get(labels::VOLUME);
            project.services.iter().filter(|(name, _)| services.iter().any(|wanted| wanted == name.as_str())).any(
                |(_, service)| {
                    service.volumes.iter().any(|mount| mount.source.is_some() && mount.source.as_ref() == key)
                },
            )
        };
        volumes.retain(used);
    }
    if quiet {
        let text: String = volumes.iter().map(|volume| format!("{}\n", volume.name)).collect();
        context.io.stdout.text(&text);
        return Ok(0);
    }
    let rows: Vec<Row> = volumes.iter().map(row).collect();
    context.io.stdout.text(&format.render(COLUMNS, MORE_TITLES, &rows)?);
    Ok(0)
}

fn row(volume: &Volume) -> Row {
    let labels: Vec<String> = volume.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let pairs = [
        ("Availability", Value::from("N/A")),
        ("Driver", volume.driver.as_str().into()),
        ("Group", "N/A".into()),
        ("Labels", labels.join(",").into()),
        ("Links", "N/A".into()),
        ("Mountpoint", volume.mountpoint.as_str().into()),
        ("Name", volume.name.as_str().into()),
        ("Scope", volume.scope.as_str().into()),
        ("Size", "N/A".into()),
        ("Status", "N/A".into()),
        (LABELS, json!(volume.labels)),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
