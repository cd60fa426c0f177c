//! The architecture, as a test. Change the tables only together with ARCHITECTURE.md.
#![expect(clippy::disallowed_methods, reason = "reads the sources it checks")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may name whom. A module that is not in the list of another may not be named there.
const MAY_USE: &[(&str, &[&str])] = &[
    ("names", &[]),
    ("labels", &[]),
    ("diagnostics", &["names"]),
    ("resource", &["names", "labels"]),
    ("spec", &["names", "labels", "diagnostics"]),
    ("planner", &["names", "labels", "resource", "spec", "diagnostics"]),
    ("runtime", &["names", "labels", "resource"]),
    ("external", &["names", "labels", "resource"]),
    ("engine", &["names", "labels", "planner", "runtime", "resource", "external"]),
    ("ui", &["names", "labels", "planner", "resource", "engine", "diagnostics"]),
    ("cli", &["names", "labels", "diagnostics", "resource", "spec", "planner", "runtime", "external", "engine", "ui"]),
];

/// Words that may not occur in the code under a path, and why.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "src/spec",
        &["async fn", "async move", ".await", "tokio", "bollard"],
        "loading is synchronous and knows no engine",
    ),
    ("src/spec", &["std::fs", "std::env", "std::process"], "files and the environment come in through traits"),
    (
        "src/planner",
        &["async fn", "async move", ".await", "tokio", "bollard"],
        "the planner decides, and waits for nothing",
    ),
    (
        "src/planner",
        &["std::fs", "std::env", "std::process", "SystemTime", "Instant", "rand::"],
        "the planner sees only its input",
    ),
    ("src/resource", &["async fn", ".await", "tokio", "bollard", "std::fs", "std::env"], "plain data"),
    ("src/diagnostics", &["async fn", ".await", "tokio", "bollard", "std::fs", "std::env"], "plain data and text"),
    ("src/engine", &["bollard", "std::fs", "std::env"], "the engine reaches the world only through the runtime"),
    ("src/engine/schedule.rs", &["async fn", ".await", "tokio"], "a state machine that a plain test can drive"),
    ("src/ui", &["bollard", "std::fs", "std::env", "std::process"], "the ui shows what it is handed"),
    ("src/runtime", &["clap", "annotate_snippets", "indicatif"], "a runtime has no command line and no terminal"),
    ("src/cli", &["bollard"], "only src/runtime/docker names bollard"),
    ("src/external", &["bollard"], "only src/runtime/docker names bollard"),
];

/// The only folder that may name the Docker client.
const DOCKER: &str = "src/runtime/docker";

/// Files may have this many lines; a longer one is hard to review.
const LINES: usize = 800;
/// Files that may be longer, and why.
const LONGER: &[(&str, &str)] = &[];

#[test]
fn modules_name_only_what_lies_below_them() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = module_of(&path);
        let Some((_, allowed)) = MAY_USE.iter().find(|(module, _)| *module == from) else { continue };
        // The tests at the end of a file may set up more than its code may know.
        for (number, line) in code(&text).take_while(|(_, line)| line.trim() != "#[cfg(test)]") {
            let named = line
                .split("crate::")
                .skip(1)
                .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next());
            for to in named.filter(|to| MAY_USE.iter().any(|(module, _)| module == to)) {
                if to != from && !allowed.contains(&to) {
                    wrong.push(format!("{}:{number}: `{from}` may not use `{to}`", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\nsee ARCHITECTURE.md, \"Who may use whom\"\n", wrong.join("\n"));
}

#[test]
fn no_import_hides_an_edge() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (number, line) in code(&text) {
            let hidden = line.contains("crate::{") || line.contains("super::super::");
            if hidden || line.trim_start().starts_with("pub use crate::") {
                wrong.push(format!("{}:{number}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "\nname one module per `use crate::`, re-export only your own children:\n{}\n",
        wrong.join("\n")
    );
}

#[test]
fn pure_parts_stay_pure() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (number, line) in code(&text) {
            for (_, words, why) in FORBIDDEN.iter().filter(|(place, ..)| path.starts_with(place)) {
                for word in words.iter().filter(|word| has_word(line, word)) {
                    wrong.push(format!("{}:{number}: `{word}`: {why}", path.display()));
                }
            }
            if has_word(line, "bollard") && !path.starts_with(DOCKER) {
                wrong.push(format!("{}:{number}: only {DOCKER} names bollard", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_module_is_in_the_table() {
    let modules: BTreeSet<String> = sources().iter().map(|(path, _)| module_of(path)).collect();
    for module in modules {
        let listed = MAY_USE.iter().any(|(name, _)| *name == module);
        assert!(listed || module == "lib" || module == "main", "{module} is not in MAY_USE");
    }
    for (module, allowed) in MAY_USE {
        for name in *allowed {
            assert!(MAY_USE.iter().any(|(module, _)| module == name), "{module} may use {name}, which does not exist");
        }
    }
}

#[test]
fn every_file_is_short_and_says_what_it_is() {
    let mut wrong = Vec::new();
    let tests = ["tests", "benches", "fuzz"].into_iter().flat_map(files);
    for (path, text) in sources().into_iter().chain(tests) {
        let shown = path.display();
        let lines = text.lines().count();
        let longer = LONGER.iter().any(|(file, _)| path == Path::new(file));
        if !text.starts_with("//! ") {
            wrong.push(format!("{shown}: begin with `//!` and one sentence"));
        }
        if lines > LINES && !longer {
            wrong.push(format!(
                "{shown}: {lines} lines, more than {LINES}: split it, or list it in LONGER with a reason"
            ));
        }
        if lines <= LINES && longer {
            wrong.push(format!("{shown}: short enough to leave the list LONGER"));
        }
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if ["util", "utils", "helper", "helpers", "imp", "common", "misc"].contains(&name) {
            wrong.push(format!("{shown}: a name that says nothing"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The lines that are not comments, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The word as such, not as a part of a longer one: `rand::` is not in `operand::`.
fn has_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(joins) && word.starts_with(joins);
        let after = line[at + word.len()..].chars().next().is_some_and(joins) && word.ends_with(joins);
        !before && !after
    })
}

/// `src/spec/yaml/mod.rs` → `spec`.
fn module_of(path: &Path) -> String {
    let part = path.components().nth(1).expect("sources lie in src");
    part.as_os_str().to_str().expect("names are UTF-8").trim_end_matches(".rs").to_owned()
}

fn sources() -> Vec<(PathBuf, String)> {
    files("src")
}

/// The Rust files under a folder of the package, by path; none if it is not there.
fn files(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for path in entries.map(|entry| entry.expect("a folder can be read").path()) {
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    walk(&path, found);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    walk(&root.join(folder), &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source can be read");
        (path.strip_prefix(root).expect("it lies in the package").to_owned(), text)
    };
    paths.into_iter().map(read).collect()
}
