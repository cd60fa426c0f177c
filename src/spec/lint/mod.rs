//! Advice about projects that are valid: what works today and hurts later. One file per rule.
//!
//! `x-lint-ignore: [code, …]` at a service or at the top level switches rules off there.

mod database;
mod dead_profile;
mod floating_image;
mod health_wait;
mod host_network;
mod ignored;
mod memory;
mod privileged;
mod secret;
mod socket;

use serde_json::Value as Json;

use crate::diagnostics::{Code, Diagnostic, Span};
use crate::spec::model::{Extensions, Project, Service};

/// The key that switches rules off.
const IGNORE: &str = "x-lint-ignore";

/// A rule: its code, its page and what looks for it.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Name of the finding.
    pub code: Code,
    /// The page for users, Markdown.
    pub page: &'static str,
    run: fn(&Scope<'_>, &mut Vec<Diagnostic>),
}

macro_rules! rules {
    ($($module:ident),* $(,)?) => {
        &[$(Rule { code: $module::CODE, page: $module::PAGE, run: $module::run }),*]
    };
}

/// All rules, sorted by code.
pub const RULES: &[Rule] = rules![
    dead_profile,
    socket,
    floating_image,
    host_network,
    memory,
    privileged,
    database,
    secret,
    health_wait,
    ignored,
];

/// Looks for what the rules advise against, in the services that are selected, or in all of them, those behind profiles
/// included, when none is. All findings are warnings, in the order of the text.
pub fn lint(project: &Project) -> Vec<Diagnostic> {
    let others = project.disabled_services.values().filter(|_| project.selected.is_empty());
    let mut services: Vec<&Service> = project.services.values().chain(others).collect();
    services.sort_by(|left, right| left.name.cmp(&right.name));
    let mut found = Vec::new();
    for rule in RULES {
        if ignores(&project.extensions, rule.code) {
            continue;
        }
        let services = services.iter().copied().filter(|service| !ignores(&service.extensions, rule.code)).collect();
        (rule.run)(&Scope { project, services }, &mut found);
    }
    found.sort_by_key(|finding: &Diagnostic| finding.labels.first().map(|label| (label.span.file, label.span.start)));
    found
}

/// What a rule looks at.
struct Scope<'p> {
    project: &'p Project,
    /// The services that do not ignore the rule, by name.
    services: Vec<&'p Service>,
}

impl Scope<'_> {
    /// The place of a value of a service; its nearest written parent's key when it is not written itself.
    fn value(&self, service: &Service, path: &[&str]) -> Span {
        self.project.value_span(&full(service, path))
    }
    /// The place of a key of a service.
    fn key(&self, service: &Service, path: &[&str]) -> Span {
        self.project.key_span(&full(service, path))
    }
}

fn full<'a>(service: &'a Service, path: &[&'a str]) -> Vec<&'a str> {
    ["services", service.name.as_str()].into_iter().chain(path.iter().copied()).collect()
}

fn ignores(extensions: &Extensions, code: Code) -> bool {
    ignored_codes(extensions).any(|ignored| ignored == code.0)
}

/// The codes that are switched off: one text or a list of texts.
fn ignored_codes(extensions: &Extensions) -> impl Iterator<Item = &str> {
    let (one, many) = match extensions.get(IGNORE) {
        Some(Json::String(code)) => (Some(code.as_str()), [].as_slice()),
        Some(Json::Array(codes)) => (None, codes.as_slice()),
        _ => (None, [].as_slice()),
    };
    one.into_iter().chain(many.iter().filter_map(Json::as_str))
}

/// `a, b, c and 4 more`.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// An image reference without registry, tag and digest in parts: the path, its last component, and the tag.
fn image_parts(reference: &str) -> (&str, &str, Option<&str>) {
    let name = reference.split_once('@').map_or(reference, |(name, _)| name);
    let after_slash = name.rfind('/').map_or(0, |at| at + 1);
    match name.get(after_slash..).and_then(|last| last.split_once(':')) {
        Some((last, tag)) => (&name[..after_slash + last.len()], last, Some(tag)),
        None => (name, name.get(after_slash..).unwrap_or(name), None),
    }
}

#[cfg(test)]
mod tests;
