//! Findings about text that is no YAML, or YAML that docker compose refuses.

use crate::diagnostics::{Code, Diagnostic, Span};

/// The text breaks YAML's grammar.
pub(super) const SYNTAX: Code = Code("yaml-syntax");
/// One key twice in one mapping.
pub(super) const DUPLICATE_KEY: Code = Code("duplicate-key");
/// A key that is no string.
pub(super) const KEY_TYPE: Code = Code("key-type");
/// An alias without its anchor, or inside of it.
pub(super) const ALIAS: Code = Code("yaml-alias");
/// `<<` with something that is no mapping.
pub(super) const MERGE_KEY: Code = Code("yaml-merge-key");
/// A scalar that does not fit its tag.
pub(super) const TAG: Code = Code("yaml-tag");
/// Too deep or too many values.
pub(super) const LIMIT: Code = Code("yaml-limit");

/// A finding about a broken text, with what usually is the cause.
pub(super) fn syntax(what: &str, at: Span, text: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(SYNTAX, what).at(at, "");
    let rest = text.get(at.start as usize..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let hint = match what {
        "found character that cannot start any token" => match rest.chars().next() {
            Some('\t') => Some("indent with blanks: YAML allows no tabs there"),
            Some('@' | '`' | '%') => Some("put quotes around a value that begins with this character"),
            _ => None,
        },
        "found a tab character that violates indentation"
        | "found a tab character where an indentation space is expected" => {
            Some("indent with blanks: YAML allows no tabs there")
        }
        "mapping values are not allowed in this context" => {
            Some("put quotes around a value that contains `: `, or check the indentation")
        }
        "did not find expected key" => Some(match line.chars().next() {
            Some('-') => "check the indentation: a list item stands where a key is expected",
            _ => "check the indentation, and what stands behind a closing quote or bracket",
        }),
        "could not find expected ':'" => Some("a key is followed by `:` and a blank"),
        "found unexpected end of stream" => Some("a closing quote is missing"),
        "found unknown escape character" => {
            Some("inside double quotes `\\` begins an escape: write `\\\\`, or use single quotes")
        }
        "control characters are not allowed" => Some("save the file as plain UTF-8 text"),
        "found incompatible YAML document" => Some("remove the `%YAML` line"),
        "did not find expected ',' or ']'" | "did not find expected ',' or '}'" => {
            Some("close the bracket, and put quotes around values that contain brackets, braces or `?`")
        }
        _ => None,
    };
    match hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}
