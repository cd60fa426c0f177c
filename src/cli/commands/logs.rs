//! `logs`: what containers wrote, and go on writing.

use std::collections::BTreeSet;
use std::pin::pin;

use futures::stream;
use jiff::tz::TimeZone;

use crate::cli::commands::Ended;
use crate::cli::commands::containers;
use crate::cli::context::{Context, Target};
use crate::cli::failure::Failure;
use crate::cli::moment::moment;
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
    let (now, zone) = (context.io.now(), TimeZone::system());
    let asked = |flag: &str, text: &str| {
        let told = |error| Failure::Message(format!("invalid value for \"{flag}\": {error}"));
        moment(text, now, &zone).map_err(told)
    };
    let options = LogsOptions {
        services: chosen(&target, &services),
        number: index.and_then(|index| u32::try_from(index).ok()).filter(|index| *index > 0),
        follow,
        since_start: since.as_deref() == Some(SINCE_START),
        since: since.filter(|text| text != SINCE_START).map(|text| asked("since", &text)).transpose()?,
        until: until.map(|text| asked("until", &text)).transpose()?,
        tail: tail.and_then(|word| word.parse().ok()),
        timestamps: timestamps || json,
    };
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
        let is_meant = options.number.is_none_or(|number| container.number() == Some(number));
        if options.services.has(&service) && !container.is_one_off() && is_meant {
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
