//! `exec`: a command in a running container.

use crate::cli::commands::Ended;
use crate::cli::commands::containers;
use crate::cli::commands::run::Rest;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::foreground::{self, Seat};
use crate::cli::global::parse_bool;
use crate::cli::usage::too_few;
use crate::engine::session::{End, Process};
use crate::runtime::ExecSpec;

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
    if tty && stdin && !context.io.stdin_is_terminal {
        let message = "the input device is not a TTY".to_owned();
        let hint = "input comes from a pipe or file: say `compose exec -T`".to_owned();
        return Err(Failure::Hinted { message, hints: vec![hint] });
    }
    let detach_keys = foreground::detach_keys(None, context)?;
    let project = context.project_name()?;
    let runtime = context.runtime().await?;
    let found = context.unless_interrupted(containers::of_project(runtime.as_ref(), &project)).await?;
    let container = containers::running_one(&found, &service, index)?;
    if context.global.dry_run {
        // A command inside a container is no plan: nobody knows what it would change.
        if !detach {
            return Err(Failure::message("interactive exec is not supported in dry-run mode"));
        }
        let line = format!(" DRY-RUN MODE - Executing command {words:?} in {} (detached mode)", container.id.as_str());
        context.io.stderr.line(&line);
        return Ok(0);
    }
    let spec = ExecSpec {
        command: words,
        environment: env.iter().filter_map(|entry| variable(entry, context)).collect(),
        user,
        working_dir: workdir,
        privileged,
        tty,
        stdin,
        attach_output: !detach,
        detach_keys: Some(detach_keys.clone()).filter(|keys| !keys.is_empty()),
        size: if tty { foreground::size(context.io) } else { None },
    };
    let named = |error| containers::named(error, &container);
    let exec = runtime.create_exec(&container.id, &spec).await.map_err(named)?;
    if detach {
        runtime.start_exec_detached(&exec).await.map_err(named)?;
        return Ok(0);
    }
    let attached = runtime.start_exec(&exec, tty).await.map_err(named)?;
    let seat = Seat { tty, stdin, passes_signals: true, is_running: true, redraws: false, detach_keys };
    match seat.hold(context, runtime.as_ref(), Process::Command(exec), attached, std::future::ready(true)).await? {
        // The code is the answer: nothing is added to it.
        End::Exited(code) => Ok(u8::try_from(code).unwrap_or(1)),
        End::NotStarted => Ok(0),
        End::Detached => Err(foreground::detached()),
        End::Left | End::Unheard => {
            let what = format!("the command in container {}", container.name);
            Err(foreground::left(&what, &format!("docker top {} shows it", container.name)))
        }
    }
}

/// `K=V` as it is; `K` with the value of the environment, left out when it has none.
pub(super) fn variable(entry: &str, context: &Context<'_>) -> Option<String> {
    if entry.contains('=') {
        return Some(entry.to_owned());
    }
    context.environment.get(entry).map(|value| format!("{entry}={value}"))
}
