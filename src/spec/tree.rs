//! The tree of a compose file between text and model: every node knows where it was written.
//!
//! Override files, `extends`, `include` and several documents are merges of trees; because a merge moves nodes and
//! never bare values, what reaches the model can always be traced back to its line.

use indexmap::IndexMap;

use crate::diagnostics::Span;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// `!reset` or `!override`, kept until the merge that obeys it.
    pub tag: Tag,
    /// Where it was written.
    pub span: Span,
    /// How it came to this value, when it was not written so.
    pub origin: Option<Box<Origin>>,
}

/// The tags that compose files give a meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tag {
    /// No tag with a meaning here.
    #[default]
    None,
    /// `!reset`: drop the attribute from what came before and from the result.
    Reset,
    /// `!override`: take this instead of merging it.
    Override,
}

/// The kinds of YAML values.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `false` (not `yes`: that is a string, as for yaml.v3).
    Bool(bool),
    /// A whole number; also those above `i64::MAX` that fit into 64 bits.
    Int(i128),
    /// A number with a fraction, an exponent, `.inf` or `.nan`.
    Float(f64),
    /// An unquoted date or time; docker compose refuses it where a string is wanted.
    Timestamp(String),
    /// Text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping.
    Mapping(Mapping),
}

/// A mapping in the order of the text.
///
/// Nearly all mappings of compose files are small: a list that is searched is smaller and faster than a table, and
/// loading is mostly memory. Past [`SMALL`] keys it becomes a table, so that no file makes searching slow.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    small: Vec<(String, Entry)>,
    large: Option<Box<IndexMap<String, Entry>>>,
}

/// Keys that are searched one by one.
const SMALL: usize = 16;

/// A value of a mapping and the place of its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where the key was written.
    pub key_span: Span,
    /// The value.
    pub node: Node,
}

/// How a node came to its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// By interpolation of these variables, in the order of the text.
    Interpolated(Vec<VariableUse>),
    /// Read from a file of variables (`env_file`, `label_file`); the node's span points into that file.
    FileOfVariables,
    /// Not written anywhere: a default of the specification, or a name made from the project's. The node's span is
    /// that of the nearest written parent.
    Default,
}

/// A variable that took part in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableUse {
    /// Its name.
    pub name: String,
    /// Where its value came from.
    pub from: VariableSource,
}

/// Where a variable's value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableSource {
    /// The process environment.
    Shell,
    /// A line of `.env` or of an `--env-file`.
    EnvFile(Span),
    /// The default written in the expression.
    Default,
    /// Nowhere: it is unset and became an empty text.
    Unset,
    /// Given by compose itself (`COMPOSE_PROJECT_NAME`, `PWD`).
    Compose,
}

impl Node {
    /// A node as it was written.
    pub fn new(value: Value, span: Span) -> Self {
        Self { value, tag: Tag::None, span, origin: None }
    }
    /// A node that was not written but follows from `span`.
    pub fn default_at(value: Value, span: Span) -> Self {
        Self { value, tag: Tag::None, span, origin: Some(Box::new(Origin::Default)) }
    }
    /// The text, when it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
    /// The items, when it is a list.
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }
    /// The entries, when it is a mapping.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }
    /// The entries for change, when it is a mapping.
    pub fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        match &mut self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }
    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
    /// The value under a key, when it is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?.get(key)
    }
    /// The node at the end of a path of keys and item numbers.
    pub fn at<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Node> {
        path.into_iter().try_fold(self, |node, step| match &node.value {
            Value::Mapping(mapping) => mapping.get(step),
            Value::Sequence(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }
    /// What it is, in the words of messages: `a string`, `a mapping`.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Timestamp(_) => "a date",
            Value::String(_) => "a string",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

impl Mapping {
    fn position(&self, key: &str) -> Option<usize> {
        self.small.iter().position(|(known, _)| known == key)
    }
    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }
    /// The value under a key, for change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        match &mut self.large {
            Some(large) => large.get_mut(key).map(|entry| &mut entry.node),
            None => self.small.iter_mut().find(|(known, _)| known == key).map(|(_, entry)| &mut entry.node),
        }
    }
    /// The value and the place of its key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.large {
            Some(large) => large.get(key),
            None => self.small.iter().find(|(known, _)| known == key).map(|(_, entry)| entry),
        }
    }
    /// Sets a value; an existing key keeps its position.
    pub fn insert(&mut self, key: impl Into<String>, key_span: Span, node: Node) -> Option<Node> {
        let (key, entry) = (key.into(), Entry { key_span, node });
        if let Some(large) = &mut self.large {
            return large.insert(key, entry).map(|old| old.node);
        }
        if let Some((_, slot)) = self.small.iter_mut().find(|(known, _)| *known == key) {
            return Some(std::mem::replace(slot, entry).node);
        }
        if self.small.len() < SMALL {
            self.small.push((key, entry));
        } else {
            let mut large: IndexMap<String, Entry> = std::mem::take(&mut self.small).into_iter().collect();
            large.insert(key, entry);
            self.large = Some(Box::new(large));
        }
        None
    }
    /// Takes a value out and keeps the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        match &mut self.large {
            Some(large) => large.shift_remove(key).map(|entry| entry.node),
            None => self.position(key).map(|at| self.small.remove(at).1.node),
        }
    }
    /// Whether the key is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.large.as_ref().map_or(self.small.len(), |large| large.len())
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Keys, places and values in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        let large = self.large.iter().flat_map(|large| large.iter());
        self.small
            .iter()
            .map(|(key, entry)| (key.as_str(), entry))
            .chain(large.map(|(key, entry)| (key.as_str(), entry)))
    }
    /// Keys and values, the values for change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Entry)> {
        let large = self.large.iter_mut().flat_map(|large| large.iter_mut());
        let small = self.small.iter_mut().map(|(key, entry)| (key.as_str(), entry));
        small.chain(large.map(|(key, entry)| (key.as_str(), entry)))
    }
    /// Keys with their entries, taken out.
    pub fn into_entries(self) -> impl Iterator<Item = (String, Entry)> {
        self.small.into_iter().chain(self.large.into_iter().flat_map(|large| large.into_iter()))
    }
    /// Gives back what was set aside for more entries.
    pub(in crate::spec) fn shrink(&mut self) {
        self.small.shrink_to_fit();
    }
}

/// The order of keys plays no part.
impl PartialEq for Mapping {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, entry)| other.entry(key) == Some(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::SourceMap;

    #[test]
    fn small_and_large_mappings_behave_alike() {
        let span = Span { file: SourceMap::default().add("", None, ""), start: 0, end: 0 };
        let node = |number| Node::new(Value::Int(number), span);
        let mut mapping = Mapping::default();
        for number in 0..40 {
            let key = format!("key{number}");
            assert_eq!(mapping.insert(key.as_str(), span, node(number)), None);
            assert_eq!(mapping.insert(key.as_str(), span, node(number + 100)), Some(node(number)));
            assert_eq!(mapping.len(), usize::try_from(number).unwrap() + 1);
            assert_eq!(mapping.get(&key), Some(&node(number + 100)));
            assert!(!mapping.contains_key("other"));
            let keys: Vec<&str> = mapping.iter().map(|(key, _)| key).collect();
            assert_eq!((keys.first(), keys.last()), (Some(&"key0"), Some(&key.as_str())));
        }
        assert_eq!(mapping.remove("key3"), Some(node(103)));
        assert_eq!(mapping.remove("key3"), None);
        let order: Vec<String> = mapping.clone().into_entries().map(|(key, _)| key).take(4).collect();
        assert_eq!(order, ["key0", "key1", "key2", "key4"]);
        let mut other = Mapping::default();
        let mut reversed: Vec<(String, Entry)> = mapping.clone().into_entries().collect();
        reversed.reverse();
        reversed.into_iter().for_each(|(key, entry)| {
            other.insert(key, entry.key_span, entry.node);
        });
        assert_eq!(mapping, other);
        other.iter_mut().for_each(|(_, entry)| entry.node = node(0));
        assert_ne!(mapping, other);
    }
}
