//! `stats`: what containers use.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use futures::stream::{SelectAll, StreamExt};
use serde_json::Value;
use tokio::time::Instant;

use crate::cli::commands::Ended;
use crate::cli::commands::containers;
use crate::cli::commands::format::{Format, Row};
use crate::cli::commands::metrics;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::resource::Container;
use crate::runtime::Stats;
use crate::ui::progress::Display;
use crate::ui::units;

const COLUMNS: &[(&str, &str)] = &[
    ("ID", "CONTAINER ID"),
    ("Name", "NAME"),
    ("CPUPerc", "CPU %"),
    ("MemUsage", "MEM USAGE / LIMIT"),
    ("MemPerc", "MEM %"),
    ("NetIO", "NET I/O"),
    ("BlockIO", "BLOCK I/O"),
    ("PIDs", "PIDS"),
];
const MORE_TITLES: &[(&str, &str)] = &[("Container", "CONTAINER")];
/// Samples come about once a second from each container; so often all are shown.
const REFRESH_TICKS: u32 = 5;

/// Watch what containers use of processor, memory and network
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE]",
    after_help = "Examples:\n  compose stats                                   what everything uses, live\n  compose stats --no-stream --format json web     one sample of `web`, for programs\n  compose stats --format prometheus               one sample in the text format that Prometheus reads\n"
)]
pub struct StatsArgs {
    /// Show stopped containers, too
    #[arg(short, long)]
    pub all: bool,
    /// Layout: table, table TEMPLATE, json, prometheus (one sample) or a Go template
    #[arg(long, value_name = "string")]
    pub format: Option<String>,
    /// Show one sample and end
    #[arg(long)]
    pub no_stream: bool,
    /// Cut nothing short
    #[arg(long)]
    pub no_trunc: bool,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: StatsArgs, context: &Context<'_>) -> Ended {
    let StatsArgs { all, format, no_stream, no_trunc, services } = args;
    let prometheus = format.as_deref() == Some("prometheus");
    // Quotes around a template are part of it: tools that start no shell put them there, and take them off again.
    let format = Format::parse(format.as_deref().filter(|_| !prometheus))?;
    let project = context.project_name()?;
    let runtime = context.runtime().await?;
    let mut found = containers::of_project(runtime.as_ref(), &project).await?;
    containers::hint_at_near(context, &found, &services);
    found.retain(|container| containers::is_of(container, &services) && (all || container.is_running()));
    let row = |container: &Container, stats: &Stats| row(container, stats, no_trunc);
    if no_stream || prometheus {
        let samples = try_join_all(found.iter().map(async |container| {
            let mut stats = match runtime.stats(&container.id, false).await {
                Ok(stats) => stats,
                // It ended after it was listed.
                Err(error) if error.is_not_found() || error.is_conflict() => return Ok(Stats::default()),
                Err(error) => return Err(Failure::Engine(error)),
            };
            stats.next().await.transpose().map(Option::unwrap_or_default).map_err(Failure::Engine)
        }))
        .await?;
        if prometheus {
            let all: Vec<(&Container, Stats)> = found.iter().zip(samples).collect();
            context.io.stdout.text(&metrics::exposition(project.as_str(), &all));
            return Ok(0);
        }
        let rows: Vec<Row> = found.iter().zip(&samples).map(|(container, stats)| row(container, stats)).collect();
        context.io.stdout.text(&format.render(COLUMNS, MORE_TITLES, &rows)?);
        return Ok(0);
    }
    let mut streams = SelectAll::new();
    let mut latest: BTreeMap<usize, Stats> = BTreeMap::new();
    for (at, container) in found.iter().enumerate() {
        match runtime.stats(&container.id, true).await {
            Ok(stats) => streams.push(stats.map(move |sample| (at, sample)).boxed()),
            Err(error) if error.is_not_found() || error.is_conflict() => {
                latest.insert(at, Stats::default());
            }
            Err(error) => return Err(error.into()),
        }
    }
    let mut drawn: Option<Instant> = None;
    let live = matches!(format, Format::Table | Format::TableTemplate(_));
    loop {
        let due = drawn.is_none_or(|drawn| drawn.elapsed() >= Display::TICK * REFRESH_TICKS);
        if due && latest.len() == found.len() {
            drawn = Some(Instant::now());
            let rows: Vec<Row> = latest.iter().filter_map(|(at, stats)| Some(row(found.get(*at)?, stats))).collect();
            let text = format.render(COLUMNS, MORE_TITLES, &rows)?;
            // Each line is cleared to its end, what is below the last is cleared, too: nothing flickers.
            let text = if live { format!("\u{1b}[H{}\u{1b}[J", text.replace('\n', "\u{1b}[K\n")) } else { text };
            context.io.stdout.text(&text);
        }
        if context.io.stdout.is_broken() {
            return Ok(0);
        }
        match streams.next().await {
            Some((at, Ok(sample))) => {
                latest.insert(at, sample);
            }
            Some((at, Err(_))) => {
                latest.insert(at, Stats::default());
            }
            None => return Ok(0),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
fn row(container: &Container, stats: &Stats, whole: bool) -> Row {
    let Stats { cpu_percent, memory, memory_limit, pids, totals } = stats;
    let share = if *memory_limit > 0 { *memory as f64 / *memory_limit as f64 * 100.0 } else { 0.0 };
    let traffic = |one: u64, other: u64| {
        format!("{} / {}", units::decimal_size(one as f64, 3), units::decimal_size(other as f64, 3))
    };
    let usage = format!("{} / {}", units::binary_size(*memory as f64), units::binary_size(*memory_limit as f64));
    let pairs = [
        ("BlockIO", Value::from(traffic(totals.block_in, totals.block_out))),
        ("CPUPerc", format!("{cpu_percent:.2}%").into()),
        ("Container", container.id.as_str().into()),
        ("ID", if whole { container.id.as_str() } else { container.id.short() }.into()),
        ("MemPerc", format!("{share:.2}%").into()),
        ("MemUsage", usage.into()),
        ("Name", container.name.as_str().into()),
        ("NetIO", traffic(totals.network_in, totals.network_out).into()),
        ("PIDs", pids.to_string().into()),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
