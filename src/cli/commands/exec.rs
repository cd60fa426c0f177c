//! `exec`: a command in a running container.

use crate::cli::commands::Ended;
use crate::cli::commands::run::Rest;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::cli::usage::too_few;

/// Execute a command in a running container
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE COMMAND [ARGS...]",
    disable_help_subcommand = true,
    after_help = "Examples:\n  compose exec db psql -U postgres     talk to the database\n"
)]
pub struct ExecArgs {
    /// Detached mode: Run command in the background
    #[arg(short, long)]
    detach: bool,
    /// Set environment variables
    #[arg(short, long, value_name = "stringArray")]
    env: Vec<String>,
    /// Index of the container if service has multiple replicas
    #[arg(long, value_name = "int")]
    index: Option<i64>,
    /// Keep STDIN open even if not attached
    #[arg(short, long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    interactive: Option<bool>,
    /// The opposite of --interactive
    #[arg(long, hide = true)]
    no_interactive: bool,
    /// Disable pseudo-TTY allocation
    #[arg(short = 'T', long, alias = "no-TTY", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    no_tty: Option<bool>,
    /// Give extended privileges to the process
    #[arg(long)]
    privileged: bool,
    /// Allocate a pseudo-TTY
    #[arg(short, long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    tty: Option<bool>,
    /// Run the command as this user
    #[arg(short, long, value_name = "string")]
    user: Option<String>,
    /// Path to workdir directory for this command
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

/// Says that it can not be done yet, after the mistakes that docker compose tells first.
pub(super) fn run(args: &ExecArgs) -> Ended {
    let count = args.words().len();
    if count < 2 {
        return Err(Failure::Usage(too_few(2, count)));
    }
    Err(Failure::Unsupported("`compose exec`".to_owned()))
}
