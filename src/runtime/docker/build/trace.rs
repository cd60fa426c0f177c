//! What builders tell, as steps and lines: BuildKit's trace and the classic builder's text.

use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::names::ImageId;
use crate::resource::{BuildProgress, StepState};
use crate::runtime::docker::build::status::{Log, Status, Transfer, Vertex};
use crate::runtime::docker::failure;
use crate::runtime::{Error, Result};

/// How many of the last lines of output a failure repeats.
const LAST_LINES: usize = 10;
/// Longest line that is kept together.
const LONGEST_LINE: usize = 64 << 10;

/// One message of the engine's answer to a build.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    id: String,
    stream: String,
    status: String,
    progress: String,
    aux: Json,
    error: String,
    #[serde(rename = "errorDetail")]
    error_detail: Option<ErrorDetail>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorDetail {
    message: String,
}

/// Reads the messages of one build.
#[derive(Default)]
pub(super) struct Trace {
    /// By digest.
    steps: BTreeMap<String, Step>,
    /// Number of the step that began last.
    count: usize,
    /// A line of the classic builder that has no end yet.
    partial: Vec<u8>,
    last_lines: VecDeque<String>,
    /// The instruction that failed.
    pub(super) failed: Option<String>,
    /// The image, once it is there.
    pub(super) built: Option<ImageId>,
}

#[derive(Default)]
struct Step {
    /// Empty before it began.
    number: String,
    ended: bool,
    /// When it began, in nanoseconds since 1970.
    began: u64,
    /// When it wrote something last.
    wrote: u64,
    /// Lines without an end, by stream.
    partial: BTreeMap<u64, Vec<u8>>,
}

impl Trace {
    /// What a message tells; an error when it says that the build failed.
    pub(super) fn read(&mut self, message: &Message, what: &str) -> Result<Vec<BuildProgress>> {
        let mut told = Vec::new();
        let detail = message.error_detail.as_ref().map(|detail| detail.message.as_str());
        if let Some(text) = detail
            .filter(|text| !text.is_empty())
            .or(Some(&message.error).filter(|text| !text.is_empty()).map(String::as_str))
        {
            return Err(self.failure(text, what));
        }
        match (message.id.as_str(), &message.aux) {
            ("moby.buildkit.trace", Json::String(text)) => {
                if let Ok(bytes) = STANDARD.decode(text) {
                    self.status(&Status::read(&bytes), &mut told);
                }
            }
            (_, Json::Object(aux)) => {
                if let Some(image) = aux.get("ID").and_then(Json::as_str) {
                    self.built = Some(ImageId::new(image));
                }
            }
            _ => {}
        }
        if !message.stream.is_empty() {
            let mut partial = std::mem::take(&mut self.partial);
            self.lines("", None, &mut partial, message.stream.as_bytes(), &mut told);
            self.partial = partial;
        }
        // Progress of the classic builder's pulls; bars are not lines.
        if !message.status.is_empty() && message.progress.is_empty() {
            let line = if message.id.is_empty() {
                message.status.clone()
            } else {
                format!("{}: {}", message.id, message.status)
            };
            told.push(BuildProgress::Output { id: String::new(), line, milliseconds: None });
        }
        Ok(told)
    }

    /// The failure that an ended stream without an image is.
    pub(super) fn failure(&self, text: &str, what: &str) -> Error {
        let error = failure::from_stream(what, text);
        if self.last_lines.is_empty() {
            return error;
        }
        let lines: Vec<&str> = self.last_lines.iter().map(String::as_str).collect();
        Error::new(error.kind, error.what, format!("{}\n{}", error.detail, lines.join("\n")))
    }

    /// What is new, from either source.
    pub(super) fn status(&mut self, status: &Status, told: &mut Vec<BuildProgress>) {
        // What is new of a step stands between its beginning and its end, which may come together.
        for vertex in status.vertexes.iter().filter(|vertex| vertex.completed.is_some()) {
            if !self.steps.contains_key(&vertex.digest) {
                self.vertex(&Vertex { completed: None, ..vertex.clone() }, told);
            }
        }
        for vertex in status.vertexes.iter().filter(|vertex| vertex.completed.is_none()) {
            self.vertex(vertex, told);
        }
        for transfer in &status.statuses {
            self.transfer(transfer, told);
        }
        for log in &status.logs {
            self.log(log, told);
        }
        for warning in &status.warnings {
            if let Some(step) = self.steps.get(&warning.vertex) {
                let text = String::from_utf8_lossy(&warning.short).into_owned();
                told.push(BuildProgress::Warning { id: step.number.clone(), text });
            }
        }
        for vertex in status.vertexes.iter().filter(|vertex| vertex.completed.is_some()) {
            self.vertex(vertex, told);
        }
    }

    fn vertex(&mut self, vertex: &Vertex, told: &mut Vec<BuildProgress>) {
        let Some(started) = vertex.started else { return };
        let mut step = self.steps.remove(&vertex.digest).unwrap_or_default();
        let begins = step.number.is_empty() || (step.ended && vertex.completed.is_none());
        if begins {
            if step.number.is_empty() {
                self.count += 1;
                step.number = self.count.to_string();
            }
            step.ended = false;
            step.began = started;
            self.last_lines.clear();
            told.push(step_event(&step, vertex, StepState::Started));
        }
        if let Some(completed) = vertex.completed.filter(|_| !step.ended) {
            step.ended = true;
            for (_, rest) in std::mem::take(&mut step.partial) {
                let at = milliseconds(started, step.wrote);
                self.line(&step.number, Some(at), &rest, told);
            }
            let state = if !vertex.error.is_empty() {
                // What stops because of it fails, too, but later.
                self.failed.get_or_insert_with(|| vertex.name.clone());
                StepState::Failed { error: vertex.error.clone() }
            } else if vertex.cached {
                StepState::Cached
            } else {
                StepState::Done { milliseconds: milliseconds(started, completed) }
            };
            told.push(step_event(&step, vertex, state));
        }
        self.steps.insert(vertex.digest.clone(), step);
    }

    /// Only ends are told: what is in between are bars.
    fn transfer(&mut self, transfer: &Transfer, told: &mut Vec<BuildProgress>) {
        let Some(completed) = transfer.completed else { return };
        let number = self.steps.get(&transfer.vertex).map(|step| step.number.clone()).unwrap_or_default();
        if !number.is_empty() {
            told.push(BuildProgress::Transfer {
                id: number,
                name: transfer.name.clone(),
                current: transfer.current,
                total: transfer.total,
                milliseconds: milliseconds(transfer.started.unwrap_or(completed), completed),
            });
        }
    }

    fn log(&mut self, log: &Log, told: &mut Vec<BuildProgress>) {
        let Some(mut step) = self.steps.remove(&log.vertex) else { return };
        step.wrote = log.at.unwrap_or(step.wrote);
        let at = milliseconds(step.began, step.wrote);
        let mut partial = step.partial.remove(&log.stream).unwrap_or_default();
        self.lines(&step.number, Some(at), &mut partial, &log.text, told);
        if !partial.is_empty() {
            step.partial.insert(log.stream, partial);
        }
        self.steps.insert(log.vertex.clone(), step);
    }

    fn lines(&mut self, id: &str, at: Option<u64>, partial: &mut Vec<u8>, text: &[u8], told: &mut Vec<BuildProgress>) {
        for piece in text.split_inclusive(|byte| *byte == b'\n') {
            partial.extend_from_slice(piece);
            if partial.ends_with(b"\n") || partial.len() > LONGEST_LINE {
                let line = std::mem::take(partial);
                self.line(id, at, &line, told);
            }
        }
    }

    fn line(&mut self, id: &str, at: Option<u64>, text: &[u8], told: &mut Vec<BuildProgress>) {
        let text = String::from_utf8_lossy(text);
        let mut text = text.trim_end_matches(['\n', '\r']);
        if id.is_empty() {
            // The classic builder paints what came from standard error.
            for paint in ["\u{1b}[91m", "\u{1b}[0m"] {
                text = text.trim_start_matches(paint).trim_end_matches(paint);
            }
            text = text.trim_end_matches(['\n', '\r']);
        }
        if text.is_empty() && id.is_empty() {
            return;
        }
        if id.is_empty() && text.starts_with("Step ") {
            // With the classic builder the last one is the one that fails.
            self.failed = Some(text.to_owned());
            self.last_lines.clear();
        }
        if self.last_lines.len() == LAST_LINES {
            self.last_lines.pop_front();
        }
        self.last_lines.push_back(text.to_owned());
        told.push(BuildProgress::Output { id: id.to_owned(), line: text.to_owned(), milliseconds: at });
    }
}

fn step_event(step: &Step, vertex: &Vertex, state: StepState) -> BuildProgress {
    BuildProgress::Step { id: step.number.clone(), name: vertex.name.clone(), state }
}

fn milliseconds(from: u64, to: u64) -> u64 {
    to.saturating_sub(from) / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut found = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        found.extend(bytes);
        found
    }

    fn time(seconds: u8) -> Vec<u8> {
        vec![0x08, seconds]
    }

    fn vertex(digest: &str, name: &str, rest: &[Vec<u8>]) -> Vec<u8> {
        field(1, &[field(1, digest.as_bytes()), field(3, name.as_bytes()), rest.concat()].concat())
    }

    fn log(digest: &str, text: &str) -> Vec<u8> {
        field(3, &[field(1, digest.as_bytes()), vec![0x18, 1], field(4, text.as_bytes())].concat())
    }

    fn told(trace: &mut Trace, status: &[u8]) -> Vec<String> {
        let text = serde_json::json!({ "id": "moby.buildkit.trace", "aux": STANDARD.encode(status) });
        let message = serde_json::from_value(text).unwrap();
        let told = trace.read(&message, "build image x").unwrap();
        told.iter().map(|event| serde_json::to_string(event).unwrap()).collect()
    }

    #[test]
    fn buildkit() {
        let mut trace = Trace::default();
        let mut found = Vec::new();
        for status in [
            vertex("a", "[1/2] FROM x", &[]),
            vertex("a", "[1/2] FROM x", &[field(5, &time(1))]),
            vertex("a", "[1/2] FROM x", &[vec![0x20, 1], field(5, &time(1)), field(6, &time(2))]),
            vertex("b", "[2/2] RUN y", &[field(5, &time(2))]),
            log("b", "one\ntw"),
            log("b", "o\r\nthree"),
            vertex("b", "[2/2] RUN y", &[field(5, &time(2)), field(6, &time(4)), field(7, b"exit code: 1")]),
            vertex("b", "[2/2] RUN y", &[field(5, &time(2)), field(6, &time(4)), field(7, b"exit code: 1")]),
        ] {
            found.extend(told(&mut trace, &status));
        }
        insta::assert_snapshot!(found.join("\n"), @r#"
        {"Step":{"id":"1","name":"[1/2] FROM x","state":"Started"}}
        {"Step":{"id":"1","name":"[1/2] FROM x","state":"Cached"}}
        {"Step":{"id":"2","name":"[2/2] RUN y","state":"Started"}}
        {"Output":{"id":"2","line":"one","milliseconds":0}}
        {"Output":{"id":"2","line":"two","milliseconds":0}}
        {"Output":{"id":"2","line":"three","milliseconds":0}}
        {"Step":{"id":"2","name":"[2/2] RUN y","state":{"Failed":{"error":"exit code: 1"}}}}
        "#);
        let error = serde_json::json!({ "errorDetail": { "message": "process did not complete" }, "error": "x" });
        let error = trace.read(&serde_json::from_value(error).unwrap(), "build image x").unwrap_err();
        insta::assert_snapshot!(error, @"
        failed to build image x: process did not complete
        one
        two
        three
        ");
    }

    #[test]
    fn classic() {
        let mut trace = Trace::default();
        let mut found = Vec::new();
        for text in [
            r#"{"stream": "Step 1/2 : FROM busybox"}"#,
            r#"{"stream": "\n"}"#,
            r#"{"status": "Pulling fs layer", "progressDetail": {}, "id": "abc"}"#,
            r#"{"status": "Downloading", "progressDetail": {"current": 1}, "progress": "[=>", "id": "abc"}"#,
            r#"{"stream": "\u001b[91mpainted\n\u001b[0m"}"#,
            r#"{"stream": " ---\u003e 123\n"}"#,
            r#"{"aux": {"ID": "sha256:9"}}"#,
        ] {
            found.extend(trace.read(&serde_json::from_str(text).unwrap(), "build image x").unwrap());
        }
        let found: Vec<_> = found.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        insta::assert_snapshot!(found.join("\n"), @r#"
        {"Output":{"id":"","line":"Step 1/2 : FROM busybox","milliseconds":null}}
        {"Output":{"id":"","line":"abc: Pulling fs layer","milliseconds":null}}
        {"Output":{"id":"","line":"painted","milliseconds":null}}
        {"Output":{"id":"","line":" ---> 123","milliseconds":null}}
        "#);
        assert_eq!(trace.built, Some(ImageId::from("sha256:9")));
    }
}
