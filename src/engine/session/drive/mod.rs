//! Connects a session with the engine: events and output come in, attaching and stopping goes out, one loop owns all.

use std::collections::{BTreeMap, VecDeque};
use std::future::{pending, ready};
use std::io;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::LocalBoxFuture;
use futures::stream::{self, FuturesUnordered, LocalBoxStream};
use futures::{Stream, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use crate::engine::outside::Hooks;
use crate::engine::session::attached::{Attached, AttachedOptions};
use crate::engine::session::logs::{Logs, LogsOptions};
use crate::engine::session::merge::{Merge, Next};
use crate::engine::session::{Followed, In, LogLine, LogSink, Machine, Out, Status};
use crate::labels;
use crate::names::{ContainerId, ContainerName, ProjectName};
use crate::resource::ContainerState;
use crate::runtime::{
    AttachOptions, Chunk, Error, EventFilter, LabelFilter, LogOptions, Result, ResultStream, Runtime, RuntimeEvent,
};

/// After a stop, what is still to come has so long.
const DRAIN: Duration = Duration::from_secs(1);
/// A container that says nothing holds up the history of others for so long.
const WINDOW: Duration = Duration::from_millis(50);
/// How long to leave an engine alone that gave no events.
const RESUBSCRIBE: Duration = Duration::from_millis(500);
/// So many lines are shown before anything else is looked at.
const AT_ONCE: usize = 1024;

/// How the plan of a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything was done.
    Done,
    /// Something failed or forbade it.
    Failed,
    /// It was broken off.
    Interrupted,
}

/// What a person says to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Ctrl-C, or a signal that asks for the end.
    Interrupt,
    /// Leave it running and go.
    Detach,
}

/// How a session stops what it watches.
#[async_trait(?Send)]
pub trait Ends {
    /// Breaks off the session's plan, the second time at once.
    fn break_off(&self);
    /// Stops all services and returns when that is done, well or badly.
    async fn stop(&self);
    /// Kills all services and returns when that is done, well or badly.
    async fn kill(&self);
}

/// Nothing to stop.
struct NoEnds;

#[async_trait(?Send)]
impl Ends for NoEnds {
    fn break_off(&self) {}
    async fn stop(&self) {}
    async fn kill(&self) {}
}

type Start = (ContainerId, oneshot::Sender<()>);

/// The end of a session that a plan's starts are told to: give it to the run as its hooks.
#[derive(Debug)]
pub struct StartHooks(mpsc::Sender<Start>);

/// The session's end of it.
#[derive(Debug)]
pub struct Starts(mpsc::Receiver<Start>);

/// Hooks for the run of a plan, and what hears them.
pub fn starts() -> (StartHooks, Starts) {
    let (sender, receiver) = mpsc::channel(16);
    (StartHooks(sender), Starts(receiver))
}

#[async_trait(?Send)]
impl Hooks for StartHooks {
    async fn before_start(&self, container: &ContainerId) {
        let (done, attached) = oneshot::channel();
        // A session that is over attaches to nothing; the start goes on.
        if self.0.send((container.clone(), done)).await.is_ok() {
            let _ = attached.await;
        }
    }
}

/// What a session is connected with.
pub struct Drive<'a> {
    /// The engine.
    pub runtime: &'a dyn Runtime,
    /// Whose containers.
    pub project: &'a ProjectName,
    /// Who shows.
    pub sink: &'a mut dyn LogSink,
    /// What a person says.
    pub keys: Pin<&'a mut dyn Stream<Item = Key>>,
}

/// Runs an attached `up`: `up` is its plan, run with the hooks of `starts`. Gives the exit code.
///
/// # Errors
/// The engine gives no events, or the sink can not write any more.
pub async fn attached_up<'a>(
    drive: Drive<'a>,
    options: AttachedOptions,
    up: impl Future<Output = Ended> + 'a,
    starts: Starts,
    ends: &'a dyn Ends,
) -> Result<io::Result<i64>> {
    let log = LogOptions { follow: true, ..LogOptions::default() };
    let mut running = Running::new(&drive, Merge::new(Some(Duration::ZERO)), log, ends, starts.0).await?;
    running.plan = Some(Box::pin(up));
    running.go(drive, &mut Attached::new(options)).await
}

/// Runs a `logs`. Gives the exit code.
///
/// # Errors
/// The engine does not answer, or the sink can not write any more.
pub async fn follow_logs(drive: Drive<'_>, options: LogsOptions) -> Result<io::Result<i64>> {
    let log = LogOptions {
        follow: options.follow,
        since: options.since.clone(),
        until: options.until.clone(),
        tail: options.tail,
        timestamps: options.timestamps,
    };
    let merge = Merge::new(options.follow.then_some(WINDOW));
    let mut running = Running::new(&drive, merge, log, &NoEnds, starts().1.0).await?;
    running.wants_times = options.timestamps;
    running.since_start = options.since_start;
    let found = found(drive.runtime, drive.project).await?;
    // A single log is in order as it is.
    running.log.timestamps |= found.len() > 1;
    let mut logs = Logs::new(options);
    running.inputs.push_back(In::Found(found));
    running.go(drive, &mut logs).await
}

/// The containers of the project's services, sorted by name.
async fn found(runtime: &dyn Runtime, project: &ProjectName) -> Result<Vec<(Followed, bool)>> {
    let filter = LabelFilter::equals(labels::PROJECT, project.as_str());
    let mut found: Vec<(Followed, bool)> = runtime
        .list_containers(&filter)
        .await?
        .into_iter()
        .filter_map(|container| {
            let runs = container.is_running();
            Some((Followed::of_labels(container.id, container.name, &container.labels)?, runs))
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    Ok(found)
}

/// The end of something that was begun.
enum Done {
    Opened { id: ContainerId, stream: Result<ResultStream<Chunk>>, has_times: bool },
    Known { followed: Option<Followed>, started: oneshot::Sender<()> },
    Told(In),
    Nothing,
}

/// A session at work.
struct Running<'a> {
    runtime: &'a dyn Runtime,
    ends: &'a dyn Ends,
    log: LogOptions,
    wants_times: bool,
    since_start: bool,
    /// Lines were given to the sink that it may still hold.
    unshown: bool,
    merge: Merge,
    who: BTreeMap<ContainerId, Followed>,
    /// Starts that wait until they are attached to.
    waiting: BTreeMap<ContainerId, oneshot::Sender<()>>,
    starts: mpsc::Receiver<Start>,
    plan: Option<LocalBoxFuture<'a, Ended>>,
    events: LocalBoxStream<'a, Vec<In>>,
    actions: FuturesUnordered<LocalBoxFuture<'a, Done>>,
    inputs: VecDeque<In>,
}

impl<'a> Running<'a> {
    async fn new(
        drive: &Drive<'a>,
        merge: Merge,
        log: LogOptions,
        ends: &'a dyn Ends,
        starts: mpsc::Receiver<Start>,
    ) -> Result<Self> {
        Ok(Self {
            runtime: drive.runtime,
            ends,
            log,
            wants_times: false,
            since_start: false,
            unshown: false,
            merge,
            who: BTreeMap::new(),
            waiting: BTreeMap::new(),
            starts,
            plan: None,
            events: happenings(drive.runtime, drive.project).await?,
            actions: FuturesUnordered::new(),
            inputs: VecDeque::new(),
        })
    }

    async fn go(mut self, drive: Drive<'a>, machine: &mut dyn Machine) -> Result<io::Result<i64>> {
        let Drive { runtime, project, sink, mut keys } = drive;
        let mut has_keys = true;
        loop {
            while let Some(input) = self.inputs.pop_front() {
                self.remember(&input);
                let starting = if let In::BeforeStart(who) = &input { Some(who.id.clone()) } else { None };
                let outs = machine.step(input);
                if let Some(id) = starting.filter(|id| !outs.contains(&Out::Attach(id.clone()))) {
                    self.let_start(&id);
                }
                for out in outs {
                    match self.act(out, sink) {
                        Ok(None) => {}
                        Ok(Some(code)) => return Ok(Ok(code)),
                        Err(error) => return Ok(Err(error)),
                    }
                }
            }
            tokio::select! {
                biased;
                key = keys.next(), if has_keys => match key {
                    Some(Key::Interrupt) => self.inputs.push_back(In::Interrupt),
                    Some(Key::Detach) => self.inputs.push_back(In::Detach),
                    None => has_keys = false,
                },
                Some((id, started)) = self.starts.recv() => self.before_start(id, started),
                Some(done) = self.actions.next() => self.done(done, sink),
                Some(inputs) = self.events.next() => self.inputs.extend(inputs),
                ended = plan_end(&mut self.plan) => {
                    self.plan = None;
                    if ended == Ended::Done {
                        self.inputs.push_back(In::Found(found(runtime, project).await?));
                    }
                    self.inputs.push_back(In::PlanDone(ended));
                }
                () = self.merge.ready() => if let Err(error) = self.show_all(sink) {
                    return Ok(Err(error));
                },
                () = ready(()), if self.unshown => {
                    self.unshown = false;
                    if let Err(error) = sink.flush() {
                        return Ok(Err(error));
                    }
                }
            }
        }
    }

    /// Shows what is there, a while long: looking at everything else costs more than a line.
    fn show_all(&mut self, sink: &mut dyn LogSink) -> io::Result<()> {
        for _ in 0..AT_ONCE {
            if !self.inputs.is_empty() {
                break;
            }
            let Some(next) = self.merge.next() else { break };
            self.show(next, sink)?;
        }
        if self.merge.is_busy() {
            self.unshown = false;
            sink.flush()?;
            self.merge.rest();
        }
        Ok(())
    }

    /// Keeps names for what is shown later.
    fn remember(&mut self, input: &In) {
        match input {
            In::Found(found) => {
                for (who, _) in found {
                    self.who.insert(who.id.clone(), who.clone());
                }
            }
            In::BeforeStart(who) | In::Coming(who) | In::Started(who) => {
                self.who.insert(who.id.clone(), who.clone());
            }
            In::Renamed(id, name) => {
                if let Some(who) = self.who.get_mut(id) {
                    who.name.clone_from(name);
                }
            }
            _ => {}
        }
    }

    /// Does what the session wants; gives its exit code when it is over.
    fn act(&mut self, out: Out, sink: &mut dyn LogSink) -> io::Result<Option<i64>> {
        let runtime = self.runtime;
        match out {
            Out::Attach(id) => self.actions.push(Box::pin(async move {
                let attached = runtime.attach(&id, &AttachOptions::default()).await;
                Done::Opened { id, stream: attached.map(|attached| attached.output), has_times: false }
            })),
            Out::Follow { id, since } => {
                let mut options = self.log.clone();
                if since.is_some() {
                    // Only what it writes from then on: all of that.
                    options.since = since;
                    options.tail = None;
                }
                let since_start = self.since_start && options.since.is_none();
                self.actions.push(Box::pin(async move {
                    if since_start {
                        // One that can not be inspected is gone; its log tells.
                        options.since = runtime.inspect_container(&id).await.ok().map(|found| found.started_at);
                    }
                    let stream = runtime.logs(&id, &options).await;
                    Done::Opened { id, stream, has_times: options.timestamps }
                }));
            }
            Out::Tell(status) => sink.status(&status)?,
            Out::BreakOff => self.ends.break_off(),
            Out::Stop => {
                let ends = self.ends;
                self.actions.push(Box::pin(async move {
                    ends.stop().await;
                    Done::Told(In::StopDone)
                }));
            }
            Out::Kill => {
                let ends = self.ends;
                self.actions.push(Box::pin(async move {
                    // The stop, which goes on meanwhile, tells the end of both.
                    ends.kill().await;
                    Done::Nothing
                }));
            }
            Out::Drain => self.actions.push(Box::pin(async {
                sleep(DRAIN).await;
                Done::Told(In::Drained)
            })),
            Out::End(code) => {
                sink.flush()?;
                return Ok(Some(code));
            }
        }
        Ok(None)
    }

    fn before_start(&mut self, id: ContainerId, started: oneshot::Sender<()>) {
        let runtime = self.runtime;
        self.actions.push(Box::pin(async move {
            // One that can not be inspected can not be started either; the start tells why.
            let found = runtime.inspect_container(&id).await.ok();
            let followed = found.and_then(|found| Followed::of_labels(id, found.spec.name, &found.spec.labels));
            Done::Known { followed, started }
        }));
    }

    fn done(&mut self, done: Done, sink: &mut dyn LogSink) {
        match done {
            Done::Known { followed: None, started } => {
                let _ = started.send(());
            }
            Done::Known { followed: Some(who), started } => {
                self.waiting.insert(who.id.clone(), started);
                self.inputs.push_back(In::BeforeStart(who));
            }
            Done::Opened { id, stream, has_times } => {
                match stream {
                    Ok(stream) => self.merge.add(id.clone(), stream, has_times),
                    Err(error) => self.not_opened(&id, error, sink),
                }
                self.let_start(&id);
            }
            Done::Told(input) => self.inputs.push_back(input),
            Done::Nothing => {}
        }
    }

    /// Its start need not wait any more.
    fn let_start(&mut self, id: &ContainerId) {
        if let Some(started) = self.waiting.remove(id) {
            let _ = started.send(());
        }
    }

    fn not_opened(&mut self, id: &ContainerId, error: Error, sink: &mut dyn LogSink) {
        // One that is gone by now has nothing to show.
        if !error.is_not_found()
            && let Some(who) = self.who.get(id)
        {
            let _ = sink.status(&Status::NoOutput { container: who.clone(), error });
        }
        self.inputs.push_back(In::OutputEnded(id.clone()));
    }

    fn show(&mut self, next: Next, sink: &mut dyn LogSink) -> io::Result<()> {
        match next {
            Next::Ended(id) => self.inputs.push_back(In::OutputEnded(id)),
            Next::Line(id, line) => {
                let Some(container) = self.who.get(&id) else { return Ok(()) };
                let time = line.time().filter(|_| self.wants_times);
                self.unshown = true;
                sink.line(&LogLine { container, output: line.output, time, text: line.text() })?;
            }
        }
        Ok(())
    }
}

async fn plan_end(plan: &mut Option<LocalBoxFuture<'_, Ended>>) -> Ended {
    match plan {
        Some(plan) => plan.await,
        None => pending().await,
    }
}

/// What happens to the containers of a project, for a session; begins when this returns and never ends.
async fn happenings<'a>(runtime: &'a dyn Runtime, project: &'a ProjectName) -> Result<LocalBoxStream<'a, Vec<In>>> {
    let filter = EventFilter {
        labels: vec![format!("{}={project}", labels::PROJECT)],
        kinds: vec!["container".to_owned()],
        ..EventFilter::default()
    };
    let events = runtime.events(&filter).await?;
    let stream = stream::unfold((Some(events), filter), move |(events, filter)| async move {
        if let Some(mut events) = events {
            if let Some(Ok(event)) = events.next().await {
                return Some((happened(runtime, event).await, (Some(events), filter)));
            }
            return Some((Vec::new(), (None, filter)));
        }
        // The stream broke: what happened meanwhile shows in the list.
        sleep(RESUBSCRIBE).await;
        let Ok(events) = runtime.events(&filter).await else { return Some((Vec::new(), (None, filter))) };
        let inputs = missed(runtime, project).await.unwrap_or_default();
        Some((inputs, (Some(events), filter)))
    });
    Ok(Box::pin(stream))
}

/// What an event means for a session.
async fn happened(runtime: &dyn Runtime, event: RuntimeEvent) -> Vec<In> {
    let Some(id) = event.container() else { return Vec::new() };
    let name = ContainerName::new(event.attributes.get("name").cloned().unwrap_or_default());
    let Some(who) = Followed::of_labels(id.clone(), name.clone(), &event.attributes) else { return Vec::new() };
    match event.action.as_str() {
        "create" if event.attributes.contains_key(labels::REPLACE) => vec![In::Coming(who)],
        "start" => vec![In::Started(who)],
        "rename" => vec![In::Renamed(id, name)],
        "destroy" => vec![In::Gone(id)],
        "die" => {
            let state = runtime.inspect_container(&id).await.map(|found| found.state);
            let again = matches!(state, Ok(ContainerState::Restarting | ContainerState::Running));
            let code = event.attributes.get("exitCode").and_then(|code| code.parse().ok()).unwrap_or(0);
            vec![In::Died { id, code, again, at: seconds(event.time) }]
        }
        _ => Vec::new(),
    }
}

/// What happened while nobody listened, as far as the list tells.
async fn missed(runtime: &dyn Runtime, project: &ProjectName) -> Result<Vec<In>> {
    let filter = LabelFilter::equals(labels::PROJECT, project.as_str());
    let found = runtime.list_containers(&filter).await?;
    let mut inputs = vec![In::Left(found.iter().map(|container| container.id.clone()).collect())];
    for container in found {
        let (runs, code) = (container.is_running(), container.exit_code);
        let id = container.id.clone();
        match Followed::of_labels(container.id, container.name, &container.labels) {
            Some(who) if runs => inputs.push(In::Started(who)),
            Some(_) if code.is_some() => {
                // Without its time all of a further run is shown, at worst lines twice.
                inputs.push(In::Died { id, code: code.unwrap_or(0), again: false, at: String::new() });
            }
            _ => {}
        }
    }
    Ok(inputs)
}

/// Nanoseconds as log options take them.
fn seconds(nanoseconds: i64) -> String {
    format!("{}.{:09}", nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
}

#[cfg(test)]
mod tests;
