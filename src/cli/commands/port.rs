//! `port`: where a port is published.

use std::num::{IntErrorKind, ParseIntError};

use crate::cli::commands::Ended;
use crate::cli::commands::containers;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::usage::too_few;

/// Tell where a container's port is reached on this host
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE PRIVATE_PORT",
    after_help = "Examples:\n  compose port web 80     where port 80 of `web` can be reached\n"
)]
pub struct PortArgs {
    /// Number of the container, where a service has several
    #[arg(long, value_name = "int")]
    pub index: Option<i64>,
    /// Protocol: tcp or udp
    #[arg(long, value_name = "string")]
    pub protocol: Option<String>,
    #[arg(hide = true)]
    pub words: Vec<String>,
}

fn not_a_port(word: &str, error: &ParseIntError) -> String {
    let why = match error.kind() {
        IntErrorKind::PosOverflow => "value out of range",
        _ => "invalid syntax",
    };
    format!("strconv.ParseUint: parsing \"{word}\": {why}")
}

pub(super) async fn run(args: PortArgs, context: &Context<'_>) -> Ended {
    let PortArgs { index, protocol, words } = args;
    let [service, wanted, ..] = words.as_slice() else {
        return Err(Failure::Usage(too_few(2, words.len())));
    };
    let wanted: u16 = wanted.parse().map_err(|error| Failure::Message(not_a_port(wanted, &error)))?;
    let protocol = protocol.map_or("tcp".to_owned(), |word| word.to_lowercase());
    let project = context.project_name()?;
    let runtime = context.runtime().await?;
    let found = containers::of_project(runtime.as_ref(), &project).await?;
    let container = containers::running_one(&found, service, index)?;
    let published = container.ports.iter().find(|port| port.container_port == wanted && port.protocol == protocol);
    match published {
        Some(port) => {
            context.io.stdout.line(&containers::host(&port.host_ip, &port.host_port.to_string()));
            Ok(0)
        }
        None => {
            let known: Vec<String> =
                container.ports.iter().map(|port| format!("{}/{}", port.container_port, port.protocol)).collect();
            let name = &container.name;
            Err(Failure::Message(format!("no port {wanted}/{protocol} for container {name}: {}", known.join(", "))))
        }
    }
}
