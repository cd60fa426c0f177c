//! What an attached `up` does, step by step.

use super::*;
use crate::engine::session::Followed;

fn who(name: &str) -> Followed {
    Followed { id: name.into(), name: name.into(), service: name.into(), number: Some(1) }
}
fn died(name: &str, code: i64) -> In {
    In::Died { id: name.into(), code, again: false, at: "9.0".to_owned() }
}
fn falls(name: &str, code: i64) -> In {
    In::Died { id: name.into(), code, again: true, at: "9.0".to_owned() }
}
fn ended(name: &str) -> In {
    In::OutputEnded(name.into())
}
fn exited(name: &str, code: i64, again: bool) -> Out {
    Out::Tell(Status::Exited { container: who(name), code, again })
}
fn only(names: &[&str]) -> Chosen {
    Chosen::Only(names.iter().map(|name| ServiceName::new(*name)).collect())
}

/// A session whose plan started `a` and `b`.
fn up(options: AttachedOptions) -> Attached {
    let mut session = Attached::new(options);
    for name in ["a", "b"] {
        session.step(In::BeforeStart(who(name)));
        session.step(In::Started(who(name)));
    }
    session.step(In::PlanDone(Ended::Done));
    session
}

#[test]
fn it_attaches_before_the_start_and_only_to_what_is_shown() {
    let mut session = Attached::new(AttachedOptions { shown: only(&["a"]), ..AttachedOptions::default() });
    assert_eq!(session.step(In::BeforeStart(who("a"))), [Out::Attach("a".into())]);
    assert_eq!(session.step(In::BeforeStart(who("b"))), []);
    assert_eq!(session.step(In::Started(who("a"))), [], "its own start is no news");
    assert_eq!(session.step(In::PlanDone(Ended::Done)), []);
    assert_eq!(session.step(died("b", 1)), [], "what is not shown ends silently");
}

#[test]
fn a_start_that_is_heard_of_after_all_output_shows_nothing_twice() {
    let mut session = Attached::new(AttachedOptions::default());
    assert_eq!(session.step(In::BeforeStart(who("a"))), [Out::Attach("a".into())]);
    assert_eq!(session.step(ended("a")), []);
    assert_eq!(session.step(In::Started(who("a"))), []);
    assert_eq!(session.step(died("a", 0)), [exited("a", 0, false)]);
}

#[test]
fn it_ends_when_every_watched_container_has_ended() {
    let mut session = up(AttachedOptions::default());
    assert_eq!(session.step(died("a", 3)), [], "its output comes first");
    assert_eq!(session.step(ended("a")), [exited("a", 3, false)]);
    assert_eq!(session.step(ended("b")), []);
    assert_eq!(session.step(died("b", 0)), [exited("b", 0, false), Out::End(0)]);
    let mut session = up(AttachedOptions { watched: only(&["a"]), ..AttachedOptions::default() });
    session.step(died("a", 3));
    assert_eq!(session.step(ended("a")), [exited("a", 3, false), Out::End(0)]);
}

#[test]
fn ends_before_the_plan_is_over_do_not_end_it() {
    let mut session = Attached::new(AttachedOptions::default());
    session.step(In::BeforeStart(who("a")));
    session.step(died("a", 0));
    assert_eq!(session.step(ended("a")), [exited("a", 0, false)]);
    assert_eq!(session.step(In::PlanDone(Ended::Done)), [Out::End(0)]);
}

#[test]
fn nothing_started_is_nothing_to_wait_for() {
    assert_eq!(Attached::new(AttachedOptions::default()).step(In::PlanDone(Ended::Done)), [Out::End(0)]);
    assert_eq!(Attached::new(AttachedOptions::default()).step(In::PlanDone(Ended::Failed)), [Out::End(1)]);
}

#[test]
fn what_runs_already_is_attached_to() {
    let mut session = Attached::new(AttachedOptions::default());
    session.step(In::BeforeStart(who("a")));
    let outs = session.step(In::Found(vec![(who("a"), true), (who("b"), true), (who("c"), false)]));
    assert_eq!(outs, [Out::Attach("b".into())]);
}

#[test]
fn a_restart_is_followed_from_the_last_end_on() {
    let mut session = up(AttachedOptions::default());
    session.step(ended("a"));
    assert_eq!(session.step(falls("a", 1)), [exited("a", 1, true)]);
    let since = Some("9.0".to_owned());
    assert_eq!(session.step(In::Started(who("a"))), [Out::Follow { id: "a".into(), since }]);
    // Started again by a person after it had ended.
    session.step(died("a", 0));
    session.step(ended("a"));
    let outs = session.step(In::Started(who("a")));
    assert_eq!(outs.len(), 1, "{outs:?}");
}

#[test]
fn a_replacement_keeps_it_going() {
    let mut session = up(AttachedOptions { watched: only(&["a"]), ..AttachedOptions::default() });
    let new = Followed { id: "a2".into(), ..who("a") };
    assert_eq!(session.step(In::Coming(new.clone())), [Out::Tell(Status::Recreated(new.clone()))]);
    session.step(died("a", 137));
    assert_eq!(session.step(ended("a")), [exited("a", 137, false)]);
    session.step(In::Gone("a".into()));
    assert_eq!(session.step(In::Started(new)), [Out::Follow { id: "a2".into(), since: None }]);
    session.step(ended("a2"));
    let outs = session.step(died("a2", 0));
    assert_eq!(outs.last(), Some(&Out::End(0)));
}

#[test]
fn a_replacement_that_never_starts_does_not() {
    let mut session = up(AttachedOptions { watched: only(&["a"]), ..AttachedOptions::default() });
    session.step(In::Coming(Followed { id: "a2".into(), ..who("a") }));
    session.step(died("a", 0));
    assert_eq!(session.step(ended("a")), [exited("a", 0, false)]);
    assert_eq!(session.step(In::Gone("a2".into())), [Out::End(0)]);
}

#[test]
fn one_interrupt_stops_two_kill() {
    let mut session = up(AttachedOptions::default());
    assert_eq!(session.step(In::Interrupt), [Out::Tell(Status::Stopping), Out::Stop]);
    session.step(ended("a"));
    assert_eq!(session.step(died("a", 143)), [exited("a", 143, false)]);
    assert_eq!(session.step(In::Interrupt), [Out::Kill]);
    assert_eq!(session.step(In::Interrupt), []);
    assert_eq!(session.step(In::StopDone), [Out::Drain]);
    session.step(ended("b"));
    assert_eq!(session.step(died("b", 137)), [exited("b", 137, false), Out::End(130)]);
    assert_eq!(session.step(In::Drained), [], "it is over");
}

#[test]
fn what_does_not_come_after_the_stop_is_not_waited_for() {
    let mut session = up(AttachedOptions::default());
    session.step(In::Interrupt);
    assert_eq!(session.step(In::StopDone), [Out::Drain]);
    assert_eq!(session.step(In::Drained), [Out::End(130)]);
}

#[test]
fn an_interrupt_of_the_plan_stops_what_it_started() {
    let mut session = Attached::new(AttachedOptions::default());
    assert_eq!(session.step(In::Interrupt), [Out::Tell(Status::Stopping), Out::BreakOff]);
    assert_eq!(session.step(In::Interrupt), [Out::BreakOff], "the second time at once");
    assert_eq!(session.step(In::PlanDone(Ended::Interrupted)), [Out::End(130)]);
    let mut session = Attached::new(AttachedOptions::default());
    session.step(In::BeforeStart(who("a")));
    session.step(In::Interrupt);
    assert_eq!(session.step(In::PlanDone(Ended::Interrupted)), [Out::Stop]);
}

#[test]
fn a_cascade_stops_all_and_gives_the_code() {
    let options = |cascade, from: Option<&str>| AttachedOptions {
        cascade,
        exit_code_from: from.map(ServiceName::new),
        ..AttachedOptions::default()
    };
    /// The codes with which `a` and then `b` end, the code of the command, whether the first end stopped all.
    type Case = (Cascade, Option<&'static str>, i64, i64, i64, bool);
    #[rustfmt::skip]
    let cases: [Case; 7] = [
        (Cascade::No, None, 3, 4, 0, false),
        (Cascade::OnExit, None, 3, 143, 3, true),
        (Cascade::OnExit, None, 0, 143, 0, true),
        (Cascade::OnExit, Some("b"), 3, 143, 143, true),
        (Cascade::OnFailure, None, 0, 4, 4, false),
        (Cascade::OnFailure, None, 5, 143, 5, true),
        (Cascade::OnFailure, Some("a"), 0, 4, 4, false),
    ];
    for (cascade, from, first, second, expected, stops) in cases {
        let mut session = up(options(cascade, from));
        let mut outs = Vec::new();
        for (name, code) in [("a", first), ("b", second)] {
            outs.extend(session.step(died(name, code)));
            let stopped = outs.contains(&Out::Stop) && outs.contains(&Out::Tell(Status::Aborting));
            if name == "a" {
                assert_eq!(stopped, stops, "{cascade:?} {from:?}");
            }
            outs.extend(session.step(ended(name)));
        }
        outs.extend(session.step(In::StopDone));
        assert_eq!(outs.last(), Some(&Out::End(expected)), "{cascade:?} {from:?} {first} {second}: {outs:?}");
    }
}

#[test]
fn a_container_that_restarts_stops_nothing() {
    let mut session = up(AttachedOptions { cascade: Cascade::OnExit, ..AttachedOptions::default() });
    session.step(ended("a"));
    assert_eq!(session.step(falls("a", 1)), [exited("a", 1, true)]);
}

#[test]
fn detaching_leaves_all_running() {
    assert_eq!(up(AttachedOptions::default()).step(In::Detach), [Out::End(0)]);
    let mut stopping = up(AttachedOptions::default());
    stopping.step(In::Interrupt);
    assert_eq!(stopping.step(In::Detach), [], "who asked for the end gets it");
}
