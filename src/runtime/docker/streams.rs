//! Logs, attached processes and events. Raw bytes are framed here: bollard guesses from the first byte and loses output.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use async_trait::async_trait;
use bollard::query_parameters::ResizeExecOptions;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::names::ContainerId;
use crate::resource::Texts;
use crate::runtime::docker::found::nullable;
use crate::runtime::docker::frames::{Frames, Piece};
use crate::runtime::docker::wire::{Call, bytes_of, content_type, lines_of, segment};
use crate::runtime::docker::{DockerRuntime, failure, process, shown};
use crate::runtime::{
    AttachOptions, Attached, Chunk, Error, ErrorKind, EventFilter, ExecSpec, ExecState, LogOptions, Output, Result,
    ResultStream, RuntimeEvent, Streams, TerminalSize,
};

/// The engine's names for its two kinds of streams, told since API 1.42.
const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";
/// Older engines say this for both kinds.
const NAMES_ARE_TRUE_API: (u32, u32) = (1, 42);
/// Bytes read at once from an attached process.
const READ_SIZE: usize = 16 << 10;

/// Which containers have a terminal, as far as an old engine was asked.
#[derive(Default)]
pub(super) struct Terminals(Mutex<BTreeMap<ContainerId, bool>>);

impl DockerRuntime {
    /// Whether a stream of this container bears frames: the engine's word, or for old engines what inspect tells.
    async fn is_framed(&self, container: &ContainerId, content_type: &str) -> Result<bool> {
        if content_type == MULTIPLEXED {
            return Ok(true);
        }
        if self.session().await?.facts.api >= NAMES_ARE_TRUE_API && !content_type.is_empty() {
            return Ok(false);
        }
        let known = self.terminals.0.lock().unwrap_or_else(PoisonError::into_inner).get(container).copied();
        if let Some(tty) = known {
            return Ok(!tty);
        }
        let tty = self.inspect(container).await?.tty();
        self.terminals.0.lock().unwrap_or_else(PoisonError::into_inner).insert(container.clone(), tty);
        Ok(!tty)
    }

    async fn attached(&self, call: Call, what: String, framed: Framing<'_>, stdin: bool) -> Result<Attached> {
        let session = self.session().await?;
        let (stream, kind) = self.wire.upgrade(&session.prefix, call, "tcp", &what).await?;
        let framed = match framed {
            Framing::Known(framed) => framed,
            Framing::Of(container) => self.is_framed(container, &kind).await?,
        };
        let (reads, writes) = tokio::io::split(stream);
        let output = chunks(read_all(reads, what.clone(), self.wire.address.clone()), framed, what);
        Ok(Attached { output, input: stdin.then(|| Box::pin(writes) as _) })
    }
}

enum Framing<'a> {
    Known(bool),
    Of(&'a ContainerId),
}

fn read_all(reads: impl AsyncRead + Unpin + Send + 'static, what: String, address: String) -> ResultStream<Bytes> {
    Box::pin(futures::stream::try_unfold((reads, BytesMut::new()), move |(mut reads, mut buffer)| {
        let (what, address) = (what.clone(), address.clone());
        async move {
            buffer.reserve(READ_SIZE);
            match reads.read_buf(&mut buffer).await {
                Ok(0) => Ok(None),
                Ok(_) => Ok(Some((buffer.split().freeze(), (reads, buffer)))),
                // A TLS connection that was closed without saying so; the process ended.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                Err(error) => Err(failure::from_io(&what, &address, &error)),
            }
        }
    }))
}

/// Output out of raw bytes; without frames all of it is standard output.
fn chunks(bytes: ResultStream<Bytes>, framed: bool, what: String) -> ResultStream<Chunk> {
    if !framed {
        return Box::pin(bytes.map(|bytes| bytes.map(|bytes| Chunk { output: Output::Stdout, bytes })));
    }
    Box::pin(Framed { bytes, frames: Frames::default(), what, is_over: false })
}

/// Takes the frames of a stream apart. By hand: with many lines in a piece each step counts.
struct Framed {
    bytes: ResultStream<Bytes>,
    frames: Frames,
    what: String,
    is_over: bool,
}

impl Framed {
    fn step(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Chunk>>> {
        loop {
            match self.frames.next() {
                Ok(Some(Piece::Output(chunk))) => return Poll::Ready(Some(Ok(chunk))),
                Ok(Some(Piece::Failure(text))) => {
                    let error = failure::from_stream(&self.what, &String::from_utf8_lossy(&text));
                    return Poll::Ready(Some(Err(error)));
                }
                Ok(None) => {}
                Err(_) => {
                    let detail = "the engine's answer is no stream of output; is a proxy between us and the engine?";
                    return Poll::Ready(Some(Err(Error::new(ErrorKind::Other, self.what.clone(), detail))));
                }
            }
            match ready!(self.bytes.poll_next_unpin(context)) {
                Some(Ok(more)) => self.frames.push(more),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Stream for Framed {
    type Item = Result<Chunk>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let step = self.step(context);
        // An error is the last that is told.
        self.is_over = matches!(step, Poll::Ready(None | Some(Err(_))));
        step
    }
}

#[derive(Deserialize)]
struct Made {
    #[serde(rename = "Id")]
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FoundExec {
    #[serde(default)]
    running: bool,
    #[serde(default)]
    exit_code: Option<i64>,
    #[serde(default)]
    pid: i32,
    #[serde(default, rename = "ContainerID")]
    container: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FoundEvent {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(rename = "Action")]
    action: String,
    #[serde(rename = "Actor", deserialize_with = "nullable")]
    actor: FoundActor,
    time: i64,
    #[serde(rename = "timeNano")]
    time_nano: i64,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct FoundActor {
    #[serde(rename = "ID")]
    id: String,
    #[serde(deserialize_with = "nullable")]
    attributes: Texts,
}

impl From<FoundEvent> for RuntimeEvent {
    fn from(found: FoundEvent) -> Self {
        let time = if found.time_nano == 0 { found.time.saturating_mul(1_000_000_000) } else { found.time_nano };
        Self { time, kind: found.kind, action: found.action, id: found.actor.id, attributes: found.actor.attributes }
    }
}

fn flag(value: bool) -> &'static str {
    if value { "1" } else { "0" }
}

fn exec_body(spec: &ExecSpec) -> Value {
    let ExecSpec { command, environment, user, working_dir, privileged, tty, stdin, attach_output, detach_keys, size } =
        spec;
    let mut body = json!({
        "AttachStdin": stdin, "AttachStdout": attach_output, "AttachStderr": attach_output,
        "Tty": tty, "Privileged": privileged, "Cmd": command, "Env": environment,
    });
    for (key, value) in [("User", user), ("WorkingDir", working_dir), ("DetachKeys", detach_keys)] {
        if let Some(value) = value {
            body[key] = Value::from(value.as_str());
        }
    }
    if let Some(TerminalSize { columns, rows }) = size {
        body["ConsoleSize"] = json!([rows, columns]);
    }
    body
}

#[async_trait]
impl Streams for DockerRuntime {
    async fn logs(&self, container: &ContainerId, options: &LogOptions) -> Result<ResultStream<Chunk>> {
        let LogOptions { follow, since, until, tail, timestamps } = options;
        let what = format!("read logs of container {}", shown(container.as_str()));
        let session = self.session().await?;
        let tail = tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string());
        let call = Call::get(format!("/containers/{}/logs", segment(container.as_str())))
            .query("stdout", "1")
            .query("stderr", "1")
            .query("follow", flag(*follow))
            .query("timestamps", flag(*timestamps))
            .query("tail", &tail)
            .query_some("since", since.as_deref().map(engine_time).as_deref())
            .query_some("until", until.as_deref().map(engine_time).as_deref());
        let response = self.wire.open(&session.prefix, call.whole_connection(), &what).await?;
        let framed = self.is_framed(container, &content_type(&response)).await?;
        Ok(chunks(bytes_of(response, what.clone(), self.wire.address.clone()), framed, what))
    }

    async fn attach(&self, container: &ContainerId, options: &AttachOptions) -> Result<Attached> {
        let AttachOptions { stdin, logs, detach_keys } = options;
        let call = Call::post(format!("/containers/{}/attach", segment(container.as_str())))
            .query("stream", "1")
            .query("stdin", flag(*stdin))
            .query("stdout", "1")
            .query("stderr", "1")
            .query("logs", flag(*logs))
            .query_some("detachKeys", detach_keys.as_deref());
        let what = format!("attach to container {}", shown(container.as_str()));
        self.attached(call, what, Framing::Of(container), *stdin).await
    }

    async fn create_exec(&self, container: &ContainerId, spec: &ExecSpec) -> Result<String> {
        let what = format!("run a command in container {}", shown(container.as_str()));
        let call = Call::post(format!("/containers/{}/exec", segment(container.as_str()))).json(&exec_body(spec));
        Ok(self.ask::<Made>(call, &what).await?.id)
    }

    async fn start_exec(&self, exec: &str, tty: bool) -> Result<Attached> {
        let call = Call::post(format!("/exec/{}/start", segment(exec))).json(&json!({ "Detach": false, "Tty": tty }));
        self.attached(call, format!("start command {}", shown(exec)), Framing::Known(!tty), true).await
    }

    async fn start_exec_detached(&self, exec: &str) -> Result<()> {
        let what = format!("start command {}", shown(exec));
        let session = self.session().await?;
        let call = Call::post(format!("/exec/{}/start", segment(exec))).json(&json!({ "Detach": true, "Tty": false }));
        self.wire.open(&session.prefix, call, &what).await.map(|_| ())
    }

    async fn inspect_exec(&self, exec: &str) -> Result<ExecState> {
        let call = Call::get(format!("/exec/{}/json", segment(exec)));
        let found: FoundExec = self.ask(call, &format!("inspect command {}", shown(exec))).await?;
        let exit_code = found.exit_code.filter(|_| !found.running);
        Ok(ExecState { running: found.running, exit_code })
    }

    async fn signal_exec(&self, exec: &str, signal: &str) -> Result<()> {
        let what = format!("send {signal} to command {}", shown(exec));
        let call = Call::get(format!("/exec/{}/json", segment(exec)));
        let found: FoundExec = self.ask(call, &what).await?;
        if !found.running {
            return Err(Error::new(ErrorKind::Conflict, what, "it does not run"));
        }
        if !self.session().await?.facts.local {
            return Err(Error::new(ErrorKind::Unsupported, what, "the engine is on another machine"));
        }
        process::signal(found.pid, &found.container, signal)
            .map_err(|error| Error::new(ErrorKind::Unsupported, what, error.to_string()))
    }

    async fn resize_exec(&self, exec: &str, size: TerminalSize) -> Result<()> {
        let options = ResizeExecOptions { h: size.rows.into(), w: size.columns.into() };
        let resized = self.session().await?.client.resize_exec(exec, options).await;
        resized.map_err(self.failed(format!("resize the terminal of command {}", shown(exec))))
    }

    async fn events(&self, filter: &EventFilter) -> Result<ResultStream<RuntimeEvent>> {
        let EventFilter { labels, kinds, since, until } = filter;
        let what = "follow the engine's events";
        let session = self.session().await?;
        let mut filters = Map::new();
        for (key, values) in [("label", labels), ("type", kinds)] {
            if !values.is_empty() {
                filters.insert(key.to_owned(), json!(values));
            }
        }
        // The engine answers a moment before it subscribes: what happens in between is taken from its memory, by time.
        // The time of another machine is not ours; there a round trip after the answer has to do.
        let begin = match since {
            Some(since) => Some(engine_time(since)),
            None if session.facts.local && until.is_none() => now(),
            None => None,
        };
        let call = Call::get("/events")
            .query("filters", &Value::Object(filters).to_string())
            .query_some("since", begin.as_deref())
            .query_some("until", until.as_deref().map(engine_time).as_deref());
        let response = self.wire.open(&session.prefix, call, what).await?;
        if begin.is_none() {
            self.wire.open("", Call::get("/_ping"), what).await?;
        }
        let found = lines_of::<FoundEvent>(response, what.to_owned(), self.wire.address.clone());
        Ok(Box::pin(found.map(|event| event.map(RuntimeEvent::from))))
    }
}

/// Seconds since 1970 with nanoseconds, as the engine takes times.
fn now() -> Option<String> {
    let passed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(format!("{}.{:09}", passed.as_secs(), passed.subsec_nanos()))
}

/// A time as the engine takes it: RFC 3339 becomes seconds since 1970, all else stays.
fn engine_time(text: &str) -> String {
    match text.parse::<jiff::Timestamp>() {
        Ok(time) => format!("{}.{:09}", time.as_second(), time.subsec_nanosecond()),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(engine_time("2026-01-01T00:00:00.5Z"), "1767225600.500000000");
        assert_eq!(engine_time("1767225600.25"), "1767225600.25");
    }

    #[test]
    fn events() {
        let text = r#"{"status": "die", "id": "1", "Type": "container", "Action": "die", "scope": "local",
            "Actor": {"ID": "1", "Attributes": {"exitCode": "3"}}, "time": 5, "timeNano": 5000000001}"#;
        let event = RuntimeEvent::from(serde_json::from_str::<FoundEvent>(text).unwrap());
        assert_eq!((event.time, event.action.as_str()), (5_000_000_001, "die"));
        assert_eq!(event.container(), Some(ContainerId::from("1")));
    }

    #[test]
    fn exec_bodies() {
        let spec = ExecSpec { command: vec!["a".into()], user: Some("u".into()), ..Default::default() };
        insta::assert_snapshot!(exec_body(&spec), @r#"{"AttachStdin":false,"AttachStdout":false,"AttachStderr":false,"Tty":false,"Privileged":false,"Cmd":["a"],"Env":[],"User":"u"}"#);
    }

    #[tokio::test]
    async fn frames_of_a_stream() {
        let pieces = [&b"\x01\0\0\0\0\0\0\x02h"[..], b"i\x02\0\0\0\0\0\0\x01!"];
        let bytes = futures::stream::iter(pieces.map(|piece| Ok(Bytes::from_static(piece))));
        let found: Vec<_> = chunks(Box::pin(bytes), true, "x".to_owned()).collect().await;
        let texts: Vec<_> =
            found.into_iter().map(|chunk| chunk.unwrap()).map(|chunk| (chunk.output, chunk.bytes)).collect();
        let expected = [(Output::Stdout, "h"), (Output::Stdout, "i"), (Output::Stderr, "!")];
        assert_eq!(texts, expected.map(|(output, text)| (output, Bytes::from_static(text.as_bytes()))));
    }
}
