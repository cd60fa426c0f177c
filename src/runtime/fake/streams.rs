//! Output, input, commands and events of the fake.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream;
use tokio::io::AsyncWrite;

use crate::names::ContainerId;
use crate::runtime::fake::Fake;
use crate::runtime::fake::behaviour::fits;
use crate::runtime::fake::containers::not_running;
use crate::runtime::fake::world::{Effect, ExecRecord, World, Written};
use crate::runtime::{
    AttachOptions, Attached, Chunk, Error, ErrorKind, EventFilter, ExecSpec, ExecState, LabelFilter, LogOptions,
    Output, Result, ResultStream, RuntimeEvent, Streams, TerminalSize,
};

#[async_trait]
impl Streams for Fake {
    async fn logs(&self, container: &ContainerId, options: &LogOptions) -> Result<ResultStream<Chunk>> {
        let (wanted, options) = (container.clone(), options.clone());
        let what = format!("read the log of container {}", self.name_of(container));
        let (id, run, tail, position) = self
            .look(what, move |world| {
                let record = world.known("read the log of container", wanted.as_str())?;
                let mut pieces: Vec<Chunk> =
                    record.log.iter().flat_map(|written| lines_of(written, &options)).collect();
                if let Some(tail) = options.tail {
                    let keep = usize::try_from(tail).unwrap_or(usize::MAX);
                    pieces.drain(..pieces.len().saturating_sub(keep));
                }
                let follow = options.follow && record.is_alive();
                let run = follow.then_some((record.run, options));
                Ok((record.id.clone(), run, VecDeque::from(pieces), record.log.len()))
            })
            .await?;
        let reader = Reader { fake: self.clone(), id, ready: tail, position };
        Ok(Box::pin(stream::unfold((reader, run), |(mut reader, run)| async move {
            let chunk = match &run {
                _ if !reader.ready.is_empty() => reader.ready.pop_front(),
                None => None,
                Some((run, options)) => reader.next(*run, |written| lines_of(written, options)).await,
            }?;
            Some((Ok(chunk), (reader, run)))
        })))
    }

    async fn attach(&self, container: &ContainerId, options: &AttachOptions) -> Result<Attached> {
        let (wanted, options) = (container.clone(), options.clone());
        let what = format!("attach to container {}", self.name_of(container));
        let from_start = options.logs;
        let (id, run, position) = self
            .look(what, move |world| {
                let record = world.known("attach to container", wanted.as_str())?;
                let run = if record.is_alive() { record.run } else { record.run + 1 };
                Ok((record.id.clone(), run, if from_start { 0 } else { record.log.len() }))
            })
            .await?;
        let input = options
            .stdin
            .then(|| Box::pin(FakeInput { fake: self.clone(), to: Reads::Container(id.clone(), run) }) as Pin<Box<_>>);
        let reader = Reader { fake: self.clone(), id, ready: VecDeque::new(), position };
        let output = stream::unfold(reader, move |mut reader| async move {
            let chunk = reader.next(run, |written| vec![chunk_of(written)]).await?;
            Some((Ok(chunk), reader))
        });
        Ok(Attached { output: Box::pin(output), input: input.map(|input| input as _) })
    }

    async fn create_exec(&self, container: &ContainerId, spec: &ExecSpec) -> Result<String> {
        let (id, spec) = (container.clone(), spec.clone());
        let what = format!("run a command in container {}", self.name_of(container));
        self.change(what.clone(), move |world| {
            let record = world.known("run a command in container", id.as_str())?;
            if !record.is_alive() {
                return Err(not_running(&what, record));
            }
            let (id, run) = (record.id.clone(), record.run);
            let exec = world.new_id("exec");
            let command = spec.command.join(" ");
            let behaviour = world.exec_behaviours.iter().rev().find(|(pattern, _)| fits(pattern, &command));
            let behaviour = behaviour.map(|(_, behaviour)| behaviour.clone()).unwrap_or_default();
            let output = behaviour.writes.iter().map(|(output, bytes)| (*output, Bytes::from(bytes.clone()))).collect();
            let record = ExecRecord { container: id.clone(), run, behaviour, started: false, exit_code: None, output };
            world.execs.insert(exec.clone(), record);
            world.tell_container(&id, &format!("exec_create: {command}"), &[]);
            Ok(exec)
        })
        .await
    }

    async fn start_exec(&self, exec: &str, _tty: bool) -> Result<Attached> {
        self.start_exec_detached(exec).await?;
        let output = stream::unfold((self.clone(), exec.to_owned(), 0_usize), |(fake, exec, position)| async move {
            let next = fake
                .until(|world| match world.execs.get(&exec) {
                    None => Some(None),
                    Some(record) => match record.output.get(position) {
                        Some(piece) => Some(Some(piece.clone())),
                        None => exec_code(world, &exec).map(|_| None),
                    },
                })
                .await;
            next.map(|(output, bytes)| (Ok(Chunk { output, bytes }), (fake, exec, position + 1)))
        });
        let input = FakeInput { fake: self.clone(), to: Reads::Exec(exec.to_owned()) };
        Ok(Attached { output: Box::pin(output), input: Some(Box::pin(input)) })
    }

    async fn start_exec_detached(&self, exec: &str) -> Result<()> {
        let id = exec.to_owned();
        let what = format!("start command {exec}");
        self.change(what.clone(), move |world| {
            let Some(record) = world.execs.get_mut(&id) else {
                return Err(Error::new(ErrorKind::NotFound, what, format!("No such exec instance: {id}")));
            };
            record.started = true;
            let (container, takes, echoes) =
                (record.container.clone(), record.behaviour.takes, record.behaviour.echoes);
            world.tell_container(&container, "exec_start", &[]);
            if !echoes {
                world.schedule(takes, Effect::ExecEnd { exec: id });
            }
            Ok(())
        })
        .await
    }

    async fn inspect_exec(&self, exec: &str) -> Result<ExecState> {
        let id = exec.to_owned();
        let what = format!("inspect command {exec}");
        self.look(what.clone(), move |world| match world.execs.get(&id) {
            None => Err(Error::new(ErrorKind::NotFound, what, format!("No such exec instance: {id}"))),
            Some(record) => {
                let exit_code = exec_code(world, &id);
                Ok(ExecState { running: record.started && exit_code.is_none(), exit_code })
            }
        })
        .await
    }

    async fn signal_exec(&self, exec: &str, signal: &str) -> Result<()> {
        let id = exec.to_owned();
        let what = format!("send {signal} to command {exec}");
        self.change(what.clone(), move |world| {
            if exec_code(world, &id).is_some() || !world.execs.contains_key(&id) {
                return Err(Error::new(ErrorKind::Conflict, what, "it does not run"));
            }
            world.schedule(Duration::ZERO, Effect::ExecEnd { exec: id });
            Ok(())
        })
        .await
    }

    async fn resize_exec(&self, exec: &str, _size: TerminalSize) -> Result<()> {
        self.look(format!("resize command {exec}"), |_| Ok(())).await
    }

    async fn events(&self, filter: &EventFilter) -> Result<ResultStream<RuntimeEvent>> {
        let filter = filter.clone();
        let since = filter.since.as_deref().map(nanoseconds_of);
        let until = filter.until.as_deref().map(nanoseconds_of);
        let (position, cuts) = self
            .look("listen to events", move |world| {
                let position = match since {
                    Some(since) => world.events.partition_point(|event| event.time < since),
                    None => world.events.len(),
                };
                Ok((position, world.event_cuts))
            })
            .await?;
        let fake = self.clone();
        let labels = LabelFilter(filter.labels);
        let state = (fake, position, false);
        Ok(Box::pin(stream::unfold(state, move |(fake, mut position, over)| {
            let (labels, kinds) = (labels.clone(), filter.kinds.clone());
            async move {
                if over {
                    return None;
                }
                let wanted = |event: &RuntimeEvent| {
                    (kinds.is_empty() || kinds.contains(&event.kind))
                        && labels.matches(&event.attributes)
                        && until.is_none_or(|until| event.time <= until)
                };
                let next = fake.until(|world| {
                    if world.event_cuts != cuts {
                        let error = Error::new(ErrorKind::Unavailable, "listen to events", "unexpected EOF");
                        return Some(Some(Err(error)));
                    }
                    while let Some(event) = world.events.get(position) {
                        position += 1;
                        if wanted(event) {
                            return Some(Some(Ok(event.clone())));
                        }
                    }
                    until.is_some_and(|until| World::nanoseconds(world.clock) > until).then_some(None)
                });
                let next = match until {
                    None => next.await,
                    Some(until) => {
                        let now = fake.inside(|world| World::nanoseconds(world.clock));
                        let left = Duration::from_nanos((until - now).try_into().unwrap_or(0) + 1);
                        tokio::time::timeout(left, next).await.unwrap_or(None)
                    }
                };
                next.map(|event| {
                    let over = event.is_err();
                    (event, (fake, position, over))
                })
            }
        })))
    }
}

/// Reads what a container writes.
struct Reader {
    fake: Fake,
    id: ContainerId,
    ready: VecDeque<Chunk>,
    position: usize,
}

impl Reader {
    /// The next piece of a run; `None` when the run is over and all is told.
    async fn next(&mut self, run: u64, cut: impl Fn(&Written) -> Vec<Chunk>) -> Option<Chunk> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Some(chunk);
            }
            let (id, position) = (&self.id, self.position);
            let written = self
                .fake
                .until(|world| {
                    let Some(record) = world.containers.get(id) else {
                        return Some(world.last_words.get(id).and_then(|log| log.get(position)).cloned());
                    };
                    match record.log.get(position) {
                        Some(written) => Some(Some(written.clone())),
                        None if record.run > run || (record.run == run && !record.is_alive()) => Some(None),
                        None => None,
                    }
                })
                .await?;
            self.position += 1;
            self.ready.extend(cut(&written));
        }
    }
}

fn chunk_of(written: &Written) -> Chunk {
    Chunk { output: written.output, bytes: written.bytes.clone() }
}

/// The lines of a piece of output, as a log driver keeps them, as far as they are wanted.
fn lines_of(written: &Written, options: &LogOptions) -> Vec<Chunk> {
    let time = World::nanoseconds(written.at);
    let wanted = options.since.as_deref().is_none_or(|since| time >= nanoseconds_of(since))
        && options.until.as_deref().is_none_or(|until| time <= nanoseconds_of(until));
    if !wanted {
        return Vec::new();
    }
    let lines = written.bytes.split_inclusive(|byte| *byte == b'\n');
    lines
        .map(|line| {
            let mut bytes = Vec::new();
            if options.timestamps {
                bytes.extend_from_slice(World::time_text(Some(written.at)).as_bytes());
                bytes.push(b' ');
            }
            bytes.extend_from_slice(line);
            Chunk { output: written.output, bytes: bytes.into() }
        })
        .collect()
}

/// Nanoseconds since 1970 of a time as engines take it.
fn nanoseconds_of(text: &str) -> i64 {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX);
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().unwrap_or(0);
    let nanoseconds: i64 = format!("{fraction:0<9}").get(..9).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

/// The exit code of a command; one whose container ended was killed.
fn exec_code(world: &World, exec: &str) -> Option<i64> {
    let record = world.execs.get(exec)?;
    let lives = |exec: &ExecRecord| {
        world.containers.get(&exec.container).is_some_and(|record| record.is_alive() && record.run == exec.run)
    };
    record.exit_code.or_else(|| (!lives(record)).then_some(137))
}

/// Who reads an input.
#[derive(Debug)]
enum Reads {
    Container(ContainerId, u64),
    Exec(String),
}

/// The input of a container or command.
struct FakeInput {
    fake: Fake,
    to: Reads,
}

impl AsyncWrite for FakeInput {
    fn poll_write(self: Pin<&mut Self>, _context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let bytes = Bytes::copy_from_slice(bytes);
        let length = bytes.len();
        self.fake.inside(|world| match &self.to {
            Reads::Container(id, run) => {
                let Some(record) = world.containers.get_mut(id) else { return };
                record.input.extend_from_slice(&bytes);
                if record.run < *run {
                    record.waiting.push(bytes);
                    return;
                }
                let (alive, record) = (record.is_alive() && record.run == *run, record.clone());
                if alive && world.behaviour(&record).echoes {
                    world.write_log(id, Output::Stdout, bytes);
                }
            }
            Reads::Exec(exec) => {
                if let Some(exec) = world.execs.get_mut(exec)
                    && exec.behaviour.echoes
                {
                    exec.output.push((Output::Stdout, bytes));
                }
            }
        });
        Poll::Ready(Ok(length))
    }
    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.fake.inside(|world| match &self.to {
            Reads::Container(id, run) => {
                let Some(record) = world.containers.get_mut(id) else { return };
                if record.run < *run {
                    record.input_ended = true;
                    return;
                }
                let record = record.clone();
                let behaviour = world.behaviour(&record);
                if behaviour.echoes {
                    let effect = Effect::Exit { container: id.clone(), run: *run, code: behaviour.exit_code };
                    world.schedule(Duration::ZERO, effect);
                }
            }
            Reads::Exec(exec) => {
                if world.execs.get(exec).is_some_and(|exec| exec.behaviour.echoes) {
                    world.schedule(Duration::ZERO, Effect::ExecEnd { exec: exec.clone() });
                }
            }
        });
        Poll::Ready(Ok(()))
    }
}
