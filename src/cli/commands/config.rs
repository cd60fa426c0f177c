//! `config`: what the files mean.

use std::path::Path;

use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::digests;
use crate::cli::failure::Failure;
use crate::names::ServiceName;
use crate::spec::explain::{origins_json, with_origins};
use crate::spec::{self, Options, hash, print};

/// Show the whole model as it is understood
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose config              the whole model, everything filled in\n  compose config -q           only say whether it is right\n  compose config --services   names, one per line\n  compose config --origins    where each value comes from\n  compose config --origins --format json     the same by path, for programs\n"
)]
pub struct ConfigArgs {
    /// List the variables that fill in `${...}`
    #[arg(long)]
    pub environment: bool,
    /// Write yaml or json
    #[arg(long, value_name = "string")]
    pub format: Option<String>,
    /// List each service with the hash of its configuration
    #[arg(long, value_name = "string")]
    pub hash: Option<String>,
    /// List image names
    #[arg(long)]
    pub images: bool,
    /// Write an override file that fixes images by digest
    #[arg(long)]
    pub lock_image_digests: bool,
    /// List model names
    #[arg(long)]
    pub models: bool,
    /// List network names
    #[arg(long)]
    pub networks: bool,
    /// Skip the checks across the model (what comes out may be wrong)
    #[arg(long)]
    pub no_consistency: bool,
    /// Leave env_file entries unread
    #[arg(long)]
    pub no_env_resolution: bool,
    /// Leave `${...}` as written
    #[arg(long)]
    pub no_interpolate: bool,
    /// Leave out defaults and implied values
    #[arg(long)]
    pub no_normalize: bool,
    /// Leave paths as written
    #[arg(long)]
    pub no_path_resolution: bool,
    /// Tell which file, line and variables gave each value, behind each line or as JSON; secrets are not shown
    #[arg(long)]
    pub origins: bool,
    /// Write to this file in place of stdout
    #[arg(short, long, value_name = "string")]
    pub output: Option<String>,
    /// List profile names
    #[arg(long)]
    pub profiles: bool,
    /// Check only, print nothing when all is right
    #[arg(short, long)]
    pub quiet: bool,
    /// Replace image tags by digests
    #[arg(long)]
    pub resolve_image_digests: bool,
    /// List service names
    #[arg(long)]
    pub services: bool,
    /// List the variables in the files and their defaults
    #[arg(long)]
    pub variables: bool,
    /// List volume names
    #[arg(long)]
    pub volumes: bool,
    #[arg(hide = true)]
    pub names: Vec<String>,
}

pub(super) async fn run(args: ConfigArgs, context: &Context<'_>) -> Ended {
    let json = match args.format.as_deref() {
        None | Some("" | "yaml") => false,
        Some("json") => true,
        Some("table") if args.variables => false,
        Some(word) => return Err(Failure::Message(format!("unsupported format \"{word}\""))),
    };
    if args.origins && (args.no_interpolate || args.lock_image_digests || args.resolve_image_digests) {
        return Err(Failure::message("--origins goes with the whole model: without --no-interpolate and digests"));
    }
    let text = text(&args, json, context).await?;
    if args.quiet {
        return Ok(0);
    }
    match &args.output {
        Some(path) => write(&context.environment.absolute(path), &text)?,
        None => context.io.stdout.text(&text),
    }
    Ok(0)
}

async fn text(args: &ConfigArgs, json: bool, context: &Context<'_>) -> Result<String, Failure> {
    let lists = args.services || args.volumes || args.networks || args.models;
    // These modes show everything, whatever was named.
    let names: &[String] = if lists || args.no_interpolate || args.variables { &[] } else { &args.names };
    let options = Options {
        no_interpolate: args.no_interpolate || args.variables,
        no_normalize: args.no_normalize || context.global.compatibility,
        no_path_resolution: args.no_path_resolution,
        no_consistency: args.no_consistency || args.variables,
        // docker compose answers these before it reads the files of variables.
        no_env_resolution: args.no_env_resolution
            || args.variables
            || lists
            || args.hash.is_some()
            || args.profiles
            || args.images,
        ..Options::default()
    };
    if args.environment && !lists {
        let loaded = context.load(names, options);
        context.loaded(&loaded)?;
        return Ok(loaded.environment.iter().map(|(name, value)| format!("{name}={value}\n")).collect());
    }
    if args.variables && !lists && args.hash.is_none() && !args.profiles && !args.images {
        let (variables, loaded) = spec::variables(&context.request(names, options), context.files);
        context.told(&loaded.diagnostics, &loaded.sources)?;
        return Ok(match args.format.as_deref() {
            Some("json") => print::variables_json(&variables) + "\n\n",
            Some("yaml") => print::variables_yaml(&variables),
            _ => print::variables_table(&variables),
        });
    }
    let shows_model = !lists && args.hash.is_none() && !args.profiles && !args.images;
    let pins = shows_model && (args.lock_image_digests || args.resolve_image_digests);
    if args.no_interpolate && shows_model && !args.lock_image_digests {
        let mut loaded = spec::load_tree(&context.request(names, options), context.files);
        context.told(&loaded.diagnostics, &loaded.sources)?;
        if pins && let Some(tree) = &mut loaded.tree {
            digests::pin_tree(tree, context).await?;
        }
        let print = if json { print::raw_json } else { print::raw_yaml };
        return Ok(loaded.tree.as_ref().map(print).unwrap_or_default());
    }
    let mut project = context.project_with(names, options)?;
    if pins {
        digests::pin(&mut project, context).await?;
    }
    if args.quiet && shows_model {
        // Nothing is printed, so nothing is written; and what ends with the process need not be taken apart before.
        std::mem::forget(project);
        return Ok(String::new());
    }
    let lines = |items: Vec<String>| items.into_iter().map(|item| item + "\n").collect::<String>();
    Ok(if args.services {
        lines(print::services(&project))
    } else if args.volumes {
        lines(print::volumes(&project))
    } else if args.networks {
        lines(print::networks(&project))
    } else if args.models {
        lines(print::models(&project))
    } else if let Some(wanted) = &args.hash {
        hashes(&project, wanted)?
    } else if args.profiles {
        lines(print::profiles(&project))
    } else if args.images {
        lines(print::images(&project))
    } else if args.lock_image_digests {
        if json { print::only_images_json(&project) } else { print::only_images(&project) }
    } else if args.origins && json {
        origins_json(&project)
    } else if args.origins {
        with_origins(&project)
    } else if json {
        print::json(&project)
    } else {
        print::yaml(&project)
    })
}

/// `service hash`, for all or for the services of a comma list.
fn hashes(project: &spec::model::Project, wanted: &str) -> Result<String, Failure> {
    let all: Vec<&str> = wanted.split(',').collect();
    if wanted != "*"
        && let Some(unknown) = all.iter().find(|name| !project.services.contains_key(**name))
    {
        let message = format!("no such service: {unknown}: not found");
        return Err(Failure::about(message, unknown, project.services.keys().map(ServiceName::as_str)));
    }
    let services = project.services.values();
    let chosen = services.filter(|service| wanted == "*" || all.contains(&service.name.as_str()));
    Ok(chosen.map(|service| format!("{} {}\n", service.name, hash::service(project, service))).collect())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| Failure::Message(format!("open {}: {error}", path.display())))
}
