//! `dead-profile`: a profile that nobody can use: asked for and not there, never nameable, or never complete.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostics::{Code, Diagnostic};
use crate::spec::lint::{Scope, listed};
use crate::spec::model::Service;
use crate::spec::suggest;

pub(super) const CODE: Code = Code("dead-profile");
pub(super) const PAGE: &str = include_str!("../../../docs/diagnostics/dead-profile.md");

pub(super) fn run(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let project = scope.project;
    let all: BTreeMap<&str, &Service> = project
        .services
        .values()
        .chain(project.disabled_services.values())
        .map(|service| (service.name.as_str(), service))
        .collect();
    let known: BTreeSet<&str> = all.values().flat_map(|service| &service.profiles).map(String::as_str).collect();
    for asked in project.profiles.iter().filter(|asked| *asked != "*" && !known.contains(asked.as_str())) {
        let finding = Diagnostic::warning(CODE, format!("no service has the profile `{asked}` that is asked for"));
        found.push(suggest::did_you_mean(finding, asked, known.iter().copied()));
    }
    for service in &scope.services {
        unnameable(scope, service, found);
        incomplete(scope, service, &all, found);
    }
}

/// Profiles that neither `--profile` nor COMPOSE_PROFILES can name.
fn unnameable(scope: &Scope<'_>, service: &Service, found: &mut Vec<Diagnostic>) {
    for (at, profile) in service.profiles.iter().enumerate() {
        if profile.is_empty() || profile.contains(',') || profile.trim() != profile {
            let name = &service.name;
            let message = format!("services.{name} has the profile {profile:?}, which COMPOSE_PROFILES cannot name");
            found.push(
                Diagnostic::warning(CODE, message)
                    .at(scope.value(service, &["profiles", &at.to_string()]), "")
                    .hint("names of profiles are letters, digits, `.`, `_` and `-`"),
            );
        }
    }
}

/// Services that need others which their own profiles leave out.
fn incomplete(scope: &Scope<'_>, service: &Service, all: &BTreeMap<&str, &Service>, found: &mut Vec<Diagnostic>) {
    for (needed, dependency) in &service.depends_on {
        let Some(other) = all.get(needed.as_str()).filter(|_| dependency.required) else { continue };
        if other.profiles.is_empty() {
            continue;
        }
        let missing: Vec<&str> =
            service.profiles.iter().filter(|profile| !other.profiles.contains(profile)).map(String::as_str).collect();
        if missing.is_empty() {
            continue;
        }
        let name = &service.name;
        let message = format!(
            "the profile {} cannot be started alone: services.{name} needs services.{needed}, which it leaves out",
            listed(missing.iter().copied())
        );
        found.push(
            Diagnostic::warning(CODE, message)
                .at(scope.key(service, &["depends_on", needed.as_str()]), "needed here")
                .at(scope.key(other, &["profiles"]), "active only with these")
                .hint(format!("add the profile to services.{needed}, or write `required: false` for the dependency")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::lint::tests::{warnings, warnings_of};

    fn told(web: &str, db: &str) -> String {
        let text = format!(
            "services:\n  web: {{image: a:1, depends_on: {{db: {{condition: service_started}}}}{web}}}\n  db: {{image: \
             a:1{db}}}\n"
        );
        warnings_of(&text, CODE)
    }

    #[test]
    fn profiles_that_bring_what_they_need_are_fine() {
        for (web, db) in [
            ("", ""),
            (", profiles: [a]", ""),
            (", profiles: [a]", ", profiles: [a]"),
            (", profiles: [a]", ", profiles: [b, a]"),
        ] {
            assert_eq!(told(web, db), "", "{web} {db}");
        }
    }

    #[test]
    fn a_profile_without_what_it_needs_is_told() {
        insta::assert_snapshot!(told(", profiles: [a, b]", ", profiles: [b]"), @"
        warning[dead-profile]: the profile a cannot be started alone: services.web needs services.db, which it leaves out
         --> compose.yaml:2:34
          |
        2 |   web: {image: a:1, depends_on: {db: {condition: service_started}}, profiles: [a, b]}
          |                                  ^^ needed here
        3 |   db: {image: a:1, profiles: [b]}
          |                    -------- active only with these
          |
          = help: add the profile to services.db, or write `required: false` for the dependency
        ");
    }

    #[test]
    fn names_that_cannot_be_given_are_told() {
        assert_eq!(warnings("image: a:1, profiles: [debug]", CODE), "");
        insta::assert_snapshot!(warnings("image: a:1, profiles: ['a,b']", CODE), @r#"
        warning[dead-profile]: services.web has the profile "a,b", which COMPOSE_PROFILES cannot name
         --> compose.yaml:2:32
          |
        2 |   web: {image: a:1, profiles: ['a,b']}
          |                                ^^^^^
          |
          = help: names of profiles are letters, digits, `.`, `_` and `-`
        "#);
    }
}
