//! x
mod cut;
mod text_properties;
mod torture_text;
