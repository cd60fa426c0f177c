//! Commands whose flags are understood already and which say that they can not do anything yet.

use crate::cli::commands::{Command, publish, viz};
use crate::cli::failure::Failure;

/// Why nothing was done.
pub(super) fn refusal(command: &Command) -> Failure {
    let name = match command {
        Command::Bridge(_) => "bridge",
        Command::Alpha(_) => "alpha",
        _ => "this command",
    };
    Failure::Unsupported(format!("`compose {name}`"))
}

/// Turn the project into files for other platforms
#[derive(clap::Subcommand, Clone, Debug)]
#[command(after_help = "Examples:\n  compose bridge convert     write Kubernetes files for the project\n")]
pub enum BridgeCommand {
    /// Write the project as Kubernetes manifests, a Helm chart or something else
    Convert {
        /// Directory to write to
        #[arg(short, long, value_name = "string")]
        output: Option<String>,
        /// Directory of the templates to use
        #[arg(long, value_name = "string")]
        templates: Option<String>,
        /// Transformation that does the conversion
        #[arg(short, long, value_name = "stringArray")]
        transformation: Vec<String>,
    },
    /// Look after transformations
    #[command(subcommand)]
    Transformations(TransformationsCommand),
}

/// Transformation images.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum TransformationsCommand {
    /// Begin a transformation of your own
    Create {
        /// Transformation to begin from
        #[arg(short, long, value_name = "string")]
        from: Option<String>,
        #[arg(hide = true)]
        words: Vec<String>,
    },
    /// List the transformations that are here
    #[command(alias = "ls")]
    List {
        /// Output format
        #[arg(long, value_name = "string")]
        format: Option<String>,
        /// Names only
        #[arg(short, long)]
        quiet: bool,
    },
}

/// Commands on trial
#[derive(clap::Subcommand, Clone, Debug)]
pub enum AlphaCommand {
    Viz(viz::VizArgs),
    /// Write a compose file for containers that exist
    Generate {
        /// Output format
        #[arg(long, value_name = "string")]
        format: Option<String>,
        /// Project name to write into the file
        #[arg(long, value_name = "string")]
        name: Option<String>,
        /// Project directory
        #[arg(long, value_name = "string")]
        project_dir: Option<String>,
        #[arg(hide = true)]
        words: Vec<String>,
    },
    Publish(publish::PublishArgs),
}
