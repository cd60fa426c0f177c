//! `pause` and `unpause`: freeze containers and thaw them.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::planner;
use crate::planner::interest_in_stack;

/// Freeze containers
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[SERVICE...]",
    after_help = "Examples:\n  compose pause web     freeze `web` where it stands\n"
)]
pub struct PauseArgs {
    #[arg(hide = true)]
    pub services: Vec<String>,
}

/// Let frozen containers go on
#[derive(clap::Args, Clone, Debug)]
#[command(override_usage = "[SERVICE...]", after_help = "Examples:\n  compose unpause web     let `web` go on\n")]
pub struct UnpauseArgs {
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn pause(args: PauseArgs, context: &Context<'_>) -> Ended {
    let target = context.target(&[])?;
    let services = target.services(&args.services)?;
    let runtime = context.runtime().await?;
    let wanted = interest_in_stack(&target.name, None, false);
    apply::apply(context, &runtime, &wanted, Road::new("pause"), &mut |snapshot, _| {
        planner::pause(&target.stack(snapshot), snapshot, &services)
    })
    .await
    .map(|_| 0)
}

pub(super) async fn unpause(args: UnpauseArgs, context: &Context<'_>) -> Ended {
    let target = context.target(&[])?;
    let services = target.services(&args.services)?;
    let runtime = context.runtime().await?;
    let wanted = interest_in_stack(&target.name, None, false);
    apply::apply(context, &runtime, &wanted, Road::new("unpause"), &mut |snapshot, _| {
        planner::unpause(&target.stack(snapshot), snapshot, &services)
    })
    .await
    .map(|_| 0)
}
