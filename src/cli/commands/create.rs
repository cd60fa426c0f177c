//! `create`: containers, networks and volumes, without starting anything.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::names::ServiceName;
use crate::planner::{Recreate, UpOptions};
use crate::spec::model::Project;
use crate::ui::progress::Detail;

/// Make containers without starting them
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose create     make everything ready for `compose start`\n"
)]
pub struct CreateArgs {
    /// Build images first (not with --no-build)
    #[arg(long)]
    pub build: bool,
    /// Replace containers even when nothing about them changed (not with --no-recreate)
    #[arg(long)]
    pub force_recreate: bool,
    /// Never build, whatever the file says (not with --build)
    #[arg(long)]
    pub no_build: bool,
    /// Keep containers that exist, even outdated ones (not with --force-recreate)
    #[arg(long)]
    pub no_recreate: bool,
    /// When to fetch images: always, missing, never or build
    #[arg(long, value_name = "string")]
    pub pull: Option<String>,
    /// Fetch images silently
    #[arg(long)]
    pub quiet_pull: bool,
    /// Remove leftover containers of services that the file no longer has
    #[arg(long)]
    pub remove_orphans: bool,
    /// Run NUM containers of SERVICE (SERVICE=NUM), whatever the file says
    #[arg(long, value_name = "scale")]
    pub scale: Vec<String>,
    /// Answer yes to every question
    #[arg(short, long, alias = "y")]
    pub yes: bool,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: CreateArgs, context: &Context<'_>) -> Ended {
    let CreateArgs {
        build,
        force_recreate,
        no_build,
        no_recreate,
        pull,
        quiet_pull,
        remove_orphans,
        scale,
        yes,
        services,
    } = args;
    exclusive(build, no_build, "--build and --no-build are incompatible")?;
    exclusive(force_recreate, no_recreate, "--force-recreate and --no-recreate are incompatible")?;
    let pull = pull_policy(pull.as_deref())?;
    let mut project = context.project(&services)?;
    scaled(&mut project, &scale)?;
    let never = if no_recreate { Recreate::Never } else { Recreate::Diverged };
    let options = UpOptions {
        targets: services.iter().map(|name| ServiceName::new(name.clone())).collect(),
        recreate: if force_recreate { Recreate::Force } else { never },
        recreate_deps: never,
        remove_orphans,
        ignore_orphans: project.variable("COMPOSE_IGNORE_ORPHANS").is_some_and(|word| parse_bool(word) == Ok(true)),
        build,
        no_build,
        pull,
        now: context.io.now().as_second(),
        assume_images: context.global.dry_run,
        ..UpOptions::default()
    };
    let runtime = context.runtime().await?;
    let detail = Detail { quiet_layers: quiet_pull, ..Detail::default() };
    let road = Road { detail, yes, ..Road::new("create") };
    apply::converge(context, &runtime, &project, &options, road).await.map(|_| 0)
}

/// Two flags that exclude each other.
pub(super) fn exclusive(one: bool, other: bool, text: &str) -> Result<(), Failure> {
    if one && other { Err(Failure::message(text)) } else { Ok(()) }
}

/// `--pull`, checked.
pub(super) fn pull_policy(word: Option<&str>) -> Result<Option<String>, Failure> {
    match word {
        None | Some("" | "policy") => Ok(None),
        Some(word @ ("always" | "missing" | "if_not_present" | "never" | "build")) => Ok(Some(word.to_owned())),
        Some(word) => Err(Failure::Message(format!("invalid --pull option \"{word}\""))),
    }
}

/// Obeys `--scale SERVICE=NUM`.
pub(super) fn scaled(project: &mut Project, scale: &[String]) -> Result<(), Failure> {
    for option in scale {
        let Some((name, count)) = option.split_once('=') else {
            return Err(Failure::Message(format!("invalid --scale option \"{option}\". Should be SERVICE=NUM")));
        };
        let count: u32 = count
            .parse()
            .map_err(|_| Failure::Message(format!("strconv.Atoi: parsing \"{count}\": invalid syntax")))?;
        set_scale(project, name, count)?;
    }
    Ok(())
}

/// Sets how many containers a service has.
pub(super) fn set_scale(project: &mut Project, name: &str, count: u32) -> Result<(), Failure> {
    let Some(service) = project.services.get_mut(name) else {
        let known = project.services.keys().chain(project.disabled_services.keys()).map(ServiceName::as_str);
        // A service that is there and not part of this is no misspelt one.
        return Err(Failure::no_such_service(name, known.filter(|known| *known != name)));
    };
    service.scale = Some(i64::from(count));
    if let Some(deploy) = &mut service.deploy {
        deploy.replicas = Some(i64::from(count));
    }
    Ok(())
}
