//! Cutting the fake off: at one call, in the ways in which a killed program or a lost connection leaves the engine.

use crate::runtime::fake::world::World;

/// How a call is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// The call never reached the engine.
    BeforeEffect,
    /// The engine did it, and the answer was lost.
    AnswerLost,
    /// The engine does it only after it was looked at again.
    AfterNextLook,
}

impl Cut {
    /// All ways.
    pub const ALL: [Self; 3] = [Self::BeforeEffect, Self::AnswerLost, Self::AfterNextLook];
}

/// What comes after a cut call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// No call reaches the engine any more, until [`revive`](crate::runtime::fake::Fake::revive).
    Silence,
    /// Later calls work.
    GoOn,
}

/// An effect that comes late.
pub(super) type Late = Box<dyn FnOnce(&mut World) + Send>;

/// Calls so far, and the one that is to be cut.
#[derive(Default)]
pub(super) struct Faults {
    /// Every call, in order.
    pub(super) calls: Vec<String>,
    pub(super) cut: Option<(usize, Cut, Then)>,
    pub(super) is_silent: bool,
    late: Vec<Late>,
    looked: bool,
    pub(super) at_once: usize,
    pub(super) most_at_once: usize,
}

impl Clone for Faults {
    /// Another world has had no calls, and nothing comes late in it.
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Works,
    Fails,
    WorksUnanswered,
    ComesLate,
}

impl Faults {
    /// Counts a call and tells what becomes of it.
    pub(super) fn meet(&mut self, what: &str, changes: bool) -> Fate {
        let number = self.calls.len();
        self.calls.push(what.to_owned());
        if self.is_silent {
            return Fate::Fails;
        }
        match self.cut {
            Some((at, cut, then)) if at == number => {
                self.is_silent = then == Then::Silence;
                match cut {
                    Cut::AnswerLost if changes => Fate::WorksUnanswered,
                    Cut::AfterNextLook if changes => {
                        self.looked = false;
                        Fate::ComesLate
                    }
                    _ => Fate::Fails,
                }
            }
            _ => Fate::Works,
        }
    }
    pub(super) fn defer(&mut self, effect: Late) {
        self.late.push(effect);
    }
    /// Somebody looked: what is late comes before the next change.
    pub(super) fn look(&mut self) {
        self.looked = true;
    }
    /// What is late and comes now, before a change.
    pub(super) fn take_late(&mut self, at_once: bool) -> Vec<Late> {
        if at_once || self.looked { std::mem::take(&mut self.late) } else { Vec::new() }
    }
}
