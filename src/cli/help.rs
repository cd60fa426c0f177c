//! Help: what a command is for, its flags, and an example.

use clap::{Arg, Command};

use crate::cli::failure::nearest;

/// Commands by what one wants to do; every command that is not hidden stands in one group.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("Run it", &["up", "down", "start", "stop", "restart", "watch"]),
    ("Look at it", &["ps", "plan", "why", "logs", "stats", "top", "events", "port", "images", "ls", "volumes"]),
    ("Work inside", &["exec", "run", "attach", "cp"]),
    ("Build and share", &["build", "pull", "push", "publish", "commit", "export"]),
    ("In detail", &["create", "scale", "wait", "kill", "pause", "unpause", "rm"]),
    ("The file", &["config", "lint", "explain", "bridge"]),
    ("This program", &["completion", "install-plugin", "version"]),
];

/// Help of all, or of the command that a path names, no line longer than `columns` where words allow it; a wrong path is
/// told.
pub fn render(root: &Command, path: &[String], columns: Option<usize>) -> Result<String, String> {
    let mut command = root;
    for (depth, name) in path.iter().enumerate() {
        let above = path.get(..depth).unwrap_or_default();
        command = command.find_subcommand(name).ok_or_else(|| unknown(above, name, root))?;
    }
    let columns = columns.unwrap_or(usize::MAX);
    Ok(if path.is_empty() { root_help(root, columns) } else { command_help(command, path, columns) })
}

/// Commands of other versions, and what they are now.
const OLD_NAMES: &[(&str, &str)] = &[
    ("convert", "it is called `config` now"),
    ("alpha scale", "it is called `scale` now"),
    ("alpha watch", "it is called `watch` now"),
    ("alpha dry-run", "every command takes `--dry-run` now"),
    ("bundle", "bundles of docker-compose 1 are no more; `compose publish` shares a project"),
];

/// `unknown docker command: "compose foo"`, and the one that was meant. `above` are the commands before it.
pub fn unknown(above: &[String], name: &str, root: &Command) -> String {
    let command = above.iter().try_fold(root, |command, name| command.find_subcommand(name)).unwrap_or(root);
    let path = above.iter().map(String::as_str).chain([name]).collect::<Vec<&str>>().join(" ");
    let known = command.get_subcommands().filter(|command| !command.is_hide_set()).map(Command::get_name);
    let old = OLD_NAMES.iter().find(|(old, _)| *old == path).map(|(_, now)| (*now).to_owned());
    let hint = old.or_else(|| nearest(name, known).map(|name| format!("did you mean `{name}`?")));
    let hint = hint.map(|hint| format!("\n hint: {hint}")).unwrap_or_default();
    format!("unknown docker command: \"compose {path}\"{hint}")
}

fn root_help(root: &Command, columns: usize) -> String {
    let mut out = format!("\nUsage:  docker compose [OPTIONS] COMMAND\n\n{}\n", about(root));
    push_options(&mut out, root, columns);
    for (title, names) in GROUPS {
        out.push_str(&format!("\n{title}:\n"));
        for command in names.iter().filter_map(|name| root.find_subcommand(name)) {
            push_line(&mut out, &format!("  {:<14} ", command.get_name()), &about(command), columns);
        }
    }
    push_examples(&mut out, root);
    out.push_str("\n'docker compose COMMAND --help' tells more about a command.\n");
    out
}

fn command_help(command: &Command, path: &[String], columns: usize) -> String {
    let usage = command.clone().render_usage().to_string();
    let is_group = command.has_subcommands() && !command.is_allow_external_subcommands_set();
    let usage = if is_group { "[OPTIONS] COMMAND" } else { usage.trim_start_matches("Usage:").trim() };
    let mut out = format!("\nUsage:  docker compose {} {usage}\n\n{}\n", path.join(" "), about(command));
    push_options(&mut out, command, columns);
    let below: Vec<&Command> = command.get_subcommands().filter(|command| !command.is_hide_set()).collect();
    if is_group {
        out.push_str("\nCommands:\n");
        for command in below {
            push_line(&mut out, &format!("  {:<14} ", command.get_name()), &about(command), columns);
        }
    }
    push_examples(&mut out, command);
    out
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn push_examples(out: &mut String, command: &Command) {
    if let Some(examples) = command.get_after_help() {
        out.push_str(&format!("\n{}\n", examples.to_string().trim_end()));
    }
}

fn push_options(out: &mut String, command: &Command, columns: usize) {
    let mut flags: Vec<(String, String, String)> = command
        .get_arguments()
        .filter(|arg| !arg.is_positional() && !arg.is_hide_set() && arg.get_id() != "help")
        .map(|arg| (arg.get_long().unwrap_or_default().to_owned(), flag(arg), text(arg)))
        .collect();
    // Flags that hold for every command are shown, too.
    if !flags.iter().any(|(long, ..)| long == "dry-run") {
        let about = "Show what would be done, and why, and change nothing";
        flags.push(("dry-run".to_owned(), "    --dry-run".to_owned(), about.to_owned()));
    }
    flags.sort();
    let width = flags.iter().map(|(_, flag, _)| flag.len()).max().unwrap_or(0);
    out.push_str("\nOptions:\n");
    for (_, flag, text) in flags {
        push_line(out, &format!("  {flag:<width$}   "), &text, columns);
    }
}

/// A line that begins so; what does not fit into the columns goes on below its beginning.
fn push_line(out: &mut String, begin: &str, text: &str, columns: usize) {
    /// Narrower than this, long lines are read more easily than short ones.
    const NARROWEST: usize = 24;
    let indent = begin.chars().count();
    let room = columns.saturating_sub(indent);
    let room = if room < NARROWEST { usize::MAX } else { room };
    out.push_str(begin);
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > room {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out.push('\n');
}

fn flag(arg: &Arg) -> String {
    let short = arg.get_short().map_or("    ".to_owned(), |short| format!("-{short}, "));
    let long = arg.get_long().unwrap_or_default();
    let value = match arg.get_value_names().and_then(|names| names.first()) {
        Some(name) if !arg.is_require_equals_set() => format!(" {}", name.as_str()),
        _ => String::new(),
    };
    format!("{short}--{long}{value}")
}

fn text(arg: &Arg) -> String {
    arg.get_help().map(|help| help.to_string().replace('\n', " ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cli::arguments::definitions;

    #[test]
    fn every_command_stands_in_one_group_and_has_an_example() {
        let root = definitions();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        grouped.sort_unstable();
        let mut all: Vec<&str> =
            root.get_subcommands().filter(|command| !command.is_hide_set()).map(Command::get_name).collect();
        all.sort_unstable();
        assert_eq!(grouped, all);
        let without: BTreeSet<&str> = root
            .get_subcommands()
            .filter(|command| !command.is_hide_set() && command.get_after_help().is_none())
            .map(Command::get_name)
            .collect();
        assert_eq!(without, BTreeSet::new());
    }

    fn visible<'a>(command: &'a Command, path: &str, all: &mut Vec<(String, &'a Command)>) {
        all.push((path.to_owned(), command));
        for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            visible(below, &format!("{path} {}", below.get_name()), all);
        }
    }

    /// The command in a line of an example: what stands before the explanation, a pipe or a file.
    fn command_of(line: &str) -> Option<&str> {
        let line = line.strip_prefix("  ")?.split("   ").next()?;
        let end = [" > ", " | "].into_iter().filter_map(|sign| line.find(sign)).min().unwrap_or(line.len());
        line.get(..end).filter(|line| line.starts_with("compose "))
    }

    #[test]
    fn examples_are_true_and_every_flag_is_explained() {
        let root = definitions();
        let mut all = Vec::new();
        visible(&root, "compose", &mut all);
        for (path, command) in all {
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_positional()) {
                assert!(!text(arg).is_empty(), "{path} {:?} says nothing", arg.get_long());
            }
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for example in examples.lines().filter_map(command_of) {
                let words = shlex::split(example).unwrap_or_else(|| panic!("{path}: {example}"));
                let words: Vec<std::ffi::OsString> = words.iter().skip(1).map(Into::into).collect();
                assert!(
                    matches!(crate::cli::arguments::parse(&words), Ok(crate::cli::arguments::Asked::Run(_))),
                    "the example of {path} is no command: {example}"
                );
            }
        }
    }

    #[test]
    fn help_looks_like_this() {
        let root = definitions();
        insta::assert_snapshot!(render(&root, &["stop".to_owned()], None).unwrap(), @"

        Usage:  docker compose stop [OPTIONS] [SERVICE...]

        Stop containers and keep them

        Options:
              --dry-run       Show what would be done, and why, and change nothing
          -t, --timeout int   Seconds a container gets to end before it is killed

        Examples:
          compose stop web     stop `web`, keep its container
        ");
        assert_eq!(
            render(&root, &["sotp".to_owned()], None),
            Err("unknown docker command: \"compose sotp\"\n hint: did you mean `stop`?".to_owned())
        );
    }

    #[test]
    fn long_lines_are_wrapped_below_their_beginning() {
        let root = definitions();
        let wide = |path: &[&str], columns| {
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            render(&root, &path, Some(columns)).unwrap()
        };
        insta::assert_snapshot!(wide(&["wait"], 50), @"

        Usage:  docker compose wait SERVICE [SERVICE...] [OPTIONS]

        Wait until containers have ended

        Options:
              --down-project   Take the project down once
                               the first container ends
              --dry-run        Show what would be done,
                               and why, and change nothing

        Examples:
          compose wait tests     until `tests` has ended, with its exit code
        ");
        for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
            let help = wide(&[command.get_name()], 100);
            let options = help.lines().skip_while(|line| *line != "Options:").take_while(|line| *line != "Examples:");
            for line in options {
                assert!(line.chars().count() <= 100, "{}: {line}", command.get_name());
            }
        }
        assert!(wide(&["alpha"], 80).starts_with("\nUsage:  docker compose alpha [OPTIONS] COMMAND\n"));
    }
}
