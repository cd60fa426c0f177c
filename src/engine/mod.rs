//! Does what a plan says: one loop, bounded side by side, everything told as events.

mod event;

pub use event::{Event, OpError, Outcome, Progress};
