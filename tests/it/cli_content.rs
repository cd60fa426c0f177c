//! Content counts: of configs and secrets that are put into containers, and of mounted files by `x-on-change`.

use std::path::Path;

use crate::cli::World;

const WEB: &str = "
services:
  web:
    image: nginx:1
    volumes: ['./Caddyfile:/etc/caddy/Caddyfile', './tls:/tls']
    x-on-change: {./Caddyfile: SIGHUP, ./tls: restart}
";

fn world(home: &Path, compose: &str, caddy: &str) -> World {
    World::new(compose, &["nginx:1"])
        .with_file("/shop/Caddyfile", caddy)
        .with_variable("HOME", &home.display().to_string())
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_answered_once() {
    let home = tempfile::tempdir().expect("a directory");
    let first = world(home.path(), WEB, "a");
    first.run("up -d").await;
    insta::assert_snapshot!(first.run("up -d").await, @"
    $ compose up -d
    stderr:
     Container shop-web-1  Running
    ");
    let changed = world(home.path(), WEB, "b").with_fake(|_| first.fake.clone());
    insta::assert_snapshot!(changed.run("plan").await, @"
    $ compose plan
    ~ web-1  signal: content of ./Caddyfile changed: SIGHUP (compose.yaml:6)
    1 to signal; 0 unchanged
    ");
    // What is only made is not told.
    changed.run("create").await;
    insta::assert_snapshot!(changed.run("up -d").await, @"
    $ compose up -d
    stderr:
     Container shop-web-1  Running
     Container shop-web-1  Signalling
       because: content of ./Caddyfile changed: SIGHUP (compose.yaml:6)
     Container shop-web-1  Signalled
    ");
    insta::assert_snapshot!(changed.run("up -d").await, @"
    $ compose up -d
    stderr:
     Container shop-web-1  Running
    ");
    for (answer, caddy) in [("restart", "c"), ("recreate", "d")] {
        let text = WEB.replace("SIGHUP", answer);
        let changed = world(home.path(), &text, caddy).with_fake(|_| first.fake.clone());
        let told = changed.run("up -d").await;
        assert!(told.contains(&format!("content of ./Caddyfile changed: {answer} (compose.yaml:6)")), "{told}");
        let again = changed.run("plan").await;
        assert!(again.contains("Nothing to do"), "{again}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_recreate_leaves_is_answered_by_the_next_up() {
    let home = tempfile::tempdir().expect("a directory");
    let text = WEB.replace("./tls: restart", "./Dockerfile: recreate");
    let file = |caddy: &str, build: &str| world(home.path(), &text, caddy).with_file("/shop/Dockerfile", build);
    let first = file("a", "a");
    first.run("up -d").await;
    let changed = file("b", "b").with_fake(|_| first.fake.clone());
    insta::assert_snapshot!(changed.run("up -d --no-recreate").await, @"
    $ compose up -d --no-recreate
    stderr:
     Container shop-web-1  Running
     Container shop-web-1  Signalling
       because: content of ./Caddyfile changed: SIGHUP (compose.yaml:6)
     Container shop-web-1  Signalled
    ");
    insta::assert_snapshot!(changed.run("plan").await, @"
    $ compose plan
    ~ web-1  recreate: content of ./Dockerfile changed: recreate (compose.yaml:6)
    1 to recreate; 0 unchanged
    ");
    changed.run("up -d").await;
    let again = changed.run("plan").await;
    assert!(again.contains("Nothing to do"), "{again}");
}

#[tokio::test(start_paused = true)]
async fn a_container_of_unknown_history_is_kept() {
    let home = tempfile::tempdir().expect("a directory");
    let first = world(home.path(), WEB, "a");
    first.run("up -d").await;
    std::fs::remove_dir_all(home.path().join(".local/state/compose/projects")).expect("what was remembered");
    let changed = world(home.path(), WEB, "b").with_fake(|_| first.fake.clone());
    let told = changed.run("up -d").await;
    assert!(told.contains("Running") && !told.contains("Signal"), "{told}");
    // From now on it is known.
    let changed = world(home.path(), WEB, "c").with_fake(|_| first.fake.clone());
    assert!(changed.run("plan").await.contains("SIGHUP"));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_means_nothing_is_told_with_its_place() {
    let home = tempfile::tempdir().expect("a directory");
    let world = world(home.path(), &WEB.replace("SIGHUP", "reload"), "a");
    insta::assert_snapshot!(world.run("up -d").await, @"
    $ compose up -d
    stderr:
    service `web`: x-on-change: `./Caddyfile` needs `restart`, `recreate` or a signal like `SIGHUP`
      --> compose.yaml:6:5
    exit 1
    ");
}

#[tokio::test(start_paused = true)]
async fn configs_and_secrets_in_the_files_count_and_are_not_shown() {
    let text = "
services:
  web:
    image: nginx:1
    configs: [app]
    secrets: [key]
configs:
  app:
    content: |
      level=info
secrets:
  key: {environment: KEY}
";
    let first = World::new(text, &["nginx:1"]).with_variable("KEY", "one-secret");
    first.run("up -d").await;
    let same = first.run("plan").await;
    assert!(same.contains("Nothing to do"), "{same}");
    let changed = World::new(&text.replace("info", "debug"), &["nginx:1"])
        .with_variable("KEY", "two-secret")
        .with_fake(|_| first.fake.clone());
    insta::assert_snapshot!(changed.run("up -d").await, @"
    $ compose up -d
    stderr:
     Container shop-web-1  Recreate
       because: configs.app.content changed (compose.yaml:8), secrets.key.content changed (compose.yaml:12)
     Container shop-web-1  Recreated
     Container shop-web-1  Starting
     Container shop-web-1  Started
    ");
    let same = changed.run("plan").await;
    assert!(same.contains("Nothing to do"), "{same}");
}
