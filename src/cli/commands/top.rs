//! `top`: the processes of running containers.

use futures::future::try_join_all;

use crate::cli::commands::Ended;
use crate::cli::commands::containers;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::resource::Container;
use crate::runtime::Processes;
use crate::ui::table::{self, Layout};

/// List the processes inside containers
#[derive(clap::Args, Clone, Debug)]
#[command(override_usage = "[SERVICES...]", after_help = "Examples:\n  compose top web     what runs inside `web`\n")]
pub struct TopArgs {
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: TopArgs, context: &Context<'_>) -> Ended {
    let project = context.project_name()?;
    let runtime = context.runtime().await?;
    let found = containers::of_project(runtime.as_ref(), &project).await?;
    containers::hint_at_near(context, &found, &args.services);
    let running: Vec<&Container> = found
        .iter()
        .filter(|container| container.is_running() && containers::is_of(container, &args.services))
        .collect();
    let looks = running.iter().map(async |container| {
        match runtime.processes(&container.id).await {
            Ok(processes) => Ok(processes),
            // It ended after it was listed.
            Err(error) if error.is_conflict() || error.is_not_found() => Ok(Processes::default()),
            Err(error) => Err(Failure::Engine(error)),
        }
    });
    let processes = try_join_all(looks).await?;
    context.io.stdout.text(&render(&running, &processes));
    Ok(0)
}

/// One table for all; columns that a container does not have are `-`, the command is last.
fn render(containers: &[&Container], processes: &[Processes]) -> String {
    const COMMAND: [&str; 2] = ["CMD", "COMMAND"];
    let mut titles: Vec<&str> = Vec::new();
    for title in processes.iter().flat_map(|processes| &processes.titles) {
        if !titles.contains(&title.as_str()) && !COMMAND.contains(&title.as_str()) {
            titles.push(title);
        }
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (container, processes) in containers.iter().zip(processes) {
        for process in &processes.rows {
            let cell = |title: &str| {
                let at = processes.titles.iter().position(|known| known == title)?;
                process.get(at).cloned()
            };
            let number = container.number().map_or("-".to_owned(), |number| number.to_string());
            let mut row = vec![container.service().to_owned(), number];
            row.extend(titles.iter().map(|title| cell(title).unwrap_or_else(|| "-".to_owned())));
            row.push(COMMAND.iter().find_map(|title| cell(title)).unwrap_or_else(|| "-".to_owned()));
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let mut heading = vec!["SERVICE", "#"];
    heading.extend(titles);
    heading.push("CMD");
    let heading: Vec<String> = heading.into_iter().map(str::to_owned).collect();
    table::render(Layout::TOP, std::iter::once(heading).chain(rows))
}
