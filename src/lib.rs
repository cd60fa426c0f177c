//! skeleton
pub mod diagnostics;
pub mod labels;
pub mod names;
pub mod spec;
