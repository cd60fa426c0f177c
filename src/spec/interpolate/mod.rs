//! Variables in values: `$VAR`, `${VAR:-default}` and their kin.
//!
//! [`interpolate`] fills them in over a whole tree; every changed node remembers which variables made it.
//! [`substitute`] does it for one text.

mod expand;
mod template;
mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub use expand::{Lookup, Substitution, SubstitutionError, SubstitutionErrorKind, substitute};
pub(in crate::spec) use expand::{MAX_ADDED, substitute_within};
pub use variables::{DeclaredVariable, variables};

use crate::diagnostics::{Code, Diagnostic, SourceMap, Span};
use crate::spec::tree::{Node, Origin, Value};

/// `${` without a variable behind it.
pub const INVALID_INTERPOLATION: Code = Code("invalid-interpolation");
/// A variable that has to be set is not.
pub const REQUIRED_VARIABLE: Code = Code("required-variable");
/// A variable is not set and became an empty text.
pub const UNSET_VARIABLE: Code = Code("unset-variable");

/// Labels of one warning; more places than these are only counted.
const MAX_PLACES: usize = 5;

/// One place of a variable that is not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsetVariable {
    /// The variable.
    pub name: String,
    /// The expression, or the value around it.
    pub span: Span,
}

impl UnsetVariable {
    /// What docker compose says about it, once for every place.
    pub fn docker_text(&self) -> String {
        format!("The \"{}\" variable is not set. Defaulting to a blank string.", self.name)
    }
}

/// Fills in the variables of every string of a tree (not of its keys). Changed nodes stay strings and get
/// [`Origin::Interpolated`]; places of unset variables are added to `unset`. The answer are the errors, all of them;
/// the node of an error keeps its text.
pub fn interpolate(
    node: &mut Node,
    lookup: &dyn Lookup,
    sources: &SourceMap,
    unset: &mut Vec<UnsetVariable>,
) -> Vec<Diagnostic> {
    let mut walk =
        Walk { lookup, sources, unset, path: String::new(), errors: Vec::new(), left: MAX_ADDED, full: false };
    walk.node(node);
    walk.errors
}

/// One warning about all unset variables with the places of the first ones; `None` when there is none. `in_env_files`
/// says which file of a service sets a variable, which does not help here.
pub fn unset_warning(unset: &[UnsetVariable], in_env_files: &BTreeMap<String, String>) -> Option<Diagnostic> {
    let names: BTreeSet<&str> = unset.iter().map(|variable| variable.name.as_str()).collect();
    let message = match names.len() {
        0 => return None,
        1 => format!("the {:?} variable is not set, defaulting to a blank string", names.first()?),
        count => {
            let list: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
            format!("{count} variables are not set, defaulting to a blank string: {}", list.join(", "))
        }
    };
    let mut warning = Diagnostic::warning(UNSET_VARIABLE, message);
    let mut shown = BTreeSet::new();
    let firsts = unset.iter().filter(|variable| shown.insert(variable.name.as_str()));
    for variable in firsts.take(MAX_PLACES) {
        warning = warning.at(variable.span, "not set");
    }
    for (name, file) in in_env_files.iter().filter(|(name, _)| names.contains(name.as_str())).take(MAX_PLACES) {
        warning = warning.hint(only_for_containers(name, file));
    }
    let example = names.first()?;
    Some(warning.hint(format!(
        "set {} in the environment or in `.env`, or write a default: `${{{example}:-default}}`",
        if names.len() == 1 { "it" } else { "them" }
    )))
}

/// What to do about a variable that is set where `${}` does not look.
pub(in crate::spec) fn only_for_containers(name: &str, file: &str) -> String {
    format!(
        "`{name}` is set in {file}, which is for the container only: for `${{{name}}}` write it into `.env` or pass `--env-file {file}`"
    )
}

struct Walk<'a> {
    lookup: &'a dyn Lookup,
    sources: &'a SourceMap,
    unset: &'a mut Vec<UnsetVariable>,
    /// `services.web.ports.[0]`
    path: String,
    errors: Vec<Diagnostic>,
    /// Bytes that variables may still add.
    left: usize,
    /// Whether they wanted to add more.
    full: bool,
}

impl Walk<'_> {
    fn node(&mut self, node: &mut Node) {
        if self.full {
            // Each further value would be copied only to be refused.
            return;
        }
        let length = self.path.len();
        match &mut node.value {
            Value::String(text) if text.contains('$') => {
                let span = node.span;
                match substitute_within(text, self.lookup, &mut self.left) {
                    Ok(done) => {
                        for (name, at) in done.unset {
                            self.unset.push(UnsetVariable { name, span: within(span, text, at, self.sources) });
                        }
                        *text = done.text;
                        node.origin = Some(Box::new(Origin::Interpolated(done.variables)));
                    }
                    Err(error) => {
                        let span = within(span, text, error.at.clone(), self.sources);
                        self.errors.push(finding(&error, &self.path, span));
                        self.full |= error.kind == SubstitutionErrorKind::TooLong;
                    }
                }
            }
            Value::Sequence(items) => {
                for (number, item) in items.iter_mut().enumerate() {
                    if may_change(item) {
                        self.enter(&format!("[{number}]"));
                        self.node(item);
                        self.path.truncate(length);
                    }
                }
            }
            Value::Mapping(entries) => {
                for (key, entry) in entries.iter_mut() {
                    if may_change(&entry.node) {
                        self.enter(key);
                        self.node(&mut entry.node);
                        self.path.truncate(length);
                    }
                }
            }
            _ => {}
        }
    }

    fn enter(&mut self, step: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(step);
    }
}

/// Spares the work on paths that most scalars do not need.
fn may_change(node: &Node) -> bool {
    match &node.value {
        Value::String(text) => text.contains('$'),
        Value::Sequence(_) | Value::Mapping(_) => true,
        _ => false,
    }
}

fn finding(error: &SubstitutionError, path: &str, span: Span) -> Diagnostic {
    match &error.kind {
        SubstitutionErrorKind::Invalid { .. } => {
            Diagnostic::error(INVALID_INTERPOLATION, format!("invalid interpolation format for {path}"))
                .at(span, "no variable expression begins like this")
                .hint("you may need to escape any $ with another $")
        }
        SubstitutionErrorKind::Required { name, .. } => {
            Diagnostic::error(REQUIRED_VARIABLE, format!("error while interpolating {path}: {error}"))
                .at(span, "")
                .hint(format!("set `{name}` in the environment or in `.env`"))
        }
        SubstitutionErrorKind::TooDeep | SubstitutionErrorKind::TooLong => {
            Diagnostic::error(INVALID_INTERPOLATION, format!("error while interpolating {path}: {error}")).at(span, "")
        }
    }
}

/// The place of a part of a scalar's value: exact when the scalar is written as it reads, else the whole scalar.
fn within(span: Span, value: &str, part: Range<usize>, sources: &SourceMap) -> Span {
    let exact = || {
        let written = sources.get(span.file)?.text.get(span.start as usize..span.end as usize)?;
        let skipped = if written == value {
            0
        } else if written.get(1..written.len().checked_sub(1)?)? == value && written.starts_with(['"', '\'']) {
            1
        } else {
            return None;
        };
        let byte = |at: usize| Some(span.start + u32::try_from(at + skipped).ok()?);
        Some(Span { start: byte(part.start)?, end: byte(part.end)?, ..span })
    };
    exact().unwrap_or(span)
}

#[cfg(test)]
mod tests;
