//! `version`.

use serde_json::json;

use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::terminal::Io;
use crate::labels::COMPATIBLE_VERSION;

/// Our own version.
const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Tell which version this is
#[derive(clap::Args, Clone, Debug)]
#[command(override_usage = "[OPTIONS]", after_help = "Examples:\n  compose version --format json     for programs\n")]
pub struct VersionArgs {
    /// Write pretty (the default) or json
    #[arg(short, long, value_name = "string")]
    format: Option<String>,
    /// Version number only
    #[arg(long)]
    short: bool,
}

pub(super) fn run(args: &VersionArgs, context: &Context<'_>) -> Ended {
    print(args.short, args.format.as_deref(), context.io).map(|()| 0)
}

/// Prints the version of docker compose whose behaviour is kept: tools decide by it what they may ask for. Our own
/// stands beside it.
///
/// # Errors
/// The format is none.
pub fn print(short: bool, format: Option<&str>, io: &Io) -> Result<(), Failure> {
    if short {
        io.stdout.line(COMPATIBLE_VERSION);
        return Ok(());
    }
    match format {
        Some("json") => io.stdout.line(&json!({"version": COMPATIBLE_VERSION, "compose": OWN_VERSION}).to_string()),
        _ => {
            io.stdout.line(&format!("Docker Compose version {COMPATIBLE_VERSION} (compose {OWN_VERSION})"));
        }
    }
    Ok(())
}
