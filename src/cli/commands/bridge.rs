//! `bridge`: images that turn a project into files for other platforms.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use serde_json::{Map, Value, json};

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::commands::format::{Format, Row, escaped};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::transfer::unpack;
use crate::labels;
use crate::names::{ContainerId, ImageRef};
use crate::resource::{ContainerSpec, HostSpec, ImageDetails};
use crate::runtime::{AttachOptions, LabelFilter, Output, Runtime};
use crate::spec::model::Project;
use crate::spec::print;
use crate::ui::progress::rows::State;
use crate::ui::table::Layout;
use crate::ui::units;

/// What turns a project into Kubernetes manifests.
const DEFAULT: &str = "docker/compose-bridge-kubernetes";
/// What transformations of one's own are made from.
const BASE: &str = "docker/compose-bridge-transformer";
const DEFAULT_OUTPUT: &str = "out";
/// Where templates lie in an image.
const TEMPLATES: &str = "/templates";
const COLUMNS: &[(&str, &str)] = &[("ID", "IMAGE ID"), ("Repo", "REPO"), ("Tags", "TAGS"), ("Size", "SIZE")];

/// Turn the project into files for other platforms
#[derive(clap::Subcommand, Clone, Debug)]
#[command(after_help = "Examples:\n  compose bridge convert     write Kubernetes files for the project\n")]
pub enum BridgeCommand {
    Convert(ConvertArgs),
    /// Look after transformations
    #[command(subcommand)]
    Transformations(TransformationsCommand),
}

/// Write the project as Kubernetes manifests, a Helm chart or something else
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS]",
    after_help = "Examples:\n  compose bridge convert                         Kubernetes files in ./out\n  compose bridge convert -t me/nomad -o job      what an image of yours makes of the project\n"
)]
pub struct ConvertArgs {
    /// Directory to write to; what is in it goes (default: out)
    #[arg(short, long, value_name = "string")]
    output: Option<String>,
    /// Directory of the templates to use
    #[arg(long, value_name = "string")]
    templates: Option<String>,
    /// Image that does the conversion (default: docker/compose-bridge-kubernetes)
    #[arg(short, long, value_name = "stringArray")]
    transformation: Vec<String>,
    /// Answer yes to every question
    #[arg(short, long)]
    yes: bool,
}

/// Transformation images.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum TransformationsCommand {
    /// Begin a transformation of your own
    #[command(
        override_usage = "[OPTION] PATH",
        after_help = "Examples:\n  compose bridge transformations create mine     templates and a Dockerfile in ./mine\n"
    )]
    Create {
        /// Transformation to begin from (default: docker/compose-bridge-kubernetes)
        #[arg(short, long, value_name = "string")]
        from: Option<String>,
        #[arg(hide = true)]
        words: Vec<String>,
    },
    /// List the transformations that are here
    #[command(
        alias = "ls",
        override_usage = "[OPTIONS]",
        after_help = "Examples:\n  compose bridge transformations list -q     names only\n"
    )]
    List {
        /// Output format: table, json or a template
        #[arg(long, value_name = "string")]
        format: Option<String>,
        /// Names only
        #[arg(short, long)]
        quiet: bool,
    },
}

pub(super) async fn run(command: BridgeCommand, context: &Context<'_>) -> Ended {
    match command {
        BridgeCommand::Convert(args) => convert(args, context).await,
        BridgeCommand::Transformations(TransformationsCommand::List { format, quiet }) => {
            list(format.as_deref(), quiet, context).await
        }
        BridgeCommand::Transformations(TransformationsCommand::Create { from, words }) => {
            let [path] = words.as_slice() else {
                return Err(Failure::message("'docker compose bridge transformations create' requires 1 argument"));
            };
            create(path, from.as_deref().unwrap_or(DEFAULT), context).await
        }
    }
}

async fn convert(args: ConvertArgs, context: &Context<'_>) -> Ended {
    let ConvertArgs { output, templates, transformation, yes } = args;
    let transformations = if transformation.is_empty() { vec![DEFAULT.to_owned()] } else { transformation };
    let mut project = context.project(&[])?;
    let output = context.environment.absolute(output.as_deref().unwrap_or(DEFAULT_OUTPUT));
    let templates = templates.map(|path| context.environment.absolute(&path));
    let runtime = context.runtime().await?;
    for service in project.services.keys().cloned().collect::<Vec<_>>() {
        let Some(found) = project.services.get(&service) else { continue };
        let (image, only_built) = (project.image_of(found), found.image.is_none() && found.build.is_some());
        let details = if only_built {
            let details = runtime.find_image(&image, None).await?;
            if details.is_none() {
                let hint = "the ports that it exposes are not known: run `compose build` first";
                context.warn(&format!("image {image} of service {service} is not here; {hint}"));
            }
            details
        } else {
            image_here(&runtime, &image, context).await?
        };
        if let Some(service) = project.services.get_mut(&service) {
            let exposed = details.iter().flat_map(|details| &details.exposed_ports);
            let numbers = exposed.map(|port| port.split('/').next().unwrap_or_default().to_owned());
            let targets = service.ports.iter().map(|port| port.target.to_string());
            let all: BTreeSet<String> = service.expose.drain(..).chain(numbers).chain(targets).collect();
            service.expose = all.into_iter().collect();
            service.image = Some(image);
        }
    }
    let model = print::model(&project, &contents(&project, context)?);
    for image in &transformations {
        image_here(&runtime, image, context).await?;
    }
    if context.global.dry_run {
        for image in &transformations {
            let line = format!(" DRY-RUN MODE - Running transformation {image} into {}", output.display());
            context.io.stderr.line(&line);
        }
        return Ok(0);
    }
    empty_directory(&output, &project, yes, context)?;
    let input = Input::new(&context.environment.absolute(context.environment.get("TMPDIR").unwrap_or("/tmp")), &model)?;
    let mut binds = vec![format!("{}:/in", input.0.display()), format!("{}:/out", output.display())];
    binds.extend(templates.map(|templates| format!("{}:{TEMPLATES}", templates.display())));
    for image in transformations {
        let code = transform(&runtime, &image, &binds, context).await?;
        if code != 0 {
            return Ok(u8::try_from(code).unwrap_or(1));
        }
    }
    Ok(0)
}

/// Runs a transformation with its output shown, and gives its exit code.
async fn transform(
    runtime: &Arc<dyn Runtime>,
    image: &str,
    binds: &[String],
    context: &Context<'_>,
) -> Result<i64, Failure> {
    let spec = ContainerSpec {
        image: ImageRef::new(image),
        environment: vec!["LICENSE_AGREEMENT=true".to_owned()],
        user: own_user(),
        host: HostSpec { binds: binds.to_vec(), auto_remove: true, ..HostSpec::default() },
        ..ContainerSpec::default()
    };
    let container = runtime.create_container(&spec).await?.id;
    let result = context.unless_interrupted(run_shown(runtime, &container, context)).await;
    if result.is_err() {
        // The engine removes it itself when it has ended.
        let _ = runtime.remove_container(&container, true, true).await;
    }
    result
}

async fn run_shown(runtime: &Arc<dyn Runtime>, container: &ContainerId, context: &Context<'_>) -> Result<i64, Failure> {
    let mut attached = runtime.attach(container, &AttachOptions::default()).await?;
    let end = runtime.watch_end(container, true).await?;
    runtime.start_container(container).await?;
    while let Some(chunk) = attached.output.next().await {
        let chunk = chunk?;
        let to = if chunk.output == Output::Stdout { &context.io.stdout } else { &context.io.stderr };
        to.bytes(&chunk.bytes);
    }
    Ok(end.await?)
}

/// Files that a transformation writes belong to who asked for them.
fn own_user() -> Option<String> {
    #[cfg(unix)]
    return Some(rustix::process::geteuid().as_raw().to_string());
    #[cfg(not(unix))]
    None
}

/// An image, pulled when it is not here.
async fn image_here(
    runtime: &Arc<dyn Runtime>,
    reference: &str,
    context: &Context<'_>,
) -> Result<Option<ImageDetails>, Failure> {
    if let Some(details) = runtime.find_image(reference, None).await? {
        return Ok(Some(details));
    }
    let row = format!("Image {reference}");
    let display = std::cell::RefCell::new(apply::display(context, &Road::new("pull")));
    display.borrow_mut().status(&row, State::Working, "Pulling");
    let pull = async {
        if context.global.dry_run {
            return Ok(());
        }
        let credentials = context.engines.credentials(&context.global.docker, &context.environment);
        let auth = credentials.for_image(reference).await;
        let mut layers = runtime.pull_image(reference, None, auth.as_ref()).await?;
        while let Some(layer) = layers.next().await {
            layer?;
        }
        Ok(())
    };
    let result = apply::with_ticks(&display, context.global.progress, context.unless_interrupted(pull)).await;
    let (state, word) = if result.is_ok() { (State::Done, "Pulled") } else { (State::Error, "Error") };
    display.borrow_mut().status(&row, state, word);
    display.borrow_mut().finish();
    result?;
    Ok(runtime.find_image(reference, None).await?)
}

/// The contents of configs and secrets, by section and name.
fn contents(project: &Project, context: &Context<'_>) -> Result<BTreeMap<(&'static str, String), String>, Failure> {
    let read = |path: &str| {
        let bytes = context.files.read(Path::new(path));
        let bytes = bytes.map_err(|error| Failure::Message(format!("open {path}: {error}")))?;
        Ok::<_, Failure>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let mut found = BTreeMap::new();
    for (name, config) in project.configs.iter().filter(|(_, config)| !config.external) {
        if let Some(path) = &config.file {
            found.insert(("configs", name.clone()), read(path)?);
        }
    }
    for (name, secret) in project.secrets.iter().filter(|(_, secret)| !secret.external) {
        if let Some(path) = &secret.file {
            found.insert(("secrets", name.clone()), read(path)?);
        } else if let Some(content) = &secret.content {
            found.insert(("secrets", name.clone()), content.clone());
        }
    }
    Ok(found)
}

/// Makes sure of an empty directory. What is in it goes only when a person says so, and never the project itself.
fn empty_directory(path: &Path, project: &Project, yes: bool, context: &Context<'_>) -> Result<(), Failure> {
    let told = |error: io::Error| Failure::Message(format!("cannot create output folder {}: {error}", path.display()));
    let entries = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(told(error)),
    };
    if entries {
        let real = fs::canonicalize(path).map_err(told)?;
        let holds = |directory: &Path| fs::canonicalize(directory).is_ok_and(|directory| directory.starts_with(&real));
        if holds(&project.working_dir) || holds(&context.environment.directory) {
            return Err(Failure::Hinted {
                message: format!("the output folder {} holds the project itself", path.display()),
                hints: vec!["name another one with `--output`: its content is deleted".to_owned()],
            });
        }
        let shown = path.display();
        let question =
            format!("Output directory '{shown}' is not empty, all its content will be permanently deleted. Continue?");
        match if yes { Some(true) } else { apply::ask_text(context, &question) } {
            Some(true) => {}
            Some(false) => {
                return Err(Failure::Message(format!("deletion of output directory '{shown}' was not confirmed")));
            }
            None => return Err(Failure::Interrupted),
        }
        fs::remove_dir_all(path).map_err(told)?;
    }
    fs::create_dir_all(path).map_err(told)
}

/// A directory with the model, which nobody else may read: it holds secrets. It goes with the command.
struct Input(PathBuf);

impl Input {
    fn new(parent: &Path, model: &str) -> Result<Self, Failure> {
        let mut random = [0; 8];
        let told = |error: &dyn std::fmt::Display| {
            Failure::Message(format!("cannot write the model below {}: {error}", parent.display()))
        };
        getrandom::fill(&mut random).map_err(|error| told(&error))?;
        let input = Self(parent.join(format!("compose-convert-{:016x}", u64::from_ne_bytes(random))));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&input.0).map_err(|error| told(&error))?;
        fs::write(input.0.join("compose.yaml"), model).map_err(|error| told(&error))?;
        Ok(input)
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn list(format: Option<&str>, quiet: bool, context: &Context<'_>) -> Ended {
    let format = Format::parse_list(format)?;
    let runtime = context.runtime().await?;
    let filter = LabelFilter::equals(labels::BRIDGE, "transformation");
    let images = context.unless_interrupted(async { Ok(runtime.list_images(&filter).await?) }).await?;
    if quiet {
        let names = images.iter().map(|image| image.tags.first().map_or(image.id.as_str(), String::as_str));
        context.io.stdout.text(&names.map(|name| format!("{name}\n")).collect::<String>());
        return Ok(0);
    }
    if matches!(format, Format::Json) {
        let items: Vec<Value> = images.iter().map(object).collect();
        context.io.stdout.text(&escaped(&format!("{}\n", Value::from(items))));
        return Ok(0);
    }
    let rows: Vec<Row> = images.iter().map(row).collect();
    context.io.stdout.text(&format.render_as(Layout::WIDE, COLUMNS, &[], &rows)?);
    Ok(0)
}

fn row(image: &ImageDetails) -> Row {
    let id: String = image.id.as_str().trim_start_matches("sha256:").chars().take(12).collect();
    let named = image.tags.first().and_then(|name| name.rsplit_once(':'));
    let (repository, tag) = named.unwrap_or(("<none>", "<none>"));
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let size = units::decimal_size(image.size as f64, 3);
    let pairs = [("ID", id), ("Repo", repository.to_owned()), ("Tags", tag.to_owned()), ("Size", size)];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}

/// As the engine lists images.
fn object(image: &ImageDetails) -> Value {
    let created = image.created.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
    let labels: Map<String, Value> = image.labels.iter().map(|(k, v)| (k.clone(), v.as_str().into())).collect();
    json!({
        "Containers": 0, "Created": created, "Id": image.id.as_str(), "Labels": labels, "ParentId": "",
        "RepoDigests": image.digests, "RepoTags": image.tags, "SharedSize": -1, "Size": image.size,
    })
}

async fn create(path: &str, from: &str, context: &Context<'_>) -> Ended {
    let directory = context.environment.absolute(path);
    let shown = directory.display();
    if directory.exists() {
        return Err(Failure::Message(format!("output folder {shown} already exists")));
    }
    let runtime = context.runtime().await?;
    image_here(&runtime, from, context).await?;
    if context.global.dry_run {
        context.io.stderr.line(&format!(" DRY-RUN MODE - Creating transformer in \"{shown}\""));
        return Ok(0);
    }
    let spec = ContainerSpec { image: ImageRef::new(from), ..ContainerSpec::default() };
    let container = runtime.create_container(&spec).await?.id;
    let copied = context.unless_interrupted(copy_templates(&runtime, &container, &directory)).await;
    let _ = runtime.remove_container(&container, true, true).await;
    if let Err(failure) = copied {
        // It was made for this, and half of it helps nobody.
        let _ = fs::remove_dir_all(&directory);
        return Err(failure);
    }
    let dockerfile = format!("FROM {BASE}\nLABEL {}=transformation\nCOPY templates {TEMPLATES}\n", labels::BRIDGE);
    fs::write(directory.join("Dockerfile"), dockerfile)
        .map_err(|error| Failure::Message(format!("{shown}/Dockerfile can not be written: {error}")))?;
    context.io.stdout.line(&format!("Transformer created in \"{shown}\""));
    Ok(0)
}

async fn copy_templates(runtime: &Arc<dyn Runtime>, container: &ContainerId, directory: &Path) -> Result<(), Failure> {
    let archive = runtime.download(container, TEMPLATES).await?;
    let told = |error: io::Error| Failure::Message(format!("{} can not be written: {error}", directory.display()));
    fs::create_dir_all(directory).map_err(told)?;
    unpack(archive, directory.to_owned(), Some("templates".to_owned()), false).await.map_err(told)?;
    Ok(())
}
