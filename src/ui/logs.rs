//! Lines of containers, each behind its name and in its colour.

use unicode_width::UnicodeWidthStr;

/// Colours in the order in which containers get them; after the last the first comes again.
const COLOURS: [&str; 10] = ["36", "33", "32", "35", "34", "36;1", "33;1", "32;1", "35;1", "34;1"];

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

/// Puts names before lines.
#[derive(Clone, Debug)]
pub struct Lines {
    style: Style,
    width: usize,
    names: Vec<String>,
    /// What stands before the lines of each.
    prefixes: Vec<String>,
}

impl Lines {
    /// No container yet.
    pub fn new(style: Style) -> Self {
        Self { style, width: 0, names: Vec::new(), prefixes: Vec::new() }
    }

    /// A container by the name that stands before its lines; the same name is the same container. Names that are known
    /// before the first line make all prefixes equally wide.
    pub fn speaker(&mut self, name: &str) -> Speaker {
        if let Some(at) = self.names.iter().position(|known| known == name) {
            return Speaker(at);
        }
        self.width = self.width.max(name.width());
        self.names.push(name.to_owned());
        if self.style.prefix {
            self.prefixes = (0..self.names.len()).map(|at| self.prefix(Speaker(at))).collect();
        }
        Speaker(self.names.len() - 1)
    }

    /// Adds a line as it is shown, with its end. `time` stands between prefix and line.
    pub fn line(&self, speaker: Speaker, time: Option<&str>, line: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefixes.get(speaker.0).map_or(&[], String::as_bytes));
        if let Some(time) = time {
            out.extend_from_slice(time.as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }

    fn prefix(&self, speaker: Speaker) -> String {
        let name = self.name(speaker);
        let blanks = " ".repeat(self.width.saturating_sub(name.width()) + 1);
        self.coloured(speaker, &format!("{name}{blanks} | "))
    }

    /// `web-1 exited with code 0`, over whatever stands on the line.
    pub fn exited(&self, speaker: Speaker, code: i64, restarting: bool) -> String {
        let again = if restarting { " (restarting)" } else { "" };
        let text = format!("{} exited with code {code}{again}", self.name(speaker));
        format!("\r\u{1b}[K{}\n", self.coloured(speaker, &text))
    }

    fn name(&self, speaker: Speaker) -> &str {
        self.names.get(speaker.0).map_or("", String::as_str)
    }

    fn coloured(&self, speaker: Speaker, text: &str) -> String {
        match COLOURS.get(speaker.0 % COLOURS.len()) {
            Some(colour) if self.style.colour => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }
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

    fn shown(lines: &Lines, speaker: Speaker, time: Option<&str>, line: &[u8]) -> String {
        let mut out = Vec::new();
        lines.line(speaker, time, line, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn prefixes_are_equally_wide_once_names_are_known() {
        let mut lines = Lines::new(Style { prefix: true, colour: false });
        let web = lines.speaker("web-1");
        let db = lines.speaker("database-1");
        assert_eq!(lines.speaker("web-1"), web);
        assert_eq!(shown(&lines, web, None, b"hello\r"), "web-1       | hello\r\n");
        assert_eq!(shown(&lines, db, Some("T"), b""), "database-1  | T \n");
        assert_eq!(lines.exited(web, 1, true), "\r\u{1b}[Kweb-1 exited with code 1 (restarting)\n");
    }

    #[test]
    fn colours_come_in_order_and_only_when_wanted() {
        let mut lines = Lines::new(Style { prefix: true, colour: true });
        let first = lines.speaker("a");
        let second = lines.speaker("b");
        assert_eq!(shown(&lines, first, None, b"x"), "\u{1b}[36ma  | \u{1b}[0mx\n");
        assert_eq!(shown(&lines, second, None, b"x"), "\u{1b}[33mb  | \u{1b}[0mx\n");
        let mut lines = Lines::new(Style { prefix: false, colour: true });
        let first = lines.speaker("a");
        assert_eq!(shown(&lines, first, None, b"x"), "x\n");
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
