//! `events`: what happens to the containers of a project.

use futures::StreamExt;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::cli::commands::Ended;
use crate::cli::commands::format::escaped;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::moment::moment;
use crate::labels;
use crate::runtime::{EventFilter, RuntimeEvent};

/// Follow what happens to containers
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose events --json     one object per line, for programs\n"
)]
pub struct EventsArgs {
    /// Write one JSON object per event
    #[arg(long)]
    pub json: bool,
    /// Begin with events from this time
    #[arg(long, value_name = "string")]
    pub since: Option<String>,
    /// End with events of this time
    #[arg(long, value_name = "string")]
    pub until: Option<String>,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: EventsArgs, context: &Context<'_>) -> Ended {
    let EventsArgs { json, since, until, services } = args;
    let target = context.target(&[])?;
    target.services(&services)?;
    let (now, zone) = (context.io.now(), TimeZone::system());
    let asked = |text: String| moment(&text, now, &zone).map_err(Failure::Message);
    let filter = EventFilter {
        labels: vec![format!("{}={}", labels::PROJECT, target.name)],
        kinds: vec!["container".to_owned()],
        since: since.map(asked).transpose()?,
        until: until.map(asked).transpose()?,
    };
    let runtime = context.runtime().await?;
    let mut events = runtime.events(&filter).await?;
    while let Some(event) = events.next().await {
        let event = event?;
        let service = event.attributes.get(labels::SERVICE).cloned().unwrap_or_default();
        let one_off = event.attributes.get(labels::ONE_OFF).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if one_off || service.is_empty() || (!services.is_empty() && !services.contains(&service)) {
            continue;
        }
        context.io.stdout.text(&if json { as_json(&event, &service) } else { as_text(&event) });
        if context.io.stdout.is_broken() {
            return Ok(0);
        }
    }
    // The stream ends only when its end was asked for; docker compose tells it so.
    Err(Failure::message("EOF"))
}

fn attributes(event: &RuntimeEvent) -> impl Iterator<Item = (&String, &String)> {
    event.attributes.iter().filter(|(key, _)| !key.starts_with("com.docker.compose."))
}

fn time(event: &RuntimeEvent) -> jiff::Timestamp {
    jiff::Timestamp::from_nanosecond(i128::from(event.time)).unwrap_or_default()
}

fn as_json(event: &RuntimeEvent, service: &str) -> String {
    let attributes: Map<String, Value> =
        attributes(event).map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    let mut object = Map::new();
    object.insert("action".to_owned(), event.action.as_str().into());
    object.insert("attributes".to_owned(), attributes.into());
    object.insert("id".to_owned(), event.id.as_str().into());
    object.insert("service".to_owned(), service.into());
    object.insert("time".to_owned(), time(event).to_string().into());
    object.insert("type".to_owned(), "container".into());
    escaped(&Value::Object(object).to_string()) + "\n"
}

fn as_text(event: &RuntimeEvent) -> String {
    let attributes: Vec<String> = attributes(event).map(|(key, value)| format!("{key}={value}")).collect();
    let time = time(event).strftime("%Y-%m-%d %H:%M:%S.%6f");
    format!("{time} container {} {} ({})\n\n", event.action, event.id, attributes.join(", "))
}
