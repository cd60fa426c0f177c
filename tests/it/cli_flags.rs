//! Every command and flag of docker compose is understood.

use std::ffi::OsString;

use compose::cli::arguments::{Asked, parse};

fn understood(words: &[String]) -> bool {
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    matches!(parse(&words), Ok(Asked::Run(_)))
}

#[test]
fn every_command_and_flag_of_docker_compose_is_understood() {
    let mut wrong = Vec::new();
    for line in include_str!("../../fixtures/cli/flags.txt").lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [command, flag, short, kind] = cells[..] else { panic!("four cells: {line}") };
        let names: Vec<&str> = [flag, short].into_iter().filter(|name| *name != "-").collect();
        let value = match kind {
            "int" => Some("1"),
            "bool" | "-" => None,
            _ => Some("x"),
        };
        let command: Vec<&str> = command.split_whitespace().collect();
        let with = |flag: &[&str]| {
            // Flags of all commands come before the command.
            let words = if command.is_empty() { [flag, &["ps"]].concat() } else { [&command[..], flag].concat() };
            words.into_iter().map(str::to_owned).collect::<Vec<String>>()
        };
        let mut lines = vec![with(&[])];
        for name in names {
            lines.push(match value {
                Some(value) => with(&[name, value]),
                None => with(&[name]),
            });
            let joined = format!("{name}={}", value.unwrap_or("false"));
            lines.push(with(&[joined.as_str()]));
        }
        wrong.extend(lines.iter().filter(|words| !understood(words)).map(|words| words.join(" ")));
    }
    assert!(wrong.is_empty(), "not understood:\n{}", wrong.join("\n"));
}
