//! Why something is done, in one phrase for people.

use crate::planner::{FieldChange, Reason};

/// At most so many changed fields are named.
const FIELDS_SHOWN: usize = 3;

/// The phrase: `environment.LOG_LEVEL changed: info → debug`.
pub fn phrase(reason: &Reason) -> String {
    match reason {
        Reason::Missing => "is not there yet".to_owned(),
        Reason::ConfigChanged { fields } => fields_phrase(fields),
        Reason::ImageChanged { from, to } => format!("image changed: {} → {}", short(from), short(to)),
        Reason::NetworkChanged { network } => format!("is not connected to network {network}"),
        Reason::VolumeChanged { volume } => format!("volume {volume} is not mounted"),
        Reason::DependencyRecreated { service } => format!("service {service}, whose namespace it uses, is recreated"),
        Reason::NotRunning => "is not running".to_owned(),
        Reason::RunsAgain { exit_code } => format!("ended with {exit_code}, runs again"),
        Reason::Replaced => "a new container takes its place".to_owned(),
        Reason::LeftBehind => "left behind by a run that was cut off".to_owned(),
        Reason::Duplicate => "there is another container of this service and number".to_owned(),
        Reason::ScaleDown { wanted } => format!("only {wanted} wanted"),
        Reason::Orphan => "its service is not in the compose file".to_owned(),
        Reason::Asked => "asked for".to_owned(),
        Reason::NeededBy { service } => format!("needed by {service}"),
        Reason::PullPolicy { policy } => format!("pull policy is {policy}"),
    }
}

/// Whether a person wants to know without asking: something that was there is made anew.
pub fn is_worth_telling(reason: &Reason) -> bool {
    match reason {
        Reason::ConfigChanged { .. }
        | Reason::ImageChanged { .. }
        | Reason::NetworkChanged { .. }
        | Reason::VolumeChanged { .. }
        | Reason::DependencyRecreated { .. }
        | Reason::LeftBehind
        | Reason::Duplicate => true,
        Reason::Missing
        | Reason::NotRunning
        | Reason::RunsAgain { .. }
        | Reason::Replaced
        | Reason::ScaleDown { .. }
        | Reason::Orphan
        | Reason::Asked
        | Reason::NeededBy { .. }
        | Reason::PullPolicy { .. } => false,
    }
}

fn fields_phrase(fields: &[FieldChange]) -> String {
    if fields.is_empty() {
        return "its configuration changed".to_owned();
    }
    let mut parts: Vec<String> = fields.iter().take(FIELDS_SHOWN).map(field_phrase).collect();
    if fields.len() > FIELDS_SHOWN {
        parts.push(format!("and {} more", fields.len() - FIELDS_SHOWN));
    }
    parts.join(", ")
}

fn field_phrase(field: &FieldChange) -> String {
    let FieldChange { path, from, to, place } = field;
    let mut text = match (from, to) {
        (Some(from), Some(to)) => format!("{path} changed: {} → {}", short(from), short(to)),
        (None, Some(to)) => format!("{path} changed to {}", short(to)),
        (Some(from), None) => format!("{path} changed from {}", short(from)),
        (None, None) => format!("{path} changed"),
    };
    if let Some(place) = place {
        text.push_str(&format!(" ({place})"));
    }
    text
}

/// A value in one short line; digests keep their first twelve characters, as people see ids.
fn short(value: &str) -> String {
    const LONGEST: usize = 60;
    let value = value.lines().next().unwrap_or_default();
    if let Some((head, digest)) = value.split_once("sha256:")
        && digest.len() > 12
    {
        return format!("{head}{}", digest.get(..12).unwrap_or(digest));
    }
    if value.chars().count() > LONGEST {
        let cut: String = value.chars().take(LONGEST - 1).collect();
        return format!("{cut}…");
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(path: &str, from: Option<&str>, to: Option<&str>) -> FieldChange {
        FieldChange { path: path.into(), from: from.map(Into::into), to: to.map(Into::into), place: None }
    }

    #[test]
    fn a_change_names_the_field_and_both_values() {
        for (reason, text) in [
            (Reason::ConfigChanged { fields: vec![] }, "its configuration changed"),
            (
                Reason::ConfigChanged { fields: vec![field("environment.LOG", Some("info"), Some("debug"))] },
                "environment.LOG changed: info → debug",
            ),
            (
                Reason::ConfigChanged { fields: ["a", "b", "c", "d", "e"].map(|path| field(path, None, None)).into() },
                "a changed, b changed, c changed, and 2 more",
            ),
            (
                Reason::ImageChanged { from: "sha256:0123456789abcdef".into(), to: "sha256:fedcba9876543210".into() },
                "image changed: 0123456789ab → fedcba987654",
            ),
        ] {
            assert_eq!(phrase(&reason), text);
        }
    }
}
