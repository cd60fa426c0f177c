//! Where on a command line the cursor stands: which command, and whether a flag, a value or an argument is wanted there.

use clap::{Arg, Command};

use crate::cli::usage;

/// What could stand at the cursor.
#[derive(Clone, Debug)]
pub(super) enum Wanted<'a> {
    /// A command, or one below it.
    Command,
    /// A flag.
    Flag,
    /// The value of a flag.
    Value(&'a Arg),
    /// An argument of the command.
    Argument,
    /// Something that only a person knows.
    Nothing,
}

/// A command line up to its cursor.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    /// The command that the words before name.
    pub(super) command: &'a Command,
    /// The names of it and of those above it.
    pub(super) path: Vec<&'a str>,
    /// Words before the first command, as far as they are complete.
    pub(super) global: Vec<String>,
    /// Arguments of the command that stand already.
    pub(super) arguments: Vec<String>,
    /// What may follow.
    pub(super) wanted: Wanted<'a>,
    /// What stands of it already.
    pub(super) begun: String,
}

/// Reads words; the last one is the one to be completed, perhaps empty.
pub(super) fn find<'a>(words: &[String], root: &'a Command) -> Cursor<'a> {
    let (last, before) = words.split_last().map_or((String::new(), &[][..]), |(last, rest)| (last.clone(), rest));
    let mut cursor = Cursor {
        command: root,
        path: Vec::new(),
        global: Vec::new(),
        arguments: Vec::new(),
        wanted: Wanted::Nothing,
        begun: last,
    };
    let mut value_of = None;
    let mut only_arguments = false;
    for word in before {
        if cursor.path.is_empty() {
            cursor.global.push(word.clone());
        }
        if value_of.take().is_some() {
            continue;
        }
        if word == "--" {
            only_arguments = true;
        } else if word.len() > 1 && word.starts_with('-') && !only_arguments && !cursor.is_past_flags() {
            value_of = usage::flag_that_wants_next(word, cursor.command, root);
        } else if cursor.takes_commands() {
            let below = cursor.command.find_subcommand(word);
            if cursor.path.is_empty() {
                cursor.global.pop();
            }
            match below {
                Some(below) => {
                    cursor.command = below;
                    cursor.path.push(below.get_name());
                }
                // As a plugin of docker the first word is our own name.
                None if word == "compose" && cursor.path.is_empty() => {}
                None => return cursor,
            }
        } else {
            cursor.arguments.push(word.clone());
        }
    }
    if value_of.is_some() && cursor.path.is_empty() {
        cursor.global.pop();
    }
    let flag = !only_arguments && !cursor.is_past_flags() && cursor.begun.starts_with('-');
    cursor.wanted = match value_of {
        Some(arg) => Wanted::Value(arg),
        None if flag => match cursor.begun.split_once('=').map(|(flag, value)| (flag.to_owned(), value.to_owned())) {
            Some((flag, value)) => {
                cursor.begun = value;
                usage::find_flag(&flag, cursor.command, root).map_or(Wanted::Nothing, Wanted::Value)
            }
            None => Wanted::Flag,
        },
        None if cursor.takes_commands() => Wanted::Command,
        None => Wanted::Argument,
    };
    cursor
}

impl Cursor<'_> {
    fn takes_commands(&self) -> bool {
        self.command.has_subcommands() && !self.is_followed_by_a_command()
    }
    /// After the service of `run` and `exec` come words that are nobody else's business.
    fn is_past_flags(&self) -> bool {
        self.is_followed_by_a_command() && !self.arguments.is_empty()
    }
    fn is_followed_by_a_command(&self) -> bool {
        matches!(self.path.as_slice(), ["run" | "exec"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::definitions;

    /// `command path | words before it | arguments | what is wanted: what stands of it`
    fn told(line: &str) -> String {
        let root = definitions();
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let cursor = find(&words, &root);
        let wanted = match cursor.wanted {
            Wanted::Value(arg) => format!("value of {}", arg.get_id()),
            other => format!("{other:?}"),
        };
        let Cursor { path, global, arguments, begun, .. } = cursor;
        format!("{} | {} | {} | {wanted}: {begun}", path.join(" "), global.join(" "), arguments.join(" "))
    }

    #[test]
    fn the_place_of_the_cursor_is_found() {
        for (line, expected) in [
            ("", " |  |  | Command: "),
            ("u", " |  |  | Command: u"),
            ("compose u", " |  |  | Command: u"),
            ("-f a.yaml -p x up ", "up | -f a.yaml -p x |  | Argument: "),
            ("up web ", "up |  | web | Argument: "),
            ("up -d --sc", "up |  |  | Flag: --sc"),
            ("up --scale ", "up |  |  | value of scale: "),
            ("up --scale=we", "up |  |  | value of scale: we"),
            ("-p ", " |  |  | value of project_name: "),
            ("--context c compose --profile ", " | --context c |  | value of profile: "),
            ("up -dt ", "up |  |  | value of timeout: "),
            ("exec web -", "exec |  | web | Argument: -"),
            ("exec -T web sh ", "exec |  | web sh | Argument: "),
            ("run --rm -", "run |  |  | Flag: -"),
            ("alpha v", "alpha |  |  | Command: v"),
            ("nope x", " |  |  | Nothing: x"),
            ("up -- -", "up |  |  | Argument: -"),
            ("logs -f web d", "logs |  | web | Argument: d"),
        ] {
            assert_eq!(told(line), expected, "{line:?}");
        }
    }
}
