//! The variables that a file asks for, for `config --variables`.

use indexmap::IndexMap;

use super::template::{OperatorKind, Piece, Pieces};
use crate::spec::tree::{Node, Value};

/// How deep defaults in defaults are looked into.
const MAX_DEPTH: usize = 64;

/// A variable and what the file says about it at its last place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredVariable {
    /// Its name.
    pub name: String,
    /// What stands in for it, as written.
    pub default: String,
    /// What is taken when it is set, as written.
    pub alternate: String,
    /// Whether a missing value is an error.
    pub required: bool,
}

/// The variables in the strings of a tree that is not interpolated yet, in the order of the text.
pub fn variables(node: &Node) -> Vec<DeclaredVariable> {
    let mut found = IndexMap::new();
    walk(node, &mut found);
    found.into_values().collect()
}

fn walk(node: &Node, found: &mut IndexMap<String, DeclaredVariable>) {
    match &node.value {
        Value::String(text) if text.contains('$') => template(text, 0, found),
        Value::Sequence(items) => items.iter().for_each(|item| walk(item, found)),
        Value::Mapping(entries) => entries.iter().for_each(|(_, entry)| walk(&entry.node, found)),
        _ => {}
    }
}

fn template(text: &str, depth: usize, found: &mut IndexMap<String, DeclaredVariable>) {
    if depth > MAX_DEPTH {
        return;
    }
    for piece in Pieces::new(text) {
        let Piece::Variable { name, operation, .. } = piece else { continue };
        let name = text.get(name).unwrap_or_default().to_owned();
        let mut variable = DeclaredVariable { name: name.clone(), ..DeclaredVariable::default() };
        let operand = operation.map(|(operator, operand)| (operator.kind, text.get(operand).unwrap_or_default()));
        match operand {
            Some((OperatorKind::Default, default)) => default.clone_into(&mut variable.default),
            Some((OperatorKind::Alternate, alternate)) => alternate.clone_into(&mut variable.alternate),
            Some((OperatorKind::Required, _)) => variable.required = true,
            None => {}
        }
        // The last place says what is shown, as it does in docker compose.
        found.insert(name, variable);
        if let Some((OperatorKind::Default | OperatorKind::Alternate, operand)) = operand {
            template(operand, depth + 1, found);
        }
    }
}
