//! `--progress plain`: one line per change, as docker compose 2.40 writes them, so that tools go on reading them. Layers
//! are left out: there are many, and a log is read afterwards. Builds read as BuildKit's own lines.

use std::time::Duration;

use crate::ui::progress::rows::{Notice, Rows, State};
use crate::ui::progress::{Detail, Groups, View};
use crate::ui::stream::Stream;

/// Lines on a stream.
#[derive(Debug)]
pub(super) struct Plain {
    out: Stream,
    operation: String,
    detail: Detail,
    group: Group,
}

/// How the group around the lines stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Wanted,
    Open,
    Closed,
}

impl Plain {
    /// Lines for `out`.
    pub(super) fn new(out: Stream, operation: &str, detail: Detail) -> Self {
        // A plan that is only shown is to be read.
        let group = if detail.groups == Groups::None || detail.dry_run { Group::Closed } else { Group::Wanted };
        Self { out, operation: operation.to_owned(), detail, group }
    }

    fn line(&mut self, text: &str) {
        if self.group == Group::Wanted {
            self.group = Group::Open;
            let operation = &self.operation;
            match self.detail.groups {
                Groups::None => {}
                Groups::GitHub => self.out.line(&format!("::group::compose {operation}")),
                Groups::GitLab { began } => {
                    let name = "\u{1b}[0Ksection_start";
                    self.out.line(&format!("{name}:{began}:compose_{operation}\r\u{1b}[0Kcompose {operation}"));
                }
            }
        }
        let prefix = if self.detail.dry_run { " DRY-RUN MODE - " } else { "" };
        self.out.line(&format!("{prefix}{text}"));
    }

    /// Ends the group for good: what follows is seen at once.
    fn close(&mut self, now: Duration) {
        if self.group == Group::Open {
            match self.detail.groups {
                Groups::None => {}
                Groups::GitHub => self.out.line("::endgroup::"),
                Groups::GitLab { began } => {
                    let at = began.saturating_add(i64::try_from(now.as_secs()).unwrap_or(0));
                    self.out.line(&format!("\u{1b}[0Ksection_end:{at}:compose_{}\r\u{1b}[0K", self.operation));
                }
            }
            self.group = Group::Closed;
        }
    }
}

impl View for Plain {
    fn notice(&mut self, notice: &Notice) {
        match notice {
            Notice::Status { id, state: State::Warning, details, .. } if !details.is_empty() => {
                self.line(&format!(" {id} Warning {details}"));
            }
            Notice::Status { id, text, sentence: true, .. } => self.line(&format!(" {id} {text}")),
            Notice::Status { id, text, .. } => self.line(&format!(" {id}  {text}")),
            // A line of its own: the standard ones are read by tools.
            Notice::Reason { text, worth_telling, .. } => {
                if *worth_telling || self.detail.dry_run {
                    self.line(&format!("   because: {text}"));
                }
            }
            Notice::Layer { .. } => {}
            // As BuildKit writes it.
            Notice::Build { step, begins, line, .. } => {
                if !self.detail.quiet_output {
                    if *begins {
                        self.line("");
                    }
                    self.line(&format!("#{step} {line}"));
                }
            }
            Notice::Output { line, .. } => {
                if !self.detail.quiet_output {
                    self.line(&format!(" {line}"));
                }
            }
        }
    }
    fn frame(&mut self, _: &Rows, _: Duration) {}
    fn print(&mut self, now: Duration, write: &mut dyn FnMut()) {
        self.close(now);
        write();
    }
    fn finish(&mut self, _: &Rows, now: Duration) {
        self.close(now);
    }
}
