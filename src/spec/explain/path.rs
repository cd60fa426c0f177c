//! Paths as people write them: `web.ports[0]`, `services.web.labels.traefik.enable`, `services."a.b".image`.

use crate::spec::locate::step_into;
use crate::spec::model::Project;
use crate::spec::rules::TOP;

/// Steps shown of a path, so that nobody pays for a long one.
const MAX_STEPS: usize = 64;

/// The steps of a path and whether all of them are in the project. A path that begins with a service means that
/// service; keys may hold dots.
pub(super) fn resolve(project: &Project, path: &str) -> (Vec<String>, bool) {
    let mut parts = split(path);
    let first = parts.first().map(String::as_str).unwrap_or_default();
    let top = first.is_empty() || first.starts_with("x-") || TOP.field(first).is_some();
    if !top && project.node(&["services"]).and_then(|services| step_into(services, first)).is_some() {
        parts.insert(0, "services".to_owned());
    }
    let mut steps: Vec<String> = Vec::new();
    let mut node = Some(&project.tree);
    let mut rest = parts.as_slice();
    while !rest.is_empty() {
        // The longest run of parts that is one key.
        let found = node.and_then(|node| {
            (1..=rest.len()).rev().find_map(|count| {
                let key = rest.get(..count)?.join(".");
                step_into(node, &key).map(|next| (count, key, next))
            })
        });
        let (count, key) = match found {
            Some((count, key, next)) => {
                node = Some(next);
                (count, key)
            }
            None => {
                node = None;
                // Variables may come from files that are no part of the tree.
                let free = steps.last().is_some_and(|step| step == "environment" || step == "labels");
                let count = if free { rest.len() } else { 1 };
                (count, rest.get(..count).unwrap_or_default().join("."))
            }
        };
        steps.push(key);
        rest = rest.get(count..).unwrap_or_default();
    }
    (steps, node.is_some())
}

fn split(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut part = String::new();
    let mut quote = None;
    for character in path.trim().chars() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '.' | '[' | ']') => {
                if !part.is_empty() {
                    parts.push(std::mem::take(&mut part));
                }
            }
            (Some(_) | None, _) => part.push(character),
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts.truncate(MAX_STEPS);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_as_they_are_meant() {
        for (path, parts) in [
            ("services.web.image", vec!["services", "web", "image"]),
            ("web.ports[0].target", vec!["web", "ports", "0", "target"]),
            ("services.\"a.b\".image", vec!["services", "a.b", "image"]),
            ("..a..", vec!["a"]),
            ("", vec![]),
        ] {
            assert_eq!(split(path), parts, "{path}");
        }
    }
}
