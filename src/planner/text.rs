//! A plan as text: what `--dry-run` shows and what the tests read.

use std::fmt::Write;

use crate::planner::plan::{Certainty, ContainerRef, FieldChange, Need, Op, Plan, PlanNode, Reason, Until};

/// One line per operation: number, what, to what, why, after what.
pub fn to_text(plan: &Plan) -> String {
    let mut text = String::new();
    // Writing to a String can not fail, so the results are of no interest.
    for blocker in &plan.blockers {
        let _ = writeln!(text, "blocked: {}", blocker.message);
    }
    for question in &plan.questions {
        let _ = writeln!(text, "question: {question:?}");
    }
    for (id, node) in plan.iter() {
        let _ = write!(text, "#{} {} {}: {}", id.0 + 1, verb(node), node.target, reason(&node.reason));
        if node.certainty == Certainty::IfImageChanges {
            text.push_str(" (perhaps)");
        }
        if node.optional {
            text.push_str(" (optional)");
        }
        if !node.after.is_empty() {
            text.push_str("  after");
            for edge in &node.after {
                let mark = if edge.need == Need::Settled { "~" } else { "" };
                let _ = write!(text, " {mark}#{}", edge.node.0 + 1);
            }
        }
        text.push('\n');
    }
    for unchanged in &plan.unchanged {
        let _ = writeln!(text, "= {} {}", unchanged.target, unchanged.word.to_lowercase());
    }
    if !plan.complete {
        text.push_str("… and then look again\n");
    }
    text
}

fn verb(node: &PlanNode) -> String {
    match &node.op {
        Op::PullImage { .. } => "pull".into(),
        Op::BuildImage { .. } => "build".into(),
        Op::TagImage { reference, .. } => format!("tag as {reference}"),
        Op::PushImage { .. } => "push".into(),
        Op::CreateNetwork { .. } | Op::CreateVolume { .. } => "create".into(),
        Op::CreateContainer { spec, .. } => match &node.target {
            crate::resource::ResourceId::Container(name) if *name != spec.name => format!("create as {}", spec.name),
            _ => "create".into(),
        },
        Op::RemoveImage { .. } | Op::RemoveNetwork { .. } | Op::RemoveVolume { .. } | Op::RemoveContainer { .. } => {
            "remove".into()
        }
        Op::Connect { network, .. } => format!("connect to {network}"),
        Op::Disconnect { network, .. } => format!("disconnect from {network}"),
        Op::StartContainer { .. } => "start".into(),
        Op::StopContainer { .. } => "stop".into(),
        Op::RestartContainer { .. } => "restart".into(),
        Op::SignalContainer { signal, .. } => format!("send {signal} to"),
        Op::PauseContainer { .. } => "pause".into(),
        Op::UnpauseContainer { .. } => "unpause".into(),
        Op::RenameContainer { container, .. } => match container {
            ContainerRef::Existing(id) => format!("rename {} to", id.short()),
            ContainerRef::CreatedBy(node) => format!("rename the one of #{} to", node.0 + 1),
        },
        Op::CopyInto { files, .. } => {
            let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
            format!("copy {} into", paths.join(", "))
        }
        Op::RunHook { command, .. } => format!("run hook `{}` in", command.join(" ")),
        Op::RunStep { spec, .. } => format!("run step `{}` as", spec.command.as_deref().unwrap_or_default().join(" ")),
        Op::RunProvider { verb, .. } => format!("ask provider to {verb}"),
        Op::ConfigureModel { model, .. } => format!("configure {model} as"),
        Op::Await { until, .. } => match until {
            Until::Started => "await start of".into(),
            Until::Healthy => "await health of".into(),
            Until::RunningOrHealthy => "await readiness of".into(),
            Until::CompletedSuccessfully => "await completion of".into(),
            Until::Exited => "await end of".into(),
        },
    }
}

/// A reason in a phrase.
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Missing => "is missing".into(),
        Reason::ConfigChanged { fields } if fields.is_empty() => "configuration changed".into(),
        Reason::ConfigChanged { fields } => {
            let changes: Vec<String> = fields.iter().map(field).collect();
            changes.join(", ")
        }
        Reason::ContentChanged { path, answer, place: Some(place) } => {
            format!("content of {path} changed: {answer} ({place})")
        }
        Reason::ContentChanged { path, answer, place: None } => format!("content of {path} changed: {answer}"),
        Reason::ImageChanged { from, to } => format!("image changed {} → {}", short(from), short(to)),
        Reason::ImageMayChange => "its image is pulled or built first".into(),
        Reason::EnvironmentMayChange => "what it depends on is asked for its variables first".into(),
        Reason::NetworkChanged { network } => format!("network {network} changed"),
        Reason::VolumeChanged { volume } => format!("volume {volume} changed"),
        Reason::DependencyRecreated { service } => format!("{service} is recreated"),
        Reason::NotRunning => "is not running".into(),
        Reason::RunsAgain { exit_code } => format!("had exited with {exit_code}, runs again"),
        Reason::Replaced => "replaced".into(),
        Reason::LeftBehind => "left behind by an interrupted run".into(),
        Reason::Duplicate => "another container has its number".into(),
        Reason::ScaleDown { wanted } => format!("scaled down to {wanted}"),
        Reason::Orphan => "its service is not in the files".into(),
        Reason::Asked => "as asked".into(),
        Reason::NeededBy { service } => format!("others depend on {service}"),
        Reason::PullPolicy { policy } => format!("pull policy {policy}"),
    }
}

/// A reason in a short phrase for a label: without values, and without commas, which separate labels where engines
/// list them.
pub fn without_values(why: &Reason) -> String {
    /// Every event of the engine repeats all labels.
    const LONGEST: usize = 200;
    let text = match why {
        Reason::Missing => "it was missing".to_owned(),
        Reason::Asked => "that was asked for".to_owned(),
        Reason::ConfigChanged { fields } if !fields.is_empty() => {
            let paths: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
            format!("of changes in {}", paths.join("; "))
        }
        Reason::ConfigChanged { .. } => "its configuration changed".to_owned(),
        Reason::ImageChanged { .. } => "its image changed".to_owned(),
        other => reason(other),
    };
    let plain = text.chars().map(|c| if c == ',' || c.is_control() { ' ' } else { c });
    let plain: String = plain.take(LONGEST + 1).collect();
    if plain.chars().count() <= LONGEST { plain } else { plain.chars().take(LONGEST - 1).collect::<String>() + "…" }
}

fn field(change: &FieldChange) -> String {
    let values = match (&change.from, &change.to) {
        (Some(from), Some(to)) => format!(" {from} → {to}"),
        // What is not known or must not be shown is only said to have changed.
        (None, _) | (_, None) => " changed".to_owned(),
    };
    match &change.place {
        Some(place) => format!("{}{values} ({place})", change.path),
        None => format!("{}{values}", change.path),
    }
}

/// A digest as people see it.
fn short(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..12).unwrap_or(hex)
}
