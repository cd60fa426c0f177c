//! Files that are edited while containers run.

use std::fs;

use rustix::process::Signal;

use crate::patience::eventually;
use crate::scenario::{Scenario, scenario};

/// Waits until a command inside `web` says exactly this.
async fn inside(s: &Scenario, script: &str, wanted: &str) {
    eventually(&format!("`{script}` says {wanted:?}"), async || {
        let run = s.compose(["exec", "-T", "web", "sh", "-c", script]).await;
        if run.stdout == wanted { Ok(()) } else { Err(run.to_string()) }
    })
    .await;
}

#[test]
fn edits_are_copied_removed_and_followed_by_what_was_asked() {
    scenario("watch copies what changes, removes what is gone, restarts and runs commands", &["busybox"], async |s| {
        s.file(
            "compose.yaml",
            "
services:
  web:
    image: $BUSYBOX
    command: [sh, -c, 'echo started >> /starts; exec tail -f /dev/null']
    stop_signal: SIGKILL
    develop:
      watch:
        - { path: src, target: /app, action: sync, ignore: [skipped/], initial_sync: true }
        - { path: conf, target: /conf, action: sync+restart }
        - { path: ran, target: /ran, action: sync+exec, exec: { command: [sh, -c, 'echo $$WORD >> /said'], environment: [WORD=hello] } }
        - { path: only, target: /only, action: sync, include: ['*.txt'] }
",
        );
        s.file("src/first", "1");
        s.file("src/skipped/x", "x");
        for directory in ["conf", "ran", "only"] {
            fs::create_dir(s.dir().join(directory)).expect("a directory can be made");
        }
        let mut watch = s.start(["watch"]);
        watch.says("Watch enabled").await;
        inside(s, "cat /app/first; ls /app", "1first\n").await;

        s.file("src/deep/er/file", "2");
        s.file("src/skipped/y", "y");
        inside(s, "cat /app/deep/er/file; ls /app", "2deep\nfirst\n").await;
        fs::rename(s.dir().join("src/deep"), s.dir().join("src/other")).expect("a directory can be renamed");
        inside(s, "cat /app/other/er/file; ls /app", "2first\nother\n").await;
        fs::remove_dir_all(s.dir().join("src/other")).expect("a directory can be removed");
        fs::remove_file(s.dir().join("src/first")).expect("a file can be removed");
        inside(s, "ls /app", "").await;

        for number in 0..300 {
            s.file(&format!("src/many/{number}"), "many");
        }
        inside(s, "ls /app/many | wc -l", "300\n").await;

        s.file("only/no.bin", "no");
        s.file("only/yes.txt", "yes");
        inside(s, "ls /only", "yes.txt\n").await;
        s.file("ran/now", "now");
        inside(s, "cat /ran/now /said", "nowhello\n").await;
        s.file("conf/app.conf", "conf");
        inside(s, "cat /conf/app.conf /starts", "confstarted\nstarted\n").await;
        watch.says("service(s) [\"web\"] restarted").await;
        // Another one is refused; who changes the project is not held up.
        s.compose(["watch"]).await.fails().says("cannot take exclusive lock for project");
        s.compose(["up", "-d"]).await.succeeds().says("web-1  Running");

        watch.signal(Signal::INT);
        let told = watch.end().await;
        assert_eq!(told.code, Some(130));
        assert!(!told.stderr.contains("Restarting"), "{told}");
        assert_eq!(s.states().await, "web-1 running");
    });
}

#[test]
fn an_edited_dockerfile_rebuilds_its_service_alone() {
    scenario("watch builds anew and replaces only the containers of that service", &["busybox"], async |s| {
        s.file(
            "compose.yaml",
            "
services:
  web:
    build: { context: ., args: { BASE: $BUSYBOX } }
    stop_signal: SIGKILL
    develop: { watch: [{ path: Dockerfile, action: rebuild }] }
  other: { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL }
",
        );
        let dockerfile = |word: &str| format!("ARG BASE\nFROM $BASE\nRUN echo {word} > /word\nCMD tail -f /dev/null\n");
        s.file("Dockerfile", &dockerfile("old"));
        let mut watch = s.start(["watch"]);
        watch.says("Watch enabled").await;
        let other = s.container("other-1").await;
        inside(s, "cat /word", "old\n").await;
        s.file("Dockerfile", "FROM nowhere.invalid/nothing:1\n");
        watch.says("nowhere.invalid/nothing").await;
        s.file("Dockerfile", &dockerfile("new"));
        inside(s, "cat /word", "new\n").await;
        watch.says("successfully built").await;
        assert_eq!(s.container("other-1").await, other);
        watch.signal(Signal::INT);
        assert_eq!(watch.end().await.code, Some(130));
    });
}

#[test]
fn an_attached_up_watches_too() {
    scenario("up --watch shows output and follows edits; Ctrl-C stops the containers", &["busybox"], async |s| {
        s.file(
            "compose.yaml",
            "
services:
  web:
    image: $BUSYBOX
    command: [sh, -c, 'trap \"exit 0\" TERM; while true; do cat /app/word 2>/dev/null; sleep 0.2; done']
    develop: { watch: [{ path: src, target: /app, action: sync }] }
",
        );
        fs::create_dir(s.dir().join("src")).expect("a directory can be made");
        let mut up = s.start(["up", "--watch"]);
        up.says("Watch enabled").await;
        s.file("src/word", "edited\n");
        up.says("| edited").await;
        up.signal(Signal::INT);
        assert_eq!(up.end().await.code, Some(130));
        assert_eq!(s.states().await, "web-1 exited");
    });
}

#[test]
fn what_can_not_be_watched_is_told() {
    scenario("watch says what is missing, and starts nothing", &["busybox"], async |s| {
        s.file("compose.yaml", "services: { web: { image: $BUSYBOX } }");
        s.compose(["watch"]).await.fails().says("none of the selected services is configured for watch");
        let rebuild = "services: { web: { image: $BUSYBOX, develop: { watch: [{ path: ., action: rebuild }] } } }";
        s.file("compose.yaml", rebuild);
        s.compose(["watch"]).await.fails().says("with action rebuild without a build context");
        assert!(s.containers().await.is_empty());
    });
}

#[test]
fn keys_of_the_menu() {
    scenario("up --menu: w watches files or not, d leaves the containers to themselves", &["busybox"], async |s| {
        if Scenario::tests_another() {
            return;
        }
        s.file("src/a", "one");
        s.file(
            "compose.yaml",
            "
services:
  web:
    image: $BUSYBOX
    command: tail -f /dev/null
    stop_signal: SIGKILL
    develop: {watch: [{path: ./src, action: sync, target: /src}]}
",
        );
        let mut up = s.in_terminal(&["up", "--menu"]);
        up.shows("w Enable Watch   d Detach").await;
        up.is_raw().await;
        up.types("w").await;
        up.shows("Watch enabled").await;
        up.shows("w Disable Watch").await;
        s.file("src/a", "two");
        up.shows("Syncing service").await;
        up.types("w").await;
        up.shows("Watch disabled").await;
        up.types("d").await;
        up.exits(Some(0)).await;
        assert_eq!(s.states().await, "web-1 running");
        s.compose(["exec", "-T", "web", "cat", "/src/a"]).await.succeeds().says("two");

        // Ctrl-C is what it always is.
        let mut up = s.in_terminal(&["up", "--menu"]);
        up.is_raw().await;
        up.types("\x03").await;
        up.exits(Some(130)).await;
        assert_eq!(s.states().await, "web-1 exited");

        // Off unless asked for.
        let mut up = s.in_terminal(&["up"]);
        up.shows("Attaching to").await;
        up.types("\x03").await;
        assert!(!up.exits(Some(130)).await.contains("Detach"));
    });
}
