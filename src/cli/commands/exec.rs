//! `exec`: a command in a running container.

use std::pin::pin;

use futures::StreamExt;
use tokio::io::AsyncWriteExt;

use crate::cli::commands::Ended;
use crate::cli::commands::containers;
use crate::cli::commands::run::Rest;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::cli::usage::too_few;
use crate::runtime::{Attached, Chunk, ExecSpec, Output};

/// Run a command inside a container that is up
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE COMMAND [ARGS...]",
    disable_help_subcommand = true,
    after_help = "Examples:\n  compose exec db psql -U postgres     talk to the database\n"
)]
pub struct ExecArgs {
    /// Leave the command in the background and return
    #[arg(short, long)]
    detach: bool,
    /// Give the command a variable
    #[arg(short, long, value_name = "stringArray")]
    env: Vec<String>,
    /// Number of the container, where a service has several
    #[arg(long, value_name = "int")]
    index: Option<i64>,
    /// Pass input on to the command
    #[arg(short, long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    interactive: Option<bool>,
    /// Pass no input on
    #[arg(long, hide = true)]
    no_interactive: bool,
    /// Give the command no terminal
    #[arg(short = 'T', long, alias = "no-TTY", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    no_tty: Option<bool>,
    /// Run the command with all privileges
    #[arg(long)]
    privileged: bool,
    /// Give the command a terminal
    #[arg(short, long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    tty: Option<bool>,
    /// User to be inside the container
    #[arg(short, long, value_name = "string")]
    user: Option<String>,
    /// Directory inside the container to start in
    #[arg(short, long, value_name = "string")]
    workdir: Option<String>,
    /// Service, command and its arguments, which are nobody else's business.
    #[command(subcommand)]
    rest: Option<Rest>,
}

impl ExecArgs {
    /// Service, command and arguments.
    pub fn words(&self) -> Vec<String> {
        match &self.rest {
            Some(Rest::Words(words)) => words.clone(),
            None => Vec::new(),
        }
    }
}

pub(super) async fn run(args: ExecArgs, context: &Context<'_>) -> Ended {
    let mut words = args.words();
    let ExecArgs {
        detach,
        env,
        index,
        interactive,
        no_interactive,
        no_tty,
        privileged,
        tty: _,
        user,
        workdir,
        rest: _,
    } = args;
    if words.len() < 2 {
        return Err(Failure::Usage(too_few(2, words.len())));
    }
    let service = words.remove(0);
    let tty = !no_tty.unwrap_or(!context.io.stdout.is_terminal()) && !detach;
    let stdin = interactive.unwrap_or(true) && !no_interactive && !detach;
    if tty {
        let what = "`compose exec` on a terminal (with -T it works without one)";
        return Err(Failure::Unsupported(what.to_owned()));
    }
    let project = context.project_name()?;
    let runtime = context.runtime().await?;
    let found = containers::of_project(runtime.as_ref(), &project).await?;
    let container = containers::running_one(&found, &service, index)?;
    let spec = ExecSpec {
        command: words,
        environment: env.iter().filter_map(|entry| variable(entry, context)).collect(),
        user,
        working_dir: workdir,
        privileged,
        tty,
        stdin,
        attach_output: !detach,
        detach_keys: None,
    };
    let exec = runtime.create_exec(&container.id, &spec).await?;
    if detach {
        runtime.start_exec_detached(&exec).await?;
        return Ok(0);
    }
    let attached = runtime.start_exec(&exec, tty).await?;
    let pumped = pump(attached, stdin, context);
    context.unless_interrupted(pumped).await?;
    let state = runtime.inspect_exec(&exec).await?;
    match state.exit_code.unwrap_or(0) {
        0 => Ok(0),
        // The code is the answer: nothing is added to it.
        code => Ok(u8::try_from(code).unwrap_or(1)),
    }
}

/// `K=V` as it is; `K` with the value of the environment, left out when it has none.
fn variable(entry: &str, context: &Context<'_>) -> Option<String> {
    if entry.contains('=') {
        return Some(entry.to_owned());
    }
    context.environment.get(entry).map(|value| format!("{entry}={value}"))
}

/// Output to where it belongs until the process ends, input to the process as long as there is some.
async fn pump(attached: Attached, stdin: bool, context: &Context<'_>) -> Result<(), Failure> {
    let Attached { mut output, input } = attached;
    let writing = async {
        if let (true, Some(mut input)) = (stdin, input) {
            let mut chunks = context.io.input();
            while let Some(chunk) = chunks.recv().await {
                // A process that reads no more is no failure.
                if input.write_all(&chunk).await.is_err() || input.flush().await.is_err() {
                    return;
                }
            }
            let _ = input.shutdown().await;
        }
    };
    let reading = async {
        while let Some(chunk) = output.next().await {
            let Chunk { output, bytes } = chunk?;
            match output {
                Output::Stdout => context.io.stdout.bytes(&bytes),
                Output::Stderr => context.io.stderr.bytes(&bytes),
            }
        }
        Ok(())
    };
    let (mut writing, mut reading) = (pin!(writing), pin!(reading));
    tokio::select! {
        result = &mut reading => result,
        () = &mut writing => reading.await,
    }
}
