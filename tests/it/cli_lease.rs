//! One command at a time changes a project: others wait, and those that take it down end the holder.

use std::path::Path;
use std::time::Duration;

use compose::runtime::fake::Behaviour;

use crate::cli::World;

const HANGS: &str = "
services:
  web: {image: nginx:1, depends_on: {db: {condition: service_healthy}}}
  db: {image: postgres:15, healthcheck: {test: 'true'}}
";

/// A project whose `db` is healthy after so long; files about it lie in `home`.
fn world(home: &Path, healthy_after: Duration) -> World {
    let behaviour = Behaviour::runs().healthy_after(healthy_after);
    World::new(HANGS, &["nginx:1", "postgres:15"])
        .with_fake(|fake| fake.on("*-db-*", behaviour))
        .with_variable("HOME", &home.display().to_string())
}

/// The number of this process is not the same every time, nor is the time of day.
fn told(text: &str) -> String {
    text.replace(&format!("pid {}", std::process::id()), "pid N")
}

/// Runs a second command as soon as the first one holds the lease.
async fn meanwhile(world: &World, home: &Path, first: &str, second: &str) -> (String, String) {
    let second = async {
        // `db` runs, so the first one waits for its health.
        while !world.fake.dump(&[]).contains("running") {
            tokio::task::yield_now().await;
        }
        world.run(second).await
    };
    let (first, second) = tokio::join!(world.run(first), second);
    let left: Vec<_> = std::fs::read_dir(home.join(".local/state/compose/leases"))
        .map(|entries| entries.flatten().map(|entry| entry.file_name()).collect())
        .unwrap_or_default();
    assert!(left.is_empty(), "{left:?}");
    (told(&first), told(&second))
}

#[tokio::test]
async fn the_second_command_waits_and_says_for_whom() {
    let home = tempfile::tempdir().expect("a directory");
    let world = world(home.path(), Duration::from_millis(300));
    let (first, second) = meanwhile(&world, home.path(), "up -d", "up -d").await;
    assert!(!first.contains("exit "), "{first}");
    insta::assert_snapshot!(second, @r#"
    $ compose up -d
    stderr:
    info: waiting for `compose up` (pid N, since 1970-01-01T00:00:00Z), which is changing project "shop"
     Container shop-db-1  Running
     Container shop-web-1  Running
     Container shop-db-1  Waiting
     Container shop-db-1  Healthy
    "#);
}

#[tokio::test]
async fn down_ends_the_holder_and_goes_on() {
    for attached in ["up -d", "up"] {
        let home = tempfile::tempdir().expect("a directory");
        let world = world(home.path(), Duration::from_secs(3600));
        let (first, second) = meanwhile(&world, home.path(), attached, "down").await;
        assert!(first.ends_with("stopped by `compose down` (pid N)\nexit 130\n"), "{first}");
        assert!(!second.contains("exit ") && second.contains("it is asked to end"), "{second}");
        assert!(!world.fake.dump(&[]).contains("container"), "{first}{second}");
    }
}

#[tokio::test]
async fn without_a_lock_nobody_waits() {
    for how in ["--no-project-lock", ""] {
        let home = tempfile::tempdir().expect("a directory");
        let mut world = world(home.path(), Duration::from_millis(300));
        if how.is_empty() {
            world = world.with_variable("COMPOSE_NO_PROJECT_LOCK", "1");
        }
        let second = format!("{how} up -d");
        let (_, second) = meanwhile(&world, home.path(), "up -d", &second).await;
        assert!(!second.contains("waiting for `"), "{second}");
    }
}

#[tokio::test]
async fn where_nothing_can_be_written_everybody_goes_on() {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let world = world(&file, Duration::from_millis(10));
    let told = world.run("up -d").await;
    assert!(!told.contains("exit "), "{told}");
}
