//! The one table of what may stand where in a compose file, and what happens to it there.
//!
//! Every walker (schema, casts, merge, canonical forms, paths) goes over a tree and this table side by side. A new
//! attribute of the specification is one row here.

mod deploy;
mod resources;
mod service;

use crate::spec::tree::{Node, Value};

pub(in crate::spec) use resources::TOP;

/// A set of YAML kinds, in JSON schema's sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spec) struct Types(u8);

impl Types {
    const ANY: Self = Self(0x7f);

    /// Whether a value is one of these kinds.
    pub(in crate::spec) fn accept(self, node: &Node) -> bool {
        let bits = match &node.value {
            Value::Null => NULL.0,
            Value::Bool(_) => BOOL.0,
            Value::Int(_) => INT.0 | NUM.0,
            Value::Float(number) if number.fract() == 0.0 => INT.0 | NUM.0,
            Value::Float(_) => NUM.0,
            Value::String(_) => STR.0,
            Value::Timestamp(_) => 0,
            Value::Sequence(_) => SEQ.0,
            Value::Mapping(_) => MAP.0,
        };
        self.0 & bits != 0
    }
    /// Whether all kinds of `other` are among these.
    pub(in crate::spec) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// The kinds as docker compose lists them: `boolean, null, number or string`.
    pub(in crate::spec) fn words(self) -> String {
        let names: Vec<&str> = [
            (SEQ, "array"),
            (BOOL, "boolean"),
            (INT, "integer"),
            (MAP, "mapping"),
            (NULL, "null"),
            (NUM, "number"),
            (STR, "string"),
        ]
        .into_iter()
        .filter(|(kind, _)| self.has(*kind))
        .map(|(_, name)| name)
        .collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => "nothing".to_owned(),
        }
    }
}

const NULL: Types = Types(1);
const BOOL: Types = Types(2);
const INT: Types = Types(4);
const NUM: Types = Types(8);
const STR: Types = Types(16);
const SEQ: Types = Types(32);
const MAP: Types = Types(64);

/// What a value may be and how it is treated.
#[derive(Debug)]
pub(in crate::spec) struct Shape {
    /// Kinds that are allowed.
    pub(in crate::spec) types: Types,
    /// Known keys of a mapping, sorted.
    pub(in crate::spec) fields: &'static [(&'static str, &'static Shape)],
    /// What other keys there may be.
    pub(in crate::spec) others: Others,
    /// What the items of a list are.
    pub(in crate::spec) items: Option<&'static Shape>,
    /// Keys that must be there.
    pub(in crate::spec) required: &'static [&'static str],
    /// No two items may be equal.
    pub(in crate::spec) unique_items: bool,
    /// Which values are allowed.
    pub(in crate::spec) limit: Limit,
    /// How it is merged with what came before.
    pub(in crate::spec) merge: Merge,
    /// Which items of a list are the same thing, so that the later one wins.
    pub(in crate::spec) identity: Identity,
    /// What a text becomes after interpolation.
    pub(in crate::spec) cast: Cast,
    /// Which of its texts are paths.
    pub(in crate::spec) path: PathKind,
    /// Its short form.
    pub(in crate::spec) short: Short,
}

/// What keys beside the known ones a mapping may have.
#[derive(Clone, Copy, Debug)]
pub(in crate::spec) enum Others {
    /// None.
    Closed,
    /// Those that begin with `x-`.
    Extensions,
    /// Any, all of one shape.
    Any(&'static Shape),
    /// Names of resources; nothing else is allowed.
    Named(&'static Shape),
    /// Names of resources; what is no name is not looked at (a hole of the schema that files rely on).
    NamedOpen(&'static Shape),
    /// Lower-case words (ulimits); what is none is not looked at.
    Words(&'static Shape),
    /// Whatever.
    Free,
}

/// Which values are allowed beyond their kind.
#[derive(Clone, Copy, Debug)]
pub(in crate::spec) enum Limit {
    /// All.
    None,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// An integer in this range.
    Range(i128, i128),
    /// At least two characters of a container name, anywhere in the text.
    ContainerName,
    /// A policy word, anywhere in the text.
    PullPolicy,
}

/// How a value is merged with what came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spec) enum Merge {
    /// Mappings by key, lists by appending, others replaced.
    Default,
    /// The later one.
    Replace,
    /// Both as lists of `key=value`, appended.
    KeyValues,
    /// Both as lists of `host=address`, appended, equal ones dropped.
    Hosts,
    /// A text is `{context: text}`.
    Build,
    /// A list of names is a mapping of names.
    Names(NamesTo),
    /// Options only when the drivers agree.
    Logging,
    /// Pools with the same subnet are the same.
    Pools,
}

/// What a name in a short list stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spec) enum NamesTo {
    /// `{condition: service_started, required: true}`.
    Dependency,
    /// Null.
    Null,
}

/// Which items of a list are the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spec) enum Identity {
    /// None are.
    None,
    /// Those with the same text before `=`.
    Key,
    /// Those with the same target (mounts, devices).
    Target,
    /// Those with the same address, published port, target and protocol.
    Port,
    /// Those with the same file name inside; the default directory is given.
    File(&'static str),
    /// Those with the same path.
    EnvFile,
    /// Those with the same text or number.
    Text,
}

/// What a text becomes after interpolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spec) enum Cast {
    /// It stays text.
    None,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A truth value.
    Bool,
}

/// Which texts are paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spec) enum PathKind {
    /// None.
    None,
    /// A path of the project directory.
    Local,
    /// As `Local`; symbolic links are resolved too.
    Watched,
    /// A path, unless it says in one of the ways of a builder that it is something else.
    Context,
    /// A `file:` of `extends`.
    Extends,
    /// A mount: its source when it is a bind.
    Mount,
    /// A volume: its device when it stands for a bind.
    Volume,
    /// `id=path`.
    Ssh,
}

/// The short form that is made long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::spec) enum Short {
    /// None.
    None,
    /// A list of ports.
    Ports,
    /// One mount.
    Mount,
    /// One device.
    Device,
    /// A text is `{context: text}`.
    Build,
    /// Names instead of a mapping.
    Names(NamesTo),
    /// A text is `{source: text}`.
    File,
    /// A path or paths are `{path, required: true}`.
    EnvFile,
    /// A text is a list of one.
    List,
    /// `all` is one request for all.
    Gpus,
    /// `{name: x}` is `true` and a name beside it.
    External,
    /// A text is `{service: text}`.
    Extends,
    /// `{soft, hard}` or one number, also as text.
    Ulimit,
    /// `key=value` items are a mapping.
    Mapping,
    /// Keys of agents.
    Ssh,
}

impl Shape {
    const fn of(types: Types) -> Self {
        Self {
            types,
            fields: &[],
            others: Others::Closed,
            items: None,
            required: &[],
            unique_items: false,
            limit: Limit::None,
            merge: Merge::Default,
            identity: Identity::None,
            cast: Cast::None,
            path: PathKind::None,
            short: Short::None,
        }
    }
    /// A mapping of these keys and extensions.
    const fn mapping(fields: &'static [(&'static str, &'static Shape)]) -> Self {
        Self { fields, others: Others::Extensions, ..Self::of(MAP) }
    }
    const fn list(items: &'static Shape) -> Self {
        Self { items: Some(items), ..Self::of(SEQ) }
    }
    const fn entries(others: Others) -> Self {
        Self { others, ..Self::of(MAP) }
    }
    const fn and(mut self, types: Types) -> Self {
        self.types = self.types.or(types);
        self
    }
    const fn others(mut self, others: Others) -> Self {
        self.others = others;
        self
    }
    const fn items(mut self, items: &'static Shape) -> Self {
        self.items = Some(items);
        self.types = self.types.or(SEQ);
        self
    }
    const fn required(mut self, required: &'static [&'static str]) -> Self {
        self.required = required;
        self
    }
    const fn unique(mut self) -> Self {
        self.unique_items = true;
        self
    }
    const fn limit(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }
    const fn merge(mut self, merge: Merge) -> Self {
        self.merge = merge;
        self
    }
    const fn identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }
    const fn cast(mut self, cast: Cast) -> Self {
        self.cast = cast;
        self
    }
    const fn path(mut self, path: PathKind) -> Self {
        self.path = path;
        self
    }
    const fn short(mut self, short: Short) -> Self {
        self.short = short;
        self
    }

    /// The shape of the value under a key, `None` when the table says nothing about it.
    pub(in crate::spec) fn field(&self, key: &str) -> Option<&'static Self> {
        if let Ok(at) = self.fields.binary_search_by(|(name, _)| (*name).cmp(key)) {
            return self.fields.get(at).map(|(_, shape)| *shape);
        }
        match self.others {
            Others::Any(shape) => Some(shape),
            Others::Named(shape) | Others::NamedOpen(shape) => is_resource_name(key).then_some(shape),
            Others::Words(shape) => is_word(key).then_some(shape),
            Others::Closed | Others::Extensions | Others::Free => None,
        }
    }
}

/// Whether a text is a name that services and other resources may have.
pub(in crate::spec) fn is_resource_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

static ANY: Shape = Shape::of(Types::ANY).others(Others::Free);
static STRING: Shape = Shape::of(STR);
static STRING_OR_NULL: Shape = Shape::of(STR).and(NULL);
static INTEGER: Shape = Shape::of(INT);
static INTEGER_OR_TEXT: Shape = Shape::of(INT).and(STR);
static NUMBER: Shape = Shape::of(NUM);
static NUMBER_OR_TEXT: Shape = Shape::of(NUM).and(STR);
static SCALAR: Shape = Shape::of(NUM).and(STR).and(BOOL);
static SCALAR_OR_NULL: Shape = Shape::of(NUM).and(STR).and(BOOL).and(NULL);
static TEXT_NUMBER_OR_NULL: Shape = Shape::of(NUM).and(STR).and(NULL);
static PLAIN_BOOLEAN: Shape = Shape::of(BOOL);
static TEXT_OR_BOOLEAN: Shape = Shape::of(BOOL).and(STR);
static BOOLEAN: Shape = Shape::of(BOOL).and(STR).cast(Cast::Bool);
static STRINGS: Shape = Shape::list(&STRING);
static UNIQUE_STRINGS: Shape = Shape::list(&STRING).unique();
static FILE_PATH: Shape = Shape::of(STR).path(PathKind::Local);
/// A mapping of scalars, or a list of `key=value`.
static LIST_OR_DICT: Shape = Shape::entries(Others::Any(&SCALAR_OR_NULL)).items(&STRING).unique();
static KEY_VALUES: Shape = Shape::entries(Others::Any(&SCALAR_OR_NULL))
    .items(&STRING)
    .unique()
    .merge(Merge::KeyValues)
    .identity(Identity::Key);
/// Options of drivers.
static OPTIONS: Shape = Shape::entries(Others::Any(&NUMBER_OR_TEXT));

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(shape: &'static Shape, path: &str, depth: usize) {
        assert!(depth < 20, "{path} is nested too deeply");
        assert!(shape.fields.is_sorted_by_key(|(name, _)| *name), "the keys of {path} are not sorted");
        for (name, field) in shape.fields {
            walk(field, &format!("{path}.{name}"), depth + 1);
        }
        if let Some(items) = shape.items {
            walk(items, &format!("{path}[]"), depth + 1);
        }
        match shape.others {
            Others::Any(other) | Others::Named(other) | Others::NamedOpen(other) | Others::Words(other) => {
                walk(other, &format!("{path}.*"), depth + 1);
            }
            Others::Closed | Others::Extensions | Others::Free => {}
        }
    }

    #[test]
    fn keys_are_sorted_everywhere() {
        walk(&TOP, "", 0);
    }

    #[test]
    fn kinds_are_listed_as_docker_compose_lists_them() {
        assert_eq!(SCALAR_OR_NULL.types.words(), "boolean, null, number or string");
        assert_eq!(STRING.types.words(), "string");
    }
}
