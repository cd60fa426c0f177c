//! `secret-in-environment`: a password that lies in the compose file. Values are never shown.

use crate::diagnostics::{Code, Diagnostic, Span};
use crate::spec::lint::Scope;
use crate::spec::model::{OptionalTexts, Service};
use crate::spec::sensitive;
use crate::spec::tree::Node;

pub(super) const CODE: Code = Code("secret-in-environment");
pub(super) const PAGE: &str = include_str!("../../../docs/diagnostics/secret-in-environment.md");

pub(super) fn run(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for service in &scope.services {
        one(scope, service, &["environment"], &service.environment, found);
        if let Some(build) = &service.build {
            one(scope, service, &["build", "args"], &build.args, found);
        }
    }
}

fn one(scope: &Scope<'_>, service: &Service, path: &[&str], texts: &OptionalTexts, found: &mut Vec<Diagnostic>) {
    let name = &service.name;
    let section = path.join(".");
    for (key, value) in texts {
        let Some(value) = value.as_deref() else { continue };
        let with_login = sensitive::holds_login(value);
        let by_name = sensitive::is_secret_name(key) && is_secret(value);
        if !with_login && !by_name {
            continue;
        }
        let mut full = vec!["services", name.as_str()];
        full.extend(path);
        full.push(key);
        // Files of variables are no part of the tree.
        let Some(node) = scope.project.node(&full).filter(|node| is_literal(scope, key, node)) else { continue };
        let what = if with_login { "holds a login" } else { "is a secret" };
        let hint = if path == ["environment"] {
            format!(
                "write `{key}: ${{{key}}}` and set it in `.env` or the shell, or use `secrets:` and `{key}_FILE` where the \
                 image knows it"
            )
        } else {
            "use `build.secrets`: arguments can be read in the history of the image".to_owned()
        };
        found.push(
            Diagnostic::warning(CODE, format!("services.{name}.{section}.{key} {what} in plain text"))
                .at_private(place(scope, &full, node))
                .hint(hint),
        );
    }
}

/// The key where there is one, else the item.
fn place(scope: &Scope<'_>, path: &[&str], node: &Node) -> Span {
    let key = scope.project.key_span(path);
    let parent = scope.project.key_span(path.split_last().map_or(path, |(_, parent)| parent));
    if key == parent { node.span } else { key }
}

/// Whether a value is written as it is: no variable in it, and not taken over from the environment (`[KEY]`, `KEY:`).
fn is_literal(scope: &Scope<'_>, key: &str, node: &Node) -> bool {
    let span = node.span;
    let written = scope
        .project
        .sources
        .get(span.file)
        .and_then(|source| source.text.get(span.start as usize..span.end as usize))
        .unwrap_or_default()
        .trim_matches(['"', '\'']);
    node.origin.is_none() && !matches!(written, "" | "~" | "null") && written != key
}

/// Whether a value of a key that sounds secret is one.
fn is_secret(value: &str) -> bool {
    let word = value.trim().to_lowercase();
    let switch =
        matches!(word.as_str(), "" | "true" | "false" | "yes" | "no" | "on" | "off" | "none" | "null" | "0" | "1");
    !switch && !word.starts_with("/run/secrets/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::lint::lint;
    use crate::spec::lint::tests::{project_of, warnings};

    #[test]
    fn only_literal_secrets_are_told() {
        for (service, told) in [
            ("image: a:1, environment: {POSTGRES_PASSWORD: hunter2}", true),
            ("image: a:1, environment: ['API_TOKEN=hunter2']", true),
            ("image: a:1, environment: {DATABASE_URL: 'postgres://u:hunter2@db/x'}", true),
            ("build: {context: ., args: {NPM_TOKEN: hunter2}}", true),
            ("image: a:1, environment: {POSTGRES_PASSWORD: '${PW}'}", false),
            ("image: a:1, environment: {POSTGRES_PASSWORD: '${PW:-dev}'}", false),
            ("image: a:1, environment: {POSTGRES_PASSWORD_FILE: /run/secrets/pw}", false),
            ("image: a:1, environment: {POSTGRES_PASSWORD: ''}", false),
            ("image: a:1, environment: {ALLOW_EMPTY_PASSWORD: 'yes'}", false),
            ("image: a:1, environment: {TOKEN_TTL: 3600}", false),
            ("image: a:1, environment: {DATABASE_URL: 'postgres://db/x'}", false),
            ("image: a:1, environment: [POSTGRES_PASSWORD]", false),
        ] {
            assert_eq!(!warnings(service, CODE).is_empty(), told, "{service}");
        }
    }

    #[test]
    fn what_comes_from_the_shell_is_not_told() {
        let environment = [("TOKEN", "hunter2")];
        for variables in ["[TOKEN]", "{TOKEN: }", "{TOKEN: null}", "['TOKEN']", "{TOKEN: $TOKEN}"] {
            let text = format!("services:\n  web: {{image: a:1, environment: {variables}}}\n");
            let project = project_of(&text, &[], &environment);
            assert_eq!(project.services["web"].environment["TOKEN"].as_deref(), Some("hunter2"));
            assert!(lint(&project).iter().all(|finding| finding.code != CODE), "{variables}");
        }
    }

    #[test]
    fn the_value_is_not_told() {
        insta::assert_snapshot!(warnings("image: a:1, environment: {POSTGRES_PASSWORD: hunter2}", CODE), @"
        warning[secret-in-environment]: services.web.environment.POSTGRES_PASSWORD is a secret in plain text
        --> compose.yaml:2:35
         = help: write `POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}` and set it in `.env` or the shell, or use `secrets:` and `POSTGRES_PASSWORD_FILE` where the image knows it
        ");
        insta::assert_snapshot!(warnings("image: a:1, environment: ['U=postgres://u:hunter2@db/x']", CODE), @"
        warning[secret-in-environment]: services.web.environment.U holds a login in plain text
        --> compose.yaml:2:35
         = help: write `U: ${U}` and set it in `.env` or the shell, or use `secrets:` and `U_FILE` where the image knows it
        ");
        assert_eq!(warnings("build: {context: ., args: [TOKEN=hunter2]}", CODE).find("hunter2"), None);
    }
}
