//! skeleton
pub mod diagnostics;
pub mod external;
pub mod labels;
pub mod names;
pub mod resource;
pub mod runtime;
pub mod spec;
