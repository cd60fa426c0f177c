//! `pull`: gets the images of services.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::global::parse_bool;
use crate::names::ServiceName;
use crate::planner::{PullOptions, interest, pull};
use crate::ui::progress::Detail;

/// Fetch images from their registries
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose pull web     get the newest image of `web`\n"
)]
pub struct PullArgs {
    /// Skip services that have a build section
    #[arg(long)]
    pub ignore_buildable: bool,
    /// Go on when an image can not be fetched
    #[arg(long)]
    pub ignore_pull_failures: bool,
    /// Fetch images of what these services depend on, too
    #[arg(long)]
    pub include_deps: bool,
    /// Accepted, does nothing
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub no_parallel: Option<bool>,
    /// Accepted, does nothing
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub parallel: Option<bool>,
    /// Fetch always, or only what is missing
    #[arg(long, value_name = "string")]
    pub policy: Option<String>,
    /// Fetch images silently
    #[arg(short, long)]
    pub quiet: bool,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: PullArgs, context: &Context<'_>) -> Ended {
    let PullArgs {
        ignore_buildable,
        ignore_pull_failures,
        include_deps,
        no_parallel,
        parallel,
        policy,
        quiet,
        services,
    } = args;
    if parallel.is_some() {
        context.warn("option '--parallel' is DEPRECATED and will be ignored.");
    }
    if no_parallel.is_some() {
        context.warn("option '--no-parallel' is DEPRECATED and will be ignored.");
    }
    let project = context.project(&services)?;
    let options = PullOptions {
        services: services.iter().map(|name| ServiceName::new(name.clone())).collect(),
        include_deps,
        ignore_buildable,
        ignore_failures: ignore_pull_failures,
        policy: policy.filter(|word| !word.is_empty()),
    };
    let runtime = context.runtime().await?;
    let detail = Detail { quiet_layers: quiet, ..Detail::default() };
    let road = Road { detail, project: Some(&project), ..Road::new("pull") };
    apply::apply(context, &runtime, &interest(&project), road, &mut |snapshot, _| pull(&project, snapshot, &options))
        .await
        .map(|_| 0)
}
