//! `alpha`: commands on trial.

use crate::cli::commands::{generate, publish, viz};

/// Commands on trial
#[derive(clap::Subcommand, Clone, Debug)]
pub enum AlphaCommand {
    Viz(viz::VizArgs),
    Generate(generate::GenerateArgs),
    Publish(publish::PublishArgs),
}
