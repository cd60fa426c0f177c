//! From words to a command: clap, made to behave as docker compose's own parser does.

use std::ffi::OsString;

use clap::builder::ValueParser;
use clap::{ArgAction, CommandFactory, FromArgMatches};

use crate::cli::commands::Command;
use crate::cli::failure::Failure;
use crate::cli::global::{GlobalArgs, parse_bool};
use crate::cli::usage;

/// Bring up an application made of several containers, and look after it
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "compose",
    disable_help_subcommand = true,
    args_override_self = true,
    after_help = "Examples:\n  compose up -d              start everything in the background\n  compose logs -f web        follow what `web` writes\n  compose down               stop and remove it all\n"
)]
pub struct Root {
    /// Flags before the command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// The command.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the words ask for.
#[derive(Clone, Debug)]
pub enum Asked {
    /// A command (boxed: argument structs are large).
    Run(Box<Root>),
    /// Help of a command (its path; empty for all), and whether `-h` asked for it, which is an old way.
    Help {
        /// `["alpha", "viz"]`.
        path: Vec<String>,
        /// `-h` after a command.
        short: bool,
    },
    /// A word where a command should stand.
    Unknown {
        /// The commands above it; empty for all.
        path: Vec<String>,
        /// The word.
        name: String,
    },
}

/// All commands with their flags; booleans take `=false`, values may begin with a dash, a repeated flag overrides.
pub fn definitions() -> clap::Command {
    adjusted(Root::command())
}

fn adjusted(command: clap::Command) -> clap::Command {
    command
        .args_override_self(true)
        .mut_args(|arg| match arg.get_action() {
            // Help is clap's; everything else that is a switch is a boolean with an optional value.
            ArgAction::SetTrue => arg
                .action(ArgAction::Set)
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .default_value("false")
                .hide_default_value(true)
                .value_parser(ValueParser::new(parse_bool)),
            ArgAction::Set if arg.get_num_args().is_some_and(|count| count.min_values() == 0) => arg,
            ArgAction::Set | ArgAction::Append if !arg.is_positional() => arg.allow_hyphen_values(true),
            _ => arg,
        })
        .mut_subcommands(adjusted)
}

/// Reads the words after the program's name.
///
/// # Errors
/// Words that mean nothing.
pub fn parse(words: &[OsString]) -> Result<Asked, Failure> {
    let definitions = definitions();
    let words = without_plugin_name(words, &definitions);
    let path = usage::command_path(&words, &definitions);
    if let Some(unknown) = path.unknown {
        return Ok(Asked::Unknown { path: path.names, name: unknown });
    }
    if path.names.first().map(String::as_str) == Some("help") {
        let names: Vec<String> = words
            .iter()
            .skip_while(|word| *word != "help")
            .skip(1)
            .filter_map(|word| word.to_str().map(str::to_owned))
            .filter(|word| !word.starts_with('-'))
            .collect();
        // `docker help compose` asks for `help compose`.
        let names = if names.first().is_some_and(|name| name == "compose") { names[1..].to_vec() } else { names };
        return Ok(Asked::Help { path: names, short: false });
    }
    let program = OsString::from("compose");
    match definitions.try_get_matches_from(std::iter::once(&program).chain(&words)) {
        Ok(matches) => {
            let root = Root::from_arg_matches(&matches).map_err(|error| Failure::Usage(error.to_string()))?;
            Ok(Asked::Run(Box::new(root)))
        }
        Err(error) if error.kind() == clap::error::ErrorKind::DisplayHelp => {
            let short = !path.names.is_empty() && words.iter().any(|word| word == "-h");
            Ok(Asked::Help { path: path.names, short })
        }
        // A group of commands without one of them.
        Err(error)
            if matches!(
                error.kind(),
                clap::error::ErrorKind::MissingSubcommand
                    | clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            ) =>
        {
            Ok(Asked::Help { path: path.names, short: false })
        }
        Err(error) => {
            let definitions = self::definitions();
            let message = usage::message(&error, &words, &path.names, &definitions);
            Err(match usage::hint(&error, &path.names, &definitions) {
                Some(hint) => Failure::Hinted { message, hints: vec![hint] },
                None => Failure::Usage(message),
            })
        }
    }
}

/// As a plugin of docker the first word that is no flag is `compose`.
fn without_plugin_name(words: &[OsString], definitions: &clap::Command) -> Vec<OsString> {
    let mut words = words.to_vec();
    if let Some(at) = usage::first_word(&words, definitions)
        && words.get(at).is_some_and(|word| word == "compose")
    {
        words.remove(at);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::commands::Command;

    fn parsed(line: &str) -> Result<Asked, Failure> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        parse(&words)
    }

    #[track_caller]
    fn root(line: &str) -> Box<Root> {
        match parsed(line) {
            Ok(Asked::Run(root)) => root,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[track_caller]
    fn refused(line: &str) -> String {
        match parsed(line) {
            Err(failure) => failure.text(),
            Ok(Asked::Unknown { path, name }) => {
                format!("unknown command {} {name}", path.join(" ")).replace("  ", " ")
            }
            Ok(other) => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn definitions_are_sound() {
        definitions().debug_assert();
    }

    #[test]
    fn booleans_take_a_value_after_an_equals_sign_only() {
        for (line, detach) in [
            ("up", false),
            ("up -d", true),
            ("up --detach", true),
            ("up --detach=false", false),
            ("up --detach=T", true),
            ("up -d=0", false),
            ("up -dd", true),
            ("up -d --detach=false", false),
            ("up -dV", true),
        ] {
            let Some(Command::Up(args)) = root(line).command else { panic!("{line}") };
            assert_eq!(args.detach, detach, "{line}");
        }
        let Some(Command::Up(args)) = root("up -d web db").command else { panic!() };
        assert_eq!(args.services, ["web", "db"]);
        let Some(Command::Up(args)) = root("up -d -- web").command else { panic!() };
        assert_eq!(args.services, ["web"]);
    }

    #[test]
    fn global_flags_come_first_and_only_dry_run_comes_anywhere() {
        let root_args = root("-f a.yaml -fb.yaml --file=c.yaml -p x --profile p --profile q up -d");
        assert_eq!(root_args.global.file, ["a.yaml", "b.yaml", "c.yaml"]);
        assert_eq!(root_args.global.profile, ["p", "q"]);
        assert!(root("up --dry-run").global.dry_run);
        assert!(root("--dry-run up").global.dry_run);
        let Some(Command::Logs(args)) = root("logs -f web").command else { panic!() };
        assert!(args.follow);
        assert_eq!(args.services, ["web"]);
        assert_eq!(refused("up -p x"), "unknown shorthand flag: 'p' in -p");
    }

    #[test]
    fn the_words_of_docker_are_understood() {
        for line in [
            "compose up",
            "--context c -H tcp://x:1 --log-level debug compose -f x.yaml up",
            "-D --config=/c --tlsverify compose ps",
            "--host unix:///x up",
        ] {
            assert!(root(line).command.is_some(), "{line}");
        }
        assert_eq!(root("-f compose up").global.file, ["compose"]);
    }

    #[test]
    fn mistakes_are_told_in_the_words_of_docker_compose() {
        insta::assert_snapshot!(
            [
                "up --foo",
                "--foo up",
                "up -q",
                "up -dq",
                "up --timeout",
                "up -t",
                "up -dt",
                "--host",
                "--profile",
                "-p",
                "up -t x",
                "up --timeout=x",
                "up --detach=maybe",
                "up --foo=1",
                "foo",
                "upp",
                "alpha foo",
                "ls extra",
                "version a b",
            ]
            .map(|line| format!("{line:20} {}", refused(line)))
            .join("\n"),
            @r#"
        up --foo             unknown flag: --foo
        --foo up             unknown flag: --foo
        up -q                unknown shorthand flag: 'q' in -q
        up -dq               unknown shorthand flag: 'q' in -q
        up --timeout         flag needs an argument: --timeout
        up -t                flag needs an argument: 't' in -t
        up -dt               flag needs an argument: 't' in -t
        --host               flag needs an argument: '--host'
        --profile            flag needs an argument: --profile
        -p                   flag needs an argument: 'p' in -p
        up -t x              invalid argument "x" for "-t, --timeout" flag: strconv.ParseInt: parsing "x": invalid syntax
        up --timeout=x       invalid argument "x" for "-t, --timeout" flag: strconv.ParseInt: parsing "x": invalid syntax
        up --detach=maybe    invalid argument "maybe" for "-d, --detach" flag: strconv.ParseBool: parsing "maybe": invalid syntax
        up --foo=1           unknown flag: --foo
        foo                  unknown command foo
        upp                  unknown command upp
        alpha foo            unknown command alpha foo
        ls extra             unknown command "extra" for "docker compose ls"
        version a b          unknown command "a" for "docker compose version"
        "#
        );
    }

    #[test]
    fn mistakes_with_flags_are_told_with_what_was_meant() {
        for (line, hint) in [
            ("up --detahc", "did you mean `--detach`?"),
            ("up -f x.yaml", "it stands before the command: `compose -f … up`"),
            ("logs --project-name=x", "it stands before the command: `compose --project-name … logs`"),
            ("up --all-resources", "it stands before the command: `compose --all-resources up`"),
            ("--progres plain up", "did you mean `--progress`?"),
        ] {
            let lines = parsed(line).expect_err(line).lines();
            assert_eq!(lines.get(1), Some(&format!(" hint: {hint}")), "{line}: {lines:?}");
        }
        assert_eq!(parsed("up --foo").expect_err("an unknown flag").lines(), ["unknown flag: --foo"]);
    }

    #[test]
    fn the_command_of_run_and_exec_is_left_alone() {
        for (line, words) in [
            ("run -T --rm web sh -c ls -T --rm", "web sh -c ls -T --rm"),
            ("run web --help", "web --help"),
            ("run web -- ls", "web -- ls"),
            ("exec -T web ls -la", "web ls -la"),
            ("run help", "help"),
        ] {
            let rest = match root(line).command {
                Some(Command::Run(args)) => args.words(),
                Some(Command::Exec(args)) => args.words(),
                other => panic!("{line}: {other:?}"),
            };
            assert_eq!(rest.join(" "), words, "{line}");
        }
        assert_eq!(refused("exec --foo web"), "unknown flag: --foo");
    }

    #[test]
    fn help_is_asked_for_in_several_ways() {
        for (line, expected, deprecated) in [
            ("--help", "", false),
            ("-h", "", false),
            ("help", "", false),
            ("help up", "up", false),
            ("help compose", "", false),
            ("alpha", "alpha", false),
            ("bridge transformations", "bridge transformations", false),
            ("up --help", "up", false),
            ("up -h", "up", true),
            ("alpha viz --help", "alpha viz", false),
        ] {
            let Ok(Asked::Help { path, short }) = parsed(line) else { panic!("{line}") };
            assert_eq!((path.join(" ").as_str(), short), (expected, deprecated), "{line}");
        }
    }
}
