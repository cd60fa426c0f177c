//! `run`: a one-off command on a service.

use std::cell::RefCell;
use std::sync::Arc;

use crate::cli::apply::{self, Road};
use crate::cli::commands::create::exclusive;
use crate::cli::commands::up::without_dependencies;
use crate::cli::commands::{Ended, containers, one_off};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::foreground::{self, Seat};
use crate::cli::global::parse_bool;
use crate::cli::machine::{Equipped, equip};
use crate::cli::usage::too_few;
use crate::engine::session::{End, Process};
use crate::engine::{self, Interrupts, NoHooks, Rounds, Stop};
use crate::labels;
use crate::names::{ContainerId, ContainerName, ServiceName};
use crate::planner::{self, OneOff, UpOptions, interest};
use crate::resource::{ContainerState, Snapshot};
use crate::runtime::{AttachOptions, LabelFilter, Runtime};
use crate::spec::model::{Project, Service};
use crate::ui::progress::{Detail, Mode};

/// Run one command in a new container of a service
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE [COMMAND] [ARGS...]",
    disable_help_subcommand = true,
    after_help = "Examples:\n  compose run --rm web sh     look around in a fresh container of `web`\n"
)]
pub struct RunArgs {
    /// Build the image first
    #[arg(long)]
    pub(super) build: bool,
    /// Linux capability to add
    #[arg(long, value_name = "list")]
    pub(super) cap_add: Vec<String>,
    /// Linux capability to take away
    #[arg(long, value_name = "list")]
    pub(super) cap_drop: Vec<String>,
    /// Return at once and print the container's ID
    #[arg(short, long)]
    detach: bool,
    /// Entrypoint in place of the image's own
    #[arg(long, value_name = "string")]
    pub(super) entrypoint: Option<String>,
    /// Give the command a variable
    #[arg(short, long, value_name = "stringArray")]
    pub(super) env: Vec<String>,
    /// Give the command the variables of a file
    #[arg(long, value_name = "stringArray")]
    pub(super) env_from_file: Vec<String>,
    /// Pass input on to the command
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    interactive: Option<bool>,
    /// Pass no input on
    #[arg(long, hide = true)]
    no_interactive: bool,
    /// Label to set on the container
    #[arg(short, long, alias = "labels", value_name = "stringArray")]
    pub(super) label: Vec<String>,
    /// Name of the container
    #[arg(long, value_name = "string")]
    name: Option<String>,
    /// Leave what these services depend on alone
    #[arg(long)]
    no_deps: bool,
    /// Give the command no terminal (default: only if there is one here)
    #[arg(short = 'T', long, alias = "no-TTY", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    no_tty: Option<bool>,
    /// Port to open on the host
    #[arg(short, long, value_name = "stringArray")]
    pub(super) publish: Vec<String>,
    /// When to fetch images: always, missing or never
    #[arg(long, value_name = "string")]
    pub(super) pull: Option<String>,
    /// Write nothing to stdout
    #[arg(short, long)]
    quiet: bool,
    /// Build silently
    #[arg(long)]
    quiet_build: bool,
    /// Fetch images silently
    #[arg(long)]
    quiet_pull: bool,
    /// Remove leftover containers of services that the file no longer has
    #[arg(long)]
    remove_orphans: bool,
    /// Remove the container once it has ended
    #[arg(long)]
    rm: bool,
    /// Open all ports of the service on the host
    #[arg(short = 'P', long)]
    pub(super) service_ports: bool,
    /// Give the command a terminal
    #[arg(short, long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    tty: Option<bool>,
    /// Answer to the service's network aliases, too
    #[arg(long)]
    use_aliases: bool,
    /// User name or uid to be inside the container
    #[arg(short, long, value_name = "string")]
    pub(super) user: Option<String>,
    /// Directory or volume to mount
    #[arg(short, long, alias = "volumes", value_name = "stringArray")]
    pub(super) volume: Vec<String>,
    /// Directory inside the container to start in
    #[arg(short, long, value_name = "string")]
    pub(super) workdir: Option<String>,
    /// Service, command and its arguments, which are nobody else's business.
    #[command(subcommand)]
    rest: Option<Rest>,
}

/// Words that are not looked into.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum Rest {
    /// The words.
    #[command(external_subcommand)]
    Words(Vec<String>),
}

impl RunArgs {
    /// Service, command and arguments.
    pub fn words(&self) -> Vec<String> {
        match &self.rest {
            Some(Rest::Words(words)) => words.clone(),
            None => Vec::new(),
        }
    }
}

pub(super) async fn run(args: RunArgs, context: &Context<'_>) -> Ended {
    let words = args.words();
    if words.is_empty() {
        return Err(Failure::Usage(too_few(1, 0)));
    }
    if args.service_ports && !args.publish.is_empty() {
        return Err(Failure::message("--service-ports and --publish are incompatible"));
    }
    if args.tty == Some(true) && args.no_tty == Some(true) {
        return Err(Failure::message("--tty and --no-TTY can't be used together"));
    }
    if !args.quiet {
        return with_progress(&args, words, context).await;
    }
    with_progress(&args, words, &context.with_progress(Mode::Quiet)).await
}

async fn with_progress(args: &RunArgs, mut words: Vec<String>, context: &Context<'_>) -> Ended {
    let name = words.remove(0);
    let mut project = context.project(std::slice::from_ref(&name))?;
    if args.no_deps {
        without_dependencies(&mut project, std::slice::from_ref(&name));
    }
    let stdin = args.interactive.unwrap_or(true) && !args.no_interactive;
    let tty = wants_tty(args, context);
    if tty && stdin && !args.detach && !context.io.stdin_is_terminal {
        let message = "the input device is not a TTY".to_owned();
        let hint = "input comes from a pipe or file: say `compose run -T`".to_owned();
        return Err(Failure::Hinted { message, hints: vec![hint] });
    }
    let detach_keys = foreground::detach_keys(None, context)?;
    let slug = slug()?;
    let Some(mut service) = project.services.get(name.as_str()).cloned() else {
        let known = project.services.keys().map(ServiceName::as_str);
        return Err(Failure::no_such_service(&name, known));
    };
    let container = match &args.name {
        Some(name) => name.clone(),
        None => {
            let separator = project.separator();
            format!("{}{separator}{name}{separator}run{separator}{}", project.name, slug.get(..12).unwrap_or(&slug))
        }
    };
    one_off::change(&mut service, args, &words, &project, context)?;
    service.tty = tty;
    service.container_name = Some(container.clone());
    project.services.insert(service.name.clone(), service.clone());
    let size = if tty && !args.detach { foreground::size(context.io) } else { None };
    let wanted = OneOff {
        service: service.name.clone(),
        name: container.into(),
        slug,
        stdin,
        console_size: size.map(|size| (size.rows, size.columns)),
        remove: args.rm,
        use_aliases: args.use_aliases,
        start: args.detach || context.global.dry_run,
        is_shown: context.global.dry_run,
    };
    let mut options = options(args, &project, context)?;
    let runtime = context.runtime().await?;
    let Equipped { project, proxies } = equip(context, &runtime, &project).await?;
    options.proxies = proxies;
    let detail = Detail { quiet_layers: args.quiet_pull, quiet_output: args.quiet_build, ..Detail::default() };
    let road = Road { detail, project: Some(&project), ..Road::new("run") };
    let mut decide =
        |snapshot: &Snapshot, so_far: &Rounds| planner::run(&project, snapshot, &so_far.options(&options), &wanted);
    let made = apply::apply(context, &runtime, &interest(&project), road, &mut decide).await;
    if context.global.dry_run {
        return made.map(|_| 0);
    }
    let one_off = OneOffRun { context, runtime: &runtime, project: &project, service: &service, wanted: &wanted };
    let applied = match made {
        Ok(applied) => applied,
        // One that never ran is of no use to anybody.
        Err(failure) => {
            one_off.remove_unstarted().await;
            return Err(failure);
        }
    };
    let id = match applied.rounds.made.get(&wanted.name) {
        Some(id) => id.clone(),
        None => one_off.find().await?,
    };
    if args.detach {
        context.io.stdout.line(id.as_str());
        return Ok(0);
    }
    let seat = Seat { tty, stdin, passes_signals: true, is_running: false, redraws: false, detach_keys };
    one_off.foreground(&id, &seat).await
}

/// A container of `run` that was made.
struct OneOffRun<'a> {
    context: &'a Context<'a>,
    runtime: &'a Arc<dyn Runtime>,
    project: &'a Project,
    service: &'a Service,
    wanted: &'a OneOff,
}

impl OneOffRun<'_> {
    /// Attaches, starts, and stays until the end.
    async fn foreground(&self, id: &ContainerId, seat: &Seat) -> Ended {
        let Self { context, runtime, project, service, wanted } = self;
        if context.interrupts.now() != Stop::No {
            self.remove(id).await;
            return Err(Failure::Interrupted);
        }
        let attached = async {
            let ending = runtime.watch_end(id, wanted.remove).await?;
            let keys = Some(seat.detach_keys.clone()).filter(|keys| !keys.is_empty());
            let options = AttachOptions { stdin: seat.stdin, logs: false, detach_keys: keys };
            Ok::<_, Failure>((ending, runtime.attach(id, &options).await?))
        };
        let (ending, attached) = match attached.await {
            Ok(both) => both,
            Err(failure) => {
                self.remove(id).await;
                return Err(failure);
            }
        };
        let options = apply::run_options(context, runtime, &project.name, Some(project)).await?;
        let plan = planner::start_one_off(service, id, &wanted.name);
        let failed = RefCell::new(None);
        let never = Interrupts::never();
        let begin = async {
            let outcome = engine::run(&plan, runtime.as_ref(), &options, &NoHooks, &never, &mut |_, _| {}).await;
            let started = outcome.failed.is_empty();
            *failed.borrow_mut() = outcome.failed.into_iter().next().map(|(_, error)| error);
            started
        };
        let process = Process::Container(id.clone(), ending);
        let held = seat.hold(context, runtime.as_ref(), process, attached, begin).await;
        let name = &wanted.name;
        match held? {
            End::Exited(0) | End::Detached => Ok(0),
            End::Exited(code) => Err(Failure::Container { code: u8::try_from(code).unwrap_or(1) }),
            End::Left | End::Unheard => {
                let how = format!("docker stop {name} ends it, docker attach {name} brings it back");
                Err(foreground::left(&format!("container {name}"), &how))
            }
            End::NotStarted => {
                if wanted.remove {
                    self.remove(id).await;
                }
                let text = failed.take().map(|error| error.to_string()).unwrap_or_default();
                Err(not_started(&text, id, name))
            }
        }
    }

    /// The container, when it was made without anybody hearing of it.
    async fn find(&self) -> Result<ContainerId, Failure> {
        let filter = LabelFilter::equals(labels::SLUG, &self.wanted.slug);
        let found = self.runtime.list_containers(&filter).await?;
        let message = || Failure::Message(format!("container {} was made and is gone again", self.wanted.name));
        found.into_iter().next().map(|container| container.id).ok_or_else(message)
    }

    async fn remove_unstarted(&self) {
        let filter = LabelFilter::equals(labels::SLUG, &self.wanted.slug);
        let Ok(found) = self.runtime.list_containers(&filter).await else { return };
        for container in found.into_iter().filter(|container| container.state == ContainerState::Created) {
            self.remove(&container.id).await;
        }
    }

    async fn remove(&self, id: &ContainerId) {
        let plan = planner::remove_one_off(id, &self.wanted.name);
        let Ok(options) = apply::run_options(self.context, self.runtime, &self.project.name, Some(self.project)).await
        else {
            return;
        };
        let runtime = self.runtime.as_ref();
        // What can not be removed was told by what failed before.
        engine::run(&plan, runtime, &options, &NoHooks, &Interrupts::never(), &mut |_, _| {}).await;
    }
}

/// A start that failed: 127 when there is no such program, 126 when it can not be run, as shells have it.
fn not_started(text: &str, id: &ContainerId, name: &ContainerName) -> Failure {
    let text = containers::with_name(text, id, name);
    let code = match () {
        () if text.contains("executable file not found") || text.contains("no such file or directory") => 127,
        () if text.contains("permission denied") || text.contains("is a directory") => 126,
        () => 1,
    };
    Failure::NotStarted { message: text, code }
}

/// Whether the container gets a terminal: as it was said, else when this process has one.
fn wants_tty(args: &RunArgs, context: &Context<'_>) -> bool {
    match (args.tty, args.no_tty) {
        (_, Some(no_tty)) => !no_tty,
        (Some(tty), None) => tty,
        (None, None) => context.io.stdout.is_terminal() && (context.io.stdin_is_terminal || args.interactive.is_some()),
    }
}

/// 64 random hex digits.
fn slug() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    let told = |error| Failure::Message(format!("the system gives no random numbers: {error}"));
    getrandom::fill(&mut bytes).map_err(told)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// How the dependencies are made and started.
fn options(args: &RunArgs, project: &Project, context: &Context<'_>) -> Result<UpOptions, Failure> {
    let ignore_orphans = project.variable("COMPOSE_IGNORE_ORPHANS").is_some_and(|word| parse_bool(word) == Ok(true));
    let text = "cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans";
    exclusive(ignore_orphans, args.remove_orphans, text)?;
    Ok(UpOptions {
        remove_orphans: args.remove_orphans || context.environment.flag("COMPOSE_REMOVE_ORPHANS")?.unwrap_or(false),
        ignore_orphans,
        start: true,
        now: context.io.now().as_second(),
        assume_images: context.global.dry_run,
        ..UpOptions::default()
    })
}
