//! `logs`: what containers wrote, and go on writing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::stream::{self, SelectAll, StreamExt};

use crate::cli::commands::Ended;
use crate::cli::commands::containers;
use crate::cli::context::{Context, Target};
use crate::cli::failure::Failure;
use crate::labels;
use crate::names::ContainerId;
use crate::resource::Container;
use crate::runtime::{self, Chunk, ErrorKind, EventFilter, LogOptions, Output, ResultStream, Runtime, RuntimeEvent};
use crate::ui::logs::{Lines, Speaker, Style, display_name};

/// Logs that are opened ahead while one is printed.
const OPENED_AHEAD: usize = 8;

/// View output from containers
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose logs -f --tail 20 web     the last lines of `web`, and what follows\n"
)]
pub struct LogsArgs {
    /// Follow log output
    #[arg(short, long)]
    pub follow: bool,
    /// index of the container if service has multiple replicas
    #[arg(long, value_name = "int")]
    pub index: Option<i64>,
    /// Produce monochrome output
    #[arg(long)]
    pub no_color: bool,
    /// Don't print prefix in logs
    #[arg(long)]
    pub no_log_prefix: bool,
    /// Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)
    #[arg(long, value_name = "string")]
    pub since: Option<String>,
    /// Number of lines to show from the end of the logs for each container
    #[arg(short = 'n', long, value_name = "string")]
    pub tail: Option<String>,
    /// Show timestamps
    #[arg(short, long)]
    pub timestamps: bool,
    /// Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)
    #[arg(long, value_name = "string")]
    pub until: Option<String>,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: LogsArgs, context: &Context<'_>) -> Ended {
    let LogsArgs { follow, index, no_color, no_log_prefix, since, tail, timestamps, until, services } = args;
    if index.is_some_and(|index| index > 0) && services.len() != 1 {
        return Err(Failure::message("--index requires one service to be selected"));
    }
    let target = context.target(&[])?;
    target.services(&services)?;
    let now = context.io.now();
    let options = LogOptions {
        follow,
        since: since.map(|text| moment(&text, now)),
        until: until.map(|text| moment(&text, now)),
        tail: tail.and_then(|word| word.parse().ok()),
        timestamps,
    };
    let runtime = context.runtime().await?;
    let number = index.and_then(|index| u32::try_from(index).ok()).filter(|index| *index > 0);
    let wanted = Wanted { target: &target, services: &services, number };
    let events = if follow { Some(runtime.events(&wanted.events()).await?) } else { None };
    let mut found = containers::of_project(runtime.as_ref(), &target.name).await?;
    found.retain(|container| wanted.has(container));
    let paint = context.global.paint(&context.io.stdout);
    let style = Style { prefix: !no_log_prefix, colour: paint.is_coloured() && !no_color };
    let mut printer = Printer { context, project: target.name.as_str(), lines: Lines::new(style) };
    // Known from the start, so that all prefixes are equally wide.
    for container in &found {
        printer.speaker(container);
    }
    match events {
        Some(events) => printer.follow(runtime.as_ref(), found, &options, events, &wanted).await,
        None => printer.print(runtime.as_ref(), &found, &options).await,
    }
}

/// Which containers are wanted.
struct Wanted<'a> {
    target: &'a Target,
    services: &'a [String],
    number: Option<u32>,
}

impl Wanted<'_> {
    fn has(&self, container: &Container) -> bool {
        // Without names, services that do not want to be attached stay silent.
        let silent = |name: &str| {
            let service = self.target.project.as_ref().and_then(|project| project.services.get(name));
            self.services.is_empty() && service.is_some_and(|service| service.attach == Some(false))
        };
        !container.is_one_off()
            && container.label(labels::HOOK).is_none()
            && containers::is_of(container, self.services)
            && !silent(container.service())
            && (self.number.is_none() || container.number() == self.number)
    }
    fn events(&self) -> EventFilter {
        EventFilter {
            labels: vec![format!("{}={}", labels::PROJECT, self.target.name)],
            kinds: vec!["container".to_owned()],
            ..EventFilter::default()
        }
    }
}

struct Printer<'a> {
    context: &'a Context<'a>,
    project: &'a str,
    lines: Lines,
}

type Tagged = stream::BoxStream<'static, (ContainerId, Option<runtime::Result<Chunk>>)>;

/// A log whose end is told, too.
fn tagged(id: &ContainerId, logs: ResultStream<Chunk>) -> Tagged {
    let (of_chunk, of_end) = (id.clone(), id.clone());
    logs.map(move |chunk| (of_chunk.clone(), Some(chunk))).chain(stream::once(async move { (of_end, None) })).boxed()
}

impl Printer<'_> {
    fn speaker(&mut self, container: &Container) -> Speaker {
        let name = display_name(self.project, container.service(), container.number(), container.name.as_str());
        self.lines.speaker(&name)
    }

    /// What there is, container by container.
    async fn print(mut self, runtime: &dyn Runtime, found: &[Container], options: &LogOptions) -> Ended {
        let opened = stream::iter(found)
            .map(async |container| (container, runtime.logs(&container.id, options).await))
            .buffered(OPENED_AHEAD);
        tokio::pin!(opened);
        while let Some((container, logs)) = opened.next().await {
            let speaker = self.speaker(container);
            let Some(mut logs) = self.usable(container, logs)? else { continue };
            while let Some(chunk) = logs.next().await {
                match chunk {
                    Ok(chunk) => self.chunk(speaker, &chunk),
                    Err(error) => self.complain(container.name.as_str(), &error),
                }
                if self.context.io.stdout.is_broken() {
                    return Ok(0);
                }
            }
            let rest = self.lines.rest(speaker, None);
            self.context.io.stdout.bytes(&rest);
        }
        Ok(0)
    }

    /// What there is and what follows, until nothing runs any more.
    async fn follow(
        mut self,
        runtime: &dyn Runtime,
        found: Vec<Container>,
        options: &LogOptions,
        events: ResultStream<RuntimeEvent>,
        wanted: &Wanted<'_>,
    ) -> Ended {
        let mut events = events.fuse();
        let mut logs: SelectAll<Tagged> = SelectAll::new();
        let mut speakers: BTreeMap<ContainerId, Speaker> = BTreeMap::new();
        let mut running: BTreeSet<ContainerId> = BTreeSet::new();
        let mut streaming: BTreeSet<ContainerId> = BTreeSet::new();
        for container in &found {
            let speaker = self.speaker(container);
            speakers.insert(container.id.clone(), speaker);
            let opened = runtime.logs(&container.id, options).await;
            if let Some(opened) = self.usable(container, opened)? {
                logs.push(tagged(&container.id, opened));
                streaming.insert(container.id.clone());
            }
            if container.is_running() {
                running.insert(container.id.clone());
            }
        }
        // What ended: its line is written once its output is.
        let mut ended: BTreeMap<ContainerId, i64> = BTreeMap::new();
        while !running.is_empty() || !logs.is_empty() {
            if self.context.io.stdout.is_broken() {
                return Ok(0);
            }
            tokio::select! {
                biased;
                Some((id, chunk)) = logs.next() => {
                    let Some(speaker) = speakers.get(&id).copied() else { continue };
                    match chunk {
                        Some(Ok(chunk)) => self.chunk(speaker, &chunk),
                        Some(Err(error)) => self.complain(id.short(), &error),
                        None => {
                            streaming.remove(&id);
                            let rest = self.lines.rest(speaker, None);
                            self.context.io.stdout.bytes(&rest);
                            if let Some(code) = ended.remove(&id) {
                                self.context.io.stdout.text(&self.lines.exited(speaker, code, running.contains(&id)));
                            }
                        }
                    }
                }
                event = events.next() => {
                    let Some(event) = event else { break };
                    let event = event?;
                    let Some(id) = event.container() else { continue };
                    match event.action.as_str() {
                        "start" => {
                            running.insert(id.clone());
                            if streaming.contains(&id) {
                                continue;
                            }
                            let Some(container) = self.started(runtime, &id, wanted).await? else {
                                running.remove(&id);
                                continue;
                            };
                            let speaker = self.speaker(&container);
                            speakers.insert(id.clone(), speaker);
                            let since = seconds(event.time);
                            let from_start = LogOptions { since: Some(since), tail: None, ..options.clone() };
                            let opened = runtime.logs(&id, &from_start).await;
                            if let Some(opened) = self.usable(&container, opened)? {
                                logs.push(tagged(&id, opened));
                                streaming.insert(id);
                            }
                        }
                        "die" => {
                            let code = event.attributes.get("exitCode").and_then(|code| code.parse().ok()).unwrap_or(0);
                            if running.remove(&id) {
                                if streaming.contains(&id) {
                                    ended.insert(id, code);
                                } else if let Some(speaker) = speakers.get(&id) {
                                    self.context.io.stdout.text(&self.lines.exited(*speaker, code, false));
                                }
                            }
                        }
                        "destroy" => {
                            running.remove(&id);
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(0)
    }

    /// The container behind a start event, when it is wanted and still there.
    async fn started(
        &self,
        runtime: &dyn Runtime,
        id: &ContainerId,
        wanted: &Wanted<'_>,
    ) -> Result<Option<Container>, Failure> {
        let found = containers::of_project(runtime, &wanted.target.name).await?;
        Ok(found.into_iter().find(|container| container.id == *id && wanted.has(container)))
    }

    fn chunk(&mut self, speaker: Speaker, chunk: &Chunk) {
        let output = match chunk.output {
            Output::Stdout => 1,
            Output::Stderr => 2,
        };
        let lines = self.lines.chunk(speaker, output, &chunk.bytes, None);
        if !lines.is_empty() {
            self.context.io.stdout.bytes(&lines);
        }
    }

    /// A log that could be opened; a log driver that can not be read is only told.
    fn usable(
        &self,
        container: &Container,
        logs: runtime::Result<ResultStream<Chunk>>,
    ) -> Result<Option<ResultStream<Chunk>>, Failure> {
        match logs {
            Ok(logs) => Ok(Some(logs)),
            Err(error) if error.kind == ErrorKind::Unavailable => Err(error.into()),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => {
                self.complain(container.name.as_str(), &error);
                Ok(None)
            }
        }
    }

    fn complain(&self, name: &str, error: &runtime::Error) {
        self.context.warn(&format!("Can't retrieve logs for \"{name}\": {}", error.detail));
    }
}

/// Nanoseconds since 1970 as engines take moments.
fn seconds(nanoseconds: i64) -> String {
    format!("{}.{:09}", nanoseconds.div_euclid(1_000_000_000), nanoseconds.rem_euclid(1_000_000_000))
}

/// A moment as engines take it: RFC 3339 and dates become seconds since 1970, and `42m` is so long ago. What is
/// neither goes to the engine as it is.
pub fn moment(text: &str, now: jiff::Timestamp) -> String {
    let told = |time: jiff::Timestamp| format!("{}.{:09}", time.as_second(), time.subsec_nanosecond());
    if let Some(ago) = go_duration(text) {
        return now.checked_sub(ago).map_or_else(|_| text.to_owned(), told);
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return told(time);
    }
    let zoned = text.parse::<jiff::civil::DateTime>().and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC));
    zoned.map_or_else(|_| text.to_owned(), |time| told(time.timestamp()))
}

/// `1h30m`, `1.5s`, `200ms`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_end);
        let factor = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * factor;
        rest = next;
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_seconds_since_1970() {
        let now = jiff::Timestamp::from_second(1_000_000).unwrap();
        for (text, moment_text) in [
            ("42m", "997480.000000000"),
            ("1h30m", "994600.000000000"),
            ("1.5s", "999998.500000000"),
            ("1970-01-02T00:00:00Z", "86400.000000000"),
            ("1970-01-01T02:00:00+01:00", "3600.000000000"),
            ("1970-01-02T00:00:00", "86400.000000000"),
            ("1970-01-02", "86400.000000000"),
            ("12345", "12345"),
            ("yesterday", "yesterday"),
        ] {
            assert_eq!(moment(text, now), moment_text, "{text}");
        }
    }
}
