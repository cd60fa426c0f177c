//! Tests of the package as a whole that need no engine.

mod arch;
mod text_properties;
mod torture_text;
