//! `rm`: removes stopped containers.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::engine::Ending;
use crate::planner::{RemoveOptions, interest_in_stack, remove};

/// Remove containers that are stopped
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose rm -sf web     stop and remove the containers of `web`, without asking\n"
)]
pub struct RmArgs {
    /// Accepted, does nothing
    #[arg(short, long, hide = true)]
    pub all: bool,
    /// Remove without asking
    #[arg(short, long)]
    pub force: bool,
    /// Stop running containers first
    #[arg(short, long)]
    pub stop: bool,
    /// Remove the containers' anonymous volumes, too
    #[arg(short, long)]
    pub volumes: bool,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: RmArgs, context: &Context<'_>) -> Ended {
    let RmArgs { all: _, force, stop, volumes, services } = args;
    let target = context.target(&[])?;
    let mut options =
        RemoveOptions { services: target.services(&services)?, stop, volumes, force, ..RemoveOptions::default() };
    let runtime = context.runtime().await?;
    let wanted = interest_in_stack(&target.name, None, false);
    let result = apply::apply(context, &runtime, &wanted, Road::new("remove"), &mut |snapshot, so_far| {
        options.answers.clone_from(&so_far.answers);
        remove(&target.stack(snapshot), snapshot, &options)
    })
    .await;
    match result {
        Ok(applied) => {
            let asked = !applied.rounds.answers.is_empty();
            if applied.plan.is_empty() && !asked && applied.ending == Ending::Done {
                apply::progress_stream(context).line("No stopped containers");
            }
            Ok(0)
        }
        // Who says no has what was wanted.
        Err(Failure::Declined) => Ok(0),
        Err(failure) => Err(failure),
    }
}
