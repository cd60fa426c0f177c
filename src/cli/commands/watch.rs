//! `watch`: starts the project, then follows changes of files.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failed::still_running;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::cli::lease::WatchLease;
use crate::cli::watching::{Options, Watching, developed};
use crate::names::ServiceName;
use crate::planner::UpOptions;
use crate::ui::progress::Detail;

/// Keep containers up to date while you edit the sources
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[SERVICE...]",
    after_help = "Examples:\n  compose watch               start, then follow changes of files\n  compose watch --no-up web   follow changes for `web`, which runs already\n"
)]
pub struct WatchArgs {
    /// Only watch: build and start nothing first
    #[arg(long)]
    no_up: bool,
    /// Remove the images that a rebuild replaced
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    prune: Option<bool>,
    /// Build silently
    #[arg(long)]
    quiet: bool,
    #[arg(hide = true)]
    services: Vec<String>,
}

pub(super) async fn run(args: WatchArgs, context: &Context<'_>) -> Ended {
    let WatchArgs { no_up, prune, quiet, services } = args;
    let project = context.project(&services)?;
    let runtime = context.runtime().await?;
    let options = Options { prune: prune.unwrap_or(true), quiet, prefix: String::new() };
    let watching = Watching::new(context, &runtime, &project, &services, options)?;
    let _lease = WatchLease::take(context, &runtime, &project.name).await?;
    if !no_up {
        let up = UpOptions {
            targets: services.iter().map(|name| ServiceName::new(name.clone())).collect(),
            start: true,
            now: context.io.now().as_second(),
            assume_images: context.global.dry_run,
            ..UpOptions::default()
        };
        let project = developed(&project);
        let detail = Detail { quiet_output: quiet, ..Detail::default() };
        apply::converge(context, &runtime, &project, &up, Road { detail, ..Road::new("up") }).await?;
    }
    if context.global.dry_run {
        return Ok(0);
    }
    match watching.run().await {
        Err(Failure::Interrupted) => {
            if context.io.stderr.is_terminal() {
                // Not behind the `^C` that the terminal shows.
                context.io.stderr.line("");
            }
            let running = still_running(runtime.as_ref(), &project.name).await;
            Err(Failure::Halted(running.unwrap_or_default()))
        }
        ended => ended.map(|()| 0),
    }
}
