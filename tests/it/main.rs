//! Tests that use the library from outside, in one binary.
mod cli;
mod cli_flags;
mod cli_look;
mod cli_mistakes;
mod cli_road;
mod text_properties;
mod torture_text;
