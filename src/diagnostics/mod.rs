//! Findings about what the user wrote: a code, a place, a phrase and a way out.

mod render;
mod source;

pub use render::{render_json, render_line, render_text};
pub use source::{FileId, Position, Source, SourceMap, Span};

/// Name of a kind of finding, in kebab case; its page is `docs/diagnostics/<code>.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code(pub &'static str);

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is done while there is one.
    Error,
    /// The command goes on.
    Warning,
}

/// A place in a source and what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// A short phrase; may be empty.
    pub text: String,
    /// Whether the line holds a secret: only its place is shown.
    pub private: bool,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of finding.
    pub code: Code,
    /// How much it weighs.
    pub severity: Severity,
    /// One phrase, lower case, no full stop.
    pub message: String,
    /// The first is the culprit, the others are context.
    pub labels: Vec<Label>,
    /// Things to do about it.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), labels: Vec::new(), hints: Vec::new() }
    }
    /// A warning without a place yet.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }
    /// Adds a place; the first one added is the culprit.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), private: false });
        self
    }
    /// Adds a place whose line must not be shown.
    #[must_use]
    pub fn at_private(mut self, span: Span) -> Self {
        self.labels.push(Label { span, text: String::new(), private: true });
        self
    }
    /// Adds something to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
    /// Whether it ends the command.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
