//! A project as others shall get it: its compose files with the files that they need beside them, under names that
//! mean the same everywhere.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::diagnostics::{Diagnostic, SourceMap, Span};
use crate::spec::files::Files;
use crate::spec::leak::{self, Suspicion};
use crate::spec::load::{Prepared, loader, prepare};
use crate::spec::loader::{Loader, Parsed};
use crate::spec::paths::{is_remote, join};
use crate::spec::tree::{Mapping, Node};
use crate::spec::{Request, codes};

/// What a project consists of when it is published.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The files: those that were named, those that they extend, files of variables. Empty when an error was found.
    pub files: Vec<PublishedFile>,
    /// Where secrets seem to be written in them.
    pub suspicions: Vec<Suspicion>,
    /// Files that the project reads and that do not come with it; how they are named, and where.
    pub left_out: Vec<String>,
    /// Everything that is to be said.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the findings point into.
    pub sources: SourceMap,
}

/// A file as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedFile {
    /// What it is for.
    pub kind: PublishedKind,
    /// What the others call it.
    pub name: String,
    /// What is in it.
    pub content: Vec<u8>,
}

/// What a published file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishedKind {
    /// It is merged with the others of its kind.
    Compose,
    /// Services are extended from it.
    Extended,
    /// It holds variables.
    Environment,
}

/// What is found in compose files while they are looked at.
#[derive(Default)]
struct Found {
    /// Absolute paths of files that are extended, in the order in which they are named, with the first place.
    extended: Vec<(PathBuf, Span)>,
    /// Absolute paths of files of variables.
    env_files: Vec<PathBuf>,
    suspicions: Vec<Suspicion>,
    left_out: Vec<String>,
}

/// What would be published of a project that loads without errors.
pub fn publication(request: &Request, files: &dyn Files) -> Publication {
    let mut loader = loader(request, files);
    let mut published = Vec::new();
    let mut found = Found::default();
    if let Some(Prepared { settings, parsed, .. }) = prepare(&mut loader, request) {
        let environment = &settings.environment;
        let mut waiting: VecDeque<(Parsed, PathBuf, Option<String>)> =
            parsed.into_iter().map(|parsed| (parsed, settings.directory.clone(), None)).collect();
        let mut known = 0;
        while let Some((parsed, directory, extended_as)) = waiting.pop_front() {
            let mut documents = parsed.documents.clone();
            let before = (loader.findings.len(), loader.unset.len());
            for document in &mut documents {
                loader.interpolate(document, environment);
            }
            // Loading the project said all of it.
            loader.findings.truncate(before.0);
            loader.unset.truncate(before.1);
            let content = loader.rewritten(&parsed, &documents, &directory, &mut found);
            let (kind, name) = match extended_as {
                Some(name) => (PublishedKind::Extended, name),
                None => (PublishedKind::Compose, file_name(&parsed.path)),
            };
            published.push(PublishedFile { kind, name, content });
            for (path, named_at) in found.extended.get(known..).unwrap_or_default() {
                let Some(parsed) = loader.read(path, Some(*named_at)) else { continue };
                let directory = path.parent().unwrap_or(Path::new("/")).to_owned();
                waiting.push_back((parsed, directory, Some(portable_name(path, "yaml"))));
            }
            known = found.extended.len();
        }
        for path in &found.env_files {
            // One that need not be there, and is not.
            let Ok(content) = files.read(path) else { continue };
            let id = loader.sources.add_private(loader.shown(path), Some(path), String::from_utf8_lossy(&content));
            leak::in_variables(&loader.sources, id, &mut found.suspicions);
            let name = portable_name(path, "env");
            published.push(PublishedFile { kind: PublishedKind::Environment, name, content });
        }
    }
    if loader.failed() {
        published.clear();
    }
    let Loader { sources, findings, .. } = loader;
    let Found { suspicions, left_out, .. } = found;
    Publication { files: published, suspicions, left_out, diagnostics: findings, sources }
}

impl Loader<'_> {
    /// The text of a file in which the files that are published with it have their new names. `documents` are its own
    /// with variables filled in.
    fn rewritten(&mut self, parsed: &Parsed, documents: &[Node], directory: &Path, found: &mut Found) -> Vec<u8> {
        let mut names: BTreeMap<(u32, u32), String> = BTreeMap::new();
        for document in &parsed.documents {
            leak::in_tree(&self.sources, document, &mut found.suspicions);
        }
        for document in documents {
            self.refuse_local_includes(document);
            for (path, span) in env_files(document) {
                let path = PathBuf::from(join(directory, &self.without_tilde(path)));
                names.insert((span.start, span.end), portable_name(&path, "env"));
                if !found.env_files.contains(&path) {
                    found.env_files.push(path);
                }
            }
            for (file, span) in extended_files(document) {
                let path = PathBuf::from(join(directory, &self.without_tilde(file)));
                names.insert((span.start, span.end), portable_name(&path, "yaml"));
                if !found.extended.iter().any(|(known, _)| *known == path) {
                    found.extended.push((path, span));
                }
            }
            for (what, span) in read_elsewhere(document) {
                found.left_out.push(format!("{what} ({})", self.sources.place(span)));
            }
        }
        let text = self.sources.get(parsed.id).map(|source| source.text.to_string()).unwrap_or_default();
        let mut out = text.clone();
        for ((start, end), name) in names.into_iter().rev() {
            let range = start as usize..end as usize;
            if text.get(range.clone()).is_some() {
                out.replace_range(range, &name);
            }
        }
        out.into_bytes()
    }

    fn refuse_local_includes(&mut self, document: &Node) {
        let entries = document.get("include").and_then(Node::as_sequence).unwrap_or_default();
        for node in entries.iter().flat_map(included) {
            if node.as_str().is_some_and(|path| !is_remote(path)) {
                let finding =
                    Diagnostic::error(codes::INVALID_INCLUDE, "cannot publish compose file with local includes");
                let hint = "publish the included part, too, and include it as `oci://…`; or name it with another `-f`";
                self.findings.push(finding.at(node.span, "this file would not be there").hint(hint));
            }
        }
    }
}

/// The files of an entry of `include`, and what else it reads here.
fn included(entry: &Node) -> Vec<&Node> {
    match entry.as_mapping() {
        None => vec![entry],
        Some(long) => ["path", "env_file"].into_iter().filter_map(|key| long.get(key)).flat_map(texts).collect(),
    }
}

/// A text, or the texts of a list.
fn texts(node: &Node) -> Vec<&Node> {
    match node.as_sequence() {
        Some(items) => items.iter().collect(),
        None => vec![node],
    }
}

fn services(document: &Node) -> impl Iterator<Item = &Node> {
    let services = document.get("services").and_then(Node::as_mapping);
    services.into_iter().flat_map(Mapping::iter).map(|(_, entry)| &entry.node)
}

fn text_at(node: Option<&Node>) -> Option<(&str, Span)> {
    let node = node?;
    node.as_str().filter(|text| !text.is_empty()).map(|text| (text, node.span))
}

fn env_files(document: &Node) -> Vec<(&str, Span)> {
    let entries = services(document).filter_map(|service| service.get("env_file")).flat_map(texts);
    entries.filter_map(|entry| text_at(Some(entry.get("path").unwrap_or(entry)))).collect()
}

fn extended_files(document: &Node) -> Vec<(&str, Span)> {
    let files = services(document).filter_map(|service| text_at(service.get("extends")?.get("file")));
    files.filter(|(file, _)| !is_remote(file)).collect()
}

/// Files that are read when the project is used, and that stay here.
fn read_elsewhere(document: &Node) -> Vec<(String, Span)> {
    let mut found = Vec::new();
    for section in ["configs", "secrets"] {
        let entries = document.get(section).and_then(Node::as_mapping).into_iter().flat_map(Mapping::iter);
        for (name, entry) in entries {
            if let Some((path, span)) = text_at(entry.node.get("file")) {
                found.push((format!("{section}.{name}.file {path}"), span));
            }
        }
    }
    for file in services(document).filter_map(|service| service.get("label_file")).flat_map(texts) {
        if let Some((path, span)) = text_at(Some(file)) {
            found.push((format!("label_file {path}"), span));
        }
    }
    found
}

/// The name of a file in what is published: docker compose's, made from its path.
fn portable_name(path: &Path, extension: &str) -> String {
    let hash = Sha256::digest(path.to_string_lossy().as_bytes());
    let mut name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    name.push('.');
    name + extension
}

fn file_name(path: &Path) -> String {
    match path.file_name() {
        Some(name) if path != Path::new("-") => name.to_string_lossy().into_owned(),
        _ => "compose.yaml".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::files::MemoryFiles;

    fn published(files: &MemoryFiles, names: &[&str]) -> Publication {
        let files_named = names.iter().map(|&name| name.to_owned()).collect();
        publication(&Request { cwd: "/p".into(), files: files_named, ..Request::default() }, files)
    }

    fn shown(publication: &Publication) -> String {
        let mut out = String::new();
        for file in &publication.files {
            out += &format!("== {:?} {}\n{}", file.kind, file.name, String::from_utf8_lossy(&file.content));
        }
        for finding in &publication.diagnostics {
            out += &format!("{}\n", finding.message);
        }
        // Names are long.
        for (path, short) in [
            ("/p/web.env", "WEB.env"),
            ("/p/base/base.env", "BASE.env"),
            ("/p/base/common.yaml", "COMMON.yaml"),
            ("/p/base/deeper.yaml", "DEEPER.yaml"),
        ] {
            let (_, extension) = short.split_once('.').unwrap();
            out = out.replace(&portable_name(Path::new(path), extension), short);
        }
        out
    }

    #[test]
    fn names_are_those_of_docker_compose() {
        assert_eq!(
            portable_name(Path::new("/tmp/pubtry/a/base/common.yaml"), "yaml"),
            "82fd8c465ae7fb31aeb5e85c317f1f354191cda50998cc7596be0c18039501a0.yaml"
        );
    }

    #[test]
    fn files_come_with_what_they_need() {
        let files = MemoryFiles::default()
            .with(
                "/p/compose.yaml",
                "# kept\nservices:\n  web:\n    image: x\n    extends: {file: \"base/common.yaml\", service: base} # why\n    \
                 env_file: [web.env, {path: './none.env', required: false}]\n  db: {image: y, env_file: '${N:-web}.env'}\n",
            )
            .with("/p/over.yaml", "services: {web: {restart: always}}\n")
            .with("/p/base/common.yaml", "services:\n  base:\n    env_file: base.env\n    extends:\n      file: deeper.yaml\n      service: deep\n")
            .with("/p/base/deeper.yaml", "services: {deep: {user: '1', extends: {service: other}}, other: {}}\n")
            .with("/p/web.env", "A=1\n")
            .with("/p/base/base.env", "B=1\n");
        insta::assert_snapshot!(shown(&published(&files, &["compose.yaml", "over.yaml"])), @"
        == Compose compose.yaml
        # kept
        services:
          web:
            image: x
            extends: {file: COMMON.yaml, service: base} # why
            env_file: [WEB.env, {path: 9f2bec6fce0cd7fb4e29dc06559112565a88024a20d4d568819d2dca55873c88.env, required: false}]
          db: {image: y, env_file: WEB.env}
        == Compose over.yaml
        services: {web: {restart: always}}
        == Extended COMMON.yaml
        services:
          base:
            env_file: BASE.env
            extends:
              file: DEEPER.yaml
              service: deep
        == Extended DEEPER.yaml
        services: {deep: {user: '1', extends: {service: other}}, other: {}}
        == Environment WEB.env
        A=1
        == Environment BASE.env
        B=1
        ");
    }

    #[test]
    fn anchors_and_documents_are_rewritten_once() {
        let files = MemoryFiles::default()
            .with(
                "/p/compose.yaml",
                "x-all: &all\n  env_file: web.env\nservices:\n  a: {<<: *all, image: x}\n  b: {<<: *all, image: y}\n---\nservices:\n  a:\n    env_file:\n    - web.env\n",
            )
            .with("/p/web.env", "A=1\n");
        insta::assert_snapshot!(shown(&published(&files, &[])), @"
        == Compose compose.yaml
        x-all: &all
          env_file: WEB.env
        services:
          a: {<<: *all, image: x}
          b: {<<: *all, image: y}
        ---
        services:
          a:
            env_file:
            - WEB.env
        == Environment WEB.env
        A=1
        ");
    }

    #[test]
    fn local_includes_are_refused() {
        let files = MemoryFiles::default()
            .with("/p/compose.yaml", "include: [part.yaml, {path: ['oci://r/x', sub/part.yaml]}, 'oci://r/y']\n");
        insta::assert_snapshot!(shown(&published(&files, &[])), @"
        cannot publish compose file with local includes
        cannot publish compose file with local includes
        ");
    }

    #[test]
    fn what_stays_here_is_told() {
        let files = MemoryFiles::default().with(
            "/p/compose.yaml",
            "services: {a: {image: x, label_file: [l.env], configs: [c]}}\nconfigs: {c: {file: ./conf}, d: {content: x}}\n",
        );
        assert_eq!(
            published(&files, &[]).left_out,
            ["configs.c.file ./conf (compose.yaml:2:21)", "label_file l.env (compose.yaml:1:39)"]
        );
    }
}
