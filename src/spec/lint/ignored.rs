//! `unknown-lint-code`: an `x-lint-ignore` that switches nothing off.

use crate::diagnostics::{Code, Diagnostic, Span};
use crate::spec::lint::{IGNORE, RULES, Scope, ignored_codes};
use crate::spec::model::Extensions;
use crate::spec::suggest;

pub(super) const CODE: Code = Code("unknown-lint-code");
pub(super) const PAGE: &str = include_str!("../../../docs/diagnostics/unknown-lint-code.md");

pub(super) fn run(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    one(&scope.project.extensions, scope.project.key_span(&[IGNORE]), found);
    for service in &scope.services {
        one(&service.extensions, scope.key(service, &[IGNORE]), found);
    }
}

fn one(extensions: &Extensions, span: Span, found: &mut Vec<Diagnostic>) {
    for code in ignored_codes(extensions) {
        if RULES.iter().all(|rule| rule.code.0 != code) {
            let finding =
                Diagnostic::warning(CODE, format!("`{IGNORE}` names `{code}`, which is no rule")).at(span, "");
            found.push(suggest::did_you_mean(finding, code, RULES.iter().map(|rule| rule.code.0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::lint::tests::warnings;

    #[test]
    fn a_slip_of_the_pen_is_told() {
        assert_eq!(warnings("image: nginx, x-lint-ignore: floating-image", CODE), "");
        insta::assert_snapshot!(warnings("image: nginx, x-lint-ignore: [floating-images]", CODE), @"
        warning[unknown-lint-code]: `x-lint-ignore` names `floating-images`, which is no rule
         --> compose.yaml:2:23
          |
        2 |   web: {image: nginx, x-lint-ignore: [floating-images]}
          |                       ^^^^^^^^^^^^^
          |
          = help: did you mean `floating-image`?
        ");
    }
}
