//! `logs -f` and `up` of many containers that write much: nothing is lost, memory stays flat.
//!
//! `COMPOSE_TEST_FULL=1` makes it 20 containers with 100 000 lines each; with `COMPOSE_TEST_BIN` another implementation
//! does the same, for comparison.

use std::collections::BTreeMap;
use std::fs;

use crate::scenario::{Scenario, scenario};

/// Kilobytes at most, whatever is written.
const MEMORY: u64 = 40_000;

/// Containers, and lines of each.
fn size() -> (usize, usize) {
    if std::env::var_os("COMPOSE_TEST_FULL").is_some() { (20, 100_000) } else { (6, 3_000) }
}

/// Every container counted to `lines`, one number a line.
fn assert_whole(shown: &str, containers: usize, lines: usize) {
    let mut next: BTreeMap<&str, usize> = BTreeMap::new();
    for line in shown.lines() {
        let Some((name, number)) = line.split_once(" | ") else { continue };
        let number: usize = number.trim().parse().expect("a number");
        let next = next.entry(name.trim_end()).or_insert(1);
        assert_eq!(number, *next, "of {name}");
        *next += 1;
    }
    assert_eq!(next.len(), containers, "{:?}", next.keys());
    assert!(next.values().all(|next| *next == lines + 1), "{next:?}");
}

#[test]
fn up_loses_nothing() {
    let (containers, lines) = size();
    scenario("an attached up shows all that is written until the end of each container", &["busybox"], async |s| {
        let service = format!("    image: $BUSYBOX\n    network_mode: none\n    command: seq 1 {lines}\n");
        let services: String = (1..=containers).map(|number| format!("  s{number}:\n{service}")).collect();
        s.file("compose.yaml", &format!("services:\n{services}"));
        let mut up = s.start(["up", "--no-color"]);
        let used = up.usage().await;
        let run = up.end().await.succeeds();
        eprintln!("up, {containers} containers, {lines} lines each: {used:?}");
        assert_whole(&run.stdout, containers, lines);
        assert!(used.memory < MEMORY || Scenario::tests_another(), "{used:?}");
    });
}

#[test]
fn logs_lose_nothing() {
    let (containers, lines) = size();
    scenario("logs -f of many containers loses no line and holds none", &["busybox"], async |s| {
        let script = format!("while [ ! -e /go/now ]; do sleep 0.1; done; seq 1 {lines}");
        let service = format!("    image: $BUSYBOX\n    command: sh -c '{script}'\n    volumes: ['./go:/go']\n");
        let services: String = (1..=containers).map(|number| format!("  s{number}:\n{service}")).collect();
        s.file("compose.yaml", &format!("services:\n{services}"));
        s.file("go/placeholder", "");
        s.compose(["up", "-d"]).await.succeeds();
        let mut logs = s.start(["logs", "-f", "--no-color"]);
        let usage = logs.usage();
        s.file("go/now", "");
        let used = usage.await;
        let run = logs.end().await.succeeds();
        assert_whole(&run.stdout, containers, lines);
        eprintln!("{containers} containers, {lines} lines each: {used:?}");
        assert!(used.memory < MEMORY || Scenario::tests_another(), "{used:?}");
        let _ = fs::remove_file(s.dir().join("go/now"));
    });
}
