//! `up`: creates and starts what the files describe.

use std::time::Duration;

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::commands::create::{exclusive, pull_policy, scaled};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::names::ServiceName;
use crate::planner::{Recreate, UpOptions};
use crate::spec::model::Project;
use crate::ui::progress::Detail;

/// Create and start containers
#[derive(clap::Args, Clone, Debug, Default)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose up -d                  start everything in the background\n  compose up -d --wait web       start `web` and what it needs, return when it is healthy\n  compose --dry-run up -d        what would be done, and why\n"
)]
pub struct UpArgs {
    /// Stops all containers if any container was stopped. Incompatible with -d
    #[arg(long)]
    pub abort_on_container_exit: bool,
    /// Stops all containers if any container exited with failure. Incompatible with -d
    #[arg(long)]
    pub abort_on_container_failure: bool,
    /// Recreate dependent containers. Incompatible with --no-recreate.
    #[arg(long)]
    pub always_recreate_deps: bool,
    /// Restrict attaching to the specified services. Incompatible with --attach-dependencies.
    #[arg(long, value_name = "stringArray")]
    pub attach: Vec<String>,
    /// Automatically attach to log output of dependent services
    #[arg(long)]
    pub attach_dependencies: bool,
    /// Build images before starting containers
    #[arg(long)]
    pub build: bool,
    /// Detached mode: Run containers in the background
    #[arg(short, long)]
    pub detach: bool,
    /// Return the exit code of the selected service container. Implies --abort-on-container-exit
    #[arg(long, value_name = "string")]
    pub exit_code_from: Option<String>,
    /// Recreate containers even if their configuration and image haven't changed
    #[arg(long)]
    pub force_recreate: bool,
    /// Enable interactive shortcuts when running attached. Incompatible with --detach.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub menu: Option<bool>,
    /// Do not attach (stream logs) to the specified services
    #[arg(long, value_name = "stringArray")]
    pub no_attach: Vec<String>,
    /// Don't build an image, even if it's policy
    #[arg(long)]
    pub no_build: bool,
    /// Produce monochrome output
    #[arg(long)]
    pub no_color: bool,
    /// Don't start linked services
    #[arg(long)]
    pub no_deps: bool,
    /// Don't print prefix in logs
    #[arg(long)]
    pub no_log_prefix: bool,
    /// If containers already exist, don't recreate them. Incompatible with --force-recreate.
    #[arg(long)]
    pub no_recreate: bool,
    /// Don't start the services after creating them
    #[arg(long)]
    pub no_start: bool,
    /// Pull image before running ("always"|"missing"|"never")
    #[arg(long, value_name = "string")]
    pub pull: Option<String>,
    /// Suppress the build output
    #[arg(long)]
    pub quiet_build: bool,
    /// Pull without printing progress information
    #[arg(long)]
    pub quiet_pull: bool,
    /// Remove containers for services not defined in the Compose file
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub remove_orphans: Option<bool>,
    /// Recreate anonymous volumes instead of retrieving data from the previous containers
    #[arg(short = 'V', long)]
    pub renew_anon_volumes: bool,
    /// Scale SERVICE to NUM instances. Overrides the scale setting in the Compose file if present.
    #[arg(long, value_name = "scale")]
    pub scale: Vec<String>,
    /// Use this timeout in seconds for container shutdown when attached or when containers are already running
    #[arg(short, long, value_name = "int")]
    pub timeout: Option<i64>,
    /// Show timestamps
    #[arg(long)]
    pub timestamps: bool,
    /// Wait for services to be running|healthy. Implies detached mode.
    #[arg(long)]
    pub wait: bool,
    /// Maximum duration in seconds to wait for the project to be running|healthy
    #[arg(long, value_name = "int")]
    pub wait_timeout: Option<i64>,
    /// Watch source code and rebuild/refresh containers when files are updated.
    #[arg(short, long)]
    pub watch: bool,
    /// Assume "yes" as answer to all prompts and run non-interactively
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
        exclusive(attaches, self.attach_dependencies, "cannot combine --attach and --attach-dependencies")?;
        let wants_output =
            self.abort_on_container_exit || self.abort_on_container_failure || attaches || self.attach_dependencies;
        let text = "--wait cannot be combined with --abort-on-container-exit, --attach or --attach-dependencies";
        exclusive(self.wait, wants_output || self.watch, text)?;
        let text = "--detach cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch";
        exclusive(self.detach, wants_output || self.watch, text)
    }
}

pub(super) async fn run(args: UpArgs, context: &Context<'_>) -> Ended {
    args.check()?;
    let detached = args.detach || args.wait || args.no_start;
    let mut project = selected(&args, context)?;
    scaled(&mut project, &args.scale)?;
    if args.watch {
        return Err(Failure::Unsupported("`compose up --watch`".to_owned()));
    }
    if project.services.is_empty() {
        return Err(Failure::message("no service selected"));
    }
    let options = options(&args, &project, context)?;
    if !detached && !context.global.dry_run {
        return crate::cli::attached::run(&args, &project, options, context).await;
    }
    let runtime = context.runtime().await?;
    let road = Road { detail: detail(&args), yes: args.yes, ..Road::new("up") };
    apply::converge(context, &runtime, &project, &options, road).await.map(|_| 0)
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
        menu: _,
        no_attach: _,
        no_build,
        no_color: _,
        no_deps: _,
        no_log_prefix: _,
        no_recreate,
        no_start,
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
