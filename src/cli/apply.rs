//! The road of every command that changes something: plan, ask, do, show, and tell what failed.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::cli::context::Context;
use crate::cli::failed::{self, LogsOnFailure, Report};
use crate::cli::failure::{Cause, Failure};
use crate::cli::lease::Lease;
use crate::cli::machine::{Equipped, equip};
use crate::cli::state;
use crate::engine::{self, Applied, Ending, Event, Hooks, NoHooks, Reporter, Rounds, RunOptions, Stop};
use crate::external::{ModelPrograms, ProviderPrograms, plugin_directories};
use crate::names::ProjectName;
use crate::planner::{Blocker, Interest, Plan, Question, UpOptions, interest, up};
use crate::resource::{Builder, Snapshot};
use crate::runtime::Runtime;
use crate::runtime::docker::config_directory;
use crate::spec::model::Project;
use crate::ui::progress::{Detail, Display, Groups, Mode};
use crate::ui::prompt;
use crate::ui::stream::Stream;

/// How a command goes down the road.
pub struct Road<'a> {
    /// The word of the progress header: `up`.
    pub operation: &'static str,
    /// How much is shown.
    pub detail: Detail,
    /// Questions are answered with yes.
    pub yes: bool,
    /// Who attaches before a start.
    pub hooks: &'a dyn Hooks,
    /// The files, to explain failures by the lines that asked for it.
    pub project: Option<&'a Project>,
    /// How much is told of the logs of what failed.
    pub logs_on_failure: LogsOnFailure,
}

impl Road<'_> {
    /// The usual way.
    pub fn new(operation: &'static str) -> Self {
        Self {
            operation,
            detail: Detail::default(),
            yes: false,
            hooks: &NoHooks,
            project: None,
            logs_on_failure: LogsOnFailure::default(),
        }
    }

    /// How a failure is told.
    pub fn report<'r>(&'r self, context: &Context<'_>, name: &'r ProjectName) -> Report<'r> {
        let quiet = context.global.progress == Mode::Quiet;
        Report { operation: self.operation, name, project: self.project, logs: self.logs_on_failure.clone(), quiet }
    }
}

/// Applies what `decide` plans and shows it. With `--dry-run` it shows the plan and changes nothing.
///
/// # Errors
/// Operations failed, were forbidden, or a person broke it off.
pub async fn apply(
    context: &Context<'_>,
    runtime: &Arc<dyn Runtime>,
    interest: &Interest,
    road: Road<'_>,
    decide: &mut dyn FnMut(&Snapshot, &Rounds) -> Plan,
) -> Result<Applied, Failure> {
    if context.global.dry_run {
        return dry_run(context, runtime, interest, road, decide).await;
    }
    let options = run_options(context, runtime, &interest.project, road.project).await?;
    let lease = Lease::take(context, runtime, &interest.project, road.operation).await?;
    let display = RefCell::new(display(context, &road));
    let mut reporter =
        Shown { context, display: &display, yes: road.yes, mode: context.global.progress, lease: &lease };
    let work =
        engine::apply(runtime.as_ref(), interest, &options, road.hooks, &context.interrupts, decide, &mut reporter);
    let result = with_ticks(&display, context.global.progress, lease.during(work)).await;
    drop(lease);
    display.borrow_mut().finish();
    let applied = result?;
    judged(runtime.as_ref(), applied, &road.report(context, &interest.project)).await
}

/// Makes the engine match the project, with the images that it takes.
///
/// # Errors
/// As for [`apply`].
pub async fn converge(
    context: &Context<'_>,
    runtime: &Arc<dyn Runtime>,
    project: &Project,
    options: &UpOptions,
    road: Road<'_>,
) -> Result<Applied, Failure> {
    let Equipped { project, proxies } = equip(context, runtime, project).await?;
    let options = UpOptions { proxies, ..options.clone() };
    let road = Road { project: Some(&project), ..road };
    let files = state::Files::of(context, &project);
    let applied = apply(context, runtime, &interest(&project), road, &mut |snapshot, so_far| {
        up_again(&project, &files.options(&options, snapshot), snapshot, so_far)
    })
    .await?;
    if !context.global.dry_run {
        files.remember(runtime.as_ref(), &applied, &options).await;
    }
    Ok(applied)
}

/// The next plan of an `up`, knowing what earlier rounds gave.
pub fn up_again(project: &Project, options: &UpOptions, snapshot: &Snapshot, so_far: &Rounds) -> Plan {
    up(project, snapshot, &so_far.options(options))
}

/// A display for the road.
pub fn display(context: &Context<'_>, road: &Road<'_>) -> Display {
    let out = progress_stream(context);
    let detail = Detail { groups: groups(context), ..road.detail };
    Display::new(context.global.progress, road.operation, out.clone(), context.global.paint(&out), detail)
}

/// How the log of a build server folds, where there is one that does.
fn groups(context: &Context<'_>) -> Groups {
    let on = |name| matches!(context.environment.flag(name), Ok(Some(true)));
    if on("GITHUB_ACTIONS") {
        Groups::GitHub
    } else if on("GITLAB_CI") {
        Groups::GitLab { began: context.io.now().as_second() }
    } else {
        Groups::None
    }
}

/// Where progress goes: standard error, or standard output when `COMPOSE_STATUS_STDOUT` says so.
pub fn progress_stream(context: &Context<'_>) -> Stream {
    match context.environment.flag("COMPOSE_STATUS_STDOUT") {
        Ok(Some(true)) => context.io.stdout.clone(),
        _ => context.io.stderr.clone(),
    }
}

/// Runs work while the display's spinners turn.
pub async fn with_ticks<T>(display: &RefCell<Display>, mode: Mode, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    if mode != Mode::Tty {
        return work.await;
    }
    let mut ticks = tokio::time::interval(Display::TICK);
    loop {
        tokio::select! {
            biased;
            result = &mut work => return result,
            _ = ticks.tick() => display.borrow_mut().tick(),
        }
    }
}

/// How plans are run for this command; `project` is what the files say, when they were read.
pub async fn run_options(
    context: &Context<'_>,
    runtime: &Arc<dyn Runtime>,
    name: &ProjectName,
    project: Option<&Project>,
) -> Result<RunOptions, Failure> {
    let wants_classic = context.environment.flag("DOCKER_BUILDKIT").is_ok_and(|flag| flag == Some(false));
    let facts = runtime.facts().await?;
    let builder = if facts.buildkit && !wants_classic { Builder::BuildKit } else { Builder::Classic };
    let (directories, environment) = programs(context, project);
    Ok(RunOptions {
        parallel: context.global.parallel,
        credentials: context.engines.credentials(&context.global.docker, &context.environment),
        providers: Arc::new(ProviderPrograms {
            project: name.clone(),
            plugin_directories: directories.clone(),
            environment: environment.clone(),
        }),
        models: Arc::new(ModelPrograms::new(directories, environment)),
        ..RunOptions::new(builder)
    })
}

/// Where docker's plugins lie, and the environment that other programs get: the project's, with the engine that the
/// flags mean.
fn programs(context: &Context<'_>, project: Option<&Project>) -> (Vec<PathBuf>, BTreeMap<String, String>) {
    let own = &context.environment.variables;
    let mut environment = project.map_or_else(|| own.clone(), |project| project.environment.clone());
    let docker = &context.global.docker;
    for (key, flag) in
        [("DOCKER_HOST", &docker.host), ("DOCKER_CONTEXT", &docker.context), ("DOCKER_CONFIG", &docker.config)]
    {
        environment.extend(flag.iter().map(|value| (key.to_owned(), value.clone())));
    }
    (plugin_directories(&config_directory(&environment)), environment)
}

/// Shows what goes on and asks what is to be asked.
pub struct Shown<'a> {
    /// Whose streams.
    pub context: &'a Context<'a>,
    /// Where it is drawn.
    pub display: &'a RefCell<Display>,
    /// Questions are answered with yes.
    pub yes: bool,
    /// How it is drawn.
    pub mode: Mode,
    /// Given back while a question is open.
    pub lease: &'a Lease<'a>,
}

#[async_trait(?Send)]
impl Reporter for Shown<'_> {
    fn planned(&mut self, plan: &Plan) {
        let mut display = self.display.borrow_mut();
        for warning in &plan.warnings {
            display.print(&mut || self.context.warn(warning));
        }
        display.plan(plan);
    }
    fn event(&mut self, _: &Plan, event: &Event) {
        self.display.borrow_mut().event(event);
    }
    async fn answer(&mut self, question: &Question) -> Option<bool> {
        if self.yes {
            return Some(true);
        }
        self.lease.release();
        let mut answer = None;
        self.display.borrow_mut().print(&mut || answer = ask(self.context, question));
        if answer.is_none() {
            // It is heard there, too, in a moment.
            self.context.interrupts.reached(Stop::Gently).await;
            return None;
        }
        // Who breaks off the waiting for it gives up.
        self.lease.retake().await.ok()?;
        answer
    }
}

/// A question in words.
pub fn question_text(question: &Question) -> String {
    match question {
        Question::RecreateVolume { volume } => {
            format!(
                "Volume \"{volume}\" exists but doesn't match configuration in compose file. Recreate (data will be lost)?"
            )
        }
        Question::RemoveContainers { names } => {
            let names: Vec<&str> = names.iter().map(crate::names::ContainerName::as_str).collect();
            format!("Going to remove {}", names.join(", "))
        }
    }
}

/// The answer; `None` when a person wants to end.
fn ask(context: &Context<'_>, question: &Question) -> Option<bool> {
    ask_text(context, &question_text(question))
}

/// Asks a person, or who writes to standard input for one; `None` when a person wants to end.
pub fn ask_text(context: &Context<'_>, text: &str) -> Option<bool> {
    context.io.stdout.text(&prompt::question(text, context.io.stdin_is_terminal));
    let answer = context.io.read_line();
    if !context.io.stdin_is_terminal || answer.is_none() {
        context.io.stdout.text("\n");
    }
    answer.map(|answer| prompt::is_yes(&answer))
}

/// What would be done.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// The plan.
    pub plan: Plan,
    /// Holds the questions that would be asked, answered with yes.
    pub rounds: Rounds,
    /// What it was made from.
    pub snapshot: Snapshot,
}

/// The plan as it would be run, looked at and not run. What a person would be asked is taken for answered with yes.
///
/// # Errors
/// Looking failed.
pub async fn foreseen(
    runtime: &dyn Runtime,
    interest: &Interest,
    decide: &mut dyn FnMut(&Snapshot, &Rounds) -> Plan,
) -> Result<Foreseen, Failure> {
    let mut snapshot = engine::observe(runtime, interest).await?;
    let mut rounds = Rounds::default();
    let mut plan = decide(&snapshot, &rounds);
    if !plan.questions.is_empty() {
        rounds.answers.extend(plan.questions.drain(..).map(|question| (question, true)));
        plan = decide(&snapshot, &rounds);
    }
    if let Some(closer) = engine::look_closer(runtime, interest, &snapshot, &plan).await? {
        plan = decide(&closer, &rounds);
        snapshot = closer;
    }
    Ok(Foreseen { plan, rounds, snapshot })
}

/// What an `up` would do, and the project with what the machine adds to it.
///
/// # Errors
/// Looking failed, or a person broke it off.
pub async fn foreseen_up<'a>(
    context: &Context<'_>,
    runtime: &Arc<dyn Runtime>,
    project: &'a Project,
    options: UpOptions,
) -> Result<(Cow<'a, Project>, Foreseen), Failure> {
    let Equipped { project, proxies } = equip(context, runtime, project).await?;
    let options = UpOptions { proxies, ..options };
    let wanted = interest(&project);
    let files = state::Files::of(context, &project);
    let mut decide =
        |snapshot: &Snapshot, so_far: &Rounds| up_again(&project, &files.options(&options, snapshot), snapshot, so_far);
    let look = foreseen(runtime.as_ref(), &wanted, &mut decide);
    let foreseen = context.unless_interrupted(look).await?;
    Ok((project, foreseen))
}

async fn dry_run(
    context: &Context<'_>,
    runtime: &Arc<dyn Runtime>,
    interest: &Interest,
    road: Road<'_>,
    decide: &mut dyn FnMut(&Snapshot, &Rounds) -> Plan,
) -> Result<Applied, Failure> {
    let Foreseen { plan, rounds, .. } = foreseen(runtime.as_ref(), interest, decide).await?;
    let detail = Detail { dry_run: true, ..road.detail };
    // A plan is read line by line; nothing moves.
    let mode = if context.global.progress == Mode::Tty { Mode::Plain } else { context.global.progress };
    let out = progress_stream(context);
    let mut display = Display::new(mode, road.operation, out.clone(), context.global.paint(&out), detail);
    for warning in &plan.warnings {
        context.warn(warning);
    }
    display.plan(&plan);
    for (node, _) in plan.iter() {
        display.event(&Event::Started { node });
        display.event(&Event::Finished { node, warning: None });
    }
    display.finish();
    let ending = if plan.blockers.is_empty() { Ending::Done } else { Ending::Blocked };
    let applied = Applied { ending, plan, outcome: engine::Outcome::default(), rounds };
    judged(runtime.as_ref(), applied, &road.report(context, &interest.project)).await
}

/// Turns an ending into a result.
///
/// # Errors
/// Everything but done.
pub async fn judged(runtime: &dyn Runtime, applied: Applied, report: &Report<'_>) -> Result<Applied, Failure> {
    match applied.ending {
        Ending::Done => Ok(applied),
        Ending::Interrupted => Err(Failure::Halted(failed::what_is_left(runtime, report).await)),
        Ending::Declined => Err(Failure::Declined),
        Ending::Blocked => Err(blocked(&applied.plan)),
        Ending::Failed => Err(Failure::Operations(failed::causes(runtime, &applied, report).await)),
    }
}

/// Why a plan must not run, as a failure.
pub fn blocked(plan: &Plan) -> Failure {
    Failure::Operations(plan.blockers.iter().map(blocker).collect())
}

fn blocker(blocker: &Blocker) -> Cause {
    let Blocker { message, hint, place } = blocker;
    let details = place.iter().map(|place| format!("--> {place}")).collect();
    Cause { message: message.clone(), details, hints: hint.iter().cloned().collect() }
}
