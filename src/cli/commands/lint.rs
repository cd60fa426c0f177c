//! `lint`: what is allowed but tends to hurt.

use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::diagnostics::{render_json, render_text};
use crate::spec::lint::lint;

/// Width of findings where there is no terminal.
const USUAL_WIDTH: usize = 100;

/// Find what is allowed in the file but tends to hurt
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose lint                  exit code 1 when there is a finding\n  compose lint --format json    one object per finding\n\nA finding is silenced by its code: `x-lint-ignore: [floating-image]` in a service or at the top of the file.\n"
)]
pub struct LintArgs {
    /// text or json
    #[arg(long, value_name = "string", default_value = "text", value_parser = ["text", "json"])]
    pub format: String,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) fn run(args: &LintArgs, context: &Context<'_>) -> Ended {
    let project = context.project(&args.services)?;
    let findings = lint(&project);
    if findings.is_empty() {
        return Ok(0);
    }
    let stdout = &context.io.stdout;
    if args.format == "json" {
        stdout.text(&render_json(&findings, &project.sources));
    } else {
        let width = stdout.size().map_or(USUAL_WIDTH, |(columns, _)| columns.into());
        stdout.text(&render_text(&findings, &project.sources, context.global.paint(stdout).is_coloured(), width));
    }
    Ok(1)
}
