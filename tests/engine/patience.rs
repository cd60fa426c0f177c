//! Waiting for what takes time: by looking, with an end.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

/// How long anything may take to happen. Generous: it only matters when a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// How often the state is looked at while it is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// Looks again and again until `look` gives a value; its last complaint is the failure.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + PATIENCE;
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match look().await {
            Ok(value) => return value,
            Err(complaint) => assert!(Instant::now() < end, "waited for: {what}\nat last: {complaint}"),
        }
    }
}
