//! Colours, and whether there are any.

use anstyle::{AnsiColor, Style};

/// `--ansi`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ansi {
    /// Where the output is a terminal.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

impl Ansi {
    /// Reads the flag; any other word behaves as `never`, as docker compose's does.
    pub fn parse(word: &str) -> Self {
        match word {
            "auto" => Self::Auto,
            "always" => Self::Always,
            _ => Self::Never,
        }
    }
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Done,
    /// It goes on.
    Working,
    /// To be looked at.
    Warning,
    /// It failed.
    Error,
    /// Times and headers.
    Quiet,
    /// Explanations beside the fact.
    Dim,
}

/// Puts colours on text, or leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint {
    colour: bool,
}

impl Paint {
    /// Colours for a stream: `--ansi` first, then `NO_COLOR` (any value but an empty one), then whether it is a terminal.
    pub fn choose(ansi: Ansi, no_color: bool, terminal: bool) -> Self {
        let colour = match ansi {
            Ansi::Never => false,
            Ansi::Always => !no_color,
            Ansi::Auto => terminal && !no_color,
        };
        Self { colour }
    }
    /// No colours.
    pub fn plain() -> Self {
        Self { colour: false }
    }
    /// Colours.
    pub fn coloured() -> Self {
        Self { colour: true }
    }
    /// Whether there are colours.
    pub fn is_coloured(self) -> bool {
        self.colour
    }
    /// The text in the colour of its meaning.
    pub fn tone(self, tone: Tone, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Done => AnsiColor::Green.on_default(),
            Tone::Working => AnsiColor::Yellow.on_default(),
            Tone::Warning => AnsiColor::Yellow.on_default().bold(),
            Tone::Error => AnsiColor::Red.on_default().bold(),
            Tone::Quiet => AnsiColor::Blue.on_default(),
            Tone::Dim => Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_wins_over_variable_wins_over_terminal() {
        for (ansi, no_color, terminal, colour) in [
            ("auto", false, true, true),
            ("auto", false, false, false),
            ("auto", true, true, false),
            ("always", false, false, true),
            ("always", true, true, false),
            ("never", false, true, false),
            ("foo", false, true, false),
        ] {
            let paint = Paint::choose(Ansi::parse(ansi), no_color, terminal);
            assert_eq!(paint.is_coloured(), colour, "{ansi} {no_color} {terminal}");
        }
        assert_eq!(Paint::coloured().tone(Tone::Done, "x"), "\u{1b}[32mx\u{1b}[0m");
        assert_eq!(Paint::plain().tone(Tone::Done, "x"), "x");
    }
}
