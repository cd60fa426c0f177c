//! `include`: parts of the project that are projects of their own.

use std::path::{Path, PathBuf};

use crate::diagnostics::{Diagnostic, Span};
use crate::spec::codes;
use crate::spec::environment::Environment;
use crate::spec::loader::{Directory, Loader, system_text};
use crate::spec::paths;
use crate::spec::schema::same;
use crate::spec::tree::{Entry, Mapping, Node, Value};

/// Parts may include parts so many times in a row.
const MAX_CHAIN: usize = 100;

/// An entry of `include`.
struct Wanted {
    paths: Vec<(String, Span)>,
    project_directory: Option<String>,
    env_files: Vec<String>,
    span: Span,
}

impl Loader<'_> {
    /// Brings the resources of included files into a document.
    pub(in crate::spec) fn include(
        &mut self,
        document: &mut Node,
        directory: &Directory,
        environment: &Environment,
        chain: &[PathBuf],
    ) {
        let Value::Mapping(top) = &mut document.value else { return };
        let Some(list) = top.get("include") else { return };
        let Value::Sequence(items) = &list.value else {
            if !list.is_null() {
                let finding = Diagnostic::error(codes::WRONG_TYPE, "`include` must be a list")
                    .at(list.span, format!("this is {}", list.kind()));
                self.findings.push(finding);
            }
            top.remove("include");
            return;
        };
        let wanted: Vec<Wanted> = items.iter().filter_map(wanted).collect();
        if wanted.len() == items.len() {
            // The schema would not find anything wrong with it.
            top.remove("include");
        }
        for wanted in wanted {
            if let Some(part) = self.part(&wanted, directory, environment, chain)
                && let Value::Mapping(top) = &mut document.value
            {
                self.import(part, top);
            }
        }
    }

    fn part(
        &mut self,
        wanted: &Wanted,
        directory: &Directory,
        environment: &Environment,
        chain: &[PathBuf],
    ) -> Option<Node> {
        let mut parsed = Vec::new();
        let mut real = directory.real.clone();
        for (at, (path, span)) in wanted.paths.iter().enumerate() {
            if paths::is_remote(path) {
                self.findings.push(
                    Diagnostic::error(codes::REMOTE_FILE, format!("remote resources are not supported yet: {path}"))
                        .at(*span, "this file lies elsewhere")
                        .hint("fetch it and include the local copy"),
                );
                return None;
            }
            let absolute = PathBuf::from(paths::join(&directory.real, path));
            if at == 0 {
                real = match &wanted.project_directory {
                    Some(given) => PathBuf::from(paths::join(&directory.real, given)),
                    None => absolute.parent().unwrap_or(Path::new("/")).to_owned(),
                };
                if chain.contains(&absolute) || chain.len() > MAX_CHAIN {
                    let mut files: Vec<String> = chain.iter().map(|file| file.display().to_string()).collect();
                    files.push(absolute.display().to_string());
                    let message = format!("include cycle detected:\n{}", files.join("\n include "));
                    self.findings
                        .push(Diagnostic::error(codes::INVALID_INCLUDE, message).at(*span, "the circle closes here"));
                    return None;
                }
            }
            parsed.push(self.read(&absolute, Some(*span))?);
        }
        if parsed.is_empty() {
            return None;
        }
        let environment = self.part_environment(wanted, &real, directory, environment)?;
        let part = self.directory(&real, directory);
        // Files that the part extends are filled in with the part's own variables.
        let outer = std::mem::take(&mut self.bases);
        let tree = self.model(parsed, &part, &environment, chain);
        self.bases = outer;
        Some(tree)
    }

    fn part_environment(
        &mut self,
        wanted: &Wanted,
        real: &Path,
        directory: &Directory,
        environment: &Environment,
    ) -> Option<Environment> {
        let mut env_files = Vec::new();
        if wanted.env_files.is_empty() {
            let beside = real.join(".env");
            if self.files.exists(&beside) && !self.files.is_dir(&beside) {
                env_files.push(beside);
            }
        }
        for file in &wanted.env_files {
            if file == "/dev/null" {
                continue;
            }
            let path = PathBuf::from(paths::join(&directory.real, file));
            let problem = match self.files.read(&path) {
                _ if self.files.is_dir(&path) => Some(format!("{} is not a file", path.display())),
                Err(error) => Some(format!("stat {}: {}", path.display(), system_text(&error))),
                Ok(_) => None,
            };
            if let Some(problem) = problem {
                self.findings.push(Diagnostic::error(codes::UNREADABLE_FILE, problem).at(wanted.span, ""));
                return None;
            }
            env_files.push(path);
        }
        let mut merged = environment.clone();
        for (name, value, source) in self.variables_of(&env_files, environment)? {
            merged.add(&name, &value, source);
        }
        Some(merged)
    }

    fn import(&mut self, part: Node, top: &mut Mapping) {
        let Value::Mapping(mut part) = part.value else { return };
        for section in ["services", "volumes", "networks", "secrets", "configs", "models"] {
            let Some(Node { value: Value::Mapping(from), span, .. }) = part.remove(section) else { continue };
            if top.get(section).is_none_or(Node::is_null) {
                top.insert(section, span, Node::new(Value::Mapping(Mapping::default()), span));
            }
            let Some(Value::Mapping(to)) = top.get_mut(section).map(|to| &mut to.value) else { continue };
            for (name, Entry { key_span, node }) in from.into_entries() {
                match to.entry(&name) {
                    None => {
                        to.insert(name, key_span, node);
                    }
                    Some(here) if same(&here.node, &node) => {}
                    Some(here) => self.findings.push(
                        Diagnostic::error(
                            codes::INVALID_INCLUDE,
                            format!("{section}.{name} conflicts with imported resource"),
                        )
                        .at(here.key_span, "defined here")
                        .at(key_span, "and in the included file")
                        .hint("to change an included resource, do it in an override file: `-f` or a second `path`"),
                    ),
                }
            }
        }
    }
}

fn wanted(item: &Node) -> Option<Wanted> {
    let texts = |node: Option<&Node>| -> Vec<(String, Span)> {
        match node.map(|node| (&node.value, node.span)) {
            Some((Value::String(text), span)) => vec![(text.clone(), span)],
            Some((Value::Sequence(items), _)) => {
                items.iter().filter_map(|item| Some((item.as_str()?.to_owned(), item.span))).collect()
            }
            _ => Vec::new(),
        }
    };
    match &item.value {
        Value::String(_) => {
            Some(Wanted { paths: texts(Some(item)), project_directory: None, env_files: Vec::new(), span: item.span })
        }
        Value::Mapping(long) => {
            let known = ["path", "env_file", "project_directory"];
            if long.iter().any(|(key, _)| !known.contains(&key)) {
                return None;
            }
            Some(Wanted {
                paths: texts(long.get("path")),
                project_directory: long.get("project_directory").and_then(Node::as_str).map(str::to_owned),
                env_files: texts(long.get("env_file")).into_iter().map(|(text, _)| text).collect(),
                span: item.span,
            })
        }
        _ => None,
    }
}
