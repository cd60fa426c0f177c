//! Lines of many containers in one order: by the engine's time as far as they are history, as they come when they are
//! new. Of each container one line is held, so that memory does not grow with the output.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, ReadyChunks};
use tokio::time::{Instant, sleep_until};

use crate::engine::Lines;
use crate::names::ContainerId;
use crate::runtime::{Chunk, Output, ResultStream};

/// Log drivers cut longer lines into pieces of this size and put a time before each.
const PIECE: usize = 16 * 1024;
/// An engine's time is no longer.
const LONGEST_TIME: usize = 40;

/// Pieces of output that are taken at once, when so many are there: with them one line each, so many lines are held.
const AT_ONCE: usize = 64;

/// A line of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) output: Output,
    /// The engine's time, when it was asked for.
    pub(super) time: Option<String>,
    pub(super) text: Bytes,
}

/// The output of a container.
struct Source {
    id: ContainerId,
    number: u64,
    stream: Option<ReadyChunks<ResultStream<Chunk>>>,
    has_times: bool,
    lines: [Lines; 2],
    /// Bytes of the unfinished line, per output, its time not counted.
    unfinished: [usize; 2],
    ready: VecDeque<Line>,
}

impl Source {
    async fn next(&mut self) -> Option<Line> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            // An error of a stream that was open is its end: the container is gone, or the engine.
            let chunks = self.stream.as_mut()?.next().await;
            let is_over = chunks.as_ref().is_none_or(|chunks| chunks.iter().any(Result::is_err));
            for chunk in chunks.into_iter().flatten().map_while(Result::ok) {
                self.take(&chunk);
            }
            match is_over {
                false => {}
                true => {
                    self.stream = None;
                    for output in [Output::Stdout, Output::Stderr] {
                        if let Some(line) = self.lines[slot(output)].finish() {
                            self.finish_line(output, line);
                        }
                    }
                }
            }
        }
    }

    fn take(&mut self, chunk: &Chunk) {
        let slot = slot(chunk.output);
        let mut bytes: &[u8] = &chunk.bytes;
        if self.has_times && self.unfinished[slot] > 0 && self.unfinished[slot].is_multiple_of(PIECE) {
            // The time of a further piece of a long line is not part of the line.
            bytes = time_and_text(bytes).map_or(bytes, |(_, text)| text);
        }
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => self.unfinished[slot] = content(&bytes[last + 1..], self.has_times),
            None if self.unfinished[slot] == 0 => self.unfinished[slot] = content(bytes, self.has_times),
            None => self.unfinished[slot] += bytes.len(),
        }
        self.lines[slot].push(bytes);
        while let Some(line) = self.lines[slot].next_line() {
            self.finish_line(chunk.output, line);
        }
    }

    fn finish_line(&mut self, output: Output, line: Bytes) {
        let (time, text) = match time_and_text(&line).filter(|_| self.has_times) {
            Some((time, text)) => (Some(time.to_owned()), line.slice_ref(text)),
            None => (None, line),
        };
        self.ready.push_back(Line { output, time, text });
    }
}

fn slot(output: Output) -> usize {
    usize::from(output == Output::Stderr)
}

/// Length of a line without its time.
fn content(line: &[u8], has_time: bool) -> usize {
    time_and_text(line).filter(|_| has_time).map_or(line.len(), |(_, text)| text.len())
}

/// A line that begins with an engine's time and a blank.
fn time_and_text(line: &[u8]) -> Option<(&str, &[u8])> {
    let blank = line.iter().take(LONGEST_TIME).position(|byte| *byte == b' ')?;
    let (time, text) = (line.get(..blank)?, line.get(blank + 1..)?);
    let is_time = time.len() >= 20 && time.first()?.is_ascii_digit() && time.get(10) == Some(&b'T');
    is_time.then_some(())?;
    Some((std::str::from_utf8(time).ok()?, text))
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Line(ContainerId, Line),
    Ended(ContainerId),
}

/// All sources.
pub(super) struct Merge {
    /// How long a source that says nothing holds up the others; `None` for ever, zero not at all.
    window: Option<Duration>,
    /// The next line of each source that has one, by time and then by the order in which the sources came.
    heads: BTreeMap<(i128, u64), (Box<Source>, Line)>,
    pending: FuturesUnordered<LocalBoxFuture<'static, (Box<Source>, Option<Line>)>>,
    /// Sources that were asked and have not answered, and since when.
    asked: BTreeMap<u64, Instant>,
    ended: VecDeque<ContainerId>,
    count: u64,
}

impl Merge {
    pub(super) fn new(window: Option<Duration>) -> Self {
        Self {
            window,
            heads: BTreeMap::new(),
            pending: FuturesUnordered::new(),
            asked: BTreeMap::new(),
            ended: VecDeque::new(),
            count: 0,
        }
    }

    /// A further container.
    pub(super) fn add(&mut self, id: ContainerId, stream: ResultStream<Chunk>, has_times: bool) {
        self.count += 1;
        self.ask(Box::new(Source {
            id,
            number: self.count,
            stream: Some(stream.ready_chunks(AT_ONCE)),
            has_times,
            lines: Default::default(),
            unfinished: [0; 2],
            ready: VecDeque::new(),
        }));
    }

    fn ask(&mut self, mut source: Box<Source>) {
        if let Some(line) = source.ready.pop_front() {
            return self.put(source, line);
        }
        self.asked.insert(source.number, Instant::now());
        self.pending.push(Box::pin(async move {
            let line = source.next().await;
            (source, line)
        }));
    }

    /// What comes next; waits for ever when there is no source. Nothing is lost when the wait is given up.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            if let Some(id) = self.ended.pop_front() {
                return Next::Ended(id);
            }
            // The source that was asked last and still holds up the others.
            let patience = match self.window {
                _ if self.heads.is_empty() => None,
                Some(window) => self.asked.values().max().map(|since| *since + window),
                None if self.asked.is_empty() => None,
                None => Some(Instant::now() + Duration::from_secs(3600)),
            };
            let may_go = !self.heads.is_empty() && patience.is_none_or(|until| until <= Instant::now());
            if may_go && let Some((_, (source, line))) = self.heads.pop_first() {
                let id = source.id.clone();
                self.ask(source);
                return Next::Line(id, line);
            }
            if self.pending.is_empty() && patience.is_none() {
                std::future::pending::<()>().await;
            }
            tokio::select! {
                biased;
                Some((source, line)) = self.pending.next() => {
                    self.asked.remove(&source.number);
                    match line {
                        None => self.ended.push_back(source.id),
                        Some(line) => self.put(source, line),
                    }
                }
                () = sleep_until(patience.unwrap_or_else(Instant::now)), if patience.is_some() => {}
            }
        }
    }

    fn put(&mut self, source: Box<Source>, line: Line) {
        let time = line.time.as_deref().and_then(|time| time.parse::<jiff::Timestamp>().ok());
        let time = time.map_or_else(|| self.latest(), jiff::Timestamp::as_nanosecond);
        self.heads.insert((time, source.number), (source, line));
    }

    /// Lines without a time come in the order in which they came.
    fn latest(&self) -> i128 {
        self.heads.last_key_value().map_or(0, |((time, _), _)| *time)
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn chunks(pieces: &[&str]) -> ResultStream<Chunk> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(Chunk { output: Output::Stdout, bytes: Bytes::copy_from_slice(piece.as_bytes()) }))
            .collect();
        Box::pin(stream::iter(pieces))
    }
    /// Nothing more, and no end.
    fn open(pieces: &[&str]) -> ResultStream<Chunk> {
        Box::pin(chunks(pieces).chain(stream::pending()))
    }
    async fn take(merge: &mut Merge, count: usize) -> Vec<String> {
        let mut out = Vec::new();
        for _ in 0..count {
            out.push(match merge.next().await {
                Next::Line(id, line) => format!("{id} {}", String::from_utf8_lossy(&line.text)),
                Next::Ended(id) => format!("{id} ended"),
            });
        }
        out
    }
    fn at(second: u32, text: &str) -> String {
        format!("2026-01-01T00:00:{second:02}.000000000Z {text}\n")
    }

    #[tokio::test(start_paused = true)]
    async fn history_comes_in_the_order_of_time() {
        let mut merge = Merge::new(None);
        let (one, three, two) = (at(1, "one"), at(3, "three"), at(2, "two"));
        merge.add("a".into(), chunks(&[&one, &three]), true);
        merge.add("b".into(), chunks(&[&two]), true);
        assert_eq!(take(&mut merge, 5).await, ["a one", "b two", "b ended", "a three", "a ended"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_container_holds_up_the_others_only_once() {
        let mut merge = Merge::new(Some(Duration::from_millis(50)));
        let lines: Vec<String> = (0..50).map(|second| at(second, "x")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        merge.add("a".into(), open(&lines), true);
        merge.add("b".into(), open(&[]), true);
        let start = Instant::now();
        assert_eq!(take(&mut merge, 50).await.len(), 50);
        assert_eq!(start.elapsed(), Duration::from_millis(50));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_window_lines_come_as_they_come() {
        let mut merge = Merge::new(Some(Duration::ZERO));
        merge.add("a".into(), open(&["1\n", "2\n", "no end"]), false);
        merge.add("b".into(), chunks(&["x\ny"]), false);
        let mut lines = take(&mut merge, 5).await;
        lines.sort();
        assert_eq!(lines, ["a 1", "a 2", "b ended", "b x", "b y"]);
    }

    #[tokio::test(start_paused = true)]
    async fn times_inside_a_long_line_are_taken_out() {
        let mut merge = Merge::new(None);
        let piece = "x".repeat(PIECE);
        let first = format!("2026-01-01T00:00:01.000000000Z {piece}");
        let second = at(1, "end");
        merge.add("a".into(), chunks(&[&first, &second]), true);
        assert_eq!(take(&mut merge, 1).await, [format!("a {piece}end")]);
    }

    #[tokio::test(start_paused = true)]
    async fn both_outputs_keep_their_lines_whole() {
        let mut merge = Merge::new(None);
        let piece = |output, text: &'static str| Ok(Chunk { output, bytes: Bytes::from(text) });
        let pieces = [piece(Output::Stdout, "out"), piece(Output::Stderr, "err\n"), piece(Output::Stdout, " more\n")];
        merge.add("a".into(), Box::pin(stream::iter(pieces)), false);
        assert_eq!(take(&mut merge, 3).await, ["a err", "a out more", "a ended"]);
    }
}
