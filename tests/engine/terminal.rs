//! `run`, `exec` and `attach` with terminals, pipes and signals.

use rustix::process::Signal;

use crate::scenario::scenario;

const SHOP: &str = "
services:
  web:
    image: $BUSYBOX
    command: sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.1; done'
    depends_on: { db: { condition: service_healthy } }
    restart: always
    environment: { COLOUR: red }
  db:
    image: $BUSYBOX
    command: sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.1; done'
    healthcheck: { test: 'true', interval: 0.2s }
  shell: { image: $BUSYBOX, command: sh, tty: true, stdin_open: true, stop_signal: KILL }
";

#[test]
fn run_is_one_off() {
    scenario("run starts dependencies, gives the code, and is no replica", &["busybox"], async |s| {
        s.file("compose.yaml", SHOP);
        let words = ["run", "web", "sh", "-c", "echo $COLOUR; echo oh >&2; exit 3"];
        let run = s.compose(words).await.exits(3);
        assert_eq!(run.stdout, "red\n");
        assert!(run.stderr.contains("oh\n"), "{run}");
        let db = s.container("db-1").await;
        assert_eq!((db.state.as_str(), db.health.as_str()), ("running", "healthy"));
        let listed = s.compose(["ps", "--format", "{{.Service}}"]).await.succeeds();
        assert_eq!(listed.stdout, "db\n");
        let listed = s.compose(["ps", "-a", "--format", "{{.Service}}"]).await.succeeds();
        assert_eq!(listed.stdout, "db\nweb\n");
        let one_off = s.containers().await.into_iter().find(|seen| seen.name.contains("-web-run-")).expect("a one-off");
        assert_eq!(one_off.labels["com.docker.compose.oneoff"], "True");
        assert_eq!(one_off.labels.get("com.docker.compose.container-number"), None);
        s.compose(["down", "--remove-orphans"]).await.succeeds();
        s.assert_nothing_left().await;
    });
}

#[test]
fn run_rm_leaves_nothing() {
    scenario("--rm removes the container after its end, a failure to start and Ctrl-C", &["busybox"], async |s| {
        s.file("compose.yaml", SHOP);
        let run = s.compose(["run", "--rm", "--no-deps", "-e", "COLOUR=blue", "web", "sh", "-c", "echo $COLOUR"]).await;
        assert_eq!(run.succeeds().stdout, "blue\n");
        assert_eq!(s.states().await, "");
        s.compose(["run", "--rm", "--no-deps", "web", "/nope"]).await.exits(127).says("/nope");
        assert_eq!(s.states().await, "");
        let wait = "trap 'echo going; exit 9' INT; echo ready; while :; do sleep 0.1; done";
        let mut run = s.start(["run", "--rm", "--no-deps", "web", "sh", "-c", wait]);
        run.says("ready").await;
        run.signal(Signal::INT);
        run.end().await.exits(9).says("going");
        assert_eq!(s.states().await, "");
        let mut run = s.start(["run", "--rm", "web", "true"]);
        run.says("db-1  Started").await;
        run.signal(Signal::INT);
        run.end().await.exits(130);
        assert!(!s.states().await.contains("-run-"), "{}", s.states().await);
    });
}

#[test]
fn pipes_are_binary() {
    scenario("input from a pipe comes out byte by byte, however much it is", &["busybox"], async |s| {
        s.file("compose.yaml", SHOP);
        s.compose(["up", "-d", "db"]).await.succeeds();
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
        let one_off = s.fed(["run", "--rm", "-T", "--no-deps", "web", "cat"], bytes.clone()).await;
        assert!(one_off == bytes, "run gave {} bytes of {}", one_off.len(), bytes.len());
        let inside = s.fed(["exec", "-T", "db", "cat"], bytes.clone()).await;
        assert!(inside == bytes, "exec gave {} bytes of {}", inside.len(), bytes.len());
        for first in 0..3_u8 {
            let bytes = vec![first, 0, 0, 0];
            assert_eq!(s.fed(["exec", "-T", "db", "cat"], bytes.clone()).await, bytes);
        }
    });
}

#[test]
fn run_in_the_background() {
    scenario("run -d prints the id and returns", &["busybox"], async |s| {
        s.file("compose.yaml", SHOP);
        let name = s.name("mine");
        let words = ["run", "-d", "--no-deps", "--name", &name, "-l", "a=b", "web", "sleep", "100"];
        let run = s.compose(words).await.succeeds();
        let seen = s.container("mine").await;
        assert_eq!((run.stdout.trim(), seen.state.as_str()), (seen.id.as_str(), "running"));
        assert_eq!(seen.labels["a"], "b");
    });
}

#[test]
fn exec_in_a_terminal() {
    scenario("exec gives a terminal of the right size, follows it, and has the code", &["busybox"], async |s| {
        s.file("compose.yaml", SHOP);
        s.compose(["up", "-d", "db"]).await.succeeds();
        let mut exec =
            s.in_terminal(&["exec", "db", "sh", "-c", "stty size; printf 'name? '; read n; echo \"<$n>\"; sh"]);
        // A prompt without a newline is shown at once.
        exec.shows("24 80\r\nname? ").await;
        exec.is_raw().await;
        exec.types("ada\r").await;
        exec.shows("<ada>").await;
        exec.resize(33, 111);
        exec.types("until stty size | grep 33.111; do sleep 0.1; done\r").await;
        exec.shows("33 111").await;
        // Ctrl-C is a key of the process, not ours.
        exec.types("echo going; sleep 1000\r").await;
        exec.shows("\ngoing").await;
        exec.types("\x03").await;
        exec.types("exit 7\r").await;
        exec.exits(Some(7)).await;
    });
}

#[test]
fn exec_is_left_and_ended() {
    scenario("detach keys leave a command alone, a signal is its own", &["busybox"], async |s| {
        s.file("compose.yaml", SHOP);
        s.compose(["up", "-d", "db"]).await.succeeds();
        let mut exec = s.in_terminal(&["exec", "db", "sh", "-c", "echo ready; cat"]);
        exec.shows("ready").await;
        exec.is_raw().await;
        exec.types("\x10\x11").await;
        exec.exits(Some(1)).await;
        s.file("docker/config.json", "{\"detachKeys\": \"ctrl-x,y\"}");
        let config = s.dir().join("docker").display().to_string();
        s.env("DOCKER_CONFIG", config);
        let mut exec = s.in_terminal(&["exec", "db", "sh", "-c", "echo ready; cat"]);
        exec.shows("ready").await;
        exec.is_raw().await;
        exec.types("\x10\x11").await;
        exec.types("\x18y").await;
        assert!(exec.exits(Some(1)).await.contains("escape"));
        let exec = s.in_terminal(&["exec", "db", "sh", "-c", "echo ready; exec sleep 1000"]);
        exec.shows("ready").await;
        exec.is_raw().await;
        exec.signal(Signal::TERM);
        // Who may signal the process ends it; who may not is told that it goes on.
        let status = exec.exits_somehow().await;
        assert!(status == Some(143) || status == Some(130), "{status:?}");
    });
}

#[test]
fn run_in_a_terminal() {
    scenario("run in a terminal: size from the first moment, keys, code, nothing left", &["busybox"], async |s| {
        s.file("compose.yaml", SHOP);
        let run = s.in_terminal(&["run", "--rm", "--no-deps", "web", "stty", "size"]);
        assert!(run.exits(Some(0)).await.contains("24 80\r\n"));
        let mut run = s.in_terminal(&["run", "--rm", "--no-deps", "web", "sh", "-c", "echo ready; read a; exit 4"]);
        run.shows("ready").await;
        run.is_raw().await;
        run.types("\r").await;
        run.exits(Some(4)).await;
        let mut run = s.in_terminal(&[
            "run",
            "--rm",
            "--no-deps",
            "web",
            "sh",
            "-c",
            "trap 'exit 130' INT; echo ready; cat; exit 1",
        ]);
        run.shows("ready").await;
        run.is_raw().await;
        run.types("\x03").await;
        run.exits(Some(130)).await;
        assert_eq!(s.states().await, "");
    });
}

#[test]
fn attach_and_leave() {
    scenario("attach shows the prompt, feeds, leaves by keys, and ends with the container", &["busybox"], async |s| {
        s.file("compose.yaml", SHOP);
        s.compose(["up", "-d", "shell"]).await.succeeds();
        let mut attach = s.in_terminal(&["attach", "--detach-keys", "ctrl-a,d", "shell"]);
        attach.is_raw().await;
        attach.types("echo $((6 * 7))\r").await;
        attach.shows("42").await;
        attach.types("\x01d").await;
        attach.exits(Some(1)).await;
        assert_eq!(s.container("shell-1").await.state, "running");
        let mut attach = s.in_terminal(&["attach", "shell"]);
        attach.is_raw().await;
        attach.types("exit 6\r").await;
        attach.exits(Some(6)).await;
    });
}
