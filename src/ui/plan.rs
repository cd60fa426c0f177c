//! A plan as a diff that a person reads, and as an object for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::planner::{Action, Certainty, Change, FieldChange, Plan, Reason, changes};
use crate::resource::ResourceId;
use crate::ui::paint::{Paint, Tone};
use crate::ui::reason;

/// A line per thing that changes, and a sum.
pub fn to_text(project: &str, plan: &Plan, paint: Paint) -> String {
    let all = changes(plan);
    let name = |change: &Change| short_name(project, &change.target);
    let width = all.iter().map(|change| name(change).chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for change in &all {
        let (mark, tone) = mark(change.action);
        let may = if change.certainty == Certainty::IfImageChanges { "may " } else { "" };
        let why = match &change.reason {
            // That it is not there says the word `create`.
            Reason::Missing | Reason::Replaced => String::new(),
            known => format!(": {}", reason::phrase(known)),
        };
        let head = format!("{mark} {:width$}  {may}{}", name(change), change.action.word());
        // Writing to a String can not fail.
        let _ = writeln!(text, "{}{why}", paint.tone(tone, &head));
    }
    let unchanged = plan.unchanged.iter().filter(|kept| all.iter().all(|change| change.target != kept.target));
    let _ = writeln!(text, "{}", sum(&all, unchanged.count()));
    text
}

/// The same for programs.
pub fn to_json(project: &str, plan: &Plan, questions: &[String]) -> Value {
    let all: Vec<Value> = changes(plan).iter().map(object).collect();
    let unchanged: Vec<Value> = plan.unchanged.iter().map(|kept| named(&kept.target)).collect();
    json!({
        "project": project,
        "changes": all,
        "unchanged": unchanged,
        "questions": questions,
        "warnings": plan.warnings,
    })
}

/// `2 to create, 1 may be recreated; 3 unchanged`.
fn sum(all: &[Change], unchanged: usize) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for change in all {
        let sure = change.certainty == Certainty::Sure;
        let word = change.action.word();
        let phrase = if sure { format!("to {word}") } else { format!("may need to {word}") };
        match counts.iter_mut().find(|(known, _)| *known == phrase) {
            Some((_, count)) => *count += 1,
            None => counts.push((phrase, 1)),
        }
    }
    let parts: Vec<String> = counts.into_iter().map(|(phrase, count)| format!("{count} {phrase}")).collect();
    if parts.is_empty() {
        return format!("Nothing to do; {unchanged} unchanged");
    }
    format!("{}; {unchanged} unchanged", parts.join(", "))
}

fn mark(action: Action) -> (char, Tone) {
    match action {
        Action::Create | Action::Pull | Action::Build | Action::Push | Action::Tag | Action::Provide => {
            ('+', Tone::Done)
        }
        Action::Remove => ('-', Tone::Error),
        Action::Recreate | Action::Restart | Action::Rename | Action::Connect | Action::Signal => ('~', Tone::Warning),
        Action::Start | Action::Unpause => ('>', Tone::Done),
        Action::Stop | Action::Pause => ('.', Tone::Warning),
    }
}

/// Containers without the project's name, other things with their kind.
fn short_name(project: &str, target: &ResourceId) -> String {
    match target {
        ResourceId::Container(name) => {
            let name = name.as_str();
            let rest = name.strip_prefix(project).and_then(|rest| rest.strip_prefix(['-', '_']));
            rest.unwrap_or(name).to_owned()
        }
        ResourceId::Network(name) => format!("network {name}"),
        ResourceId::Volume(name) => format!("volume {name}"),
        ResourceId::Image(name) => format!("image {name}"),
        ResourceId::Provider(name) | ResourceId::Model(name) => name.clone(),
    }
}

fn named(target: &ResourceId) -> Value {
    let (kind, name) = match target {
        ResourceId::Container(name) => ("container", name.as_str()),
        ResourceId::Network(name) => ("network", name.as_str()),
        ResourceId::Volume(name) => ("volume", name.as_str()),
        ResourceId::Image(name) => ("image", name.as_str()),
        ResourceId::Provider(name) => ("provider", name.as_str()),
        ResourceId::Model(name) => ("model", name.as_str()),
    };
    json!({"kind": kind, "name": name})
}

fn object(change: &Change) -> Value {
    let mut object = named(&change.target);
    object["action"] = change.action.word().into();
    object["certain"] = (change.certainty == Certainty::Sure).into();
    object["reason"] = reason::phrase(&change.reason).into();
    if let Reason::ConfigChanged { fields } = &change.reason {
        let fields: Vec<Value> = fields
            .iter()
            .map(|FieldChange { path, from, to, place }| json!({"path": path, "from": from, "to": to, "place": place}))
            .collect();
        object["fields"] = fields.into();
    }
    if !change.containers.is_empty() {
        let ids: Vec<&str> = change.containers.iter().map(crate::names::ContainerId::as_str).collect();
        object["containers"] = ids.into();
    }
    object
}
