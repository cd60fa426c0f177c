//! Files of variables: `.env`, `--env-file`, `env_file`, `label_file`.
//!
//! The dialect is docker compose's own, oddities included: what follows a closing quote is the next statement, a name
//! without a value takes it from the environment, and a last line without `=` and line break sets the empty name.
//! Messages never show a value: these files are full of secrets. Add them with `SourceMap::add_private`.

mod raw;
mod statement;

use std::borrow::Cow;

use indexmap::IndexMap;

pub use raw::parse_raw;

use crate::diagnostics::{Code, Diagnostic, FileId, Span};
use crate::spec::interpolate::{Lookup, MAX_ADDED, SubstitutionErrorKind, UnsetVariable, substitute_within};
use crate::spec::tree::VariableSource;
use statement::{Reader, Statement, Text};

/// A file of variables that cannot be read.
pub const ENV_FILE_SYNTAX: Code = Code("env-file-syntax");

/// A variable of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name; may be empty, as docker compose has it.
    pub name: String,
    /// Its value, variables filled in.
    pub value: String,
    /// From its name to the end of its value.
    pub span: Span,
}

/// What a file of variables says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The variables in the order of their first lines, each name once, with its last value.
    pub variables: Vec<Variable>,
    /// Variables that were asked for in values and are not set.
    pub unset: Vec<UnsetVariable>,
}

/// The text of a file of variables: UTF-8, each wrong byte replaced by U+FFFD, as docker compose does.
pub fn decode_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

/// Reads a file in docker compose's dialect. `lookup` gives what goes before the file's own values when variables in
/// values are filled in, and the value of a name that stands alone.
pub fn parse(text: &str, file: FileId, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Parsed, Diagnostic> {
    parse_after(text, file, lookup, &|_| None)
}

/// Like [`parse`], for one of several files: `earlier` gives the values of the files before it, which values of this
/// file can use but which do not go before its own.
pub fn parse_after(
    text: &str,
    file: FileId,
    lookup: &dyn Fn(&str) -> Option<String>,
    earlier: &dyn Fn(&str) -> Option<String>,
) -> Result<Parsed, Diagnostic> {
    let mut variables: IndexMap<String, Variable> = IndexMap::new();
    let mut unset = Vec::new();
    let mut left = MAX_ADDED;
    let mut reader = Reader::new(text, file);
    while let Some(Statement { name, text, span }) = reader.next()? {
        let value = match text {
            Text::Inherited => match lookup(&name) {
                Some(value) => value,
                None => continue,
            },
            Text::Literal(value) => value,
            Text::Template(template) if !template.contains('$') => template,
            Text::Template(template) => {
                let sight = Sight { lookup, read: &variables, earlier };
                let done = substitute_within(&template, &sight, &mut left)
                    .map_err(|error| refused(&error.kind, &name, span))?;
                unset.extend(done.unset.into_iter().map(|(name, _)| UnsetVariable { name, span }));
                done.text
            }
        };
        variables.insert(name.clone(), Variable { name, value, span });
    }
    Ok(Parsed { variables: variables.into_values().collect(), unset })
}

/// What a value of the file can see.
struct Sight<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    read: &'a IndexMap<String, Variable>,
    earlier: &'a dyn Fn(&str) -> Option<String>,
}

impl Lookup for Sight<'_> {
    fn get(&self, name: &str) -> Option<(Cow<'_, str>, VariableSource)> {
        if let Some(value) = (self.lookup)(name) {
            return Some((value.into(), VariableSource::Shell));
        }
        match self.read.get(name) {
            Some(variable) => Some((variable.value.as_str().into(), VariableSource::EnvFile(variable.span))),
            None => (self.earlier)(name).map(|value| (value.into(), VariableSource::Shell)),
        }
    }
}

fn refused(error: &SubstitutionErrorKind, name: &str, span: Span) -> Diagnostic {
    match error {
        // The template is the value: it is not shown.
        SubstitutionErrorKind::Invalid { .. } => {
            Diagnostic::error(ENV_FILE_SYNTAX, format!("invalid template in the value of `{name}`"))
                .at(span, "")
                .hint("write `$$` for a `$`, or put the value in single quotes")
        }
        SubstitutionErrorKind::Required { name: missing, message } => {
            let message = if message.is_empty() { String::new() } else { format!(": {message}") };
            Diagnostic::error(ENV_FILE_SYNTAX, format!("required variable {missing} is missing a value{message}"))
                .at(span, "")
                .hint(format!("set `{missing}` in the environment or above `{name}`"))
        }
        SubstitutionErrorKind::TooLong => {
            Diagnostic::error(ENV_FILE_SYNTAX, format!("variables add more than {MAX_ADDED} bytes up to `{name}`"))
                .at(span, "")
        }
        SubstitutionErrorKind::TooDeep => {
            Diagnostic::error(ENV_FILE_SYNTAX, format!("variables nest too deeply in the value of `{name}`"))
                .at(span, "")
        }
    }
}

#[cfg(test)]
mod tests;
