//! `ls`: the projects of an engine.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;

use crate::cli::commands::Ended;
use crate::cli::commands::format::{Format, Row, escaped};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::labels;
use crate::resource::Container;
use crate::runtime::LabelFilter;
use crate::ui::table::Layout;

const COLUMNS: &[(&str, &str)] = &[("Name", "NAME"), ("Status", "STATUS"), ("ConfigFiles", "CONFIG FILES")];

/// List projects that are up
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS]",
    after_help = "Examples:\n  compose ls -a                            every project, stopped ones too\n  compose ls --filter name='^shop'         only some of them\n  compose ls --format '{{.Name}}'          in words of one's own\n"
)]
pub struct LsArgs {
    /// List projects that are stopped, too
    #[arg(short, long)]
    pub all: bool,
    /// Only projects whose name matches (name=REGEX)
    #[arg(long, value_name = "filter")]
    pub filter: Vec<String>,
    /// Layout: table, table TEMPLATE, json or a Go template
    #[arg(long, value_name = "string")]
    pub format: Option<String>,
    /// Names only
    #[arg(short, long)]
    pub quiet: bool,
}

pub(super) async fn run(args: LsArgs, context: &Context<'_>) -> Ended {
    let LsArgs { all, filter, format, quiet } = args;
    let names = name_filters(&filter)?;
    let format = Format::parse_list(format.as_deref())?;
    let runtime = context.runtime().await?;
    // Containers without the hash are not a project's own (hooks, helpers).
    let ours = LabelFilter(vec![labels::PROJECT.to_owned(), labels::CONFIG_HASH.to_owned()]);
    let found = runtime.list_containers(&ours).await?;
    let mut projects: BTreeMap<&str, Vec<&Container>> = BTreeMap::new();
    for container in found.iter().filter(|container| all || container.is_running()) {
        if let Some(project) = container.label(labels::PROJECT) {
            projects.entry(project).or_default().push(container);
        }
    }
    projects.retain(|name, _| names.is_empty() || names.iter().any(|filter| filter.matches(name)));
    if quiet {
        let text: String = projects.keys().map(|name| format!("{name}\n")).collect();
        context.io.stdout.text(&text);
        return Ok(0);
    }
    let rows: Vec<Row> = projects.iter().map(|(name, containers)| row(name, containers)).collect();
    let text = match format {
        Format::Json => escaped(&Value::Array(rows.into_iter().map(Value::Object).collect()).to_string()) + "\n",
        format => format.render_as(Layout::WIDE, COLUMNS, &[], &rows)?,
    };
    context.io.stdout.text(&text);
    Ok(0)
}

fn row(name: &str, containers: &[&Container]) -> Row {
    let pairs = [
        ("Name", Value::from(name)),
        ("Status", status(containers).into()),
        ("ConfigFiles", config_files(containers).into()),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// A name, or a regular expression that a name may match anywhere.
struct NameFilter {
    name: String,
    pattern: Option<Regex>,
}

impl NameFilter {
    /// A pattern that means nothing matches nothing but the name that it spells, as for docker.
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), pattern: Regex::new(name).ok() }
    }
    fn matches(&self, name: &str) -> bool {
        self.name == name || self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(name))
    }
}

fn name_filters(filters: &[String]) -> Result<Vec<NameFilter>, Failure> {
    filters
        .iter()
        .map(|filter| match filter.split_once('=') {
            Some(("name", pattern)) => Ok(NameFilter::new(pattern)),
            Some((key, _)) => Err(Failure::Message(format!("invalid filter '{key}'"))),
            None => {
                let why = "bad format of filter (expected name=value)";
                Err(Failure::Usage(format!("invalid argument \"{filter}\" for \"--filter\" flag: {why}")))
            }
        })
        .collect()
}

/// `exited(1), running(4)`
fn status(containers: &[&Container]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for container in containers {
        *counts.entry(container.state.as_str()).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(state, count)| format!("{state}({count})")).collect();
    parts.join(", ")
}

fn config_files(containers: &[&Container]) -> String {
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    // Newest first, as engines list them.
    let mut containers = containers.to_vec();
    containers.sort_by_key(|container| std::cmp::Reverse(container.created));
    for label in containers.iter().filter_map(|container| container.label(labels::CONFIG_FILES)) {
        files.extend(label.split(',').filter(|file| seen.insert(file.to_owned())));
    }
    if files.is_empty() { "N/A".to_owned() } else { files.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_matched_whole_or_by_regular_expressions() {
        for (pattern, name, matches) in [
            ("shop", "shop", true),
            ("sho", "shop", true),
            ("^sho", "shop", true),
            ("^hop", "shop", false),
            ("hop$", "shop", true),
            ("sho$", "shop", false),
            ("s.*p", "shop", true),
            ("^s.*", "shop", true),
            ("x", "shop", false),
            ("s[a-h]op|x", "shop", true),
            ("(?i)SHOP", "shop", true),
            ("sh+o{1}p", "shop", true),
            ("sh(op", "shop", false),
            ("sh(op", "sh(op", true),
        ] {
            assert_eq!(NameFilter::new(pattern).matches(name), matches, "{pattern} {name}");
        }
    }
}
