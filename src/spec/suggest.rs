//! Ways out of a mistake: the word that was probably meant, the place where a key belongs.

use crate::diagnostics::Diagnostic;
use crate::spec::rules::{Others, Shape, TOP};
use crate::spec::tree::Node;

/// Adds "did you mean" when a known word is near.
pub(in crate::spec) fn did_you_mean<'a>(
    finding: Diagnostic,
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    match nearest(word, known) {
        Some(near) => finding.hint(format!("did you mean `{near}`?")),
        None => finding,
    }
}

/// The known word that is nearest to what was written, when it is near enough to be what was meant.
pub(in crate::spec) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let simple = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let written = simple(word);
    let allowed = match word.chars().count() {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&written, &simple(name)), name))
        .filter(|(distance, name)| *distance <= allowed && *distance < name.len())
        .min_by(|left, right| left.0.cmp(&right.0).then(left.1.cmp(right.1)))
        .map(|(_, name)| name)
}

/// What to do about a key that is not known where it stands.
pub(in crate::spec) fn for_unknown_key(
    finding: Diagnostic,
    key: &str,
    node: &Node,
    shape: &'static Shape,
) -> Diagnostic {
    let top = std::ptr::eq(shape, &raw const TOP);
    let looks_like_a_service = ["image", "build", "ports", "command"].iter().any(|hint| node.get(hint).is_some());
    if top && looks_like_a_service {
        return finding.hint(format!("`{key}` looks like a service: indent it under `services:`"));
    }
    if key == "cpus" || key == "memory" {
        return finding.hint("it belongs under `deploy.resources.limits` of a service, or write `cpus`/`mem_limit`");
    }
    if let Some(near) = nearest(key, shape.fields.iter().map(|(name, _)| *name)) {
        return finding.hint(format!("did you mean `{near}`?"));
    }
    let mut places = Vec::new();
    homes(&TOP, "", key, 0, &mut places);
    if let Some(place) = places.first() {
        return finding.hint(format!("`{key}` is known at {place}"));
    }
    if top {
        return finding.hint("top-level keys of your own begin with `x-`");
    }
    finding
}

fn homes(shape: &'static Shape, path: &str, key: &str, depth: usize, places: &mut Vec<String>) {
    if depth > 8 {
        return;
    }
    if shape.fields.iter().any(|(name, _)| *name == key) {
        places.push(if path.is_empty() { "the top level".to_owned() } else { format!("`{path}`") });
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for (name, field) in shape.fields {
        homes(field, &below(name), key, depth + 1, places);
    }
    if let Some(items) = shape.items {
        homes(items, path, key, depth + 1, places);
    }
    if let Others::Any(other) | Others::Named(other) | Others::NamedOpen(other) | Others::Words(other) = shape.others {
        homes(other, &below("<name>"), key, depth + 1, places);
    }
    places.sort_by_key(|place| place.matches('.').count());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["image", "ports", "environment", "depends_on"];
        for (word, near) in [
            ("imgae", Some("image")),
            ("port", Some("ports")),
            ("dependson", Some("depends_on")),
            ("depends-on", Some("depends_on")),
            ("enviroment", Some("environment")),
            ("foo", None),
        ] {
            assert_eq!(nearest(word, known), near, "{word}");
        }
    }
}
