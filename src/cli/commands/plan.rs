//! `plan`: what `up` would do and why; nothing is done.

use serde::{Deserialize, Serialize};

use crate::cli::apply;
use crate::cli::commands::Ended;
use crate::cli::commands::up::{self, UpArgs};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::planner::{SavedPlan, changes};
use crate::ui::plan;

/// Exit code of `--exit-code` when something would change.
const CHANGES: u8 = 2;

/// Show what `up` would do, and why; do nothing
#[derive(clap::Args, Clone, Debug, Default)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose plan                             what `up` would do, as a diff\n  compose plan --out p.json                keep it, and run exactly that: compose up -d --plan p.json\n  compose plan --exit-code                 2 when something would change, else 0\n"
)]
pub struct PlanArgs {
    /// Replace what these services depend on, too (not with --no-recreate)
    #[arg(long)]
    pub always_recreate_deps: bool,
    /// Build images first (not with --no-build)
    #[arg(long)]
    pub build: bool,
    /// Accepted, does nothing
    #[arg(short, long, hide = true)]
    pub detach: bool,
    /// End with 2 when something would change or may change
    #[arg(long)]
    pub exit_code: bool,
    /// Replace containers even when nothing about them changed (not with --no-recreate)
    #[arg(long)]
    pub force_recreate: bool,
    /// Print it as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Never build, whatever the file says (not with --build)
    #[arg(long)]
    pub no_build: bool,
    /// Leave what these services depend on alone
    #[arg(long)]
    pub no_deps: bool,
    /// Keep containers that exist, even outdated ones (not with --force-recreate)
    #[arg(long)]
    pub no_recreate: bool,
    /// Make containers, start none
    #[arg(long)]
    pub no_start: bool,
    /// Save the plan for `up --plan`: names and reasons, no values
    #[arg(short, long, value_name = "file")]
    pub out: Option<String>,
    /// When to fetch images: always, missing or never
    #[arg(long, value_name = "string")]
    pub pull: Option<String>,
    /// Remove leftover containers of services that the file no longer has
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = crate::cli::global::parse_bool)]
    pub remove_orphans: Option<bool>,
    /// Begin with empty anonymous volumes in replaced containers (not with --no-recreate)
    #[arg(short = 'V', long)]
    pub renew_anon_volumes: bool,
    /// Run NUM containers of SERVICE (SERVICE=NUM), whatever the file says
    #[arg(long, value_name = "scale")]
    pub scale: Vec<String>,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

impl PlanArgs {
    /// The `up` that is planned.
    fn up(&self) -> UpArgs {
        let Self {
            always_recreate_deps,
            build,
            detach: _,
            exit_code: _,
            force_recreate,
            json: _,
            no_build,
            no_deps,
            no_recreate,
            no_start,
            out: _,
            pull,
            remove_orphans,
            renew_anon_volumes,
            scale,
            services,
        } = self.clone();
        UpArgs {
            always_recreate_deps,
            build,
            force_recreate,
            no_build,
            no_deps,
            no_recreate,
            no_start,
            pull,
            remove_orphans,
            renew_anon_volumes,
            scale,
            services,
            ..UpArgs::default()
        }
    }
}

/// The flags of an `up` that decide over its plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Flags {
    always_recreate_deps: bool,
    build: bool,
    force_recreate: bool,
    no_build: bool,
    no_deps: bool,
    no_recreate: bool,
    no_start: bool,
    pull: Option<String>,
    remove_orphans: Option<bool>,
    renew_anon_volumes: bool,
    scale: Vec<String>,
    services: Vec<String>,
}

impl Flags {
    fn of(args: &UpArgs) -> Self {
        let args = args.clone();
        Self {
            always_recreate_deps: args.always_recreate_deps,
            build: args.build,
            force_recreate: args.force_recreate,
            no_build: args.no_build,
            no_deps: args.no_deps,
            no_recreate: args.no_recreate,
            no_start: args.no_start,
            pull: args.pull,
            remove_orphans: args.remove_orphans,
            renew_anon_volumes: args.renew_anon_volumes,
            scale: args.scale,
            services: args.services,
        }
    }
    fn onto(self, args: UpArgs) -> UpArgs {
        UpArgs {
            always_recreate_deps: self.always_recreate_deps,
            build: self.build,
            force_recreate: self.force_recreate,
            no_build: self.no_build,
            no_deps: self.no_deps,
            no_recreate: self.no_recreate,
            no_start: self.no_start,
            pull: self.pull,
            remove_orphans: self.remove_orphans,
            renew_anon_volumes: self.renew_anon_volumes,
            scale: self.scale,
            services: self.services,
            ..args
        }
    }
}

/// For `up --plan`: the flags and services are those of the saved plan.
///
/// # Errors
/// The plan can not be read, or further flags would make another one.
pub(super) fn taken_over(args: UpArgs, context: &Context<'_>) -> Result<(UpArgs, Option<SavedPlan>), Failure> {
    let Some(path) = &args.plan else { return Ok((args, None)) };
    let file = context.environment.absolute(path);
    let unusable = |why: String| Failure::Message(format!("the plan in {} can not be used: {why}", file.display()));
    let bytes = std::fs::read(&file).map_err(|error| unusable(error.to_string()))?;
    let saved = SavedPlan::parse(&bytes).map_err(unusable)?;
    let flags: Flags = serde_json::from_value(saved.flags.clone()).map_err(|error| unusable(error.to_string()))?;
    if ![Flags::default(), flags.clone()].contains(&Flags::of(&args)) {
        return Err(Failure::Hinted {
            message: "with --plan the services and the flags that decide over the plan are those of the plan"
                .to_owned(),
            hints: vec!["leave them out, or make a new plan with them: compose plan --out FILE".to_owned()],
        });
    }
    Ok((flags.onto(args), Some(saved)))
}

pub(super) async fn run(args: PlanArgs, context: &Context<'_>) -> Ended {
    let up = args.up();
    let (project, mut options) = up::prepared(&up, context)?;
    options.assume_images = true;
    let runtime = context.runtime().await?;
    let (project, foreseen) = apply::foreseen_up(context, &runtime, &project, options).await?;
    let planned = foreseen.plan;
    if !planned.blockers.is_empty() {
        return Err(apply::blocked(&planned));
    }
    let questions: Vec<String> = foreseen.rounds.answers.keys().map(apply::question_text).collect();
    if args.json {
        let object = plan::to_json(project.name.as_str(), &planned, &questions);
        context.io.stdout.line(&format!("{object:#}"));
    } else {
        for warning in &planned.warnings {
            context.warn(warning);
        }
        for question in &questions {
            context.warn(&format!("this will be asked first: {question}"));
        }
        let paint = context.global.paint(&context.io.stdout);
        context.io.stdout.text(&plan::to_text(project.name.as_str(), &planned, paint));
    }
    if let Some(path) = &args.out {
        let made = context.io.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let saved = SavedPlan::new(
            &project,
            &foreseen.snapshot,
            &planned,
            made,
            serde_json::to_value(Flags::of(&up)).unwrap_or_default(),
        );
        let text = serde_json::to_string_pretty(&saved).unwrap_or_default() + "\n";
        let file = context.environment.absolute(path);
        std::fs::write(&file, text)
            .map_err(|error| Failure::Message(format!("the plan could not be saved in {}: {error}", file.display())))?;
    }
    Ok(if args.exit_code && !changes(&planned).is_empty() { CHANGES } else { 0 })
}
