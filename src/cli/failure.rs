//! Why a command failed: its text, what to do about it, and the exit code.

use crate::runtime;
use crate::runtime::ErrorKind;

/// A command that did not do what it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// Flags or arguments that mean nothing.
    Usage(String),
    /// The compose files have errors; they were printed with their places. The text is for programs.
    BadFile(String),
    /// A service that is not in the files.
    NoSuchService {
        /// As it was asked for.
        name: String,
        /// The one that was meant, perhaps.
        meant: Option<String>,
    },
    /// The engine said no.
    Engine(runtime::Error),
    /// Something else, in words that say what to do.
    Message(String),
    /// A text and things to do about it.
    Hinted {
        /// What is wrong.
        message: String,
        /// What to do.
        hints: Vec<String>,
    },
    /// Operations failed or were forbidden.
    Operations(Vec<Cause>),
    /// A command inside a container ended with this code; there is nothing to add.
    Container {
        /// Its code.
        code: u8,
    },
    /// The process of a one-off could not be started.
    NotStarted {
        /// Why.
        message: String,
        /// As shells tell it.
        code: u8,
    },
    /// A person left a process alone that goes on; the exit code is that of an interrupt.
    Left {
        /// What goes on.
        message: String,
        /// How it is found or ended.
        hint: String,
    },
    /// A person answered a question with no.
    Declined,
    /// A person broke it off.
    Interrupted,
    /// A person broke it off; what is left of it.
    Halted(String),
    /// Another process broke it off; why.
    BrokenOff(String),
}

/// One thing that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// What and why.
    pub message: String,
    /// Lines that help: the last output of a container, the last health check.
    pub details: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
}

impl From<runtime::Error> for Failure {
    fn from(error: runtime::Error) -> Self {
        Self::Engine(error)
    }
}

impl Failure {
    /// A failure that is only a text.
    pub fn message(text: &str) -> Self {
        Self::Message(text.to_owned())
    }

    /// A service that is not among `known`.
    pub fn no_such_service<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        Self::NoSuchService { name: name.to_owned(), meant: nearest(name, known) }
    }

    /// A failure about a word, with the known word that was probably meant.
    pub fn about<'a>(message: String, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, known).filter(|meant| meant != word) {
            Some(meant) => Self::Hinted { message, hints: vec![format!("did you mean `{meant}`?")] },
            None => Self::Message(message),
        }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::BadFile(_)
            | Self::NoSuchService { .. }
            | Self::Engine(_)
            | Self::Message(_)
            | Self::Hinted { .. }
            | Self::Operations(_)
            | Self::Declined => 1,
            Self::Container { code } | Self::NotStarted { code, .. } => *code,
            Self::Interrupted | Self::Halted(_) | Self::Left { .. } | Self::BrokenOff(_) => 130,
        }
    }

    /// The text without hints; empty when the exit code says it all.
    pub fn text(&self) -> String {
        match self {
            Self::Usage(text)
            | Self::Message(text)
            | Self::BadFile(text)
            | Self::BrokenOff(text)
            | Self::Halted(text)
            | Self::NotStarted { message: text, .. } => text.clone(),
            Self::NoSuchService { name, .. } => format!("no such service: {name}"),
            Self::Engine(error) => engine_text(error),
            Self::Hinted { message, .. } | Self::Left { message, .. } => message.clone(),
            Self::Operations(causes) => {
                let lines: Vec<&str> = causes.iter().map(|cause| cause.message.as_str()).collect();
                lines.join("\n")
            }
            Self::Declined => "operation cancelled by user".to_owned(),
            Self::Container { .. } | Self::Interrupted => String::new(),
        }
    }

    /// All lines for a person; the first ones are the text.
    pub fn lines(&self) -> Vec<String> {
        let hint = |text: &str| format!(" hint: {text}");
        match self {
            // Printed already, with places.
            Self::BadFile(_) => Vec::new(),
            Self::Operations(causes) => causes
                .iter()
                .flat_map(|cause| {
                    let details = cause.details.iter().map(|line| format!("  {line}"));
                    let hints = cause.hints.iter().map(|text| hint(text));
                    std::iter::once(cause.message.clone()).chain(details).chain(hints)
                })
                .collect(),
            Self::NoSuchService { meant: Some(meant), .. } => {
                vec![self.text(), hint(&format!("did you mean `{meant}`?"))]
            }
            Self::Hinted { message, hints } => {
                std::iter::once(message.clone()).chain(hints.iter().map(|text| hint(text))).collect()
            }
            Self::Left { message, hint: how } => vec![message.clone(), hint(how)],
            Self::Engine(error) => std::iter::once(engine_text(error)).chain(engine_hint(error).map(hint)).collect(),
            Self::Usage(_)
            | Self::NoSuchService { meant: None, .. }
            | Self::Message(_)
            | Self::NotStarted { .. }
            | Self::Declined
            | Self::BrokenOff(_)
            | Self::Halted(_)
            | Self::Container { .. }
            | Self::Interrupted => vec![self.text()],
        }
    }
}

fn engine_text(error: &runtime::Error) -> String {
    error.to_string()
}

fn engine_hint(error: &runtime::Error) -> Option<&'static str> {
    match error.kind {
        ErrorKind::Unavailable => {
            Some("is the engine running? `docker context ls` and DOCKER_HOST say which engine is meant")
        }
        ErrorKind::Denied => {
            Some("may you use the engine's socket (group `docker`), or does a registry want `docker login`?")
        }
        ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Unsupported
        | ErrorKind::TimedOut
        | ErrorKind::Invalid
        | ErrorKind::Other => None,
    }
}

/// The known word that was probably meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let (distance, near) = known.into_iter().map(|known| (strsim::damerau_levenshtein(word, known), known)).min()?;
    // A third of the letters may be wrong; short words may have one wrong letter.
    (distance <= (word.chars().count() / 3).max(1) && distance < near.chars().count()).then(|| near.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_code_and_text() {
        for (failure, code, text) in [
            (Failure::Usage("unknown flag: --foo".into()), 1, "unknown flag: --foo"),
            (Failure::no_such_service("wbe", ["web", "db"]), 1, "no such service: wbe\n hint: did you mean `web`?"),
            (Failure::no_such_service("zzz", ["web", "db"]), 1, "no such service: zzz"),
            (Failure::Container { code: 137 }, 137, ""),
            (Failure::Interrupted, 130, ""),
        ] {
            assert_eq!((failure.code(), failure.lines().join("\n").as_str()), (code, text));
        }
    }

    #[test]
    fn only_near_words_are_proposed() {
        for (word, meant) in
            [("strat", Some("start")), ("pss", Some("ps")), ("xyz", None), ("a", None), ("lgos", Some("logs"))]
        {
            assert_eq!(nearest(word, ["start", "stop", "ps", "logs"]).as_deref(), meant, "{word}");
        }
    }
}
