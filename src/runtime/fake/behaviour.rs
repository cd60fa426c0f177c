//! What the program in a container of the fake does: a script that is matched by container name or image.

use std::time::Duration;

use crate::runtime::Output;

/// What a program does once it is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// It ends by itself after so long; `None` runs until it is stopped.
    pub runs_for: Option<Duration>,
    /// Its code when it ends by itself.
    pub exit_code: i64,
    /// After the stop signal it ends so much later; `None` ignores the signal.
    pub stop_takes: Option<Duration>,
    /// Its code after the stop signal.
    pub stop_code: i64,
    /// Its healthcheck, if it has one, succeeds after so long; `None` never does.
    pub healthy_after: Option<Duration>,
    /// Its healthcheck, if it has one, fails for good after so long.
    pub unhealthy_after: Option<Duration>,
    /// What it writes, and when.
    pub writes: Vec<(Duration, Output, Vec<u8>)>,
    /// It can not be started, for this reason.
    pub start_error: Option<String>,
    /// It writes what it reads, and ends when its input ends.
    pub echoes: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self::runs()
    }
}

impl Behaviour {
    /// Runs until it is stopped, obeys the stop signal at once, and is healthy soon.
    pub fn runs() -> Self {
        Self {
            runs_for: None,
            exit_code: 0,
            stop_takes: Some(Duration::ZERO),
            stop_code: 143,
            healthy_after: Some(Duration::from_millis(100)),
            unhealthy_after: None,
            writes: Vec::new(),
            start_error: None,
            echoes: false,
        }
    }
    /// Ends at once with this code.
    pub fn exits(code: i64) -> Self {
        Self { runs_for: Some(Duration::ZERO), exit_code: code, ..Self::runs() }
    }
    /// Ends by itself after so long.
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        self.runs_for = Some(time);
        self
    }
    /// Writes a line to its standard output so long after its start.
    #[must_use]
    pub fn says(mut self, at: Duration, line: &str) -> Self {
        self.writes.push((at, Output::Stdout, format!("{line}\n").into_bytes()));
        self
    }
    /// Writes a line to its standard error so long after its start.
    #[must_use]
    pub fn complains(mut self, at: Duration, line: &str) -> Self {
        self.writes.push((at, Output::Stderr, format!("{line}\n").into_bytes()));
        self
    }
    /// Becomes healthy after so long.
    #[must_use]
    pub fn healthy_after(mut self, time: Duration) -> Self {
        self.healthy_after = Some(time);
        self
    }
    /// Never becomes healthy; known to be unhealthy after so long.
    #[must_use]
    pub fn unhealthy_after(mut self, time: Duration) -> Self {
        self.healthy_after = None;
        self.unhealthy_after = Some(time);
        self
    }
    /// Does not hear the stop signal.
    #[must_use]
    pub fn ignores_stop(mut self) -> Self {
        self.stop_takes = None;
        self
    }
    /// Takes so long to obey the stop signal, then ends with this code.
    #[must_use]
    pub fn stops(mut self, takes: Duration, code: i64) -> Self {
        self.stop_takes = Some(takes);
        self.stop_code = code;
        self
    }
    /// Can not be started.
    #[must_use]
    pub fn fails_to_start(mut self, reason: &str) -> Self {
        self.start_error = Some(reason.to_owned());
        self
    }
    /// Writes what it reads, and ends when its input ends.
    #[must_use]
    pub fn echoes(mut self) -> Self {
        self.echoes = true;
        self
    }
}

/// What a command inside a container does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecBehaviour {
    /// It ends after so long.
    pub takes: Duration,
    /// Its code.
    pub exit_code: i64,
    /// What it writes at once.
    pub writes: Vec<(Output, Vec<u8>)>,
    /// It writes what it reads, and ends when its input ends.
    pub echoes: bool,
}

impl ExecBehaviour {
    /// Ends at once with this code.
    pub fn exits(code: i64) -> Self {
        Self { exit_code: code, ..Self::default() }
    }
    /// Writes a line to its standard output.
    #[must_use]
    pub fn says(mut self, line: &str) -> Self {
        self.writes.push((Output::Stdout, format!("{line}\n").into_bytes()));
        self
    }
}

/// Whether a pattern fits a text: `*` at its beginning or end stands for anything.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) => text.contains(pattern.trim_matches('*')),
        (Some(end), None) => text.ends_with(end),
        (None, Some(beginning)) => text.starts_with(beginning),
        (None, None) => text == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns() {
        #[rustfmt::skip]
        let cases = [
            ("a-1", "a-1", true), ("a-1", "a-11", false), ("a-*", "a-11", true), ("*-1", "a-1", true),
            ("*b*", "abc", true), ("*", "x", true), ("*b", "abc", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
