//! `build`: makes the images of services.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::cli::machine::equip;
use crate::names::ServiceName;
use crate::planner::{BuildOptions, build, interest};
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
    for (asked, name) in [
        (check, "check"),
        (print, "print"),
        (builder.is_some_and(|name| !name.is_empty() && name != "default"), "builder"),
        (provenance.is_some_and(|word| word != "false"), "provenance"),
        (sbom.is_some_and(|word| word != "false"), "sbom"),
        (ssh.is_some(), "ssh"),
    ] {
        if asked {
            return Err(Failure::Unsupported(format!("`compose build --{name}`")));
        }
    }
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
    };
    let detail = Detail { quiet_output: quiet, ..Detail::default() };
    let road = Road { detail, project: Some(&project), ..Road::new("build") };
    apply::apply(context, &runtime, &interest(&project), road, &mut |snapshot, _| build(&project, snapshot, &options))
        .await
        .map(|_| 0)
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
    fn sizes_have_units() {
        for (text, value) in
            [("512m", Some(512 << 20)), ("1G", Some(1 << 30)), ("10", Some(10)), ("x", None), ("1y", None)]
        {
            assert_eq!(bytes(text).ok(), value, "{text}");
        }
    }
}
