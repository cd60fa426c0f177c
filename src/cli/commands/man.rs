//! `man`: manual pages, made of the same definitions as the help.

use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use crate::cli::arguments::definitions;
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::help;

/// What stands at the foot of a page.
const SOURCE: &str = concat!("compose ", env!("CARGO_PKG_VERSION"));

/// Write manual pages, for packagers
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [COMMAND...]",
    after_help = "Examples:\n  compose man up | man -l -                 read the page of `up`\n  compose man --out /usr/share/man/man1     write all pages\n"
)]
pub struct ManArgs {
    /// Directory to write all pages to
    #[arg(short, long, value_name = "string")]
    out: Option<String>,
    #[arg(hide = true)]
    words: Vec<String>,
}

pub(super) fn run(args: &ManArgs, context: &Context<'_>) -> Ended {
    let root = definitions();
    let Some(directory) = &args.out else {
        let mut command = &root;
        for (depth, name) in args.words.iter().enumerate() {
            let above = args.words.get(..depth).unwrap_or_default();
            let found = command.find_subcommand(name);
            command = found.ok_or_else(|| Failure::Usage(help::unknown(above, name, &root)))?;
        }
        context.io.stdout.bytes(&page(command, &args.words)?);
        return Ok(0);
    };
    let directory = context.environment.absolute(directory);
    let failed = |path: &Path, error: &std::io::Error| Failure::Message(format!("write {}: {error}", path.display()));
    std::fs::create_dir_all(&directory).map_err(|error| failed(&directory, &error))?;
    let mut pages = Vec::new();
    collect(&root, &[], &mut pages)?;
    for (name, page) in &pages {
        let path = directory.join(format!("{name}.1"));
        std::fs::write(&path, page).map_err(|error| failed(&path, &error))?;
    }
    context.io.stderr.line(&format!("wrote {} pages to {}", pages.len(), directory.display()));
    Ok(0)
}

/// The pages of a command and of those below it, by name: `compose-up`.
fn collect(command: &Command, path: &[String], pages: &mut Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
    pages.push((name(path), page(command, path)?));
    if command.is_allow_external_subcommands_set() {
        return Ok(());
    }
    for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        let path: Vec<String> = path.iter().cloned().chain([below.get_name().to_owned()]).collect();
        collect(below, &path, pages)?;
    }
    Ok(())
}

fn name(path: &[String]) -> String {
    ["compose"].into_iter().chain(path.iter().map(String::as_str)).collect::<Vec<&str>>().join("-")
}

fn page(command: &Command, path: &[String]) -> Result<Vec<u8>, Failure> {
    let name = name(path);
    let mut command = command.clone().name(name.clone()).display_name(name).disable_version_flag(true);
    // The usage is written for people: its first line says enough.
    if !path.is_empty() {
        let usage = command.render_usage().to_string();
        let usage = usage.trim_start_matches("Usage:").trim().lines().next().unwrap_or_default().to_owned();
        command = command.override_usage(format!("compose {} {usage}", path.join(" ")));
    }
    let mut out = Vec::new();
    Man::new(command)
        .manual("compose")
        .source(SOURCE)
        .render(&mut out)
        .map_err(|error| Failure::Message(error.to_string()))?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_flags_and_examples() {
        let mut pages = Vec::new();
        collect(&definitions(), &[], &mut pages).unwrap();
        let page = |name: &str| {
            let (_, page) = pages.iter().find(|(page, _)| page == name).unwrap_or_else(|| panic!("no page {name}"));
            String::from_utf8_lossy(page).into_owned()
        };
        for name in ["compose", "compose-up", "compose-exec", "compose-bridge-convert"] {
            assert!(page(name).contains(".SH NAME"), "{name}");
        }
        let up = page("compose-up");
        for word in ["detach", "Examples:", "compose up [OPTIONS] [SERVICE...]"] {
            assert!(up.replace("\\-", "-").replace("\\fR", "").replace("\\fB", "").contains(word), "{word}: {up}");
        }
        assert!(!pages.iter().any(|(name, _)| name == "compose-alpha"), "hidden commands have no page");
    }
}
