//! `logs`: what containers wrote, and with `-f` what they go on to write.

use crate::engine::session::roll::{Roll, Standing};
use crate::engine::session::{Chosen, Followed, In, Machine, Out};

/// What of the logs is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogsOptions {
    /// Of which services.
    pub services: Chosen,
    /// Only of the replica with this number.
    pub number: Option<u32>,
    /// Go on while something runs.
    pub follow: bool,
    /// Not older, as engines take it.
    pub since: Option<String>,
    /// Not older than the last start of each container.
    pub since_start: bool,
    /// Not newer, as engines take it.
    pub until: Option<String>,
    /// The last lines of each container only.
    pub tail: Option<u64>,
    /// With the engine's time of each line.
    pub timestamps: bool,
}

/// A `logs`.
#[derive(Clone, Debug)]
pub struct Logs {
    options: LogsOptions,
    roll: Roll,
    began: bool,
    is_over: bool,
}

impl Logs {
    /// Before the containers are known.
    pub fn new(options: LogsOptions) -> Self {
        Self { options, roll: Roll::default(), began: false, is_over: false }
    }

    fn is_wanted(&self, who: &Followed) -> bool {
        self.options.services.has(&who.service) && self.options.number.is_none_or(|number| who.number == Some(number))
    }
}

impl Machine for Logs {
    fn step(&mut self, input: In) -> Vec<Out> {
        if self.is_over {
            return Vec::new();
        }
        let follow = self.options.follow;
        let mut outs = match input {
            In::Found(found) => {
                self.began = true;
                let mut outs = Vec::new();
                for (who, runs) in found {
                    if !self.is_wanted(&who) {
                        continue;
                    }
                    let id = who.id.clone();
                    self.roll.enter(who, if runs { Standing::Running } else { Standing::Ended });
                    self.roll.open(&id);
                    outs.push(Out::Follow { id, since: None });
                }
                outs
            }
            In::Started(who) | In::BeforeStart(who) if follow && self.is_wanted(&who) => self.roll.started(who, true),
            In::Coming(who) if follow && self.is_wanted(&who) => {
                self.roll.enter(who, Standing::Coming);
                Vec::new()
            }
            In::Renamed(id, name) => {
                self.roll.rename(&id, name);
                Vec::new()
            }
            In::Died { id, code, again, at } if follow => self.roll.died(&id, code, again, at),
            In::Gone(id) => {
                self.roll.gone(&id);
                Vec::new()
            }
            In::Left(left) => {
                self.roll.left(&left);
                Vec::new()
            }
            In::OutputEnded(id) => self.roll.closed(&id),
            In::Interrupt => {
                self.is_over = true;
                return vec![Out::End(130)];
            }
            _ => Vec::new(),
        };
        let goes_on = self.roll.iter().any(|member| member.open || (follow && member.standing != Standing::Ended));
        if self.began && !goes_on {
            self.is_over = true;
            outs.push(Out::End(0));
        }
        outs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::session::Status;

    fn who(name: &str) -> Followed {
        Followed { id: name.into(), name: name.into(), service: name.into(), number: Some(1) }
    }
    fn follow(id: &str, since: Option<&str>) -> Out {
        Out::Follow { id: id.into(), since: since.map(str::to_owned) }
    }
    fn died(id: &str, again: bool, at: &str) -> In {
        In::Died { id: id.into(), code: 1, again, at: at.to_owned() }
    }
    fn exited(name: &str, again: bool) -> Out {
        Out::Tell(Status::Exited { container: who(name), code: 1, again })
    }

    #[test]
    fn without_follow_it_ends_with_the_last_log() {
        let mut logs = Logs::new(LogsOptions::default());
        let outs = logs.step(In::Found(vec![(who("a"), true), (who("b"), false)]));
        assert_eq!(outs, [follow("a", None), follow("b", None)]);
        assert_eq!(logs.step(In::OutputEnded("a".into())), []);
        assert_eq!(logs.step(In::Started(who("c"))), []);
        assert_eq!(logs.step(In::OutputEnded("b".into())), [Out::End(0)]);
    }

    #[test]
    fn nothing_there_is_nothing_to_show() {
        assert_eq!(Logs::new(LogsOptions::default()).step(In::Found(Vec::new())), [Out::End(0)]);
    }

    #[test]
    fn followed_it_ends_when_nothing_runs() {
        let options = LogsOptions { follow: true, ..LogsOptions::default() };
        let mut logs = Logs::new(options);
        logs.step(In::Found(vec![(who("a"), true), (who("b"), false)]));
        assert_eq!(logs.step(In::OutputEnded("b".into())), []);
        assert_eq!(logs.step(died("a", false, "5.0")), []);
        assert_eq!(logs.step(In::OutputEnded("a".into())), [exited("a", false), Out::End(0)]);
    }

    #[test]
    fn what_starts_later_and_what_starts_again_is_followed() {
        let options = LogsOptions { follow: true, ..LogsOptions::default() };
        let mut logs = Logs::new(options);
        logs.step(In::Found(vec![(who("a"), true)]));
        assert_eq!(logs.step(In::Started(who("b"))), [follow("b", None)]);
        assert_eq!(logs.step(In::OutputEnded("a".into())), []);
        assert_eq!(logs.step(died("a", true, "5.0")), [exited("a", true)]);
        assert_eq!(logs.step(In::Started(who("a"))), [follow("a", Some("5.0"))]);
        assert_eq!(logs.step(In::Interrupt), [Out::End(130)]);
    }

    #[test]
    fn only_what_is_wanted_is_shown() {
        let services = Chosen::Only([crate::names::ServiceName::new("a")].into());
        let options = LogsOptions { follow: true, services, number: Some(2), ..LogsOptions::default() };
        let mut logs = Logs::new(options);
        let second = Followed { number: Some(2), ..who("a") };
        let outs = logs.step(In::Found(vec![(who("a"), true), (who("b"), true), (second, true)]));
        assert_eq!(outs, [follow("a", None)]);
        assert_eq!(logs.step(In::Started(who("b"))), []);
    }
}
