//! What the flags of `run` change about a service.

use std::path::Path;

use crate::cli::commands::create::pull_policy;
use crate::cli::commands::run::RunArgs;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::diagnostics::SourceMap;
use crate::spec::dotenv;
use crate::spec::model::{Project, Service};
use crate::spec::short;

/// Makes a service that of one command: `words` is the command, as far as one was given.
pub(super) fn change(
    service: &mut Service,
    args: &RunArgs,
    words: &[String],
    project: &Project,
    context: &Context<'_>,
) -> Result<(), Failure> {
    if let Some(entrypoint) = &args.entrypoint {
        let split = shlex::split(entrypoint);
        let message = || Failure::Message(format!("--entrypoint {entrypoint:?}: a quote is not closed"));
        service.entrypoint = Some(split.ok_or_else(message)?);
        // The command was meant for the other entrypoint.
        service.command = None;
    }
    if !words.is_empty() {
        service.command = Some(words.to_vec());
    }
    for path in &args.env_from_file {
        for (key, value) in variables_of(path, project, context)? {
            service.environment.insert(key, Some(value));
        }
    }
    for entry in &args.env {
        match entry.split_once('=') {
            Some((key, value)) => service.environment.insert(key.to_owned(), Some(value.to_owned())),
            None => match project.variable(entry) {
                Some(value) => service.environment.insert(entry.clone(), Some(value.to_owned())),
                None => service.environment.remove(entry),
            },
        };
    }
    for entry in &args.label {
        let message = || Failure::Message(format!("label must be set as KEY=VALUE: {entry}"));
        let (key, value) = entry.split_once('=').ok_or_else(message)?;
        service.labels.insert(key.to_owned(), value.to_owned());
    }
    if let Some(user) = &args.user {
        service.user = Some(user.clone());
    }
    if let Some(directory) = &args.workdir {
        service.working_dir = Some(directory.clone());
    }
    capabilities(service, args);
    if !args.service_ports {
        service.ports = short::ports(&args.publish).map_err(Failure::Message)?;
    }
    let home = context.environment.get("HOME").map(Path::new);
    let mounts = short::mounts(&args.volume, &context.environment.directory, home).map_err(Failure::Message)?;
    // A mount of the command line takes the place of one of the file.
    service.volumes.retain(|volume| !mounts.iter().any(|mount| mount.target == volume.target));
    service.volumes.extend(mounts);
    service.restart = None;
    service.scale = Some(1);
    if let Some(deploy) = &mut service.deploy {
        deploy.restart_policy = None;
        deploy.replicas = None;
    }
    service.pre_start.clear();
    if let Some(policy) = pull_policy(args.pull.as_deref())? {
        service.pull_policy = Some(policy);
    }
    if args.build && service.build.is_some() {
        service.pull_policy = Some("build".to_owned());
    }
    Ok(())
}

/// Added ones are no longer dropped, and dropped ones no longer added.
fn capabilities(service: &mut Service, args: &RunArgs) {
    let same = |one: &str, other: &str| {
        let bare = |name: &str| name.to_ascii_uppercase().trim_start_matches("CAP_").to_owned();
        bare(one) == bare(other)
    };
    let split = |flags: &[String]| -> Vec<String> {
        flags.iter().flat_map(|flag| flag.split(',')).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let (added, dropped) = (split(&args.cap_add), split(&args.cap_drop));
    service.cap_drop.retain(|name| !added.iter().any(|added| same(added, name)));
    service.cap_add.retain(|name| !dropped.iter().any(|dropped| same(dropped, name)));
    service.cap_add.extend(added);
    service.cap_drop.extend(dropped);
}

fn variables_of(path: &str, project: &Project, context: &Context<'_>) -> Result<Vec<(String, String)>, Failure> {
    let full = context.environment.absolute(path);
    let bytes = context.files.read(&full);
    let bytes = bytes.map_err(|error| Failure::Message(format!("--env-from-file {path}: {error}")))?;
    let text = dotenv::decode_text(&bytes);
    let mut sources = SourceMap::default();
    let file = sources.add_private(path, Some(&full), text.as_str());
    let parsed = dotenv::parse(&text, file, &|name| project.variable(name).map(str::to_owned));
    match parsed {
        Ok(parsed) => Ok(parsed.variables.into_iter().map(|variable| (variable.name, variable.value)).collect()),
        Err(finding) => {
            let told = context.told(&[finding], &sources);
            told.map(|()| Vec::new())
        }
    }
}
