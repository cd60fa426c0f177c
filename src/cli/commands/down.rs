//! `down`: takes the project away.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::commands::up::grace;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::names::ServiceName;
use crate::planner::{DownOptions, Plan, RemoveImages, Stack, down, interest_in_stack};
use crate::ui::paint::Tone;

/// Take the project down: containers and networks go
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICES]",
    after_help = "Examples:\n  compose down        stop and remove containers and networks\n  compose down -v     the data, too\n"
)]
pub struct DownArgs {
    /// Remove leftover containers of services that the file no longer has
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub remove_orphans: Option<bool>,
    /// Remove images, too: all, or local for those without a name of their own
    #[arg(long, value_name = "string", num_args = 0..=1, default_missing_value = "local")]
    pub rmi: Option<String>,
    /// Seconds a container gets to end before it is killed
    #[arg(short, long, value_name = "int")]
    pub timeout: Option<i64>,
    /// Remove the data, too: volumes that the file declares and anonymous ones
    #[arg(short, long, alias = "volume")]
    pub volumes: bool,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: DownArgs, context: &Context<'_>) -> Ended {
    let DownArgs { remove_orphans, rmi, timeout, volumes, services } = args;
    let images = match rmi.as_deref() {
        None | Some("") => RemoveImages::None,
        Some("local") => RemoveImages::Local,
        Some("all") => RemoveImages::All,
        Some(word) => return Err(Failure::Message(format!("invalid value for --rmi: \"{word}\""))),
    };
    // Only what the named services and those that they need use goes with them.
    let target = context.target(&services)?;
    let mut options = DownOptions {
        services: target.services(&services)?,
        volumes,
        images,
        remove_orphans: match remove_orphans {
            Some(flag) => flag,
            None => context.environment.flag("COMPOSE_REMOVE_ORPHANS")?.unwrap_or(false),
        },
        grace: grace(timeout),
    };
    let runtime = context.runtime().await?;
    let known = target.project.as_ref().map(Stack::of_project);
    let wanted = interest_in_stack(&target.name, known.as_ref(), images != RemoveImages::None);
    let road = Road { project: target.project.as_ref(), ..Road::new("down") };
    let mut found_none = false;
    let applied = apply::apply(context, &runtime, &wanted, road, &mut |snapshot, _| {
        let stack = target.stack(snapshot);
        let unknown = |name: &ServiceName| stack.from_labels && !stack.services.contains_key(name);
        if !options.services.is_empty() && options.services.iter().all(unknown) {
            let names: Vec<&str> = options.services.iter().map(ServiceName::as_str).collect();
            let (names, project) = (names.join(", "), &target.name);
            let text = format!("Any of the services [{names}] not running in project \"{project}\"");
            context.note("info", Tone::Quiet, &text);
            found_none = true;
            return Plan { complete: true, ..Plan::default() };
        }
        options.services.retain(|name| !unknown(name));
        down(&stack, snapshot, &options)
    })
    .await?;
    if applied.plan.is_empty() && target.project.is_none() && !found_none {
        context.warn(&format!("No resource found to remove for project \"{}\".", target.name));
    }
    Ok(0)
}
