//! `completion`: the script that makes a shell complete our words.

use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failure::{Failure, nearest};
use crate::cli::usage::too_few;

const SCRIPTS: &[(&str, &str)] = &[
    ("bash", include_str!("../completion/scripts/bash")),
    ("zsh", include_str!("../completion/scripts/zsh")),
    ("fish", include_str!("../completion/scripts/fish")),
    ("powershell", include_str!("../completion/scripts/powershell")),
];

/// Write the script that lets a shell complete commands, flags, services and profiles
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "bash|zsh|fish|powershell",
    after_help = "Examples:\n  source <(compose completion bash)                                     in this shell\n  compose completion bash > /etc/bash_completion.d/compose              for everybody\n  compose completion zsh > \"${fpath[1]}/_compose\"                       for zsh\n  compose completion fish > ~/.config/fish/completions/compose.fish     for fish\n"
)]
pub struct CompletionArgs {
    #[arg(hide = true)]
    words: Vec<String>,
}

pub(super) fn run(args: &CompletionArgs, context: &Context<'_>) -> Ended {
    let Some(shell) = args.words.first() else { return Err(Failure::Usage(too_few(1, 0))) };
    let Some((_, script)) = SCRIPTS.iter().find(|(name, _)| name == shell) else {
        let names = SCRIPTS.iter().map(|(name, _)| *name);
        let hint = match nearest(shell, names.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there is completion for {}", names.collect::<Vec<&str>>().join(", ")),
        };
        return Err(Failure::Hinted { message: format!("no completion for shell \"{shell}\""), hints: vec![hint] });
    };
    context.io.stdout.text(script);
    Ok(0)
}
