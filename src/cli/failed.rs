//! What a failed run leaves: why each container failed, in its own words; what was not started because of it; what
//! still runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use futures::StreamExt;
use tokio::time::timeout;

use crate::cli::failure::Cause;
use crate::engine::{Applied, OpError};
use crate::labels;
use crate::names::{ContainerId, ProjectName, ServiceName};
use crate::planner::{ContainerRef, Need, NodeId, Op, PlanNode, Until, explain};
use crate::resource::{ContainerDetails, ContainerState, ResourceId};
use crate::runtime::{LabelFilter, LogOptions, Runtime};
use crate::spec::explain::secrets;
use crate::spec::model::Project;

/// Lines of a failed container that are shown when nobody says otherwise.
const LAST_LINES: u64 = 20;
/// Bytes of a container's log that are read at most; what is older is left out.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// What docker compose says when something that others depend on failed.
const DEPENDENCY: &str = "dependency failed to start";
/// Who breaks something off does not wait longer for what is left of it.
const PATIENCE: Duration = Duration::from_secs(2);
/// In place of what must not be seen.
const HIDDEN: &str = "(hidden)";

/// How much of a failed container's log is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogsOnFailure {
    /// So many last lines.
    Lines(u64),
    /// All of it.
    All,
    /// All of it, into a file per container in this directory.
    Directory(PathBuf),
}

impl Default for LogsOnFailure {
    fn default() -> Self {
        Self::Lines(LAST_LINES)
    }
}

impl LogsOnFailure {
    /// `N`, `all`, or a directory.
    pub fn parse(word: &str) -> Self {
        match word.parse() {
            Ok(lines) => Self::Lines(lines),
            Err(_) if word == "all" => Self::All,
            Err(_) => Self::Directory(word.into()),
        }
    }
}

/// Whose run failed, and how much is told of it.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// What was done: `up`.
    pub operation: &'a str,
    /// The project.
    pub name: &'a ProjectName,
    /// What its files say, when they were read.
    pub project: Option<&'a Project>,
    /// Of the logs.
    pub logs: LogsOnFailure,
    /// Only what failed, in one line each.
    pub quiet: bool,
}

/// Why operations failed, each container once.
pub async fn causes(runtime: &dyn Runtime, applied: &Applied, report: &Report<'_>) -> Vec<Cause> {
    let mut causes: Vec<(Cause, BTreeSet<NodeId>)> = Vec::new();
    let mut known: BTreeMap<ContainerId, usize> = BTreeMap::new();
    let mut services: BTreeSet<&ServiceName> = BTreeSet::new();
    for (node, error) in &applied.outcome.failed {
        let Some(planned) = applied.plan.node(*node) else { continue };
        let container = ended_container(applied, *node, error);
        // What several wait for fails several times.
        let message = message(applied, planned, error);
        if let Some((cause, roots)) = container.as_ref().and_then(|id| causes.get_mut(*known.get(id)?)) {
            roots.insert(*node);
            if message.starts_with(DEPENDENCY) {
                cause.message = message;
            }
            continue;
        }
        let mut cause = Cause { message, ..Cause::default() };
        if !report.quiet {
            if let Some(explanation) = report.project.and_then(|project| explain(project, planned, &error.to_string()))
            {
                cause.details.extend(explanation.place.map(|place| format!("--> {place}")));
                cause.hints = explanation.hints;
            }
            if let Some(container) = &container {
                let details = runtime.inspect_container(container).await.ok();
                cause.details.extend(details.as_ref().and_then(how_it_ended));
                // Replicas fail alike: one of them speaks for all.
                if service_of(&planned.op).is_none_or(|service| services.insert(service)) {
                    cause.details.extend(details.iter().filter_map(|details| last_probe(details, report)));
                    cause.details.extend(last_words(runtime, container, planned, report).await);
                }
            }
        }
        if let Some(container) = container {
            known.insert(container, causes.len());
        }
        causes.push((cause, [*node].into()));
    }
    if report.quiet {
        return causes.into_iter().map(|(cause, _)| cause).collect();
    }
    let mut told: Vec<Cause> = Vec::with_capacity(causes.len());
    for (mut cause, roots) in causes {
        let skipped = not_started(applied, &roots);
        if !skipped.is_empty() {
            cause.details.push(format!("not started because of it: {}", skipped.join(", ")));
        }
        told.push(cause);
    }
    // What still runs matters where something was to come up.
    let starts = |op: &Op| matches!(op, Op::StartContainer { .. } | Op::RestartContainer { .. });
    if let Some(last) = told.last_mut().filter(|_| applied.plan.iter().any(|(_, node)| starts(&node.op))) {
        last.details.extend(still_running(runtime, report.name).await);
    }
    told
}

fn message(applied: &Applied, node: &PlanNode, error: &OpError) -> String {
    let dependency = matches!(
        (&node.op, error),
        (
            Op::Await { until: Until::Healthy | Until::Started, .. },
            OpError::Unhealthy { .. } | OpError::NoHealthcheck { .. } | OpError::Exited { .. }
        )
    );
    let text = error.to_string();
    if dependency {
        return format!("{DEPENDENCY}: {text}");
    }
    // The engine's calls know ids; people know names.
    let made = applied.outcome.made.values();
    let existing = match &node.op {
        Op::StartContainer { container: ContainerRef::Existing(id) }
        | Op::StopContainer { container: ContainerRef::Existing(id), .. }
        | Op::RestartContainer { container: ContainerRef::Existing(id), .. }
        | Op::SignalContainer { container: ContainerRef::Existing(id), .. }
        | Op::PauseContainer { container: ContainerRef::Existing(id) }
        | Op::UnpauseContainer { container: ContainerRef::Existing(id) }
        | Op::RemoveContainer { container: ContainerRef::Existing(id), .. } => Some(id),
        _ => None,
    };
    let id = made.chain(existing).find(|id| !id.short().is_empty() && text.contains(id.short()));
    match (&node.target, id) {
        (ResourceId::Container(name), Some(id)) => {
            text.replace(id.as_str(), name.as_str()).replace(id.short(), name.as_str())
        }
        _ => text,
    }
}

fn service_of(op: &Op) -> Option<&ServiceName> {
    match op {
        Op::Await { service, .. } | Op::RunHook { service, .. } | Op::RunStep { service, .. } => Some(service),
        _ => None,
    }
}

/// The container whose own words explain the failure.
fn ended_container(applied: &Applied, node: NodeId, error: &OpError) -> Option<ContainerId> {
    match error {
        OpError::Unhealthy { .. }
        | OpError::Exited { .. }
        | OpError::DidNotComplete { .. }
        | OpError::CrashLoop { .. }
        | OpError::TimedOut { .. }
        | OpError::Step { .. } => {}
        // What a hook wrote is part of its error.
        OpError::Runtime(_) | OpError::NoHealthcheck { .. } | OpError::Hook { .. } | OpError::Provider { .. } => {
            return None;
        }
    }
    match &applied.plan.node(node)?.op {
        Op::Await { container: ContainerRef::Existing(id), .. } => Some(id.clone()),
        Op::Await { container: ContainerRef::CreatedBy(maker), .. } => applied.outcome.made.get(maker).cloned(),
        // The engine takes names for ids.
        Op::RunStep { spec, .. } => Some(ContainerId::new(spec.name.as_str())),
        _ => None,
    }
}

/// More than the code: a signal, or no memory.
fn how_it_ended(details: &ContainerDetails) -> Option<String> {
    if matches!(details.state, ContainerState::Running | ContainerState::Paused) {
        return None;
    }
    let code = details.exit_code;
    let restarts = match details.restart_count {
        0 => String::new(),
        count => format!(", {count} restarts"),
    };
    if details.oom_killed {
        let limit = details.spec.host.memory.filter(|limit| *limit > 0);
        let limit = limit.map_or_else(String::new, |limit| format!(" (its limit is {} MiB)", limit >> 20));
        return Some(format!("ran out of memory{limit}, exit code {code}{restarts}"));
    }
    if !details.error.is_empty() {
        return Some(format!("exit code {code}{restarts}: {}", details.error));
    }
    let meaning = match code {
        126 => Some("the program can not be executed".to_owned()),
        127 => Some("the program was not found".to_owned()),
        129..=192 => Some(signal(code - 128)),
        _ => None,
    };
    match meaning {
        Some(meaning) => Some(format!("exit code {code}: {meaning}{restarts}")),
        // The code alone is part of the message.
        None if restarts.is_empty() => None,
        None => Some(format!("exit code {code}{restarts}")),
    }
}

fn signal(number: i64) -> String {
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return format!("killed by signal {number}"),
    };
    format!("killed by signal {number} ({name})")
}

fn last_probe(details: &ContainerDetails, report: &Report<'_>) -> Option<String> {
    let probe = details.probes.last().filter(|probe| probe.exit_code != 0)?;
    let output = printable(probe.output.trim(), report);
    Some(if output.is_empty() {
        format!("last health check ended with {}", probe.exit_code)
    } else {
        format!("last health check ended with {}: {output}", probe.exit_code)
    })
}

/// The last lines of a container; what can not be had is left out.
async fn last_words(
    runtime: &dyn Runtime,
    container: &ContainerId,
    node: &PlanNode,
    report: &Report<'_>,
) -> Vec<String> {
    let tail = match &report.logs {
        LogsOnFailure::Lines(0) => return Vec::new(),
        LogsOnFailure::Lines(count) => Some(*count),
        LogsOnFailure::All | LogsOnFailure::Directory(_) => None,
    };
    let Ok(mut logs) = runtime.logs(container, &LogOptions { tail, ..LogOptions::default() }).await else {
        return Vec::new();
    };
    let mut bytes = Vec::new();
    while let Some(Ok(chunk)) = logs.next().await {
        bytes.extend_from_slice(&chunk.bytes);
        if bytes.len() > 2 * MOST_BYTES {
            bytes.drain(..bytes.len() - MOST_BYTES);
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(|line| printable(line, report));
    match (&report.logs, &node.target) {
        (LogsOnFailure::Directory(directory), ResourceId::Container(name)) => {
            let path = directory.join(format!("{name}.log"));
            let all: String = lines.map(|line| line + "\n").collect();
            let written = std::fs::create_dir_all(directory).and_then(|()| std::fs::write(&path, all));
            vec![match written {
                Ok(()) => format!("log: {}", path.display()),
                Err(error) => format!("the log can not be written to {}: {error}", path.display()),
            }]
        }
        _ if text.trim().is_empty() => Vec::new(),
        _ => std::iter::once("last lines:".to_owned()).chain(lines.map(|line| format!("  {line}"))).collect(),
    }
}

/// Without what moves a terminal's cursor, and without secrets of the project.
fn printable(text: &str, report: &Report<'_>) -> String {
    let plain = without_escapes(text);
    let mut plain: String = plain.chars().filter(|c| !c.is_control() || *c == '\t').collect();
    for secret in report.project.into_iter().flat_map(secrets) {
        if plain.contains(secret) {
            plain = plain.replace(secret, HIDDEN);
        }
    }
    plain
}

/// Without a terminal's sequences: `ESC [ … letter`, `ESC ] … BEL`, `ESC letter`.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '\x1b' {
            plain.push(c);
            continue;
        }
        match characters.next() {
            Some('[') => {
                characters.find(|c| ('@'..='~').contains(c));
            }
            Some(']') => {
                characters.find(|c| matches!(c, '\x07' | '\\'));
            }
            _ => {}
        }
    }
    plain
}

/// Containers that were to be started and were not, because one of these operations failed.
fn not_started(applied: &Applied, roots: &BTreeSet<NodeId>) -> Vec<String> {
    let mut lost = roots.clone();
    let mut names: Vec<String> = Vec::new();
    for (id, node) in applied.plan.iter() {
        let needs_lost = node.after.iter().any(|edge| edge.need == Need::Success && lost.contains(&edge.node));
        if !needs_lost || !applied.outcome.skipped.contains(&id) {
            continue;
        }
        lost.insert(id);
        if let (Op::StartContainer { .. }, ResourceId::Container(name)) = (&node.op, &node.target) {
            names.push(name.to_string());
        }
    }
    names
}

/// What is left when a person broke it off.
pub async fn what_is_left(runtime: &dyn Runtime, report: &Report<'_>) -> String {
    if matches!(report.operation, "build" | "pull" | "push") {
        return "interrupted; no container was touched".to_owned();
    }
    match timeout(PATIENCE, still_running(runtime, report.name)).await {
        Ok(Some(running)) => format!("interrupted; {running}"),
        Ok(None) => format!("interrupted; nothing of {} runs", report.name),
        Err(_) => "interrupted".to_owned(),
    }
}

/// The containers of a project that run, as a person is told; `None` when there are none.
pub async fn still_running(runtime: &dyn Runtime, project: &ProjectName) -> Option<String> {
    let filter = LabelFilter::equals(labels::PROJECT, project.as_str());
    let found = runtime.list_containers(&filter).await.ok()?;
    let running = found.iter().filter(|container| container.is_running() && !container.is_one_off());
    let mut names: Vec<&str> = running.map(|container| container.name.as_str()).collect();
    names.sort_unstable();
    (!names.is_empty()).then(|| format!("still running: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_containers_end() {
        let ended = |exit_code, oom_killed, restart_count| {
            let state = ContainerState::Exited;
            let details = ContainerDetails { state, exit_code, oom_killed, restart_count, ..Default::default() };
            how_it_ended(&details).unwrap_or_default()
        };
        assert_eq!(ended(3, false, 0), "");
        assert_eq!(ended(137, false, 2), "exit code 137: killed by signal 9 (SIGKILL), 2 restarts");
        assert_eq!(ended(137, true, 0), "ran out of memory, exit code 137");
        assert_eq!(ended(127, false, 0), "exit code 127: the program was not found");
        let running = ContainerDetails { state: ContainerState::Running, ..Default::default() };
        assert_eq!(how_it_ended(&running), None);
    }

    #[test]
    fn escapes() {
        assert_eq!(without_escapes("a\x1b[1;31mred\x1b[0m \x1b]0;title\x07b\x1b"), "ared b");
    }

    #[test]
    fn how_much_of_a_log() {
        for (word, expected) in [
            ("5", LogsOnFailure::Lines(5)),
            ("0", LogsOnFailure::Lines(0)),
            ("all", LogsOnFailure::All),
            ("out/logs", LogsOnFailure::Directory("out/logs".into())),
        ] {
            assert_eq!(LogsOnFailure::parse(word), expected);
        }
    }
}
