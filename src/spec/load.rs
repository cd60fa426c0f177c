//! The road from a request to a project.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostics::{Diagnostic, SourceMap};
use crate::names::{NetworkKey, ProjectName, ServiceName, VolumeKey};
use crate::spec::decode::{Decoder, json};
use crate::spec::discover::Settings;
use crate::spec::environment::Environment;
use crate::spec::files::Files;
use crate::spec::interpolate::{DeclaredVariable, interpolate, unset_warning};
use crate::spec::loader::{Directory, Loader, Parsed};
use crate::spec::model::Project;
use crate::spec::place::Place;
use crate::spec::tree::{Mapping, Node, Value, VariableSource};
use crate::spec::{Loaded, Request, checks, codes, normalise, resolve, seccomp, select};

/// Loads a project. Whatever is wrong is in the answer's findings; a project is there when none of them is an error.
pub fn load(request: &Request, files: &dyn Files) -> Loaded {
    let mut loader = loader(request, files);
    let (project, environment) = match prepare(&mut loader, request) {
        Some(prepared) => {
            let environment = prepared.settings.environment.to_map();
            (project(&mut loader, request, prepared), environment)
        }
        None => (None, request.environment.clone()),
    };
    finish(loader, project, environment)
}

/// The name of a project and the variables that settings may come from, for commands that need no model.
#[derive(Clone, Debug)]
pub struct Named {
    /// The name; `None` when an error was found.
    pub name: Option<ProjectName>,
    /// The process environment over `.env` or the `--env-file`s.
    pub environment: BTreeMap<String, String>,
    /// Everything that is to be said.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the findings point into.
    pub sources: SourceMap,
}

/// Finds the name of a project without making its model; of the files only `name:` is looked at.
pub fn project_name(request: &Request, files: &dyn Files) -> Named {
    let mut loader = loader(request, files);
    let settings = loader.discover(request);
    let environment =
        settings.as_ref().map_or_else(|| request.environment.clone(), |settings| settings.environment.to_map());
    let name = settings.and_then(|settings| {
        if settings.name.is_some() {
            return loader.name(&settings, None);
        }
        prepare_from(&mut loader, settings).map(|prepared| prepared.name)
    });
    let Loader { sources, findings, .. } = loader;
    Named { name: name.map(ProjectName::new), environment, diagnostics: findings, sources }
}

/// A request whose files were read.
pub(in crate::spec) struct Prepared {
    /// What the command line and the environment mean.
    pub(in crate::spec) settings: Settings,
    /// The compose files.
    pub(in crate::spec) parsed: Vec<Parsed>,
    name: String,
}

/// Reads nothing yet.
pub(in crate::spec) fn loader<'a>(request: &Request, files: &'a dyn Files) -> Loader<'a> {
    Loader {
        files,
        options: request.options,
        cwd: request.cwd.clone(),
        home: request.environment.get("HOME").filter(|home| !home.is_empty()).cloned(),
        sources: SourceMap::default(),
        findings: Vec::new(),
        unset: Vec::new(),
        reads: 0,
        checkouts: Vec::new(),
        in_env_files: BTreeMap::new(),
        looked_into: BTreeSet::new(),
        bases: BTreeMap::new(),
    }
}

/// Reads the files. `None` when they can not be; why was said.
pub(in crate::spec) fn prepare(loader: &mut Loader<'_>, request: &Request) -> Option<Prepared> {
    let settings = loader.discover(request)?;
    prepare_from(loader, settings)
}

fn prepare_from(loader: &mut Loader<'_>, mut settings: Settings) -> Option<Prepared> {
    if settings.files.is_empty() {
        loader.findings.push(
            Diagnostic::error(codes::NO_COMPOSE_FILE, "no configuration file provided: not found")
                .hint("write a compose.yaml here, or name a file with `-f`"),
        );
        return None;
    }
    let parsed: Vec<Option<Parsed>> = settings.files.iter().map(|path| loader.read(path, None)).collect();
    let parsed: Vec<Parsed> = parsed.into_iter().collect::<Option<_>>()?;
    let written = parsed
        .iter()
        .flat_map(|file| &file.documents)
        .filter_map(|document| document.get("name"))
        .rfind(|name| name.as_str().is_some_and(|text| !text.is_empty()))
        .cloned();
    let written = match written {
        Some(mut name) if settings.name.is_none() && !loader.options.no_interpolate => {
            // What is wrong with it, and what is unset, is said when the whole file is looked at.
            let _ = interpolate(&mut name, &settings.environment, &loader.sources, &mut Vec::new());
            name.as_str().map(str::to_owned)
        }
        written => written.and_then(|name| name.as_str().map(str::to_owned)),
    };
    let name = loader.name(&settings, written.as_deref())?;
    settings.environment.set("COMPOSE_PROJECT_NAME", &name, VariableSource::Compose);
    Some(Prepared { settings, parsed, name })
}

fn project(loader: &mut Loader<'_>, request: &Request, prepared: Prepared) -> Option<Project> {
    let tree = complete_tree(loader, prepared.parsed, &prepared.settings, &prepared.name)?;
    let Prepared { settings, name, .. } = Prepared { parsed: Vec::new(), ..prepared };
    let mut project = decoded(loader, tree, &name, &settings);
    if loader.failed() {
        return None;
    }
    select::profiles(&mut project, &settings.profiles);
    if !select::enable(&mut project, &request.services, &mut loader.findings) {
        return None;
    }
    if !loader.options.no_consistency {
        checks::project(&project, &mut loader.findings);
    }
    if loader.failed() {
        return None;
    }
    select::services(&mut project, &request.services);
    if !loader.options.all_resources {
        select::resources(&mut project);
    }
    resolve::files(loader, &mut project);
    project.seccomp_profiles = seccomp::profiles(&project, loader.files);
    (!loader.failed()).then_some(project)
}

/// The tree of all files, complete. `None` when an error was found.
fn complete_tree(loader: &mut Loader<'_>, parsed: Vec<Parsed>, settings: &Settings, name: &str) -> Option<Node> {
    let written = (!loader.options.no_path_resolution).then(|| settings.directory.clone());
    let directory = Directory { real: settings.directory.clone(), written };
    let mut tree = loader.model(parsed, &directory, &settings.environment, &[]);
    loader.check_jails(&tree, &settings.directory);
    if loader.failed() {
        return None;
    }
    if tree.as_mapping().is_none_or(Mapping::is_empty) {
        loader.findings.push(
            Diagnostic::error(codes::EMPTY_COMPOSE_FILE, "empty compose file")
                .hint("a compose file begins with `services:`"),
        );
        return None;
    }
    if !loader.options.no_normalize {
        let span = tree.span;
        if let Some(top) = tree.as_mapping_mut() {
            top.insert("name", span, Node::default_at(Value::String(name.to_owned()), span));
        }
        let nothing = Environment::default();
        let environment = if loader.options.no_interpolate { &nothing } else { &settings.environment };
        normalise::apply(&mut tree, name, environment);
    }
    Some(tree)
}

/// The model of a complete tree.
fn decoded(loader: &mut Loader<'_>, tree: Node, name: &str, settings: &Settings) -> Project {
    let mut decoder = Decoder::default();
    let root = Place::ROOT;
    let section = |key: &str| tree.get(key).and_then(Node::as_mapping).into_iter().flat_map(Mapping::iter);
    let services = root.key("services");
    let networks = root.key("networks");
    let volumes = root.key("volumes");
    let mut extensions = crate::spec::model::Extensions::new();
    for (key, entry) in tree.as_mapping().into_iter().flat_map(Mapping::iter) {
        if key.starts_with("x-") {
            extensions.insert(key.to_owned(), json(&entry.node));
        }
    }
    let project = Project {
        name: ProjectName::from(name),
        working_dir: settings.directory.clone(),
        config_files: settings.files.iter().map(|file| file.to_string_lossy().into_owned()).collect(),
        env_files: settings.env_files.iter().map(|file| file.to_string_lossy().into_owned()).collect(),
        environment: settings.environment.to_map(),
        services: section("services")
            .map(|(key, entry)| (ServiceName::from(key), decoder.service(key, &entry.node, &services.key(key))))
            .collect(),
        disabled_services: BTreeMap::new(),
        networks: section("networks")
            .map(|(key, entry)| (NetworkKey::from(key), decoder.network(key, &entry.node, &networks.key(key))))
            .collect(),
        volumes: section("volumes")
            .map(|(key, entry)| (VolumeKey::from(key), decoder.volume(key, &entry.node, &volumes.key(key))))
            .collect(),
        secrets: section("secrets")
            .map(|(key, entry)| (key.to_owned(), decoder.secret(&entry.node, &root.key("secrets").key(key))))
            .collect(),
        configs: section("configs")
            .map(|(key, entry)| (key.to_owned(), decoder.config(&entry.node, &root.key("configs").key(key))))
            .collect(),
        models: section("models")
            .map(|(key, entry)| (key.to_owned(), decoder.model(&entry.node, &root.key("models").key(key))))
            .collect(),
        extensions,
        profiles: settings.profiles.clone(),
        compatibility: loader.options.compatibility,
        selected: Vec::new(),
        seccomp_profiles: BTreeMap::new(),
        tree: Node::new(Value::Null, tree.span),
        sources: Arc::default(),
    };
    loader.findings.append(&mut decoder.findings);
    Project { tree, ..project }
}

fn finish(loader: Loader<'_>, project: Option<Project>, environment: BTreeMap<String, String>) -> Loaded {
    let Loader { sources, mut findings, unset, in_env_files, .. } = loader;
    findings.extend(unset_warning(&unset, &in_env_files));
    let mut diagnostics: Vec<Diagnostic> = Vec::with_capacity(findings.len());
    let mut said = std::collections::BTreeSet::new();
    for finding in findings {
        let place = finding.labels.first().map(|label| label.span);
        if said.insert((finding.code, finding.message.clone(), place)) {
            diagnostics.push(finding);
        }
    }
    let project = project.map(|mut project| {
        project.sources = Arc::new(sources.clone());
        project
    });
    Loaded { project, diagnostics, sources, environment }
}

/// The answer to a request for a tree.
#[derive(Clone, Debug)]
pub struct LoadedTree {
    /// The merged, canonical tree; `None` when an error was found.
    pub tree: Option<Node>,
    /// Everything that is to be said.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the findings point into.
    pub sources: SourceMap,
    /// The process environment over `.env` or the `--env-file`s.
    pub environment: BTreeMap<String, String>,
}

/// Loads files as far as one tree, for `config --no-interpolate`: no model is made of it, profiles and the named
/// services play no part.
pub fn load_tree(request: &Request, files: &dyn Files) -> LoadedTree {
    let mut loader = loader(request, files);
    let (tree, environment) = match prepare(&mut loader, request) {
        Some(Prepared { settings, parsed, name }) => {
            let environment = settings.environment.to_map();
            (complete_tree(&mut loader, parsed, &settings, &name), environment)
        }
        None => (None, request.environment.clone()),
    };
    let Loaded { diagnostics, sources, environment, .. } = finish(loader, None, environment);
    LoadedTree { tree, diagnostics, sources, environment }
}

/// The variables that files ask for, for `config --variables`.
pub fn variables(request: &Request, files: &dyn Files) -> (Vec<DeclaredVariable>, LoadedTree) {
    let mut request = request.clone();
    request.options.no_interpolate = true;
    let mut loaded = load_tree(&request, files);
    // The name was filled in before everything else.
    if let Some(top) = loaded.tree.as_mut().and_then(Node::as_mapping_mut) {
        top.remove("name");
    }
    let variables = loaded.tree.as_ref().map(crate::spec::interpolate::variables).unwrap_or_default();
    (variables, loaded)
}
