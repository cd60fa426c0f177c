//! x
mod text_properties;
mod torture_text;
