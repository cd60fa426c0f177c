//! Answers of docker compose to hostile texts: run with `COMPOSE_TORTURE_DIR` naming a folder of recorded cases.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test, with what is asked of it as output")]
#![expect(
    clippy::disallowed_methods,
    reason = "the folder is named by the environment and lies outside of the project"
)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use compose::diagnostics::{Diagnostic, SourceMap};
use compose::spec::dotenv;
use compose::spec::emit::{node_to_yaml, sort_naturally, to_yaml};
use compose::spec::interpolate::{Lookup, interpolate};
use compose::spec::tree::{Node, Tag, Value, VariableSource};
use compose::spec::yaml;
use serde_json::{Map, Value as Json};

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("COMPOSE_TORTURE_DIR").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: COMPOSE_TORTURE_DIR is not set");
    }
    folder
}

fn read(path: &Path) -> Option<String> {
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn cases(group: &Path) -> Vec<(String, PathBuf)> {
    let mut cases: Vec<_> = fs::read_dir(group)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path))
        .collect();
    cases.sort();
    cases
}

/// Whether a recorded error is one of the YAML layer.
fn is_yaml_error(error: &str) -> bool {
    error.contains("failed to parse") || error.contains("non-string key") || error.contains("did not finish")
}

struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment that a case was recorded with.
    fn of(case: &Path) -> Self {
        let case: Json = serde_json::from_str(&read(&case.join("case.json")).unwrap()).unwrap();
        let entries = case["env"].as_object().unwrap().iter();
        Self(entries.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect())
    }
}

impl Lookup for Environment {
    fn get(&self, name: &str) -> Option<(Cow<'_, str>, VariableSource)> {
        self.0.get(name).map(|value| (value.into(), VariableSource::Shell))
    }
}

fn load(bytes: &[u8], environment: Option<&Environment>) -> Result<Vec<Node>, String> {
    let text = yaml::decode_text(bytes).map_err(|error| error.to_string())?;
    let mut sources = SourceMap::default();
    let file = sources.add("compose.yaml", None, text.as_str());
    let mut documents = yaml::parse(&text, file).map_err(|found| show(&found, &sources))?;
    for document in &mut documents {
        check_spans(document, &text);
        if let Some(environment) = environment {
            let mut unset = Vec::new();
            let errors = interpolate(document, environment, &sources, &mut unset);
            if !errors.is_empty() {
                return Err(show(&errors, &sources));
            }
            assert!(unset.iter().all(|it| text.get(it.span.start as usize..it.span.end as usize).is_some()));
        }
    }
    Ok(documents)
}

fn show(found: &[Diagnostic], sources: &SourceMap) -> String {
    assert!(!found.is_empty());
    found.iter().map(|it| format!("{} {}", sources.place(it.labels[0].span), it.message)).collect::<Vec<_>>().join("; ")
}

fn check_spans(node: &Node, text: &str) {
    assert!(text.get(node.span.start as usize..node.span.end as usize).is_some(), "{:?}", node.span);
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| check_spans(item, text)),
        Value::Mapping(entries) => {
            for (_, entry) in entries.iter() {
                assert!(text.get(entry.key_span.start as usize..entry.key_span.end as usize).is_some());
                check_spans(&entry.node, text);
            }
        }
        _ => {}
    }
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(number) => i64::try_from(*number)
            .map(Json::from)
            .unwrap_or_else(|_| Json::from(u64::try_from(*number).unwrap_or(u64::MAX))),
        Value::Float(number) => Json::from(*number),
        Value::Timestamp(text) | Value::String(text) => Json::from(text.as_str()),
        Value::Sequence(items) => items.iter().filter(|item| item.tag != Tag::Reset).map(json).collect(),
        Value::Mapping(entries) => entries
            .iter()
            .filter(|(_, entry)| entry.node.tag != Tag::Reset)
            .map(|(key, entry)| (key.to_owned(), json(&entry.node)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

fn extensions(documents: &[Node]) -> Json {
    let mut found = Map::new();
    for document in documents {
        if let Json::Object(entries) = json(document) {
            found.extend(entries.into_iter().filter(|(key, _)| key.starts_with("x-")));
        }
    }
    found.into()
}

/// Equal, taking numbers by what they are worth: the recorded answers went through JSON.
fn same(ours: &Json, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        // A list of nothing but dropped items is printed as null.
        (Json::Array(a), Json::Null) => a.is_empty(),
        // Every `$` is doubled in what is printed.
        (Json::String(a), Json::String(b)) => a == b || a.replace('$', "$$") == *b,
        _ => ours == theirs,
    }
}

fn report(group: &str, total: usize, wrong: &BTreeMap<String, String>, allowed: &[&str]) {
    println!("{group}: {} of {total} as docker compose", total - wrong.len());
    let unexplained: Vec<_> = wrong.iter().filter(|(case, _)| !allowed.contains(&case.as_str())).collect();
    for (case, what) in &unexplained {
        println!("  {case}: {what}");
    }
    assert!(unexplained.is_empty(), "{group}: {} cases differ", unexplained.len());
}

fn short(text: &str) -> String {
    text.chars().take(400).collect()
}

/// One line of a recording, whose raw bytes are written as lone surrogates.
fn recorded(line: &str) -> (Json, Vec<u8>) {
    let mut clean = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\\udc") {
        let paired = at >= 6 && rest[at - 6..at].starts_with("\\ud");
        clean.push_str(&rest[..at]);
        clean.push_str(if paired { "\\udc" } else { "\\uf7" });
        rest = &rest[at + 4..];
    }
    clean.push_str(rest);
    let record: Json = serde_json::from_str(&clean).unwrap();
    let mut bytes = Vec::new();
    for character in record["input"].as_str().unwrap().chars() {
        match u32::from(character) {
            raw @ 0xF780..=0xF7FF => bytes.push(u8::try_from(raw - 0xF700).unwrap()),
            _ => bytes.extend(character.to_string().bytes()),
        }
    }
    (record, bytes)
}

#[test]
fn mutated_documents_are_read_as_docker_compose_reads_them() {
    let Some(folder) = folder() else { return };
    let mut wrong = BTreeMap::new();
    let mut total = 0;
    for file in ["yaml-fuzz.jsonl", "yaml-fuzz-2.jsonl"] {
        for line in read(&folder.join(file)).unwrap().lines() {
            let (record, bytes) = recorded(line);
            let name = format!("{file}:{}", record["n"]);
            total += 1;
            match (load(&bytes, None), record["error"].as_str()) {
                (Err(_), Some(_)) => {}
                (Ok(documents), Some(error)) => {
                    if is_yaml_error(error) {
                        wrong.insert(name, format!("accepted, but: {error}\n{}", record["input"]));
                    } else {
                        assert!(!documents.is_empty() || error.contains("empty"), "{name}: {error}");
                    }
                }
                (Err(error), None) => {
                    wrong.insert(name, format!("refused: {error}\n{}", record["input"]));
                }
                (Ok(documents), None) => {
                    let ours = extensions(&documents);
                    if !same(&ours, &record["x"]) {
                        let what = format!("ours   {ours}\n  theirs {}\n{}", record["x"], record["input"]);
                        wrong.insert(name, what);
                    }
                }
            }
        }
    }
    // yaml.v3 takes a bracket inside of a tag for a part of it (`!res]et`); libyaml refuses it, and so do we.
    report("yaml-fuzz", total, &wrong, &["yaml-fuzz.jsonl:2377", "yaml-fuzz-2.jsonl:1881"]);
}

#[test]
fn documents_are_read_as_docker_compose_reads_them() {
    let Some(folder) = folder() else { return };
    let mut wrong = BTreeMap::new();
    let cases = cases(&folder.join("yaml"));
    let total = cases.len();
    for (name, path) in cases {
        let environment = Environment::of(&path);
        let mut documents: Result<Vec<Node>, String> = Ok(Vec::new());
        for file in ["compose.yaml", "a.yaml", "b.yaml"] {
            let Ok(bytes) = fs::read(path.join(file)) else { continue };
            documents = documents.and_then(|mut before| {
                before.extend(load(&bytes, Some(&environment))?);
                Ok(before)
            });
        }
        let error = read(&path.join("expected-error.txt"));
        match (documents, error) {
            (Err(_), Some(error)) if is_yaml_error(&error) => {}
            (Ok(_), Some(error)) if !is_yaml_error(&error) => {}
            (Ok(_), Some(error)) => {
                wrong.insert(name, format!("accepted, but: {}", short(&error)));
            }
            (Err(ours), error) => {
                wrong.insert(name, format!("refused: {ours}, but: {error:?}"));
            }
            (Ok(documents), None) => {
                // Some answers nest deeper than serde_json reads: there, that we accept the document is all we know.
                let Ok(answer) = serde_json::from_str::<Json>(&read(&path.join("expected.json")).unwrap()) else {
                    continue;
                };
                let theirs = answer.as_object().unwrap().iter().filter(|(key, _)| key.starts_with("x-"));
                let theirs: Json =
                    theirs.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>().into();
                let ours = extensions(&documents);
                if !same(&ours, &theirs) {
                    wrong.insert(
                        name,
                        format!("ours {} theirs {}", short(&ours.to_string()), short(&theirs.to_string())),
                    );
                }
            }
        }
    }
    // 5,000 levels are more than we allow; nested merge keys, on which docker compose never ends, are no bomb for us.
    report("yaml", total, &wrong, &["deep-seq-inline-dash", "bomb-merge"]);
}

#[test]
fn variables_are_filled_in_as_docker_compose_does() {
    let Some(folder) = folder() else { return };
    let mut wrong = BTreeMap::new();
    let cases = cases(&folder.join("interpolation"));
    let total = cases.len();
    for (name, path) in cases {
        let documents = load(&fs::read(path.join("compose.yaml")).unwrap(), Some(&Environment::of(&path)));
        match (documents, read(&path.join("expected-error.txt"))) {
            (Err(ours), Some(theirs)) => {
                let ours = ours.split_once(' ').unwrap().1;
                if ours != theirs.lines().next().unwrap().trim_end_matches('.') {
                    wrong.insert(name, format!("{ours} / {theirs}"));
                }
            }
            (Ok(documents), None) => {
                let theirs: Json = serde_json::from_str(&read(&path.join("expected.json")).unwrap()).unwrap();
                let ours = extensions(&documents);
                if !same(&ours["x-v"], &theirs["x-v"]) {
                    wrong.insert(name, format!("ours {ours} theirs {}", theirs["x-v"]));
                }
            }
            (ours, theirs) => {
                wrong.insert(name, format!("{:?} {theirs:?}", ours.map(|documents| extensions(&documents))));
            }
        }
    }
    // Newer releases do not look at a default that is not needed, and neither do we.
    report("interpolation", total, &wrong, &["nested-unused-invalid", "nested-unused-required"]);
}

#[test]
fn files_of_variables_are_read_as_docker_compose_reads_them() {
    let Some(folder) = folder() else { return };
    let mut wrong = BTreeMap::new();
    let cases = cases(&folder.join("dotenv"));
    let total = cases.len();
    for (name, path) in cases {
        let Environment(environment) = Environment::of(&path);
        let text = dotenv::decode_text(&fs::read(path.join("case.env")).unwrap());
        let mut sources = SourceMap::default();
        let file = sources.add_private("case.env", None, text.as_str());
        // As `env_file` the project's name is known, as `--env-file` it is not yet.
        let of_project = |name: &str| match name {
            "COMPOSE_PROJECT_NAME" => Some("case".to_owned()),
            _ => environment.get(name).cloned(),
        };
        let values = |parsed: dotenv::Parsed| parsed.variables.into_iter().map(|it| (it.name, it.value));
        match (dotenv::parse(&text, file, &of_project), read(&path.join("expected-error.txt"))) {
            (Err(_), Some(_)) => {}
            (Ok(parsed), None) => {
                let answer: Json = serde_json::from_str(&read(&path.join("expected.json")).unwrap()).unwrap();
                let none = Json::Object(Map::new());
                let theirs = answer["services"]["a"].get("environment").unwrap_or(&none);
                let ours: Json = values(parsed).map(|(name, value)| (name, value.into())).collect::<Map<_, _>>().into();
                if !same(&ours, theirs) {
                    wrong.insert(name.clone(), format!("ours {ours} theirs {theirs}"));
                }
                let parsed = dotenv::parse(&text, file, &|name| environment.get(name).cloned()).unwrap();
                let mut all: BTreeMap<_, _> = values(parsed).collect();
                all.extend(environment.clone());
                all.insert("COMPOSE_PROJECT_NAME".into(), "case".into());
                let ours: String = all.into_iter().map(|(name, value)| format!("{name}={value}\n")).collect();
                let theirs = read(&path.join("expected-environment.txt")).unwrap();
                if ours.trim_end() != theirs.trim_end() {
                    wrong.insert(name, format!("ours {ours:?} theirs {theirs:?}"));
                }
            }
            (ours, theirs) => {
                wrong.insert(name, format!("{ours:?} {theirs:?}"));
            }
        }
    }
    report("dotenv", total, &wrong, &[]);
}

/// What docker compose doubled when it printed.
fn single_dollars(node: &mut Node) {
    match &mut node.value {
        Value::String(text) => *text = text.replace("$$", "$"),
        Value::Sequence(items) => items.iter_mut().for_each(single_dollars),
        Value::Mapping(entries) => {
            let all: Vec<_> = std::mem::take(entries).into_entries().collect();
            for (key, mut entry) in all {
                single_dollars(&mut entry.node);
                entries.insert(key.replace("$$", "$"), entry.key_span, entry.node);
            }
        }
        _ => {}
    }
}

#[test]
fn what_docker_compose_prints_is_printed_again_the_same() {
    let Some(folder) = folder() else { return };
    let mut wrong = BTreeMap::new();
    let cases = cases(&folder.join("yaml-output"));
    let total = cases.len();
    for (name, path) in cases {
        let theirs = read(&path.join("expected.yaml")).unwrap();
        let doubled = |text: String| text.replace('$', "$$").replace("$${CASE}", "${CASE}");
        let differs = |ours: &str| {
            let line = ours.lines().zip(theirs.lines()).find(|(a, b)| a != b);
            line.map(|(a, b)| format!("{a:?} {b:?}"))
        };
        if let Ok(mut documents) = load(theirs.as_bytes(), None) {
            single_dollars(&mut documents[0]);
            let ours = doubled(node_to_yaml(&documents[0]));
            if ours != theirs {
                wrong.insert(name.clone(), format!("{:?}", differs(&ours)));
            }
        }
        // docker compose cannot read all that it prints; from its JSON all strings are known.
        let Some(answer) = read(&path.join("expected.json")).filter(|_| name.starts_with("strings")) else { continue };
        let mut answer: Json = serde_json::from_str(&answer.replace("$$", "$")).unwrap();
        let service = answer["services"]["a"].as_object_mut().unwrap();
        service.retain(|_, value| !value.is_null());
        answer["networks"]["default"].as_object_mut().unwrap().shift_remove("ipam");
        if let Some(keys) = answer.get_mut("x-k").and_then(Json::as_object_mut) {
            let mut entries: Vec<_> = std::mem::take(keys).into_iter().collect();
            sort_naturally(&mut entries, |(key, _)| key);
            keys.extend(entries);
        }
        let mut ordered = Map::new();
        for key in ["name", "services", "networks", "x-k", "x-l"] {
            ordered.extend(answer.get(key).map(|value| (key.to_owned(), value.clone())));
        }
        let ours = doubled(to_yaml(&ordered.into()));
        if ours != theirs {
            wrong.insert(name, format!("from JSON: {:?}", differs(&ours)));
        }
    }
    report("yaml-output", total, &wrong, &[]);
}
