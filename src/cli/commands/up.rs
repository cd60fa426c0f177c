//! `up`: creates and starts what the files describe.

use std::sync::Arc;
use std::time::Duration;

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::commands::create::{exclusive, pull_policy, scaled};
use crate::cli::commands::plan;
use crate::cli::context::Context;
use crate::cli::failed::LogsOnFailure;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::cli::watching;
use crate::names::ServiceName;
use crate::planner::{Recreate, UpOptions};
use crate::spec::model::Project;
use crate::ui::progress::Detail;

/// Make what is missing, replace what changed, start it all
#[derive(clap::Args, Clone, Debug, Default)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose up -d                  start everything in the background\n  compose up -d --wait web       start `web` and what it needs, return when it is healthy\n  compose up -d --wait --logs-on-failure=ci-logs    keep the logs of what fails\n  compose --dry-run up -d        what would be done, and why\n"
)]
pub struct UpArgs {
    /// Stop everything as soon as one container ends (not with -d)
    #[arg(long)]
    pub abort_on_container_exit: bool,
    /// Stop everything as soon as one container fails (not with -d)
    #[arg(long)]
    pub abort_on_container_failure: bool,
    /// Replace what these services depend on, too (not with --no-recreate)
    #[arg(long)]
    pub always_recreate_deps: bool,
    /// Show output of this service only (not with --attach-dependencies)
    #[arg(long, value_name = "stringArray")]
    pub attach: Vec<String>,
    /// Show output of what these services depend on, too
    #[arg(long)]
    pub attach_dependencies: bool,
    /// Build images first (not with --no-build)
    #[arg(long)]
    pub build: bool,
    /// Leave containers in the background and return
    #[arg(short, long)]
    pub detach: bool,
    /// End with this service's exit code (sets --abort-on-container-exit)
    #[arg(long, value_name = "string")]
    pub exit_code_from: Option<String>,
    /// Replace containers even when nothing about them changed (not with --no-recreate)
    #[arg(long)]
    pub force_recreate: bool,
    /// What to tell of the logs of a container that fails: last lines, all, or a directory for files
    #[arg(long, value_name = "N|all|DIR")]
    pub logs_on_failure: Option<String>,
    /// Take keys as commands while output is shown: w watches files, d detaches (not with -d)
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub menu: Option<bool>,
    /// Show no output of this service
    #[arg(long, value_name = "stringArray")]
    pub no_attach: Vec<String>,
    /// Never build, whatever the file says (not with --build)
    #[arg(long)]
    pub no_build: bool,
    /// No colours
    #[arg(long)]
    pub no_color: bool,
    /// Leave what these services depend on alone
    #[arg(long)]
    pub no_deps: bool,
    /// No service names before the lines
    #[arg(long)]
    pub no_log_prefix: bool,
    /// Keep containers that exist, even outdated ones (not with --force-recreate)
    #[arg(long)]
    pub no_recreate: bool,
    /// Make containers, start none
    #[arg(long)]
    pub no_start: bool,
    /// Do what this saved plan says, and nothing when it does not hold any more
    #[arg(long, value_name = "file")]
    pub plan: Option<String>,
    /// When to fetch images: always, missing or never
    #[arg(long, value_name = "string")]
    pub pull: Option<String>,
    /// Build silently
    #[arg(long)]
    pub quiet_build: bool,
    /// Fetch images silently
    #[arg(long)]
    pub quiet_pull: bool,
    /// Remove leftover containers of services that the file no longer has
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub remove_orphans: Option<bool>,
    /// Begin with empty anonymous volumes in replaced containers (not with --no-recreate)
    #[arg(short = 'V', long)]
    pub renew_anon_volumes: bool,
    /// Run NUM containers of SERVICE (SERVICE=NUM), whatever the file says
    #[arg(long, value_name = "scale")]
    pub scale: Vec<String>,
    /// Seconds a container gets to end before it is killed
    #[arg(short, long, value_name = "int")]
    pub timeout: Option<i64>,
    /// Put the time before each line
    #[arg(long)]
    pub timestamps: bool,
    /// Return once services run and are healthy (sets -d)
    #[arg(long)]
    pub wait: bool,
    /// Give up --wait after so many seconds
    #[arg(long, value_name = "int")]
    pub wait_timeout: Option<i64>,
    /// Keep containers up to date while you edit the sources (not with -d)
    #[arg(short, long)]
    pub watch: bool,
    /// Answer yes to every question
    #[arg(short, long, alias = "y")]
    pub yes: bool,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

/// Seconds of a `--timeout` as the time between stop signal and kill; negative means for ever.
pub(super) fn grace(seconds: Option<i64>) -> Option<Duration> {
    /// About a hundred years.
    const FOR_EVER: u64 = 3_000_000_000;
    seconds.map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(FOR_EVER).min(FOR_EVER)))
}

impl UpArgs {
    /// How much is told of the logs of what fails.
    pub(crate) fn logs_on_failure(&self) -> LogsOnFailure {
        self.logs_on_failure.as_deref().map(LogsOnFailure::parse).unwrap_or_default()
    }

    /// Flags that exclude each other, in the words of docker compose.
    fn check(&self) -> Result<(), Failure> {
        exclusive(self.build, self.no_build, "--build and --no-build are incompatible")?;
        let text = "--force-recreate and --no-recreate are incompatible";
        exclusive(self.force_recreate, self.no_recreate, text)?;
        let text = "--always-recreate-deps and --no-recreate are incompatible";
        exclusive(self.always_recreate_deps, self.no_recreate, text)?;
        let text = "--no-recreate and --renew-anon-volumes are incompatible";
        exclusive(self.no_recreate, self.renew_anon_volumes, text)?;
        exclusive(self.no_build, self.watch, "--no-build and --watch are incompatible")?;
        let text = "--abort-on-container-failure cannot be combined with --abort-on-container-exit";
        exclusive(self.abort_on_container_failure, self.abort_on_container_exit, text)?;
        let attaches = !self.attach.is_empty();
        let aborts = self.abort_on_container_exit || self.abort_on_container_failure || self.exit_code_from.is_some();
        let wants_output = aborts || attaches || self.attach_dependencies;
        let text = "--wait cannot be combined with --abort-on-container-exit, --attach or --attach-dependencies";
        exclusive(self.wait, wants_output || self.watch, text)?;
        let text = "--detach cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch";
        exclusive(self.detach, wants_output || self.watch, text)?;
        exclusive(attaches, self.attach_dependencies, "cannot combine --attach and --attach-dependencies")
    }
}

pub(super) async fn run(args: UpArgs, context: &Context<'_>) -> Ended {
    let (args, saved) = plan::taken_over(args, context)?;
    let detached = args.detach || args.wait || args.no_start;
    let (project, mut options) = prepared(&args, context)?;
    options.only = saved.map(Arc::new);
    if !detached && !context.global.dry_run {
        return crate::cli::attached::run(&args, &project, options, context).await;
    }
    let runtime = context.runtime().await?;
    let road =
        Road { detail: detail(&args), yes: args.yes, logs_on_failure: args.logs_on_failure(), ..Road::new("up") };
    apply::converge(context, &runtime, &project, &options, road).await.map(|_| 0)
}

/// The project and the options of the plan that flags mean.
///
/// # Errors
/// Flags or files that mean nothing.
pub(super) fn prepared(args: &UpArgs, context: &Context<'_>) -> Result<(Project, UpOptions), Failure> {
    args.check()?;
    let mut project = selected(args, context)?;
    scaled(&mut project, &args.scale)?;
    if args.watch {
        project = watching::developed(&project);
    }
    if project.services.is_empty() {
        return Err(Failure::message("no service selected"));
    }
    let options = options(args, &project, context)?;
    Ok((project, options))
}

/// How much of the progress is shown.
pub fn detail(args: &UpArgs) -> Detail {
    Detail { quiet_layers: args.quiet_pull, quiet_output: args.quiet_build, ..Detail::default() }
}

/// The project, cut down to what was named.
fn selected(args: &UpArgs, context: &Context<'_>) -> Result<Project, Failure> {
    let mut project = context.project(&args.services)?;
    if args.no_deps {
        without_dependencies(&mut project, &args.services);
    }
    Ok(project)
}

/// Only the named services stay, and they wait for no others.
pub(super) fn without_dependencies(project: &mut Project, named: &[String]) {
    let mut others = std::mem::take(&mut project.services);
    if named.is_empty() {
        project.services = others;
    } else {
        let is_named = |name: &ServiceName| named.iter().any(|wanted| wanted == name.as_str());
        let names: Vec<ServiceName> = others.keys().filter(|name| is_named(name)).cloned().collect();
        for name in names {
            if let Some(service) = others.remove(&name) {
                project.services.insert(name, service);
            }
        }
        project.disabled_services.extend(others);
    }
    let left: Vec<ServiceName> = project.services.keys().cloned().collect();
    for service in project.services.values_mut() {
        if named.is_empty() {
            service.depends_on.clear();
        } else {
            service.depends_on.retain(|name, _| left.contains(name));
        }
    }
}

/// The plan's options. Every flag is looked at; the others are about output.
fn options(args: &UpArgs, project: &Project, context: &Context<'_>) -> Result<UpOptions, Failure> {
    let UpArgs {
        abort_on_container_exit: _,
        abort_on_container_failure: _,
        always_recreate_deps,
        attach: _,
        attach_dependencies: _,
        build,
        detach: _,
        exit_code_from: _,
        force_recreate,
        logs_on_failure: _,
        menu: _,
        no_attach: _,
        no_build,
        no_color: _,
        no_deps: _,
        no_log_prefix: _,
        no_recreate,
        no_start,
        plan: _,
        pull,
        quiet_build: _,
        quiet_pull: _,
        remove_orphans,
        renew_anon_volumes,
        scale: _,
        timeout,
        timestamps: _,
        wait,
        wait_timeout,
        watch: _,
        yes: _,
        services,
    } = args;
    let environment = &context.environment;
    let ignore_orphans = project.variable("COMPOSE_IGNORE_ORPHANS").is_some_and(|word| parse_bool(word) == Ok(true));
    let remove_orphans = match remove_orphans {
        Some(flag) => *flag,
        None => environment.flag("COMPOSE_REMOVE_ORPHANS")?.unwrap_or(false),
    };
    exclusive(ignore_orphans, remove_orphans, "cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans")?;
    let recreate = match (force_recreate, no_recreate) {
        (true, _) => Recreate::Force,
        (false, true) => Recreate::Never,
        (false, false) => Recreate::Diverged,
    };
    Ok(UpOptions {
        targets: services.iter().map(|name| ServiceName::new(name.clone())).collect(),
        recreate: if *renew_anon_volumes { Recreate::Force } else { recreate },
        recreate_deps: match (always_recreate_deps, no_recreate) {
            (true, _) => Recreate::Force,
            (false, true) => Recreate::Never,
            (false, false) => Recreate::Diverged,
        },
        renew_anonymous_volumes: *renew_anon_volumes,
        remove_orphans,
        ignore_orphans,
        start: !no_start,
        wait: *wait,
        wait_timeout: wait_timeout
            .and_then(|seconds| u64::try_from(seconds).ok())
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs),
        grace: grace(*timeout),
        build: *build,
        no_build: *no_build,
        pull: pull_policy(pull.as_deref())?,
        now: context.io.now().as_second(),
        assume_images: context.global.dry_run,
        ..UpOptions::default()
    })
}
