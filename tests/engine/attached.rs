//! Commands that stay: attached `up`, Ctrl-C, logs.

use rustix::process::Signal;

use crate::running::Run;
use crate::scenario::scenario;

const TALKERS: &str = "
services:
  short: { image: $BUSYBOX, command: echo the only line }
  longer-name: { image: $BUSYBOX, command: sh -c 'echo one; echo two >&2' }
";

/// The lines that containers wrote, sorted; how wide the column of names is depends on which of them came first.
fn lines_of_containers(run: &Run) -> Vec<String> {
    let all = run.stdout.lines().chain(run.stderr.lines());
    let from_containers = all.filter_map(|line| line.split_once(" | "));
    let mut lines: Vec<String> = from_containers.map(|(name, line)| format!("{}: {line}", name.trim_end())).collect();
    lines.sort();
    lines
}

#[test]
fn up_prints_every_line_and_ends_with_the_last_container() {
    scenario(
        "no output is lost, each line names its container, and up ends when all have ended",
        &["busybox"],
        async |s| {
            s.file("compose.yaml", TALKERS);
            let all = ["longer-name-1: one", "longer-name-1: two", "short-1: the only line"];
            let run = s.compose(["up"]).await.succeeds().says("exited with code 0");
            assert_eq!(lines_of_containers(&run), all);
            let run = s.compose(["logs", "--no-color"]).await.succeeds();
            assert_eq!(lines_of_containers(&run), all);
            let run = s.compose(["logs", "--no-log-prefix", "--tail", "1", "short"]).await.succeeds();
            assert_eq!(run.stdout, "the only line\n");
        },
    );
}

/// Ends at once when asked to.
const POLITE: &str = "
services:
  a: { image: $BUSYBOX, command: &command \"sh -c 'trap \\\"echo going; exit 0\\\" TERM; echo ready; while :; do sleep 0.1; done'\" }
  b: { image: $BUSYBOX, command: *command, depends_on: [a] }
";

#[test]
fn ctrl_c_stops_the_project() {
    scenario("Ctrl-C stops the containers, keeps them, and the exit code is 130", &["busybox"], async |s| {
        s.file("compose.yaml", POLITE);
        let mut up = s.start(["up"]);
        up.says("a-1  | ready").await;
        up.says("b-1  | ready").await;
        up.signal(Signal::INT);
        up.end().await.exits(130).says("Gracefully");
        assert_eq!(s.states().await, "a-1 exited, b-1 exited");
        assert_eq!((s.container("a-1").await.exit_code, s.container("b-1").await.exit_code), (0, 0));
        assert!(s.container("b-1").await.finished_at <= s.container("a-1").await.finished_at);
    });
}

#[test]
fn a_second_ctrl_c_kills() {
    scenario("a second Ctrl-C does not wait for what does not want to stop", &["busybox"], async |s| {
        s.file(
            "compose.yaml",
            "
services:
  stubborn:
    image: $BUSYBOX
    command: \"sh -c 'trap \\\"echo not yet\\\" TERM; echo ready; while :; do sleep 0.1; done'\"
    stop_grace_period: 10m
",
        );
        let mut up = s.start(["up"]);
        up.says("stubborn-1  | ready").await;
        up.signal(Signal::INT);
        up.says("stubborn-1  | not yet").await;
        up.signal(Signal::INT);
        up.end().await.exits(130);
        s.wait_states("stubborn-1 exited").await;
        assert_eq!(s.container("stubborn-1").await.exit_code, 137);
    });
}

#[test]
fn the_first_to_end_decides() {
    scenario("--exit-code-from stops the rest and passes the code on", &["busybox"], async |s| {
        s.file(
            "compose.yaml",
            &format!("{POLITE}  test: {{ image: $BUSYBOX, command: sh -c 'exit 9', depends_on: [b] }}\n"),
        );
        s.compose(["up", "--exit-code-from", "test"]).await.exits(9);
        assert_eq!(s.states().await, "a-1 exited, b-1 exited, test-1 exited");
        s.compose(["up", "--abort-on-container-exit"]).await.exits(9);
        assert_eq!(s.states().await, "a-1 exited, b-1 exited, test-1 exited");
    });
}

#[test]
fn logs_follow() {
    scenario(
        "logs -f shows what was and what comes, until Ctrl-C or the end of the containers",
        &["busybox"],
        async |s| {
            s.file("compose.yaml", POLITE);
            s.compose(["up", "-d"]).await.succeeds();
            let mut logs = s.start(["logs", "-f"]);
            logs.says("a-1  | ready").await;
            logs.says("b-1  | ready").await;
            s.compose(["stop"]).await.succeeds();
            logs.says("a-1  | going").await;
            logs.end().await.succeeds();

            s.compose(["start"]).await.succeeds();
            let mut logs = s.start(["logs", "-f", "--tail", "1"]);
            logs.says("a-1  | ready").await;
            s.compose(["stop", "a"]).await.succeeds();
            logs.says("a-1  | going").await;
            logs.signal(Signal::INT);
            logs.end().await.exits(130);
            assert_eq!(s.container("b-1").await.state, "running");
        },
    );
}
