//! Files in, project and findings out. No async; files come through [`files::Files`].
//!
//! [`load`] is the whole road: [`discover`] says which files and variables, [`loader`] makes one canonical tree of them
//! (interpolation, `extends`, `include`, merge, schema, long forms), `normalise` completes it, `decode` makes the
//! [`model`] of it, `select` keeps what is wanted, `checks` look at the whole.

mod canonical;
mod cast;
mod checks;
pub mod codes;
mod decode;
mod defaults;
mod discover;
pub mod documentation;
pub mod dotenv;
pub mod emit;
mod environment;
pub mod explain;
mod extends;
pub mod files;
pub mod hash;
mod include;
pub mod interpolate;
mod json;
mod leak;
pub mod lint;
mod load;
mod loader;
mod locate;
mod merge;
pub mod model;
mod normalise;
mod paths;
mod place;
pub mod print;
mod publish;
mod remote;
mod resolve;
mod rules;
mod scalar;
mod schema;
mod seccomp;
mod select;
mod sensitive;
pub mod short;
mod sketch;
mod suggest;
pub mod tree;
mod unique;
pub mod yaml;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::diagnostics::{Diagnostic, SourceMap};
use crate::spec::model::Project;

pub use discover::normal_name;
pub use leak::{Suspicion, shown};
pub use load::{LoadedTree, Named, load, load_tree, project_name, variables};
pub use publish::{Publication, PublishedFile, PublishedKind, publication};
pub use sketch::{Sketch, sketch};

/// What to load and how.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `-f`, as given; `-` is standard input.
    pub files: Vec<String>,
    /// `--project-directory`, as given.
    pub project_directory: Option<PathBuf>,
    /// `-p`.
    pub project_name: Option<String>,
    /// `--env-file`, as given.
    pub env_files: Vec<String>,
    /// `--profile`.
    pub profiles: Vec<String>,
    /// Services named on the command line.
    pub services: Vec<String>,
    /// Absolute current directory.
    pub cwd: PathBuf,
    /// The environment of the process.
    pub environment: BTreeMap<String, String>,
    /// Steps to leave out.
    pub options: Options,
}

/// Steps to leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Variables stay as they are written.
    pub no_interpolate: bool,
    /// No implicit networks, dependencies and names.
    pub no_normalize: bool,
    /// Relative paths stay relative.
    pub no_path_resolution: bool,
    /// The project is not checked as a whole.
    pub no_consistency: bool,
    /// Files of variables stay unread.
    pub no_env_resolution: bool,
    /// Resources that no service uses stay.
    pub all_resources: bool,
    /// Names with `_` as separator.
    pub compatibility: bool,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The project; `None` when an error was found.
    pub project: Option<Project>,
    /// Everything that is to be said, errors and warnings, in the order it was found.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that the findings point into.
    pub sources: SourceMap,
    /// The variables that interpolation saw.
    pub environment: BTreeMap<String, String>,
}
