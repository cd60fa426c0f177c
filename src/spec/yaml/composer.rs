//! Events to trees: anchors, merge keys, tags, duplicate keys, and an end to bombs.
//!
//! Frames of open collections lie on a list of our own, not on the call stack, and the depth of finished trees is
//! limited too, so that whoever walks or drops a tree may recurse.

use std::collections::BTreeMap;

use super::apostrophe::Apostrophes;
use super::event::{Event, EventKind, Parser, Problem, Properties, Style};
use super::frame::{
    Anchored, Built, Content, Frame, Key, compose_tag, is_merge, merge_sources, path, scalar_text, size,
};
use super::problem::{ALIAS, DUPLICATE_KEY, KEY_TYPE, LIMIT, TAG, syntax};
use super::scalar::{ScalarTag, resolve};
use crate::diagnostics::{Diagnostic, FileId, Span};
use crate::spec::tree::{Mapping, Node, Value};

/// How deep collections may nest, aliases included.
pub const MAX_DEPTH: usize = 1_024;
/// How many values may be written in one file.
pub const MAX_NODES: usize = 1_000_000;
/// How many values aliases may repeat in one file.
pub const MAX_COPIES: usize = 250_000;
/// After so many findings the rest is not worth reading.
const MAX_FINDINGS: usize = 100;

/// The documents of a text, one node each; a text without any content has none. Anchors of one document are known in
/// the next, as for docker compose.
///
/// `text` is what [`super::decode_text`] gave, and `file` its id. Errors are all that were found, in the order of the
/// text; the first label is the culprit.
pub fn parse(text: &str, file: FileId) -> Result<Vec<Node>, Vec<Diagnostic>> {
    let mut apostrophes = Apostrophes::default();
    for _ in 0..MAX_FINDINGS {
        let mut composer = Composer::new(apostrophes.text(text), file, apostrophes.stand_in);
        match composer.run() {
            Some(at) => apostrophes.replace(text, at),
            None if composer.findings.is_empty() => return Ok(composer.documents),
            None => return Err(composer.findings),
        }
    }
    let start = Span { file, start: 0, end: 0 };
    Err(vec![syntax("found unknown escape character", start, text).hint("write `'` instead of `\\'`")])
}

struct Composer<'text> {
    file: FileId,
    text: &'text str,
    /// Stands for `\'` in double-quoted scalars.
    stand_in: Option<char>,
    anchors: BTreeMap<String, Anchored>,
    frames: Vec<Frame>,
    documents: Vec<Node>,
    findings: Vec<Diagnostic>,
    nodes: usize,
    copies: usize,
}

/// Reading cannot go on; the reason is among the findings.
struct Stop;

impl<'text> Composer<'text> {
    fn new(text: &'text str, file: FileId, stand_in: Option<char>) -> Self {
        Self {
            file,
            text,
            stand_in,
            anchors: BTreeMap::new(),
            frames: Vec::new(),
            documents: Vec::new(),
            findings: Vec::new(),
            nodes: 0,
            copies: 0,
        }
    }

    /// Reads to the end or to what ends it; the answer is where a `\'` has to be replaced before reading again.
    fn run(&mut self) -> Option<u32> {
        let mut parser = Parser::new(self.text);
        loop {
            let event = match parser.next() {
                Ok(Event { kind: EventKind::StreamEnd, .. }) => return None,
                Ok(event) => event,
                Err(problem) => return self.broken(&problem),
            };
            if self.step(event).is_err() || self.findings.len() >= MAX_FINDINGS {
                return None;
            }
        }
    }

    fn step(&mut self, event: Event) -> Result<(), Stop> {
        let span = self.span(self.place_of(event.start), self.place_of(event.end));
        match event.kind {
            EventKind::Nothing
            | EventKind::StreamEnd
            | EventKind::DocumentEnd
            | EventKind::DocumentStart { version: None | Some((1, 1)) } => Ok(()),
            EventKind::DocumentStart { version: Some(_) } => {
                self.findings.push(syntax("found incompatible YAML document", span, self.text));
                Err(Stop)
            }
            EventKind::Alias { anchor } => self.alias(&anchor, span),
            EventKind::Scalar { properties, value, style } => self.scalar(properties, value, style, span),
            EventKind::SequenceStart { properties, flow } => {
                self.open(properties, flow, span, Content::Sequence(Vec::new()))
            }
            EventKind::MappingStart { properties, flow } => {
                let content =
                    Content::Mapping { entries: Mapping::default(), key: None, merges: Vec::new(), merge_key: None };
                self.open(properties, flow, span, content)
            }
            EventKind::SequenceEnd | EventKind::MappingEnd => self.close(span),
        }
    }

    // Nodes

    fn scalar(&mut self, properties: Properties, mut value: String, style: Style, span: Span) -> Result<(), Stop> {
        self.count(span)?;
        let quoted = style != Style::Plain;
        let span = if properties.written() { self.without_properties(span) } else { span };
        let span = if style == Style::Block { self.without_trailing_space(span) } else { span };
        if style == Style::DoubleQuoted
            && let Some(at) = escaped_slash(self.text.get(span.start as usize..span.end as usize).unwrap_or_default())
        {
            let start = span.start + at;
            let escape = Span { start, end: start + 2, ..span };
            self.findings.push(syntax("found unknown escape character", escape, self.text));
        }
        if let Some(stand_in) = self.stand_in
            && style == Style::DoubleQuoted
        {
            value = value.replace(stand_in, "'");
        }
        if value == "<<" && self.expects_key() && is_merge(properties.tag.as_deref(), quoted) {
            return self.key(Key::Merge(span));
        }
        let wrap = !quoted && self.in_flow() && self.question_mark(&mut value, span)?;
        let tag = ScalarTag::of(properties.tag.as_deref());
        // Only keys are looked at as texts.
        let text = if wrap || self.expects_key() { Some(value.clone()) } else { None };
        let value = resolve(tag, quoted, value).unwrap_or_else(|problem| {
            self.findings.push(Diagnostic::error(TAG, problem).at(span, ""));
            Value::Null
        });
        let node = Node { value, tag: compose_tag(properties.tag.as_deref()), span, origin: None };
        if wrap {
            return self.single_key(&node, text.unwrap_or_default(), span);
        }
        let built = Built { node, nodes: 1, height: 0 };
        if let Some(anchor) = properties.anchor {
            self.anchors.insert(anchor, Anchored::Done(built.clone()));
        }
        self.place(built, text, false)
    }

    /// In flow collections yaml.v3 takes every `?` for the sign of a key: `[?a]` is `[{a: null}]`, and `[a?]` is an
    /// error. Strips the sign; the answer is whether the scalar has to become a mapping of its own.
    fn question_mark(&mut self, value: &mut String, span: Span) -> Result<bool, Stop> {
        if !value.contains('?') {
            return Ok(false);
        }
        let expects_key = self.expects_key();
        let in_sequence = matches!(self.frames.last(), Some(Frame { content: Content::Sequence(_), .. }));
        match value.strip_prefix('?') {
            Some(rest) if (expects_key || in_sequence) && !rest.contains('?') => {
                *value = rest.to_owned();
                Ok(in_sequence)
            }
            stripped => {
                let what = match stripped {
                    Some(_) => "did not find expected node content",
                    None if in_sequence => "did not find expected ',' or ']'",
                    None => "did not find expected ',' or '}'",
                };
                self.findings.push(syntax(what, span, self.text));
                Err(Stop)
            }
        }
    }

    /// The mapping `{text: null}` where `?text` stood in a list.
    fn single_key(&mut self, key: &Node, text: String, span: Span) -> Result<(), Stop> {
        let mut entries = Mapping::default();
        if matches!(key.value, Value::String(_)) {
            entries.insert(text, span, Node::new(Value::Null, Span { start: span.end, ..span }));
        } else {
            self.refuse_key(key, &text);
        }
        self.place(Built { node: Node::new(Value::Mapping(entries), span), nodes: 2, height: 1 }, None, false)
    }

    fn alias(&mut self, anchor: &str, span: Span) -> Result<(), Stop> {
        let built = match self.anchors.get(anchor) {
            Some(Anchored::Done(built)) => {
                self.copies += built.nodes;
                if self.copies > MAX_COPIES {
                    let message = format!("aliases repeat more than {MAX_COPIES} values");
                    self.findings.push(Diagnostic::error(LIMIT, message).at(span, "here the limit is passed"));
                    return Err(Stop);
                }
                built.clone()
            }
            Some(Anchored::Open(opened)) => {
                let message = format!("cycle detected: the alias `{anchor}` stands inside of its own anchor");
                self.findings.push(Diagnostic::error(ALIAS, message).at(span, "").at(*opened, "the anchor"));
                Built { node: Node::new(Value::Null, span), nodes: 1, height: 0 }
            }
            None => {
                let mut finding =
                    Diagnostic::error(ALIAS, format!("unknown anchor '{anchor}' referenced")).at(span, "");
                finding = match self.similar_anchor(anchor) {
                    Some(similar) => finding.hint(format!("did you mean `*{similar}`?")),
                    None => finding.hint(format!("an anchor `&{anchor}` has to stand above it in the same file")),
                };
                self.findings.push(finding);
                Built { node: Node::new(Value::Null, span), nodes: 1, height: 0 }
            }
        };
        if self.frames.len() + built.height > MAX_DEPTH {
            return self.too_deep(span);
        }
        let text = scalar_text(&built.node);
        self.place(built, text, true)
    }

    fn similar_anchor(&self, anchor: &str) -> Option<&str> {
        self.anchors
            .keys()
            .map(|known| (strsim::damerau_levenshtein(known, anchor), known.as_str()))
            .filter(|(distance, known)| *distance <= 2 && *distance < known.len())
            .min()
            .map(|(_, known)| known)
    }

    fn open(&mut self, properties: Properties, flow: bool, span: Span, content: Content) -> Result<(), Stop> {
        self.count(span)?;
        if self.frames.len() >= MAX_DEPTH {
            return self.too_deep(span);
        }
        if let Some(anchor) = &properties.anchor {
            self.anchors.insert(anchor.clone(), Anchored::Open(span));
        }
        let tag = compose_tag(properties.tag.as_deref());
        // The event begins with the properties and ends with the bracket, or before the first key or item.
        let start = if properties.written() { span.end - u32::from(flow && span.end > span.start) } else { span.start };
        let span = Span { start, ..span };
        self.frames.push(Frame { span, tag, anchor: properties.anchor, flow, nodes: 1, height: 1, content });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Stop> {
        let Some(Frame { mut span, tag, anchor, flow, mut nodes, height, content }) = self.frames.pop() else {
            return Ok(());
        };
        if flow {
            span.end = end.end.max(span.start);
        }
        let value = match content {
            Content::Sequence(mut items) => {
                items.shrink_to_fit();
                Value::Sequence(items)
            }
            Content::Mapping { mut entries, merges, .. } => {
                entries.shrink();
                let merged = !merges.is_empty();
                for source in merges {
                    let Value::Mapping(source) = source.value else { continue };
                    for (key, entry) in source.into_entries() {
                        if !entries.contains_key(&key) {
                            entries.insert(key, entry.key_span, entry.node);
                        }
                    }
                }
                if merged {
                    // Of what was taken in only what stayed counts, else nested merges would seem to explode.
                    nodes = 1 + entries.iter().map(|(_, entry)| size(&entry.node)).sum::<usize>();
                }
                Value::Mapping(entries)
            }
        };
        let built = Built { node: Node { value, tag, span, origin: None }, nodes, height };
        if let Some(anchor) = anchor {
            // The copy that the anchor keeps costs memory like any other.
            self.copies += nodes / 2;
            self.anchors.insert(anchor, Anchored::Done(built.clone()));
        }
        self.place(built, None, false)
    }

    /// Puts a finished node where it belongs. `text` is that of a scalar, for keys.
    fn place(&mut self, built: Built, text: Option<String>, by_alias: bool) -> Result<(), Stop> {
        let Built { node, nodes, height } = built;
        if self.expects_key() {
            let Some(text) = text else {
                let message = format!("invalid map key: {}", node.kind());
                self.findings.push(Diagnostic::error(KEY_TYPE, message).at(node.span, "a key has to be a string"));
                return self.key(Key::Refused);
            };
            if matches!(node.value, Value::String(_)) {
                let span = node.span;
                return self.key(Key::Text { text, span, by_alias });
            }
            self.refuse_key(&node, &text);
            return self.key(Key::Refused);
        }
        let Some(frame) = self.frames.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        frame.nodes += nodes;
        frame.height = frame.height.max(height + 1);
        if !frame.flow && !by_alias {
            frame.span.end = frame.span.end.max(node.span.end);
        }
        match &mut frame.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { entries, key, merges, .. } => match key.take() {
                Some(Key::Text { text, span, .. }) => {
                    entries.insert(text, span, node);
                }
                Some(Key::Merge(span)) => {
                    if let Err(finding) = merge_sources(node, span, merges) {
                        self.findings.push(finding);
                    }
                }
                Some(Key::Refused) | None => {}
            },
        }
        Ok(())
    }

    // Keys

    fn key(&mut self, new: Key) -> Result<(), Stop> {
        let Some(Frame { content: Content::Mapping { entries, key, merge_key, .. }, span: whole, flow, .. }) =
            self.frames.last_mut()
        else {
            return Ok(());
        };
        let (span, first) = match &new {
            Key::Text { text, span, by_alias: false } => {
                let merge = merge_key.filter(|_| text == "<<");
                (*span, merge.or_else(|| entries.entry(text).map(|entry| entry.key_span)))
            }
            Key::Merge(span) => {
                let first = merge_key.or_else(|| entries.entry("<<").map(|entry| entry.key_span));
                *merge_key = Some(*span);
                (*span, first)
            }
            Key::Text { by_alias: true, .. } | Key::Refused => {
                *key = Some(new);
                return Ok(());
            }
        };
        if !*flow {
            whole.end = whole.end.max(span.end);
        }
        let Some(first) = first else {
            *key = Some(new);
            return Ok(());
        };
        let label = if let Key::Text { text, .. } = &new { text.as_str() } else { "<<" };
        *key = Some(Key::Refused);
        let line = 1 + self.text.as_bytes().iter().take(first.start as usize).filter(|byte| **byte == b'\n').count();
        let message = format!("mapping key \"{label}\" already defined at line {line}");
        self.findings.push(
            Diagnostic::error(DUPLICATE_KEY, message)
                .at(span, "defined again here")
                .at(first, "first defined here")
                .hint("remove one of them, or merge their values"),
        );
        Ok(())
    }

    fn refuse_key(&mut self, node: &Node, text: &str) {
        let place = match path(&self.frames) {
            path if path.is_empty() => "at top level".to_owned(),
            path => format!("in {path}"),
        };
        let shown = if node.is_null() { "null" } else { text };
        // `- 8080: 80` is a mapping, `- 8080:80` a text.
        let port = matches!(node.value, Value::Int(_)) && place.contains(".ports[");
        let hint = if port {
            format!("a port is one text, without a blank behind the colon and in quotes: \"{shown}:…\"")
        } else {
            format!("put quotes around it: \"{shown}\"")
        };
        self.findings.push(
            Diagnostic::error(KEY_TYPE, format!("non-string key {place}: {shown}"))
                .at(node.span, format!("this is {}", node.kind()))
                .hint(hint),
        );
    }

    // What is open

    fn expects_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn in_flow(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.flow)
    }

    // Limits and places

    fn count(&mut self, span: Span) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message = format!("more than {MAX_NODES} values in one file");
        self.findings.push(Diagnostic::error(LIMIT, message).at(span, "here the limit is passed"));
        Err(Stop)
    }

    fn too_deep(&mut self, span: Span) -> Result<(), Stop> {
        let message = format!("exceeded max depth of {MAX_DEPTH}");
        self.findings.push(Diagnostic::error(LIMIT, message).at(span, "collections nest too deeply here"));
        Err(Stop)
    }

    fn broken(&mut self, problem: &Problem) -> Option<u32> {
        let start = self.place_of(problem.at);
        let width = self.text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let at = self.span(start, start + width);
        if problem.what == "found unknown escape character"
            && self.text.get(start..).is_some_and(|rest| rest.starts_with("\\'"))
        {
            return Some(at.start);
        }
        let mut finding = syntax(&problem.what, at, self.text);
        if let Some((what, place)) = &problem.context {
            let start = self.place_of(*place);
            if start != at.start as usize {
                finding = finding.at(self.span(start, start), what);
            }
        }
        self.findings.push(finding);
        None
    }

    /// A byte of the text, on a character boundary.
    fn place_of(&self, byte: u64) -> usize {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        (0..=byte).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let clamp = |at: usize| u32::try_from(at.min(self.text.len())).unwrap_or(u32::MAX);
        Span { file: self.file, start: clamp(start), end: clamp(end.max(start)) }
    }

    /// A scalar's event begins with its anchor and tag; what is shown begins with its text.
    fn without_properties(&self, span: Span) -> Span {
        let mut rest = self.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        while rest.starts_with(['&', '!']) {
            rest = rest.find(char::is_whitespace).and_then(|at| rest.get(at..)).unwrap_or_default().trim_start();
        }
        let length = u32::try_from(rest.len()).unwrap_or(0);
        if length == 0 { span } else { Span { start: span.end - length, ..span } }
    }

    /// A block scalar's event reaches to the next token; what is shown ends with its last line.
    fn without_trailing_space(&self, span: Span) -> Span {
        let text = self.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        let end = u32::try_from(text.trim_end().len()).unwrap_or(0);
        Span { end: span.start + end, ..span }
    }
}

/// Where `\/` stands in a double-quoted scalar: libyaml reads it, yaml.v3 does not.
fn escaped_slash(raw: &str) -> Option<u32> {
    let mut bytes = raw.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' && matches!(bytes.next(), Some((_, b'/'))) {
            return u32::try_from(at).ok();
        }
    }
    None
}
