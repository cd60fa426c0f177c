//! Text to trees: YAML as docker compose reads it, with a place for every key and value.
//!
//! [`decode_text`] makes text of a file's bytes; that text goes into the source map, and [`parse`] reads it, so that
//! spans are bytes of what is shown. libyaml gives events ([`event`]); the [`composer`] gives them their meaning: anchors,
//! merge keys, tags, duplicate keys and limits. [`scalar`] has the rules for plain scalars.

mod apostrophe;
mod composer;
mod encoding;
mod event;
mod frame;
mod problem;
mod scalar;
mod timestamp;

pub use composer::{MAX_COPIES, MAX_DEPTH, MAX_NODES, parse};
pub use encoding::{EncodingError, MAX_BYTES, decode_text};

pub(crate) use scalar::resolves_to_other;

#[cfg(test)]
mod tests;
