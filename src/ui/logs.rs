//! Lines of containers, each behind its name and in its colour.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthStr;

/// Colours in the order in which containers get them; after the last the first comes again.
const COLOURS: [&str; 10] = ["36", "33", "32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1"];
/// A line that goes on for longer than this is written in pieces.
const LONGEST_LINE: usize = 1024 * 1024;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// With the container's name in front.
    pub prefix: bool,
    /// In colours.
    pub colour: bool,
}

/// A container among those that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speaker(usize);

#[derive(Clone, Debug)]
struct Voice {
    name: String,
    /// What came after the last newline, per output, and whether such a line was begun already.
    pending: BTreeMap<u8, Vec<u8>>,
}

/// Turns chunks of bytes into lines.
#[derive(Clone, Debug)]
pub struct Lines {
    style: Style,
    width: usize,
    voices: Vec<Voice>,
}

impl Lines {
    /// No container yet.
    pub fn new(style: Style) -> Self {
        Self { style, width: 0, voices: Vec::new() }
    }

    /// A container by the name that stands before its lines; the same name is the same container. Names that are known
    /// before the first line make all prefixes equally wide.
    pub fn speaker(&mut self, name: &str) -> Speaker {
        if let Some(at) = self.voices.iter().position(|voice| voice.name == name) {
            return Speaker(at);
        }
        self.width = self.width.max(name.width());
        self.voices.push(Voice { name: name.to_owned(), pending: BTreeMap::new() });
        Speaker(self.voices.len() - 1)
    }

    /// Takes bytes of one of its outputs and gives the lines that are complete now. `time` stands between prefix and
    /// line.
    pub fn chunk(&mut self, speaker: Speaker, output: u8, bytes: &[u8], time: Option<&str>) -> Vec<u8> {
        let prefix = self.prefix(speaker);
        let Some(voice) = self.voices.get_mut(speaker.0) else { return Vec::new() };
        let pending = voice.pending.entry(output).or_default();
        let mut out = Vec::with_capacity(bytes.len() + prefix.len());
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            pending.extend_from_slice(piece);
            if piece.ends_with(b"\n") || pending.len() > LONGEST_LINE {
                write_line(&mut out, &prefix, time, pending);
                pending.clear();
            }
        }
        out
    }

    /// What was written without a newline at the end.
    pub fn rest(&mut self, speaker: Speaker, time: Option<&str>) -> Vec<u8> {
        let prefix = self.prefix(speaker);
        let Some(voice) = self.voices.get_mut(speaker.0) else { return Vec::new() };
        let mut out = Vec::new();
        for pending in voice.pending.values_mut().filter(|pending| !pending.is_empty()) {
            write_line(&mut out, &prefix, time, pending);
            pending.clear();
        }
        out
    }

    /// `web-1 exited with code 0`, over whatever stands on the line.
    pub fn exited(&self, speaker: Speaker, code: i64, restarting: bool) -> String {
        let again = if restarting { " (restarting)" } else { "" };
        let name = self.voices.get(speaker.0).map_or("", |voice| voice.name.as_str());
        let text = format!("{name} exited with code {code}{again}");
        format!("\r\u{1b}[K{}\n", self.coloured(speaker, &text))
    }

    fn prefix(&self, speaker: Speaker) -> String {
        if !self.style.prefix {
            return String::new();
        }
        let name = self.voices.get(speaker.0).map_or("", |voice| voice.name.as_str());
        let blanks = " ".repeat(self.width.saturating_sub(name.width()) + 1);
        self.coloured(speaker, &format!("{name}{blanks} | "))
    }

    fn coloured(&self, speaker: Speaker, text: &str) -> String {
        match COLOURS.get(speaker.0 % COLOURS.len()) {
            Some(colour) if self.style.colour => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }
}

fn write_line(out: &mut Vec<u8>, prefix: &str, time: Option<&str>, line: &[u8]) {
    out.extend_from_slice(prefix.as_bytes());
    if let Some(time) = time {
        out.extend_from_slice(time.as_bytes());
        out.push(b' ');
    }
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    out.push(b'\n');
}

/// The name before a container's lines: `web-1`, or the whole container name when that is a custom one.
pub fn display_name(project: &str, service: &str, number: Option<u32>, container: &str) -> String {
    if let Some(number) = number {
        for separator in ["-", "_"] {
            if container == format!("{project}{separator}{service}{separator}{number}") {
                return format!("{service}-{number}");
            }
        }
    }
    container.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn chunks_become_whole_lines_behind_equal_prefixes() {
        let mut lines = Lines::new(Style { prefix: true, colour: false });
        let web = lines.speaker("web-1");
        let db = lines.speaker("database-1");
        assert_eq!(lines.speaker("web-1"), web);
        assert_eq!(text(&lines.chunk(web, 1, b"hel", None)), "");
        assert_eq!(text(&lines.chunk(web, 2, b"error\n", None)), "web-1       | error\n");
        assert_eq!(text(&lines.chunk(web, 1, b"lo\r\nnext\nrest", None)), "web-1       | hello\nweb-1       | next\n");
        assert_eq!(text(&lines.chunk(db, 1, b"\n", Some("T"))), "database-1  | T \n");
        assert_eq!(text(&lines.rest(web, None)), "web-1       | rest\n");
        assert_eq!(text(&lines.rest(web, None)), "");
        assert_eq!(lines.exited(web, 1, true), "\r\u{1b}[Kweb-1 exited with code 1 (restarting)\n");
    }

    #[test]
    fn colours_come_in_order_and_only_when_wanted() {
        let mut lines = Lines::new(Style { prefix: true, colour: true });
        let first = lines.speaker("a");
        let second = lines.speaker("b");
        assert_eq!(text(&lines.chunk(first, 1, b"x\n", None)), "\u{1b}[36ma  | \u{1b}[0mx\n");
        assert_eq!(text(&lines.chunk(second, 1, b"x\n", None)), "\u{1b}[33mb  | \u{1b}[0mx\n");
        let mut lines = Lines::new(Style { prefix: false, colour: true });
        let first = lines.speaker("a");
        assert_eq!(text(&lines.chunk(first, 1, b"x\n", None)), "x\n");
    }

    #[test]
    fn custom_container_names_are_kept() {
        for (service, number, container, shown) in [
            ("web", Some(1), "p-web-1", "web-1"),
            ("web", Some(2), "p_web_2", "web-2"),
            ("web", Some(1), "frontend", "frontend"),
            ("web", None, "p-web-run-0123", "p-web-run-0123"),
        ] {
            assert_eq!(display_name("p", service, number, container), shown);
        }
    }
}
