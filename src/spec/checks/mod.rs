//! What no single value can be blamed for: attributes that exclude each other, names that nothing has, circles.

mod conflicts;
mod containers;
mod cycles;
mod mounts;
mod references;
mod resources;

use crate::diagnostics::{Diagnostic, Span};
use crate::spec::model::Project;
use crate::spec::tree::{Mapping, Node};

/// Looks at a canonical file before names are given.
pub(in crate::spec) fn tree(tree: &Node, findings: &mut Vec<Diagnostic>) {
    resources::check(tree, findings);
}

/// Looks at a whole project with the services that are active.
pub(in crate::spec) fn project(project: &Project, findings: &mut Vec<Diagnostic>) {
    references::check(project, findings);
    conflicts::check(project, findings);
    containers::check(project, findings);
    mounts::check(project, findings);
    cycles::check(project, findings);
}

/// The place of something in the file the project was made from; of its nearest written parent when it was not written.
fn place<'a>(project: &Project, path: impl IntoIterator<Item = &'a str>) -> Span {
    let mut node = &project.tree;
    for step in path {
        match node.get(step).or_else(|| node.at([step])) {
            Some(next) => node = next,
            None => break,
        }
    }
    node.span
}

/// The entries of a section.
fn entries<'t>(tree: &'t Node, section: &str) -> impl Iterator<Item = (&'t str, &'t crate::spec::tree::Entry)> {
    tree.get(section).and_then(Node::as_mapping).into_iter().flat_map(Mapping::iter)
}
