//! The model as YAML with the place of every value behind it.

use std::collections::BTreeMap;

use crate::diagnostics::{SourceMap, Span};
use crate::spec::explain::{HIDDEN, path_is_secret, redacted, source, statements};
use crate::spec::locate::step_into;
use crate::spec::model::Project;
use crate::spec::print;
use crate::spec::sensitive;
use crate::spec::tree::{Node, Origin, Value};
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
    let mut notes =
        Notes { project, text: &text, comments: BTreeMap::new(), hidden: Vec::new(), env_files: BTreeMap::new() };
    notes.walk(&document, Some(&project.tree), &mut Vec::new());
    notes.applied()
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

impl Notes<'_> {
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
                    let same = theirs.iter().find(|other| item.as_str().is_some() && other.as_str() == item.as_str());
                    let next = same.or_else(|| theirs.get(at).filter(|_| theirs.len() == items.len()));
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
        let sources = self.project.sources.clone();
        let Some(node) = node else {
            let steps: Vec<&str> = path.iter().map(String::as_str).collect();
            let ["services", service, "environment", name] = steps.as_slice() else { return None };
            let project = self.project;
            let lines = self.env_files.entry((*service).to_owned()).or_insert_with(|| {
                let variables = statements::of_env_files(project, service).into_iter();
                variables.map(|variable| (variable.name, variable.span)).collect()
            });
            return written_at(&sources, *lines.get(*name)?);
        };
        let place = written_at(&sources, node.span)?;
        match node.origin.as_deref() {
            Some(Origin::Default) => None,
            Some(Origin::Interpolated(uses)) => {
                let mut comment = place;
                for one in uses {
                    comment.push_str(&format!(", ${} from {}", one.name, source(self.project, &one.from)));
                }
                Some(comment)
            }
            _ => Some(place),
        }
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
