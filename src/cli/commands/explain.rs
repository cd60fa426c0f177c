//! `explain`: where a value comes from, or what an attribute is for.

use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::usage::too_few;
use crate::spec::explain::explain;

/// Tell where a value comes from and which place won
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] PATH...",
    after_help = "Examples:\n  compose explain web.environment.LOG_LEVEL    files, env_file and variables, and who won\n  compose explain services.web.healthcheck     what the attribute is for\n"
)]
pub struct ExplainArgs {
    #[arg(hide = true)]
    pub paths: Vec<String>,
}

pub(super) fn run(args: &ExplainArgs, context: &Context<'_>) -> Ended {
    if args.paths.is_empty() {
        return Err(Failure::Usage(too_few(1, 0)));
    }
    let project = context.project(&[])?;
    let mut nothing = false;
    for path in &args.paths {
        let explanation = explain(&project, path);
        nothing |= explanation.value.is_none() && explanation.documentation.is_none();
        context.io.stdout.text(&explanation.to_string());
    }
    Ok(u8::from(nothing))
}
