//! Go templates for `--format`: `{{.Name}}`, `{{json .}}`, `{{.Label "x"}}`, and the functions docker adds.
//!
//! The language is small and people know it by heart, so it is kept to the letter, errors included; the crates that
//! know it have no methods with arguments, no `break` and other output.

mod functions;
mod parse;
mod print;
mod run;

use std::fmt;

use serde_json::{Map, Value};

pub(crate) use print::quoted;

/// Key of a row under which its labels lie as a mapping; not printed by `json`.
pub const LABELS: &str = "\0labels";

/// A template that could not be read or run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError(pub String);

impl fmt::Display for TemplateError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "template parsing error: template: {}", self.0)
    }
}

/// A template that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    parsed: parse::Parsed,
}

impl Template {
    /// Reads a template; `\t` and `\n` written with a backslash become a tab and a newline, as for docker.
    ///
    /// # Errors
    /// A template that means nothing.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let text = text.trim_matches(' ').replace(r"\t", "\t").replace(r"\n", "\n");
        parse::parse(&text).map(|parsed| Self { parsed }).map_err(TemplateError)
    }

    /// Runs it on one row.
    ///
    /// # Errors
    /// The template does not fit the row.
    pub fn render(&self, row: &Map<String, Value>) -> Result<String, TemplateError> {
        run::run(&self.parsed, &as_row(row), false).map_err(TemplateError)
    }

    /// Its headings, of the titles of fields; where there is none it says so, as docker does. A template whose headings
    /// can not be made has an empty one.
    pub fn heading(&self, titles: &Map<String, Value>) -> String {
        run::run(&self.parsed, &as_row(titles), true).unwrap_or_default()
    }
}

/// Rows are told from other values by their labels.
fn as_row(row: &Map<String, Value>) -> Value {
    let mut row = row.clone();
    row.entry(LABELS).or_insert(Value::Null);
    Value::Object(row)
}

#[cfg(test)]
mod tests;
