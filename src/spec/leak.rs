//! Secrets that are written in files which others are going to read.

use crate::diagnostics::{FileId, SourceMap, Span};
use crate::spec::dotenv;
use crate::spec::sensitive;
use crate::spec::tree::{Node, Value};

/// A place where a secret seems to be written. What it is, is not said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// What gives it away: `GitHub token`.
    pub kind: &'static str,
    /// `services.web.environment.TOKEN`, or the name of a variable.
    pub path: String,
    /// `compose.yaml:4:7`.
    pub place: String,
}

/// What tokens of well-known services begin with, and how long they are at least.
const TOKENS: [(&str, &str, usize); 16] = [
    ("ghp_", "GitHub token", 36),
    ("gho_", "GitHub token", 36),
    ("ghu_", "GitHub token", 36),
    ("ghs_", "GitHub token", 36),
    ("ghr_", "GitHub token", 36),
    ("github_pat_", "GitHub token", 36),
    ("glpat-", "GitLab token", 26),
    ("xoxb-", "Slack token", 20),
    ("xoxp-", "Slack token", 20),
    ("xoxa-", "Slack token", 20),
    ("xapp-", "Slack token", 20),
    ("sk_live_", "Stripe key", 24),
    ("rk_live_", "Stripe key", 24),
    ("npm_", "npm token", 36),
    ("dckr_pat_", "Docker token", 30),
    ("AIza", "Google API key", 39),
];
/// What ids of AWS keys begin with.
const AWS: [&str; 9] = ["A3T", "AKIA", "AGPA", "AIDA", "AROA", "AIPA", "ANPA", "ANVA", "ASIA"];
const AWS_LENGTH: usize = 20;

/// A value as it may be shown: not when it, or what it is called, sounds like a secret.
pub fn shown<'v>(name: &str, value: &'v str) -> &'v str {
    if sensitive::is_key(name) || sensitive::shows_secret(value) || kind(name, value).is_some() {
        "(hidden)"
    } else {
        value
    }
}

/// Looks through a document as it was written: what variables bring is not in it.
pub(in crate::spec) fn in_tree(sources: &SourceMap, document: &Node, found: &mut Vec<Suspicion>) {
    walk(sources, document, "", "", found);
}

fn walk(sources: &SourceMap, node: &Node, path: &str, key: &str, found: &mut Vec<Suspicion>) {
    match &node.value {
        Value::Mapping(mapping) => {
            for (key, entry) in mapping.iter() {
                let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                walk(sources, &entry.node, &path, key, found);
            }
        }
        Value::Sequence(items) => {
            for item in items {
                // `KEY=value` and plain texts alike.
                match item.as_str().and_then(|text| text.split_once('=')) {
                    Some((name, value)) if !name.contains(' ') => {
                        note(sources, &format!("{path}.{name}"), name, value, item.span, found);
                    }
                    _ => walk(sources, item, path, key, found),
                }
            }
        }
        Value::String(text) => note(sources, path, key, text, node.span, found),
        _ => {}
    }
}

/// Looks through a file of variables.
pub(in crate::spec) fn in_variables(sources: &SourceMap, file: FileId, found: &mut Vec<Suspicion>) {
    let Some(source) = sources.get(file) else { return };
    let Ok(parsed) = dotenv::parse(&source.text, file, &|_| None) else { return };
    for variable in &parsed.variables {
        note(sources, &variable.name, &variable.name, &variable.value, variable.span, found);
    }
}

fn note(sources: &SourceMap, path: &str, key: &str, value: &str, span: Span, found: &mut Vec<Suspicion>) {
    let Some(kind) = kind(key, value) else { return };
    let suspicion = Suspicion { kind, path: path.to_owned(), place: sources.place(span) };
    if !found.contains(&suspicion) {
        found.push(suspicion);
    }
}

/// What kind of secret a value seems to be.
fn kind(key: &str, value: &str) -> Option<&'static str> {
    let mut words =
        value.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ':' | ',' | ';' | '@' | '/'));
    if value.contains("-----BEGIN ") && value.contains("PRIVATE KEY") {
        return Some("private key");
    }
    if let Some(kind) = words.find_map(token) {
        return Some(kind);
    }
    if sensitive::holds_login(value) && !value.contains("$") {
        return Some("URL with password");
    }
    let key = key.rsplit('.').next().unwrap_or(key);
    (sensitive::is_secret_name(key) && is_literal(value)).then_some("secret by its name")
}

fn token(word: &str) -> Option<&'static str> {
    let plain = |rest: &str| rest.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if let Some((_, kind, _)) =
        TOKENS.iter().find(|(start, _, least)| word.len() >= *least && word.starts_with(start) && plain(word))
    {
        return Some(kind);
    }
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    if word.len() == AWS_LENGTH && AWS.iter().any(|start| word.starts_with(start)) && word.chars().all(capital) {
        return Some("AWS key id");
    }
    let mut parts = word.split('.');
    let is_jwt = matches!((parts.next(), parts.next(), parts.next(), parts.next()), (Some(head), Some(body), Some(end), None)
        if head.starts_with("eyJ") && body.starts_with("eyJ") && !end.is_empty() && plain(head) && plain(body) && plain(end));
    is_jwt.then_some("JSON web token")
}

/// Whether a value is one, and not a variable, a switch or a path.
fn is_literal(value: &str) -> bool {
    let word = value.trim().to_ascii_lowercase();
    let switch = matches!(word.as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "none" | "null" | "0" | "1");
    !word.is_empty() && !switch && !word.contains('$') && !word.starts_with('/') && !word.starts_with("./")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_looks_and_names() {
        let github = format!("ghp_{}", "a1".repeat(18));
        for (key, value, expected) in [
            ("X", "AKIAIOSFODNN7EXAMPLE", Some("AWS key id")),
            ("X", "AKIAIOSFODNN7EXAMPLE1", None),
            ("X", &github, Some("GitHub token")),
            ("command", &format!("curl -H 'Authorization: Bearer {github}'"), Some("GitHub token")),
            ("X", "ghp_short", None),
            ("X", "eyJhbGci.eyJzdWIi.abc-_", Some("JSON web token")),
            ("X", "-----BEGIN RSA PRIVATE KEY-----\nMII", Some("private key")),
            ("X", "postgres://u:hunter2@db/x", Some("URL with password")),
            ("X", "postgres://u:${PW}@db/x", None),
            ("DB_PASSWORD", "hunter2", Some("secret by its name")),
            ("DB_PASSWORD", "${DB_PASSWORD}", None),
            ("DB_PASSWORD", "", None),
            ("DB_PASSWORD_FILE", "/run/secrets/pw", None),
            ("DB_PASSWORD", "/run/secrets/pw", None),
            ("ALLOW_EMPTY_PASSWORD", "yes", None),
            ("image", "nginx:latest", None),
        ] {
            assert_eq!(kind(key, value), expected, "{key}={value}");
        }
    }
}
