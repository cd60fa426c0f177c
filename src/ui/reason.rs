//! Why something is done, in one line for people.

use crate::planner::{self, Reason};

/// A line longer than this helps nobody.
const LONGEST: usize = 300;

/// The planner's phrase, in one line. Of many fields as many are told as fit.
pub fn phrase(reason: &Reason) -> String {
    let text = one_line(reason);
    let fits = |text: &str| text.chars().count() <= LONGEST;
    if fits(&text) {
        return text;
    }
    if let Reason::ConfigChanged { fields } = reason {
        let first = (1..fields.len()).rev().find_map(|count| {
            let told = one_line(&Reason::ConfigChanged { fields: fields.get(..count)?.to_vec() });
            let text = format!("{told} and {} more", fields.len() - count);
            fits(&text).then_some(text)
        });
        if let Some(text) = first {
            return text;
        }
    }
    let cut: String = text.chars().take(LONGEST - 1).collect();
    cut + "…"
}

fn one_line(reason: &Reason) -> String {
    planner::reason(reason).replace(|c: char| c.is_control(), " ")
}

/// Whether a person wants to know without asking: something that was there is made anew.
pub fn is_worth_telling(reason: &Reason) -> bool {
    match reason {
        Reason::ConfigChanged { .. }
        | Reason::ContentChanged { .. }
        | Reason::ImageChanged { .. }
        | Reason::NetworkChanged { .. }
        | Reason::VolumeChanged { .. }
        | Reason::DependencyRecreated { .. }
        | Reason::LeftBehind
        | Reason::Duplicate => true,
        Reason::Missing
        | Reason::ImageMayChange
        | Reason::EnvironmentMayChange
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_one_line_of_bearable_length() {
        assert_eq!(phrase(&Reason::PullPolicy { policy: "a\nb".into() }), "pull policy a b");
        assert_eq!(phrase(&Reason::PullPolicy { policy: "x".repeat(1000) }).chars().count(), LONGEST);
    }
}
