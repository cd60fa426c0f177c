//! Files of variables and labels that services name, read into their `environment` and `labels`.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Span};
use crate::spec::codes;
use crate::spec::dotenv;
use crate::spec::loader::{Loader, system_text};
use crate::spec::model::{EnvFile, OptionalTexts, Project, Service, Texts};

/// Texts of files that several services name.
type Cache = BTreeMap<String, Arc<str>>;

/// Reads the files of the services that are wanted.
pub(in crate::spec) fn files(loader: &mut Loader<'_>, project: &mut Project) {
    let mut cache = Cache::new();
    let Project { services, tree, environment, .. } = project;
    for service in services.values_mut() {
        let span = |key: &str| tree.at(["services", service.name.as_str(), key]).map_or(tree.span, |node| node.span);
        let (env_span, label_span) = (span("env_file"), span("label_file"));
        if !loader.options.no_env_resolution {
            variables(loader, service, environment, env_span, &mut cache);
        }
        labels(loader, service, label_span, &mut cache);
    }
}

fn variables(
    loader: &mut Loader<'_>,
    service: &mut Service,
    environment: &BTreeMap<String, String>,
    span: Span,
    cache: &mut Cache,
) {
    let files = std::mem::take(&mut service.env_file);
    if files.is_empty() {
        return;
    }
    let mut read = OptionalTexts::new();
    for EnvFile { path, required, format } in files {
        let raw = match format.as_deref() {
            None => false,
            Some("raw") => true,
            Some(other) => {
                let message = format!("unsupported env_file format \"{other}\"");
                loader
                    .findings
                    .push(Diagnostic::error(codes::WRONG_VALUE, message).at(span, "").hint("the only format is `raw`"));
                continue;
            }
        };
        let Some(text) = text_of(loader, &path, "env", required, span, cache) else { continue };
        let lookup = |name: &str| {
            let own = || service.environment.get(name).cloned().flatten();
            environment.get(name).cloned().or_else(own)
        };
        let earlier = |name: &str| read.get(name).cloned().flatten();
        let id = loader.sources.add_private(loader.shown(Path::new(&path)), Some(Path::new(&path)), text.clone());
        let parsed =
            if raw { dotenv::parse_raw(&text, id, &lookup) } else { dotenv::parse_after(&text, id, &lookup, &earlier) };
        match parsed {
            Ok(parsed) => {
                loader.unset.extend(parsed.unset);
                read.extend(parsed.variables.into_iter().map(|variable| (variable.name, Some(variable.value))));
            }
            Err(mut finding) => {
                let what = if raw { "parse env_file" } else { "read" };
                finding.message = format!("failed to {what} {path}: {}", finding.message);
                loader.findings.push(finding);
            }
        }
    }
    read.append(&mut service.environment);
    service.environment = read;
}

fn labels(loader: &mut Loader<'_>, service: &mut Service, span: Span, cache: &mut Cache) {
    let mut read = Texts::new();
    for path in service.label_files.clone() {
        let Some(text) = text_of(loader, &path, "label", true, span, cache) else { continue };
        let id = loader.sources.add_private(loader.shown(Path::new(&path)), Some(Path::new(&path)), text.clone());
        match dotenv::parse(&text, id, &|_| None) {
            Ok(parsed) => {
                loader.unset.extend(parsed.unset);
                read.extend(parsed.variables.into_iter().map(|variable| (variable.name, variable.value)));
            }
            Err(mut finding) => {
                finding.message = format!("failed to read {path}: {}", finding.message);
                loader.findings.push(finding);
            }
        }
    }
    read.append(&mut service.labels);
    service.labels = read;
}

fn text_of(
    loader: &mut Loader<'_>,
    path: &str,
    kind: &str,
    required: bool,
    span: Span,
    cache: &mut Cache,
) -> Option<Arc<str>> {
    if let Some(text) = cache.get(path) {
        return Some(text.clone());
    }
    match loader.files.read(Path::new(path)) {
        Ok(bytes) => {
            let text: Arc<str> = dotenv::decode_text(&bytes).into();
            cache.insert(path.to_owned(), text.clone());
            Some(text)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && !required => None,
        Err(error) => {
            let message = if error.kind() == io::ErrorKind::NotFound {
                format!("{kind} file {path} not found: stat {path}: no such file or directory")
            } else {
                format!("failed to read {path}: {}", system_text(&error))
            };
            let mut finding = Diagnostic::error(codes::UNREADABLE_FILE, message).at(span, "asked for here");
            if kind == "env" {
                finding = finding.hint("write `required: false` beside `path` when the file may be missing");
            }
            loader.findings.push(finding);
            None
        }
    }
}
