//! `--progress tty`: rows redrawn in place. What is finished scrolls away when the rows do not fit.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::ui::paint::Paint;
use crate::ui::progress::View;
use crate::ui::progress::frame::{self, Canvas};
use crate::ui::progress::rows::{Notice, Row, Rows, State};
use crate::ui::stream::Stream;

/// The terminal when it does not tell its size.
const USUAL_SIZE: (u16, u16) = (80, 24);

/// A block at the bottom of the terminal.
pub(super) struct Tty {
    out: Stream,
    operation: String,
    paint: Paint,
    bar: ProgressBar,
    scrolled_away: BTreeSet<String>,
    drawn_at: Option<Duration>,
}

impl Tty {
    pub(super) fn new(out: Stream, operation: &str, paint: Paint) -> Self {
        let target = ProgressDrawTarget::term_like(Box::new(Screen::new(out.clone())));
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Self { out, operation: operation.to_owned(), paint, bar, scrolled_away: BTreeSet::new(), drawn_at: None }
    }

    fn canvas(&self, now: Duration) -> (Canvas, usize) {
        let (columns, height) = self.out.size().unwrap_or(USUAL_SIZE);
        (Canvas { columns: columns.into(), paint: self.paint, now }, usize::from(height).saturating_sub(2).max(1))
    }

    /// The block for a terminal with room for `most` rows, after letting finished rows scroll away as needed.
    fn draw(&mut self, rows: &Rows, now: Duration) {
        let (canvas, most) = self.canvas(now);
        let id_width = frame::id_width(rows.iter(), canvas.columns);
        let mut here: Vec<&Row> = rows.iter().filter(|row| !self.scrolled_away.contains(&row.id)).collect();
        if here.len() > most {
            let mut too_many = here.len() - most;
            let (leaving, staying): (Vec<&Row>, Vec<&Row>) = here.into_iter().partition(|row| {
                let leaves = too_many > 0 && row.state != State::Working;
                too_many -= usize::from(leaves);
                leaves
            });
            for line in frame::lines(leaving.iter().copied(), id_width, canvas) {
                self.bar.println(line);
            }
            self.scrolled_away.extend(leaving.into_iter().map(|row| row.id.clone()));
            here = staying;
        }
        let more = here.len().saturating_sub(most);
        if more > 0 {
            // Room for the line that says so.
            here.truncate(most.saturating_sub(1));
        }
        let mut block = vec![frame::header(&self.operation, rows, self.paint)];
        block.extend(frame::lines(here.iter().copied(), id_width, canvas));
        if more > 0 {
            block.push(format!(" ... {} more", more + 1));
        }
        // This draws it.
        self.bar.set_message(block.join("\n"));
    }
}

impl View for Tty {
    fn notice(&mut self, _: &Notice) {}

    fn frame(&mut self, rows: &Rows, now: Duration) {
        if !rows.is_empty() {
            self.drawn_at = Some(now);
            self.draw(rows, now);
        }
    }

    fn print(&mut self, _: Duration, write: &mut dyn FnMut()) {
        self.bar.suspend(write);
    }

    fn finish(&mut self, rows: &Rows, now: Duration) {
        self.bar.finish_and_clear();
        if rows.is_empty() {
            return;
        }
        let (canvas, _) = self.canvas(now);
        let left = rows.iter().filter(|row| !self.scrolled_away.contains(&row.id));
        self.out.line(&frame::header(&self.operation, rows, self.paint));
        for line in frame::lines(left, frame::id_width(rows.iter(), canvas.columns), canvas) {
            self.out.line(line.trim_end());
        }
    }
}

/// A terminal for indicatif: collects what is written and sends it at once, so that nothing flickers.
///
/// indicatif writes lines without ends and fills them up with blanks, so that the terminal wraps them. Wrapped lines are
/// one line to a terminal: they are copied as one and break in other places when the window changes. Here every line
/// ends, and what was behind it is cleared.
#[derive(Debug)]
struct Screen {
    out: Stream,
    frame: Mutex<Frame>,
}

/// What was written since the last flush.
#[derive(Debug, Default)]
struct Frame {
    text: String,
    lines: usize,
}

impl Screen {
    fn new(out: Stream) -> Self {
        Self { out, frame: Mutex::default() }
    }
    fn push(&self, text: &str) -> io::Result<()> {
        self.frame.lock().unwrap_or_else(PoisonError::into_inner).text.push_str(text);
        Ok(())
    }
    fn step(&self, count: usize, letter: char) -> io::Result<()> {
        if count > 0 { self.push(&format!("\u{1b}[{count}{letter}")) } else { Ok(()) }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.out.size().unwrap_or(USUAL_SIZE).0
    }
    fn height(&self) -> u16 {
        self.out.size().unwrap_or(USUAL_SIZE).1
    }
    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.step(n, 'A')
    }
    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.step(n, 'B')
    }
    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.step(n, 'C')
    }
    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.step(n, 'D')
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.push(text)?;
        self.push("\r\n")
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        if text == "\r" {
            return self.push(text);
        }
        // What fills a line up.
        if text.trim_matches(' ').is_empty() {
            return self.push("\u{1b}[K");
        }
        let mut frame = self.frame.lock().unwrap_or_else(PoisonError::into_inner);
        if frame.lines > 0 {
            frame.text.push_str("\r\n");
        }
        frame.lines += 1;
        frame.text.push_str(text.trim_end_matches(' '));
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        self.push("\r\u{1b}[2K")
    }
    fn flush(&self) -> io::Result<()> {
        let Frame { mut text, lines } = std::mem::take(&mut *self.frame.lock().unwrap_or_else(PoisonError::into_inner));
        if lines > 0 {
            // Keys that the terminal shows, as `^C`, stand where the next picture covers them, and never break a line.
            text.push('\r');
        }
        if !text.is_empty() {
            // The terminal shows all of it or nothing yet, where it knows this mark; others ignore it.
            self.out.text(&format!("\u{1b}[?2026h{text}\u{1b}[?2026l"));
        }
        Ok(())
    }
}
