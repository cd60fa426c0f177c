//! `alpha viz`: the project as a graph for graphviz.

use std::fmt::Write;

use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::spec::model::{Project, Service};

/// Draw the project as a graphviz graph
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS]",
    after_help = "Examples:\n  compose alpha viz --networks | dot -Tsvg > project.svg\n"
)]
pub struct VizArgs {
    /// Show images
    #[arg(long)]
    image: bool,
    /// Width of one level of indentation
    #[arg(long, value_name = "int")]
    indentation_size: Option<i64>,
    /// Show networks
    #[arg(long)]
    networks: bool,
    /// Show ports
    #[arg(long)]
    ports: bool,
    /// Indent by spaces in place of tabs
    #[arg(long)]
    spaces: bool,
}

pub(super) fn run(args: &VizArgs, context: &Context<'_>) -> Ended {
    context.io.stderr.line("viz command is EXPERIMENTAL");
    let project = context.project(&[])?;
    context.io.stdout.line(&drawn(&project, args));
    Ok(0)
}

/// The graph; services and edges sorted.
fn drawn(project: &Project, args: &VizArgs) -> String {
    /// More is no indentation any more.
    const WIDEST: i64 = 100;
    let width = usize::try_from(args.indentation_size.unwrap_or(1).clamp(0, WIDEST)).unwrap_or(1);
    let indent = if args.spaces { " " } else { "\t" }.repeat(width);
    let mut out = format!("digraph {} {{\n{indent}layout=dot;\n", quoted(project.name.as_str()));
    for (name, service) in &project.services {
        let label = label(project, service, args);
        let _ = writeln!(out, "{indent}{} [style=\"filled\" label=<{label}>];", quoted(name.as_str()));
    }
    out.push('\n');
    for (name, service) in &project.services {
        for other in service.depends_on.keys().filter(|other| project.services.contains_key(*other)) {
            let _ = writeln!(out, "{indent}{} -> {};", quoted(name.as_str()), quoted(other.as_str()));
        }
    }
    out.push_str("}\n");
    out
}

/// A service in graphviz's kind of HTML.
fn label(project: &Project, service: &Service, args: &VizArgs) -> String {
    let mut label = format!("<font point-size=\"15\">{}</font>", escaped(service.name.as_str()));
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
            let lines = lines.join("<br/>");
            let _ = write!(label, "<font point-size=\"10\"><br/><br/><b>{title}:</b><br/>{lines}</font>");
        }
    };
    if args.networks {
        section("Networks", service.networks.keys().map(ToString::to_string).collect());
    }
    if args.ports {
        let ports = service.ports.iter().map(|port| {
            let ip = port.host_ip.as_deref().filter(|ip| !ip.is_empty()).map(|ip| format!("{ip}:")).unwrap_or_default();
            let published = port.published.as_deref().filter(|text| !text.is_empty());
            let published = published.map(|text| format!("{text}:")).unwrap_or_default();
            let protocol = port.protocol.as_deref().unwrap_or("tcp");
            let mode = port.mode.as_deref().unwrap_or("ingress");
            format!("{ip}{published}{} ({protocol}, {mode})", port.target)
        });
        section("Ports", ports.collect());
    }
    if args.image {
        section("Image", vec![project.image_of(service)]);
    }
    label
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
