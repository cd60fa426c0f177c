//! `up` that stays attached: it ends with its containers, or ends them.

use crate::engine::session::roll::{Member, Roll, Standing};
use crate::engine::session::{Chosen, Ended, In, Machine, Out, Status};
use crate::names::ServiceName;

/// Exit code after an interrupt, as shells have it.
const INTERRUPTED: i64 = 130;

/// When the end of one container stops all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cascade {
    /// Never.
    #[default]
    No,
    /// Whenever one ends.
    OnExit,
    /// When one ends with a code other than 0.
    OnFailure,
}

/// How an attached `up` goes about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachedOptions {
    /// Whose output is shown.
    pub shown: Chosen,
    /// Whose ends count.
    pub watched: Chosen,
    /// Who is stopped at the end.
    pub stopped: Chosen,
    /// When an end stops all.
    pub cascade: Cascade,
    /// Whose code is the exit code.
    pub exit_code_from: Option<ServiceName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopping {
    No,
    /// As soon as the plan is over.
    AfterPlan,
    Gently,
    Killing,
    /// The stop is over; what is still to come has a moment.
    Over,
}

/// An attached `up`.
#[derive(Clone, Debug)]
pub struct Attached {
    options: AttachedOptions,
    roll: Roll,
    plan_is_done: bool,
    started_any: bool,
    stopping: Stopping,
    interrupted: bool,
    /// It is left as soon as the plan is over.
    detaching: bool,
    code: Option<i64>,
    is_over: bool,
}

impl Attached {
    /// Before its plan begins.
    pub fn new(options: AttachedOptions) -> Self {
        Self {
            options,
            roll: Roll::default(),
            plan_is_done: false,
            started_any: false,
            stopping: Stopping::No,
            interrupted: false,
            detaching: false,
            code: None,
            is_over: false,
        }
    }

    fn shows(&self, service: &ServiceName) -> bool {
        self.options.shown.has(service)
    }

    fn died(&mut self, input: In) -> Vec<Out> {
        let In::Died { id, code, again, at } = input else { return Vec::new() };
        let Some(member) = self.roll.get(&id) else { return Vec::new() };
        let service = member.who.service.clone();
        let mut outs = self.roll.died(&id, code, again, at);
        if again {
            return outs;
        }
        let triggers = self.stopping == Stopping::No
            && self.options.watched.has(&service)
            && match self.options.cascade {
                Cascade::No => false,
                Cascade::OnExit => true,
                Cascade::OnFailure => code != 0,
            };
        // Of the cause's code and that of the service that was named the later one holds.
        if triggers || self.options.exit_code_from.as_ref() == Some(&service) {
            self.code = Some(code);
        }
        if triggers {
            outs.push(Out::Tell(Status::Aborting));
            outs.extend(self.begin_stop());
        }
        outs
    }

    fn begin_stop(&mut self) -> Vec<Out> {
        if !self.plan_is_done {
            self.stopping = Stopping::AfterPlan;
            return vec![Out::BreakOff];
        }
        self.stopping = Stopping::Gently;
        vec![Out::Stop]
    }

    fn interrupt(&mut self) -> Vec<Out> {
        match self.stopping {
            Stopping::No => {
                self.interrupted = true;
                let mut outs = vec![Out::Tell(Status::Stopping)];
                outs.extend(self.begin_stop());
                outs
            }
            Stopping::AfterPlan => vec![Out::BreakOff],
            Stopping::Gently => {
                self.stopping = Stopping::Killing;
                vec![Out::Kill]
            }
            Stopping::Killing | Stopping::Over => Vec::new(),
        }
    }

    fn plan_done(&mut self, ended: Ended) -> Vec<Out> {
        self.plan_is_done = true;
        match (self.stopping, ended) {
            (Stopping::AfterPlan, _) if self.started_any => self.begin_stop(),
            (Stopping::AfterPlan, _) | (_, Ended::Interrupted) => self.end(INTERRUPTED),
            (_, Ended::Failed) => self.end(1),
            (_, Ended::Done) if self.detaching => self.end(0),
            (_, Ended::Done) => Vec::new(),
        }
    }

    fn end(&mut self, code: i64) -> Vec<Out> {
        self.is_over = true;
        vec![Out::End(code)]
    }

    fn end_if_over(&mut self) -> Vec<Out> {
        if self.is_over || !self.plan_is_done {
            return Vec::new();
        }
        let has_ended = |member: &Member| member.standing == Standing::Ended && !member.open;
        let is_over = match self.stopping {
            Stopping::No => {
                let mut watched = self.roll.iter().filter(|member| self.options.watched.has(&member.who.service));
                watched.all(has_ended)
            }
            Stopping::Over => {
                let mut stopped = self.roll.iter().filter(|member| self.options.stopped.has(&member.who.service));
                stopped.all(has_ended)
            }
            Stopping::AfterPlan | Stopping::Gently | Stopping::Killing => false,
        };
        if is_over { self.end(self.final_code()) } else { Vec::new() }
    }

    fn final_code(&self) -> i64 {
        if self.interrupted { INTERRUPTED } else { self.code.unwrap_or(0) }
    }
}

impl Machine for Attached {
    fn step(&mut self, input: In) -> Vec<Out> {
        if self.is_over {
            return Vec::new();
        }
        let mut outs = match input {
            In::BeforeStart(who) => {
                self.started_any = true;
                let (id, shows) = (who.id.clone(), self.shows(&who.service));
                self.roll.enter(who, Standing::Running);
                if shows {
                    self.roll.open_before_start(&id);
                    vec![Out::Attach(id)]
                } else {
                    Vec::new()
                }
            }
            In::Found(found) => {
                let mut outs = Vec::new();
                for (who, _) in found.into_iter().filter(|(_, runs)| *runs) {
                    if self.roll.get(&who.id).is_some() {
                        continue;
                    }
                    let (id, shows) = (who.id.clone(), self.shows(&who.service));
                    self.started_any = true;
                    self.roll.enter(who, Standing::Running);
                    if shows {
                        self.roll.open(&id);
                        outs.push(Out::Attach(id));
                    }
                }
                outs
            }
            // Of its own plan's starts it was told before.
            In::Started(who) if self.plan_is_done || self.roll.get(&who.id).is_some() => {
                let shows = self.shows(&who.service);
                self.roll.started(who, shows)
            }
            In::Coming(who) if self.plan_is_done => {
                let is_told = self.shows(&who.service);
                self.roll.enter(who.clone(), Standing::Coming);
                if is_told { vec![Out::Tell(Status::Recreated(who))] } else { Vec::new() }
            }
            In::Renamed(id, name) => {
                self.roll.rename(&id, name);
                Vec::new()
            }
            died @ In::Died { .. } => self.died(died),
            In::Gone(id) => {
                self.roll.gone(&id);
                Vec::new()
            }
            In::Left(left) => {
                self.roll.left(&left);
                Vec::new()
            }
            In::OutputEnded(id) => self.roll.closed(&id),
            In::Interrupt => self.interrupt(),
            // Who asked for the end gets it.
            In::Detach if self.stopping != Stopping::No => Vec::new(),
            In::Detach if self.plan_is_done => self.end(0),
            In::Detach => {
                self.detaching = true;
                Vec::new()
            }
            In::PlanDone(ended) => self.plan_done(ended),
            In::StopDone if matches!(self.stopping, Stopping::Gently | Stopping::Killing) => {
                self.stopping = Stopping::Over;
                vec![Out::Drain]
            }
            In::Started(_) | In::Coming(_) | In::StopDone => Vec::new(),
            In::Drained => self.end(self.final_code()),
        };
        outs.extend(self.end_if_over());
        outs
    }
}

#[cfg(test)]
mod tests;
