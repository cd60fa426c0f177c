//! Answers that were compared with docker compose's, word for word, where they were once different.

use crate::cli::World;

const SHOP: &str = "
services:
  web: {image: 'nginx:1', depends_on: [db]}
  db: {image: 'postgres:15', volumes: ['data:/data']}
  other: {image: 'nginx:1', volumes: ['more:/more'], networks: [back]}
volumes: {data: {}, more: {}}
networks: {back: {}}
";

fn shop() -> World {
    World::new(SHOP, &["nginx:1", "postgres:15"])
}

#[tokio::test(start_paused = true)]
async fn start_begins_with_what_is_needed() {
    let world = shop();
    world.run("up -d").await;
    world.run("stop").await;
    insta::assert_snapshot!(world.run("start web").await, @"
    $ compose start web
    stderr:
     Container shop-db-1  Starting
     Container shop-db-1  Started
     Container shop-web-1  Starting
     Container shop-web-1  Started
    ");
    world.run("stop").await;
    insta::assert_snapshot!(world.run("-p shop start web").await, @"
    $ compose -p shop start web
    stderr:
     Container shop-db-1  Starting
     Container shop-db-1  Started
     Container shop-web-1  Starting
     Container shop-web-1  Started
    ");
}

#[tokio::test(start_paused = true)]
async fn without_files_projects_and_services_must_be_there() {
    let world = shop();
    insta::assert_snapshot!(world.run("-p shop start").await, @r#"
    $ compose -p shop start
    stderr:
    no container found for project "shop": not found
     hint: create it first: compose up
    exit 1
    "#);
    insta::assert_snapshot!(world.run("-p shop down").await, @r#"
    $ compose -p shop down
    stderr:
    warning: No resource found to remove for project "shop".
    "#);
    world.run("up -d db").await;
    insta::assert_snapshot!(world.run("-p shop start wbe").await, @r#"
    $ compose -p shop start wbe
    stderr:
    no such service: wbe
     hint: project "shop" has db
    exit 1
    "#);
    insta::assert_snapshot!(world.run("-p shop restart wbe").await, @r#"
    $ compose -p shop restart wbe
    stderr:
    no such service: wbe
     hint: project "shop" has db
    exit 1
    "#);
    insta::assert_snapshot!(world.run("-p shop down wbe web").await, @r#"
    $ compose -p shop down wbe web
    stderr:
    info: Any of the services [wbe, web] not running in project "shop"
    "#);
}

#[tokio::test(start_paused = true)]
async fn down_takes_only_what_the_named_services_use() {
    let world = shop();
    world.run("up -d").await;
    world.run("rm -sf other").await;
    insta::assert_snapshot!(world.run("down -v web").await, @"
    $ compose down -v web
    stderr:
     Container shop-web-1  Stopping
     Container shop-web-1  Stopped
     Container shop-web-1  Removing
     Container shop-web-1  Removed
     Network shop_default  Removing
     Volume shop_data  Removing
     Network shop_default  Resource is still in use
     Volume shop_data  Resource is still in use
    ");
    insta::assert_snapshot!(world.run("volumes -q").await, @"
    $ compose volumes -q
    shop_data
    shop_more
    ");
}

#[tokio::test(start_paused = true)]
async fn small_mistakes() {
    let world = shop();
    world.run("up -d").await;
    for (line, answer) in [
        ("logs --index 3 web", "service \"web\" is not running container #3"),
        ("logs --since nope", "invalid value for \"since\": failed to parse value as time or duration: \"nope\""),
        ("logs --until nope", "invalid value for \"until\": failed to parse value as time or duration: \"nope\""),
        ("events --since nope", "failed to parse value as time or duration: \"nope\""),
        ("port web 70000", "strconv.ParseUint: parsing \"70000\": value out of range"),
        ("port web x", "strconv.ParseUint: parsing \"x\": invalid syntax"),
        ("scale web=", "invalid scale specifier: web="),
        ("ps --filter source=x", "not implemented"),
        ("commit", "accepts between 1 and 2 arg(s), received 0"),
        (
            "up -d --exit-code-from web",
            "--detach cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch",
        ),
        ("up -d --no-deps db --scale web=2", "no such service: web"),
    ] {
        let said = world.said(line).await;
        assert_eq!((said.stderr.trim_end(), said.code), (answer, 1), "{line}");
    }
    let none = world.said("ps --services --status dead").await;
    assert_eq!((none.stdout.as_str(), none.code), ("\n", 0));
}

#[tokio::test(start_paused = true)]
async fn failures_tell_names_and_nothing_that_does_not_matter() {
    let world = shop();
    world.run("up -d").await;
    world.run("pause").await;
    insta::assert_snapshot!(world.run("pause db").await, @"
    $ compose pause db
    stderr:
     Container shop-db-1  Error
    failed to pause container shop-db-1: Container shop-db-1 is already paused
    exit 1
    ");
    world.run("unpause").await;
    insta::assert_snapshot!(world.run("unpause db").await, @"
    $ compose unpause db
    stderr:
     Container shop-db-1  Error
    failed to unpause container shop-db-1: Container shop-db-1 is not paused
    exit 1
    ");
}

#[tokio::test(start_paused = true)]
async fn whatever_takes_a_service_says_which_was_meant() {
    let world = shop();
    world.run("up -d").await;
    for line in [
        "up wbe",
        "create wbe",
        "start wbe",
        "stop wbe",
        "restart wbe",
        "kill wbe",
        "rm -f wbe",
        "pause wbe",
        "unpause wbe",
        "down wbe",
        "logs wbe",
        "ps wbe",
        "top wbe",
        "stats --no-stream wbe",
        "images wbe",
        "port wbe 80",
        "exec wbe true",
        "run wbe true",
        "attach wbe",
        "cp wbe:/x .",
        "cp x wbe:/",
        "commit wbe",
        "export wbe",
        "wait wbe",
        "events wbe",
        "pull wbe",
        "push wbe",
        "build wbe",
        "scale wbe=1",
        "up --scale wbe=1",
        "create --scale wbe=1",
        "up --attach wbe",
        "up --exit-code-from wbe",
        "config wbe",
        "config --hash wbe",
        "volumes wbe",
        "watch wbe",
        "plan wbe",
        "why wbe",
    ] {
        let said = world.said(line).await;
        assert!(said.stderr.contains("did you mean `web`?"), "{line}: {}", said.stderr);
    }
}

#[tokio::test(start_paused = true)]
async fn containers_keep_the_names_that_they_have() {
    let world = shop();
    world.run("up -d web").await;
    insta::assert_snapshot!(world.run("--compatibility up -d --scale web=2 web").await, @"
    $ compose --compatibility up -d --scale web=2 web
    stderr:
     Container shop-db-1  Running
     Container shop-web-1  Running
     Container shop_web_2  Creating
     Container shop_web_2  Created
     Container shop_web_2  Starting
     Container shop_web_2  Started
    ");
    insta::assert_snapshot!(world.run("ps -a --format {{.Name}}").await, @"
    $ compose ps -a --format {{.Name}}
    shop-db-1
    shop-web-1
    shop_web_2
    ");
}
