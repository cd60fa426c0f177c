//! Mistakes on the command line, told as docker compose tells them.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::failure::nearest;

/// The commands that words name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Names of the command and the commands below it.
    pub names: Vec<String>,
    /// A word where a command should stand.
    pub unknown: Option<String>,
}

/// Where the first word stands that is neither a flag nor a flag's value.
pub fn first_word(words: &[OsString], command: &clap::Command) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let text = word.to_str().unwrap_or_default();
        if text == "--" {
            return None;
        }
        if text.len() < 2 || !text.starts_with('-') {
            return Some(at);
        }
        at += 1 + usize::from(flag_that_wants_next(text, command, command).is_some());
    }
    None
}

/// The flag whose value is the word after this one.
pub fn flag_that_wants_next<'a>(
    word: &str,
    command: &'a clap::Command,
    root: &'a clap::Command,
) -> Option<&'a clap::Arg> {
    if word.starts_with("--") {
        return find_flag(word, command, root).filter(|arg| !word.contains('=') && takes_value(arg));
    }
    let mut letters = word.strip_prefix('-')?.chars();
    while let Some(letter) = letters.next() {
        let arg = find_short(command, letter)?;
        if takes_value(arg) {
            return letters.as_str().is_empty().then_some(arg);
        }
    }
    None
}

/// A flag by how it is written: `--file`, `-f`.
pub fn find_flag<'a>(word: &str, command: &'a clap::Command, root: &'a clap::Command) -> Option<&'a clap::Arg> {
    let name = word.split('=').next().unwrap_or(word);
    match name.strip_prefix("--") {
        Some(long) => find_long(command, long).or_else(|| find_long(root, long).filter(|arg| arg.is_global_set())),
        None => find_short(command, name.chars().last()?),
    }
}

/// The command that words name, and the commands below it.
pub fn command_path(words: &[OsString], root: &clap::Command) -> Path {
    let mut path = Path::default();
    let mut command = root;
    let mut rest = words;
    while command.has_subcommands() && !command.is_allow_external_subcommands_set() {
        let Some(at) = first_word(rest, command) else { break };
        let word = rest.get(at).and_then(|word| word.to_str()).unwrap_or_default().to_owned();
        let before = rest.get(..at).unwrap_or_default();
        rest = rest.get(at + 1..).unwrap_or_default();
        match command.find_subcommand(&word) {
            Some(found) => {
                path.names.push(found.get_name().to_owned());
                command = found;
            }
            None if word == "help" && path.names.is_empty() => {
                path.names.push(word);
                break;
            }
            // It may be the value of a flag that is not known: that is the mistake then.
            None if before.iter().any(|flag| is_unknown_flag(flag, command)) => break,
            None => {
                path.unknown = Some(word);
                break;
            }
        }
    }
    path
}

fn is_unknown_flag(word: &OsString, command: &clap::Command) -> bool {
    let word = word.to_str().unwrap_or_default();
    word.len() > 2 && word.starts_with("--") && find_flag(word, command, command).is_none()
}

/// The text for an error of clap's about these words.
pub fn message(error: &clap::Error, words: &[OsString], path: &[String], root: &clap::Command) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    };
    let command = path.iter().try_fold(root, |command, name| command.find_subcommand(name)).unwrap_or(root);
    let argument = text(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::UnknownArgument if argument.starts_with("--") => {
            format!("unknown flag: {}", argument.split('=').next().unwrap_or(&argument))
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            let letter = argument.chars().nth(1).unwrap_or('-');
            format!("unknown shorthand flag: '{letter}' in {argument}")
        }
        ErrorKind::UnknownArgument => {
            format!("unknown command \"{argument}\" for \"docker compose {}\"", path.join(" "))
        }
        // A flag at the end of the line whose value is not there.
        ErrorKind::InvalidValue | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues | ErrorKind::NoEquals => {
            let last = words.last().and_then(|word| word.to_str()).unwrap_or_default();
            let letter =
                if last.starts_with("--") { None } else { last.strip_prefix('-').and_then(|l| l.chars().last()) };
            match (flag_of(command, root, &argument), letter) {
                (_, Some(letter)) => format!("flag needs an argument: '{letter}' in -{letter}"),
                (Some(arg), None) => {
                    let long = arg.get_long().unwrap_or_default();
                    let quote = if path.is_empty() && is_dockers(long) { "'" } else { "" };
                    format!("flag needs an argument: {quote}--{long}{quote}")
                }
                (None, None) => format!("flag needs an argument: {argument}"),
            }
        }
        ErrorKind::ValueValidation => {
            let value = text(ContextKind::InvalidValue);
            let name = match flag_of(command, root, &argument) {
                Some(arg) => match (arg.get_short(), arg.get_long()) {
                    (Some(short), Some(long)) => format!("-{short}, --{long}"),
                    (_, Some(long)) => format!("--{long}"),
                    (Some(short), None) => format!("-{short}"),
                    (None, None) => argument,
                },
                None => argument,
            };
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            let why = if why.starts_with("strconv") {
                why
            } else {
                format!("strconv.ParseInt: parsing \"{value}\": invalid syntax")
            };
            format!("invalid argument \"{value}\" for \"{name}\" flag: {why}")
        }
        _ => error.to_string().trim().to_owned(),
    }
}

/// What was probably meant, when a flag is not known: a flag with nearly that name, or one that stands elsewhere.
pub fn hint(error: &clap::Error, path: &[String], root: &clap::Command) -> Option<String> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    if error.kind() != ErrorKind::UnknownArgument || !argument.starts_with('-') {
        return None;
    }
    let command = path.iter().try_fold(root, |command, name| command.find_subcommand(name))?;
    let written = argument.split('=').next().unwrap_or(argument);
    // Flags of all commands stand before the command.
    if !path.is_empty() {
        let elsewhere = match written.strip_prefix("--") {
            Some(long) => find_long(root, long),
            None => find_short(root, written.chars().nth(1)?),
        };
        if let Some(arg) = elsewhere.filter(|arg| !arg.is_hide_set()) {
            let value = if takes_value(arg) { " …" } else { "" };
            return Some(format!("it stands before the command: `compose {written}{value} {}`", path.join(" ")));
        }
    }
    let long = written.strip_prefix("--")?;
    let known = command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(clap::Arg::get_long);
    nearest(long, known).map(|name| format!("did you mean `--{name}`?"))
}

/// Flags of the `docker` program; docker-compose reads them in a way of its own.
fn is_dockers(long: &str) -> bool {
    matches!(long, "host" | "context" | "log-level" | "tlscacert" | "tlscert" | "tlskey")
}

/// `requires at least 1 arg(s), only received 0`.
pub fn too_few(wanted: usize, found: usize) -> String {
    format!("requires at least {wanted} arg(s), only received {found}")
}

/// The definition behind clap's way to name it: `--timeout <TIMEOUT>`.
fn flag_of<'a>(command: &'a clap::Command, root: &'a clap::Command, shown: &str) -> Option<&'a clap::Arg> {
    let name = shown.split([' ', '=', '[']).next().unwrap_or(shown);
    let find = |command: &'a clap::Command| match name.strip_prefix("--") {
        Some(long) => find_long(command, long),
        None => find_short(command, name.chars().nth(1)?),
    };
    find(command).or_else(|| find(root))
}

fn find_long<'a>(command: &'a clap::Command, long: &str) -> Option<&'a clap::Arg> {
    command.get_arguments().find(|arg| {
        arg.get_long() == Some(long) || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&long))
    })
}

fn find_short(command: &clap::Command, short: char) -> Option<&clap::Arg> {
    command.get_arguments().find(|arg| arg.get_short() == Some(short))
}

fn takes_value(arg: &clap::Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}
