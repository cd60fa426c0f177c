//! What docker's plugin protocol asks of us, and everything else that is answered before anything is set up.

use std::ffi::OsString;

use serde_json::json;

use crate::cli::commands::version;
use crate::cli::terminal::Io;
use crate::labels::COMPATIBLE_VERSION;

/// Answers words that need no project, no engine and no parser: docker runs the metadata call before every command.
pub fn answer_at_once(words: &[OsString], io: &Io) -> Option<u8> {
    let words: Vec<&str> = words.iter().map(|word| word.to_str().unwrap_or("\0")).collect();
    match words.as_slice() {
        ["docker-cli-plugin-metadata"] => {
            let metadata = json!({
                "SchemaVersion": "0.1.0",
                "Vendor": "compose",
                "Version": COMPATIBLE_VERSION,
                "ShortDescription": "Docker Compose",
            });
            io.stdout.line(&metadata.to_string());
            Some(0)
        }
        ["compose", "docker-cli-plugin-hooks", ..] => {
            io.stdout.line(r#"{"Type":0,"Template":""}"#);
            Some(0)
        }
        ["version" | "--version" | "-v"] | ["compose", "version" | "--version" | "-v"] => {
            version::print(false, None, io).ok().map(|()| 0)
        }
        ["version", "--short"] | ["compose", "version", "--short"] => version::print(true, None, io).ok().map(|()| 0),
        _ => None,
    }
}
