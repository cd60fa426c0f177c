//! The road of every command that changes something: look, decide, do, and again until the plan is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::sleep;

use crate::engine::observe::observe_foreign;
use crate::engine::outside::Hooks;
use crate::engine::run::{RunOptions, run};
use crate::engine::stop::{Interrupts, Stop};
use crate::engine::{Event, OpError, Outcome, observe};
use crate::names::{ContainerId, ContainerName, ServiceName};
use crate::planner::{Interest, NodeId, Op, Plan, Question, UpOptions, touches_host};
use crate::resource::{ResourceId, Snapshot};
use crate::runtime::{self, ErrorKind, Runtime};

/// So often a world that is not as it was seen is looked at and planned for again.
const SECOND_LOOKS: u32 = 3;
/// More rounds than any plan needs: images, providers, containers.
const MOST_ROUNDS: u32 = 12;
/// A name is taken in the engine a moment before the container that has it can be seen.
const BEFORE_SECOND_LOOK: Duration = Duration::from_millis(100);

/// What earlier rounds of the same command gave; the next plan needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// Answers to questions.
    pub answers: BTreeMap<Question, bool>,
    /// Images whose pull was tried: those that failed, too, when that did not count.
    pub pulled: BTreeSet<String>,
    /// Images that were built.
    pub built: BTreeSet<String>,
    /// Variables that providers set, by the service they provide.
    pub provided: BTreeMap<ServiceName, Vec<(String, String)>>,
    /// Containers that were made, by the name they were planned under.
    pub made: BTreeMap<ContainerName, ContainerId>,
}

impl Rounds {
    /// The options of `up` with what earlier rounds gave.
    pub fn options(&self, options: &UpOptions) -> UpOptions {
        let mut options = options.clone();
        options.pulled.extend(self.pulled.iter().cloned());
        options.built.extend(self.built.iter().cloned());
        options.answers.extend(self.answers.clone());
        options
    }
}

/// Whoever is told what goes on, and is asked.
pub trait Reporter {
    /// This plan will be run now; its warnings and what is unchanged are news.
    fn planned(&mut self, plan: &Plan);
    /// Something happened to an operation of the plan.
    fn event(&mut self, plan: &Plan, event: &Event);
    /// An answer, or `None` to give up.
    fn answer(&mut self, question: &Question) -> Option<bool>;
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Everything is as it was wanted.
    Done,
    /// Operations failed; the outcome tells which.
    Failed,
    /// The plan has blockers and was not run.
    Blocked,
    /// A question was not answered.
    Declined,
    /// A person broke it off.
    Interrupted,
}

/// What is left of it.
#[derive(Clone, Debug)]
pub struct Applied {
    /// How it ended.
    pub ending: Ending,
    /// The last plan.
    pub plan: Plan,
    /// What its run left; empty when it was not run.
    pub outcome: Outcome,
    /// What all rounds gave.
    pub rounds: Rounds,
}

/// Looks, decides and does until the plan is complete. Conflicts and things that are gone mean that the world moved:
/// then it is looked at again, at most three times.
///
/// # Errors
/// Looking failed.
pub async fn apply(
    runtime: &dyn Runtime,
    interest: &Interest,
    options: &RunOptions,
    hooks: &dyn Hooks,
    interrupts: &Interrupts,
    decide: &mut dyn FnMut(&Snapshot, &Rounds) -> Plan,
    reporter: &mut dyn Reporter,
) -> runtime::Result<Applied> {
    let mut rounds = Rounds::default();
    let mut second_looks = 0;
    for _ in 0..MOST_ROUNDS {
        let snapshot = tokio::select! {
            snapshot = observe(runtime, interest) => snapshot?,
            () = interrupts.reached(Stop::Gently) => {
                let outcome = Outcome { interrupted: true, ..Outcome::default() };
                return Ok(Applied { ending: Ending::Interrupted, plan: Plan::default(), outcome, rounds });
            }
        };
        let mut plan = decided(&snapshot, &mut rounds, decide, reporter);
        // What others have on the host matters only to a plan that makes or starts something.
        if !interest.foreign && plan.as_ref().is_ok_and(touches_host) {
            let snapshot = Snapshot { foreign: observe_foreign(runtime, interest).await?, ..snapshot };
            plan = decided(&snapshot, &mut rounds, decide, reporter);
        }
        let plan = match plan {
            Ok(plan) => plan,
            Err((ending, plan)) => return Ok(Applied { ending, plan: *plan, outcome: Outcome::default(), rounds }),
        };
        reporter.planned(&plan);
        let mut held = Held { reporter, held: Vec::new(), may_hold: second_looks < SECOND_LOOKS };
        let outcome = run(&plan, runtime, options, hooks, interrupts, &mut |plan, event| held.event(plan, event)).await;
        let held = held.held;
        learn(&plan, &outcome, &mut rounds);
        let world_moved = !outcome.failed.is_empty()
            && !outcome.interrupted
            && outcome.failed.iter().all(|(node, error)| is_world_moving(&plan, *node, error));
        if world_moved && second_looks < SECOND_LOOKS {
            second_looks += 1;
            sleep(BEFORE_SECOND_LOOK * second_looks).await;
            continue;
        }
        for event in held {
            reporter.event(&plan, &event);
        }
        let ending = match &outcome {
            _ if outcome.interrupted => Ending::Interrupted,
            _ if !outcome.failed.is_empty() => Ending::Failed,
            _ if plan.complete => Ending::Done,
            _ => continue,
        };
        return Ok(Applied { ending, plan, outcome, rounds });
    }
    let detail = format!("there is still something to do after {MOST_ROUNDS} rounds; this is a bug in compose");
    Err(runtime::Error::new(ErrorKind::Other, "make the engine match the project", detail))
}

/// Plans until nothing is left to be asked.
fn decided(
    snapshot: &Snapshot,
    rounds: &mut Rounds,
    decide: &mut dyn FnMut(&Snapshot, &Rounds) -> Plan,
    reporter: &mut dyn Reporter,
) -> Result<Plan, (Ending, Box<Plan>)> {
    loop {
        let plan = decide(snapshot, rounds);
        if !plan.blockers.is_empty() {
            return Err((Ending::Blocked, Box::new(plan)));
        }
        // A planner that asks again what was answered is not asked a third time.
        let open: Vec<Question> =
            plan.questions.iter().filter(|question| !rounds.answers.contains_key(question)).cloned().collect();
        if open.is_empty() {
            return Ok(plan);
        }
        for question in open {
            let Some(answer) = reporter.answer(&question) else { return Err((Ending::Declined, Box::new(plan))) };
            rounds.answers.insert(question, answer);
        }
    }
}

/// Keeps what the next plan needs to know of this one.
fn learn(plan: &Plan, outcome: &Outcome, rounds: &mut Rounds) {
    let lost = |id: NodeId| {
        outcome.skipped.contains(&id) || outcome.failed.iter().any(|(failed, _)| *failed == id) || outcome.interrupted
    };
    for (id, node) in plan.iter().filter(|(id, _)| !lost(*id)) {
        match &node.op {
            Op::PullImage { reference, .. } => {
                rounds.pulled.insert(reference.clone());
            }
            Op::BuildImage { request } => rounds.built.extend(request.tags.iter().cloned()),
            Op::CreateContainer { .. } => {
                if let (ResourceId::Container(name), Some(made)) = (&node.target, outcome.made.get(&id)) {
                    rounds.made.insert(name.clone(), made.clone());
                }
            }
            _ => {}
        }
    }
    rounds.provided.extend(outcome.provided.clone());
}

/// Whether an error says that the world is not as it was seen, so that another look may help.
fn is_world_moving(plan: &Plan, node: NodeId, error: &OpError) -> bool {
    let Some(error) = error.runtime() else { return false };
    // An image that a registry does not have, and a container that ended before its hook ran, stay as they are.
    let settled = plan.node(node).is_some_and(|node| {
        matches!(
            node.op,
            Op::PullImage { .. } | Op::PushImage { .. } | Op::BuildImage { .. } | Op::RunHook { .. } | Op::Await { .. }
        )
    });
    !settled && (error.is_conflict() || error.is_not_found())
}

/// Holds back failures that another look may mend, so that nobody is told of them in vain.
struct Held<'a> {
    reporter: &'a mut dyn Reporter,
    held: Vec<Event>,
    may_hold: bool,
}

impl Held<'_> {
    fn event(&mut self, plan: &Plan, event: &Event) {
        let hold = match event {
            Event::Failed { node, error, optional: false } => self.may_hold && is_world_moving(plan, *node, error),
            Event::Skipped { .. } => !self.held.is_empty(),
            _ => false,
        };
        if hold {
            self.held.push(event.clone());
        } else {
            self.reporter.event(plan, event);
        }
    }
}
