//! What a terminal or a reading program gets to see. Calls no engine; takes events, tables and bytes.

pub mod logs;
pub mod paint;
pub mod plan;
pub mod progress;
pub mod prompt;
pub mod reason;
pub mod stream;
pub mod table;
pub mod template;
pub mod units;
