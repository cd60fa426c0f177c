//! `wait`: until containers end.

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::commands::containers;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::planner::{DownOptions, Stack, down, interest_in_stack};

/// Wait until containers have ended
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "SERVICE [SERVICE...] [OPTIONS]",
    after_help = "Examples:\n  compose wait tests     until `tests` has ended, with its exit code\n"
)]
pub struct WaitArgs {
    /// Take the project down once the first container ends
    #[arg(long)]
    pub down_project: bool,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: WaitArgs, context: &Context<'_>) -> Ended {
    let WaitArgs { down_project, services } = args;
    if services.is_empty() {
        let text = "docker: 'docker compose wait' requires at least 1 argument\n\nUsage:  docker compose wait SERVICE [SERVICE...] [OPTIONS]\n\nSee 'docker compose wait --help' for more information";
        return Err(Failure::Usage(text.to_owned()));
    }
    let target = context.target(&[])?;
    target.services(&services)?;
    let runtime = context.runtime().await?;
    let found = containers::of_project(runtime.as_ref(), &target.name).await?;
    let mut waits: FuturesUnordered<_> = found
        .iter()
        .filter(|container| container.is_running() && containers::is_of(container, &services))
        .map(async |container| (container.id.clone(), runtime.wait_container(&container.id).await))
        .collect();
    if waits.is_empty() {
        return Err(Failure::Message(format!("no containers for project \"{}\"", target.name)));
    }
    let code = context
        .unless_interrupted(async {
            let mut last = 0;
            while let Some((id, code)) = waits.next().await {
                last = code?;
                context.io.stdout.line(&format!("container \"{id}\" exited with status code {last}"));
                if down_project {
                    break;
                }
            }
            Ok(last)
        })
        .await?;
    if down_project {
        let known = target.project.as_ref().map(Stack::of_project);
        let wanted = interest_in_stack(&target.name, known.as_ref(), false);
        let options = DownOptions { remove_orphans: true, ..DownOptions::default() };
        apply::apply(context, &runtime, &wanted, Road::new("down"), &mut |snapshot, _| {
            down(&target.stack(snapshot), snapshot, &options)
        })
        .await?;
    }
    Ok(u8::try_from(code).unwrap_or(1))
}
