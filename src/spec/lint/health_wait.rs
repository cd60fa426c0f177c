//! `slow-health-wait`: services that wait for a healthcheck which comes late.

use std::collections::BTreeMap;

use crate::diagnostics::{Code, Diagnostic};
use crate::spec::lint::{Scope, listed};
use crate::spec::model::{DependencyCondition, GoDuration, Healthcheck, Service};

pub(super) const CODE: Code = Code("slow-health-wait");
pub(super) const PAGE: &str = include_str!("../../../docs/diagnostics/slow-health-wait.md");

const SECOND: i64 = 1_000_000_000;
/// Between checks when nothing is written.
const DEFAULT_INTERVAL: GoDuration = GoDuration(30 * SECOND);
/// Between checks of the start period when nothing is written, from engine 25 on.
const DEFAULT_START_INTERVAL: GoDuration = GoDuration(5 * SECOND);
/// Waiting so long is borne.
const BORNE: GoDuration = GoDuration(5 * SECOND);

pub(super) fn run(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let mut dependents: BTreeMap<&str, Vec<&Service>> = BTreeMap::new();
    for service in &scope.services {
        for (name, dependency) in &service.depends_on {
            if dependency.condition == DependencyCondition::Healthy {
                dependents.entry(name.as_str()).or_default().push(service);
            }
        }
    }
    for service in &scope.services {
        let Some(check) = service.healthcheck.as_ref().filter(|check| checks(check)) else { continue };
        let first = first_check(check);
        if first <= BORNE {
            continue;
        }
        let name = &service.name;
        let Some(waiting) = dependents.get(name.as_str()) else { continue };
        let names = listed(waiting.iter().map(|other| other.name.as_str()));
        let key = if in_start_period(check) { "start_interval" } else { "interval" };
        let unused = check.start_interval.is_some() && !in_start_period(check);
        let mut finding = Diagnostic::warning(
            CODE,
            format!("services.{name} is checked only after {first}, and so long waits what needs it healthy: {names}"),
        )
        .at(scope.key(service, &["healthcheck", key]), format!("the first check comes after {first}"));
        for other in waiting.iter().take(3) {
            finding = finding.at(scope.key(other, &["depends_on", name.as_str()]), "waits for it");
        }
        found.push(finding.hint(if unused {
            "`start_interval` counts only during the start period: write `start_period: 30s`, too"
        } else {
            "write `start_period: 30s` and `start_interval: 1s` (Docker Engine 25 and later), or a shorter `interval`"
        }));
    }
}

fn checks(check: &Healthcheck) -> bool {
    let none = check.test.as_ref().and_then(|test| test.first()).is_some_and(|word| word == "NONE");
    !check.disable && !none
}

fn in_start_period(check: &Healthcheck) -> bool {
    check.start_period.is_some_and(|period| period.0 > 0)
}

/// How long after the start the engine looks for the first time.
fn first_check(check: &Healthcheck) -> GoDuration {
    let given = |duration: Option<GoDuration>| duration.filter(|duration| duration.0 > 0);
    if in_start_period(check) {
        given(check.start_interval).unwrap_or(DEFAULT_START_INTERVAL)
    } else {
        given(check.interval).unwrap_or(DEFAULT_INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::lint::tests::warnings_of;

    fn told(check: &str, condition: &str) -> String {
        let text = format!(
            "services:\n  db:\n    image: a:1\n    healthcheck: {{test: [CMD, x]{check}}}\n  web:\n    image: a:1\n    \
             depends_on:\n      db: {{condition: {condition}}}\n"
        );
        warnings_of(&text, CODE)
    }

    #[test]
    fn only_late_checks_that_somebody_waits_for_are_told() {
        for (check, late) in [
            ("", true),
            (", interval: 10s", true),
            (", interval: 10s, start_interval: 1s", true),
            (", interval: 10s, start_period: 30s, start_interval: 8s", true),
            (", interval: 5s", false),
            (", interval: 1m, start_period: 30s, start_interval: 1s", false),
            (", interval: 1m, start_period: 30s", false),
            (", disable: true", false),
        ] {
            assert_eq!(!told(check, "service_healthy").is_empty(), late, "{check}");
            assert_eq!(told(check, "service_started"), "", "{check}");
        }
    }

    #[test]
    fn who_waits_for_whom_is_shown() {
        insta::assert_snapshot!(told(", interval: 10s, start_interval: 1s", "service_healthy"), @"
        warning[slow-health-wait]: services.db is checked only after 10s, and so long waits what needs it healthy: web
         --> compose.yaml:4:35
          |
        4 |     healthcheck: {test: [CMD, x], interval: 10s, start_interval: 1s}
          |                                   ^^^^^^^^ the first check comes after 10s
        ...
        8 |       db: {condition: service_healthy}
          |       -- waits for it
          |
          = help: `start_interval` counts only during the start period: write `start_period: 30s`, too
        ");
    }
}
