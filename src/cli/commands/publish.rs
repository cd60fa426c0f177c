//! `publish`: puts the compose files of a project into a registry, for others to use as `oci://…`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::cli::apply::{self, Road};
use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::digests;
use crate::cli::failure::Failure;
use crate::external::Credentials;
use crate::external::registry::{self, Access, Layer, OciVersion, Reference, Registry, RegistryError, Version};
use crate::names::ServiceName;
use crate::planner::{Op, PushOptions, interest, push};
use crate::spec::model::{Project, Service};
use crate::spec::{self, Options, Publication, PublishedFile, PublishedKind, print};
use crate::ui::progress::rows::State;

/// Publish the project to a registry
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] REPOSITORY[:TAG]",
    after_help = "Examples:\n  compose publish example.com/shop:1                put the compose files into a registry\n  compose publish --with-env example.com/shop:1     with their variables and env_files\n  compose -f oci://example.com/shop:1 up            use them elsewhere\n"
)]
pub struct PublishArgs {
    /// Publish the images of the services, too
    #[arg(long)]
    app: bool,
    /// Allow a registry without TLS
    #[arg(long, hide = true)]
    insecure_registry: bool,
    /// OCI version to write, 1.0 or 1.1 (default: what the registry takes)
    #[arg(long, value_name = "string")]
    oci_version: Option<String>,
    /// Replace image tags by digests
    #[arg(long)]
    resolve_image_digests: bool,
    /// Publish the services' environment, too
    #[arg(long)]
    with_env: bool,
    /// Answer yes to every question
    #[arg(short, long, alias = "y")]
    pub yes: bool,
    #[arg(hide = true)]
    words: Vec<String>,
}

pub(super) async fn run(args: PublishArgs, context: &Context<'_>) -> Ended {
    let [repository] = args.words.as_slice() else {
        return Err(Failure::message("'docker compose publish' requires 1 argument"));
    };
    let reference = Reference::parse(repository).map_err(Failure::Message)?;
    let Version::Tag(tag) = &reference.version else {
        return Err(Failure::Message(format!("{reference}: a project is published under a tag, not a digest")));
    };
    let version = match args.oci_version.as_deref() {
        None | Some("") => None,
        Some("1.0") => Some(OciVersion::V1_0),
        Some("1.1") => Some(OciVersion::V1_1),
        Some(other) => return Err(Failure::Message(format!("unsupported OCI version: {other}"))),
    };
    let mut request = context.request(&[], Options::default());
    // Others may want what is switched off here.
    request.profiles = vec!["*".to_owned()];
    let loaded = spec::load(&request, context.files);
    context.loaded(&loaded)?;
    let mut project = loaded.project.ok_or_else(|| Failure::message("the compose files can not be used"))?;
    let publication = spec::publication(&request, context.files);
    context.told(&publication.diagnostics, &publication.sources)?;
    check(&project, &args)?;
    ask(&project, &publication, &args, context)?;
    for file in &publication.left_out {
        context.warn(&format!("{file} is not published, and will not be found by who uses the project"));
    }
    if !args.with_env && publication.files.iter().any(|file| file.kind == PublishedKind::Environment) {
        context.warn("env_files are not published without --with-env, and will not be found by who uses the project");
    }

    push_images(&project, context).await?;
    let mut layers: Vec<Layer> = publication.files.into_iter().filter_map(|file| layer(file, args.with_env)).collect();
    let images: Vec<String> = project.services.values().filter_map(|service| service.image.clone()).collect();
    if args.resolve_image_digests || args.app {
        digests::pin(&mut project, context).await?;
        let content = print::only_images(&project).into_bytes();
        layers.push(Layer::Compose { name: "image-digests.yaml".to_owned(), content });
    }
    let road = Road::new("publish");
    let mut display = apply::display(context, &road);
    display.status(repository, State::Working, "publishing");
    if context.global.dry_run {
        display.status(repository, State::Done, "published");
        display.finish();
        return Ok(0);
    }
    let work = Work {
        access: access(&reference, args.insecure_registry, context).await,
        images: if args.app { sources(&images, context).await? } else { Vec::new() },
        app: args.app,
        tag: tag.clone(),
        created: context.io.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        reference: reference.clone(),
        layers,
        version,
    };
    let display = std::cell::RefCell::new(display);
    let sent = context.unless_interrupted(in_thread(move || work.publish()));
    let result = apply::with_ticks(&display, context.global.progress, sent).await;
    let mut display = display.into_inner();
    match &result {
        Ok(()) => display.status(repository, State::Done, "published"),
        Err(_) => display.status(repository, State::Error, "publishing"),
    }
    display.finish();
    result.map(|()| 0)
}

fn layer(file: PublishedFile, with_env: bool) -> Option<Layer> {
    let PublishedFile { kind, name, content } = file;
    match kind {
        PublishedKind::Compose => Some(Layer::Compose { name, content }),
        PublishedKind::Extended => Some(Layer::Extended { name, content }),
        PublishedKind::Environment => with_env.then_some(Layer::Environment { name, content }),
    }
}

/// What must not be published at all.
fn check(project: &Project, args: &PublishArgs) -> Result<(), Failure> {
    let only_built = |service: &&Service| service.image.is_none() && service.build.is_some();
    let names: Vec<String> =
        project.services.values().filter(only_built).map(|service| format!("- \"{}\"", service.name)).collect();
    if !names.is_empty() {
        return Err(Failure::Hinted {
            message: format!(
                "your Compose stack cannot be published as it only contains a build section for service(s):\n{}",
                names.join("\n")
            ),
            hints: vec!["give them an `image:`; it is pushed before the files are published".to_owned()],
        });
    }
    // docker compose takes `--yes` for an answer to this, too.
    if args.with_env || args.yes {
        return Ok(());
    }
    let mut lines = Vec::new();
    for service in project.services.values() {
        if project.node(&["services", service.name.as_str(), "env_file"]).is_some() {
            lines.push(format!("service \"{}\" has env_file declared.", service.name));
        }
        if !service.environment.is_empty() {
            lines.push(format!("service \"{}\" has environment variable(s) declared.", service.name));
        }
    }
    for config in project.configs.values().filter(|config| config.environment.is_some()) {
        lines.push(format!("config \"{}\" is declare as an environment variable.", config.name));
    }
    if lines.is_empty() {
        return Ok(());
    }
    Err(Failure::Message(format!(
        "{}\nTo avoid leaking sensitive data, you must either explicitly allow the sending of environment variables by \
         using the --with-env flag,\nor remove sensitive data from your Compose configuration",
        lines.join("\n")
    )))
}

/// What a person should know before others can read it. Values that look like secrets are not shown.
fn ask(project: &Project, publication: &Publication, args: &PublishArgs, context: &Context<'_>) -> Result<(), Failure> {
    let questions = [binds(project), suspicions(publication), variables(project)];
    for question in questions.into_iter().flatten().filter(|_| !args.yes) {
        match apply::ask_text(context, &question) {
            Some(true) => {}
            Some(false) => return Err(Failure::Declined),
            None => return Err(Failure::Interrupted),
        }
    }
    Ok(())
}

fn binds(project: &Project) -> Option<String> {
    let mut lines = String::new();
    for (name, service) in &project.services {
        for mount in service.volumes.iter().filter(|mount| mount.kind == "bind") {
            let (source, target) = (mount.source.as_deref().unwrap_or_default(), mount.target.as_deref());
            let mode = if mount.read_only { "ro" } else { "rw" };
            let _ = writeln!(lines, "{name}  {source}:{}:{mode}", target.unwrap_or_default());
        }
    }
    (!lines.is_empty()).then(|| {
        format!(
            "you are about to publish bind mounts declaration within your OCI artifact.\n\
             only the bind mount declarations will be added to the OCI artifact (not content)\n\
             please double check that you are not mounting potential user's sensitive directories or data\n\
             {lines}Are you ok to publish these bind mount declarations?"
        )
    })
}

fn suspicions(publication: &Publication) -> Option<String> {
    let lines: String = publication
        .suspicions
        .iter()
        .map(|suspicion| format!("{}: {} ({})\n", suspicion.kind, suspicion.path, suspicion.place))
        .collect();
    (!lines.is_empty()).then(|| {
        format!(
            "you are about to publish sensitive data within your OCI artifact.\n\
             please double check that you are not leaking sensitive data\n\
             {lines}Are you ok to publish these sensitive data?"
        )
    })
}

fn variables(project: &Project) -> Option<String> {
    let mut lines = String::new();
    for (name, service) in &project.services {
        if service.environment.is_empty() {
            continue;
        }
        let _ = writeln!(lines, "Service/Config  {name}");
        for (variable, value) in &service.environment {
            let _ = match value {
                Some(value) => writeln!(lines, "{variable}={}", spec::shown(variable, value)),
                None => writeln!(lines, "{variable}"),
            };
        }
    }
    for config in project.configs.values() {
        if let Some(variable) = &config.environment {
            let _ = writeln!(lines, "Service/Config  {0}\n{0}={variable}", config.name);
        }
    }
    (!lines.is_empty()).then(|| {
        format!(
            "you are about to publish environment variables within your OCI artifact.\n\
             please double check that you are not leaking sensitive data\n\
             {lines}Are you ok to publish these environment variables?"
        )
    })
}

/// Pushes the images that are built here; one that can not be pushed may be there already.
async fn push_images(project: &Project, context: &Context<'_>) -> Result<(), Failure> {
    let options = PushOptions { services: Vec::<ServiceName>::new(), include_deps: false, ignore_failures: true };
    let plan = push(project, &options);
    let road = Road { project: Some(project), ..Road::new("publish") };
    if !plan.iter().any(|(_, node)| matches!(node.op, Op::PushImage { .. })) {
        // Nothing is asked of the engine then; there may be none.
        let mut display = apply::display(context, &road);
        display.plan(&plan);
        display.finish();
        return Ok(());
    }
    let runtime = context.runtime().await?;
    apply::apply(context, &runtime, &interest(project), road, &mut |_, _| push(project, &options)).await.map(drop)
}

/// What is sent, by a thread of its own.
struct Work {
    reference: Reference,
    tag: String,
    access: Access,
    layers: Vec<Layer>,
    version: Option<OciVersion>,
    created: String,
    app: bool,
    images: Vec<(Reference, Access)>,
}

impl Work {
    fn publish(&self) -> Result<(), RegistryError> {
        let same_registry = self.images.iter().filter(|(image, _)| image.host() == self.reference.host());
        let read: Vec<&str> = same_registry.map(|(image, _)| image.repository.as_str()).collect();
        let registry = Registry::open(&self.reference, &self.access, true, &read)?;
        let published = registry::publish(&registry, &self.tag, &self.layers, self.version, &self.created)?;
        if !self.app {
            return Ok(());
        }
        let mut images = Vec::with_capacity(self.images.len());
        for (image, access) in &self.images {
            images.push((Registry::open(image, access, false, &[])?, image.version.clone(), image.name()));
        }
        registry::copy_images(&registry, &published, &images)
    }
}

/// The images of an application, each with who may read it.
async fn sources(images: &[String], context: &Context<'_>) -> Result<Vec<(Reference, Access)>, Failure> {
    let mut known: BTreeMap<String, Access> = BTreeMap::new();
    let mut sources = Vec::with_capacity(images.len());
    for image in images {
        let image = Reference::parse(image).map_err(Failure::Message)?;
        if !known.contains_key(&image.registry) {
            known.insert(image.registry.clone(), access(&image, false, context).await);
        }
        let access = known.get(&image.registry).cloned().unwrap_or_default();
        sources.push((image, access));
    }
    Ok(sources)
}

async fn access(reference: &Reference, insecure: bool, context: &Context<'_>) -> Access {
    let insecure = insecure || context.global.insecure_registries.contains(&reference.registry);
    let credentials: Arc<dyn Credentials> = context.engines.credentials(&context.global.docker, &context.environment);
    let auth = credentials.for_image(&reference.name()).await;
    for complaint in credentials.complaints() {
        context.warn(&complaint);
    }
    Access { insecure, auth }
}

/// Work that blocks, beside what must go on meanwhile. Who does not wait for its end leaves it to the end of the process.
async fn in_thread(work: impl FnOnce() -> Result<(), RegistryError> + Send + 'static) -> Result<(), Failure> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Nobody waits when the command was broken off.
        let _ = sender.send(work());
    });
    match receiver.await {
        Ok(result) => result.map_err(|error| Failure::Message(error.text)),
        Err(_) => Err(Failure::message("publishing ended without a result")),
    }
}
