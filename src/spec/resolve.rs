//! Files of variables and labels that services name, read into their `environment` and `labels`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostics::{Diagnostic, FileId, Span};
use crate::spec::codes;
use crate::spec::defaults::set;
use crate::spec::dotenv;
use crate::spec::interpolate::{REQUIRED_VARIABLE, only_for_containers};
use crate::spec::loader::{Directory, Loader, system_text};
use crate::spec::model::{EnvFile, OptionalTexts, Project, Service, Texts};
use crate::spec::paths::join;
use crate::spec::tree::{Mapping, Node, Origin, Tag, Value};

/// What files of variables may bring in all, counted in bytes of names and values and [`EACH`]: a large file that many
/// services name is a copy for each of them.
const MAX_BROUGHT: usize = 256 << 20;
/// What a variable costs beside its texts.
const EACH: usize = 64;

/// A file that a service names.
#[derive(Clone)]
struct Text {
    text: Arc<str>,
    id: FileId,
}

/// Files that several services may name.
#[derive(Default)]
struct Cache {
    texts: BTreeMap<String, Text>,
    /// What files say that do not hang on anything else.
    parsed: BTreeMap<(String, bool), Arc<Vec<dotenv::Variable>>>,
    /// What files brought in all.
    brought: usize,
}

/// Reads the files of the services that are wanted.
pub(in crate::spec) fn files(loader: &mut Loader<'_>, project: &mut Project) {
    let mut cache = Cache::default();
    let Project { services, tree, environment, .. } = project;
    for service in services.values_mut() {
        if service.env_file.is_empty() && service.label_files.is_empty() {
            continue;
        }
        let span = |key: &str| tree.at(["services", service.name.as_str(), key]).map_or(tree.span, |node| node.span);
        let (env_span, label_span) = (span("env_file"), span("label_file"));
        if !loader.options.no_env_resolution {
            let places = variables(loader, service, environment, env_span, &mut cache);
            note_origins(tree, service, places);
        }
        labels(loader, service, label_span, &mut cache);
        if cache.brought > MAX_BROUGHT {
            let message = format!("files of variables bring more than {MAX_BROUGHT} bytes to all services");
            let finding = Diagnostic::error(codes::TOO_LARGE, message).at(env_span, "here the limit is passed");
            loader.findings.push(finding.hint("mount large data as a file in place of passing it in variables"));
            return;
        }
    }
}

fn variables(
    loader: &mut Loader<'_>,
    service: &mut Service,
    environment: &BTreeMap<String, String>,
    span: Span,
    cache: &mut Cache,
) -> BTreeMap<String, Span> {
    let mut places = BTreeMap::new();
    let files = std::mem::take(&mut service.env_file);
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
        let Some(Text { text, id }) = text_of(loader, &path, "env", required, span, cache) else { continue };
        let known = cache.parsed.get(&(path.clone(), raw)).cloned();
        let variables = match known {
            Some(variables) => variables,
            None => {
                let asked = Cell::new(false);
                let lookup = |name: &str| {
                    asked.set(true);
                    let own = || service.environment.get(name).cloned().flatten();
                    environment.get(name).cloned().or_else(own)
                };
                let earlier = |name: &str| read.get(name).cloned().flatten();
                let parsed = if raw {
                    dotenv::parse_raw(&text, id, &lookup)
                } else {
                    dotenv::parse_after(&text, id, &lookup, &earlier)
                };
                match parsed {
                    Ok(parsed) => {
                        loader.unset.extend(parsed.unset);
                        let variables = Arc::new(parsed.variables);
                        if !asked.get() {
                            cache.parsed.insert((path, raw), variables.clone());
                        }
                        variables
                    }
                    Err(mut finding) => {
                        let what = if raw { "parse env_file" } else { "read" };
                        finding.message = format!("failed to {what} {path}: {}", finding.message);
                        loader.findings.push(finding);
                        continue;
                    }
                }
            }
        };
        for variable in variables.iter() {
            cache.brought += EACH + variable.name.len() + variable.value.len();
            places.insert(variable.name.clone(), variable.span);
            read.insert(variable.name.clone(), Some(variable.value.clone()));
        }
    }
    places.retain(|name, _| !service.environment.contains_key(name));
    read.append(&mut service.environment);
    service.environment = read;
    places
}

/// So many files are looked into for a hint.
const MOST_LOOKED_INTO: usize = 20;

impl Loader<'_> {
    /// Looks for missing variables in the `env_file`s of a document's services: people expect them to be used for
    /// `${}`. Errors from `first_finding` on get a hint.
    pub(in crate::spec) fn look_into_env_files(
        &mut self,
        document: &Node,
        directory: &Directory,
        first_finding: usize,
    ) {
        let services = document.get("services").and_then(Node::as_mapping);
        let mut paths: BTreeMap<&str, Span> = BTreeMap::new();
        for (_, entry) in services.into_iter().flat_map(Mapping::iter) {
            let Some(files) = entry.node.get("env_file") else { continue };
            for file in files.as_sequence().unwrap_or(std::slice::from_ref(files)) {
                let path = file.get("path").unwrap_or(file);
                paths.extend(path.as_str().map(|text| (text, path.span)));
            }
        }
        for (path, span) in paths {
            let absolute = PathBuf::from(join(&directory.real, path));
            if self.looked_into.len() >= MOST_LOOKED_INTO || !self.looked_into.insert(absolute.clone()) {
                continue;
            }
            // Whether a fetched file may name it is said when it is read in earnest.
            let findings = self.findings.len();
            let allowed = self.may_read(&absolute, span);
            self.findings.truncate(findings);
            let Some(bytes) = allowed.then(|| self.files.read(&absolute).ok()).flatten() else { continue };
            let text = dotenv::decode_text(&bytes);
            if let Ok(parsed) = dotenv::parse(&text, span.file, &|_| None) {
                for variable in parsed.variables {
                    self.in_env_files.entry(variable.name).or_insert_with(|| path.to_owned());
                }
            }
        }
        let in_env_files = &self.in_env_files;
        for finding in self.findings.iter_mut().skip(first_finding).filter(|finding| finding.code == REQUIRED_VARIABLE)
        {
            let missing = finding.message.split_once("required variable ").map(|(_, rest)| rest);
            let name = missing.and_then(|rest| rest.split_once(" is missing")).map(|(name, _)| name);
            if let Some((name, file)) = name.and_then(|name| in_env_files.get_key_value(name)) {
                finding.hints.insert(0, only_for_containers(name, file));
            }
        }
    }
}

/// Puts variables of files into the tree, so that their places can be told.
fn note_origins(tree: &mut Node, service: &Service, places: BTreeMap<String, Span>) {
    if places.is_empty() {
        return;
    }
    let Some(node) =
        tree.as_mapping_mut().and_then(|top| top.get_mut("services")?.as_mapping_mut()?.get_mut(service.name.as_str()))
    else {
        return;
    };
    set(node, "environment", || Value::Mapping(Mapping::default()));
    let Some(list) = node.as_mapping_mut().and_then(|node| node.get_mut("environment")) else { return };
    for (name, span) in places {
        let value = service.environment.get(&name).cloned().flatten().unwrap_or_default();
        let origin = Some(Box::new(Origin::FileOfVariables));
        let text = |text| Node { value: Value::String(text), tag: Tag::None, span, origin };
        match &mut list.value {
            Value::Mapping(mapping) => {
                mapping.insert(name, span, text(value));
            }
            Value::Sequence(items) => items.push(text(format!("{name}={value}"))),
            _ => {}
        }
    }
}

fn labels(loader: &mut Loader<'_>, service: &mut Service, span: Span, cache: &mut Cache) {
    let mut read = Texts::new();
    for path in service.label_files.clone() {
        let Some(Text { text, id }) = text_of(loader, &path, "label", true, span, cache) else { continue };
        match dotenv::parse(&text, id, &|_| None) {
            Ok(parsed) => {
                loader.unset.extend(parsed.unset);
                for dotenv::Variable { name, value, .. } in parsed.variables {
                    cache.brought += EACH + name.len() + value.len();
                    read.insert(name, value);
                }
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
) -> Option<Text> {
    if let Some(text) = cache.texts.get(path) {
        return Some(text.clone());
    }
    match loader.files.read(Path::new(path)) {
        Ok(bytes) => {
            let text: Arc<str> = dotenv::decode_text(&bytes).into();
            let id = loader.sources.add_private(loader.shown(Path::new(path)), Some(Path::new(path)), text.clone());
            let text = Text { text, id };
            cache.texts.insert(path.to_owned(), text.clone());
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
