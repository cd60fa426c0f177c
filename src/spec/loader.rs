//! Reads compose files and makes one canonical tree of them: interpolation, `extends`, `include`, merge, schema,
//! long forms, in docker compose's order.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostics::{Diagnostic, FileId, SourceMap, Span};
use crate::spec::environment::Environment;
use crate::spec::files::Files;
use crate::spec::interpolate::{UnsetVariable, interpolate};
use crate::spec::merge::{Tags, merge, settle};
use crate::spec::paths::{self, Base};
use crate::spec::place::Place;
use crate::spec::rules::TOP;
use crate::spec::tree::{Mapping, Node, Value, VariableSource};
use crate::spec::{Options, canonical, cast, checks, codes, defaults, dotenv, schema, unique, yaml};

/// Reads files and collects what is to be said about them.
pub(in crate::spec) struct Loader<'a> {
    /// Where files come from.
    pub(in crate::spec) files: &'a dyn Files,
    /// What the user asked for.
    pub(in crate::spec) options: Options,
    /// Paths are shown relative to it.
    pub(in crate::spec) cwd: PathBuf,
    /// What `~` stands for.
    pub(in crate::spec) home: Option<String>,
    /// All texts that were read.
    pub(in crate::spec) sources: SourceMap,
    /// Everything that is to be said.
    pub(in crate::spec) findings: Vec<Diagnostic>,
    /// Variables that were asked for and are not set.
    pub(in crate::spec) unset: Vec<UnsetVariable>,
    /// How many files were read.
    pub(in crate::spec) reads: usize,
    /// Variables of `env_file`s and the file each is in, once a variable was missing.
    pub(in crate::spec) in_env_files: BTreeMap<String, String>,
    /// `env_file`s that were looked into for them.
    pub(in crate::spec) looked_into: BTreeSet<PathBuf>,
    /// Directories of repositories that were fetched, links resolved.
    pub(in crate::spec) checkouts: Vec<PathBuf>,
    /// Files that services extend, made canonical once.
    pub(in crate::spec) bases: BTreeMap<PathBuf, Mapping>,
}

/// Files that include each other several times multiply; no project has so many.
const MAX_READS: usize = 10_000;

/// A compose file that was read.
#[derive(Debug)]
pub(in crate::spec) struct Parsed {
    /// Absolute path, `-` for standard input.
    pub(in crate::spec) path: PathBuf,
    /// Its documents.
    pub(in crate::spec) documents: Vec<Node>,
    /// The file as a source.
    pub(in crate::spec) id: FileId,
}

/// Where a project or a part of it lies.
#[derive(Clone, Debug)]
pub(in crate::spec) struct Directory {
    /// Where files are looked for.
    pub(in crate::spec) real: PathBuf,
    /// What relative paths in values are joined to: the same, or relative to the part of the project around it when
    /// paths shall stay relative; `None` leaves them as they are.
    pub(in crate::spec) written: Option<PathBuf>,
}

impl Loader<'_> {
    /// Says an error without a place.
    pub(in crate::spec) fn error(&mut self, code: crate::diagnostics::Code, message: impl Into<String>) {
        self.findings.push(Diagnostic::error(code, message));
    }

    /// Whether something was found that ends the load.
    pub(in crate::spec) fn failed(&self) -> bool {
        self.findings.iter().any(Diagnostic::is_error)
    }

    /// How a path is shown: relative to the current directory when it lies in it.
    pub(in crate::spec) fn shown(&self, path: &Path) -> String {
        let shown = path.strip_prefix(&self.cwd).unwrap_or(path);
        if shown.as_os_str().is_empty() { ".".to_owned() } else { shown.to_string_lossy().into_owned() }
    }

    /// Reads and parses a compose file. `None` when it cannot be; why was said.
    pub(in crate::spec) fn read(&mut self, path: &Path, asked_at: Option<Span>) -> Option<Parsed> {
        let at = |finding: Diagnostic| match asked_at {
            Some(span) => finding.at(span, "asked for here"),
            None => finding,
        };
        self.reads += 1;
        if self.reads > MAX_READS {
            let message =
                format!("more than {MAX_READS} files are included or extended, the last is {}", path.display());
            if self.reads == MAX_READS + 1 {
                self.findings.push(at(Diagnostic::error(codes::INVALID_INCLUDE, message)));
            }
            return None;
        }
        let (name, bytes) = if path == Path::new("-") {
            ("<stdin>".to_owned(), self.files.stdin())
        } else {
            (self.shown(path), self.files.read(path))
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("open {}: {}", path.display(), system_text(&error));
                self.findings.push(at(Diagnostic::error(codes::UNREADABLE_FILE, message)));
                return None;
            }
        };
        let text = match yaml::decode_text(&bytes) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("failed to parse {}: {error}", path.display());
                self.findings.push(at(Diagnostic::error(codes::UNREADABLE_FILE, message)));
                return None;
            }
        };
        let source: std::sync::Arc<str> = text.into();
        let id = self.sources.add(name, Some(path), source.clone());
        match yaml::parse(&source, id) {
            Ok(documents) => Some(Parsed { path: path.to_owned(), documents, id }),
            Err(findings) => {
                self.findings.extend(findings);
                None
            }
        }
    }

    /// One canonical tree of several files, without names in the engine.
    pub(in crate::spec) fn model(
        &mut self,
        files: Vec<Parsed>,
        directory: &Directory,
        environment: &Environment,
        chain: &[PathBuf],
    ) -> Node {
        let start = files.first().map(|file| Span { file: file.id, start: 0, end: 0 });
        let Some(start) = start else {
            // No file, no place: an empty text stands for it.
            let file = self.sources.add("", None, "");
            return Node::new(Value::Mapping(Mapping::default()), Span { file, start: 0, end: 0 });
        };
        let mut tree = Node::new(Value::Mapping(Mapping::default()), start);
        for file in files {
            let mut chain = chain.to_vec();
            chain.push(file.path.clone());
            for document in file.documents {
                tree = self.document(tree, document, &file.path, directory, environment, &chain);
            }
        }
        self.complete(&mut tree, directory, environment);
        tree
    }

    fn document(
        &mut self,
        tree: Node,
        mut document: Node,
        path: &Path,
        directory: &Directory,
        environment: &Environment,
        chain: &[PathBuf],
    ) -> Node {
        let Value::Mapping(_) = document.value else {
            let finding = Diagnostic::error(codes::WRONG_TYPE, "top-level object must be a mapping")
                .at(document.span, format!("this is {}", document.kind()));
            self.findings.push(finding);
            return tree;
        };
        let before = (self.unset.len(), self.findings.len());
        self.interpolate(&mut document, environment);
        if before != (self.unset.len(), self.findings.len()) {
            self.look_into_env_files(&document, directory, before.1);
        }
        self.include(&mut document, directory, environment, chain);
        self.extends(&mut document, path, directory, environment);
        self.join(tree, document, Some(path))
    }

    /// Fills in variables and casts texts.
    pub(in crate::spec) fn interpolate(&mut self, document: &mut Node, environment: &Environment) {
        if self.options.no_interpolate {
            return;
        }
        let errors = interpolate(document, environment, &self.sources, &mut self.unset);
        self.findings.extend(errors);
        cast::apply(document, &mut self.findings);
    }

    /// Merges a document into what was read before and makes the result canonical. Without a path the schema is not
    /// looked at (files that services extend: only what is taken over is).
    pub(in crate::spec) fn join(&mut self, tree: Node, mut document: Node, path: Option<&Path>) -> Node {
        let findings = &mut self.findings;
        let first = tree.as_mapping().is_none_or(Mapping::is_empty);
        let mut tree = if first {
            settle(&mut document);
            document
        } else {
            merge(tree, document, Some(&TOP), &Place::ROOT, Tags::Settle, findings)
        };
        unique::enforce(&mut tree, findings);
        if let Some(path) = path {
            schema::check(&tree, findings);
            let version = tree.as_mapping().and_then(|top| top.entry("version")).map(|entry| entry.key_span);
            if let Some(span) = version
                && let Value::Mapping(top) = &mut tree.value
            {
                top.remove("version");
                let message = format!(
                    "{}: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential \
                     confusion",
                    path.display()
                );
                findings.push(Diagnostic::warning(codes::OBSOLETE_KEY, message).at(span, ""));
            }
        }
        canonical::expand(&mut tree, self.options.no_interpolate, findings);
        defaults::for_each(&mut tree, "services", |_, service| {
            if let Some(Value::Sequence(servers)) =
                service.as_mapping_mut().and_then(|service| service.get_mut("dns")).map(|servers| &mut servers.value)
            {
                servers.retain(|server| server.as_str() != Some(""));
            }
        });
        unique::enforce(&mut tree, findings);
        tree
    }

    fn complete(&mut self, tree: &mut Node, directory: &Directory, environment: &Environment) {
        if self.failed() {
            return;
        }
        defaults::apply(tree);
        checks::tree(tree, &mut self.findings);
        self.resolve_paths(tree, directory);
        if !self.options.no_interpolate {
            defaults::pass_variables(tree, environment);
        }
    }

    /// Makes paths absolute, or relative to the project when they shall stay relative.
    pub(in crate::spec) fn resolve_paths(&mut self, tree: &mut Node, directory: &Directory) {
        let Some(written) = &directory.written else { return };
        let base = Base { directory: written, home: self.home.as_deref(), files: self.files };
        paths::resolve(tree, &base, &mut self.findings);
    }

    /// The directory of a file that belongs to another part of the project: it is included, or extended.
    pub(in crate::spec) fn directory(&self, real: &Path, around: &Directory) -> Directory {
        let written =
            if self.options.no_path_resolution { paths::relative(&around.real, real) } else { real.to_owned() };
        Directory { real: real.to_owned(), written: Some(written) }
    }

    /// Reads files of variables into one environment: a later file wins over an earlier one, and `environment` over
    /// both when values are filled in. `None` when one cannot be read.
    pub(in crate::spec) fn variables_of(
        &mut self,
        paths: &[PathBuf],
        environment: &Environment,
    ) -> Option<Vec<(String, String, VariableSource)>> {
        let mut read: BTreeMap<String, (String, VariableSource)> = BTreeMap::new();
        for path in paths {
            let bytes = match self.files.read(path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.error(codes::UNREADABLE_FILE, format!("couldn't find env file: {}", path.display()));
                    return None;
                }
                Err(_) if self.files.is_dir(path) => {
                    self.error(codes::UNREADABLE_FILE, format!("{} is a directory", path.display()));
                    return None;
                }
                Err(error) => {
                    let message = format!("failed to read {}: {}", path.display(), system_text(&error));
                    self.error(codes::UNREADABLE_FILE, message);
                    return None;
                }
            };
            let text = dotenv::decode_text(&bytes);
            let source: std::sync::Arc<str> = text.into();
            let id = self.sources.add_private(self.shown(path), Some(path), source.clone());
            let lookup = |name: &str| environment.value(name).map(str::to_owned);
            let earlier = |name: &str| read.get(name).map(|(value, _)| value.clone());
            match dotenv::parse_after(&source, id, &lookup, &earlier) {
                Ok(parsed) => {
                    self.unset.extend(parsed.unset);
                    for variable in parsed.variables {
                        read.insert(variable.name, (variable.value, VariableSource::EnvFile(variable.span)));
                    }
                }
                Err(mut finding) => {
                    finding.message = format!("failed to read {}: {}", path.display(), finding.message);
                    self.findings.push(finding);
                    return None;
                }
            }
        }
        Some(read.into_iter().map(|(name, (value, source))| (name, value, source)).collect())
    }
}

/// What the system said, in its own words.
pub(in crate::spec) fn system_text(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => error.to_string(),
    }
}
