//! skeleton
pub mod diagnostics;
pub mod engine;
pub mod labels;
pub mod names;
pub mod planner;
pub mod resource;
pub mod runtime;
pub mod spec;
