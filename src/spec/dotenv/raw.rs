//! `format: raw`: lines of `NAME=value` taken as they are, like docker's own `--env-file`.

use indexmap::IndexMap;

use super::{ENV_FILE_SYNTAX, Parsed, Variable};
use crate::diagnostics::{Diagnostic, FileId, Span};

/// Reads a file without quotes, comments behind values, and variables in values. A name alone takes its value from
/// `lookup`, and is left out when that has none.
pub fn parse_raw(text: &str, file: FileId, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Parsed, Diagnostic> {
    let mut variables: IndexMap<String, Variable> = IndexMap::new();
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let bom = if start == 0 { line.len() - line.trim_start_matches('\u{FEFF}').len() } else { 0 };
        let shown = line.get(bom..).unwrap_or_default().trim_start();
        let from = start + line.len() - shown.len();
        start += whole.len();
        if shown.is_empty() || shown.starts_with('#') {
            continue;
        }
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let span = Span { file, start: clamp(from), end: clamp(from + shown.len()) };
        let (name, value) = match shown.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (shown, None),
        };
        let name_span = Span { end: span.start + clamp(name.len()), ..span };
        if name.is_empty() {
            return Err(Diagnostic::error(ENV_FILE_SYNTAX, "no variable name before `=`").at(span, ""));
        }
        if name.contains([' ', '\t']) {
            // Without `=` the line may be anything, a secret too.
            let what = if value.is_some() { format!("variable '{name}'") } else { "a variable name".to_owned() };
            return Err(Diagnostic::error(ENV_FILE_SYNTAX, format!("{what} contains whitespaces")).at(name_span, ""));
        }
        let Some(value) = value.map(str::to_owned).or_else(|| lookup(name)) else { continue };
        variables.insert(name.to_owned(), Variable { name: name.to_owned(), value, span });
    }
    Ok(Parsed { variables: variables.into_values().collect(), unset: Vec::new() })
}
