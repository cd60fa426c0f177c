//! x
mod torture_text;
