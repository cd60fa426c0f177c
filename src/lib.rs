//! Makes the machine match Compose files.
//!
//! ```text
//! compose files ──spec::load──▶ Project ─┐
//!                                        ├─planner──▶ Plan ──engine::run──▶ Events ──▶ ui
//! runtime ──engine::observe──▶ Snapshot ─┘   (pure)          (one loop)  └──▶ Outcome ──▶ exit code
//! ```
//! Load, look, decide, do, tell: every command that changes something takes this road. ARCHITECTURE.md is the map.

pub mod cli;
pub mod diagnostics;
pub mod engine;
pub mod external;
pub mod labels;
pub mod names;
pub mod planner;
pub mod resource;
pub mod runtime;
pub mod spec;
pub mod ui;
