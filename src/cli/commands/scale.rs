//! `scale`: how many containers services have.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::commands::create::set_scale;
use crate::cli::commands::up::without_dependencies;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::usage::too_few;
use crate::names::ServiceName;
use crate::planner::UpOptions;

/// Change how many containers services have
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[SERVICE=REPLICAS...]",
    after_help = "Examples:\n  compose scale web=3     three containers of `web`\n"
)]
pub struct ScaleArgs {
    /// Leave what these services depend on alone
    #[arg(long)]
    pub no_deps: bool,
    #[arg(hide = true)]
    pub words: Vec<String>,
}

pub(super) async fn run(args: ScaleArgs, context: &Context<'_>) -> Ended {
    let ScaleArgs { no_deps, words } = args;
    if words.is_empty() {
        return Err(Failure::Usage(too_few(1, 0)));
    }
    let mut counts = Vec::new();
    for word in &words {
        let Some((name, count)) = word.split_once('=').filter(|(_, count)| !count.is_empty()) else {
            return Err(Failure::Message(format!("invalid scale specifier: {word}")));
        };
        let count: u32 = count.parse().map_err(|_| {
            Failure::Message(format!("invalid scale specifier: can't parse replica value as int: {word}"))
        })?;
        counts.push((name.to_owned(), count));
    }
    let names: Vec<String> = counts.iter().map(|(name, _)| name.clone()).collect();
    let mut project = context.project(&names)?;
    if no_deps {
        without_dependencies(&mut project, &names);
    }
    for (name, count) in &counts {
        set_scale(&mut project, name, *count)?;
    }
    let options = UpOptions {
        targets: names.into_iter().map(ServiceName::new).collect(),
        start: true,
        now: context.io.now().as_second(),
        assume_images: context.global.dry_run,
        ..UpOptions::default()
    };
    let runtime = context.runtime().await?;
    apply::converge(context, &runtime, &project, &options, Road::new("scale")).await.map(|_| 0)
}
