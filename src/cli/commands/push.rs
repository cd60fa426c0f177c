//! `push`: uploads the images of services that are built here.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::names::ServiceName;
use crate::planner::{PushOptions, interest, push};
use crate::ui::progress::Detail;

/// Upload images to their registries
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose push     push every image that is built here and has a name\n"
)]
pub struct PushArgs {
    /// Go on when an image can not be uploaded
    #[arg(long)]
    ignore_push_failures: bool,
    /// Upload images of what these services depend on, too
    #[arg(long)]
    include_deps: bool,
    /// Upload silently
    #[arg(short, long)]
    quiet: bool,
    #[arg(hide = true)]
    services: Vec<String>,
}

pub(super) async fn run(args: PushArgs, context: &Context<'_>) -> Ended {
    let PushArgs { ignore_push_failures, include_deps, quiet, services } = args;
    let project = context.project(&services)?;
    let options = PushOptions {
        services: services.iter().map(|name| ServiceName::new(name.clone())).collect(),
        include_deps,
        ignore_failures: ignore_push_failures,
    };
    let runtime = context.runtime().await?;
    let detail = Detail { quiet_layers: quiet, ..Detail::default() };
    let road = Road { detail, project: Some(&project), ..Road::new("push") };
    apply::apply(context, &runtime, &interest(&project), road, &mut |_, _| push(&project, &options)).await.map(|_| 0)
}
