//! `include`: parts of the project that are projects of their own.

use std::path::{Path, PathBuf};

use crate::diagnostics::{Diagnostic, Span};
use crate::spec::codes;
use crate::spec::environment::Environment;
use crate::spec::loader::{Directory, Loader, Parsed, system_text};
use crate::spec::merge::{Tags, merge};
use crate::spec::paths;
use crate::spec::place::Place;
use crate::spec::rules::TOP;
use crate::spec::schema::same;
use crate::spec::tree::{Entry, Mapping, Node, Tag, Value};

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
            let absolute = if paths::is_remote(path) {
                self.fetched(path, Some(*span))?
            } else {
                let absolute = PathBuf::from(paths::join(&directory.real, path));
                if !self.may_read(&absolute, *span) {
                    return None;
                }
                absolute
            };
            if at == 0 {
                real = match &wanted.project_directory {
                    Some(given) => {
                        let given = PathBuf::from(paths::join(&directory.real, given));
                        if !self.may_read(&given, *span) {
                            return None;
                        }
                        given
                    }
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
        let first_of = parsed.first().map(|file: &Parsed| Span { file: file.id, start: 0, end: 0 });
        let environment = self.part_environment(wanted, &real, first_of, directory, environment)?;
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
        first_of: Option<Span>,
        directory: &Directory,
        environment: &Environment,
    ) -> Option<Environment> {
        let mut env_files = Vec::new();
        if wanted.env_files.is_empty() {
            let beside = real.join(".env");
            // What a fetched part has beside it is read because the part is.
            let own = wanted.paths.first().map_or(wanted.span, |(_, span)| *span);
            if self.files.exists(&beside)
                && !self.files.is_dir(&beside)
                && self.may_read(&beside, first_of.unwrap_or(own))
            {
                env_files.push(beside);
            }
        }
        for file in &wanted.env_files {
            if file == "/dev/null" {
                continue;
            }
            let path = PathBuf::from(paths::join(&directory.real, file));
            if !self.may_read(&path, wanted.span) {
                return None;
            }
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
                    Some(_) => {
                        // What stands in the file that includes goes over what it includes.
                        let Some(slot) = to.get_mut(&name) else { continue };
                        let span = slot.span;
                        let own = std::mem::replace(slot, Node::new(Value::Null, span));
                        if own.tag == Tag::Reset {
                            *slot = own;
                            continue;
                        }
                        let shape = TOP.field(section).and_then(|section| section.field(&name));
                        let root = Place::ROOT;
                        let place = root.key(section);
                        let tag = own.tag;
                        let mut merged = merge(node, own, shape, &place.key(&name), Tags::Keep, &mut self.findings);
                        merged.tag = tag;
                        *slot = merged;
                    }
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
