//! `run`: a one-off command on a service.

use crate::cli::commands::Ended;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::cli::usage::too_few;

/// Run one command in a new container of a service
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE [COMMAND] [ARGS...]",
    disable_help_subcommand = true,
    after_help = "Examples:\n  compose run --rm web sh     look around in a fresh container of `web`\n"
)]
pub struct RunArgs {
    /// Build the image first
    #[arg(long)]
    build: bool,
    /// Linux capability to add
    #[arg(long, value_name = "list")]
    cap_add: Vec<String>,
    /// Linux capability to take away
    #[arg(long, value_name = "list")]
    cap_drop: Vec<String>,
    /// Return at once and print the container's ID
    #[arg(short, long)]
    detach: bool,
    /// Entrypoint in place of the image's own
    #[arg(long, value_name = "string")]
    entrypoint: Option<String>,
    /// Give the command a variable
    #[arg(short, long, value_name = "stringArray")]
    env: Vec<String>,
    /// Give the command the variables of a file
    #[arg(long, value_name = "stringArray")]
    env_from_file: Vec<String>,
    /// Pass input on to the command
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    interactive: Option<bool>,
    /// Pass no input on
    #[arg(long, hide = true)]
    no_interactive: bool,
    /// Label to set on the container
    #[arg(short, long, alias = "labels", value_name = "stringArray")]
    label: Vec<String>,
    /// Name of the container
    #[arg(long, value_name = "string")]
    name: Option<String>,
    /// Leave what these services depend on alone
    #[arg(long)]
    no_deps: bool,
    /// Give the command no terminal (default: only if there is one here)
    #[arg(short = 'T', long, alias = "no-TTY", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    no_tty: Option<bool>,
    /// Port to open on the host
    #[arg(short, long, value_name = "stringArray")]
    publish: Vec<String>,
    /// When to fetch images: always, missing or never
    #[arg(long, value_name = "string")]
    pull: Option<String>,
    /// Write nothing to stdout
    #[arg(short, long)]
    quiet: bool,
    /// Build silently
    #[arg(long)]
    quiet_build: bool,
    /// Fetch images silently
    #[arg(long)]
    quiet_pull: bool,
    /// Remove leftover containers of services that the file no longer has
    #[arg(long)]
    remove_orphans: bool,
    /// Remove the container once it has ended
    #[arg(long)]
    rm: bool,
    /// Open all ports of the service on the host
    #[arg(short = 'P', long)]
    service_ports: bool,
    /// Give the command a terminal
    #[arg(short, long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    tty: Option<bool>,
    /// Answer to the service's network aliases, too
    #[arg(long)]
    use_aliases: bool,
    /// User name or uid to be inside the container
    #[arg(short, long, value_name = "string")]
    user: Option<String>,
    /// Directory or volume to mount
    #[arg(short, long, alias = "volumes", value_name = "stringArray")]
    volume: Vec<String>,
    /// Directory inside the container to start in
    #[arg(short, long, value_name = "string")]
    workdir: Option<String>,
    /// Service, command and its arguments, which are nobody else's business.
    #[command(subcommand)]
    rest: Option<Rest>,
}

/// Words that are not looked into.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum Rest {
    /// The words.
    #[command(external_subcommand)]
    Words(Vec<String>),
}

impl RunArgs {
    /// Service, command and arguments.
    pub fn words(&self) -> Vec<String> {
        match &self.rest {
            Some(Rest::Words(words)) => words.clone(),
            None => Vec::new(),
        }
    }
}

/// Says that it can not be done yet, after the mistakes that docker compose tells first.
pub(super) fn run(args: &RunArgs) -> Ended {
    if args.words().is_empty() {
        return Err(Failure::Usage(too_few(1, 0)));
    }
    if args.service_ports && !args.publish.is_empty() {
        return Err(Failure::message("--service-ports and --publish are incompatible"));
    }
    if args.tty == Some(true) && args.no_tty == Some(true) {
        return Err(Failure::message("--tty and --no-TTY can't be used together"));
    }
    Err(Failure::Unsupported("`compose run`".to_owned()))
}
