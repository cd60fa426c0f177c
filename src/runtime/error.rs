//! What went wrong, in words that do not depend on the engine.

use std::fmt;

/// A result of a runtime call.
pub type Result<T> = std::result::Result<T, Error>;

/// Kinds of failure that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum ErrorKind {
    /// The thing is not there.
    NotFound,
    /// The state of the thing forbids it: name taken, in use, not running.
    Conflict,
    /// Not allowed: the socket's permissions, a registry that wants a login.
    Denied,
    /// No answer: the engine does not run, the connection broke.
    Unavailable,
    /// This engine can not do it.
    Unsupported,
    /// It took longer than it may.
    TimedOut,
    /// The request is wrong in the engine's eyes.
    Invalid,
    /// Anything else.
    Other,
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Error {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// What was tried, on what: `start container shop-web-1`. Completes "failed to …".
    pub what: String,
    /// Why, in the engine's words.
    pub detail: String,
}

impl Error {
    /// A failure of `kind` while doing `what`.
    pub fn new(kind: ErrorKind, what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { kind, what: what.into(), detail: detail.into() }
    }
    /// Whether the thing is not there.
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }
    /// Whether the world was not as the caller believed.
    pub fn is_conflict(&self) -> bool {
        self.kind == ErrorKind::Conflict
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() {
            write!(out, "failed to {}", self.what)
        } else {
            write!(out, "failed to {}: {}", self.what, self.detail)
        }
    }
}

impl std::error::Error for Error {}
