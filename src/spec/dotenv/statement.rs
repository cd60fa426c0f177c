//! The statements of a file of variables: a name and a text that is not filled in yet.

use super::ENV_FILE_SYNTAX;
use crate::diagnostics::{Diagnostic, FileId, Span};

/// `NAME=text`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) name: String,
    pub(super) text: Text,
    pub(super) span: Span,
}

/// What stands behind a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Text {
    /// Nothing: the value is that of the environment.
    Inherited,
    /// The value itself.
    Literal(String),
    /// The value once variables are filled in.
    Template(String),
}

/// Reads statements one by one.
pub(super) struct Reader<'text> {
    text: &'text str,
    file: FileId,
    at: usize,
}

impl<'text> Reader<'text> {
    pub(super) fn new(text: &'text str, file: FileId) -> Self {
        Self { text, file, at: if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 } }
    }

    /// The next statement, or `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Statement>, Diagnostic> {
        self.skip_comments();
        if self.rest().is_empty() {
            return Ok(None);
        }
        let exported =
            self.rest().strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t', '\n', '\r', '\u{C}']));
        if let Some(rest) = exported {
            self.at = self.text.len() - trim_start(rest).len();
        }
        let start = self.at;
        let (name, separator) = self.name()?;
        if name.contains(' ') {
            let span = self.span(start, start + name.len());
            return Err(Diagnostic::error(ENV_FILE_SYNTAX, "key cannot contain a space")
                .at(span, "")
                .hint("a line is `NAME=value`; comments begin with `#`"));
        }
        self.at = self.text.len() - trim_start(self.rest()).len();
        if separator == Some('\n') {
            let span = self.span(start, start + name.len());
            return Ok(Some(Statement { name, text: Text::Inherited, span }));
        }
        let (text, end) = self.value()?;
        Ok(Some(Statement { name, text, span: self.span(start, end.max(start)) }))
    }

    /// The name and the character behind it, which is passed. At the end of the file there is none, and then there is
    /// no name either: what stands there is the value of the empty name.
    fn name(&mut self) -> Result<(String, Option<char>), Diagnostic> {
        let rest = self.rest();
        for (at, character) in rest.char_indices() {
            match character {
                '=' | ':' | '\n' => {
                    let name = rest.get(..at).unwrap_or_default().trim_end().to_owned();
                    self.at += at + character.len_utf8();
                    return Ok((name, Some(character)));
                }
                '_' | '.' | '-' | '[' | ']' => {}
                _ if is_blank(character) || character.is_alphabetic() || character.is_numeric() => {}
                _ => {
                    let at = self.at + at;
                    let message = format!("unexpected character {:?} in variable name", character.to_string());
                    return Err(Diagnostic::error(ENV_FILE_SYNTAX, message)
                        .at(self.span(at, at + character.len_utf8()), "")
                        .hint("a line is `NAME=value`; what follows a closing quote counts as a line of its own"));
                }
            }
        }
        Ok((String::new(), None))
    }

    /// The text behind the separator, and where it ends.
    fn value(&mut self) -> Result<(Text, usize), Diagnostic> {
        let rest = self.rest();
        match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            _ => {
                let line = rest.split('\n').next().unwrap_or_default();
                let value = line.split(" #").next().unwrap_or_default().trim_end();
                let end = self.at + value.len();
                self.at = (self.at + line.len() + 1).min(self.text.len());
                Ok((Text::Template(value.to_owned()), end))
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<(Text, usize), Diagnostic> {
        let rest = self.rest();
        let mut value = String::new();
        let mut escaped = false;
        for (at, character) in rest.char_indices().skip(1) {
            match (character, escaped) {
                (_, true) => {
                    // The backslash stays, but before a quote of the same kind.
                    if character != quote {
                        value.push('\\');
                    }
                    value.push(character);
                    escaped = false;
                }
                ('\\', false) => escaped = true,
                (_, false) if character == quote => {
                    self.at += at + 1;
                    let text = if quote == '"' { Text::Template(unescape(&value)) } else { Text::Literal(value) };
                    return Ok((text, self.at));
                }
                _ => value.push(character),
            }
        }
        Err(Diagnostic::error(ENV_FILE_SYNTAX, "unterminated quoted value")
            .at(self.span(self.at, self.at + 1), "the quote opens here")
            .hint(format!("close it with {quote}, or put a value that contains {quote} in other quotes")))
    }

    fn skip_comments(&mut self) {
        loop {
            let rest = self.rest().trim_start();
            let rest = match rest.strip_prefix('#') {
                Some(comment) => comment.find('\n').and_then(|at| comment.get(at..)).unwrap_or_default(),
                None => {
                    self.at = self.text.len() - rest.len();
                    return;
                }
            };
            self.at = self.text.len() - rest.len();
        }
    }

    fn rest(&self) -> &'text str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let clamp = |at: usize| u32::try_from(at.min(self.text.len())).unwrap_or(u32::MAX);
        Span { file: self.file, start: clamp(start), end: clamp(end) }
    }
}

/// White space that ends no line.
fn is_blank(character: char) -> bool {
    matches!(character, '\t' | '\u{B}' | '\u{C}' | '\r' | ' ' | '\u{85}' | '\u{A0}')
}

fn trim_start(text: &str) -> &str {
    text.trim_start_matches(is_blank)
}

/// The escapes of double quotes. `\$` becomes `$$`, which stands for a `$` when variables are filled in; `\0` and up to
/// three octal digits make a character only when there are three of them and the value fits a byte.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let tail = rest.get(at + 1..).unwrap_or_default();
        let (plain, length) = match tail.chars().next() {
            Some('a') => ("\u{7}", 1),
            Some('b') => ("\u{8}", 1),
            Some('f') => ("\u{C}", 1),
            Some('n') => ("\n", 1),
            Some('r') => ("\r", 1),
            Some('t') => ("\t", 1),
            Some('v') => ("\u{B}", 1),
            Some('"') => ("\"", 1),
            Some('\\') => ("\\", 1),
            Some('$') => ("$$", 1),
            Some('0') => {
                let octal: String = tail.chars().skip(1).take(3).take_while(char::is_ascii_digit).collect();
                let code = u8::from_str_radix(&octal, 8).ok().filter(|_| octal.len() == 3);
                match code {
                    Some(code) => out.push(char::from(code)),
                    None => {
                        out.push('\\');
                        out.push_str(&octal);
                    }
                }
                ("", 1 + octal.len())
            }
            _ => ("\\", 0),
        };
        out.push_str(plain);
        rest = tail.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}
