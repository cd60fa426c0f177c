//! Rules of loading as prose with examples: `fixtures/spec/*.md`.
//!
//! Every heading of second level is a case. Its fenced blocks are files (```` ```yaml name ````, ```` ```env name ````,
//! `compose.yaml` when there is no name), arguments (```` ```args ````) and results: ```` ```result path ```` is what
//! the project says at a path, as YAML. A finding is expected with a comment on its line, `# error: [code] "text"` or
//! `# warning: …`; one without a line in a block ```` ```findings ````. Findings that are not expected fail the case.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test that reads its cases")]

use std::fs;
use std::path::{Path, PathBuf};

use compose::diagnostics::Diagnostic;
use compose::spec::emit::to_yaml;
use compose::spec::files::MemoryFiles;
use compose::spec::{Loaded, Request, codes, load, print};

/// A finding as the fixture wants it, and as it came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    place: String,
    severity: &'static str,
    code: String,
    text: String,
}

#[derive(Debug, Default)]
struct Case {
    title: String,
    line: usize,
    files: Vec<(String, String)>,
    arguments: Vec<String>,
    results: Vec<(String, String)>,
    findings: Vec<Finding>,
}

#[test]
fn loading_does_what_the_fixtures_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/spec");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "md")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for case in cases(&fs::read_to_string(file).unwrap()) {
            count += 1;
            let problems = run(&case);
            if !problems.is_empty() {
                wrong.push(format!("{name}:{}: {}\n{}", case.line, case.title, problems.join("\n")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases:\n\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(count > 50, "only {count} cases were found");
}

#[test]
fn every_code_has_its_page() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diagnostics");
    let mut known: Vec<String> = codes::ALL.iter().map(|code| code.0.to_owned()).collect();
    known.extend(codes_in_sources());
    let missing: Vec<&String> = known.iter().filter(|code| !folder.join(format!("{code}.md")).exists()).collect();
    assert!(missing.is_empty(), "no page docs/diagnostics/<code>.md for {missing:?}");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let code = name.trim_end_matches(".md");
        assert!(known.iter().any(|known| known == code), "docs/diagnostics/{name} is about no code");
    }
}

/// Codes of the layers below, which write them where they are used.
fn codes_in_sources() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut open = vec![root];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(path).unwrap();
            let constants = text.lines().filter(|line| line.contains(": Code = Code(\""));
            found.extend(constants.filter_map(|line| line.split('"').nth(1)).map(str::to_owned));
        }
    }
    found
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            cases.push(Case { title: title.to_owned(), line: number + 1, ..Case::default() });
        }
        let (Some(info), Some(case)) = (line.strip_prefix("```"), cases.last_mut()) else { continue };
        let mut body = String::new();
        for (_, line) in lines.by_ref() {
            if line == "```" {
                break;
            }
            body.push_str(line);
            body.push('\n');
        }
        let (kind, name) = info.split_once(' ').unwrap_or((info, ""));
        match kind {
            "args" => case.arguments.extend(body.split_whitespace().map(str::to_owned)),
            "result" => case.results.push((name.to_owned(), body)),
            "findings" => case.findings.extend(body.lines().filter_map(|line| expected(line, String::new()))),
            _ => {
                let name = if name.is_empty() { "compose.yaml" } else { name };
                for (at, line) in body.lines().enumerate() {
                    let comments = line.split("# ").skip(1).filter(|part| part.contains(": ["));
                    case.findings.extend(comments.filter_map(|part| expected(part, format!("{name}:{}", at + 1))));
                }
                case.files.push((name.to_owned(), body));
            }
        }
    }
    cases
}

/// `error: [code] "text"`
fn expected(text: &str, place: String) -> Option<Finding> {
    let severity = match text.split(':').next()? {
        "error" => "error",
        "warning" => "warning",
        _ => return None,
    };
    let (code, rest) = text.split_once('[')?.1.split_once(']')?;
    let text = rest.trim().trim_start_matches('"').trim_end_matches('"');
    Some(Finding { place, severity, code: code.to_owned(), text: text.to_owned() })
}

fn run(case: &Case) -> Vec<String> {
    let mut files = MemoryFiles::default();
    for (name, text) in &case.files {
        let path = if name.starts_with('/') { name.clone() } else { format!("/project/{name}") };
        files = files.with(&path, text);
    }
    let loaded = load(&request(&case.arguments), &files);
    let mut problems = Vec::new();
    let mut came: Vec<Finding> = loaded.diagnostics.iter().map(|finding| as_finding(finding, &loaded)).collect();
    for wanted in &case.findings {
        let hit = came.iter().position(|came| {
            came.place == wanted.place
                && came.severity == wanted.severity
                && came.code == wanted.code
                && came.text.contains(&wanted.text)
        });
        match hit {
            Some(at) => {
                came.remove(at);
            }
            None => problems.push(format!("  missing: {wanted:?}")),
        }
    }
    problems.extend(came.iter().map(|came| format!("  not expected: {came:?}")));
    let Some(project) = &loaded.project else { return problems };
    let json: serde_json::Value = serde_json::from_str(&print::json(project).replace("$$", "$")).unwrap();
    for (path, wanted) in &case.results {
        let mut value = &json;
        for step in path.split('.').filter(|step| !step.is_empty()) {
            value = match step.parse::<usize>() {
                Ok(at) if value.is_array() => &value[at],
                _ => &value[step],
            };
        }
        let shown = if value.is_string() { format!("{}\n", value.as_str().unwrap()) } else { to_yaml(value) };
        if shown.trim() != wanted.trim() {
            problems.push(format!("  {path} is\n{shown}"));
        }
    }
    problems
}

fn as_finding(finding: &Diagnostic, loaded: &Loaded) -> Finding {
    let place = finding.labels.first().map(|label| loaded.sources.place(label.span)).unwrap_or_default();
    // Without the column.
    let place = place.rsplit_once(':').map_or(String::new(), |(place, _)| place.to_owned());
    Finding {
        place,
        severity: if finding.is_error() { "error" } else { "warning" },
        code: finding.code.0.to_owned(),
        text: format!("{} {}", finding.message.replace('\n', " "), finding.hints.join(" ")),
    }
}

fn request(arguments: &[String]) -> Request {
    let mut request = Request { cwd: PathBuf::from("/project"), ..Request::default() };
    request.environment.insert("HOME".to_owned(), "/home/me".to_owned());
    let mut words = arguments.iter().cloned();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-f" => request.files.extend(words.next()),
            "-p" => request.project_name = words.next(),
            "--profile" => request.profiles.extend(words.next()),
            "--env-file" => request.env_files.extend(words.next()),
            "--project-directory" => request.project_directory = words.next().map(PathBuf::from),
            "--all-resources" => request.options.all_resources = true,
            "--no-consistency" => request.options.no_consistency = true,
            "--no-normalize" => request.options.no_normalize = true,
            "--no-path-resolution" => request.options.no_path_resolution = true,
            "--no-env-resolution" => request.options.no_env_resolution = true,
            word => match word.split_once('=') {
                Some((name, value)) => {
                    request.environment.insert(name.to_owned(), value.to_owned());
                }
                None => request.services.push(word.to_owned()),
            },
        }
    }
    request
}
