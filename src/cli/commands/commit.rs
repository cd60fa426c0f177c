//! `commit`: an image out of a container as it is now.

use std::cell::RefCell;

use crate::cli::apply::{self, Road};
use crate::cli::commands::{Ended, containers};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::runtime::Commit;
use crate::ui::progress::Detail;
use crate::ui::progress::rows::State;

/// Save a container's current state as an image
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE [REPOSITORY[:TAG]]",
    after_help = "Examples:\n  compose commit web web:debug     keep the container's files as an image\n"
)]
pub struct CommitArgs {
    /// Author to record, such as "Ada <ada@example.com>"
    #[arg(short, long, value_name = "string")]
    author: Option<String>,
    /// Dockerfile instruction to add to the image
    #[arg(short, long, value_name = "list")]
    change: Vec<String>,
    /// Number of the container, where a service has several
    #[arg(long, value_name = "int")]
    index: Option<i64>,
    /// Note to record with the image
    #[arg(short, long, value_name = "string")]
    message: Option<String>,
    /// Freeze the container meanwhile
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pause: Option<bool>,
    #[arg(hide = true)]
    words: Vec<String>,
}

pub(super) async fn run(args: CommitArgs, context: &Context<'_>) -> Ended {
    let CommitArgs { author, change, index, message, pause, words } = args;
    let (service, reference) = match words.as_slice() {
        [service] => (service, None),
        [service, reference] => (service, Some(reference.clone())),
        _ => return Err(Failure::Usage(format!("accepts between 1 and 2 arg(s), received {}", words.len()))),
    };
    let project = context.project_name()?;
    let runtime = context.runtime().await?;
    let found = containers::of_project(runtime.as_ref(), &project).await?;
    let container = containers::running_one(&found, service, index)?;
    let detail = Detail { dry_run: context.global.dry_run, ..Detail::default() };
    let display = RefCell::new(apply::display(context, &Road { detail, ..Road::new("commit") }));
    let id = format!("{0} Commit {0}", container.name);
    display.borrow_mut().status(&id, State::Working, "Committing");
    let commit = Commit { reference, author, message, changes: change, pause: pause.unwrap_or(true) };
    let work = async {
        if context.global.dry_run {
            return Ok(None);
        }
        runtime.commit_container(&container.id, &commit).await.map(Some)
    };
    let result = apply::with_ticks(&display, context.global.progress, work).await;
    let (state, word) = match &result {
        Ok(Some(image)) => (State::Done, format!("Committed as {image}")),
        Ok(None) => (State::Done, "Committed".to_owned()),
        Err(_) => (State::Error, "Error".to_owned()),
    };
    display.borrow_mut().status(&id, state, &word);
    display.borrow_mut().finish();
    result.map_err(|error| containers::named(error, &container))?;
    Ok(0)
}
