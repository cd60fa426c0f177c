//! Logs on standard output: lines behind names, and what is told between them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use regex::bytes::Regex;
use serde_json::json;

use crate::cli::context::Context;
use crate::engine::session::{Followed, LogLine, LogSink, Status};
use crate::names::{ContainerId, ContainerName, ProjectName};
use crate::runtime::Output;
use crate::ui::logs::{Lines, Speaker, Style, display_name};
use crate::ui::paint::Tone;
use crate::ui::progress::Display;

/// Bytes that are written at once while more lines are there already.
const HELD: usize = 32 << 10;

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
    /// Whose lines were shown already, by which name.
    known: BTreeMap<ContainerId, (ContainerName, Speaker)>,
    times: Times,
    /// Only lines that it finds something in.
    only: Option<Regex>,
    /// An object per line.
    json: bool,
    /// What containers wrote to standard error goes there, too.
    apart: bool,
    /// Written, not yet shown.
    held: Vec<u8>,
    display: Option<&'a RefCell<Display>>,
    /// Names that will speak, not yet known to the lines.
    expected: Option<&'a RefCell<BTreeSet<String>>>,
}

impl<'a> ShownLogs<'a> {
    /// Nobody has spoken yet.
    pub(super) fn new(context: &'a Context<'a>, project: &'a ProjectName, style: Style, times: Times) -> Self {
        Self {
            context,
            project,
            lines: Lines::new(style),
            known: BTreeMap::new(),
            times,
            only: None,
            json: false,
            apart: false,
            held: Vec::new(),
            display: None,
            expected: None,
        }
    }
    /// Shows only lines that this finds something in, each as an object when `json` is set.
    #[must_use]
    pub(super) fn filtered(self, only: Option<Regex>, json: bool) -> Self {
        Self { only, json, ..self }
    }
    /// Lets standard error of containers be standard error.
    #[must_use]
    pub(super) fn apart(self) -> Self {
        Self { apart: true, ..self }
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
        if let Some((name, speaker)) = self.known.get(&who.id)
            && *name == who.name
        {
            return *speaker;
        }
        if let Some(expected) = self.expected.take() {
            for name in expected.borrow().iter() {
                self.lines.speaker(name);
            }
        }
        let name = display_name(self.project.as_str(), who.service.as_str(), who.number, who.name.as_str());
        let speaker = self.lines.speaker(&name);
        self.known.insert(who.id.clone(), (who.name.clone(), speaker));
        speaker
    }

    fn flush_much(&mut self) -> io::Result<()> {
        if self.held.len() < HELD { Ok(()) } else { self.flush() }
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
        let LogLine { container, output, time, text } = line;
        if self.only.as_ref().is_some_and(|only| !only.is_match(text)) {
            return Ok(());
        }
        if self.json {
            let object = json!({
                "service": container.service.as_str(),
                "container": container.name.as_str(),
                "time": time,
                "stream": if *output == Output::Stderr { "stderr" } else { "stdout" },
                "message": String::from_utf8_lossy(text.strip_suffix(b"\r").unwrap_or(text)),
            });
            self.held.extend_from_slice(format!("{object}\n").as_bytes());
            return self.flush_much();
        }
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
        if self.apart && *output == Output::Stderr {
            self.flush()?;
            let mut bytes = Vec::new();
            self.lines.line(speaker, time, text, &mut bytes);
            return self.write(|| self.context.io.stderr.bytes(&bytes));
        }
        self.lines.line(speaker, time, text, &mut self.held);
        self.flush_much()
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        let written = self.write(|| self.context.io.stdout.bytes(&held));
        // Its memory is used again.
        self.held = held;
        self.held.clear();
        written
    }

    fn status(&mut self, status: &Status) -> io::Result<()> {
        self.flush()?;
        if self.json && !matches!(status, Status::NoOutput { .. }) {
            return Ok(());
        }
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
                // Over the `^C` that the terminal shows.
                let begin = if io.stdout.is_terminal() { "\r\u{1b}[K" } else { "" };
                let text = format!("{begin}Gracefully Stopping... press Ctrl+C again to force");
                self.write(|| io.stdout.line(&text))
            }
            Status::NoOutput { container, error } => {
                let text = format!("Can't retrieve logs for \"{}\": {}", container.name, error.detail);
                self.write(|| self.context.warn(&text))
            }
        }
    }
}
