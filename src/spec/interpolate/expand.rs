//! The value of a template.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::template::{Operator, OperatorKind, Piece, Pieces};
use crate::spec::tree::{VariableSource, VariableUse};

/// How deep defaults may nest in each other.
const MAX_DEPTH: usize = 64;
/// How many bytes the values of variables may add to one file: lines like `B=$A$A` could make it grow without end.
pub(in crate::spec) const MAX_ADDED: usize = 16 << 20;

/// Where variables come from.
pub trait Lookup {
    /// The value of a variable and where it was set; `None` when it is not.
    fn get(&self, name: &str) -> Option<(Cow<'_, str>, VariableSource)>;
}

/// A template with its variables filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Substitution {
    /// The value.
    pub text: String,
    /// The variables that took part, in the order of the text.
    pub variables: Vec<VariableUse>,
    /// Variables that are not set and became an empty text, and where they stand in the template, in bytes.
    pub unset: Vec<(String, Range<usize>)>,
}

/// Why a template has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubstitutionError {
    /// The reason.
    pub kind: SubstitutionErrorKind,
    /// Where in the template, in bytes.
    pub at: Range<usize>,
}

/// Reasons for a template to have no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubstitutionErrorKind {
    /// `${` without a variable behind it.
    Invalid {
        /// The part of the template that docker compose names.
        template: String,
    },
    /// `${NAME?message}` and there is no value.
    Required {
        /// The variable.
        name: String,
        /// What the author of the file has to say; may be empty.
        message: String,
    },
    /// Defaults in defaults in defaults.
    TooDeep,
    /// Variables add more than a file may hold.
    TooLong,
}

impl fmt::Display for SubstitutionError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            SubstitutionErrorKind::Invalid { template } => write!(out, "Invalid template: {template:?}"),
            SubstitutionErrorKind::Required { name, message } if message.is_empty() => {
                write!(out, "required variable {name} is missing a value")
            }
            SubstitutionErrorKind::Required { name, message } => {
                write!(out, "required variable {name} is missing a value: {message}")
            }
            SubstitutionErrorKind::TooDeep => write!(out, "variables nest more than {MAX_DEPTH} deep"),
            SubstitutionErrorKind::TooLong => write!(out, "variables add more than {MAX_ADDED} bytes"),
        }
    }
}

impl std::error::Error for SubstitutionError {}

/// Fills in the variables of a text. Defaults that are not needed are not looked at.
pub fn substitute(text: &str, lookup: &dyn Lookup) -> Result<Substitution, SubstitutionError> {
    substitute_within(text, lookup, &mut { MAX_ADDED })
}

/// Like [`substitute`], for one of many texts: `left` is how many bytes variables may still add to all of them.
pub(in crate::spec) fn substitute_within(
    text: &str,
    lookup: &dyn Lookup,
    left: &mut usize,
) -> Result<Substitution, SubstitutionError> {
    let mut expansion = Expansion { lookup, variables: Vec::new(), unset: Vec::new(), left };
    let text = expansion.expand(text, 0, 0)?;
    Ok(Substitution { text, variables: expansion.variables, unset: expansion.unset })
}

struct Expansion<'a> {
    lookup: &'a dyn Lookup,
    variables: Vec<VariableUse>,
    unset: Vec<(String, Range<usize>)>,
    left: &'a mut usize,
}

impl<'a> Expansion<'a> {
    fn add(&mut self, out: &mut String, value: &str, at: Range<usize>) -> Result<(), SubstitutionError> {
        *self.left =
            self.left.checked_sub(value.len()).ok_or(SubstitutionError { kind: SubstitutionErrorKind::TooLong, at })?;
        out.push_str(value);
        Ok(())
    }

    /// `base` is where `text` stands in the whole template.
    fn expand(&mut self, text: &str, base: usize, depth: usize) -> Result<String, SubstitutionError> {
        let slice = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        let place = |range: &Range<usize>| base + range.start..base + range.end;
        if depth > MAX_DEPTH {
            return Err(SubstitutionError { kind: SubstitutionErrorKind::TooDeep, at: place(&(0..text.len())) });
        }
        let mut out = String::with_capacity(text.len());
        for piece in Pieces::new(text) {
            match piece {
                Piece::Text(range) => out.push_str(slice(&range)),
                Piece::Dollar => out.push('$'),
                Piece::Invalid { at, template } => {
                    let template = slice(&template).to_owned();
                    let kind = SubstitutionErrorKind::Invalid { template };
                    return Err(SubstitutionError { kind, at: place(&at) });
                }
                Piece::Variable { whole, name, operation: None } => match self.take(slice(&name)) {
                    Some(value) => self.add(&mut out, &value, place(&whole))?,
                    None => {
                        let name = slice(&name).to_owned();
                        self.variables.push(VariableUse { name: name.clone(), from: VariableSource::Unset });
                        self.unset.push((name, place(&whole)));
                    }
                },
                Piece::Variable { whole, name, operation: Some((operator, operand)) } => {
                    let name = slice(&name);
                    let at = base + operand.start;
                    match self.decide(name, operator) {
                        Decision::Value(value) => self.add(&mut out, &value, place(&whole))?,
                        Decision::Operand => out.push_str(&self.expand(slice(&operand), at, depth + 1)?),
                        Decision::Nothing => {}
                        Decision::Missing => {
                            let message = self.expand(slice(&operand), at, depth + 1)?;
                            let kind = SubstitutionErrorKind::Required { name: name.to_owned(), message };
                            return Err(SubstitutionError { kind, at: place(&whole) });
                        }
                    }
                }
            }
        }
        Ok(out)
    }

    fn take(&mut self, name: &str) -> Option<Cow<'a, str>> {
        let (value, from) = self.lookup.get(name)?;
        self.variables.push(VariableUse { name: name.to_owned(), from });
        Some(value)
    }

    fn decide(&mut self, name: &str, operator: Operator) -> Decision<'a> {
        let found = self.lookup.get(name).filter(|(value, _)| !(operator.or_empty && value.is_empty()));
        let from = found.as_ref().map_or(VariableSource::Default, |(_, from)| from.clone());
        let decision = match (operator.kind, found) {
            (OperatorKind::Default | OperatorKind::Required, Some((value, _))) => Decision::Value(value),
            (OperatorKind::Default, None) | (OperatorKind::Alternate, Some(_)) => Decision::Operand,
            (OperatorKind::Alternate, None) => Decision::Nothing,
            (OperatorKind::Required, None) => Decision::Missing,
        };
        let from = if matches!(decision, Decision::Nothing) { VariableSource::Unset } else { from };
        self.variables.push(VariableUse { name: name.to_owned(), from });
        decision
    }
}

enum Decision<'a> {
    Value(Cow<'a, str>),
    Operand,
    Nothing,
    Missing,
}
