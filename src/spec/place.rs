//! Where in a tree a walker is: a path on the stack, made into text only when something is to be said.

use std::fmt;

/// A path of keys and items.
#[derive(Clone, Copy, Debug)]
pub(in crate::spec) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Item(usize),
}

impl<'a> Place<'a> {
    /// The whole file.
    pub(in crate::spec) const ROOT: Place<'static> = Place { parent: None, step: Step::Root };

    /// The value under a key.
    pub(in crate::spec) fn key(&'a self, key: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }
    /// An item of a list.
    pub(in crate::spec) fn item(&'a self, at: usize) -> Self {
        Self { parent: Some(self), step: Step::Item(at) }
    }
    /// `services[a].mem_limit`, the way decoding names places.
    pub(in crate::spec) fn bracketed(&self) -> String {
        let mut out = String::new();
        for (at, step) in self.steps().iter().enumerate() {
            match step {
                Step::Root => {}
                Step::Key(key) if at == 1 => {
                    out.push('[');
                    out.push_str(key);
                    out.push(']');
                }
                Step::Key(key) => {
                    if !out.is_empty() {
                        out.push('.');
                    }
                    out.push_str(key);
                }
                Step::Item(item) => out.push_str(&format!("[{item}]")),
            }
        }
        out
    }
    /// `services.a.ports.[]`: items without their numbers.
    pub(in crate::spec) fn pattern(&self) -> String {
        self.joined(|_| "[]".to_owned())
    }
    /// `services.a.ports.[0]`.
    pub(in crate::spec) fn numbered(&self) -> String {
        self.joined(|at| format!("[{at}]"))
    }
    fn joined(&self, item: impl Fn(usize) -> String) -> String {
        let steps: Vec<String> = self
            .steps()
            .iter()
            .filter_map(|step| match step {
                Step::Root => None,
                Step::Key(key) => Some((*key).to_owned()),
                Step::Item(at) => Some(item(*at)),
            })
            .collect();
        steps.join(".")
    }
    fn steps(&self) -> Vec<Step<'_>> {
        let mut steps = Vec::new();
        let mut here = Some(self);
        while let Some(place) = here {
            if !matches!(place.step, Step::Root) {
                steps.push(place.step);
            }
            here = place.parent;
        }
        steps.reverse();
        steps
    }
}

/// `services.a.ports.0`.
impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.joined(|at| at.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_in_four_ways() {
        let services = Place::ROOT.key("services");
        let service = services.key("a");
        let ports = service.key("ports");
        let port = ports.item(0);
        assert_eq!(port.to_string(), "services.a.ports.0");
        assert_eq!(port.pattern(), "services.a.ports.[]");
        assert_eq!(port.numbered(), "services.a.ports.[0]");
        assert_eq!(port.bracketed(), "services[a].ports[0]");
    }
}
