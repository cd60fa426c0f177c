//! `logs`: what containers wrote, and go on writing.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures::stream;

use crate::cli::commands::Ended;
use crate::cli::commands::containers;
use crate::cli::context::{Context, Target};
use crate::cli::failure::Failure;
use crate::cli::shown_logs::{ShownLogs, Times};
use crate::engine::session::{Chosen, Drive, LogsOptions, follow_logs};
use crate::names::ServiceName;
use crate::resource::Container;
use crate::ui::logs::Style;

/// For `--since`: the last start of each container.
const SINCE_START: &str = "up";

/// Show what containers wrote
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose logs -f --tail 20 web     the last lines of `web`, and what follows\n  compose logs --since up --grep 'ERROR|panic'     what went wrong since each container started\n"
)]
pub struct LogsArgs {
    /// Go on showing what is written
    #[arg(short, long)]
    pub follow: bool,
    /// Only lines in which this regular expression finds something
    #[arg(long, value_name = "RE")]
    pub grep: Option<String>,
    /// Number of the container, where a service has several
    #[arg(long, value_name = "int")]
    pub index: Option<i64>,
    /// One object per line: service, container, time, stream, message
    #[arg(long)]
    pub json: bool,
    /// No colours
    #[arg(long)]
    pub no_color: bool,
    /// No service names before the lines
    #[arg(long)]
    pub no_log_prefix: bool,
    /// Begin at this time (2025-06-01T08:00:00Z), so long ago (15m), or with the last start (up)
    #[arg(long, value_name = "string")]
    pub since: Option<String>,
    /// Only so many of the last lines per container
    #[arg(short = 'n', long, value_name = "string")]
    pub tail: Option<String>,
    /// Put the time before each line
    #[arg(short, long)]
    pub timestamps: bool,
    /// End at this time (2025-06-01T08:00:00Z) or so long ago (15m)
    #[arg(long, value_name = "string")]
    pub until: Option<String>,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: LogsArgs, context: &Context<'_>) -> Ended {
    let LogsArgs { follow, grep, index, json, no_color, no_log_prefix, since, tail, timestamps, until, services } =
        args;
    let only = grep.map(|text| {
        let told = |error: regex::Error| Failure::Message(format!("--grep {text:?}: {error}"));
        regex::bytes::Regex::new(&text).map_err(told)
    });
    let only = only.transpose()?;
    if index.is_some_and(|index| index > 0) && services.len() != 1 {
        return Err(Failure::message("--index requires one service to be selected"));
    }
    let target = context.target(&[])?;
    target.services(&services)?;
    let now = context.io.now();
    let options = LogsOptions {
        services: chosen(&target, &services),
        number: index.and_then(|index| u32::try_from(index).ok()).filter(|index| *index > 0),
        follow,
        since_start: since.as_deref() == Some(SINCE_START),
        since: since.filter(|text| text != SINCE_START).map(|text| moment(&text, now)),
        until: until.map(|text| moment(&text, now)),
        tail: tail.and_then(|word| word.parse().ok()),
        timestamps: timestamps || json,
    };
    for (name, moment) in [("since", &options.since), ("until", &options.until)] {
        if let Some(text) = moment.as_deref().filter(|text| !is_moment(text)) {
            let why = format!("failed to parse value as time or duration: \"{text}\"");
            return Err(Failure::Message(format!("invalid value for \"{name}\": {why}")));
        }
    }
    let runtime = context.runtime().await?;
    let paint = context.global.paint(&context.io.stdout);
    let style = Style { prefix: !no_log_prefix, colour: paint.is_coloured() && !no_color };
    let times = if timestamps { Times::Engine } else { Times::None };
    let mut sink = ShownLogs::new(context, &target.name, style, times).filtered(only, json);
    let found = containers::of_project(runtime.as_ref(), &target.name).await?;
    if let (Some(number), [service]) = (options.number, services.as_slice()) {
        let is_it = |container: &Container| container.service() == service && container.number() == Some(number);
        if !found.iter().any(is_it) {
            return Err(Failure::Message(format!("service \"{service}\" is not running container #{number}")));
        }
    }
    // Known from the start, so that all prefixes are equally wide.
    for container in found {
        let service = ServiceName::from(container.service());
        if options.services.has(&service) && !container.is_one_off() {
            sink.introduce(container.service(), container.number(), container.name.as_str());
        }
    }
    let keys = pin!(stream::pending());
    let drive = Drive { runtime: runtime.as_ref(), project: &target.name, sink: &mut sink, keys };
    match follow_logs(drive, options).await? {
        Ok(code) => Ok(u8::try_from(code).unwrap_or(1)),
        // Nobody reads any more.
        Err(_) => Ok(0),
    }
}

/// Without names, services that do not want to be attached stay silent.
fn chosen(target: &Target, services: &[String]) -> Chosen {
    if !services.is_empty() {
        return Chosen::Only(services.iter().map(|name| ServiceName::new(name.clone())).collect());
    }
    let Some(project) = &target.project else { return Chosen::All };
    let silent = |name: &ServiceName| project.services.get(name).is_some_and(|service| service.attach == Some(false));
    if !project.services.keys().any(silent) {
        return Chosen::All;
    }
    let all = project.services.keys().chain(project.disabled_services.keys());
    Chosen::Only(all.filter(|name| !silent(name)).cloned().collect::<BTreeSet<_>>())
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

/// The same, unless it is neither.
pub fn checked_moment(text: &str, now: jiff::Timestamp) -> Option<String> {
    Some(moment(text, now)).filter(|moment| is_moment(moment))
}

/// Whether an engine takes it for a moment: seconds since 1970.
fn is_moment(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
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
