//! One operation of a plan becomes calls of the runtime.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::engine::archive;
use crate::engine::lines::Lines;
use crate::engine::outside::Hooks;
use crate::engine::run::RunOptions;
use crate::engine::wait::{self, Bells, Wish};
use crate::engine::{OpError, Progress};
use crate::external::{ModelRequest, ProviderRequest};
use crate::names::{ContainerId, ContainerName, ServiceName};
use crate::planner::{ContainerRef, HashPart, Late, NodeId, Op, PlanNode};
use crate::resource::{ContainerSpec, ResourceId};
use crate::runtime::{
    Chunk, Error, ErrorKind, ExecSpec, LogOptions, Output, Result as RuntimeResult, ResultStream, Runtime,
};

/// Word for what could not be removed because others use it.
const IN_USE: &str = "Resource is still in use";
/// Word for what was to be removed and is not there.
const NOT_FOUND: &str = "No resource found to remove";
/// Bytes of a failed hook's output that its error repeats.
const TAIL: usize = 1024;

/// What all operations of a run share.
pub(super) struct Context<'a> {
    pub(super) runtime: &'a dyn Runtime,
    pub(super) options: &'a RunOptions,
    pub(super) hooks: &'a dyn Hooks,
    pub(super) bells: &'a Bells,
    pub(super) progress: mpsc::Sender<(NodeId, Progress)>,
    /// Containers that the run made so far.
    pub(super) made: &'a RefCell<BTreeMap<NodeId, ContainerId>>,
}

/// What an operation gave.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// To be shown in place of the usual word.
    pub(super) warning: Option<String>,
    /// The container it made.
    pub(super) made: Option<ContainerId>,
    /// Variables that a provider set.
    pub(super) provided: Vec<(String, String)>,
    /// Where a model is reached.
    pub(super) endpoint: Option<String>,
}

impl Done {
    fn warning(text: &str) -> Self {
        Self { warning: Some(text.to_owned()), ..Self::default() }
    }
}

/// Does one operation.
pub(super) async fn execute(context: &Context<'_>, id: NodeId, node: &PlanNode) -> Result<Done, OpError> {
    let runtime = context.runtime;
    match &node.op {
        Op::PullImage { reference, platform } => {
            let auth = context.options.credentials.for_image(reference).await;
            let layers = runtime.pull_image(reference, platform.as_deref(), auth.as_ref()).await?;
            context.tell_all(id, layers, Progress::Layer).await?;
        }
        Op::PushImage { reference } => {
            let auth = context.options.credentials.for_image(reference).await;
            let layers = runtime.push_image(reference, auth.as_ref()).await?;
            context.tell_all(id, layers, Progress::Layer).await?;
        }
        Op::BuildImage { request } => {
            let steps = runtime.build_image(request, context.options.builder).await?;
            context.tell_all(id, steps, Progress::Build).await?;
        }
        Op::TagImage { image, reference } => runtime.tag_image(image, reference).await?,
        Op::RemoveImage { reference } => return removed(runtime.remove_image(reference).await),
        Op::CreateNetwork { spec } => {
            runtime.create_network(spec).await?;
        }
        Op::RemoveNetwork { network } => return removed(runtime.remove_network(network).await),
        Op::Connect { network, container, endpoint } => {
            runtime.connect(network, &context.id_of(container)?, endpoint).await?;
        }
        Op::Disconnect { network, container } => runtime.disconnect(network, &context.id_of(container)?).await?,
        Op::CreateVolume { spec } => {
            runtime.create_volume(spec).await?;
        }
        Op::RemoveVolume { volume } => return removed(runtime.remove_volume(volume).await),
        Op::CreateContainer { spec, late } => return create(context, id, spec, late).await,
        Op::StartContainer { container } => {
            let container = context.id_of(container)?;
            context.hooks.before_start(&container).await;
            runtime.start_container(&container).await?;
        }
        Op::StopContainer { container, grace } => {
            gone_is_done(runtime.stop_container(&context.id_of(container)?, *grace).await)?;
        }
        Op::RestartContainer { container, grace } => {
            runtime.restart_container(&context.id_of(container)?, *grace).await?;
        }
        Op::SignalContainer { container, signal } => {
            runtime.signal_container(&context.id_of(container)?, signal).await?;
        }
        Op::PauseContainer { container } => runtime.pause_container(&context.id_of(container)?).await?,
        Op::UnpauseContainer { container } => runtime.unpause_container(&context.id_of(container)?).await?,
        Op::RemoveContainer { container, force, volumes } => {
            gone_is_done(runtime.remove_container(&context.id_of(container)?, *force, *volumes).await)?;
        }
        Op::RenameContainer { container, name } => {
            runtime.rename_container(&context.id_of(container)?, name).await?;
        }
        Op::CopyInto { container, files } => {
            let container = context.id_of(container)?;
            let what = || format!("put {} files into container {}", files.len(), node.target);
            let archive =
                archive::of_files(files).map_err(|error| Error::new(ErrorKind::Invalid, what(), error.to_string()))?;
            runtime.upload(&container, "/", archive.into(), false).await?;
        }
        Op::RunHook { container, service, command, environment, user, working_dir, privileged } => {
            let exec = ExecSpec {
                command: command.clone(),
                environment: environment.clone(),
                user: user.clone(),
                working_dir: working_dir.clone(),
                privileged: *privileged,
                attach_output: true,
                ..ExecSpec::default()
            };
            hook(context, id, &context.id_of(container)?, service, &exec).await?;
        }
        Op::RunStep { service, index, spec, late } => {
            let container = create(context, id, spec, late).await?.made;
            let Some(container) = container else { return Ok(Done::default()) };
            let code = step(context, id, &container).await?;
            if code != 0 {
                return Err(OpError::Step { service: service.clone(), index: *index, code });
            }
            gone_is_done(runtime.remove_container(&container, true, true).await)?;
        }
        Op::RunProvider { service, kind, verb, options } => {
            let request = ProviderRequest {
                service: service.clone(),
                kind: kind.clone(),
                verb: verb.clone(),
                options: options.clone(),
            };
            return provider(context, id, &request).await;
        }
        Op::ConfigureModel { key: _, model, context_size, flags } => {
            let request = ModelRequest { model: model.clone(), context_size: *context_size, flags: flags.clone() };
            return configure(context, id, &request).await;
        }
        Op::Await { container, service, until, timeout } => {
            let container = context.id_of(container)?;
            let name = match &node.target {
                ResourceId::Container(name) => name.clone(),
                _ => ContainerName::new(container.short()),
            };
            let wish = Wish { id: &container, name: &name, service, until: *until, timeout: *timeout };
            wait::wait(runtime, context.bells, &wish).await?;
        }
    }
    Ok(Done::default())
}

/// Being gone is what was wanted; being in use is told and leaves it where it is.
fn removed(result: RuntimeResult<()>) -> Result<Done, OpError> {
    match result {
        Ok(()) => Ok(Done::default()),
        Err(error) if error.is_not_found() => Ok(Done::warning(NOT_FOUND)),
        Err(error) if error.is_conflict() => Ok(Done::warning(IN_USE)),
        Err(error) => Err(error.into()),
    }
}

fn gone_is_done(result: RuntimeResult<()>) -> Result<(), OpError> {
    match result {
        Err(error) if !error.is_not_found() => Err(error.into()),
        _ => Ok(()),
    }
}

impl Context<'_> {
    fn id_of(&self, reference: &ContainerRef) -> Result<ContainerId, OpError> {
        match reference {
            ContainerRef::Existing(id) => Ok(id.clone()),
            ContainerRef::CreatedBy(node) => self.made.borrow().get(node).cloned().ok_or_else(|| {
                let what = format!("find the container that operation {} was to make", node.0);
                Error::new(ErrorKind::NotFound, what, "it was not made").into()
            }),
        }
    }

    async fn tell(&self, node: NodeId, progress: Progress) {
        // The run holds the other end for as long as operations live.
        let _ = self.progress.send((node, progress)).await;
    }

    async fn tell_all<T>(
        &self,
        node: NodeId,
        mut stream: ResultStream<T>,
        progress: impl Fn(T) -> Progress,
    ) -> Result<(), OpError> {
        while let Some(item) = stream.next().await {
            self.tell(node, progress(item?)).await;
        }
        Ok(())
    }
}

async fn create(context: &Context<'_>, id: NodeId, spec: &ContainerSpec, late: &[Late]) -> Result<Done, OpError> {
    let created = if late.is_empty() {
        context.runtime.create_container(spec).await?
    } else {
        let mut spec = spec.clone();
        for value in late {
            fill(context, &mut spec, value)?;
        }
        context.runtime.create_container(&spec).await?
    };
    for warning in created.warnings {
        context.tell(id, Progress::Line(warning)).await;
    }
    Ok(Done { made: Some(created.id), ..Done::default() })
}

/// Fills in what hangs on the id of another container.
fn fill(context: &Context<'_>, spec: &mut ContainerSpec, late: &Late) -> Result<(), OpError> {
    let namespace = |of: &ContainerRef| Ok::<_, OpError>(Some(format!("container:{}", context.id_of(of)?)));
    match late {
        Late::NetworkMode(of) => spec.host.network_mode = namespace(of)?,
        Late::IpcMode(of) => spec.host.ipc_mode = namespace(of)?,
        Late::PidMode(of) => spec.host.pid_mode = namespace(of)?,
        Late::VolumesFrom(of) => spec.host.volumes_from.push(context.id_of(of)?.as_str().to_owned()),
        Late::LabelSha256 { key, parts } => {
            let mut hash = Sha256::new();
            for part in parts {
                match part {
                    HashPart::Text(text) => hash.update(text.as_bytes()),
                    HashPart::IdOf(of) => hash.update(context.id_of(of)?.as_str().as_bytes()),
                }
            }
            let hex = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            spec.labels.insert(key.clone(), hex);
        }
    }
    Ok(())
}

async fn hook(
    context: &Context<'_>,
    id: NodeId,
    container: &ContainerId,
    service: &ServiceName,
    exec: &ExecSpec,
) -> Result<(), OpError> {
    let runtime = context.runtime;
    let exec = runtime.create_exec(container, exec).await?;
    let mut attached = runtime.start_exec(&exec, false).await?;
    // A hook gets no input: closing it lets one that reads go on.
    drop(attached.input.take());
    let mut told = Told::default();
    while let Some(chunk) = attached.output.next().await {
        told.take(context, id, &chunk?).await;
    }
    let tail = told.end(context, id).await;
    match exit_code(runtime, &exec).await? {
        0 => Ok(()),
        code => Err(OpError::Hook { service: service.clone(), code, tail: tail.trim_end().to_owned() }),
    }
}

/// What a process writes, told line by line. Lines of both outputs are kept apart, else one could break into the other.
#[derive(Default)]
struct Told {
    lines: [Lines; 2],
    tail: String,
}

impl Told {
    async fn take(&mut self, context: &Context<'_>, id: NodeId, chunk: &Chunk) {
        let lines = &mut self.lines[usize::from(chunk.output == Output::Stderr)];
        lines.push(&chunk.bytes);
        while let Some(line) = lines.next_line() {
            say(context, id, &mut self.tail, &line).await;
        }
    }
    /// Tells what no line end came for, and gives the last of all that was told.
    async fn end(mut self, context: &Context<'_>, id: NodeId) -> String {
        for lines in &mut self.lines {
            if let Some(line) = lines.finish() {
                say(context, id, &mut self.tail, &line).await;
            }
        }
        self.tail
    }
}

/// Runs a container to its end, telling what it writes, and gives its code.
async fn step(context: &Context<'_>, id: NodeId, container: &ContainerId) -> Result<i64, OpError> {
    let runtime = context.runtime;
    runtime.start_container(container).await?;
    let options = LogOptions { follow: true, ..LogOptions::default() };
    // What it writes is nice to know; its code is what counts.
    if let Ok(mut output) = runtime.logs(container, &options).await {
        let mut told = Told::default();
        while let Some(Ok(chunk)) = output.next().await {
            told.take(context, id, &chunk).await;
        }
        told.end(context, id).await;
    }
    Ok(runtime.wait_container(container).await?)
}

async fn say(context: &Context<'_>, id: NodeId, tail: &mut String, line: &[u8]) {
    let line = String::from_utf8_lossy(line).trim_end_matches('\r').to_owned();
    tail.push_str(&line);
    tail.push('\n');
    if tail.len() > TAIL {
        let from = (tail.len() - TAIL..tail.len()).find(|&at| tail.is_char_boundary(at)).unwrap_or(tail.len());
        tail.drain(..from);
    }
    context.tell(id, Progress::Line(line)).await;
}

/// The exit code of a command whose output has ended. Engines tell the end of the output a moment before the end of
/// the command, and have no call that waits for it.
async fn exit_code(runtime: &dyn Runtime, exec: &str) -> Result<i64, OpError> {
    let mut pause = Duration::from_millis(5);
    loop {
        let state = runtime.inspect_exec(exec).await?;
        if !state.running {
            return Ok(state.exit_code.unwrap_or(0));
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}

async fn provider(context: &Context<'_>, id: NodeId, request: &ProviderRequest) -> Result<Done, OpError> {
    let mut say = |line: String| {
        // A provider says little; what does not fit is progress text that nobody misses.
        let _ = context.progress.try_send((id, Progress::Words(line)));
    };
    match context.options.providers.run(request, &mut say).await {
        Ok(provided) => Ok(Done { provided, ..Done::default() }),
        Err(detail) => Err(OpError::Provider { detail }),
    }
}

async fn configure(context: &Context<'_>, id: NodeId, request: &ModelRequest) -> Result<Done, OpError> {
    let mut say = |line: String| {
        let _ = context.progress.try_send((id, Progress::Words(line)));
    };
    match context.options.models.configure(request, &mut say).await {
        Ok(endpoint) => Ok(Done { endpoint: Some(endpoint), ..Done::default() }),
        Err(detail) => Err(OpError::Provider { detail }),
    }
}
