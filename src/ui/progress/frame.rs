//! One picture of the rows: lines that fit into a terminal.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::ui::paint::{Paint, Tone};
use crate::ui::progress::rows::{Layer, Row, Rows, State};
use crate::ui::units;

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FILL: [char; 9] = ['⠀', '⡀', '⣀', '⣄', '⣤', '⣦', '⣶', '⣷', '⣿'];
const NARROWEST_ID: usize = 10;
/// More layers than this are drawn as this many.
const LAYERS_DRAWN: usize = 20;

/// What a frame is drawn with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Canvas {
    pub(super) columns: usize,
    pub(super) paint: Paint,
    pub(super) now: Duration,
}

/// `[+] up 3/4`, blue once all is settled.
pub(super) fn header(operation: &str, rows: &Rows, paint: Paint) -> String {
    let text = format!("[+] {operation} {}/{}", rows.settled(), rows.len());
    if rows.settled() == rows.len() { paint.tone(Tone::Quiet, &text) } else { text }
}

/// Columns for names, so that the lines of all rows line up.
pub(super) fn id_width<'a>(all: impl Iterator<Item = &'a Row>, columns: usize) -> usize {
    // Sign, blanks, a status word and the timer need the rest.
    const REST: usize = 24;
    // On the smallest terminals only sign, blanks and timer stand beside names.
    const LEAST_REST: usize = 15;
    let longest = all.map(|row| row.id.width()).max().unwrap_or(0);
    let most = columns.saturating_sub(REST).max(NARROWEST_ID).min(columns.saturating_sub(LEAST_REST).max(1));
    longest.min(most)
}

/// A line for each of the rows.
pub(super) fn lines<'a>(rows: impl Iterator<Item = &'a Row>, id_width: usize, canvas: Canvas) -> Vec<String> {
    rows.map(|row| line(row, id_width, canvas)).collect()
}

fn line(row: &Row, id_width: usize, canvas: Canvas) -> String {
    let Canvas { columns, paint, now } = canvas;
    let (sign, sign_tone, status_tone) = match row.state {
        State::Working => {
            let turn = usize::try_from(now.as_millis() / 100).unwrap_or(0) % SPINNER.len();
            (SPINNER.get(turn).copied().unwrap_or("-"), Tone::Working, None)
        }
        State::Done => ("✔", Tone::Done, Some(Tone::Done)),
        State::Warning => ("!", Tone::Warning, Some(Tone::Warning)),
        State::Error => ("✘", Tone::Error, Some(Tone::Error)),
    };
    let timer = format!("{:.1}s", row.ended.unwrap_or(now).saturating_sub(row.began).as_secs_f64());
    let id = padded(&shortened(&row.id, id_width), id_width);
    // ` S id  status details   timer `: what is left for the middle after the fixed parts.
    let fixed = 1 + 1 + 1 + id_width + 2 + 1 + timer.len() + 1;
    let room = columns.saturating_sub(fixed);
    let status = shortened(&row.status, room);
    let mut used = status.width();
    let mut middle = match status_tone {
        Some(tone) => paint.tone(tone, &status),
        None => status,
    };
    let bars = if row.state == State::Working { layer_bars(&row.layers) } else { String::new() };
    let details = if bars.is_empty() { row.details.replace(|c: char| c.is_control(), " ") } else { bars };
    if !details.is_empty() && used + 2 < room {
        let details = shortened(&details, room - used - 1);
        used += 1 + details.width();
        middle.push(' ');
        middle.push_str(&paint.tone(Tone::Dim, &details));
    }
    let pad = " ".repeat(room.saturating_sub(used) + 1);
    format!(" {} {id}  {middle}{pad}{} ", paint.tone(sign_tone, sign), paint.tone(Tone::Quiet, &timer))
}

/// `[⣿⣿⡀] 12.3MB / 45MB`
fn layer_bars(layers: &indexmap::IndexMap<String, Layer>) -> String {
    if layers.is_empty() {
        return String::new();
    }
    let bars: String = layers.values().take(LAYERS_DRAWN).map(bar).collect();
    let current: u64 = layers.values().map(|layer| layer.current).sum();
    let total: u64 = layers.values().map(|layer| layer.total).sum();
    if total == 0 { format!("[{bars}]") } else { format!("[{bars}] {} / {}", size(current), size(total)) }
}

fn bar(layer: &Layer) -> char {
    let full = FILL.len() as u64 - 1;
    let level = if layer.done { full } else { (layer.current * full).checked_div(layer.total).unwrap_or(0) };
    usize::try_from(level.min(full)).ok().and_then(|level| FILL.get(level)).copied().unwrap_or(' ')
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn size(bytes: u64) -> String {
    units::decimal_size(bytes as f64, 3)
}

/// Cut to a width in columns, with `...` at the end when something is cut off.
pub(super) fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let dots = ".".repeat(width.min(3));
    let mut left = width - dots.len();
    let mut out = String::new();
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if wide > left {
            break;
        }
        left -= wide;
        out.push(c);
    }
    out + &dots
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, state: State, status: &str, details: &str) -> Row {
        Row {
            id: id.into(),
            state,
            status: status.into(),
            details: details.into(),
            ended: (state != State::Working).then_some(Duration::from_millis(1250)),
            ..Row::default()
        }
    }

    fn drawn(columns: usize) -> Vec<String> {
        let mut pulling = row("Image nginx", State::Working, "Pulling", "");
        for (id, current, done) in [("a", 50, false), ("b", 100, true), ("c", 0, false)] {
            let layer = Layer { status: "Downloading".into(), current, total: 100, done };
            pulling.layers.insert(id.into(), layer);
        }
        let rows = [
            row("Container p-web-1", State::Done, "Recreated", "image changed: a → b"),
            row("Container p-数据库-1", State::Error, "Error", "no such image"),
            pulling,
        ];
        let canvas = Canvas { columns, paint: Paint::plain(), now: Duration::from_millis(2300) };
        lines(rows.iter(), id_width(rows.iter(), columns), canvas)
    }

    #[test]
    fn lines_line_up_and_fit() {
        insta::assert_snapshot!(format!("---\n{}", drawn(70).join("|\n")), @r"
        ---
         ✔ Container p-web-1     Recreated image changed: a → b          1.2s |
         ✘ Container p-数据库-1  Error no such image                     1.2s |
         ⠸ Image nginx           Pulling [⣤⣿⠀] 150B / 300B               2.3s
        ");
        for columns in [0, 1, 10, 33, 40, 80, 500] {
            for line in drawn(columns) {
                assert!(line.width() <= columns.max(60), "{columns}: {line}");
            }
        }
    }

    #[test]
    fn text_is_cut_at_columns_and_not_at_characters() {
        for (text, width, cut) in [
            ("abcdef", 6, "abcdef"),
            ("abcdef", 5, "ab..."),
            ("数据库数据", 8, "数据..."),
            ("abc", 2, ".."),
            ("abc", 0, ""),
        ] {
            assert_eq!(shortened(text, width), cut);
        }
    }
}
