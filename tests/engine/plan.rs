//! Plans that are shown, saved and held to, reasons, and content that counts.

use crate::interop::peer;
use crate::patience::eventually;
use crate::scenario::{Scenario, scenario};

const WEB: &str = "
services:
  web:
    image: $BUSYBOX
    command: [tail, -f, /dev/null]
    stop_signal: SIGKILL
    environment: { LEVEL: $LEVEL, GONE: x }
    deploy: { resources: { limits: { memory: 64m } } }
";

const OVERRIDE: &str = "
services:
  web:
    environment: { GONE: !reset null }
    deploy: { resources: { limits: { memory: 128m } } }
";

#[test]
fn old_values_are_told_whoever_made_the_container() {
    scenario("a recreation names old and new values, also of what docker compose made", &["busybox"], async |s| {
        if Scenario::tests_another() {
            return;
        }
        for with_peer in [false, true] {
            s.file("compose.yaml", WEB);
            s.file("compose.override.yaml", "services: {}\n");
            s.env("LEVEL", "low");
            match peer() {
                Some(peer) if with_peer => s.other(&peer, ["up", "-d"]).await.succeeds(),
                _ => s.compose(["up", "-d"]).await.succeeds(),
            };
            s.compose(["plan", "--exit-code"]).await.succeeds().says("Nothing to do");
            s.env("LEVEL", "high");
            s.file("compose.override.yaml", OVERRIDE);
            let before = s.containers().await;
            s.compose(["plan", "--exit-code"])
                .await
                .exits(2)
                .says("~ web-1  recreate: deploy.resources.limits.memory 64m → 128m (compose.override.yaml:5)")
                .says("environment.GONE x → (nothing)")
                .says("environment.LEVEL low → high (compose.yaml:7)");
            assert_eq!(s.containers().await, before);
            s.compose(["up", "-d"]).await.succeeds().says("environment.LEVEL low → high (compose.yaml:7)");
            s.compose(["why", "web"]).await.succeeds().says("environment.LEVEL").says("running");
            s.compose(["down"]).await.succeeds();
        }
    });
}

#[test]
fn a_saved_plan_holds_until_something_moves() {
    scenario("up --plan does what was planned, and nothing once it does not hold", &["busybox"], async |s| {
        if Scenario::tests_another() {
            return;
        }
        s.file("compose.yaml", WEB);
        s.env("LEVEL", "low");
        s.compose(["plan", "--out", "p.json", "--scale", "web=2"]).await.succeeds();
        s.compose(["up", "-d", "--plan", "p.json"]).await.succeeds();
        assert_eq!(s.states().await, "web-1 running, web-2 running");
        s.compose(["plan", "--out", "p.json", "--force-recreate"]).await.succeeds();
        let before = s.containers().await;
        s.env("LEVEL", "high");
        s.compose(["up", "-d", "--plan", "p.json"]).await.exits(1).says("the files say something else of service web");
        assert_eq!(s.containers().await, before);
    });
}

#[test]
fn a_changed_file_is_answered_with_a_signal_once() {
    scenario("x-on-change sends its signal when the file has changed, and only then", &["busybox"], async |s| {
        if Scenario::tests_another() {
            return;
        }
        s.file("conf/app.conf", "one\n");
        s.file(
            "compose.yaml",
            r#"
services:
  web:
    image: $BUSYBOX
    command: ["sh", "-c", "trap 'echo reloaded >> /tmp/log' HUP; while :; do sleep 0.1; done"]
    stop_signal: SIGKILL
    volumes: ["./conf:/conf"]
    x-on-change: { ./conf/app.conf: SIGHUP }
"#,
        );
        s.compose(["up", "-d"]).await.succeeds();
        s.compose(["up", "-d"]).await.succeeds().does_not_say("Signal");
        s.file("conf/app.conf", "two\n");
        let made = s.container("web-1").await;
        s.compose(["plan"]).await.succeeds().says("content of ./conf/app.conf changed: SIGHUP (compose.yaml:8)");
        s.compose(["up", "-d"]).await.succeeds().says("Signalled");
        eventually("it was told", async || {
            let told = s.compose(["exec", "-T", "web", "cat", "/tmp/log"]).await;
            if told.stdout == "reloaded\n" { Ok(()) } else { Err(told.to_string()) }
        })
        .await;
        assert_eq!(s.container("web-1").await.id, made.id);
        s.compose(["up", "-d"]).await.succeeds().does_not_say("Signal");
    });
}
