//! `logs -f` of many containers that write much: nothing is lost, memory stays flat.
//!
//! `COMPOSE_TEST_FULL=1` makes it 20 containers with 100 000 lines each; with `COMPOSE_TEST_BIN` another implementation
//! does the same, for comparison.

use std::collections::BTreeMap;
use std::fs;

use crate::scenario::{Scenario, scenario};

/// Kilobytes at most, whatever is written.
const MEMORY: u64 = 40_000;

#[test]
fn logs_lose_nothing() {
    let full = std::env::var_os("COMPOSE_TEST_FULL").is_some();
    let (containers, lines) = if full { (20_usize, 100_000_usize) } else { (6, 3_000) };
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
        let mut next: BTreeMap<&str, usize> = BTreeMap::new();
        for line in run.stdout.lines() {
            let Some((name, number)) = line.split_once(" | ") else { continue };
            let number: usize = number.trim().parse().expect("a number");
            let next = next.entry(name.trim_end()).or_insert(1);
            assert_eq!(number, *next, "of {name}");
            *next += 1;
        }
        assert_eq!(next.len(), containers, "{:?}", next.keys());
        assert!(next.values().all(|next| *next == lines + 1), "{next:?}");
        eprintln!("{containers} containers, {lines} lines each: {used:?}");
        assert!(used.memory < MEMORY || Scenario::tests_another(), "{used:?}");
        let _ = fs::remove_file(s.dir().join("go/now"));
    });
}
