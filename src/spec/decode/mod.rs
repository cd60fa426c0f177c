//! Canonical trees to the model.

mod build;
mod deploy;
mod quantity;
mod resources;
mod service;
mod words;

use std::collections::BTreeMap;

use crate::diagnostics::{Diagnostic, Span};
use crate::spec::codes;
use crate::spec::emit::go_float;
use crate::spec::model::{ByteSize, Extensions, GoDuration, OptionalTexts, Texts};
use crate::spec::place::Place;
use crate::spec::scalar;
use crate::spec::tree::{Mapping, Node, Value};

/// Reads values and collects what cannot be read.
#[derive(Debug, Default)]
pub(in crate::spec) struct Decoder {
    /// What could not be read.
    pub(in crate::spec) findings: Vec<Diagnostic>,
}

impl Decoder {
    fn problem(&mut self, span: Span, place: &Place<'_>, problem: &str) {
        let message = format!("decoding failed due to the following error(s):\n'{}' {problem}", place.bracketed());
        self.findings.push(Diagnostic::error(codes::INVALID_VALUE, message).at(span, ""));
    }

    fn text(&mut self, node: &Node, place: &Place<'_>) -> Option<String> {
        match scalar::text(node) {
            Some(_) if node.is_null() => None,
            Some(text) => Some(text),
            None => {
                self.problem(node.span, place, &format!("expected type 'string', got {}", node.kind()));
                None
            }
        }
    }

    /// A text; an empty one is none.
    fn word(&mut self, node: &Node, place: &Place<'_>) -> Option<String> {
        self.text(node, place).filter(|text| !text.is_empty())
    }

    fn boolean(&mut self, node: &Node, place: &Place<'_>) -> Option<bool> {
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::String(text) => match text.to_lowercase().as_str() {
                "true" | "y" | "yes" | "on" | "1" | "t" => Some(true),
                "false" | "n" | "no" | "off" | "0" | "f" | "" => Some(false),
                _ => {
                    self.problem(node.span, place, &format!("invalid boolean: {text}"));
                    None
                }
            },
            Value::Int(number) => Some(*number != 0),
            Value::Null => None,
            _ => {
                self.problem(node.span, place, &format!("expected type 'bool', got {}", node.kind()));
                None
            }
        }
    }

    fn integer(&mut self, node: &Node, place: &Place<'_>) -> Option<i64> {
        let number = match &node.value {
            Value::Int(number) => i64::try_from(*number).ok(),
            #[expect(clippy::cast_possible_truncation, reason = "Go truncates here, too")]
            Value::Float(number) => Some(*number as i64),
            Value::String(text) => text.trim().parse().ok(),
            Value::Bool(value) => Some(i64::from(*value)),
            Value::Null => return None,
            _ => None,
        };
        if number.is_none() {
            let shown = scalar::text(node).unwrap_or_else(|| node.kind().to_owned());
            self.problem(node.span, place, &format!("strconv.ParseInt: parsing \"{shown}\": invalid syntax"));
        }
        number
    }

    fn float(&mut self, node: &Node, place: &Place<'_>) -> Option<f32> {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the model has 32 bits")]
        let number = match &node.value {
            Value::Int(number) => Some(*number as f32),
            Value::Float(number) => Some(*number as f32),
            Value::String(text) => text.parse().ok(),
            Value::Null => return None,
            _ => None,
        };
        if number.is_none() {
            let shown = scalar::text(node).unwrap_or_else(|| node.kind().to_owned());
            self.problem(node.span, place, &format!("strconv.ParseFloat: parsing \"{shown}\": invalid syntax"));
        }
        number
    }

    fn bytes(&mut self, node: &Node, place: &Place<'_>) -> Option<ByteSize> {
        let size = match &node.value {
            Value::Int(number) => i64::try_from(*number).ok(),
            #[expect(clippy::cast_possible_truncation, reason = "sizes are whole bytes")]
            Value::Float(number) => Some(*number as i64),
            Value::String(text) => quantity::bytes(text),
            Value::Null => return None,
            _ => None,
        };
        if size.is_none() {
            let shown = scalar::text(node).unwrap_or_default();
            self.problem(node.span, place, &format!("invalid size: '{shown}'"));
            if let Some(finding) = self.findings.pop() {
                self.findings.push(finding.hint("sizes are written `512m`, `1.5g` or as a number of bytes"));
            }
        }
        size.map(ByteSize)
    }

    fn duration(&mut self, node: &Node, place: &Place<'_>) -> Option<GoDuration> {
        if node.is_null() {
            return None;
        }
        let text = scalar::text(node).unwrap_or_default();
        match quantity::duration(&text) {
            Ok(nanoseconds) => Some(GoDuration(nanoseconds)),
            Err(problem) => {
                self.problem(node.span, place, &problem);
                if let Some(finding) = self.findings.pop() {
                    self.findings.push(finding.hint("durations are written `30s`, `1m30s`, `500ms`"));
                }
                None
            }
        }
    }

    /// A list of texts; one text is a list of one.
    fn texts(&mut self, node: &Node, place: &Place<'_>) -> Vec<String> {
        match &node.value {
            Value::Sequence(items) => items
                .iter()
                .enumerate()
                .filter_map(
                    |(at, item)| {
                        if item.is_null() { Some(String::new()) } else { self.text(item, &place.item(at)) }
                    },
                )
                .collect(),
            Value::Null => Vec::new(),
            _ => self.text(node, place).into_iter().collect(),
        }
    }

    /// A mapping to texts, also as a list of `key=value`; null is an empty text.
    fn mapping(&mut self, node: &Node, place: &Place<'_>) -> Texts {
        self.optional_mapping(node, place).into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect()
    }

    /// A mapping to texts or nothing, also as a list of `key=value` and `key`.
    fn optional_mapping(&mut self, node: &Node, place: &Place<'_>) -> OptionalTexts {
        match &node.value {
            Value::Mapping(mapping) => {
                mapping.iter().map(|(key, entry)| (key.to_owned(), self.text(&entry.node, &place.key(key)))).collect()
            }
            Value::Sequence(items) => items
                .iter()
                .filter_map(Node::as_str)
                .map(|item| match item.split_once('=') {
                    Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                    None => (item.to_owned(), None),
                })
                .collect(),
            _ => BTreeMap::new(),
        }
    }

    /// Like [`Self::optional_mapping`], for variables.
    fn variables(&mut self, node: &Node, place: &Place<'_>) -> OptionalTexts {
        if let Value::Sequence(items) = &node.value {
            for item in items {
                let name = item.as_str().and_then(|item| item.split_once('=')).map(|(name, _)| name);
                if let Some(name) = name
                    && name.ends_with(char::is_whitespace)
                {
                    let problem = format!("environment variable {name} is declared with a trailing space");
                    self.problem(item.span, place, &problem);
                }
            }
        }
        self.optional_mapping(node, place)
    }

    /// Every item of a list that is a mapping.
    fn items<T>(
        &mut self,
        node: &Node,
        place: &Place<'_>,
        mut read: impl FnMut(&mut Self, &Mapping, &Place<'_>) -> T,
    ) -> Vec<T> {
        let items = node.as_sequence().unwrap_or_default();
        items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| Some(read(self, item.as_mapping()?, &place.item(at))))
            .collect()
    }

    /// Reads each key of a mapping; `x-` keys become extensions.
    fn fields(
        &mut self,
        mapping: &Mapping,
        place: &Place<'_>,
        extensions: &mut Extensions,
        mut read: impl FnMut(&mut Self, &str, &Node, &Place<'_>),
    ) {
        for (key, entry) in mapping.iter() {
            if key.starts_with("x-") {
                if key != "x-#value" {
                    extensions.insert(key.to_owned(), json(&entry.node));
                }
            } else {
                read(self, key, &entry.node, &place.key(key));
            }
        }
    }
}

/// Any value as JSON.
pub(in crate::spec) fn json(node: &Node) -> serde_json::Value {
    use serde_json::{Number, Value as Json};
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => match (i64::try_from(*number), u64::try_from(*number)) {
            (Ok(number), _) => Json::Number(number.into()),
            (_, Ok(number)) => Json::Number(number.into()),
            _ => Json::Null,
        },
        Value::Float(number) => Number::from_f64(*number).map_or_else(|| Json::String(go_float(*number)), Json::Number),
        Value::Timestamp(text) | Value::String(text) => Json::String(text.clone()),
        Value::Sequence(items) => Json::Array(items.iter().map(json).collect()),
        Value::Mapping(mapping) => {
            Json::Object(mapping.iter().map(|(key, entry)| (key.to_owned(), json(&entry.node))).collect())
        }
    }
}
