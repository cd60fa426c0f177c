//! An attached `up`: its plan, the output of its containers, and Ctrl-C.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream;
use tokio::sync::oneshot;

use crate::cli::apply::{self, Road, Shown};
use crate::cli::commands::Ended;
use crate::cli::commands::up::{UpArgs, detail};
use crate::cli::context::Context;
use crate::cli::failed::{LogsOnFailure, still_running};
use crate::cli::failure::Failure;
use crate::cli::lease::Lease;
use crate::cli::machine::{Equipped, equip};
use crate::cli::menu;
use crate::cli::shown_logs::{ShownLogs, Times};
use crate::cli::state;
use crate::cli::watching::{self, Watching};
use crate::engine::session::{
    self, AttachedOptions, Cascade, Chosen, Drive, Ends, Key, StartHooks, attached_up, starts,
};
use crate::engine::{self, Ending, Hooks, Interrupter, Interrupts, RunOptions, Stop};
use crate::labels;
use crate::names::{ContainerId, ContainerName, ServiceName};
use crate::planner::{self, Op, Plan, Stack, UpOptions, interest, interest_in_stack};
use crate::resource::{ResourceId, Snapshot};
use crate::runtime::Runtime;
use crate::spec::model::{Project, Service};
use crate::ui::logs::{Style, display_name};
use crate::ui::progress::{Detail, Display, Mode};

/// Stands before what watching tells, between the lines of services.
const WATCH_PREFIX: &str = "  ⦿ ";

/// Runs it to its end.
pub(super) async fn run(args: &UpArgs, project: &Project, options: UpOptions, context: &Context<'_>) -> Ended {
    let session_options = session_options(args, project)?;
    let runtime = context.runtime().await?;
    let Equipped { project, proxies } = equip(context, &runtime, project).await?;
    let (project, options) = (&*project, UpOptions { proxies, ..options });
    let run_options = apply::run_options(context, &runtime, &project.name, Some(project)).await?;
    // What everybody wrote was shown already.
    let all_shown = args.services.is_empty() && args.attach.is_empty() && args.no_attach.is_empty();
    let logs_on_failure = match (&args.logs_on_failure, all_shown) {
        (None, true) => LogsOnFailure::Lines(0),
        _ => args.logs_on_failure(),
    };
    let lease = Lease::take(context, &runtime, &project.name, "up").await?;
    let road = Road {
        detail: Detail { hide_starts: true, ..detail(args) },
        yes: args.yes,
        project: Some(project),
        logs_on_failure,
        ..Road::new("up")
    };
    let display = RefCell::new(apply::display(context, &road));
    let paint = context.global.paint(&context.io.stdout);
    let style = Style { prefix: !args.no_log_prefix, colour: paint.is_coloured() && !args.no_color };
    let times = if args.timestamps { Times::Ours } else { Times::None };
    let speakers = RefCell::new(BTreeSet::new());
    let mut sink = ShownLogs::new(context, &project.name, style, times).apart().beside(&display).expecting(&speakers);

    let (is_up, up_is_done) = oneshot::channel();
    let beside = beside(context);
    let watching = FilesWatched { args, project, context: &beside, runtime: &runtime };
    let has_menu = menu::is_wanted(args.menu, context)?;
    // What can not be watched is told before anything is done.
    let first = if args.watch { Some(watching.prepared()?) } else { None };
    let (leave, left) = oneshot::channel();
    let companion = async {
        if up_is_done.await.is_ok() {
            match has_menu {
                true => menu::run(context.io, &watching, first, leave).await,
                false => watching.run(first).await,
            }
        }
        std::future::pending::<std::convert::Infallible>().await
    };
    let mut is_up = Some(is_up);

    let (hooks, starts) = starts();
    let hooks = AttachLine { inner: hooks, context, display: &display, speakers: &speakers, told: Cell::new(false) };
    let (interrupter, up_interrupts) = engine::interrupts();
    let ends = Stops {
        context,
        runtime: &runtime,
        project,
        services: args.services.iter().cloned().map(ServiceName::new).collect(),
        run_options: &run_options,
        grace: options.grace,
        interrupter,
        display: &display,
    };
    let result = RefCell::new(None);
    let up = async {
        // Held while the plan runs, not while output is shown.
        let lease = lease;
        let wanted = interest(project);
        let files = state::Files::of(context, project);
        let mut decide = |snapshot: &Snapshot, so_far: &engine::Rounds| {
            let plan = apply::up_again(project, &files.options(&options, snapshot), snapshot, so_far);
            *speakers.borrow_mut() = speakers_of(project, snapshot, &plan, &session_options.shown);
            plan
        };
        let mut reporter =
            Shown { context, display: &display, yes: args.yes, mode: context.global.progress, lease: &lease };
        let work =
            engine::apply(runtime.as_ref(), &wanted, &run_options, &hooks, &up_interrupts, &mut decide, &mut reporter);
        let applied = apply::with_ticks(&display, context.global.progress, lease.during(work)).await;
        if let Ok(applied) = &applied {
            files.remember(runtime.as_ref(), applied, &options).await;
        }
        display.borrow_mut().finish();
        let ended = match &applied {
            Ok(applied) => match applied.ending {
                Ending::Done => session::Ended::Done,
                Ending::Interrupted => session::Ended::Interrupted,
                Ending::Failed | Ending::Blocked | Ending::Declined => session::Ended::Failed,
            },
            Err(_) => session::Ended::Failed,
        };
        if ended == session::Ended::Done {
            hooks.tell();
            // Nobody listens once the session is over.
            let _ = is_up.take().map(|is_up| is_up.send(()));
        }
        *result.borrow_mut() = Some(applied);
        ended
    };
    let left = stream::once(async { if left.await.is_ok() { Key::Detach } else { std::future::pending().await } });
    let keys = pin!(stream::select(keys(&context.interrupts), left));
    let drive = Drive { runtime: runtime.as_ref(), project: &project.name, sink: &mut sink, keys };
    let session = attached_up(drive, session_options.clone(), up, starts, &ends);
    let code = tokio::select! {
        code = session => code?,
        never = companion => match never {},
    };
    // What went wrong with the plan is more than a code.
    let mut cut_short = None;
    if let Some(applied) = result.take() {
        match apply::judged(runtime.as_ref(), applied?, &road.report(context, &project.name)).await {
            Ok(_) | Err(Failure::Interrupted) => {}
            Err(Failure::Halted(left)) => cut_short = Some(left),
            Err(failure) => return Err(failure),
        }
    }
    match code {
        Ok(130) if context.interrupts.now() != Stop::No => {
            let left = match cut_short {
                Some(left) => Some(left),
                None => still_running(runtime.as_ref(), &project.name).await,
            };
            Err(left.map_or(Failure::Interrupted, Failure::Halted))
        }
        Ok(code) if code != 0 => Err(Failure::Container { code: u8::try_from(code).unwrap_or(1) }),
        // All is well, or nobody reads any more.
        Ok(_) | Err(_) => Ok(0),
    }
}

/// For what goes on while containers write: lines, nothing that is drawn anew.
fn beside<'a>(context: &Context<'a>) -> Context<'a> {
    context.with_progress(if context.global.progress == Mode::Tty { Mode::Plain } else { context.global.progress })
}

/// Files that are watched while containers write.
pub(super) struct FilesWatched<'a> {
    args: &'a UpArgs,
    project: &'a Project,
    context: &'a Context<'a>,
    runtime: &'a Arc<dyn Runtime>,
}

impl<'a> FilesWatched<'a> {
    /// Reads the rules; nothing is watched yet.
    ///
    /// # Errors
    /// There are none, or they can not be followed.
    pub(super) fn prepared(&self) -> Result<Watching<'a>, Failure> {
        let Self { args, project, context, runtime } = self;
        let options = watching::Options { prune: true, quiet: args.quiet_build, prefix: WATCH_PREFIX.to_owned() };
        Watching::new(context, runtime, project, &args.services, options)
    }

    /// Watches; that it can not, or ends early, is told and ends nothing else.
    pub(super) async fn run(&self, watching: Option<Watching<'a>>) {
        if let Some(watching) = watching
            && let Err(failure) = watching.run().await
            && failure != Failure::Interrupted
        {
            self.warn(&failure);
        }
    }

    /// Tells why files are not watched.
    pub(super) fn warn(&self, failure: &Failure) {
        self.context.warn(&failure.lines().join("\n"));
    }
}

/// Ctrl-C as the session hears it: once, and once more.
fn keys(interrupts: &Interrupts) -> impl futures::Stream<Item = Key> + '_ {
    stream::unfold(Stop::Gently, async |next| {
        interrupts.reached(next).await;
        if next == Stop::No {
            std::future::pending::<()>().await;
        }
        let after = if next == Stop::Gently { Stop::Now } else { Stop::No };
        Some((Key::Interrupt, after))
    })
}

/// Whose output is shown, whose end counts, and what follows from it.
fn session_options(args: &UpArgs, project: &Project) -> Result<AttachedOptions, Failure> {
    let exit_code_from = match &args.exit_code_from {
        Some(name) if !project.services.contains_key(name.as_str()) => {
            let why = if project.disabled_services.contains_key(name.as_str()) { "disabled" } else { "not found" };
            let message = format!("no such service: {name}: {why}");
            return Err(Failure::about(message, name, project.services.keys().map(ServiceName::as_str)));
        }
        Some(name) => Some(ServiceName::new(name.clone())),
        None => None,
    };
    let cascade = if args.abort_on_container_failure {
        Cascade::OnFailure
    } else if args.abort_on_container_exit || exit_code_from.is_some() {
        Cascade::OnExit
    } else {
        Cascade::No
    };
    let shown = shown(args, project)?;
    let named = only(args.services.iter().map(String::as_str));
    let (watched, stopped) =
        if args.services.is_empty() { (shown.clone(), Chosen::All) } else { (named.clone(), named) };
    Ok(AttachedOptions { shown, watched, stopped, cascade, exit_code_from })
}

fn only<'a>(names: impl Iterator<Item = &'a str>) -> Chosen {
    Chosen::Only(names.map(ServiceName::from).collect())
}

fn shown(args: &UpArgs, project: &Project) -> Result<Chosen, Failure> {
    if !args.attach.is_empty() {
        let unknown: Vec<&str> =
            args.attach.iter().map(String::as_str).filter(|name| !project.services.contains_key(*name)).collect();
        if let Some(first) = unknown.first() {
            let message = format!("cannot attach to services not included in up: {}", unknown.join(", "));
            return Err(Failure::about(message, first, project.services.keys().map(ServiceName::as_str)));
        }
        return Ok(only(args.attach.iter().map(String::as_str)));
    }
    let is_named = |name: &ServiceName| {
        args.services.is_empty()
            || args.attach_dependencies
            || args.services.iter().any(|wanted| wanted == name.as_str())
    };
    let is_wanted = |(name, service): &(&ServiceName, &Service)| {
        is_named(name) && service.attach != Some(false) && !args.no_attach.iter().any(|other| other == name.as_str())
    };
    let set: BTreeSet<ServiceName> = project.services.iter().filter(is_wanted).map(|(name, _)| name.clone()).collect();
    // Nothing left means everything, as docker compose has it.
    Ok(if set.is_empty() { Chosen::All } else { Chosen::Only(set) })
}

/// Names of the containers whose output will be shown.
fn speakers_of(project: &Project, snapshot: &Snapshot, plan: &Plan, chosen: &Chosen) -> BTreeSet<String> {
    let mut services: BTreeMap<ContainerName, (ServiceName, Option<u32>)> = BTreeMap::new();
    for container in &snapshot.containers {
        services.insert(container.name.clone(), (container.service().into(), container.number()));
    }
    for (_, node) in plan.iter() {
        if let (Op::CreateContainer { spec, .. }, ResourceId::Container(name)) = (&node.op, &node.target) {
            let label = |key: &str| spec.labels.get(key).map(String::as_str).unwrap_or_default();
            services.insert(name.clone(), (label(labels::SERVICE).into(), label(labels::NUMBER).parse().ok()));
        }
    }
    let started = plan.nodes.iter().filter(|node| matches!(node.op, Op::StartContainer { .. }));
    let targets = started.map(|node| &node.target).chain(plan.unchanged.iter().map(|kept| &kept.target));
    let names = targets.filter_map(|target| {
        let ResourceId::Container(name) = target else { return None };
        let (service, number) = services.get(name)?;
        let shown = chosen.has(service) && project.services.contains_key(service);
        shown.then(|| display_name(project.name.as_str(), service.as_str(), *number, name.as_str()))
    });
    names.collect()
}

/// Says to what it attaches, just before the first start.
struct AttachLine<'a> {
    inner: StartHooks,
    context: &'a Context<'a>,
    display: &'a RefCell<Display>,
    speakers: &'a RefCell<BTreeSet<String>>,
    told: Cell<bool>,
}

impl AttachLine<'_> {
    fn tell(&self) {
        if !self.told.replace(true) {
            let names: Vec<String> = self.speakers.borrow().iter().cloned().collect();
            let line = format!("Attaching to {}", names.join(", "));
            self.display.borrow_mut().print(&mut || self.context.io.stdout.line(&line));
        }
    }
}

#[async_trait(?Send)]
impl Hooks for AttachLine<'_> {
    async fn before_start(&self, container: &ContainerId) {
        self.tell();
        self.inner.before_start(container).await;
    }
}

/// Stops and kills the services that were named, or all; what they need goes on, as docker compose has it.
struct Stops<'a> {
    context: &'a Context<'a>,
    runtime: &'a Arc<dyn Runtime>,
    project: &'a Project,
    services: Vec<ServiceName>,
    run_options: &'a RunOptions,
    grace: Option<Duration>,
    interrupter: Interrupter,
    /// Shared with what containers write meanwhile.
    display: &'a RefCell<Display>,
}

impl Stops<'_> {
    async fn apply(&self, display: &RefCell<Display>, mode: Mode, decide: &mut dyn FnMut(&Snapshot, &Stack) -> Plan) {
        // Who ends what it has started itself asks nobody.
        let lease = Lease::without(self.context);
        let mut reporter = Shown { context: self.context, display, yes: true, mode, lease: &lease };
        let stack = Stack::of_project(self.project);
        let wanted = interest_in_stack(&self.project.name, None, false);
        let never = Interrupts::never();
        let mut decide = |snapshot: &Snapshot, _: &engine::Rounds| decide(snapshot, &stack);
        let hooks = engine::NoHooks;
        let runtime = self.runtime.as_ref();
        let work = engine::apply(runtime, &wanted, self.run_options, &hooks, &never, &mut decide, &mut reporter);
        let result = apply::with_ticks(display, mode, work).await;
        display.borrow_mut().finish();
        if let Err(error) = result {
            self.context.warn(&error.to_string());
        }
    }
}

#[async_trait(?Send)]
impl Ends for Stops<'_> {
    fn break_off(&self) {
        self.interrupter.interrupt();
    }
    async fn stop(&self) {
        *self.display.borrow_mut() = apply::display(self.context, &Road::new("stop"));
        let mut decide =
            |snapshot: &Snapshot, stack: &Stack| planner::stop(stack, snapshot, &self.services, self.grace);
        self.apply(self.display, self.context.global.progress, &mut decide).await;
    }
    async fn kill(&self) {
        // The stop, which goes on meanwhile, shows the ends.
        let paint = self.context.global.paint(&self.context.io.stderr);
        let stderr = self.context.io.stderr.clone();
        let display = RefCell::new(Display::new(Mode::Quiet, "kill", stderr, paint, Detail::default()));
        let mut decide =
            |snapshot: &Snapshot, stack: &Stack| planner::kill(stack, snapshot, &self.services, "SIGKILL", false);
        self.apply(&display, Mode::Quiet, &mut decide).await;
    }
}
