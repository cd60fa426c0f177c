//! `--progress quiet`: nothing but what the command itself prints.

use std::time::Duration;

use crate::ui::progress::View;
use crate::ui::progress::rows::{Notice, Rows};

/// Shows nothing.
#[derive(Debug, Default)]
pub(super) struct Quiet;

impl View for Quiet {
    fn notice(&mut self, _: &Notice) {}
    fn frame(&mut self, _: &Rows, _: Duration) {}
    fn print(&mut self, _: Duration, write: &mut dyn FnMut()) {
        write();
    }
    fn finish(&mut self, _: &Rows, _: Duration) {}
}
