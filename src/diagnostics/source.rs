//! The texts that findings point into.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which source; given out by [`SourceMap::add`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A range of bytes in one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// In which source.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Line and column, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// One text: a compose file, an env file, an argument.
#[derive(Clone, Debug)]
pub struct Source {
    /// How it is shown: the path as the user would write it, `<stdin>`, `--scale`.
    pub name: String,
    /// Absolute path, when it is a file.
    pub path: Option<PathBuf>,
    /// The whole text.
    pub text: Arc<str>,
    /// Whether it is full of secrets: findings name its places and never show its lines.
    pub private: bool,
    line_starts: Vec<u32>,
}

impl Source {
    /// Line and column of a byte; past the end means the end.
    pub fn position(&self, byte: u32) -> Position {
        let byte = byte.min(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        let line = self.line_starts.partition_point(|start| *start <= byte).saturating_sub(1);
        let start = self.line_starts.get(line).copied().unwrap_or(0) as usize;
        let column = self.text.get(start..byte as usize).map_or(0, |before| before.chars().count());
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1),
            column: u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1),
        }
    }
}

/// All texts of one load; a copy shares the texts.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Arc<Source>>,
}

impl SourceMap {
    /// Keeps a text and names it.
    pub fn add(&mut self, name: impl Into<String>, path: Option<&Path>, text: impl Into<Arc<str>>) -> FileId {
        self.keep(name.into(), path, text.into(), false)
    }
    /// Keeps a text that may hold secrets, like a file of variables: its lines are never shown.
    pub fn add_private(&mut self, name: impl Into<String>, path: Option<&Path>, text: impl Into<Arc<str>>) -> FileId {
        self.keep(name.into(), path, text.into(), true)
    }
    fn keep(&mut self, name: String, path: Option<&Path>, text: Arc<str>, private: bool) -> FileId {
        let mut line_starts = vec![0];
        line_starts.extend(
            text.bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .filter_map(|(at, _)| u32::try_from(at + 1).ok()),
        );
        let id = FileId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        self.sources.push(Arc::new(Source { name, path: path.map(Path::to_owned), text, private, line_starts }));
        id
    }
    /// The source behind an id; `None` only for an id of another map.
    pub fn get(&self, id: FileId) -> Option<&Source> {
        self.sources.get(id.0 as usize).map(Arc::as_ref)
    }
    /// All sources with their ids, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        (0..u32::MAX).map(FileId).zip(self.sources.iter().map(Arc::as_ref))
    }
    /// `compose.yaml:4:7`, or an empty text for an id of another map.
    pub fn place(&self, span: Span) -> String {
        self.get(span.file).map_or_else(String::new, |source| {
            let at = source.position(span.start);
            format!("{}:{}:{}", source.name, at.line, at.column)
        })
    }
}
