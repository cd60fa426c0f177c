//! `watch`: connects the machine that knows what changes mean with the disk, the clock and the engine.

mod rules;
mod sync;
mod tree;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::cli::apply::{self, Road};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::engine::session::watch::{Batch, Input, Output, Watch};
use crate::engine::{Rounds, Stop};
use crate::names::ServiceName;
use crate::planner::{self, Recreate, Stack, UpOptions, interest_in_stack};
use crate::resource::Snapshot;
use crate::runtime::Runtime;
use crate::spec::model::{Hook, Project};
use crate::ui::progress::{Detail, Mode};
use crate::ui::stream::Stream;

use tree::Tree;

/// Changes are acted upon when nothing has changed for so long.
const QUIET: Duration = Duration::from_millis(500);

/// How it is watched.
pub(super) struct Watching<'a> {
    context: &'a Context<'a>,
    runtime: &'a Arc<dyn Runtime>,
    project: &'a Project,
    commands: Vec<Hook>,
    machine: Watch,
    options: Options,
}

/// What the flags say.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// Remove images that a rebuild replaced.
    pub(super) prune: bool,
    /// Builds show nothing.
    pub(super) quiet: bool,
    /// What stands before each line.
    pub(super) prefix: String,
}

impl<'a> Watching<'a> {
    /// Reads the rules of services (none named: all); nothing is watched yet.
    ///
    /// # Errors
    /// There are none, or they can not be followed.
    pub(super) fn new(
        context: &'a Context<'a>,
        runtime: &'a Arc<dyn Runtime>,
        project: &'a Project,
        services: &[String],
        options: Options,
    ) -> Result<Self, Failure> {
        let rules::Rules { rules, commands, warnings } = rules::rules(project, services, context.files)?;
        for warning in &warnings {
            context.warn(warning);
        }
        Ok(Self { context, runtime, project, commands, machine: Watch::new(rules), options })
    }

    /// Watches until it is interrupted.
    ///
    /// # Errors
    /// Files can not be watched, or a person broke it off.
    pub(super) async fn run(mut self) -> Result<(), Failure> {
        let (mut tree, found) = Tree::new(self.machine.rules().to_vec())?;
        self.say("Watch enabled");
        let first = self.machine.initial(&found);
        if !first.is_empty() {
            self.sync(&first).await;
        }
        let mut quiet_at: Option<Instant> = None;
        loop {
            let input = tokio::select! {
                biased;
                () = self.context.interrupts.reached(Stop::Gently) => return Err(Failure::Interrupted),
                changed = tree.changed() => Input::Changed(changed?),
                () = sleep_until(quiet_at.unwrap_or_else(Instant::now)), if quiet_at.is_some() => {
                    quiet_at = None;
                    Input::Quiet
                }
            };
            let mut output = self.machine.step(input);
            while let Some(Output::Apply(batch)) = output {
                // Changes go on being gathered while the batch is done.
                let mut gathered = Vec::new();
                {
                    let mut work = pin!(self.apply(&batch));
                    loop {
                        tokio::select! {
                            biased;
                            () = &mut work => break,
                            changed = tree.changed() => gathered.push(changed?),
                        }
                    }
                }
                for changed in gathered {
                    self.machine.step(Input::Changed(changed));
                }
                if self.context.interrupts.now() != Stop::No {
                    return Err(Failure::Interrupted);
                }
                output = self.machine.step(Input::Applied);
            }
            if output == Some(Output::AwaitQuiet) {
                quiet_at = Some(Instant::now() + QUIET);
            }
        }
    }

    fn say(&self, text: &str) {
        self.out().line(&format!("{}{text}", self.options.prefix));
    }

    fn out(&self) -> &Stream {
        &self.context.io.stdout
    }

    /// Rebuilds, copies, restarts and runs commands. What goes wrong is told, and watching goes on.
    async fn apply(&self, batch: &Batch) {
        if !batch.rebuild.is_empty() {
            self.rebuild(batch).await;
        }
        if !batch.sync.is_empty() {
            self.sync(batch).await;
        }
        // A line says what was restarted; rows for it would stand between the lines of the containers.
        let silent = self.context.with_progress(Mode::Quiet);
        if !batch.restart.is_empty() {
            let services: Vec<ServiceName> = batch.restart.iter().cloned().collect();
            let stack = Stack::of_project(self.project);
            let wanted = interest_in_stack(&self.project.name, None, false);
            let road = Road { project: Some(self.project), ..Road::new("restart") };
            let mut decide =
                |snapshot: &Snapshot, _: &Rounds| planner::restart(&stack, snapshot, &services, None, false);
            match apply::apply(&silent, self.runtime, &wanted, road, &mut decide).await {
                Ok(_) => self.say(&format!("service(s) {} restarted", quoted(&services))),
                Err(failure) => self.told(&failure),
            }
        }
        if !batch.exec.is_empty() {
            let rules = self.machine.rules();
            let commands: Vec<(ServiceName, Hook)> = batch
                .exec
                .iter()
                .filter_map(|number| Some((rules.get(*number)?.service.clone(), self.commands.get(*number)?.clone())))
                .collect();
            let wanted = interest_in_stack(&self.project.name, None, false);
            let road = Road { project: Some(self.project), ..Road::new("exec") };
            let mut decide = |snapshot: &Snapshot, _: &Rounds| planner::commands(snapshot, &commands);
            if let Err(failure) = apply::apply(&silent, self.runtime, &wanted, road, &mut decide).await {
                self.told(&failure);
            }
        }
    }

    /// Builds the services' images, makes their containers anew, and nobody else's.
    async fn rebuild(&self, batch: &Batch) {
        let services: Vec<ServiceName> = batch.rebuild.iter().cloned().collect();
        self.say(&format!("Rebuilding service(s) {} after changes were detected...", quoted(&services)));
        let project = building(self.project, |name| batch.rebuild.contains(name));
        let options = UpOptions {
            targets: services.clone(),
            recreate: Recreate::Force,
            recreate_deps: Recreate::Diverged,
            start: true,
            ignore_orphans: true,
            now: self.context.io.now().as_second(),
            ..UpOptions::default()
        };
        let detail = Detail { quiet_output: self.options.quiet, ..Detail::default() };
        let road = Road { detail, yes: true, ..Road::new("up") };
        match apply::converge(self.context, self.runtime, &project, &options, road).await {
            Ok(_) => self.say(&format!("service(s) {} successfully built", quoted(&services))),
            Err(failure) => {
                self.told(&failure);
                return;
            }
        }
        if self.options.prune {
            let wanted = interest_in_stack(&self.project.name, None, true);
            let mut decide = |snapshot: &Snapshot, _: &Rounds| planner::prune(snapshot);
            let road = Road::new("prune");
            if let Err(failure) = apply::apply(self.context, self.runtime, &wanted, road, &mut decide).await {
                self.told(&failure);
            }
        }
    }

    async fn sync(&self, batch: &Batch) {
        let containers =
            match crate::cli::commands::containers::of_project(self.runtime.as_ref(), &self.project.name).await {
                Ok(containers) => containers,
                Err(failure) => return self.told(&failure),
            };
        for (service, paths) in &batch.sync {
            self.say(&format!("Syncing service \"{service}\" after {} changes were detected", paths.len()));
            let (copied, removed) = sync::sorted(paths);
            let targets = containers.iter().filter(|container| container.service() == service.as_str());
            let work = targets
                .filter(|container| !container.is_one_off())
                .map(|container| sync::sync(self.runtime.as_ref(), container, &copied, &removed));
            for failure in futures::future::join_all(work).await.into_iter().filter_map(Result::err) {
                self.told(&failure);
            }
        }
    }

    fn told(&self, failure: &Failure) {
        for line in failure.lines() {
            self.context.io.stderr.line(&format!("{}{line}", self.options.prefix));
        }
    }
}

/// The project with services that are built whatever is there.
fn building(project: &Project, wanted: impl Fn(&ServiceName) -> bool) -> Project {
    let mut project = project.clone();
    for (name, service) in &mut project.services {
        if service.build.is_some() && wanted(name) {
            service.pull_policy = Some("build".to_owned());
        }
    }
    project
}

/// The project with what is developed here built from what is there now.
pub(super) fn developed(project: &Project) -> Project {
    building(project, |name| project.services.get(name).is_some_and(|service| service.develop.is_some()))
}

/// Names as docker compose lists them: `["a" "b"]`.
fn quoted(services: &[ServiceName]) -> String {
    let names: Vec<String> = services.iter().map(|name| format!("\"{name}\"")).collect();
    format!("[{}]", names.join(" "))
}

/// What is copied where, by path inside.
type Copied = BTreeMap<String, std::path::PathBuf>;
