//! `--progress plain`: one line per event, as docker compose 2.40 writes them, so that tools go on reading them.

use std::time::Duration;

use crate::ui::progress::rows::{Notice, Rows, State};
use crate::ui::progress::{Detail, View};
use crate::ui::stream::Stream;
use crate::ui::units;

/// Lines on a stream.
#[derive(Debug)]
pub(super) struct Plain {
    out: Stream,
    detail: Detail,
}

impl Plain {
    /// Lines for `out`.
    pub(super) fn new(out: Stream, detail: Detail) -> Self {
        Self { out, detail }
    }

    fn line(&self, text: &str) {
        let prefix = if self.detail.dry_run { " DRY-RUN MODE - " } else { "" };
        self.out.line(&format!("{prefix}{text}"));
    }
}

impl View for Plain {
    fn notice(&mut self, notice: &Notice) {
        match notice {
            Notice::Status { id, state: State::Warning, details, .. } if !details.is_empty() => {
                self.line(&format!(" {id} Warning {details}"));
            }
            Notice::Status { id, text, .. } => self.line(&format!(" {id}  {text}")),
            // A line of its own: the standard ones are read by tools.
            Notice::Reason { text, worth_telling, .. } => {
                if *worth_telling || self.detail.dry_run {
                    self.line(&format!("   because: {text}"));
                }
            }
            Notice::Layer { id, layer, new_words, .. } => {
                if *new_words && !self.detail.quiet_layers {
                    let sizes = if layer.total > 0 && layer.current > 0 && !layer.done {
                        format!("{}/{}", size(layer.current), size(layer.total))
                    } else {
                        String::new()
                    };
                    self.line(&format!(" {id} {} {sizes}", layer.status));
                }
            }
            Notice::Output { line, .. } => {
                if !self.detail.quiet_output {
                    self.line(&format!(" {line}"));
                }
            }
        }
    }
    fn frame(&mut self, _: &Rows, _: Duration) {}
    fn print(&mut self, write: &mut dyn FnMut()) {
        write();
    }
    fn finish(&mut self, _: &Rows, _: Duration) {}
}

#[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
fn size(bytes: u64) -> String {
    units::decimal_size(bytes as f64, 4)
}
