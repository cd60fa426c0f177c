//! The project as a whole.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostics::SourceMap;
use crate::names::{NetworkKey, ProjectName, ServiceName, VolumeKey};
use crate::spec::model::{Config, Extensions, Network, Secret, Service, Volume};
use crate::spec::tree::{Node, Value};

/// All that the files say, ready to be planned.
#[derive(Clone, Debug)]
pub struct Project {
    /// The name under which everything of it is found in the engine.
    pub name: ProjectName,
    /// Absolute directory that relative paths belong to.
    pub working_dir: PathBuf,
    /// Absolute paths of the files it was read from, in merge order; `-` for standard input.
    pub config_files: Vec<String>,
    /// Absolute paths of the `--env-file`s; empty when none was given.
    pub env_files: Vec<String>,
    /// The variables that interpolation saw: process environment over env files.
    pub environment: BTreeMap<String, String>,
    /// Services that are wanted: active by profile and selected, with their dependencies.
    pub services: BTreeMap<ServiceName, Service>,
    /// Services that are in the files but not wanted now; their containers are no orphans.
    pub disabled_services: BTreeMap<ServiceName, Service>,
    /// Networks that are used (all of them with `--all-resources`).
    pub networks: BTreeMap<NetworkKey, Network>,
    /// Volumes that are used.
    pub volumes: BTreeMap<VolumeKey, Volume>,
    /// Secrets that are used.
    pub secrets: BTreeMap<String, Secret>,
    /// Configs that are used.
    pub configs: BTreeMap<String, Config>,
    /// Models that are used.
    pub models: BTreeMap<String, Model>,
    /// Top-level `x-` keys.
    pub extensions: Extensions,
    /// Active profiles, as asked for.
    pub profiles: Vec<String>,
    /// Contents of seccomp profiles that services name, as compact JSON, by the name they are written with.
    pub seccomp_profiles: BTreeMap<String, String>,
    /// Names have `_` as separator, because `--compatibility` asks for it.
    pub compatibility: bool,
    /// The services named on the command line; empty means all.
    pub selected: Vec<ServiceName>,
    /// The merged, canonical tree the model was made from: spans and origins of every value, by path.
    pub tree: Node,
    /// The texts that the tree's places point into.
    pub sources: Arc<SourceMap>,
}

/// An entry under `models:`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Model {
    /// Name in the registry's terms.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The model's reference.
    pub model: String,
    /// Length of the context, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_size: Option<i64>,
    /// Flags for the model's runtime.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runtime_flags: Vec<String>,
    /// `x-` keys.
    #[serde(skip)]
    pub extensions: Extensions,
}

impl Project {
    /// What stands between project, service and number in the names of containers and built images: `-`, or `_` with
    /// COMPOSE_COMPATIBILITY or `--compatibility`.
    pub fn separator(&self) -> char {
        let words = ["1", "t", "T", "true", "TRUE", "True"];
        let asked = self.variable("COMPOSE_COMPATIBILITY").is_some_and(|value| words.contains(&value));
        if self.compatibility || asked { '_' } else { '-' }
    }
    /// The image of a service: what it says, else `<project>-<service>`.
    pub fn image_of(&self, service: &Service) -> String {
        service.image.clone().unwrap_or_else(|| format!("{}{}{}", self.name, self.separator(), service.name))
    }
    /// A value of the environment that interpolation saw.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }
    /// `file:line:column` of the deepest part of a path that is written somewhere.
    pub fn place(&self, path: &[&str]) -> Option<String> {
        let mut node = &self.tree;
        let mut span = None;
        for step in path {
            match &node.value {
                Value::Mapping(mapping) => {
                    let Some(entry) = mapping.entry(step) else { break };
                    span = Some(entry.key_span);
                    node = &entry.node;
                }
                Value::Sequence(items) => {
                    let Some(item) = step.parse::<usize>().ok().and_then(|index| items.get(index)) else { break };
                    span = Some(item.span);
                    node = item;
                }
                _ => break,
            }
        }
        Some(self.sources.place(span?)).filter(|place| !place.is_empty())
    }
}
