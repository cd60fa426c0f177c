//! Does what a plan says: one loop, bounded side by side, everything told as events.

mod apply;
mod archive;
mod event;
mod execute;
mod lines;
mod observe;
mod outside;
#[cfg(test)]
pub(crate) mod planned;
mod run;
mod schedule;
pub mod session;
mod stop;
mod wait;

pub use apply::{Applied, Ending, Reporter, Rounds, apply, look_closer};
pub use event::{Event, OpError, Outcome, Progress};
pub use lines::{LONGEST_LINE, Lines};
pub use observe::observe;
pub use outside::{Anonymous, Hooks, NoHooks, NoModels, NoProviders};
pub use run::{RunOptions, run};
pub use schedule::Schedule;
pub use stop::{Interrupter, Interrupts, Stop, interrupts};
