//! `build`: makes the images of services.

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;
use crate::names::ServiceName;
use crate::planner::{BuildOptions, build, interest};
use crate::ui::progress::Detail;

/// Build or rebuild services
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose build --no-cache web     make the image of `web` from scratch\n"
)]
pub struct BuildArgs {
    /// Set build-time variables for services
    #[arg(long, value_name = "stringArray")]
    pub build_arg: Vec<String>,
    /// Set builder to use
    #[arg(long, value_name = "string")]
    pub builder: Option<String>,
    /// Check build configuration
    #[arg(long)]
    pub check: bool,
    /// Has no effect
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub compress: Option<bool>,
    /// Has no effect
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub force_rm: Option<bool>,
    /// Set memory limit for the build container. Not supported by BuildKit.
    #[arg(short, long, value_name = "bytes")]
    pub memory: Option<String>,
    /// Do not use cache when building the image
    #[arg(long)]
    pub no_cache: bool,
    /// Has no effect
    #[arg(long, hide = true)]
    pub no_rm: bool,
    /// Has no effect
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pub parallel: Option<bool>,
    /// Print equivalent bake file
    #[arg(long)]
    pub print: bool,
    /// Set type of ui output
    #[arg(long, hide = true)]
    pub progress: Option<String>,
    /// Add a provenance attestation
    #[arg(long, value_name = "string")]
    pub provenance: Option<String>,
    /// Always attempt to pull a newer version of the image
    #[arg(long)]
    pub pull: bool,
    /// Push service images
    #[arg(long)]
    pub push: bool,
    /// Suppress the build output
    #[arg(short, long)]
    pub quiet: bool,
    /// Add a SBOM attestation
    #[arg(long, value_name = "string")]
    pub sbom: Option<String>,
    /// Set SSH authentications used when building service images. (use 'default' for using your default SSH Agent)
    #[arg(long, value_name = "string")]
    pub ssh: Option<String>,
    /// Also build dependencies (transitively)
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
    let options = BuildOptions {
        services: services.iter().map(|name| ServiceName::new(name.clone())).collect(),
        with_dependencies,
        args: build_arg,
        no_cache,
        pull,
        push,
        memory: memory.as_deref().map(bytes).transpose()?,
    };
    let runtime = context.runtime().await?;
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
