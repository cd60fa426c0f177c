//! `kill`: sends a signal to running containers.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::global::parse_bool;
use crate::planner::{interest_in_stack, kill};

/// Kill containers, or send them another signal
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose kill -s HUP web     tell `web` to read its configuration again\n"
)]
pub struct KillArgs {
    /// Remove leftover containers of services that the file no longer has
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub remove_orphans: Option<bool>,
    /// Signal to send in place of SIGKILL
    #[arg(short, long, value_name = "string")]
    pub signal: Option<String>,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: KillArgs, context: &Context<'_>) -> Ended {
    let KillArgs { remove_orphans, signal, services } = args;
    let orphans = match remove_orphans {
        Some(flag) => flag,
        None => context.environment.flag("COMPOSE_REMOVE_ORPHANS")?.unwrap_or(false),
    };
    let signal = signal.unwrap_or_else(|| "SIGKILL".to_owned());
    let target = context.target(&[])?;
    let services = target.services(&services)?;
    let runtime = context.runtime().await?;
    let wanted = interest_in_stack(&target.name, None, false);
    let applied = apply::apply(context, &runtime, &wanted, Road::new("kill"), &mut |snapshot, _| {
        kill(&target.stack(snapshot), snapshot, &services, &signal, orphans)
    })
    .await?;
    if applied.plan.is_empty() {
        apply::progress_stream(context).line("no container to kill");
    }
    Ok(0)
}
