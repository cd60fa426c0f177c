//! `rm`: removes stopped containers.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::engine::Ending;
use crate::names::ContainerName;
use crate::planner::{Op, Plan, RemoveOptions, interest_in_stack, remove};
use crate::resource::ResourceId;

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

/// The containers that a plan removes.
fn removed(plan: &Plan) -> impl Iterator<Item = &ContainerName> {
    plan.iter().filter_map(|(_, node)| match (&node.op, &node.target) {
        (Op::RemoveContainer { .. }, ResourceId::Container(name)) => Some(name),
        _ => None,
    })
}

pub(super) async fn run(args: RmArgs, context: &Context<'_>) -> Ended {
    let RmArgs { all: _, force, stop, volumes, services } = args;
    let target = context.target(&[])?;
    let mut options =
        RemoveOptions { services: target.services(&services)?, stop, volumes, force, ..RemoveOptions::default() };
    let runtime = context.runtime().await?;
    let wanted = interest_in_stack(&target.name, None, false);
    let mut told = !force;
    let result = apply::apply(context, &runtime, &wanted, Road::new("remove"), &mut |snapshot, so_far| {
        options.answers.clone_from(&so_far.answers);
        let plan = remove(&target.stack(snapshot), snapshot, &options);
        // Told even where nobody is asked.
        let names: Vec<&ContainerName> = removed(&plan).collect();
        if !told && !names.is_empty() {
            told = true;
            let names: Vec<&str> = names.into_iter().map(ContainerName::as_str).collect();
            context.io.stdout.line(&format!("Going to remove {}", names.join(", ")));
        }
        plan
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
