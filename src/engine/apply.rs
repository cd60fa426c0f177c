//! The road of every command that changes something: look, decide, do, and again until the plan is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;

use crate::engine::observe::{observe_details, observe_foreign};
use crate::engine::outside::Hooks;
use crate::engine::run::{RunOptions, run};
use crate::engine::stop::{Interrupts, Stop};
use crate::engine::{Event, OpError, Outcome, observe};
use crate::names::{ContainerId, ContainerName, ServiceName};
use crate::planner::{Interest, NodeId, Op, Plan, Question, UpOptions, touches_host, unexplained};
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
    /// Where models are reached, by their key.
    pub models: BTreeMap<String, String>,
    /// Containers that were made, by the name they were planned under.
    pub made: BTreeMap<ContainerName, ContainerId>,
    /// Whether a plan of this command ran already.
    pub begun: bool,
}

impl Rounds {
    /// The options of `up` with what earlier rounds gave.
    pub fn options(&self, options: &UpOptions) -> UpOptions {
        let mut options = options.clone();
        options.pulled.extend(self.pulled.iter().cloned());
        options.built.extend(self.built.iter().cloned());
        options.answers.extend(self.answers.clone());
        options.provided.extend(self.provided.clone());
        options.models.extend(self.models.clone());
        options.begun = self.begun;
        options
    }
}

/// Whoever is told what goes on, and is asked.
#[async_trait(?Send)]
pub trait Reporter {
    /// This plan will be run now; its warnings and what is unchanged are news.
    fn planned(&mut self, plan: &Plan);
    /// Something happened to an operation of the plan.
    fn event(&mut self, plan: &Plan, event: &Event);
    /// An answer, or `None` to give up.
    async fn answer(&mut self, question: &Question) -> Option<bool>;
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
        let answered = rounds.answers.len();
        let mut plan = decided(&snapshot, &mut rounds, decide, reporter).await;
        if plan.is_ok() && rounds.answers.len() > answered {
            // While a person thought, the world may have moved.
            continue;
        }
        // Also for a plan that may not run: all that forbids it is told at once.
        let first = match &plan {
            Ok(plan) => Some(plan),
            Err((Ending::Blocked, plan)) => Some(&**plan),
            Err(_) => None,
        };
        if let Some(first) = first {
            let looked = look_closer(runtime, interest, &snapshot, first).await?;
            if let Some(snapshot) = looked {
                plan = decided(&snapshot, &mut rounds, decide, reporter).await;
            }
        }
        let plan = match plan {
            Ok(plan) => plan,
            Err((ending, plan)) => {
                let was_broken_off = ending == Ending::Declined && interrupts.now() != Stop::No;
                let ending = if was_broken_off { Ending::Interrupted } else { ending };
                return Ok(Applied { ending, plan: *plan, outcome: Outcome::default(), rounds });
            }
        };
        reporter.planned(&plan);
        let mut held = Held { reporter, held: Vec::new(), may_hold: second_looks < SECOND_LOOKS };
        let outcome = run(&plan, runtime, options, hooks, interrupts, &mut |plan, event| held.event(plan, event)).await;
        let held = held.held;
        rounds.begun = true;
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

/// Looks at what matters only to this plan: what others have on the host when it makes or starts something, and what
/// those containers are like that it makes anew. `None` when there is no such thing.
///
/// # Errors
/// Looking failed.
pub async fn look_closer(
    runtime: &dyn Runtime,
    interest: &Interest,
    snapshot: &Snapshot,
    plan: &Plan,
) -> runtime::Result<Option<Snapshot>> {
    let foreign = !interest.foreign && touches_host(plan);
    let unexplained = unexplained(plan, snapshot);
    if !foreign && unexplained.is_empty() {
        return Ok(None);
    }
    let (others, details) = tokio::join!(
        async { if foreign { Some(observe_foreign(runtime, interest).await) } else { None } },
        observe_details(runtime, unexplained),
    );
    let foreign = others.transpose()?.unwrap_or_else(|| snapshot.foreign.clone());
    Ok(Some(Snapshot { foreign, details, is_detailed: true, ..snapshot.clone() }))
}

/// Plans until nothing is left to be asked.
async fn decided(
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
            let Some(answer) = reporter.answer(&question).await else { return Err((Ending::Declined, Box::new(plan))) };
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
    rounds.models.extend(outcome.models.clone());
}

/// Whether an error says that the world is not as it was seen, so that another look may help.
fn is_world_moving(plan: &Plan, node: NodeId, error: &OpError) -> bool {
    let Some(error) = error.runtime() else { return false };
    // An image that a registry does not have, and a container that ended before its hook ran, stay as they are; and what
    // is done to a container each time it is asked for must not be done again to those where it went well.
    let settled = plan.node(node).is_some_and(|node| {
        matches!(
            node.op,
            Op::PullImage { .. }
                | Op::PushImage { .. }
                | Op::BuildImage { .. }
                | Op::RunHook { .. }
                | Op::Await { .. }
                | Op::RunProvider { .. }
                | Op::ConfigureModel { .. }
                | Op::PauseContainer { .. }
                | Op::UnpauseContainer { .. }
                | Op::SignalContainer { .. }
                | Op::RestartContainer { .. }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::interrupts;
    use crate::engine::outside::NoHooks;
    use crate::engine::planned::{Planned, line};
    use crate::planner::{Blocker, ContainerRef};
    use crate::resource::Builder;
    use crate::runtime::fake::{Cut, Fake, Then};

    /// What was told, and the answer to every question.
    struct Told(Vec<String>, Option<bool>);

    #[async_trait(?Send)]
    impl Reporter for Told {
        fn planned(&mut self, plan: &Plan) {
            self.0.push(format!("plan of {}", plan.nodes.len()));
        }
        fn event(&mut self, plan: &Plan, event: &Event) {
            if !matches!(event, Event::Started { .. }) {
                self.0.push(line(plan, event));
            }
        }
        async fn answer(&mut self, _question: &Question) -> Option<bool> {
            self.0.push("asked".to_owned());
            self.1
        }
    }

    async fn applied(
        fake: &Fake,
        answer: Option<bool>,
        interrupts: &Interrupts,
        decide: &mut dyn FnMut(&Snapshot, &Rounds) -> Plan,
    ) -> (Ending, Vec<String>) {
        let mut told = Told(Vec::new(), answer);
        let interest = Interest { project: "shop".into(), ..Interest::default() };
        let options = RunOptions::new(Builder::BuildKit);
        let applied = apply(fake, &interest, &options, &NoHooks, interrupts, decide, &mut told).await.unwrap();
        (applied.ending, told.0)
    }

    fn create(names: &[&str]) -> Plan {
        let mut planned = Planned::new();
        let mut last = Vec::new();
        for name in names {
            last = vec![planned.create_with(name, &last, Vec::new(), |spec| {
                spec.labels.insert(crate::labels::PROJECT.to_owned(), "shop".to_owned());
            })];
        }
        planned.finish()
    }
    /// Those of the names that are not there.
    fn missing(snapshot: &Snapshot, names: &[&str]) -> Plan {
        let is_there = |name: &str| snapshot.containers.iter().any(|container| container.name.as_str() == name);
        create(&names.iter().copied().filter(|name| !is_there(name)).collect::<Vec<_>>())
    }

    #[tokio::test(start_paused = true)]
    async fn a_world_that_moved_is_looked_at_again_and_nobody_is_told() {
        let fake = Fake::new().with_images(&["app"]);
        let never = Interrupts::never();
        // A creation of a killed run comes late, just when this one creates the same.
        fake.cut_at(6, Cut::AfterNextLook, Then::Silence);
        let mut decide = |snapshot: &Snapshot, _: &Rounds| missing(snapshot, &["a", "b"]);
        assert_eq!(applied(&fake, None, &never, &mut decide).await.0, Ending::Failed);
        fake.revive();
        let (ending, told) = applied(&fake, None, &never, &mut decide).await;
        assert_eq!(ending, Ending::Done);
        assert_eq!(told, ["plan of 1", "plan of 0"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_conflict_that_stays_is_told_once() {
        let fake = Fake::new().with_images(&["app"]);
        let never = Interrupts::never();
        let mut decide = |_: &Snapshot, _: &Rounds| create(&["a", "b"]);
        assert_eq!(applied(&fake, None, &never, &mut decide).await.0, Ending::Done);
        let (ending, told) = applied(&fake, None, &never, &mut decide).await;
        assert_eq!(ending, Ending::Failed);
        assert_eq!(told.len(), 6, "four plans, one failure, one that is skipped: {told:#?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_each_time_is_not_done_again() {
        let fake = Fake::new().with_images(&["app"]);
        let never = Interrupts::never();
        let mut pause = |snapshot: &Snapshot, _: &Rounds| {
            let mut planned = Planned::new();
            for container in &snapshot.containers {
                let container = ContainerRef::Existing(container.id.clone());
                planned.on("a", Op::PauseContainer { container }, &[]);
            }
            planned.finish()
        };
        applied(&fake, None, &never, &mut |_, _| create(&["a"])).await;
        let (ending, told) = applied(&fake, None, &never, &mut pause).await;
        assert_eq!((ending, told.len()), (Ending::Failed, 2), "{told:#?}");
    }

    #[tokio::test(start_paused = true)]
    async fn questions_are_asked_once_and_answers_reach_the_planner() {
        let fake = Fake::new().with_images(&["app"]);
        let never = Interrupts::never();
        let question = Question::RecreateVolume { volume: "v".into() };
        let mut decide = |_: &Snapshot, rounds: &Rounds| match rounds.answers.get(&question) {
            Some(true) => create(&["a"]),
            Some(false) => create(&[]),
            None => Plan { questions: vec![question.clone()], ..create(&["b"]) },
        };
        for (answer, ending, plan) in [
            (Some(true), Ending::Done, Some("plan of 1")),
            (Some(false), Ending::Done, Some("plan of 0")),
            (None, Ending::Declined, None),
        ] {
            let (ended, told) = applied(&fake, answer, &never, &mut decide).await;
            assert_eq!(ended, ending);
            assert_eq!(told.first().map(String::as_str), Some("asked"));
            assert_eq!(told.get(1).map(String::as_str), plan);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocked_or_interrupted_plan_is_not_run() {
        let fake = Fake::new().with_images(&["app"]);
        let blocker = Blocker { message: "no".to_owned(), hint: None, place: None };
        let mut decide = |_: &Snapshot, _: &Rounds| Plan { blockers: vec![blocker.clone()], ..create(&["a"]) };
        let never = Interrupts::never();
        assert_eq!(applied(&fake, None, &never, &mut decide).await, (Ending::Blocked, Vec::new()));
        let (interrupter, interrupts) = interrupts();
        interrupter.interrupt();
        let mut decide = |_: &Snapshot, _: &Rounds| create(&["a"]);
        assert_eq!(applied(&fake, None, &interrupts, &mut decide).await, (Ending::Interrupted, Vec::new()));
        assert!(!fake.dump(&[]).contains("container"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_incomplete_plan_is_followed_by_another() {
        let fake = Fake::new().with_images(&["app"]);
        let never = Interrupts::never();
        let mut decide = |_: &Snapshot, rounds: &Rounds| match rounds.made.len() {
            0 => Plan { complete: false, ..create(&["a"]) },
            _ => create(&["b"]),
        };
        let (ending, told) = applied(&fake, None, &never, &mut decide).await;
        assert_eq!(ending, Ending::Done);
        assert_eq!(told, ["plan of 1", "end   #0 CreateContainer a", "plan of 1", "end   #0 CreateContainer b"]);
    }
}
