//! `why`: what would happen to a service next, why its containers were made, and how they last ended.

use std::collections::BTreeSet;

use crate::cli::apply;
use crate::cli::commands::Ended;
use crate::cli::commands::up::{self, UpArgs};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::usage::too_few;
use crate::labels;
use crate::names::ContainerName;
use crate::planner::{Certainty, Change, changes, container_name, wanted_replicas};
use crate::resource::{Container, ContainerDetails, ContainerState, Health, ResourceId};
use crate::ui::reason;
use crate::ui::units::ago;

/// Lines of a health check's output that are shown.
const PROBE_LINES: usize = 5;

/// Tell what would happen to a service, and why its containers are as they are
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE...",
    after_help = "Examples:\n  compose why web     what `up` would do with it, why it was made, how it last ended\n"
)]
pub struct WhyArgs {
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: WhyArgs, context: &Context<'_>) -> Ended {
    if args.services.is_empty() {
        return Err(Failure::Usage(too_few(1, 0)));
    }
    let up = UpArgs { services: args.services.clone(), ..UpArgs::default() };
    let (project, mut options) = up::prepared(&up, context)?;
    options.assume_images = true;
    // Orphans are nobody's business here.
    options.ignore_orphans = true;
    let runtime = context.runtime().await?;
    let (project, foreseen) = apply::foreseen_up(context, &runtime, &project, options).await?;
    let changes = changes(&foreseen.plan);
    let now = context.io.now().as_second();
    for name in &args.services {
        let Some(service) = project.services.get(name.as_str()) else { continue };
        let found: Vec<&Container> = foreseen
            .snapshot
            .containers
            .iter()
            .filter(|container| container.service() == name && !container.is_one_off())
            .collect();
        let wanted = (1..=wanted_replicas(service)).map(|number| container_name(&project, service, number));
        let names: BTreeSet<ContainerName> =
            wanted.chain(found.iter().map(|container| container.name.clone())).collect();
        let image = project.image_of(service);
        let concerns = |change: &&Change| match &change.target {
            ResourceId::Container(name) => names.contains(name),
            ResourceId::Image(reference) => *reference == image,
            ResourceId::Provider(provided) => provided == name,
            ResourceId::Network(_) | ResourceId::Volume(_) | ResourceId::Model(_) => false,
        };
        let mut text = format!("{name}\n");
        let next: Vec<&Change> = changes.iter().filter(concerns).collect();
        for blocker in &foreseen.plan.blockers {
            text.push_str(&format!("  next: `up` does nothing, because {}\n", blocker.message));
        }
        for change in &next {
            text.push_str(&format!("  next: {}\n", sentence(change)));
        }
        if next.is_empty() && foreseen.plan.blockers.is_empty() {
            text.push_str("  next: nothing, it is as the files say\n");
        }
        for container in found {
            text.push_str(&format!("  {}: {}\n", container.name, made(container, now)));
            // A container that is gone meanwhile has nothing more to tell.
            if let Ok(details) = runtime.inspect_container(&container.id).await {
                for line in life(&details) {
                    text.push_str(&format!("    {line}\n"));
                }
            }
        }
        context.io.stdout.text(&text);
    }
    Ok(0)
}

fn sentence(change: &Change) -> String {
    let may = if change.certainty == Certainty::IfImageChanges { "may " } else { "" };
    format!("{may}{} {}: {}", change.action.word(), change.target, reason::phrase(&change.reason))
}

/// By whom and why it was made.
fn made(container: &Container, now: i64) -> String {
    let when = format!("made {}", ago(container.created, now).to_lowercase());
    match (container.label(labels::REASON), container.label(labels::FIELDS), container.label(labels::VERSION)) {
        (Some(why), ..) => format!("{when}, because {why}"),
        (None, Some(_), _) => format!("{when}; why is not known"),
        (None, None, Some(version)) => format!("{when} by docker compose {version}, which does not say why"),
        (None, None, None) => when,
    }
}

/// How it is and how it last ended.
fn life(details: &ContainerDetails) -> Vec<String> {
    /// What engines write for "never".
    const NEVER: &str = "0001-01-01";
    let mut lines = Vec::new();
    let health = match details.health {
        Health::None => String::new(),
        health => format!(", {}", health.as_str()),
    };
    let since = |time: &str| {
        let known = !time.is_empty() && !time.starts_with(NEVER);
        let second = time.split_once('.').map_or(time.trim_end_matches('Z'), |(second, _)| second);
        known.then(|| format!("{second}Z"))
    };
    lines.push(match since(&details.started_at) {
        Some(time) if details.state != ContainerState::Created => {
            format!("{}{health}, started {time}", details.state.as_str())
        }
        _ => format!("{}{health}, never started", details.state.as_str()),
    });
    if let Some(time) = since(&details.finished_at) {
        let killed = if details.oom_killed { ", killed for want of memory" } else { "" };
        // While it runs the engine has forgotten the code of its last end.
        let code = if matches!(details.state, ContainerState::Running | ContainerState::Paused) {
            String::new()
        } else {
            format!(" with exit code {}{}", details.exit_code, signal(details.exit_code))
        };
        lines.push(format!("last ended {time}{code}{killed}"));
    }
    if !details.error.is_empty() {
        lines.push(format!("the engine says: {}", printable(&details.error)));
    }
    if details.restart_count > 0 {
        lines.push(format!("restarted {} times by its restart policy", details.restart_count));
    }
    if let Some(probe) = details.probes.last() {
        lines.push(format!("last health check ended with {}", probe.exit_code));
        let output = probe.output.lines().filter(|line| !line.trim().is_empty());
        lines.extend(output.take(PROBE_LINES).map(|line| format!("  {}", printable(line))));
    }
    lines
}

/// The signal that a shell would tell by this code.
fn signal(code: i64) -> &'static str {
    match code {
        129 => " (SIGHUP)",
        130 => " (SIGINT)",
        131 => " (SIGQUIT)",
        132 => " (SIGILL)",
        134 => " (SIGABRT)",
        135 => " (SIGBUS)",
        136 => " (SIGFPE)",
        137 => " (SIGKILL)",
        139 => " (SIGSEGV)",
        141 => " (SIGPIPE)",
        143 => " (SIGTERM)",
        _ => "",
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
