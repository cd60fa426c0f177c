//! Findings for people, with the lines they speak of, and for programs, as JSON.
//!
//! The only file that names annotate-snippets.

use std::fmt::Write;

use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use crate::diagnostics::{Diagnostic, Label, Severity, Source, SourceMap, Span};

/// Findings shown in full; of more only the number is told.
const MAX_SHOWN: usize = 50;
/// Lines longer than this many bytes are not shown.
const MAX_LINE: usize = 2_000;
/// Labels further apart than this many bytes get excerpts of their own.
const MAX_EXCERPT: usize = 64 << 10;
/// Lines shown before the first and after the last label's.
const CONTEXT_LINES: usize = 1;

/// Findings as text: `error[code]: message`, ` --> file:line:column`, the lines, and what to do about it. Ends with a
/// line break; no findings are an empty text. `width` is that of the terminal in columns.
pub fn render_text(diagnostics: &[Diagnostic], sources: &SourceMap, color: bool, width: usize) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(width.max(40));
    let mut chosen: Vec<&Diagnostic> = Vec::new();
    for diagnostic in
        diagnostics.iter().filter(|it| it.is_error()).chain(diagnostics.iter().filter(|it| !it.is_error()))
    {
        if chosen.len() < MAX_SHOWN && !chosen.contains(&diagnostic) {
            chosen.push(diagnostic);
        }
    }
    let left_out = if chosen.len() < MAX_SHOWN { 0 } else { diagnostics.len().saturating_sub(MAX_SHOWN) };
    let mut out = String::new();
    for diagnostic in chosen {
        out.push_str(&renderer.render(&[group(diagnostic, sources)]));
        out.push_str("\n\n");
    }
    match left_out {
        0 => {
            out.pop();
        }
        count => {
            let _ = writeln!(out, "… and {count} more");
        }
    }
    out
}

/// A finding in one line: `compose.yaml:4:7: error: message`.
pub fn render_line(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let severity = severity(diagnostic);
    let message = clean(&diagnostic.message).replace('\n', " ");
    match diagnostic.labels.first().map(|label| sources.place(label.span)) {
        Some(place) if !place.is_empty() => format!("{place}: {severity}: {message}"),
        _ => format!("{severity}: {message}"),
    }
}

/// Findings as JSON, one object a line: `code`, `severity`, `message`, `file`, `line`, `column`, `end_line`,
/// `end_column` (of the culprit; null without a place), `labels` and `hints`.
pub fn render_json(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let mut object = json!({
            "code": diagnostic.code.0,
            "severity": severity(diagnostic),
            "message": diagnostic.message,
        });
        let labels: Vec<Value> = diagnostic
            .labels
            .iter()
            .map(|label| {
                let mut place = place(Some(label.span), sources);
                if let Some(place) = place.as_object_mut() {
                    place.insert("text".to_owned(), label.text.clone().into());
                }
                place
            })
            .collect();
        let culprit = place(diagnostic.labels.first().map(|label| label.span), sources);
        if let (Some(object), Value::Object(culprit)) = (object.as_object_mut(), culprit) {
            object.extend(culprit);
            object.insert("labels".to_owned(), labels.into());
            object.insert("hints".to_owned(), diagnostic.hints.clone().into());
        }
        let _ = writeln!(out, "{object}");
    }
    out
}

fn place(span: Option<Span>, sources: &SourceMap) -> Value {
    match span.and_then(|span| Some((span, sources.get(span.file)?))) {
        Some((span, source)) => {
            let (start, end) = (source.position(span.start), source.position(span.end));
            json!({
                "file": source.name,
                "line": start.line,
                "column": start.column,
                "end_line": end.line,
                "end_column": end.column,
            })
        }
        None => json!({ "file": null, "line": null, "column": null, "end_line": null, "end_column": null }),
    }
}

fn severity(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a SourceMap) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group =
        level.primary_title(clean(&diagnostic.message)).id(diagnostic.code.0).elements(Vec::<Element>::new());
    for element in excerpts(&diagnostic.labels, sources) {
        group = group.element(element);
    }
    for hint in &diagnostic.hints {
        group = group.element(Level::HELP.message(clean(hint)));
    }
    group
}

/// The excerpts of a finding: one a file, the culprit's first.
fn excerpts<'a>(labels: &'a [Label], sources: &'a SourceMap) -> Vec<Element<'a>> {
    let mut elements = Vec::new();
    let mut waiting: Vec<(AnnotationKind, &Label)> = labels
        .iter()
        .enumerate()
        .map(|(number, label)| (if number == 0 { AnnotationKind::Primary } else { AnnotationKind::Context }, label))
        .collect();
    while let Some(first) = waiting.first().map(|(_, label)| label.span) {
        let Some(source) = sources.get(first.file) else {
            waiting.remove(0);
            continue;
        };
        let start = first.start as usize;
        let (here, rest) = waiting.into_iter().partition(|(_, label)| {
            label.span.file == first.file && (label.span.start as usize).abs_diff(start) <= MAX_EXCERPT
        });
        waiting = rest;
        elements.extend(excerpt(source, &here));
    }
    elements
}

fn excerpt<'a>(source: &'a Source, labels: &[(AnnotationKind, &'a Label)]) -> Vec<Element<'a>> {
    let text: &str = &source.text;
    let spans: Vec<_> = labels.iter().map(|(_, label)| line_part(text, label.span)).collect();
    let first = spans.iter().map(|span| span.start).min().unwrap_or(0);
    let last = spans.iter().map(|span| span.end).max().unwrap_or(0);
    let mut start = line_start(text, first);
    let mut end = line_end(text, last);
    let too_long = text.get(start..end).is_none_or(|part| part.lines().any(|line| line.len() > MAX_LINE));
    if source.private || too_long || labels.iter().any(|(_, label)| label.private) {
        return labels.iter().map(|(_, label)| origin(source, label)).collect();
    }
    for _ in 0..CONTEXT_LINES {
        let before = line_start(text, start.saturating_sub(1));
        if text.get(before..start).is_some_and(|line| line.len() <= MAX_LINE && !line.trim().is_empty()) {
            start = before;
        }
        let after = line_end(text, (end + 1).min(text.len()));
        if text.get(end..after).is_some_and(|line| line.len() <= MAX_LINE && !line.trim().is_empty()) {
            end = after;
        }
    }
    let number = source.position(u32::try_from(start).unwrap_or(u32::MAX)).line as usize;
    let annotations = labels.iter().zip(spans).map(|((kind, label), span)| -> Annotation<'a> {
        let annotation = kind.span(span.start - start..span.end - start);
        if label.text.is_empty() { annotation } else { annotation.label(clean(&label.text)) }
    });
    let snippet = Snippet::source(text.get(start..end).unwrap_or_default())
        .line_start(number)
        .path(source.name.as_str())
        .annotations(annotations);
    vec![snippet.into()]
}

/// A place without its line.
fn origin<'a>(source: &'a Source, label: &Label) -> Element<'a> {
    let at = source.position(label.span.start);
    Origin::path(source.name.as_str()).line(at.line as usize).char_column(at.column as usize).into()
}

/// The part of a span on its first line, on character boundaries.
fn line_part(text: &str, span: Span) -> std::ops::Range<usize> {
    let boundary = |at: u32| {
        let at = (at as usize).min(text.len());
        (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
    };
    let start = boundary(span.start);
    let end = boundary(span.end).clamp(start, line_end(text, start).max(start));
    start..end
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
}

/// Before the line break of the line around `at`.
fn line_end(text: &str, at: usize) -> usize {
    let end = text.get(at..).and_then(|after| after.find('\n')).map_or(text.len(), |length| at + length);
    if end > at && text.as_bytes().get(end - 1) == Some(&b'\r') { end - 1 } else { end }
}

/// Keeps what comes from files from steering the terminal.
fn clean(text: &str) -> String {
    if !text.chars().any(|character| character.is_control() && character != '\n') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push(character),
            _ if character.is_control() => out.extend(character.escape_default()),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::{Code, FileId};

    const CODE: Code = Code("unknown-key");

    fn sample() -> (SourceMap, FileId, FileId) {
        let mut sources = SourceMap::default();
        let text = "services:\n  web:\n    image: nginx\n    prots:\n      - 80:80\n";
        let a = sources.add("compose.yaml", None, text);
        let b = sources.add("override.yaml", None, "services:\n  web:\n    image: \"é😀 wide\" # there\n");
        (sources, a, b)
    }

    fn span(file: FileId, start: u32, end: u32) -> Span {
        Span { file, start, end }
    }

    #[test]
    fn an_error_shows_its_lines_and_what_to_do() {
        let (sources, a, b) = sample();
        let found = Diagnostic::error(CODE, "unknown key `prots` in services.web")
            .at(span(a, 38, 43), "not a service key")
            .at(span(a, 12, 15), "service defined here")
            .at(span(b, 28, 42), "also here")
            .hint("did you mean `ports`?");
        insta::assert_snapshot!(render_text(&[found], &sources, false, 100), @r#"
        error[unknown-key]: unknown key `prots` in services.web
         --> compose.yaml:4:5
          |
        2 |   web:
          |   --- service defined here
        3 |     image: nginx
        4 |     prots:
          |     ^^^^^ not a service key
          |
         ::: override.yaml:3:12
          |
        3 |     image: "é😀 wide" # there
          |            ----------- also here
          |
          = help: did you mean `ports`?
        "#);
    }

    #[test]
    fn places_are_optional_and_private_lines_stay_private() {
        let (mut sources, ..) = sample();
        let env = sources.add_private(".env", None, "A=1\nPASSWORD=\"s3cret\n");
        let found = [
            Diagnostic::error(CODE, "no configuration file provided: not found"),
            Diagnostic::error(CODE, "unterminated quoted value")
                .at(span(env, 13, 14), "the quote opens here")
                .hint("close it"),
            Diagnostic::warning(CODE, "strange \u{1b}[31m text"),
        ];
        insta::assert_snapshot!(render_text(&found, &sources, false, 100), @r"
        error[unknown-key]: no configuration file provided: not found

        error[unknown-key]: unterminated quoted value
        --> .env:2:10
         = help: close it

        warning[unknown-key]: strange \u{1b}[31m text
        ");
    }

    #[test]
    fn json_has_one_object_a_line() {
        let (sources, a, _) = sample();
        let found = [
            Diagnostic::error(CODE, "unknown key").at(span(a, 38, 43), "here").hint("did you mean `ports`?"),
            Diagnostic::warning(CODE, "no place"),
        ];
        insta::assert_snapshot!(render_json(&found, &sources), @r#"
        {"code":"unknown-key","severity":"error","message":"unknown key","file":"compose.yaml","line":4,"column":5,"end_line":4,"end_column":10,"labels":[{"file":"compose.yaml","line":4,"column":5,"end_line":4,"end_column":10,"text":"here"}],"hints":["did you mean `ports`?"]}
        {"code":"unknown-key","severity":"warning","message":"no place","file":null,"line":null,"column":null,"end_line":null,"end_column":null,"labels":[],"hints":[]}
        "#);
        assert_eq!(render_line(&found[0], &sources), "compose.yaml:4:5: error: unknown key");
        assert_eq!(render_line(&found[1], &sources), "warning: no place");
    }

    #[test]
    fn odd_places_and_many_findings_do_no_harm() {
        let mut sources = SourceMap::default();
        let text = format!("a: é\r\n{}\n\tb: \u{0}x", "x".repeat(100_000));
        let file = sources.add("odd.yaml", None, text.as_str());
        let end = u32::try_from(text.len()).unwrap();
        let mut found: Vec<_> =
            [(0, 0), (4, 4), (4, 5), (0, end), (end, end), (end + 9, end + 10), (50, 60), (end - 3, end), (9, 3)]
                .map(|(from, to)| Diagnostic::error(CODE, "odd").at(span(file, from, to), "x").at(span(file, 0, 1), ""))
                .to_vec();
        let shown = render_text(&found, &sources, true, 0);
        assert!(shown.contains("odd.yaml") && shown.len() < 20_000);
        found.extend((0..200).map(|number| Diagnostic::error(CODE, format!("finding {number}"))));
        let shown = render_text(&found, &sources, false, 80);
        assert!(shown.ends_with("… and 159 more\n"), "{}", &shown[shown.len() - 100..]);
        render_json(&found, &sources);
        assert_eq!(render_text(&[], &sources, false, 80), "");
    }
}
