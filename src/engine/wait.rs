//! Waiting for a container: inspect it whenever the engine tells something of it, and every ten seconds in case it
//! tells nothing. One subscription to the engine's events serves all waits of a run.

use std::time::Duration;

use futures::StreamExt;
use tokio::sync::{Notify, broadcast, watch};
use tokio::time::{Instant, sleep};

use crate::engine::OpError;
use crate::names::{ContainerId, ContainerName, ServiceName};
use crate::planner::Until;
use crate::resource::{ContainerDetails, ContainerState, Health};
use crate::runtime::{ErrorKind, EventFilter, Runtime};

/// How often a container is inspected without being asked to.
const SAFETY_NET: Duration = Duration::from_secs(10);
/// How long to leave an engine alone that gave no events.
const RESUBSCRIBE: Duration = Duration::from_millis(500);
/// How long an engine that goes away while it is asked may stay away: an engine that is upgraded is back by then.
const ENGINE_RESTART: Duration = Duration::from_secs(60);
/// So many restarts while it is waited for are a crash loop.
const CRASH_LOOP: i64 = 3;
/// Signals kept for a wait that is busy; one that lost some inspects.
const KEPT_SIGNALS: usize = 256;

#[derive(Clone, Debug)]
enum Signal {
    /// Something happened to this container.
    Container(ContainerId),
    /// Events may have been missed.
    Anything,
}

/// The subscription that all waits of a run share. Nothing is asked of the engine before somebody listens.
#[derive(Debug)]
pub(super) struct Bells {
    signals: broadcast::Sender<Signal>,
    wanted: Notify,
    /// How often the engine was asked for events.
    subscriptions: watch::Sender<u64>,
}

impl Bells {
    pub(super) fn new() -> Self {
        Self { signals: broadcast::channel(KEPT_SIGNALS).0, wanted: Notify::new(), subscriptions: watch::channel(0).0 }
    }

    /// Rings for as long as it is polled; never returns.
    pub(super) async fn ring(&self, runtime: &dyn Runtime) {
        self.wanted.notified().await;
        let filter = EventFilter { kinds: vec!["container".to_owned()], ..EventFilter::default() };
        for is_first in std::iter::once(true).chain(std::iter::repeat(false)) {
            let events = runtime.events(&filter).await;
            self.subscriptions.send_modify(|count| *count += 1);
            // Whoever waits for the first subscription looks then anyway.
            if !is_first {
                self.tell(Signal::Anything);
            }
            if let Ok(mut events) = events {
                while let Some(Ok(event)) = events.next().await {
                    // The commands of healthchecks make most of the noise; what comes of them is told apart.
                    if event.action.starts_with("exec_") {
                        continue;
                    }
                    if let Some(container) = event.container() {
                        self.tell(Signal::Container(container));
                    }
                }
            }
            sleep(RESUBSCRIBE).await;
        }
    }

    fn tell(&self, signal: Signal) {
        // Nobody listening is fine.
        let _ = self.signals.send(signal);
    }

    /// Returns when the engine was asked for events; what happens from then on is heard.
    async fn listen(&self) -> broadcast::Receiver<Signal> {
        let signals = self.signals.subscribe();
        let mut subscriptions = self.subscriptions.subscribe();
        self.wanted.notify_one();
        // An error means that the run is over.
        let _ = subscriptions.wait_for(|count| *count > 0).await;
        signals
    }
}

/// What is waited for, and for whom.
pub(super) struct Wish<'a> {
    pub(super) id: &'a ContainerId,
    pub(super) name: &'a ContainerName,
    pub(super) service: &'a ServiceName,
    pub(super) until: Until,
    pub(super) timeout: Option<Duration>,
}

/// Waits.
pub(super) async fn wait(runtime: &dyn Runtime, bells: &Bells, wish: &Wish<'_>) -> Result<(), OpError> {
    let waiting = look_until(runtime, bells, wish);
    match wish.timeout {
        None => waiting.await,
        Some(limit) => match tokio::time::timeout(limit, waiting).await {
            Ok(ended) => ended,
            Err(_) => Err(OpError::TimedOut { container: wish.name.clone(), after: limit }),
        },
    }
}

async fn look_until(runtime: &dyn Runtime, bells: &Bells, wish: &Wish<'_>) -> Result<(), OpError> {
    let mut history = History::default();
    // Most of what is waited for is there already; then no subscription is made.
    if let Some(ended) = look(runtime, wish, &mut history).await {
        return ended;
    }
    let mut signals = bells.listen().await;
    loop {
        if let Some(ended) = look(runtime, wish, &mut history).await {
            return ended;
        }
        let next_look = sleep(SAFETY_NET);
        tokio::pin!(next_look);
        loop {
            tokio::select! {
                signal = signals.recv() => match signal {
                    Ok(Signal::Container(id)) if id != *wish.id => {}
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => break,
                    Err(broadcast::error::RecvError::Closed) => { (&mut next_look).await; break }
                },
                () = &mut next_look => break,
            }
        }
    }
}

async fn look(runtime: &dyn Runtime, wish: &Wish<'_>, history: &mut History) -> Option<Result<(), OpError>> {
    match runtime.inspect_container(wish.id).await {
        Ok(details) => {
            history.engine_gone_since = None;
            match judge(wish.until, &details, history, Instant::now()) {
                Verdict::NotYet => None,
                Verdict::There => Some(Ok(())),
                Verdict::Never(because) => Some(Err(because.of(wish))),
            }
        }
        // A container that removes itself has ended.
        Err(error) if error.is_not_found() && wish.until == Until::Exited => Some(Ok(())),
        // It was there when the wait began; the bells ring as long as it is asked for its events again.
        Err(error) if error.kind == ErrorKind::Unavailable && history.engine_may_come_back(Instant::now()) => None,
        Err(error) => Some(Err(error.into())),
    }
}

/// What earlier looks saw.
#[derive(Clone, Copy, Debug, Default)]
struct History {
    /// Restarts at the first look.
    first_restarts: Option<i64>,
    /// Restarts at the last look, and since when it is so many.
    last: Option<(i64, Instant)>,
    /// Since when the engine has not been reached.
    engine_gone_since: Option<Instant>,
}

impl History {
    /// Restarts since the first look, and how long it has been so many.
    fn see(&mut self, restarts: i64, now: Instant) -> (i64, Duration) {
        let first = *self.first_restarts.get_or_insert(restarts);
        let since = match self.last {
            Some((count, since)) if count == restarts => since,
            _ => now,
        };
        self.last = Some((restarts, since));
        (restarts - first, now.duration_since(since))
    }

    /// Whether an engine that is not reached now is worth waiting for.
    fn engine_may_come_back(&mut self, now: Instant) -> bool {
        now.duration_since(*self.engine_gone_since.get_or_insert(now)) < ENGINE_RESTART
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    NotYet,
    There,
    Never(Because),
}

#[derive(Debug, PartialEq, Eq)]
enum Because {
    Unhealthy,
    NoHealthcheck,
    Exited(i64),
    DidNotComplete(i64),
    CrashLoop(i64),
}

impl Because {
    fn of(self, wish: &Wish<'_>) -> OpError {
        let container = wish.name.clone();
        match self {
            Self::Unhealthy => OpError::Unhealthy { container },
            Self::NoHealthcheck => OpError::NoHealthcheck { container },
            Self::Exited(code) => OpError::Exited { container, code },
            Self::DidNotComplete(code) => OpError::DidNotComplete { service: wish.service.clone(), code },
            Self::CrashLoop(code) => OpError::CrashLoop { container, code },
        }
    }
}

/// What a look at a container means for what is waited for.
fn judge(until: Until, found: &ContainerDetails, history: &mut History, now: Instant) -> Verdict {
    use ContainerState as State;
    let code = found.exit_code;
    let ended = matches!(found.state, State::Exited | State::Dead | State::Removing);
    let runs = matches!(found.state, State::Running | State::Paused);
    let (restarts, steady_for) = history.see(found.restart_count, now);
    match until {
        Until::Started if runs || found.state == State::Restarting || (ended && code == 0) => Verdict::There,
        Until::RunningOrHealthy | Until::CompletedSuccessfully if ended && code == 0 => Verdict::There,
        Until::CompletedSuccessfully if ended => Verdict::Never(Because::DidNotComplete(code)),
        Until::Started | Until::RunningOrHealthy | Until::Healthy if ended => Verdict::Never(Because::Exited(code)),
        Until::Exited if ended => Verdict::There,
        // While it runs once more, the engine no longer knows how it ended.
        Until::RunningOrHealthy if restarts >= CRASH_LOOP && !runs => Verdict::Never(Because::CrashLoop(code)),
        Until::Healthy | Until::RunningOrHealthy if runs => match found.health {
            Health::Healthy => Verdict::There,
            Health::Unhealthy => Verdict::Never(Because::Unhealthy),
            Health::None if until == Until::Healthy => Verdict::Never(Because::NoHealthcheck),
            // One that fell while it was waited for must stand for a while: between two falls it runs, too.
            Health::None if restarts == 0 || steady_for >= SAFETY_NET => Verdict::There,
            Health::None | Health::Starting => Verdict::NotYet,
        },
        _ => Verdict::NotYet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(state: ContainerState, health: Health, exit_code: i64) -> ContainerDetails {
        ContainerDetails { state, health, exit_code, ..ContainerDetails::default() }
    }

    #[tokio::test]
    async fn what_a_look_means() {
        use Because as B;
        use ContainerState::{Created, Dead, Exited, Paused, Restarting, Running};
        use Health::{Healthy, None, Starting, Unhealthy};
        use Verdict::{Never, NotYet, There};
        #[rustfmt::skip]
        let cases = [
            (Until::Started, Created, None, 0, NotYet),
            (Until::Started, Running, None, 0, There),
            (Until::Started, Paused, None, 0, There),
            (Until::Started, Restarting, None, 1, There),
            (Until::Started, Exited, None, 0, There),
            (Until::Started, Exited, None, 3, Never(B::Exited(3))),
            (Until::Healthy, Created, None, 0, NotYet),
            (Until::Healthy, Running, Starting, 0, NotYet),
            (Until::Healthy, Running, Healthy, 0, There),
            (Until::Healthy, Running, Unhealthy, 0, Never(B::Unhealthy)),
            (Until::Healthy, Running, None, 0, Never(B::NoHealthcheck)),
            (Until::Healthy, Restarting, Starting, 1, NotYet),
            (Until::Healthy, Exited, Starting, 0, Never(B::Exited(0))),
            (Until::RunningOrHealthy, Running, None, 0, There),
            (Until::RunningOrHealthy, Running, Starting, 0, NotYet),
            (Until::RunningOrHealthy, Running, Unhealthy, 0, Never(B::Unhealthy)),
            (Until::RunningOrHealthy, Restarting, None, 1, NotYet),
            (Until::RunningOrHealthy, Exited, None, 0, There),
            (Until::RunningOrHealthy, Exited, None, 1, Never(B::Exited(1))),
            (Until::CompletedSuccessfully, Running, None, 0, NotYet),
            (Until::CompletedSuccessfully, Exited, None, 0, There),
            (Until::CompletedSuccessfully, Exited, None, 2, Never(B::DidNotComplete(2))),
            (Until::CompletedSuccessfully, Restarting, None, 2, NotYet),
            (Until::Exited, Running, None, 0, NotYet),
            (Until::Exited, Exited, None, 7, There),
            (Until::Exited, Dead, None, 7, There),
        ];
        for (until, state, health, code, expected) in cases {
            let verdict = judge(until, &found(state, health, code), &mut History::default(), Instant::now());
            assert_eq!(verdict, expected, "{until:?} {state:?} {health:?} {code}");
        }
    }

    #[tokio::test]
    async fn an_engine_that_restarts_is_waited_for_a_minute_each_time() {
        let mut history = History::default();
        let start = Instant::now();
        assert!(history.engine_may_come_back(start));
        assert!(history.engine_may_come_back(start + Duration::from_secs(59)));
        assert!(!history.engine_may_come_back(start + Duration::from_secs(60)));
    }

    #[tokio::test]
    async fn a_container_that_falls_must_stand_for_a_while_and_falls_only_three_times() {
        let mut history = History::default();
        let start = Instant::now();
        let mut look = |restarts, state, seconds| {
            let found = ContainerDetails { restart_count: restarts, exit_code: 1, ..found(state, Health::None, 1) };
            judge(Until::RunningOrHealthy, &found, &mut history, start + Duration::from_secs(seconds))
        };
        assert_eq!(look(4, ContainerState::Restarting, 0), Verdict::NotYet, "older falls do not count");
        assert_eq!(look(5, ContainerState::Running, 1), Verdict::NotYet);
        assert_eq!(look(5, ContainerState::Running, 11), Verdict::There);
        assert_eq!(look(6, ContainerState::Running, 12), Verdict::NotYet);
        assert_eq!(look(7, ContainerState::Running, 13), Verdict::NotYet, "how it ended is not known now");
        assert_eq!(look(7, ContainerState::Restarting, 14), Verdict::Never(Because::CrashLoop(1)));
    }
}
