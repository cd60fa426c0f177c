//! Logs on standard output: lines behind names, and what is told between them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;

use crate::cli::context::Context;
use crate::engine::session::{Followed, LogLine, LogSink, Status};
use crate::names::ProjectName;
use crate::ui::logs::{Lines, Speaker, Style, display_name};
use crate::ui::paint::Tone;
use crate::ui::progress::Display;

/// Which times stand before lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    /// None.
    None,
    /// When the engine got the line.
    Engine,
    /// When the line came here.
    Ours,
}

/// A sink for sessions.
pub(super) struct ShownLogs<'a> {
    context: &'a Context<'a>,
    project: &'a ProjectName,
    lines: Lines,
    times: Times,
    display: Option<&'a RefCell<Display>>,
    /// Names that will speak, not yet known to the lines.
    expected: Option<&'a RefCell<BTreeSet<String>>>,
}

impl<'a> ShownLogs<'a> {
    /// Nobody has spoken yet.
    pub(super) fn new(context: &'a Context<'a>, project: &'a ProjectName, style: Style, times: Times) -> Self {
        Self { context, project, lines: Lines::new(style), times, display: None, expected: None }
    }
    /// Shares the terminal with a display.
    #[must_use]
    pub(super) fn beside(self, display: &'a RefCell<Display>) -> Self {
        Self { display: Some(display), ..self }
    }
    /// Waits for speakers whose names are known when the first of them speaks.
    #[must_use]
    pub(super) fn expecting(self, names: &'a RefCell<BTreeSet<String>>) -> Self {
        Self { expected: Some(names), ..self }
    }
    /// Makes a container known before it speaks.
    pub(super) fn introduce(&mut self, service: &str, number: Option<u32>, container: &str) {
        self.lines.speaker(&display_name(self.project.as_str(), service, number, container));
    }

    fn speaker(&mut self, who: &Followed) -> Speaker {
        if let Some(expected) = self.expected.take() {
            for name in expected.borrow().iter() {
                self.lines.speaker(name);
            }
        }
        let name = display_name(self.project.as_str(), who.service.as_str(), who.number, who.name.as_str());
        self.lines.speaker(&name)
    }

    fn write(&self, mut write: impl FnMut()) -> io::Result<()> {
        match self.display {
            Some(display) => display.borrow_mut().print(&mut write),
            None => write(),
        }
        if self.context.io.stdout.is_broken() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

impl LogSink for ShownLogs<'_> {
    fn line(&mut self, line: &LogLine<'_>) -> io::Result<()> {
        let LogLine { container, output: _, time, text } = line;
        let speaker = self.speaker(container);
        let ours;
        let time = match self.times {
            Times::None => None,
            Times::Engine => *time,
            Times::Ours => {
                ours = self.context.io.now().strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string();
                Some(ours.as_str())
            }
        };
        let bytes = self.lines.line(speaker, time, text);
        self.write(|| self.context.io.stdout.bytes(&bytes))
    }

    fn status(&mut self, status: &Status) -> io::Result<()> {
        let io = self.context.io;
        match status {
            Status::Exited { container, code, again } => {
                let speaker = self.speaker(container);
                let text = self.lines.exited(speaker, *code, *again);
                self.write(|| io.stdout.text(&text))
            }
            Status::Recreated(container) => {
                let (service, number, name) = (container.service.as_str(), container.number, container.name.as_str());
                let name = display_name(self.project.as_str(), service, number, name);
                self.write(|| io.stdout.line(&format!("{name} has been recreated")))
            }
            Status::Aborting => {
                let paint = self.context.global.paint(&io.stderr);
                let text = paint.tone(Tone::Error, "Aborting on container exit...");
                self.write(|| io.stderr.line(&text))
            }
            Status::Stopping => {
                let text = "Gracefully Stopping... press Ctrl+C again to force";
                self.write(|| io.stdout.line(text))
            }
            Status::NoOutput { container, error } => {
                let text = format!("Can't retrieve logs for \"{}\": {}", container.name, error.detail);
                self.write(|| self.context.warn(&text))
            }
        }
    }
}
