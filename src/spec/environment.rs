//! The variables that interpolation sees, each with where it was set.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::spec::interpolate::Lookup;
use crate::spec::tree::VariableSource;

/// Variables and their sources.
#[derive(Clone, Debug, Default)]
pub(in crate::spec) struct Environment {
    variables: BTreeMap<String, (String, VariableSource)>,
}

impl Environment {
    /// The environment of the process.
    pub(in crate::spec) fn of_process(variables: &BTreeMap<String, String>) -> Self {
        let variables =
            variables.iter().map(|(name, value)| (name.clone(), (value.clone(), VariableSource::Shell))).collect();
        Self { variables }
    }
    /// Sets a variable, whatever it was before.
    pub(in crate::spec) fn set(&mut self, name: &str, value: &str, source: VariableSource) {
        self.variables.insert(name.to_owned(), (value.to_owned(), source));
    }
    /// Sets a variable unless it is set.
    pub(in crate::spec) fn add(&mut self, name: &str, value: &str, source: VariableSource) {
        self.variables.entry(name.to_owned()).or_insert_with(|| (value.to_owned(), source));
    }
    /// The value of a variable.
    pub(in crate::spec) fn value(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|(value, _)| value.as_str())
    }
    /// All variables with their values.
    pub(in crate::spec) fn to_map(&self) -> BTreeMap<String, String> {
        self.variables.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect()
    }
}

impl Lookup for Environment {
    fn get(&self, name: &str) -> Option<(Cow<'_, str>, VariableSource)> {
        self.variables.get(name).map(|(value, source)| (value.into(), source.clone()))
    }
}
