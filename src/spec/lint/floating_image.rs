//! `floating-image`: an image that is another one tomorrow.

use std::collections::BTreeSet;

use crate::diagnostics::{Code, Diagnostic};
use crate::spec::lint::{Scope, image_parts};
use crate::spec::model::Service;

pub(super) const CODE: Code = Code("floating-image");
pub(super) const PAGE: &str = include_str!("../../../docs/diagnostics/floating-image.md");

pub(super) fn run(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let project = scope.project;
    // What the project builds itself is as old as its sources.
    let built: BTreeSet<&str> = project
        .services
        .values()
        .chain(project.disabled_services.values())
        .filter(|service| service.build.is_some())
        .filter_map(|service| service.image.as_deref())
        .collect();
    for service in &scope.services {
        let Some(image) = service.image.as_deref().filter(|image| is_pulled(service) && !built.contains(image)) else {
            continue;
        };
        let (path, last, tag) = image_parts(image);
        if image.contains('@') || path.is_empty() {
            continue;
        }
        let (how, label) = match tag {
            None => ("without a tag", "this means `latest`"),
            Some("latest") => ("with the tag `latest`", ""),
            Some(_) => continue,
        };
        let name = &service.name;
        found.push(
            Diagnostic::warning(CODE, format!("services.{name} uses the image {path} {how}"))
                .at(scope.value(service, &["image"]), label)
                .hint(format!("name a version, `{last}:<version>`, so that the same file gives the same containers")),
        );
    }
}

fn is_pulled(service: &Service) -> bool {
    service.build.is_none()
        && service.provider.is_none()
        && !matches!(service.pull_policy.as_deref(), Some("never" | "build"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::lint::tests::warnings;

    #[test]
    fn versions_and_digests_stand_still() {
        for (service, told) in [
            ("image: nginx", true),
            ("image: nginx:latest", true),
            ("image: 'localhost:5000/team/web'", true),
            ("image: 'localhost:5000/team/web:latest'", true),
            ("image: nginx:1.27", false),
            ("image: 'localhost:5000/team/web:1'", false),
            ("image: 'nginx@sha256:0123456789012345678901234567890123456789012345678901234567890123'", false),
            ("image: team/web, build: .", false),
            ("image: team/web, pull_policy: never", false),
            ("build: .", false),
        ] {
            assert_eq!(!warnings(service, CODE).is_empty(), told, "{service}");
        }
    }

    #[test]
    fn the_image_is_named_as_it_is_written() {
        insta::assert_snapshot!(warnings("image: quay.io/team/web", CODE), @"
        warning[floating-image]: services.web uses the image quay.io/team/web without a tag
         --> compose.yaml:2:16
          |
        2 |   web: {image: quay.io/team/web}
          |                ^^^^^^^^^^^^^^^^ this means `latest`
          |
          = help: name a version, `web:<version>`, so that the same file gives the same containers
        ");
    }
}
