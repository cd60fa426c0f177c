//! `build`: makes the images of services.

use serde_json::{Map, Value};

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::cli::machine::equip;
use crate::external::{check_builds, find_plugin, plugin_directories};
use crate::labels;
use crate::names::ServiceName;
use crate::planner::{BuildOptions, Op, Plan, build, interest};
use crate::resource::{BuildRequest, bake_allows, bake_file};
use crate::runtime::docker::config_directory;
use crate::spec::model::Project;
use crate::ui::progress::Detail;

/// Make the images of services from their sources
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose build --no-cache web     make the image of `web` from scratch\n"
)]
pub struct BuildArgs {
    /// Give a value to a build argument
    #[arg(long, value_name = "stringArray")]
    pub build_arg: Vec<String>,
    /// Builder that does the work
    #[arg(long, value_name = "string")]
    pub builder: Option<String>,
    /// Look for mistakes in the build files, build nothing
    #[arg(long)]
    pub check: bool,
    /// Accepted, does nothing
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub compress: Option<bool>,
    /// Accepted, does nothing
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub force_rm: Option<bool>,
    /// Most memory a build may take (BuildKit ignores it)
    #[arg(short, long, value_name = "bytes")]
    pub memory: Option<String>,
    /// Build every step afresh
    #[arg(long)]
    pub no_cache: bool,
    /// Accepted, does nothing
    #[arg(long, hide = true)]
    pub no_rm: bool,
    /// Accepted, does nothing
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub parallel: Option<bool>,
    /// Print the same build as a bake file
    #[arg(long)]
    pub print: bool,
    /// Style of the progress output
    #[arg(long, hide = true)]
    pub progress: Option<String>,
    /// Attach a record of how the image was built
    #[arg(long, value_name = "string")]
    pub provenance: Option<String>,
    /// Ask the registry for newer base images first
    #[arg(long)]
    pub pull: bool,
    /// Upload the images once they are built
    #[arg(long)]
    pub push: bool,
    /// Build silently
    #[arg(short, long)]
    pub quiet: bool,
    /// Attach a list of what the image contains (SBOM)
    #[arg(long, value_name = "string")]
    pub sbom: Option<String>,
    /// SSH keys or agent that the build may use ('default' is your running agent)
    #[arg(long, value_name = "string")]
    pub ssh: Option<String>,
    /// Build what these services depend on, too
    #[arg(long)]
    pub with_dependencies: bool,
    #[arg(hide = true)]
    pub services: Vec<String>,
}

pub(super) async fn run(args: BuildArgs, context: &Context<'_>) -> Ended {
    let BuildArgs {
        build_arg,
        builder,
        check,
        compress: _,
        force_rm: _,
        memory,
        no_cache,
        no_rm: _,
        parallel: _,
        print,
        progress,
        provenance,
        pull,
        push,
        quiet,
        sbom,
        ssh,
        with_dependencies,
        services,
    } = args;
    if progress.is_some() {
        context.warn("--progress is a global compose flag, better use `docker compose --progress xx build ...`");
    }
    let project = context.project(&services)?;
    let runtime = context.runtime().await?;
    let options = BuildOptions {
        proxies: equip(context, &runtime, &project).await?.proxies,
        services: services.iter().map(|name| ServiceName::new(name.clone())).collect(),
        with_dependencies,
        args: build_arg,
        no_cache,
        pull,
        push,
        memory: memory.as_deref().map(bytes).transpose()?,
        ssh: ssh.map(|key| ssh_key(&key)).transpose()?.into_iter().collect(),
        provenance,
        sbom,
        builder: builder.or_else(|| context.environment.get("BUILDX_BUILDER").map(str::to_owned)).filter(|name| {
            // The engine itself, by its name in buildx.
            !name.is_empty() && name != "default"
        }),
        all_platforms: true,
    };
    if print || check {
        let plan = build(&project, &options);
        return if print { printed(&plan, push, context) } else { checked(&plan, &project, context).await };
    }
    let detail = Detail { silent: quiet, ..Detail::default() };
    let road = Road { detail, project: Some(&project), ..Road::new("build") };
    apply::apply(context, &runtime, &interest(&project), road, &mut |_, _| build(&project, &options)).await.map(|_| 0)
}

/// The builds of a plan, by their services.
fn builds(plan: &Plan) -> Vec<(String, &BuildRequest)> {
    let requests = plan.nodes.iter().filter_map(|node| match &node.op {
        Op::BuildImage { request } => Some(&**request),
        _ => None,
    });
    let mut builds: Vec<(String, &BuildRequest)> =
        requests.map(|request| (request.labels.get(labels::SERVICE).cloned().unwrap_or_default(), request)).collect();
    builds.sort_by(|one, other| one.0.cmp(&other.0));
    builds
}

fn printed(plan: &Plan, push: bool, context: &Context<'_>) -> Ended {
    let mut file = bake_file(builds(plan));
    let pushed: Vec<&str> = plan
        .nodes
        .iter()
        .filter_map(|node| if let Op::PushImage { reference } = &node.op { Some(reference.as_str()) } else { None })
        .collect();
    for (name, request) in builds(plan) {
        let output = file.pointer_mut(&format!("/target/{}/output/0", name.replace('.', "_")));
        if let (true, Some(output)) = (push && request.tags.iter().any(|tag| pushed.contains(&tag.as_str())), output) {
            *output = "type=registry".into();
        }
    }
    let text = serde_json::to_string_pretty(&file).unwrap_or_default();
    context.io.stdout.line(&text);
    Ok(0)
}

/// Lets buildx look for mistakes; what it finds is printed as it says it.
async fn checked(plan: &Plan, project: &Project, context: &Context<'_>) -> Ended {
    let builds = builds(plan);
    let directory = config_directory(&context.environment.variables);
    let Some(program) = find_plugin(&plugin_directories(&directory), "buildx") else {
        let hint = "install docker's buildx plugin (Debian: docker-buildx)".to_owned();
        return Err(Failure::Hinted { message: "`build --check` takes docker's buildx".to_owned(), hints: vec![hint] });
    };
    let mut allows: Vec<String> = builds.iter().flat_map(|(_, request)| bake_allows(request)).collect();
    allows.sort();
    allows.dedup();
    let mut file = bake_file(builds);
    for target in file.get_mut("target").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        // With an output the image would be made after all.
        if let Some(target) = target.as_object_mut() {
            target.remove("output");
            target.insert("call".to_owned(), "lint".into());
        }
    }
    let file = file.to_string();
    let mut say = |is_error: bool, bytes: &[u8]| {
        if is_error { context.io.stderr.bytes(bytes) } else { context.io.stdout.bytes(bytes) }
    };
    let work = check_builds(&program, &project.environment, &file, &allows, &mut say);
    let told = |error: std::io::Error| Failure::Message(format!("can not run {}: {error}", program.display()));
    let code = context.unless_interrupted(async { work.await.map_err(told) }).await?;
    if code == 0 { Ok(0) } else { Err(Failure::Container { code: 1 }) }
}

/// `default` or `ID=PATH`; nothing is `default`.
fn ssh_key(text: &str) -> Result<String, Failure> {
    match text {
        "" => Ok("default".to_owned()),
        text if text == "default" || text.split_once('=').is_some_and(|(id, _)| !id.is_empty()) => Ok(text.to_owned()),
        _ => Err(Failure::Message(format!("invalid ssh key \"{text}\""))),
    }
}

/// `512m`, `1g`, `1024`.
fn bytes(text: &str) -> Result<i64, Failure> {
    let lower = text.trim().to_ascii_lowercase();
    let number = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: i64 = match lower.get(number.len()..).unwrap_or_default() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => 0,
    };
    let value = number.trim().parse::<i64>().ok().and_then(|number| number.checked_mul(factor));
    value.filter(|_| factor > 0).ok_or_else(|| Failure::Message(format!("invalid size: '{text}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_an_id() {
        for (text, key) in
            [("", Some("default")), ("default", Some("default")), ("a=./b", Some("a=./b")), ("=b", None), ("foo", None)]
        {
            assert_eq!(ssh_key(text).ok().as_deref(), key, "{text}");
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, value) in
            [("512m", Some(512 << 20)), ("1G", Some(1 << 30)), ("10", Some(10)), ("x", None), ("1y", None)]
        {
            assert_eq!(bytes(text).ok(), value, "{text}");
        }
    }
}
