//! `restart`: stops and starts containers that are there.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::commands::up::grace;
use crate::cli::context::Context;
use crate::planner::{interest_in_stack, restart};

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
    let wanted = interest_in_stack(&target.name, None, false);
    apply::apply(context, &runtime, &wanted, Road::new("restart"), &mut |snapshot, _| {
        restart(&target.stack(snapshot), snapshot, &services, grace(timeout), no_deps)
    })
    .await
    .map(|_| 0)
}
