//! Where a value of a project came from: every place that says something about it, and which of them won.
//!
//! The tree of a project keeps only what won. What was overridden is not kept, so that loading pays nothing for it; it
//! is found again by parsing the texts that the project still has ([`Project::sources`]) and following `include` and
//! `extends` in them (`statements`). Of lists whose items are appended, only the place of the item itself is told.
//!
//! Values that may be secret are not shown: see [`crate::spec::sensitive`].

mod origins;
mod path;
mod statements;

use std::fmt;

pub use origins::{origins_json, with_origins};

use crate::diagnostics::Span;
use crate::spec::documentation::documentation;
use crate::spec::emit::node_to_yaml;
use crate::spec::locate::step_into;
use crate::spec::model::Project;
use crate::spec::rules::TOP;
use crate::spec::sensitive;
use crate::spec::suggest::nearest;
use crate::spec::tree::{Node, Origin, Value, VariableSource};

/// Stands for a value that is not shown.
const HIDDEN: &str = "(hidden)";

/// What is known about one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The path, with its parts joined by dots: `services.web.ports.0`.
    pub path: String,
    /// The value as YAML without line break at the end; `(hidden)` when it may be secret; `None` when nothing is there.
    pub value: Option<String>,
    /// All places that say something about it, later ones over earlier ones.
    pub statements: Vec<Statement>,
    /// The variables that took part in the value.
    pub variables: Vec<Variable>,
    /// What the attribute is for.
    pub documentation: Option<&'static str>,
    /// The path that was probably meant, when nothing is there.
    pub suggestion: Option<String>,
}

/// One place that says something about a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `compose.yaml:4:12`.
    pub place: String,
    /// The same as a span of the project's sources.
    pub span: Span,
    /// What it says, in one line, as it is written; `(hidden)` when it may be secret.
    pub text: String,
    /// By which way it takes part.
    pub way: Way,
    /// What became of it.
    pub fate: Fate,
}

/// By which way a place takes part in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// One of the project's files.
    File,
    /// A file that is included.
    Included,
    /// A service that is extended; its name.
    Extended(String),
    /// A file of variables of a service.
    EnvFile,
    /// Nothing is written: a default of the specification, or a name made from the project's.
    Default,
}

/// What became of what a place says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is the value.
    Wins,
    /// It is a part of the value.
    Merged,
    /// A later place says something else.
    Overridden,
}

/// A variable that took part in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Where its value came from: `the shell`, `.env:2:1`, `the default in the expression`.
    pub from: String,
}

/// Explains the value at a path: `services.web.image`, `web.ports[0]`, `services.web.labels.traefik.enable`.
pub fn explain(project: &Project, path: &str) -> Explanation {
    let (steps, complete) = path::resolve(project, path);
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    let hidden = path_is_secret(&steps);
    let mut statements = statements::of(project, &steps);
    let node = project.node(&steps).filter(|_| complete);
    let variable = environment_of(project, &steps);
    let value = match (variable, node) {
        (Some(Some(text)), _) => Some(shown(&steps, text, hidden)),
        (Some(None), _) => Some("null".to_owned()),
        (None, Some(node)) => Some(redacted(&steps, node)),
        (None, None) => None,
    };
    if hidden || value.as_deref() == Some(HIDDEN) {
        for statement in &mut statements {
            HIDDEN.clone_into(&mut statement.text);
        }
    }
    let mut variables = Vec::new();
    if let Some(node) = node {
        collect_variables(project, node, &mut variables);
        variables.extend(statements::taken_over(project, &steps, node));
    }
    let suggestion = if value.is_none() { suggestion(project, &steps) } else { None };
    let joined = steps.join(".");
    Explanation { documentation: documentation(&joined), path: joined, value, statements, variables, suggestion }
}

/// The variable of a service that a path names: its value with `env_file` resolved.
fn environment_of<'p>(project: &'p Project, steps: &[&str]) -> Option<Option<&'p str>> {
    let ["services", service, "environment", name] = steps else { return None };
    let service = project.services.get(*service).or_else(|| project.disabled_services.get(*service))?;
    service.environment.get(*name).map(Option::as_deref)
}

/// Whether what stands at a path must not be shown, whatever it is.
fn path_is_secret(steps: &[&str]) -> bool {
    const FREE: [&str; 7] = ["environment", "args", "labels", "annotations", "driver_opts", "options", "content"];
    let free = steps.iter().any(|step| FREE.contains(step) || step.starts_with("x-"));
    steps.last().is_some_and(|last| *last == "x-#value" || free && sensitive::is_key(last))
}

/// Whether a value at a path must not be shown: by the path's name, by the value's form, or because it holds the value
/// of a variable or secret that must not.
pub fn is_hidden(project: &Project, steps: &[&str], text: &str) -> bool {
    /// Shorter values are found in anything.
    const SHORTEST: usize = 4;
    let pair = text.split_once('=').map(|(key, _)| key);
    if path_is_secret(steps) || sensitive::shows_secret(text) || pair.is_some_and(sensitive::is_key) {
        return true;
    }
    let variables = project.environment.iter().filter(|(name, _)| sensitive::is_key(name)).map(|(_, value)| value);
    let contents = project.secrets.values().filter_map(|secret| secret.content.as_ref());
    variables.chain(contents).any(|secret| secret.len() >= SHORTEST && text.contains(secret.as_str()))
}

/// Values that must not be shown wherever they turn up: of variables whose names say so, and of secrets.
pub fn secrets(project: &Project) -> impl Iterator<Item = &str> {
    /// Shorter values are found in anything.
    const SHORTEST: usize = 4;
    let variables = project.environment.iter().filter(|(name, _)| sensitive::is_key(name)).map(|(_, value)| value);
    let of_services = project.services.values().flat_map(|service| &service.environment);
    let of_services = of_services.filter(|(name, _)| sensitive::is_key(name)).filter_map(|(_, value)| value.as_ref());
    let contents = project.secrets.values().filter_map(|secret| secret.content.as_ref());
    let named = project.secrets.values().filter_map(|secret| project.environment.get(secret.environment.as_ref()?));
    let all = variables.chain(of_services).chain(contents).chain(named);
    all.map(String::as_str).filter(|secret| secret.len() >= SHORTEST)
}

fn shown(steps: &[&str], text: &str, hidden: bool) -> String {
    if hidden || path_is_secret(steps) || sensitive::shows_secret(text) { HIDDEN.to_owned() } else { text.to_owned() }
}

/// A value as YAML, without what must not be shown.
fn redacted(steps: &[&str], node: &Node) -> String {
    if path_is_secret(steps) {
        return HIDDEN.to_owned();
    }
    let mut copy = node.clone();
    let mut path: Vec<String> = steps.iter().map(|step| (*step).to_owned()).collect();
    redact(&mut copy, &mut path);
    match copy.as_str() {
        Some(text) => {
            // The item of a list of `key=value` that was asked for by its key.
            let own = steps.last().and_then(|key| text.strip_prefix(key)).and_then(|rest| rest.strip_prefix('='));
            own.unwrap_or(text).to_owned()
        }
        None => node_to_yaml(&copy).trim_end_matches('\n').to_owned(),
    }
}

fn redact(node: &mut Node, path: &mut Vec<String>) {
    let steps: Vec<&str> = path.iter().map(String::as_str).collect();
    let secret = path_is_secret(&steps);
    match &mut node.value {
        Value::Mapping(mapping) => {
            mapping.remove("x-#value");
            for (key, entry) in mapping.iter_mut() {
                path.push(key.to_owned());
                redact(&mut entry.node, path);
                path.pop();
            }
        }
        Value::Sequence(items) => {
            for item in items {
                // `KEY=value`
                let key = item.as_str().and_then(|text| text.split_once('=')).map(|(key, _)| key.to_owned());
                path.push(key.clone().unwrap_or_default());
                redact(item, path);
                path.pop();
                if let Some(key) = key
                    && item.as_str() == Some(HIDDEN)
                {
                    item.value = Value::String(format!("{key}={HIDDEN}"));
                }
            }
        }
        Value::String(text) if secret || sensitive::shows_secret(text) => HIDDEN.clone_into(text),
        Value::Null => {}
        _ if secret => node.value = Value::String(HIDDEN.to_owned()),
        _ => {}
    }
}

fn collect_variables(project: &Project, node: &Node, variables: &mut Vec<Variable>) {
    if let Some(Origin::Interpolated(uses)) = node.origin.as_deref() {
        for one in uses {
            let variable = Variable { name: one.name.clone(), from: source(project, &one.from) };
            if !variables.contains(&variable) {
                variables.push(variable);
            }
        }
    }
    match &node.value {
        Value::Mapping(mapping) => {
            mapping.iter().for_each(|(_, entry)| collect_variables(project, &entry.node, variables));
        }
        Value::Sequence(items) => items.iter().for_each(|item| collect_variables(project, item, variables)),
        _ => {}
    }
}

fn source(project: &Project, source: &VariableSource) -> String {
    match source {
        VariableSource::Shell => "the shell".to_owned(),
        VariableSource::EnvFile(span) => project.sources.place(*span),
        VariableSource::Default => "the default in the expression".to_owned(),
        VariableSource::Unset => "nowhere: it is not set".to_owned(),
        VariableSource::Compose => "compose itself".to_owned(),
    }
}

/// The path with its last wrong step set right.
fn suggestion(project: &Project, steps: &[&str]) -> Option<String> {
    let mut node = &project.tree;
    let mut shape = Some(&TOP);
    for (at, step) in steps.iter().enumerate() {
        if let Some(next) = step_into(node, step) {
            node = next;
            shape = shape.and_then(|shape| shape.field(step).or(shape.items));
            continue;
        }
        let keys = node.as_mapping().into_iter().flat_map(|mapping| mapping.iter().map(|(key, _)| key));
        let known = shape.into_iter().flat_map(|shape| shape.fields.iter().map(|(key, _)| *key));
        let known: Vec<&str> = keys.chain(known).filter(|key| !key.contains('#')).collect();
        if known.contains(step) {
            return None;
        }
        let Some(near) = nearest(step, known) else {
            let services = project.tree.get("services").filter(|_| at == 0)?.as_mapping()?;
            let near = nearest(step, services.iter().map(|(name, _)| name))?;
            let fixed: Vec<&str> = ["services", near].into_iter().chain(steps.iter().skip(1).copied()).collect();
            return Some(fixed.join("."));
        };
        let fixed: Vec<&str> =
            steps.iter().take(at).copied().chain([near]).chain(steps.iter().skip(at + 1).copied()).collect();
        return Some(fixed.join("."));
    }
    None
}

impl Explanation {
    /// The place that gave the value.
    pub fn winner(&self) -> Option<&Statement> {
        self.statements.iter().rfind(|statement| statement.fate == Fate::Wins)
    }
}

/// Lines for people. Ends with a line break.
impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "project" } else { &self.path };
        match &self.value {
            Some(value) if value.contains('\n') => {
                writeln!(out, "{path}:")?;
                for line in value.lines() {
                    let indent = if line.is_empty() { "" } else { "  " };
                    writeln!(out, "{indent}{line}")?;
                }
            }
            Some(value) => writeln!(out, "{path} = {value}")?,
            None => writeln!(out, "{path} is not set")?,
        }
        let width = |text: fn(&Statement) -> &str| {
            self.statements.iter().map(|one| text(one).chars().count()).max().unwrap_or(0)
        };
        let (places, texts) = (width(|one| &one.place), width(|one| &one.text));
        for one in &self.statements {
            let fate = match one.fate {
                Fate::Wins => "wins",
                Fate::Merged => "merged",
                Fate::Overridden => "overridden",
            };
            let way = match &one.way {
                Way::File => String::new(),
                Way::Included => ", included".to_owned(),
                Way::Extended(service) => format!(", extended service {service}"),
                Way::EnvFile => ", env_file".to_owned(),
                Way::Default => ", default".to_owned(),
            };
            writeln!(out, "  {:places$}  {:texts$}  {fate}{way}", one.place, one.text)?;
        }
        for variable in &self.variables {
            writeln!(out, "  ${} comes from {}", variable.name, variable.from)?;
        }
        if let Some(suggestion) = &self.suggestion {
            writeln!(out, "  did you mean `{suggestion}`?")?;
        }
        match self.documentation {
            Some(documentation) => writeln!(out, "\n{documentation}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
