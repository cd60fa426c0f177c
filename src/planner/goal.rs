//! What a plan is asked for: the options of each goal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::names::{ProjectName, ServiceName, VolumeName};
use crate::planner::content::Contents;
use crate::planner::plan::Question;
use crate::planner::saved::SavedPlan;
use crate::resource::{HostWish, Texts};

/// What has to be looked at before something can be planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// Whose containers, networks and volumes.
    pub project: ProjectName,
    /// Images by reference, each with the platform it must have.
    pub images: BTreeMap<String, Option<String>>,
    /// Networks that are looked up by name, beside those with the project's label.
    pub networks: BTreeSet<String>,
    /// Volumes that are looked up by name, beside those with the project's label.
    pub volumes: BTreeSet<VolumeName>,
    /// Images that carry the project's label.
    pub project_images: bool,
    /// Names and published ports of containers outside the project.
    pub foreign: bool,
    /// What of the host matters once something is made or started.
    pub host: HostWish,
}

/// When containers that exist are made anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recreate {
    /// When they differ from what is wanted.
    #[default]
    Diverged,
    /// Always.
    Force,
    /// Never.
    Never,
}

/// How `up` and `create` go about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpOptions {
    /// The services that were named; empty means all.
    pub targets: Vec<ServiceName>,
    /// For the targets.
    pub recreate: Recreate,
    /// For services that are only dependencies of the targets.
    pub recreate_deps: Recreate,
    /// New anonymous volumes instead of the old container's.
    pub renew_anonymous_volumes: bool,
    /// Remove containers of services that are not in the files.
    pub remove_orphans: bool,
    /// Say nothing of them.
    pub ignore_orphans: bool,
    /// Start what is created; `false` for `create` and `--no-start`.
    pub start: bool,
    /// Wait in the end until everything runs or is healthy.
    pub wait: bool,
    /// For `wait` and for dependencies; per service.
    pub wait_timeout: Option<Duration>,
    /// Stop timeout, only when the user said so.
    pub grace: Option<Duration>,
    /// Build every service that can be built.
    pub build: bool,
    /// Never build.
    pub no_build: bool,
    /// Instead of every service's pull policy.
    pub pull: Option<String>,
    /// Images whose pull was tried in an earlier round of the same command.
    pub pulled: BTreeSet<String>,
    /// Images that were built in an earlier round of the same command.
    pub built: BTreeSet<String>,
    /// Variables that providers set in an earlier round of the same command, by the service they provide.
    pub provided: BTreeMap<ServiceName, Vec<(String, String)>>,
    /// Where models are reached, as an earlier round of the same command found, by their key.
    pub models: BTreeMap<String, String>,
    /// Variables that all containers and builds get unless they say otherwise; no part of what is compared.
    pub proxies: Texts,
    /// Now, in seconds since 1970: for pull policies that know ages.
    pub now: i64,
    /// Plan as if missing images were there: for showing a plan without pulling or building.
    pub assume_images: bool,
    /// Answers to questions of earlier plans.
    pub answers: BTreeMap<Question, bool>,
    /// Contents of mounted files that count; `None` when none does.
    pub contents: Option<Arc<Contents>>,
    /// Do what this plan says and nothing else.
    pub only: Option<Arc<SavedPlan>>,
    /// Something of this command was done already: `only` holds for what is left.
    pub begun: bool,
}

/// What `down` takes away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DownOptions {
    /// Only these services; empty means all.
    pub services: Vec<ServiceName>,
    /// Named and anonymous volumes too.
    pub volumes: bool,
    /// Images too.
    pub images: RemoveImages,
    /// Containers of services that are not in the files too.
    pub remove_orphans: bool,
    /// Stop timeout, only when the user said so.
    pub grace: Option<Duration>,
}

/// Which images `down` removes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RemoveImages {
    /// None.
    #[default]
    None,
    /// Those built here without a name of their own, and those labelled as the project's.
    Local,
    /// All that services use.
    All,
}

/// How `rm` goes about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoveOptions {
    /// Only these services; empty means all.
    pub services: Vec<ServiceName>,
    /// Stop them first.
    pub stop: bool,
    /// Anonymous volumes too.
    pub volumes: bool,
    /// Do not ask.
    pub force: bool,
    /// Answers to questions of earlier plans.
    pub answers: BTreeMap<Question, bool>,
}

/// How `build` goes about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildOptions {
    /// Only these services; empty means all that can be built.
    pub services: Vec<ServiceName>,
    /// Their dependencies too.
    pub with_dependencies: bool,
    /// `KEY=VAL`, or `KEY` for the value of the environment.
    pub args: Vec<String>,
    /// Build every layer again.
    pub no_cache: bool,
    /// Look for newer base images.
    pub pull: bool,
    /// Push in the end.
    pub push: bool,
    /// Arguments that all builds get unless they say otherwise.
    pub proxies: Texts,
    /// Memory limit in bytes for the classic builder.
    pub memory: Option<i64>,
    /// SSH agents and keys for every build: `default`, or `ID=PATH`.
    pub ssh: Vec<String>,
    /// The value of `--provenance`, in place of what the files say.
    pub provenance: Option<String>,
    /// The value of `--sbom`, in place of what the files say.
    pub sbom: Option<String>,
    /// A builder of buildx other than the engine.
    pub builder: Option<String>,
    /// Builds for all platforms of a service; containers need one.
    pub all_platforms: bool,
}

/// How `push` goes about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushOptions {
    /// Only these services; empty means all.
    pub services: Vec<ServiceName>,
    /// Their dependencies too.
    pub include_deps: bool,
    /// Go on after failures, and count them as none.
    pub ignore_failures: bool,
}

/// How `pull` goes about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullOptions {
    /// Only these services; empty means all.
    pub services: Vec<ServiceName>,
    /// Their dependencies too.
    pub include_deps: bool,
    /// Leave out what can be built.
    pub ignore_buildable: bool,
    /// Go on after failures, and count them as none.
    pub ignore_failures: bool,
    /// `missing` or `always`, instead of every service's pull policy.
    pub policy: Option<String>,
}
