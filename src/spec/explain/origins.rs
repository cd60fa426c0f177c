//! The model as YAML with the place of every value behind it.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::diagnostics::{SourceMap, Span};
use crate::spec::decode::json;
use crate::spec::explain::{HIDDEN, path_is_secret, redacted, source as source_of, statements};
use crate::spec::locate::step_into;
use crate::spec::model::Project;
use crate::spec::print;
use crate::spec::sensitive;
use crate::spec::tree::{Node, Origin, Value, VariableUse};
use crate::spec::yaml;

/// What `config` prints, with `# file:line:column` behind each line that a file gave, and without values that may be secret.
pub fn with_origins(project: &Project) -> String {
    let text = print::yaml(project);
    let mut own = SourceMap::default();
    let file = own.add("", None, text.as_str());
    let Some(document) = yaml::parse(&text, file).ok().and_then(|documents| documents.into_iter().next()) else {
        // docker compose prints some texts (a tab before the first line) in a way that nobody can read back, and so do
        // we: then the tree is shown, without places.
        return redacted(&[], &project.tree) + "\n";
    };
    let mut notes = Notes::new(project, &text);
    notes.walk(&document, Some(&project.tree), &mut Vec::new());
    notes.applied()
}

/// Where each value came from, as a JSON object: its path (as `compose explain` takes it) to an object with `value`, and,
/// when a file gave it, `file`, `line`, `column` and the `variables` in it with where they came from. Values that may be
/// secret are `(hidden)`.
pub fn origins_json(project: &Project) -> String {
    let text = print::yaml(project);
    let mut own = SourceMap::default();
    let file = own.add("", None, text.as_str());
    let document = yaml::parse(&text, file).ok().and_then(|documents| documents.into_iter().next());
    let mut notes = Notes::new(project, &text);
    let mut out = Map::new();
    notes.list(document.as_ref().unwrap_or(&project.tree), Some(&project.tree), &mut Vec::new(), &mut out);
    serde_json::to_string_pretty(&Json::Object(out)).unwrap_or_default() + "\n"
}

/// The node of a written list that became this item of the printed one.
fn same_item<'n>(theirs: &'n [Node], items: usize, at: usize, item: &Node) -> Option<&'n Node> {
    let same = theirs.iter().find(|other| item.as_str().is_some() && other.as_str() == item.as_str());
    same.or_else(|| theirs.get(at).filter(|_| theirs.len() == items))
}

struct Notes<'a> {
    project: &'a Project,
    text: &'a str,
    /// What goes behind the line that begins at a byte.
    comments: BTreeMap<usize, String>,
    /// Parts that are not shown.
    hidden: Vec<Span>,
    /// Lines of files of variables, by service and variable.
    env_files: BTreeMap<String, BTreeMap<String, Span>>,
}

impl<'a> Notes<'a> {
    fn new(project: &'a Project, text: &'a str) -> Self {
        Self { project, text, comments: BTreeMap::new(), hidden: Vec::new(), env_files: BTreeMap::new() }
    }

    /// Lists the single values below what is printed.
    fn list(&mut self, printed: &Node, written: Option<&Node>, path: &mut Vec<String>, out: &mut Map<String, Json>) {
        match &printed.value {
            Value::Mapping(mapping) if !mapping.is_empty() => {
                for (key, entry) in mapping.iter() {
                    path.push(key.to_owned());
                    self.list(&entry.node, written.and_then(|node| step_into(node, key)), path, out);
                    path.pop();
                }
            }
            Value::Sequence(items) if !items.is_empty() => {
                let theirs = written.and_then(Node::as_sequence).unwrap_or_default();
                for (at, item) in items.iter().enumerate() {
                    path.push(at.to_string());
                    // A command that was written as one text became a list.
                    let next =
                        same_item(theirs, items.len(), at, item).or(written.filter(|node| node.as_str().is_some()));
                    self.list(item, next, path, out);
                    path.pop();
                }
            }
            value => {
                let origin = self.origin(written, path);
                if origin.is_none() && matches!(value, Value::Null) {
                    return;
                }
                let steps: Vec<&str> = path.iter().map(String::as_str).collect();
                let hidden = !printed.is_null()
                    && (path_is_secret(&steps) || printed.as_str().is_some_and(sensitive::shows_secret));
                let value = if hidden { Json::from(HIDDEN) } else { json(printed) };
                let mut entry = Map::new();
                entry.insert("value".to_owned(), value);
                if let Some((span, uses)) = origin
                    && let Some(source) = self.project.sources.get(span.file).filter(|source| !source.name.is_empty())
                {
                    let at = source.position(span.start);
                    entry.insert("file".to_owned(), source.name.as_str().into());
                    entry.insert("line".to_owned(), at.line.into());
                    entry.insert("column".to_owned(), at.column.into());
                    if !uses.is_empty() {
                        let of = |one: &VariableUse| serde_json::json!({"name": one.name, "from": source_of(self.project, &one.from)});
                        entry.insert("variables".to_owned(), uses.iter().map(of).collect());
                    }
                }
                out.insert(path.join("."), Json::Object(entry));
            }
        }
    }

    /// Where a value was written, and the variables in it.
    fn origin(&mut self, node: Option<&Node>, path: &[String]) -> Option<(Span, Vec<VariableUse>)> {
        let Some(node) = node else {
            let steps: Vec<&str> = path.iter().map(String::as_str).collect();
            let ["services", service, "environment", name] = steps.as_slice() else { return None };
            let project = self.project;
            let lines = self.env_files.entry((*service).to_owned()).or_insert_with(|| {
                let variables = statements::of_env_files(project, service).into_iter();
                variables.map(|variable| (variable.name, variable.span)).collect()
            });
            return Some((*lines.get(*name)?, Vec::new()));
        };
        match node.origin.as_deref() {
            Some(Origin::Default) => None,
            Some(Origin::Interpolated(uses)) => Some((node.span, uses.clone())),
            _ => Some((node.span, Vec::new())),
        }
    }

    /// Goes over what is printed and, as far as it is the same, over the project's tree.
    fn walk(&mut self, printed: &Node, written: Option<&Node>, path: &mut Vec<String>) {
        match &printed.value {
            Value::Mapping(mapping) => {
                for (key, entry) in mapping.iter() {
                    let next = written.and_then(|node| step_into(node, key));
                    path.push(key.to_owned());
                    if let Some(comment) = self.comment(next, path) {
                        self.comments.insert(self.line(entry.key_span), comment);
                    }
                    self.walk(&entry.node, next, path);
                    path.pop();
                }
            }
            Value::Sequence(items) => {
                let theirs = written.and_then(Node::as_sequence).unwrap_or_default();
                for (at, item) in items.iter().enumerate() {
                    let next = same_item(theirs, items.len(), at, item);
                    path.push(at.to_string());
                    if item.as_mapping().is_none()
                        && let Some(comment) = self.comment(next, path)
                    {
                        self.comments.insert(self.line(item.span), comment);
                    }
                    self.walk(item, next, path);
                    path.pop();
                }
            }
            Value::Null => {}
            _ => {
                let steps: Vec<&str> = path.iter().map(String::as_str).collect();
                let secret = path_is_secret(&steps) || printed.as_str().is_some_and(sensitive::shows_secret);
                if secret {
                    self.hidden.push(printed.span);
                }
            }
        }
    }

    fn comment(&mut self, node: Option<&Node>, path: &[String]) -> Option<String> {
        let (span, uses) = self.origin(node, path)?;
        let mut comment = written_at(&self.project.sources, span)?;
        for one in uses {
            comment.push_str(&format!(", ${} from {}", one.name, source_of(self.project, &one.from)));
        }
        Some(comment)
    }

    /// Where the line of a place begins.
    fn line(&self, span: Span) -> usize {
        self.text.get(..span.start as usize).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
    }

    fn applied(mut self) -> String {
        self.hidden.sort_by_key(|span| span.start);
        let mut out = String::with_capacity(self.text.len() * 2);
        let mut hidden = self.hidden.iter().peekable();
        let mut skip_to = 0;
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            let end = start + line.len();
            let body = line.trim_end_matches('\n');
            if start >= skip_to {
                match hidden.next_if(|span| (span.start as usize) < end) {
                    Some(span) => {
                        out.push_str(body.get(..span.start as usize - start).unwrap_or_default());
                        out.push_str(HIDDEN);
                        skip_to = span.end as usize;
                    }
                    None => out.push_str(body),
                }
                if let Some(comment) = self.comments.get(&start) {
                    out.push_str("  # ");
                    out.extend(comment.chars().filter(|character| !character.is_control()));
                }
                out.push('\n');
            }
            start = end;
        }
        out
    }
}

/// `compose.yaml:4:12`.
fn written_at(sources: &SourceMap, span: Span) -> Option<String> {
    Some(sources.place(span)).filter(|place| !place.is_empty())
}
