//! `up` that is killed at any moment: the next one finishes the work, and nothing is lost or left over.

use std::time::Duration;

use tokio::time::Instant;

use crate::observe::{networks, volumes};
use crate::scenario::{Scenario, scenario};

/// How often each command is killed in one scenario.
const KILLS: u32 = 10;

/// Scenarios, numbered: one, unless `COMPOSE_TEST_KILLS` asks for more kills than one does.
fn rounds() -> std::ops::Range<u32> {
    let kills = std::env::var("COMPOSE_TEST_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(KILLS);
    0..kills.div_ceil(KILLS)
}

/// The store keeps in its volume what it wrote when it started for the first time.
const PROJECT: &str = "
x-idle: &idle { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL }
services:
  store:
    <<: *idle
    command: sh -c '[ -e /data/token ] || cat /proc/sys/kernel/random/uuid > /data/token; exec tail -f /dev/null'
    environment: { LEVEL: $LEVEL }
    volumes: ['data:/data', /anonymous]
    healthcheck: { test: test -s /data/token, interval: 100ms, retries: 100 }
  web:
    <<: *idle
    environment: { LEVEL: $LEVEL }
    depends_on: { store: { condition: service_healthy } }
    deploy: { replicas: 3 }
    networks: [default, back]
  other: { <<: *idle, environment: { LEVEL: $LEVEL } }
volumes: { data: {} }
networks: { back: {} }
";

/// Moments that look random, the same in every run.
struct Moments(u64);

impl Moments {
    fn next(&mut self, within: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        within.mul_f64(f64::from((self.0 >> 32) as u32) / f64::from(u32::MAX))
    }
}

/// Everything is there once, under its own name, and runs the wanted configuration.
async fn assert_whole(s: &Scenario, level: &str) {
    assert_eq!(s.states().await, "other-1 running, store-1 running, web-1 running, web-2 running, web-3 running");
    for seen in s.containers().await {
        assert!(seen.env.contains(&format!("LEVEL={level}")), "{} is not up to date: {:?}", seen.name, seen.env);
    }
    assert_eq!(
        networks(&s.docker, &s.project).await,
        [format!("{}_back", s.project), format!("{}_default", s.project)]
    );
    assert_eq!(volumes(&s.docker, &s.project).await, [format!("{}_data", s.project)]);
}

#[test]
fn a_first_up() {
    for round in rounds() {
        a_first_up_killed(round);
    }
}

fn a_first_up_killed(round: u32) {
    scenario("a first up that was killed is finished by the next", &["busybox"], async |s| {
        s.file("compose.yaml", PROJECT);
        s.env("LEVEL", "new");
        let start = Instant::now();
        s.compose(["up", "-d"]).await.succeeds();
        let (whole, mut moments) = (start.elapsed(), Moments(u64::from(10 * round + 1)));
        for _ in 0..KILLS {
            s.compose(["down", "-v"]).await.succeeds();
            s.start(["up", "-d"]).kill_after(moments.next(whole)).await;
            s.compose(["up", "-d"]).await.succeeds();
            assert_whole(s, "new").await;
        }
    });
}

#[test]
fn a_recreating_up() {
    for round in rounds() {
        a_recreating_up_killed(round);
    }
}

fn a_recreating_up_killed(round: u32) {
    scenario(
        "an up that replaces containers can be killed: the next finishes it, and the data is still there",
        &["busybox"],
        async |s| {
            s.file("compose.yaml", PROJECT);
            s.env("LEVEL", 0);
            s.compose(["up", "-d"]).await.succeeds();
            let token = s.compose(["exec", "-T", "store", "cat", "/data/token"]).await.succeeds().stdout;
            s.env("LEVEL", "again");
            let start = Instant::now();
            s.compose(["up", "-d"]).await.succeeds();
            let (whole, mut moments) = (start.elapsed(), Moments(u64::from(10 * round + 2)));
            for level in 1..=KILLS {
                s.env("LEVEL", level);
                s.start(["up", "-d"]).kill_after(moments.next(whole)).await;
                s.compose(["up", "-d"]).await.succeeds();
                assert_whole(s, &level.to_string()).await;
                let now = s.compose(["exec", "-T", "store", "cat", "/data/token"]).await.succeeds().stdout;
                assert_eq!(now, token, "the volume's data was lost");
            }
        },
    );
}

#[test]
fn a_down() {
    for round in rounds() {
        a_down_killed(round);
    }
}

fn a_down_killed(round: u32) {
    scenario("a down that was killed is finished by the next", &["busybox"], async |s| {
        s.file("compose.yaml", PROJECT);
        s.env("LEVEL", "new");
        s.compose(["up", "-d"]).await.succeeds();
        let start = Instant::now();
        s.compose(["down", "-v"]).await.succeeds();
        let (whole, mut moments) = (start.elapsed(), Moments(u64::from(10 * round + 3)));
        for _ in 0..KILLS {
            s.compose(["up", "-d"]).await.succeeds();
            s.start(["down", "-v"]).kill_after(moments.next(whole)).await;
            s.compose(["down", "-v"]).await.succeeds();
            s.assert_nothing_left().await;
        }
    });
}
