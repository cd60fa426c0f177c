//! The containers of a session: which run, whose output is open, and whose end is still to be told.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::session::{Followed, Out, Status};
use crate::names::{ContainerId, ContainerName};

/// What a container is doing, as far as a session knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Made to take another's place, not started yet.
    Coming,
    /// It runs, or is being started.
    Running,
    /// It ended and starts again.
    Restarting,
    /// It ended.
    Ended,
}

#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) who: Followed,
    pub(super) standing: Standing,
    /// Its output is being shown.
    pub(super) open: bool,
    /// An end that is told once its output is shown: code, and whether it starts again.
    untold: Option<(i64, bool)>,
    /// When it ended last.
    ended_at: Option<String>,
    /// Its output was shown once.
    shown: bool,
    /// Its output was attached before its start, and the event of that start is still to come.
    start_is_known: bool,
    /// It runs again though the output of its last run is still being shown.
    reopen: bool,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Roll {
    members: BTreeMap<ContainerId, Member>,
}

impl Roll {
    /// Enters it, or changes what it is doing.
    pub(super) fn enter(&mut self, who: Followed, standing: Standing) -> &mut Member {
        let member = self.members.entry(who.id.clone()).or_insert_with(|| Member {
            who: who.clone(),
            standing,
            open: false,
            untold: None,
            ended_at: None,
            shown: false,
            start_is_known: false,
            reopen: false,
        });
        member.who = who;
        member.standing = standing;
        member
    }
    pub(super) fn get(&self, id: &ContainerId) -> Option<&Member> {
        self.members.get(id)
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }
    pub(super) fn rename(&mut self, id: &ContainerId, name: ContainerName) {
        if let Some(member) = self.members.get_mut(id) {
            member.who.name = name;
        }
    }
    /// It was started by somebody: its output is followed again, from its last end on.
    pub(super) fn started(&mut self, who: Followed, shows: bool) -> Vec<Out> {
        let id = who.id.clone();
        let member = self.enter(who, Standing::Running);
        // The event of a start that was attached to may come after all the output of a short life.
        if std::mem::take(&mut member.start_is_known) || !shows {
            return Vec::new();
        }
        if member.open {
            member.reopen = member.untold.is_some();
            return Vec::new();
        }
        member.open = true;
        let since = member.ended_at.clone().filter(|at| member.shown && !at.is_empty());
        member.shown = true;
        vec![Out::Follow { id, since }]
    }
    /// Its output is about to be shown from a point that the caller knows.
    pub(super) fn open(&mut self, id: &ContainerId) {
        if let Some(member) = self.members.get_mut(id) {
            member.open = true;
            member.shown = true;
        }
    }
    /// Its output is attached and it is about to be started.
    pub(super) fn open_before_start(&mut self, id: &ContainerId) {
        self.open(id);
        if let Some(member) = self.members.get_mut(id) {
            member.start_is_known = true;
        }
    }
    /// It ended; that is told at once, or when its output has been shown.
    pub(super) fn died(&mut self, id: &ContainerId, code: i64, again: bool, at: String) -> Vec<Out> {
        let Some(member) = self.members.get_mut(id).filter(|member| member.standing != Standing::Ended) else {
            return Vec::new();
        };
        member.standing = if again { Standing::Restarting } else { Standing::Ended };
        member.ended_at = Some(at);
        member.start_is_known = false;
        // The end of one whose output is not shown is not shown either.
        member.untold = member.shown.then_some((code, again));
        Self::tell(member)
    }
    /// Its output was shown.
    pub(super) fn closed(&mut self, id: &ContainerId) -> Vec<Out> {
        let Some(member) = self.members.get_mut(id) else { return Vec::new() };
        member.open = false;
        let mut outs = Self::tell(member);
        if std::mem::take(&mut member.reopen) {
            let who = member.who.clone();
            outs.extend(self.started(who, true));
        }
        outs
    }
    /// It is gone. It stays on the roll until its output and its end have been told.
    pub(super) fn gone(&mut self, id: &ContainerId) {
        if let Some(member) = self.members.get_mut(id) {
            member.standing = Standing::Ended;
            if !member.open && member.untold.is_none() {
                self.members.remove(id);
            }
        }
    }

    /// Only these are still there.
    pub(super) fn left(&mut self, left: &BTreeSet<ContainerId>) {
        let gone: Vec<ContainerId> = self.members.keys().filter(|id| !left.contains(*id)).cloned().collect();
        for id in gone {
            self.gone(&id);
        }
    }

    fn tell(member: &mut Member) -> Vec<Out> {
        if member.open {
            return Vec::new();
        }
        let exited = member
            .untold
            .take()
            .map(|(code, again)| Out::Tell(Status::Exited { container: member.who.clone(), code, again }));
        exited.into_iter().collect()
    }
}
