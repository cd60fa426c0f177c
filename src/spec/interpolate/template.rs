//! The grammar of `$VAR` and `${VAR:-default}`: a text as a row of pieces.

use std::ops::Range;

/// A piece of a template; ranges are bytes of the template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Stands for itself.
    Text(Range<usize>),
    /// `$$`.
    Dollar,
    /// A variable.
    Variable {
        /// All of `$NAME` or `${…}`.
        whole: Range<usize>,
        name: Range<usize>,
        /// What follows the name in braces.
        operation: Option<(Operator, Range<usize>)>,
    },
    /// `${` with something else than a variable behind it.
    Invalid {
        /// The `${`.
        at: Range<usize>,
        /// The part of the template that docker compose names in its message.
        template: Range<usize>,
    },
}

/// What to do about a variable that is unset (or empty, with a colon).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) kind: OperatorKind,
    /// `:` before the sign: an empty value counts as unset.
    pub(super) or_empty: bool,
}

/// The sign of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OperatorKind {
    /// `-`: another value.
    Default,
    /// `+`: another value when it *is* set.
    Alternate,
    /// `?`: an error.
    Required,
}

/// Reads a template piece by piece.
pub(super) struct Pieces<'text> {
    text: &'text str,
    at: usize,
    /// Where the last `}` of the line around `at` is, and where that line ends: docker compose's pattern reaches to it.
    line: Option<(Option<usize>, usize)>,
    /// docker compose reads what follows `${A:-x}` up to the line's last `}` as a template of its own.
    part: Range<usize>,
}

impl<'text> Pieces<'text> {
    pub(super) fn new(text: &'text str) -> Self {
        Self { text, at: 0, line: None, part: 0..text.len() }
    }

    fn last_brace(&mut self, from: usize) -> Option<usize> {
        if self.line.is_none_or(|(_, end)| from >= end) {
            let rest = self.text.get(from..).unwrap_or_default();
            let end = rest.find('\n').map_or(self.text.len(), |at| from + at);
            let line = self.text.get(from..end).unwrap_or_default();
            self.line = Some((line.rfind('}').map(|at| from + at), end));
        }
        self.line.and_then(|(brace, _)| brace).filter(|brace| *brace >= from)
    }

    /// What stands behind `${`, which begins at `start`.
    fn braced(&mut self, start: usize) -> Piece {
        let bytes = self.text.as_bytes();
        let name = start + 2..start + 2 + name_length(self.text.get(start + 2..).unwrap_or_default());
        let invalid = Piece::Invalid { at: start..start + 2, template: self.part.clone() };
        if name.is_empty() {
            return invalid;
        }
        if bytes.get(name.end) == Some(&b'}') {
            return Piece::Variable { whole: start..name.end + 1, name, operation: None };
        }
        let or_empty = bytes.get(name.end) == Some(&b':');
        let sign = name.end + usize::from(or_empty);
        let kind = match bytes.get(sign) {
            Some(b'-') => OperatorKind::Default,
            Some(b'+') => OperatorKind::Alternate,
            Some(b'?') => OperatorKind::Required,
            _ => return invalid,
        };
        let Some(last) = self.last_brace(sign) else { return invalid };
        let closing = closing_brace(bytes, start, last).unwrap_or(last);
        if closing < last {
            self.part = closing + 1..last + 1;
        }
        let operation = Some((Operator { kind, or_empty }, sign + 1..closing));
        Piece::Variable { whole: start..closing + 1, name, operation }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        if start >= self.part.end {
            self.part = 0..self.text.len();
        }
        let piece = match rest.as_bytes() {
            [b'$', b'$', ..] => {
                self.at = start + 2;
                return Some(Piece::Dollar);
            }
            [b'$', b'{', ..] => self.braced(start),
            [b'$', ..] if name_length(&rest[1..]) > 0 => {
                let end = start + 1 + name_length(&rest[1..]);
                Piece::Variable { whole: start..end, name: start + 1..end, operation: None }
            }
            _ => {
                // A lone `$` stands for itself, and so does all up to the next one.
                let next = rest.bytes().skip(1).position(|byte| byte == b'$').map_or(rest.len(), |at| at + 1);
                Piece::Text(start..start + next)
            }
        };
        self.at = match &piece {
            Piece::Dollar => start + 2,
            Piece::Text(range) | Piece::Variable { whole: range, .. } | Piece::Invalid { at: range, .. } => range.end,
        };
        Some(piece)
    }
}

fn name_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'_' | b'a'..=b'z' | b'A'..=b'Z') => {
            bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
        }
        _ => 0,
    }
}

/// The `}` that balances the first `{` from `start` on, up to `last`.
fn closing_brace(bytes: &[u8], start: usize, last: usize) -> Option<usize> {
    let mut open = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(last + 1).skip(start) {
        match byte {
            b'{' => open += 1,
            b'}' if open == 1 => return Some(at),
            b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    None
}
