//! What could stand at a cursor: from the definitions, the project's files, and the engine where it answers soon.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::Command;

use crate::cli::completion::cursor::{Cursor, Wanted};
use crate::cli::completion::{Candidate, Shell};
use crate::cli::context::Context;
use crate::labels;
use crate::resource::{Container, ContainerState};
use crate::runtime::LabelFilter;
use crate::spec;
use crate::spec::Options;

/// A person who pressed a key waits no longer than this for an engine.
const PATIENCE: Duration = Duration::from_secs(1);

/// Candidates and what the shell may add.
pub(super) async fn of(cursor: &Cursor<'_>, root: &Command, context: &Context<'_>) -> (Vec<Candidate>, Shell) {
    match cursor.wanted {
        Wanted::Nothing => (Vec::new(), Shell::Nothing),
        Wanted::Command => (commands(cursor.command), Shell::Nothing),
        Wanted::Flag => (flags(cursor, root), Shell::Nothing),
        Wanted::Value(arg) => {
            let flag = arg.get_long().unwrap_or_default();
            values(cursor, flag, context).await
        }
        Wanted::Argument => arguments(cursor, context).await,
    }
}

fn commands(command: &Command) -> Vec<Candidate> {
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    let mut all: Vec<Candidate> = shown.map(|command| Candidate::new(command.get_name(), about(command))).collect();
    all.sort_by(|one, other| one.text.cmp(&other.text));
    all
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn flags(cursor: &Cursor<'_>, root: &Command) -> Vec<Candidate> {
    let own = cursor.command.get_arguments();
    let everywhere = root.get_arguments().filter(|arg| arg.is_global_set() && !cursor.path.is_empty());
    let shown = own.chain(everywhere).filter(|arg| !arg.is_hide_set() && !arg.is_positional());
    let mut all = Vec::new();
    for arg in shown {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        all.extend(arg.get_long().map(|long| Candidate::new(format!("--{long}"), help.clone())));
        if cursor.begun == "-" {
            all.extend(arg.get_short().map(|short| Candidate::new(format!("-{short}"), help)));
        }
    }
    all.sort_by(|one, other| one.text.cmp(&other.text));
    all.dedup();
    all
}

fn words(words: &[&str]) -> (Vec<Candidate>, Shell) {
    (words.iter().map(|word| Candidate::new(*word, "")).collect(), Shell::Nothing)
}

/// The value of a flag.
async fn values(cursor: &Cursor<'_>, flag: &str, context: &Context<'_>) -> (Vec<Candidate>, Shell) {
    let command = cursor.path.last().copied().unwrap_or_default();
    match (command, flag) {
        ("", "file") => words(&["yaml", "yml"]).with(Shell::FilesEndingSo),
        ("", "project-directory" | "workdir" | "config" | "tlscacert" | "tlscert" | "tlskey") => {
            (Vec::new(), Shell::Directories)
        }
        ("", "ansi") => words(&["never", "always", "auto"]),
        (_, "progress") => words(&["auto", "tty", "plain", "json", "quiet"]),
        ("", "log-level") => words(&["debug", "info", "warn", "error", "fatal"]),
        ("", "profile") => (profiles(context), Shell::Nothing),
        ("", "project-name") => (projects(context).await, Shell::Nothing),
        ("pull", "policy") => words(&["missing", "always"]),
        ("run", "pull") => words(&["always", "missing", "never"]),
        (_, "pull") => words(&["always", "missing", "never", "build"]),
        (_, "rmi") => words(&["local", "all"]),
        (_, "protocol") => words(&["tcp", "udp"]),
        (_, "signal") => words(&["SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"]),
        (_, "status") => words(&["paused", "restarting", "removing", "running", "dead", "created", "exited"]),
        ("ps", "filter") => words(&["status="]).with(Shell::NoBlank),
        ("ls", "filter") => words(&["name="]).with(Shell::NoBlank),
        ("config" | "convert", "format") => words(&["yaml", "json"]),
        ("version", "format") => words(&["pretty", "json"]),
        (_, "format") => words(&["table", "json"]),
        ("config", "hash") => {
            let mut all = services(cursor, context).await;
            all.push(Candidate::new("*", "all services"));
            (all, Shell::Nothing)
        }
        (_, "attach" | "no-attach" | "exit-code-from") => (services(cursor, context).await, Shell::Nothing),
        (_, "scale") => (scales(cursor, context).await, Shell::NoBlank),
        (_, "index") => (numbers(cursor, context).await, Shell::Nothing),
        (_, "env-file" | "env-from-file" | "output") => (Vec::new(), Shell::Files),
        (_, "project-dir" | "templates") => (Vec::new(), Shell::Directories),
        _ => (Vec::new(), Shell::Nothing),
    }
}

/// Lets a shell do something else with candidates.
trait With {
    fn with(self, shell: Shell) -> Self;
}

impl With for (Vec<Candidate>, Shell) {
    fn with(self, shell: Shell) -> Self {
        (self.0, shell)
    }
}

/// An argument of a command.
async fn arguments(cursor: &Cursor<'_>, context: &Context<'_>) -> (Vec<Candidate>, Shell) {
    let command = cursor.path.join(" ");
    let first = cursor.arguments.is_empty();
    match command.as_str() {
        "completion" if first => words(&["bash", "zsh", "fish", "powershell"]),
        "port" if !first => (ports(cursor, context).await, Shell::Nothing),
        "attach" | "commit" | "export" | "port" if !first => (Vec::new(), Shell::Nothing),
        // What runs inside of a container is not known here.
        "exec" | "run" if !first => (Vec::new(), Shell::Files),
        "cp" => {
            let all = services(cursor, context).await;
            let all = all.into_iter().map(|service| Candidate::new(format!("{}:", service.text), service.about));
            // A path of this machine may stand there as well.
            (all.collect(), Shell::FilesNoBlank)
        }
        "scale" => (scales(cursor, context).await, Shell::NoBlank),
        "explain" => {
            let all = services(cursor, context).await;
            let all =
                all.into_iter().map(|service| Candidate::new(format!("services.{}", service.text), service.about));
            (all.collect(), Shell::NoBlank)
        }
        "ls" | "version" | "lint" | "install-plugin" | "publish" | "completion" | "man" => (Vec::new(), Shell::Nothing),
        _ => {
            let mut all = services(cursor, context).await;
            all.retain(|service| !cursor.arguments.contains(&service.text));
            (all, Shell::Nothing)
        }
    }
}

/// Which containers a command can do something with; `None` for commands that need none.
fn useful(command: &str) -> Option<fn(&Container) -> bool> {
    match command {
        "attach" | "exec" | "top" | "stats" | "kill" | "pause" | "commit" | "stop" | "port" => {
            Some(|container| matches!(container.state, ContainerState::Running | ContainerState::Restarting))
        }
        "unpause" => Some(|container| container.state == ContainerState::Paused),
        _ => None,
    }
}

/// Services: those of the files, and where containers are needed only those that have them. Without files they come
/// from the engine.
async fn services(cursor: &Cursor<'_>, context: &Context<'_>) -> Vec<Candidate> {
    let in_files = services_of_files(context);
    let command = cursor.path.last().copied().unwrap_or_default();
    let useful = useful(command);
    if useful.is_none() && !in_files.is_empty() {
        return in_files;
    }
    let containers = containers(context).await;
    let mut there: BTreeMap<&str, usize> = BTreeMap::new();
    for container in containers.iter().filter(|container| useful.is_none_or(|useful| useful(container))) {
        *there.entry(container.service()).or_default() += 1;
    }
    if there.is_empty() {
        return in_files;
    }
    let about = |count: usize, name: &str| {
        let image = in_files.iter().find(|service| service.text == name).map(|service| service.about.clone());
        let image = image.filter(|image| !image.is_empty()).map(|image| format!(", {image}")).unwrap_or_default();
        format!("{count} container{}{image}", if count == 1 { "" } else { "s" })
    };
    there.into_iter().map(|(name, count)| Candidate::new(name, about(count, name))).collect()
}

/// Services of the files with their images, those of all profiles; where files have mistakes, what can be made out.
fn services_of_files(context: &Context<'_>) -> Vec<Candidate> {
    let options = Options { no_env_resolution: true, ..Options::default() };
    let Some(project) = context.load(&[], options).project else {
        let services = spec::sketch(&context.request(&[], options), context.files).services;
        return services.into_iter().map(|(name, image)| Candidate::new(name, image.unwrap_or_default())).collect();
    };
    let all = project.services.values().chain(project.disabled_services.values());
    let about = |service: &spec::model::Service| service.image.clone().unwrap_or_else(|| "built here".to_owned());
    let mut all: Vec<Candidate> = all.map(|service| Candidate::new(service.name.as_str(), about(service))).collect();
    all.sort_by(|one, other| one.text.cmp(&other.text));
    all
}

fn profiles(context: &Context<'_>) -> Vec<Candidate> {
    let options = Options { no_env_resolution: true, ..Options::default() };
    let names = match context.load(&[], options).project {
        Some(project) => spec::print::profiles(&project),
        None => spec::sketch(&context.request(&[], options), context.files).profiles.into_iter().collect(),
    };
    names.into_iter().map(|name| Candidate::new(name, "")).collect()
}

async fn containers(context: &Context<'_>) -> Vec<Container> {
    let Ok(project) = context.project_name() else { return Vec::new() };
    listed(context, &LabelFilter::equals(labels::PROJECT, project.as_str())).await
}

/// What the engine lists; nothing when it does not answer soon.
async fn listed(context: &Context<'_>, filter: &LabelFilter) -> Vec<Container> {
    let asked = async {
        let runtime = context.runtime().await.ok()?;
        runtime.list_containers(filter).await.ok()
    };
    tokio::time::timeout(PATIENCE, asked).await.ok().flatten().unwrap_or_default()
}

async fn projects(context: &Context<'_>) -> Vec<Candidate> {
    let found = listed(context, &LabelFilter(vec![labels::PROJECT.to_owned()])).await;
    let mut files: BTreeMap<&str, &str> = BTreeMap::new();
    for container in &found {
        if let Some(project) = container.label(labels::PROJECT) {
            files.insert(project, container.label(labels::CONFIG_FILES).unwrap_or_default());
        }
    }
    files.into_iter().map(|(name, files)| Candidate::new(name, files)).collect()
}

async fn scales(cursor: &Cursor<'_>, context: &Context<'_>) -> Vec<Candidate> {
    let all = services(cursor, context).await;
    all.into_iter().map(|service| Candidate::new(format!("{}=", service.text), service.about)).collect()
}

/// Numbers of the containers; of the service that is named already, if one is.
async fn numbers(cursor: &Cursor<'_>, context: &Context<'_>) -> Vec<Candidate> {
    let service = cursor.arguments.first();
    let mut found = containers(context).await;
    found.retain(|container| service.is_none_or(|service| service == container.service()));
    found.sort_by_key(|container| (container.number(), container.name.clone()));
    let number = |container: &Container| {
        container.number().map(|number| Candidate::new(number.to_string(), container.name.as_str()))
    };
    found.iter().filter_map(number).collect()
}

/// Ports inside of the containers of the service that is named.
async fn ports(cursor: &Cursor<'_>, context: &Context<'_>) -> Vec<Candidate> {
    let found = containers(context).await;
    let of_service =
        found.iter().filter(|container| cursor.arguments.first().is_some_and(|name| name == container.service()));
    let ports: BTreeSet<u16> =
        of_service.flat_map(|container| container.ports.iter().map(|port| port.container_port)).collect();
    ports.into_iter().map(|port| Candidate::new(port.to_string(), "")).collect()
}
