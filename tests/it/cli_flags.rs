//! Every command, flag and variable of docker compose is understood, or it is said why not.

#![expect(clippy::disallowed_methods, reason = "reads the sources it checks")]

use std::ffi::OsString;
use std::fs;
use std::path::Path;

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
        match kind {
            "group" => {
                let words: Vec<OsString> = command.iter().map(OsString::from).collect();
                assert!(matches!(parse(&words), Ok(Asked::Help { .. })), "{command:?} holds other commands");
                continue;
            }
            "gone" => {
                let words: Vec<OsString> = command.iter().map(OsString::from).collect();
                assert!(matches!(parse(&words), Ok(Asked::Unknown { .. })), "{command:?} is there: take it off");
                explained(&command.join(" "));
                continue;
            }
            _ => {}
        }
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

#[test]
fn every_variable_of_docker_compose_is_read() {
    let mut sources = String::new();
    read_sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut sources);
    for name in include_str!("../../fixtures/cli/environment.txt").lines().filter(|line| !line.starts_with('#')) {
        if !sources.contains(&format!("\"{name}\"")) {
            explained(name);
        }
    }
}

/// The page of differences names this.
#[track_caller]
fn explained(what: &str) {
    let page = include_str!("../../docs/differences.md");
    assert!(
        page.contains(&format!("`{what}`")),
        "`{what}` is not understood, and docs/differences.md does not say why"
    );
}

fn read_sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("the sources can be read") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            read_sources(&path, text);
        } else {
            text.push_str(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
}
