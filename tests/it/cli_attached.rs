//! `up` that stays: output, ends, and Ctrl-C.

use std::time::Duration;

use compose::cli::terminal::Signal;
use compose::runtime::fake::Behaviour;

use crate::cli::World;

const TWO: &str = "services: {web: {image: a, depends_on: [db]}, db: {image: a}}";

fn world(web: Behaviour, db: Behaviour) -> World {
    World::new(TWO, &["a"]).with_fake(|fake| fake.on("shop-web-1", web).on("shop-db-1", db))
}

fn job(code: i64, seconds: u64, word: &str) -> Behaviour {
    // No two speak at once: who is heard first would be chance.
    let speaks = Duration::from_millis(10 * seconds);
    Behaviour::exits(code).after(Duration::from_secs(seconds)).says(speaks, word)
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_its_containers() {
    let world = world(job(1, 2, "hello"), job(0, 3, "ready"));
    insta::assert_snapshot!(world.run("up").await, @"
    $ compose up
    Attaching to db-1, web-1
    web-1  | hello
    db-1   | ready
    \r\u{1b}[Kweb-1 exited with code 1
    \r\u{1b}[Kdb-1 exited with code 0
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-db-1  Creating
     Container shop-web-1  Creating
     Container shop-db-1  Created
     Container shop-web-1  Created
    ");
    insta::assert_snapshot!(world.run("up --no-log-prefix web").await, @"
    $ compose up --no-log-prefix web
    Attaching to web-1
    hello
    \r\u{1b}[Kweb-1 exited with code 1
    ");
    insta::assert_snapshot!(world.run("up --attach nope").await, @r"
    $ compose up --attach nope
    stderr:
    cannot attach to services not included in up: nope
    exit 1
    ");
    insta::assert_snapshot!(world.run("up --exit-code-from nope").await, @r"
    $ compose up --exit-code-from nope
    stderr:
    no such service: nope: not found
    exit 1
    ");
}

#[tokio::test(start_paused = true)]
async fn one_end_ends_all() {
    let world = world(job(3, 2, "hello"), Behaviour::runs());
    insta::assert_snapshot!(world.run("up --abort-on-container-exit").await, @"
    $ compose up --abort-on-container-exit
    Attaching to db-1, web-1
    web-1  | hello
    \r\u{1b}[Kweb-1 exited with code 3
    \r\u{1b}[Kdb-1 exited with code 143
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-db-1  Creating
     Container shop-web-1  Creating
     Container shop-db-1  Created
     Container shop-web-1  Created
    Aborting on container exit...
     Container shop-db-1  Stopping
     Container shop-db-1  Stopped

    exit 3
    ");
    insta::assert_snapshot!(world.run("up --exit-code-from db").await, @"
    $ compose up --exit-code-from db
    Attaching to db-1, web-1
    web-1  | hello
    \r\u{1b}[Kweb-1 exited with code 3
    \r\u{1b}[Kdb-1 exited with code 143
    stderr:
    Aborting on container exit...
     Container shop-db-1  Stopping
     Container shop-db-1  Stopped

    exit 143
    ");
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_stops_and_a_second_one_kills() {
    let world = world(Behaviour::runs().says(Duration::from_millis(10), "hello"), Behaviour::runs());
    let once = vec![(Duration::from_secs(5), Signal::Interrupt)];
    insta::assert_snapshot!(world.run_with_signals("up", once).await, @"
    $ compose up
    Attaching to db-1, web-1
    web-1  | hello
    Gracefully Stopping... press Ctrl+C again to force
    \r\u{1b}[Kweb-1 exited with code 143
    \r\u{1b}[Kdb-1 exited with code 143
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-db-1  Creating
     Container shop-web-1  Creating
     Container shop-db-1  Created
     Container shop-web-1  Created
     Container shop-web-1  Stopping
     Container shop-web-1  Stopped
     Container shop-db-1  Stopping
     Container shop-db-1  Stopped

    exit 130
    ");
    let world = self::world(Behaviour::runs().ignores_stop(), Behaviour::runs());
    let twice = vec![(Duration::from_secs(5), Signal::Interrupt), (Duration::from_secs(1), Signal::Terminate)];
    insta::assert_snapshot!(world.run_with_signals("up", twice).await, @"
    $ compose up
    Attaching to db-1, web-1
    Gracefully Stopping... press Ctrl+C again to force
    \r\u{1b}[Kdb-1 exited with code 137
    \r\u{1b}[Kweb-1 exited with code 137
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-db-1  Creating
     Container shop-web-1  Creating
     Container shop-db-1  Created
     Container shop-web-1  Created
     Container shop-web-1  Stopping
     Container shop-web-1  Stopped
     Container shop-db-1  Stopping
     Container shop-db-1  Stopped

    exit 130
    ");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_fails_ends_it() {
    let world = world(Behaviour::runs().fails_to_start("no such program"), Behaviour::runs());
    insta::assert_snapshot!(world.run("up").await, @"
    $ compose up
    Attaching to db-1, web-1
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-db-1  Creating
     Container shop-web-1  Creating
     Container shop-db-1  Created
     Container shop-web-1  Created
     Container shop-web-1  Error
    failed to start container shop-web-1: no such program
      --> compose.yaml:1:12
      still running: shop-db-1
    exit 1
    ");
}

#[tokio::test(start_paused = true)]
async fn standard_error_of_containers_is_ours() {
    let second = Duration::from_secs(1);
    let world = world(job(0, 2, "hello").complains(second, "oh"), job(0, 3, "ready"));
    world.run("create").await;
    insta::assert_snapshot!(world.run("up").await, @"$ compose up\nAttaching to db-1, web-1\nweb-1  | hello\ndb-1   | ready\n\r\u{1b}[Kweb-1 exited with code 0\n\r\u{1b}[Kdb-1 exited with code 0\nstderr:\nweb-1  | oh");
    insta::assert_snapshot!(world.run("logs web").await, @"
    $ compose logs web
    web-1  | hello
    web-1  | oh
    ");
}

#[tokio::test(start_paused = true)]
async fn logs_are_searched_and_told_to_programs() {
    let second = Duration::from_secs(1);
    let world = world(job(0, 2, "hello 42").complains(second, "oh \"no\""), job(0, 3, "ready"));
    world.run("up").await;
    insta::assert_snapshot!(world.run("logs --grep [0-9]+|^oh").await, @r#"
    $ compose logs --grep [0-9]+|^oh
    web-1  | hello 42
    web-1  | oh "no"
    "#);
    insta::assert_snapshot!(world.run("logs --json --grep o").await, @r#"
    $ compose logs --json --grep o
    {"service":"web","container":"shop-web-1","time":"2026-01-01T00:00:00.020000000Z","stream":"stdout","message":"hello 42"}
    {"service":"web","container":"shop-web-1","time":"2026-01-01T00:00:01.000000000Z","stream":"stderr","message":"oh \"no\""}
    "#);
    insta::assert_snapshot!(world.run("logs --grep [").await, @r#"
    $ compose logs --grep [
    stderr:
    --grep "[": regex parse error:
        [
        ^
    error: unclosed character class
    exit 1
    "#);
    world.run("up").await;
    insta::assert_snapshot!(world.run("logs --since up web").await, @r#"
    $ compose logs --since up web
    web-1  | hello 42
    web-1  | oh "no"
    "#);
    insta::assert_snapshot!(world.run("logs web").await, @r#"
    $ compose logs web
    web-1  | hello 42
    web-1  | oh "no"
    web-1  | hello 42
    web-1  | oh "no"
    "#);
}

#[tokio::test(start_paused = true)]
async fn logs_follow_until_nothing_runs() {
    let world = world(job(0, 5, "hello"), job(2, 9, "ready"));
    world.run("up -d").await;
    insta::assert_snapshot!(world.run("logs -f").await, @"
    $ compose logs -f
    web-1  | hello
    db-1   | ready
    \r\u{1b}[Kweb-1 exited with code 0
    \r\u{1b}[Kdb-1 exited with code 2
    ");
    insta::assert_snapshot!(world.run("logs -t web").await, @r"
    $ compose logs -t web
    web-1  | 2026-01-01T00:00:00.050000000Z hello
    ");
}
