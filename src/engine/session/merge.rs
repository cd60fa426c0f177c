//! Lines of many containers in one order: by the engine's time as far as they are history, as they come when they are
//! new. Of each container a few pieces of output are held, so that memory does not grow with the output.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::future::{pending, poll_fn};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use tokio::time::{Instant, timeout_at};

use crate::engine::Lines;
use crate::names::ContainerId;
use crate::runtime::{Chunk, Output, ResultStream};

/// Log drivers cut longer lines into pieces of this size and put a time before each.
const PIECE: usize = 16 * 1024;
/// An engine's time is no longer.
const LONGEST_TIME: usize = 40;
/// `2026-01-01T00:00:`
const MINUTE: usize = 17;
/// `2026-01-01T00:00:00.000000000Z`
const USUAL_TIME: usize = 30;

/// Bytes of lines that are held of a container before its output is left with the engine.
const HELD: usize = 64 << 10;
/// What a held line takes beside its bytes.
const LINE_COST: usize = 64;

/// A line that is no older when it comes is new, and its container has nothing older to say.
const PROMPT: i64 = 100_000_000;
/// A container whose last line was new holds up the others for so long at most.
const PROMPT_WINDOW: Duration = Duration::from_millis(10);

/// From so many lines on in [`BUSY_TIME`] it is better not to be woken by each.
const BUSY: usize = 128;
const BUSY_TIME: Duration = Duration::from_millis(16);
/// The longest rest; nobody sees it.
const LONGEST_REST: Duration = Duration::from_millis(4);
/// A shorter one is none.
const SHORTEST_REST: Duration = Duration::from_micros(100);
/// A container that wrote so many bytes during a rest was perhaps held up by it.
const MUCH: usize = 6 << 10;

/// A line of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) output: Output,
    /// Length of the engine's time at the beginning of the bytes, 0 when there is none.
    time: usize,
    bytes: Bytes,
}

impl Line {
    /// The engine's time, when it was asked for.
    pub(super) fn time(&self) -> Option<&str> {
        let time = self.bytes.get(..self.time).filter(|time| !time.is_empty())?;
        std::str::from_utf8(time).ok()
    }

    pub(super) fn text(&self) -> &[u8] {
        let begin = if self.time == 0 { 0 } else { self.time + 1 };
        self.bytes.get(begin..).unwrap_or_default()
    }
}

/// Reads the engine's times: the last minute is remembered, as most lines are of the same.
#[derive(Default)]
struct Clock {
    minute: [u8; MINUTE],
    /// Nanoseconds since 1970 at its begin.
    begin: i64,
}

impl Clock {
    /// Nanoseconds since 1970.
    fn read(&mut self, time: &[u8]) -> Option<i64> {
        let Some((seconds, fraction)) = usual_rest(time) else { return parse(time) };
        if time.get(..MINUTE)? != self.minute {
            let begin = parse(time)?.checked_sub(seconds * 1_000_000_000 + fraction)?;
            self.minute.copy_from_slice(time.get(..MINUTE)?);
            self.begin = begin;
        }
        self.begin.checked_add(seconds * 1_000_000_000 + fraction)
    }
}

/// Seconds and nanoseconds of a time as docker writes it.
fn usual_rest(time: &[u8]) -> Option<(i64, i64)> {
    let rest = time.get(MINUTE..).filter(|_| time.len() == USUAL_TIME)?;
    let (&[tens, ones, b'.'], &[ref fraction @ .., b'Z']) = rest.split_first_chunk::<3>()? else { return None };
    Some((number(&[tens, ones])?, number(fraction)?))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

fn parse(time: &[u8]) -> Option<i64> {
    let time: jiff::Timestamp = std::str::from_utf8(time).ok()?.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

/// The output of a container.
struct Source {
    id: ContainerId,
    /// `None` after its end.
    stream: Option<ResultStream<Chunk>>,
    has_times: bool,
    clock: Clock,
    lines: [Lines; 2],
    /// Bytes of the unfinished line, per output, its time not counted.
    unfinished: [usize; 2],
    /// The beginning of a time that was cut in two.
    cut: [BytesMut; 2],
    /// Lines that were not shown yet, by what they are ordered.
    ready: VecDeque<(i64, Line)>,
    /// Bytes they take.
    held: usize,
    /// Since when it has no line that could be shown.
    empty_since: Instant,
    /// Its last line came as soon as it was written.
    is_prompt: bool,
}

impl Source {
    /// How long it holds up the others when it says nothing.
    fn window(&self, window: Duration) -> Duration {
        match (self.has_times, self.is_prompt) {
            (false, _) => Duration::ZERO,
            (true, true) => window.min(PROMPT_WINDOW),
            (true, false) => window,
        }
    }

    /// Takes what is there. `count` is how much came to all sources before, which orders lines without times.
    fn look(&mut self, context: &mut Context<'_>, count: i64) -> Looked {
        let mut looked = Looked::default();
        while self.held < HELD
            && let Some(stream) = &mut self.stream
        {
            match stream.poll_next_unpin(context) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(chunk))) => {
                    looked.came = true;
                    looked.bytes += chunk.bytes.len();
                    self.take(chunk, count);
                }
                // An error of a stream that was open is its end: the container is gone, or the engine.
                Poll::Ready(None | Some(Err(_))) => {
                    looked.came = true;
                    self.stream = None;
                    for output in [Output::Stdout, Output::Stderr] {
                        let cut = self.cut[slot(output)].split();
                        self.lines[slot(output)].push(&cut);
                        if let Some(line) = self.lines[slot(output)].finish() {
                            self.finish_line(output, line, count);
                        }
                    }
                }
            }
        }
        looked
    }

    fn take(&mut self, chunk: Chunk, count: i64) {
        let Chunk { output, mut bytes } = chunk;
        let slot = slot(output);
        let (is_new, is_further) = {
            let unfinished = self.unfinished[slot];
            let is_empty = unfinished == 0 && self.lines[slot].is_empty();
            (is_empty, unfinished > 0 && unfinished.is_multiple_of(PIECE))
        };
        if self.has_times && (is_new || is_further) {
            if !self.cut[slot].is_empty() {
                self.cut[slot].extend_from_slice(&bytes);
                bytes = self.cut[slot].split().freeze();
            }
            if bytes.len() < LONGEST_TIME && !bytes.iter().any(|byte| matches!(byte, b' ' | b'\n')) {
                self.cut[slot].extend_from_slice(&bytes);
                return;
            }
        }
        if is_new {
            // Most pieces are whole lines: they are shown as they came.
            while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
                let mut line = bytes.split_to(end + 1);
                line.truncate(end);
                self.finish_line(output, line, count);
            }
            self.unfinished[slot] = content(&bytes, self.has_times);
        } else {
            if self.has_times && is_further {
                // The time of a further piece of a long line is not part of the line.
                let text = time_length(&bytes).map_or(0, |time| time + 1);
                bytes = bytes.split_off(text);
            }
            match bytes.iter().rposition(|byte| *byte == b'\n') {
                Some(last) => self.unfinished[slot] = content(&bytes[last + 1..], self.has_times),
                None => self.unfinished[slot] += bytes.len(),
            }
        }
        self.lines[slot].push(&bytes);
        while let Some(line) = self.lines[slot].next_line() {
            self.finish_line(output, line, count);
        }
    }

    fn finish_line(&mut self, output: Output, bytes: Bytes, count: i64) {
        let time = if self.has_times { time_length(&bytes).unwrap_or(0) } else { 0 };
        let key = match bytes.get(..time).and_then(|time| self.clock.read(time)) {
            Some(key) => key,
            // Lines without a time come in the order in which they came.
            None if !self.has_times => count,
            None => self.ready.back().map_or(i64::MIN, |(key, _)| *key),
        };
        self.held += bytes.len() + LINE_COST;
        self.ready.push_back((key, Line { output, time, bytes }));
    }
}

/// What a look at a source gave.
#[derive(Default)]
struct Looked {
    came: bool,
    bytes: usize,
}

fn slot(output: Output) -> usize {
    usize::from(output == Output::Stderr)
}

/// Length of a line without its time.
fn content(line: &[u8], has_time: bool) -> usize {
    let time = time_length(line).filter(|_| has_time);
    line.len() - time.map_or(0, |time| time + 1)
}

/// Of a line that begins with an engine's time and a blank.
fn time_length(line: &[u8]) -> Option<usize> {
    let usual = line.get(USUAL_TIME) == Some(&b' ') && line.get(USUAL_TIME - 1) == Some(&b'Z');
    let length = if usual { USUAL_TIME } else { line.iter().take(LONGEST_TIME).position(|byte| *byte == b' ')? };
    let time = line.get(..length)?;
    let is_time = time.len() >= 20 && time.is_ascii() && time.first()?.is_ascii_digit() && time.get(10) == Some(&b'T');
    is_time.then_some(length)
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
    sources: BTreeMap<u64, Source>,
    /// Of each source with lines the first: by time, and then by the order in which the sources came.
    heads: BinaryHeap<Reverse<(i64, u64)>>,
    /// No source holds up the others.
    may_go: bool,
    ended: VecDeque<ContainerId>,
    /// Sources so far.
    count: u64,
    /// Looks at the sources so far.
    looks: i64,
    /// Lines since the last rest, and the most bytes of one source.
    lines: usize,
    most: usize,
    rested: Instant,
    rest: Duration,
    /// Nanoseconds since 1970.
    now: fn() -> i64,
}

impl Merge {
    pub(super) fn new(window: Option<Duration>) -> Self {
        Self {
            window,
            sources: BTreeMap::new(),
            heads: BinaryHeap::new(),
            may_go: false,
            ended: VecDeque::new(),
            count: 0,
            looks: 0,
            lines: 0,
            most: 0,
            rested: Instant::now(),
            rest: LONGEST_REST,
            now: || i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX),
        }
    }

    /// A further container.
    pub(super) fn add(&mut self, id: ContainerId, stream: ResultStream<Chunk>, has_times: bool) {
        self.count += 1;
        self.sources.insert(
            self.count,
            Source {
                id,
                stream: Some(stream),
                has_times,
                clock: Clock::default(),
                lines: Default::default(),
                unfinished: [0; 2],
                cut: Default::default(),
                ready: VecDeque::new(),
                held: 0,
                empty_since: Instant::now(),
                is_prompt: false,
            },
        );
    }

    /// Returns when there is something that comes next; never when there is no source. Nothing is lost when the wait
    /// is given up.
    pub(super) async fn ready(&mut self) {
        loop {
            poll_fn(|context| Poll::Ready(self.look(context))).await;
            let now = Instant::now();
            let patience = self.patience();
            self.may_go =
                !self.heads.is_empty() && patience.is_none_or(|until| until.is_some_and(|until| until <= now));
            if self.may_go || !self.ended.is_empty() {
                return;
            }
            if self.sources.is_empty() {
                pending::<()>().await;
            }
            let something = poll_fn(|context| if self.look(context) { Poll::Ready(()) } else { Poll::Pending });
            match patience.flatten().filter(|until| *until > now) {
                Some(until) => drop(timeout_at(until, something).await),
                None => something.await,
            }
        }
    }

    /// Until when lines that are there wait for sources that are silent; the inner `None` for as long as it takes.
    fn patience(&self) -> Option<Option<Instant>> {
        let mut silent = self.sources.values().filter(|source| source.ready.is_empty()).peekable();
        silent.peek()?;
        let Some(window) = self.window else { return Some(None) };
        if window.is_zero() {
            None
        } else {
            Some(silent.map(|source| source.empty_since + source.window(window)).max())
        }
    }

    /// What comes next, as far as it is there.
    pub(super) fn next(&mut self) -> Option<Next> {
        if let Some(id) = self.ended.pop_front() {
            return Some(Next::Ended(id));
        }
        if !self.may_go {
            return None;
        }
        let mut head = self.heads.peek_mut()?;
        let Reverse((_, number)) = *head;
        let source = self.sources.get_mut(&number)?;
        let (_, line) = source.ready.pop_front()?;
        source.held = source.held.saturating_sub(line.bytes.len() + LINE_COST);
        let id = source.id.clone();
        match source.ready.front() {
            Some((key, _)) => *head = Reverse((*key, number)),
            None => {
                PeekMut::pop(head);
                if source.stream.is_none() {
                    self.sources.remove(&number);
                    self.ended.push_back(id.clone());
                } else {
                    source.empty_since = Instant::now();
                    self.may_go = self.window.is_some_and(|window| window.is_zero());
                }
            }
        }
        Some(Next::Line(id, line))
    }

    /// Takes what all sources have; whether that was anything.
    fn look(&mut self, context: &mut Context<'_>) -> bool {
        self.looks += 1;
        let mut came = false;
        let mut over = Vec::new();
        let now = (self.now)();
        for (number, source) in &mut self.sources {
            let before = source.ready.len();
            let looked = source.look(context, self.looks);
            came |= looked.came;
            self.most = self.most.max(looked.bytes);
            self.lines += source.ready.len() - before;
            if source.ready.len() > before
                && let Some((key, _)) = source.ready.back()
            {
                source.is_prompt = source.has_times && now.saturating_sub(*key).saturating_abs() < PROMPT;
            }
            match source.ready.front() {
                Some((key, _)) if before == 0 => self.heads.push(Reverse((*key, *number))),
                None if source.stream.is_none() => over.push(*number),
                _ => {}
            }
        }
        for number in over {
            self.ended.extend(self.sources.remove(&number).map(|source| source.id));
        }
        came
    }

    /// Lines come faster than anybody can read them.
    pub(super) fn is_busy(&self) -> bool {
        self.lines >= BUSY
    }

    /// Lets output gather: engines send every line by itself, and to be woken by each costs more than the lines. The
    /// thread itself waits, because what the runtime waits for includes what the engine sends.
    pub(super) fn rest(&mut self) {
        let now = Instant::now();
        if now.duration_since(self.rested) < BUSY_TIME {
            self.rest =
                if self.most >= MUCH { self.rest / 2 } else { (self.rest * 2).clamp(SHORTEST_REST, LONGEST_REST) };
            if self.rest >= SHORTEST_REST {
                std::thread::sleep(self.rest);
            }
        }
        (self.lines, self.most, self.rested) = (0, 0, Instant::now());
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
            let next = loop {
                match merge.next() {
                    Some(next) => break next,
                    None => merge.ready().await,
                }
            };
            out.push(match next {
                Next::Line(id, line) => format!("{id} {}", String::from_utf8_lossy(line.text())),
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
    async fn new_lines_wait_less_for_others_than_old_ones() {
        for (now, waited) in [("2026-01-01T00:00:02Z", 10), ("2026-01-01T00:01:00Z", 50)] {
            let mut merge = Merge::new(Some(Duration::from_millis(50)));
            merge.now = if waited == 10 { || 1_767_225_602_000_000_000 } else { || 1_767_225_660_000_000_000 };
            assert_eq!(parse(now.as_bytes()), Some((merge.now)()));
            merge.add("a".into(), open(&[&at(2, "x")]), true);
            merge.add("b".into(), open(&[&at(2, "y")]), true);
            let start = Instant::now();
            assert_eq!(take(&mut merge, 2).await, ["a x", "b y"]);
            assert_eq!(start.elapsed(), Duration::from_millis(waited));
        }
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
    async fn pieces_may_be_cut_anywhere() {
        let long = "x".repeat(PIECE);
        let stream = [at(1, "a b"), at(2, ""), at(3, "x")].concat();
        let [first, second] = [format!("2026-01-01T00:00:04.000000000Z {long}"), at(5, "end")];
        for size in [1, 7, 30, 31, 33, 1000] {
            let mut pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
            // Frames end where the engine cut the line.
            pieces.extend(first.as_bytes().chunks(size).chain(second.as_bytes().chunks(size)));
            let pieces: Vec<&str> = pieces.into_iter().map(|piece| std::str::from_utf8(piece).unwrap()).collect();
            let mut merge = Merge::new(None);
            merge.add("a".into(), chunks(&pieces), true);
            let expected = ["a a b", "a ", "a x", &format!("a {long}end"), "a ended"];
            assert_eq!(take(&mut merge, 5).await, expected, "{size}");
        }
    }

    #[test]
    fn times_are_read_as_everybody_reads_them() {
        let mut clock = Clock::default();
        for time in [
            "2026-01-01T00:00:00.000000000Z",
            "2026-01-01T00:00:59.999999999Z",
            "2026-01-01T00:01:00.000000001Z",
            "2024-02-29T23:59:60.500000000Z",
            "1969-12-31T23:59:59.123456789Z",
            "2026-01-01T00:00:01Z",
            "2026-01-01T02:00:01.5+02:00",
            "2026-01-01T00:01:0x.000000001Z",
            "2026-13-01T00:01:00.000000001Z",
            "no time",
            "",
        ] {
            let known = time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_nanosecond);
            // A leap second is its own second here, and the one before it there.
            let leap = i128::from(time.contains(":60.")) * 1_000_000_000;
            let read = clock.read(time.as_bytes()).map(i128::from);
            assert!(read == known || read == known.map(|known| known + leap), "{time}: {read:?} {known:?}");
        }
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
