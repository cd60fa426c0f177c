//! `restart`: stops and starts containers that are there.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::commands::up::grace;
use crate::cli::context::Context;
use crate::planner::restart;

/// Stop containers and start them again
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose restart web     restart `web` and what asks to be restarted with it\n"
)]
pub struct RestartArgs {
    /// Leave services that depend on these alone
    #[arg(long)]
    pub no_deps: bool,
    /// Seconds a container gets to end before it is killed
    #[arg(short, long, value_name = "int")]
    pub timeout: Option<i64>,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: RestartArgs, context: &Context<'_>) -> Ended {
    let RestartArgs { no_deps, timeout, services } = args;
    let target = context.target(&[])?;
    let services = target.services(&services)?;
    let runtime = context.runtime().await?;
    let wanted = target.interest_in_starting();
    apply::apply(context, &runtime, &wanted, Road::new("restart"), &mut |snapshot, _| {
        let plan = restart(&target.stack(snapshot), snapshot, &services, grace(timeout), no_deps);
        target.checked(plan, snapshot)
    })
    .await
    .map(|_| 0)
}
