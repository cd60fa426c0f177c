//! `ps`: the containers of a project.

use std::collections::BTreeSet;

use crate::cli::commands::Ended;
use crate::cli::commands::containers::{self, MORE_TITLES};
use crate::cli::commands::format::{Format, Row};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::resource::{Container, ContainerState};

const COLUMNS: &[(&str, &str)] = &[
    ("Name", "NAME"),
    ("Image", "IMAGE"),
    ("Command", "COMMAND"),
    ("Service", "SERVICE"),
    ("RunningFor", "CREATED"),
    ("Status", "STATUS"),
    ("Ports", "PORTS"),
];

/// List the project's containers
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose ps                                  what runs\n  compose ps -a --format '{{.Name}} {{.State}}'   everything, in words of one's own\n"
)]
pub struct PsArgs {
    /// List stopped and one-off containers, too
    #[arg(short, long)]
    pub all: bool,
    /// Only containers that match (status=...)
    #[arg(long, value_name = "string")]
    pub filter: Option<String>,
    /// Layout: table, table TEMPLATE, json, raw or a Go template (default: psFormat of docker's config.json, else table)
    #[arg(long, value_name = "string")]
    pub format: Option<String>,
    /// Cut nothing short
    #[arg(long)]
    pub no_trunc: bool,
    /// List leftovers of services that the file no longer has (default: yes)
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub orphans: Option<bool>,
    /// IDs only
    #[arg(short, long)]
    pub quiet: bool,
    /// Service names only
    #[arg(long)]
    pub services: bool,
    /// Only containers that are: paused, restarting, removing, running, dead, created or exited
    #[arg(long, value_name = "stringArray")]
    pub status: Vec<String>,
    #[arg(hide = true)]
    pub names: Vec<String>,
}

/// Lists them: one call to the engine.
pub(super) async fn run(args: PsArgs, context: &Context<'_>) -> Ended {
    let PsArgs { all, filter, format, no_trunc, orphans, quiet, services, mut status, names } = args;
    if let Some(filter) = filter {
        match filter.split_once('=') {
            Some(("status", value)) => status.push(value.to_owned()),
            Some(("source", _)) => return Err(Failure::message("not implemented")),
            Some((name, _)) => return Err(Failure::Message(format!("unknown filter {name}"))),
            None => return Err(Failure::message("arguments to --filter should be in form KEY=VAL")),
        }
    }
    let format = if quiet || services { None } else { format.or_else(|| context.docker_setting("psFormat")) };
    let format = Format::parse(format.as_deref())?;
    let target = context.target(&[])?;
    target.services(&names)?;
    let runtime = context.runtime().await?;
    let found = containers::of_project(runtime.as_ref(), &target.name).await?;
    let keep_orphans = orphans.unwrap_or(true);
    let in_files = |container: &Container| {
        target.project.as_ref().is_none_or(|project| project.services.contains_key(container.service()))
    };
    let wanted = |container: &&Container| {
        containers::is_of(container, &names)
            && (!status.is_empty() || all || (is_up(container) && !container.is_one_off()))
            && (status.is_empty() || status.iter().any(|word| word == container.state.as_str()))
            && (keep_orphans || !names.is_empty() || in_files(container))
    };
    let listed: Vec<&Container> = found.iter().filter(wanted).collect();
    if quiet {
        let text: String = listed.iter().map(|container| format!("{}\n", container.id)).collect();
        context.io.stdout.text(&text);
        return Ok(0);
    }
    if services {
        let names: BTreeSet<&str> = listed.iter().map(|container| container.service()).collect();
        // Where there are none, one empty line.
        context.io.stdout.line(&names.into_iter().collect::<Vec<&str>>().join("\n"));
        return Ok(0);
    }
    let now = context.io.now().as_second();
    let rows: Vec<Row> = listed.iter().map(|container| containers::row(container, now, no_trunc)).collect();
    let text = match format {
        Format::Raw => rows.iter().map(raw).collect(),
        format => format.render(COLUMNS, MORE_TITLES, &rows)?,
    };
    context.io.stdout.text(&text);
    Ok(0)
}

/// Whether the engine counts it as running when only those are asked for.
fn is_up(container: &Container) -> bool {
    matches!(container.state, ContainerState::Running | ContainerState::Paused | ContainerState::Restarting)
}

fn raw(row: &Row) -> String {
    let fields = [
        ("container_id", "ID"),
        ("image", "Image"),
        ("command", "Command"),
        ("created_at", "CreatedAt"),
        ("state", "State"),
        ("status", "Status"),
        ("names", "Names"),
        ("labels", "Labels"),
        ("ports", "Ports"),
    ];
    let lines: Vec<String> = fields
        .iter()
        .map(|(name, field)| {
            let value = row.get(*field).and_then(|value| value.as_str()).unwrap_or_default();
            format!("{name}: {value}").trim_end().to_owned()
        })
        .collect();
    format!("{}\n\n", lines.join("\n"))
}
