//! Commands whose flags are understood already and which say that they can not do anything yet.

use crate::cli::commands::Command;
use crate::cli::failure::Failure;
use crate::cli::global::parse_bool;

/// Why nothing was done.
pub(super) fn refusal(command: &Command) -> Failure {
    let name = match command {
        Command::Attach(_) => "attach",
        Command::Bridge(_) => "bridge",
        Command::Alpha(_) => "alpha",
        Command::Commit(_) => "commit",
        Command::Cp(_) => "cp",
        Command::Export(_) => "export",
        Command::Publish(_) => "publish",
        Command::Push(_) => "push",
        Command::Watch(_) => "watch",
        _ => "this command",
    };
    Failure::Unsupported(format!("`compose {name}`"))
}

/// Attach local standard input, output, and error streams to a service's running container
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE",
    after_help = "Examples:\n  compose attach web     see and feed what `web` runs in front\n"
)]
pub struct AttachArgs {
    /// Override the key sequence for detaching from a container
    #[arg(long, value_name = "string")]
    detach_keys: Option<String>,
    /// Index of the container if service has multiple replicas
    #[arg(long, value_name = "int")]
    index: Option<i64>,
    /// Do not attach STDIN
    #[arg(long)]
    no_stdin: bool,
    /// Proxy all received signals to the process
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    sig_proxy: Option<bool>,
    #[arg(hide = true)]
    words: Vec<String>,
}

/// Convert compose files into another model
#[derive(clap::Subcommand, Clone, Debug)]
#[command(after_help = "Examples:\n  compose bridge convert     write Kubernetes files for the project\n")]
pub enum BridgeCommand {
    /// Convert compose files to Kubernetes manifests, Helm charts, or another model
    Convert {
        /// The output directory for the Kubernetes resources
        #[arg(short, long, value_name = "string")]
        output: Option<String>,
        /// Directory containing transformation templates
        #[arg(long, value_name = "string")]
        templates: Option<String>,
        /// Transformation to apply to compose model
        #[arg(short, long, value_name = "stringArray")]
        transformation: Vec<String>,
    },
    /// Manage transformation images
    #[command(subcommand)]
    Transformations(TransformationsCommand),
}

/// Transformation images.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum TransformationsCommand {
    /// Create a new transformation
    Create {
        /// Existing transformation to copy
        #[arg(short, long, value_name = "string")]
        from: Option<String>,
        #[arg(hide = true)]
        words: Vec<String>,
    },
    /// List available transformations
    #[command(alias = "ls")]
    List {
        /// Format the output
        #[arg(long, value_name = "string")]
        format: Option<String>,
        /// Only display transformer names
        #[arg(short, long)]
        quiet: bool,
    },
}

/// Experimental commands
#[derive(clap::Subcommand, Clone, Debug)]
pub enum AlphaCommand {
    /// Generate a graphviz graph from your compose file
    Viz {
        /// Include service's image name in output graph
        #[arg(long)]
        image: bool,
        /// Number of tabs or spaces to use for indentation
        #[arg(long, value_name = "int")]
        indentation_size: Option<i64>,
        /// Include service's attached networks in output graph
        #[arg(long)]
        networks: bool,
        /// Include service's exposed ports in output graph
        #[arg(long)]
        ports: bool,
        /// Use spaces to indent
        #[arg(long)]
        spaces: bool,
    },
    /// Generate a compose file from existing containers
    Generate {
        /// Format the output
        #[arg(long, value_name = "string")]
        format: Option<String>,
        /// Project name to set in the compose file
        #[arg(long, value_name = "string")]
        name: Option<String>,
        /// Directory to use for the project
        #[arg(long, value_name = "string")]
        project_dir: Option<String>,
        #[arg(hide = true)]
        words: Vec<String>,
    },
    /// Publish compose application
    Publish(PublishArgs),
}

/// Create a new image from a service container's changes
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE [REPOSITORY[:TAG]]",
    after_help = "Examples:\n  compose commit web web:debug     keep the container's files as an image\n"
)]
pub struct CommitArgs {
    /// Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")
    #[arg(short, long, value_name = "string")]
    author: Option<String>,
    /// Apply Dockerfile instruction to the created image
    #[arg(short, long, value_name = "list")]
    change: Vec<String>,
    /// Index of the container if service has multiple replicas
    #[arg(long, value_name = "int")]
    index: Option<i64>,
    /// Commit message
    #[arg(short, long, value_name = "string")]
    message: Option<String>,
    /// Pause container during commit
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    pause: Option<bool>,
    #[arg(hide = true)]
    words: Vec<String>,
}

/// Copy files/folders between a service container and the local filesystem
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n        docker compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH",
    after_help = "Examples:\n  compose cp web:/var/log/app.log .     get a file out\n"
)]
pub struct CpArgs {
    /// Include containers created by the run command
    #[arg(long)]
    all: bool,
    /// Archive mode (copy all uid/gid information)
    #[arg(short, long)]
    archive: bool,
    /// Always follow symbol link in SRC_PATH
    #[arg(short = 'L', long)]
    follow_link: bool,
    /// Index of the container if service has multiple replicas
    #[arg(long, value_name = "int")]
    index: Option<i64>,
    #[arg(hide = true)]
    words: Vec<String>,
}

/// Export a service container's filesystem as a tar archive
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE",
    after_help = "Examples:\n  compose export -o web.tar web     write the container's files into an archive\n"
)]
pub struct ExportArgs {
    /// Index of the container if service has multiple replicas
    #[arg(long, value_name = "int")]
    index: Option<i64>,
    /// Write to a file, instead of STDOUT
    #[arg(short, long, value_name = "string")]
    output: Option<String>,
    #[arg(hide = true)]
    words: Vec<String>,
}

/// Publish compose application
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] REPOSITORY[:TAG]",
    after_help = "Examples:\n  compose publish example.com/shop:1     push the compose files to a registry\n"
)]
pub struct PublishArgs {
    /// Published compose application (includes referenced images)
    #[arg(long)]
    app: bool,
    /// Use insecure registry
    #[arg(long, hide = true)]
    insecure_registry: bool,
    /// OCI image/artifact specification version (automatically determined by default)
    #[arg(long, value_name = "string")]
    oci_version: Option<String>,
    /// Pin image tags to digests
    #[arg(long)]
    resolve_image_digests: bool,
    /// Include environment variables in the published OCI artifact
    #[arg(long)]
    with_env: bool,
    /// Assume "yes" as answer to all prompts
    #[arg(short, long, alias = "y")]
    yes: bool,
    #[arg(hide = true)]
    words: Vec<String>,
}

/// Push service images
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] [SERVICE...]",
    after_help = "Examples:\n  compose push     push every image that is built here and has a name\n"
)]
pub struct PushArgs {
    /// Push what it can and ignores images with push failures
    #[arg(long)]
    ignore_push_failures: bool,
    /// Also push images of services declared as dependencies
    #[arg(long)]
    include_deps: bool,
    /// Push without printing progress information
    #[arg(short, long)]
    quiet: bool,
    #[arg(hide = true)]
    words: Vec<String>,
}

/// Watch build context for service and rebuild/refresh containers when files are updated
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[SERVICE...]",
    after_help = "Examples:\n  compose watch     start, then follow changes of files\n"
)]
pub struct WatchArgs {
    /// Do not build & start services before watching
    #[arg(long)]
    no_up: bool,
    /// Prune dangling images on rebuild
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    prune: Option<bool>,
    /// Hide build output
    #[arg(long)]
    quiet: bool,
    #[arg(hide = true)]
    words: Vec<String>,
}
