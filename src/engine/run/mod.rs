//! Runs a plan: one loop owns every operation, hands out what is ready and tells what happens.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;

use crate::engine::execute::{Context, Done, execute};
use crate::engine::outside::{Anonymous, Hooks, NoModels, NoProviders};
use crate::engine::schedule::Schedule;
use crate::engine::stop::{Interrupts, Stop};
use crate::engine::wait::Bells;
use crate::engine::{Event, OpError, Outcome};
use crate::external::{Credentials, Models, Providers};
use crate::names::ContainerId;
use crate::planner::{NodeId, Op, Plan};
use crate::resource::Builder;
use crate::runtime::Runtime;

/// Calls to the engine side by side when the user sets no limit: more would only queue up in the engine.
const CALLS_AT_ONCE: usize = 32;
/// Progress kept between an operation and the loop; an operation that is faster waits.
const KEPT_PROGRESS: usize = 64;

/// How a plan is run.
#[derive(Clone)]
pub struct RunOptions {
    /// So many operations side by side at most, as the user said; `None` sets no limit on what takes long by nature.
    pub parallel: Option<NonZeroUsize>,
    /// Which builder builds.
    pub builder: Builder,
    /// Who knows credentials.
    pub credentials: Arc<dyn Credentials>,
    /// Who runs providers.
    pub providers: Arc<dyn Providers>,
    /// Who makes models ready.
    pub models: Arc<dyn Models>,
}

impl RunOptions {
    /// Without limit, credentials, providers or models.
    pub fn new(builder: Builder) -> Self {
        Self {
            parallel: None,
            builder,
            credentials: Arc::new(Anonymous),
            providers: Arc::new(NoProviders),
            models: Arc::new(NoModels),
        }
    }
}

/// How an operation ended.
enum Ended {
    Done(Done),
    Failed(OpError),
    /// It was dropped because of an interrupt.
    Cut,
}

/// Runs a plan to its end and tells what happens as it happens. A failure ends what needs it and nothing else.
///
/// The operations are futures of this one task and borrow the plan: on the one thread that compose has, tasks of their
/// own would run no faster and would need copies of everything.
pub async fn run(
    plan: &Plan,
    runtime: &dyn Runtime,
    options: &RunOptions,
    hooks: &dyn Hooks,
    interrupts: &Interrupts,
    on_event: &mut dyn FnMut(&Plan, &Event),
) -> Outcome {
    let bells = Bells::new();
    let made = RefCell::new(BTreeMap::new());
    let (sender, mut progress) = mpsc::channel(KEPT_PROGRESS);
    let context = Context { runtime, options, hooks, bells: &bells, progress: sender, made: &made };
    let mut schedule = Schedule::new(plan);
    let mut outcome = Outcome::default();
    let mut tasks = FuturesUnordered::new();
    let mut places = Places::new(options.parallel);
    let mut held_back: Option<NodeId> = None;
    let mut stop = Stop::No;
    let ring = bells.ring(runtime);
    tokio::pin!(ring);

    loop {
        // Also for a run that begins after the interrupt.
        if stop == Stop::No && interrupts.now() != Stop::No {
            stop = Stop::Gently;
            outcome.interrupted = true;
            schedule.stop_handing_out();
            on_event(plan, &Event::Stopping);
        }
        let mut begin = |id: NodeId| {
            if let Some(node) = plan.node(id) {
                on_event(plan, &Event::Started { node: id });
                let context = &context;
                tasks.push(async move {
                    let work = execute(context, id, node);
                    let ended = tokio::select! {
                        biased;
                        ended = work => ended.map_or_else(Ended::Failed, Ended::Done),
                        () = interrupts.reached(Stop::Gently), if can_be_cut(&node.op) => Ended::Cut,
                    };
                    (id, ended)
                });
            }
        };
        if stop == Stop::No {
            while let Some(id) = schedule.pop_ready_wait() {
                begin(id);
            }
            while let Some(id) = held_back.take().or_else(|| schedule.pop_ready()) {
                if !places.take(plan, id) {
                    held_back = Some(id);
                    break;
                }
                begin(id);
            }
        }
        if tasks.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            Some((node, progress)) = progress.recv() => on_event(plan, &Event::Progress { node, progress }),
            Some((id, ended)) = tasks.next() => {
                while let Ok((node, progress)) = progress.try_recv() {
                    on_event(plan, &Event::Progress { node, progress });
                }
                places.give_back(plan, id);
                settle(plan, id, ended, &mut schedule, &made, &mut outcome, on_event);
            }
            () = interrupts.reached(Stop::Gently), if stop == Stop::No => {}
            () = interrupts.reached(Stop::Now), if stop == Stop::Gently => break,
            () = &mut ring => {}
        }
    }
    drop(tasks);
    outcome.made = made.take();
    outcome
}

fn settle(
    plan: &Plan,
    id: NodeId,
    ended: Ended,
    schedule: &mut Schedule,
    made: &RefCell<BTreeMap<NodeId, ContainerId>>,
    outcome: &mut Outcome,
    on_event: &mut dyn FnMut(&Plan, &Event),
) {
    match ended {
        Ended::Cut => {}
        Ended::Done(done) => {
            if let Some(container) = done.made {
                made.borrow_mut().insert(id, container);
            }
            match plan.node(id).map(|node| &node.op) {
                Some(Op::RunProvider { service, .. }) => {
                    outcome.provided.entry(service.clone()).or_default().extend(done.provided);
                }
                Some(Op::ConfigureModel { key, .. }) => {
                    outcome.models.extend(done.endpoint.map(|endpoint| (key.clone(), endpoint)));
                }
                _ => {}
            }
            on_event(plan, &Event::Finished { node: id, warning: done.warning });
            schedule.finish(id);
        }
        Ended::Failed(error) => {
            let optional = plan.node(id).is_some_and(|node| node.optional);
            on_event(plan, &Event::Failed { node: id, error: error.clone(), optional });
            if optional {
                schedule.finish(id);
                return;
            }
            outcome.failed.push((id, error));
            for node in schedule.fail(id) {
                on_event(plan, &Event::Skipped { node, because: id });
                outcome.skipped.push(node);
            }
        }
    }
}

/// What may be dropped half-way without leaving something half done in the engine.
fn can_be_cut(op: &Op) -> bool {
    matches!(
        op,
        Op::Await { .. }
            | Op::PullImage { .. }
            | Op::PushImage { .. }
            | Op::BuildImage { .. }
            | Op::ConfigureModel { .. }
    )
}

/// How many operations may go on side by side.
struct Places {
    /// The user's own limit holds for everything but waits.
    users: bool,
    free: usize,
}

impl Places {
    fn new(parallel: Option<NonZeroUsize>) -> Self {
        Self { users: parallel.is_some(), free: parallel.map_or(CALLS_AT_ONCE, NonZeroUsize::get) }
    }
    /// Whether the operation takes a place: without a limit of the user's only short calls do; what takes long by
    /// nature, as a stop does, costs the engine nothing while it goes on.
    fn needs_one(&self, op: &Op) -> bool {
        match op {
            Op::Await { .. } => false,
            Op::PullImage { .. }
            | Op::PushImage { .. }
            | Op::BuildImage { .. }
            | Op::StopContainer { .. }
            | Op::RestartContainer { .. }
            | Op::RunHook { .. }
            | Op::RunStep { .. }
            | Op::RunProvider { .. }
            | Op::ConfigureModel { .. } => self.users,
            _ => true,
        }
    }
    fn take(&mut self, plan: &Plan, id: NodeId) -> bool {
        if !plan.node(id).is_some_and(|node| self.needs_one(&node.op)) {
            return true;
        }
        let is_free = self.free > 0;
        self.free = self.free.saturating_sub(1);
        is_free
    }
    fn give_back(&mut self, plan: &Plan, id: NodeId) {
        if plan.node(id).is_some_and(|node| self.needs_one(&node.op)) {
            self.free += 1;
        }
    }
}

#[cfg(test)]
mod tests;
