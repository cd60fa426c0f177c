//! Tables as docker prints them: columns as wide as their widest cell and three blanks, the last one ragged.

use std::io::Write;

/// How wide columns are at least, and what is between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Narrowest column, the gap included.
    pub narrowest: usize,
    /// Blanks after the widest cell.
    pub gap: usize,
}

impl Layout {
    /// `ps`, `volumes`, `stats`.
    pub const DOCKER: Self = Self { narrowest: 10, gap: 3 };
    /// `ls`, `images`, `config --variables`.
    pub const WIDE: Self = Self { narrowest: 20, gap: 3 };
    /// `top`.
    pub const TOP: Self = Self { narrowest: 4, gap: 2 };
}

/// The table as text, a newline after each row. Tabs and newlines in cells become blanks.
pub fn render<C: AsRef<str>>(layout: Layout, rows: impl IntoIterator<Item = impl IntoIterator<Item = C>>) -> String {
    let mut writer =
        tabwriter::TabWriter::new(Vec::new()).minwidth(layout.narrowest.saturating_sub(layout.gap)).padding(layout.gap);
    for row in rows {
        let cells: Vec<String> = row
            .into_iter()
            .map(|cell| cell.as_ref().chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
            .collect();
        // A buffer in memory takes everything.
        let _ = writeln!(writer, "{}", cells.join("\t"));
    }
    let _ = writer.flush();
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_docker_makes_them() {
        let rows = [["NAME", "IMAGE", "PORTS"], ["facts-web-1", "日本", ""], ["b", "c", "80/tcp"]];
        insta::assert_snapshot!(render(Layout::DOCKER, rows).replace(' ', "."), @r"
        NAME..........IMAGE.....PORTS
        facts-web-1...日本......
        b.............c.........80/tcp
        ");
        insta::assert_snapshot!(render(Layout::WIDE, rows).replace(' ', "."), @r"
        NAME................IMAGE...............PORTS
        facts-web-1.........日本................
        b...................c...................80/tcp
        ");
    }
}
