//! `--progress json`: one object per line, with the keys that tools which start docker compose read.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::ui::progress::rows::{Notice, Rows, State};
use crate::ui::progress::{Detail, View};
use crate::ui::stream::Stream;

/// Objects on a stream.
#[derive(Debug)]
pub(super) struct Json {
    out: Stream,
    detail: Detail,
}

impl Json {
    /// Objects for `out`.
    pub(super) fn new(out: Stream, detail: Detail) -> Self {
        Self { out, detail }
    }

    fn object(&self, pairs: &[(&str, Value)]) {
        let mut object = Map::new();
        if self.detail.dry_run {
            object.insert("dry-run".to_owned(), true.into());
        }
        for (key, value) in pairs {
            let empty = matches!(value, Value::Null) || value.as_str() == Some("") || value.as_u64() == Some(0);
            if !empty {
                object.insert((*key).to_owned(), value.clone());
            }
        }
        self.out.line(&Value::Object(object).to_string());
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Working => "Working",
        State::Done => "Done",
        State::Warning => "Warning",
        State::Error => "Error",
    }
}

impl View for Json {
    fn notice(&mut self, notice: &Notice) {
        match notice {
            Notice::Status { id, state, text, details, .. } => {
                // A failure's text stands where tools look for it.
                let (text, details) = if matches!(state, State::Error | State::Warning) && !details.is_empty() {
                    (details, "")
                } else {
                    (text, details.as_str())
                };
                self.object(&[
                    ("id", id.as_str().into()),
                    ("status", word(*state).into()),
                    ("text", text.as_str().into()),
                    ("details", details.into()),
                ]);
            }
            // Tools take a line they do not know for a warning, so the reason is not a line of its own here.
            Notice::Reason { .. } => {}
            Notice::Layer { parent, id, layer, .. } => {
                if self.detail.quiet_layers {
                    return;
                }
                let state = if layer.done { State::Done } else { State::Working };
                let percent =
                    (layer.current * 100).checked_div(layer.total).unwrap_or(if layer.done { 100 } else { 0 });
                self.object(&[
                    ("id", id.as_str().into()),
                    ("parent_id", parent.as_str().into()),
                    ("status", word(state).into()),
                    ("text", layer.status.as_str().into()),
                    ("current", layer.current.into()),
                    ("total", layer.total.into()),
                    ("percent", percent.into()),
                ]);
            }
            Notice::Output { id, line } | Notice::Build { id, text: line, .. } => {
                if !self.detail.quiet_output {
                    self.object(&[
                        ("id", id.as_str().into()),
                        ("status", "Working".into()),
                        ("details", line.as_str().into()),
                    ]);
                }
            }
        }
    }
    fn frame(&mut self, _: &Rows, _: Duration) {}
    fn print(&mut self, _: Duration, write: &mut dyn FnMut()) {
        write();
    }
    fn finish(&mut self, _: &Rows, _: Duration) {}
}
