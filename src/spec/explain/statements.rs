//! All places that say something about a value, found by reading the project's texts once more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostics::{FileId, Source, Span};
use crate::spec::dotenv;
use crate::spec::emit::node_to_yaml;
use crate::spec::explain::{Fate, HIDDEN, Statement, Variable, Way, path_is_secret};
use crate::spec::locate::step_into;
use crate::spec::model::Project;
use crate::spec::paths;
use crate::spec::sensitive;
use crate::spec::tree::{Node, Origin, Tag, Value};
use crate::spec::yaml;

/// Files and services looked at; more than any project has.
const MAX_VISITS: usize = 2_000;
/// `extends` and `include` followed in a row.
const MAX_CHAIN: usize = 100;
/// Characters shown of a statement.
const MAX_TEXT: usize = 60;

/// The statements about a path in the order in which they take effect.
pub(super) fn of(project: &Project, steps: &[&str]) -> Vec<Statement> {
    let found = steps.is_empty().then(Vec::new).unwrap_or_else(|| {
        let mut search = Search::new(project, steps);
        for file in &project.config_files {
            search.file(Path::new(file), &Way::File, &mut Vec::new());
        }
        search.found
    });
    let mut statements = found;
    let winner = project.node(steps);
    variables(project, steps, winner.is_some(), &mut statements);
    judge(project, steps, winner, &mut statements);
    statements
}

struct Search<'p> {
    project: &'p Project,
    steps: Vec<String>,
    /// The compose files of the project; one that was read twice by its first id.
    files: BTreeMap<PathBuf, FileId>,
    parsed: BTreeMap<FileId, Arc<[Node]>>,
    visits: usize,
    found: Vec<Statement>,
}

impl<'p> Search<'p> {
    fn new(project: &'p Project, steps: &[&str]) -> Self {
        let mut files = BTreeMap::new();
        for (id, source) in project.sources.iter().filter(|(_, source)| !source.private) {
            if let Some(path) = &source.path {
                files.entry(path.clone()).or_insert(id);
            }
        }
        let steps = steps.iter().map(|step| (*step).to_owned()).collect();
        Self { project, steps, files, parsed: BTreeMap::new(), visits: 0, found: Vec::new() }
    }

    fn documents(&mut self, id: FileId) -> Arc<[Node]> {
        let project = self.project;
        let parse = || {
            let text = project.sources.get(id).map(|source| source.text.as_ref()).unwrap_or_default();
            yaml::parse(text, id).unwrap_or_default().into()
        };
        self.parsed.entry(id).or_insert_with(parse).clone()
    }

    fn file(&mut self, path: &Path, way: &Way, chain: &mut Vec<PathBuf>) {
        self.visits += 1;
        if self.visits > MAX_VISITS || chain.len() > MAX_CHAIN || chain.iter().any(|file| file == path) {
            return;
        }
        let Some(id) = self.files.get(path).copied() else { return };
        chain.push(path.to_owned());
        for document in self.documents(id).iter() {
            self.included(document, path, chain);
            if let ["services", name, ..] = self.steps.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                let name = (*name).to_owned();
                self.service(document, path, &name, way, &mut Vec::new());
            } else {
                let steps = self.steps.clone();
                self.say(document, &steps, way);
            }
        }
        chain.pop();
    }

    fn included(&mut self, document: &Node, file: &Path, chain: &mut Vec<PathBuf>) {
        let items = document.get("include").and_then(Node::as_sequence).unwrap_or_default();
        for item in items {
            let paths = item.get("path").unwrap_or(item);
            let names: Vec<&str> = match &paths.value {
                Value::String(one) => vec![one.as_str()],
                Value::Sequence(many) => many.iter().filter_map(Node::as_str).collect(),
                _ => Vec::new(),
            };
            for name in names {
                if let Some(path) = self.located(file, name) {
                    self.file(&path, &Way::Included, chain);
                }
            }
        }
    }

    /// What a service says, after what it extends says.
    fn service(&mut self, document: &Node, file: &Path, name: &str, way: &Way, chain: &mut Vec<(PathBuf, String)>) {
        self.visits += 1;
        let here = (file.to_owned(), name.to_owned());
        if self.visits > MAX_VISITS || chain.len() > MAX_CHAIN || chain.contains(&here) {
            return;
        }
        chain.push(here);
        let service = document.get("services").and_then(|services| services.get(name));
        if let Some(extends) = service.and_then(|service| service.get("extends")) {
            let base = extends.as_str().or_else(|| extends.get("service").and_then(Node::as_str));
            let other = extends.get("file").and_then(Node::as_str);
            if let Some(base) = base {
                let way = Way::Extended(base.to_owned());
                match other.map(|other| self.located(file, other)) {
                    None => self.service(document, file, base, &way, chain),
                    Some(Some(path)) => {
                        if let Some(id) = self.files.get(&path).copied() {
                            for document in self.documents(id).iter() {
                                self.service(document, &path, base, &way, chain);
                            }
                        }
                    }
                    Some(None) => {}
                }
            }
        }
        let mut steps = self.steps.clone();
        if let Some(step) = steps.get_mut(1) {
            name.clone_into(step);
        }
        self.say(document, &steps, way);
        chain.pop();
    }

    /// A file that another one names, when it was read.
    fn located(&self, from: &Path, name: &str) -> Option<PathBuf> {
        let beside = from.parent().unwrap_or(Path::new("/"));
        [beside, self.project.working_dir.as_path()]
            .into_iter()
            .map(|directory| PathBuf::from(paths::join(directory, name)))
            .find(|path| self.files.contains_key(path))
    }

    /// Notes what a document says about a path.
    fn say(&mut self, document: &Node, steps: &[String], way: &Way) {
        let mut node = document;
        let mut passed: Vec<&str> = Vec::new();
        for step in steps {
            if node.tag == Tag::Reset {
                break;
            }
            let next = match &node.value {
                // Items are appended by later files: the number says nothing about the place in this one.
                Value::Sequence(items) if step.parse::<usize>().is_ok() => {
                    let full: Vec<&str> = passed.iter().copied().chain([step.as_str()]).collect();
                    let item = self.project.node(&self.as_final(&full)).map(|item| item.span);
                    items.iter().find(|own| item.is_some_and(|span| self.within(span, own.span)))
                }
                _ => step_into(node, step),
            };
            match next {
                Some(next) => node = next,
                None => {
                    // A short form says it in one text; `!override` says it by leaving it out.
                    let short = matches!(node.value, Value::String(_) | Value::Int(_)) && passed.len() > 2;
                    if short || node.tag == Tag::Override {
                        break;
                    }
                    return;
                }
            }
            passed.push(step);
        }
        let Some(source) = self.project.sources.get(node.span.file) else { return };
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        let text = written(source, node, &steps);
        let place = self.project.sources.place(node.span);
        self.found.push(Statement { place, span: node.span, text, way: way.clone(), fate: Fate::Overridden });
    }

    /// The path in the project: an extended service goes by the name of the one that extends it.
    fn as_final<'s>(&'s self, steps: &[&'s str]) -> Vec<&'s str> {
        let mut steps = steps.to_vec();
        if let (Some("services"), Some(own)) = (steps.first().copied(), self.steps.get(1))
            && let Some(step) = steps.get_mut(1)
        {
            *step = own;
        }
        steps
    }

    fn within(&self, inner: Span, outer: Span) -> bool {
        same_file(self.project, inner, outer) && outer.start <= inner.start && inner.end <= outer.end
    }
}

/// What is written at a node, in one line.
fn written(source: &Source, node: &Node, steps: &[&str]) -> String {
    let tag = match node.tag {
        Tag::Reset => return "!reset".to_owned(),
        Tag::Override => "!override ",
        Tag::None => "",
    };
    let text = match &node.value {
        Value::Mapping(mapping) => counted(mapping.len(), "key"),
        Value::Sequence(items) => counted(items.len(), "item"),
        Value::String(text) => text.clone(),
        Value::Null => "null".to_owned(),
        _ => source
            .text
            .get(node.span.start as usize..node.span.end as usize)
            .map_or_else(|| node_to_yaml(node), str::to_owned),
    };
    if path_is_secret(steps) || sensitive::shows_secret(&text) {
        return format!("{tag}{HIDDEN}");
    }
    let line = text.lines().next().unwrap_or_default().trim_end();
    let cut = line.len() < text.trim_end().len() || line.chars().count() > MAX_TEXT;
    let line: String = line.chars().filter(|character| !character.is_control()).take(MAX_TEXT).collect();
    if cut { format!("{tag}{line}…") } else { format!("{tag}{line}") }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The variable that a name without a value (`[KEY]`, `KEY:`) was taken over from.
pub(super) fn taken_over(project: &Project, steps: &[&str], node: &Node) -> Option<Variable> {
    let ["services", _, "environment", name] = steps else { return None };
    let value = project.variable(name).filter(|_| node.origin.is_none())?;
    let source = project.sources.get(node.span.file)?;
    let text = source.text.get(node.span.start as usize..node.span.end as usize)?.trim_matches(['"', '\'']);
    if text != *name && !matches!(text, "" | "~" | "null") {
        return None;
    }
    let beside = project.working_dir.join(".env");
    let lookup = |name: &str| project.variable(name).map(str::to_owned);
    let is_ours = |path: &Path| path == beside || project.env_files.iter().any(|file| Path::new(file) == path);
    let files =
        project.sources.iter().filter(|(_, source)| source.private && source.path.as_deref().is_some_and(is_ours));
    let line = files.filter_map(|(id, source)| {
        let variables = dotenv::parse(&source.text, id, &lookup).ok()?.variables;
        variables.into_iter().rfind(|variable| variable.name == *name && variable.value == value)
    });
    let from = line.last().map_or_else(|| "the shell".to_owned(), |variable| project.sources.place(variable.span));
    Some(Variable { name: (*name).to_owned(), from })
}

/// What files of variables say about a variable of a service; it comes before what the service says itself.
fn variables(project: &Project, steps: &[&str], in_tree: bool, statements: &mut Vec<Statement>) {
    let ["services", service, "environment", name] = steps else { return };
    let mut found: Vec<Statement> = Vec::new();
    for dotenv::Variable { span, value: text, .. } in
        of_env_files(project, service).into_iter().filter(|variable| variable.name == *name)
    {
        let text = if path_is_secret(steps) || sensitive::shows_secret(&text) { HIDDEN.to_owned() } else { text };
        let place = project.sources.place(span);
        found.push(Statement { place, span, text, way: Way::EnvFile, fate: Fate::Overridden });
    }
    if !in_tree && let Some(last) = found.last_mut() {
        last.fate = Fate::Wins;
    }
    statements.splice(0..0, found);
}

/// What the files of variables of a service set, later files last.
pub(super) fn of_env_files(project: &Project, service: &str) -> Vec<dotenv::Variable> {
    let mut found = Vec::new();
    let files = project.node(&["services", service, "env_file"]).and_then(Node::as_sequence).unwrap_or_default();
    for file in files {
        let Some(path) = file.get("path").and_then(Node::as_str).map(Path::new) else { continue };
        let is_it = |source: &Source| source.private && source.path.as_deref() == Some(path);
        let Some((id, source)) = project.sources.iter().find(|(_, source)| is_it(source)) else { continue };
        let lookup = |name: &str| project.variable(name).map(str::to_owned);
        let raw = file.get("format").and_then(Node::as_str) == Some("raw");
        let parse = if raw { dotenv::parse_raw } else { dotenv::parse };
        found.extend(parse(&source.text, id, &lookup).into_iter().flat_map(|parsed| parsed.variables));
    }
    found
}

/// Says which statement won; adds it when none did.
fn judge(project: &Project, steps: &[&str], winner: Option<&Node>, statements: &mut Vec<Statement>) {
    let Some(node) = winner else {
        if let Some(last) = statements.last_mut().filter(|last| last.text == "!reset") {
            last.fate = Fate::Wins;
        }
        return;
    };
    if matches!(node.value, Value::Mapping(_) | Value::Sequence(_)) {
        let after = statements.iter().rposition(|one| one.text.starts_with("!override") || one.text == "!reset");
        for (at, one) in statements.iter_mut().enumerate() {
            one.fate = if after.is_none_or(|after| at >= after) { Fate::Merged } else { Fate::Overridden };
        }
        return;
    }
    let from_file = matches!(node.origin.as_deref(), Some(Origin::FileOfVariables));
    let won = statements.iter_mut().rfind(|one| {
        (one.way == Way::EnvFile) == from_file
            && same_file(project, one.span, node.span)
            && one.span.start <= node.span.start
            && node.span.end <= one.span.end
    });
    match (won, node.origin.as_deref()) {
        (Some(one), origin) if !matches!(origin, Some(Origin::Default)) || one.text == "null" => one.fate = Fate::Wins,
        (_, Some(Origin::Default)) => statements.push(Statement {
            place: project.sources.place(node.span),
            span: node.span,
            text: if path_is_secret(steps) { HIDDEN.to_owned() } else { node.as_str().unwrap_or("default").to_owned() },
            way: Way::Default,
            fate: Fate::Wins,
        }),
        (_, _) => {
            let Some(source) = project.sources.get(node.span.file) else { return };
            statements.push(Statement {
                place: project.sources.place(node.span),
                span: node.span,
                text: written(source, node, steps),
                way: Way::File,
                fate: Fate::Wins,
            });
        }
    }
}

/// Whether two places are in one file; a file that is read twice has two ids.
fn same_file(project: &Project, left: Span, right: Span) -> bool {
    let path = |span: Span| project.sources.get(span.file).and_then(|source| source.path.as_deref());
    left.file == right.file || path(left).is_some_and(|own| Some(own) == path(right))
}
