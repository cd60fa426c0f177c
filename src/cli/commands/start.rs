//! `start`: starts containers that are there.

use std::time::Duration;

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failed::LogsOnFailure;
use crate::planner::start;

/// Start containers that exist
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[SERVICE...]",
    after_help = "Examples:\n  compose start     start again what was stopped\n"
)]
pub struct StartArgs {
    /// Return once services run and are healthy
    #[arg(long)]
    pub wait: bool,
    /// Give up --wait after so many seconds
    #[arg(long, value_name = "int")]
    pub wait_timeout: Option<i64>,
    /// What to tell of the logs of a container that fails: last lines, all, or a directory for files
    #[arg(long, value_name = "N|all|DIR")]
    pub logs_on_failure: Option<String>,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: StartArgs, context: &Context<'_>) -> Ended {
    let StartArgs { wait, wait_timeout, logs_on_failure, services } = args;
    let target = context.target(&[])?;
    let services = target.services(&services)?;
    let runtime = context.runtime().await?;
    let wanted = target.interest_in_starting();
    let timeout = wait_timeout.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
    let timeout = timeout.map(Duration::from_secs);
    let logs_on_failure = logs_on_failure.as_deref().map(LogsOnFailure::parse).unwrap_or_default();
    let road = Road { project: target.project.as_ref(), logs_on_failure, ..Road::new("start") };
    apply::apply(context, &runtime, &wanted, road, &mut |snapshot, _| {
        let plan = start(&target.stack(snapshot), snapshot, &services, wait, timeout);
        target.checked(plan, snapshot)
    })
    .await
    .map(|_| 0)
}
