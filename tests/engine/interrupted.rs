//! Ctrl-C in a real terminal, and what is drawn there: what still runs is told, and the terminal is as it was.

use std::num::NonZeroU16;

use crate::scenario::{Scenario, scenario};

const SHOP: &str = "
x-base: &base { image: $BUSYBOX, network_mode: none, stop_grace_period: 2s }
services:
  web: { <<: *base, depends_on: [db], command: sh -c 'trap \"echo bye; exit 5\" TERM; echo hello; while :; do sleep 0.1; done' }
  db: { <<: *base, command: sh -c 'trap \"exit 0\" TERM; echo ready; while :; do sleep 0.1; done' }
  sick: { <<: *base, command: sh -c 'trap \"\" TERM; while :; do sleep 0.1; done', healthcheck: { test: 'false', interval: 1s, retries: 1000 }, profiles: [sick] }
  watched: { <<: *base, command: sleep 1000, init: true, profiles: [watch], develop: { watch: [ { action: sync, path: ., target: /x } ] } }
";

/// What a terminal of this size shows in the end, with what scrolled away, and whether a line was longer than it.
fn seen(screen: &str, (rows, columns): (u16, u16)) -> (Vec<String>, bool) {
    let size = |cells| NonZeroU16::new(cells).expect("a terminal has cells");
    let mut parser = vt100::Parser::new(size(rows), size(columns), 1000);
    parser.process(screen.as_bytes());
    assert!(!parser.screen().hide_cursor(), "the cursor is hidden\n{screen:?}");
    let mut lines = Vec::new();
    parser.screen_mut().set_scrollback(usize::MAX);
    for offset in (1..=parser.screen().scrollback()).rev() {
        parser.screen_mut().set_scrollback(offset);
        lines.extend(parser.screen().contents().lines().next().map(str::to_owned));
    }
    parser.screen_mut().set_scrollback(0);
    let is_wrapped = (0..rows).any(|row| parser.screen().row_wrapped(row));
    lines.extend(parser.screen().contents().lines().map(|line| line.trim_end().to_owned()));
    (lines, is_wrapped)
}

/// Types Ctrl-C once these words are shown; what stands on the terminal in the end.
async fn broken_off(s: &Scenario, args: &[&str], words: &str) -> Vec<String> {
    let mut command = s.in_terminal(args);
    command.shows(words).await;
    command.types("\x03").await;
    let screen = command.exits(Some(130)).await;
    assert!(screen.ends_with('\n') || screen.ends_with("\r\u{1b}[?2026l"), "half a line is left: {screen:?}");
    seen(&screen, (24, 80)).0
}

#[test]
fn attached_up_in_a_terminal() {
    scenario("Ctrl-C: all that is written is shown, what still runs is told", &["busybox"], async |s| {
        s.file("compose.yaml", SHOP);
        let lines = broken_off(s, &["up"], "hello").await;
        for line in ["Gracefully Stopping... press Ctrl+C again to force", "web-1  | bye", "web-1 exited with code 5"] {
            assert_eq!(lines.iter().filter(|seen| *seen == line).count(), 1, "{line}\n{}", lines.join("\n"));
        }
        assert_eq!(lines.iter().filter(|line| line.starts_with("[+] stop 2/2")).count(), 1, "{}", lines.join("\n"));
        assert_eq!(s.states().await, "db-1 exited, web-1 exited");
        // Who was not named is not stopped.
        let lines = broken_off(s, &["up", "web"], "hello").await;
        assert_eq!(lines.last(), Some(&format!("still running: {}", s.name("db-1"))), "{}", lines.join("\n"));
        assert_eq!(s.states().await, "db-1 running, web-1 exited");
    });
}

#[test]
fn what_is_left_is_told() {
    scenario("Ctrl-C ends every command with 130 and says what is left", &["busybox"], async |s| {
        s.file("compose.yaml", SHOP);
        let told =
            |lines: Vec<String>, words: &str| assert_eq!(lines.last().map(String::as_str), Some(words), "{lines:?}");
        let running = |names: &[&str]| names.iter().map(|name| s.name(name)).collect::<Vec<_>>().join(", ");
        let lines = broken_off(s, &["--profile", "sick", "up", "-d", "--wait", "sick"], "Waiting").await;
        told(lines, &format!("interrupted; still running: {}", running(&["sick-1"])));
        let lines = broken_off(s, &["--profile", "sick", "stop", "sick"], "Stopping").await;
        told(lines, &format!("interrupted; nothing of {} runs", s.project));
        s.compose(["up", "-d"]).await.succeeds();
        // A question is no shelter.
        let lines = broken_off(s, &["rm", "--stop"], "(y/N)").await;
        told(lines, &format!("interrupted; still running: {}", running(&["db-1", "web-1"])));
        let lines = broken_off(s, &["watch", "watched"], "Watch enabled").await;
        told(lines, &format!("still running: {}", running(&["db-1", "watched-1", "web-1"])));
        for (args, words) in [(vec!["logs", "-f"], "ready"), (vec!["stats"], "db-1")] {
            broken_off(s, &args, words).await;
        }
    });
}

#[test]
fn progress_on_small_terminals() {
    scenario(
        "rows fit the terminal, finished ones scroll away, also when it changes its size",
        &["busybox"],
        async |s| {
            let services = |count| {
                (1..=count).map(|number| {
            format!("  number-{number}: {{ image: $BUSYBOX, network_mode: none, init: true, command: sleep 1000 }}\n")
        })
            };
            let services: String = services(9).collect();
            s.file("compose.yaml", &format!("services:\n{services}"));
            for size in [(5, 20), (24, 80)] {
                let screen = s.in_terminal_of(size, &["up", "-d"]).exits(Some(0)).await;
                let (lines, is_wrapped) = seen(&screen, size);
                assert!(!is_wrapped, "a line is longer than the terminal: {screen:?}");
                assert_eq!(lines.iter().filter(|line| line.contains('✔')).count(), 9, "{}", lines.join("\n"));
                assert_eq!(lines.iter().filter(|line| line.starts_with("[+] up")).count(), 1, "{}", lines.join("\n"));
                s.compose(["down", "-t", "0"]).await.succeeds();
            }
            let up = s.in_terminal(&["up", "-d"]);
            up.shows("[+] up").await;
            up.resize(5, 20);
            let screen = up.exits(Some(0)).await;
            let last = screen.rsplit("[+] up").next().unwrap_or_default();
            assert!(last.contains('✔') && screen.ends_with('\n'), "{screen:?}");
        },
    );
}
