//! `stop`: stops containers and keeps them.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::commands::up::grace;
use crate::cli::context::Context;
use crate::planner::{interest_in_stack, stop};

/// Stop containers and keep them
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose stop web     stop `web`, keep its container\n"
)]
pub struct StopArgs {
    /// Seconds a container gets to end before it is killed
    #[arg(short, long, value_name = "int")]
    pub timeout: Option<i64>,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: StopArgs, context: &Context<'_>) -> Ended {
    let StopArgs { timeout, services } = args;
    let target = context.target(&[])?;
    let services = target.services(&services)?;
    let runtime = context.runtime().await?;
    let wanted = interest_in_stack(&target.name, None, false);
    let road = Road { project: target.project.as_ref(), ..Road::new("stop") };
    apply::apply(context, &runtime, &wanted, road, &mut |snapshot, _| {
        stop(&target.stack(snapshot), snapshot, &services, grace(timeout))
    })
    .await
    .map(|_| 0)
}
