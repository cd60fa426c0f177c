//! Commands that change something, one after another on one engine.

use compose::runtime::fake::Behaviour;
use std::time::Duration;

use crate::cli::World;

#[tokio::test(start_paused = true)]
async fn a_long_grace_is_not_cut_off() {
    let compose = "services: {slow: {image: 'nginx:1', stop_grace_period: 5m}}";
    let world = World::new(compose, &["nginx:1"]);
    let world = world.with_fake(|fake| fake.on("*", Behaviour::runs().stops(Duration::from_secs(290), 0)));
    world.run("up -d").await;
    let start = tokio::time::Instant::now();
    insta::assert_snapshot!(world.run("stop").await, @r"
    $ compose stop
    stderr:
     Container shop-slow-1  Stopping
     Container shop-slow-1  Stopped
    ");
    assert_eq!(start.elapsed().as_secs(), 290);
}

const SHOP: &str = "
services:
  web:
    image: nginx:1
    ports: ['8080:80']
    environment: {LOG_LEVEL: info}
    depends_on: [db]
  db:
    image: postgres:15
    volumes: ['data:/data']
volumes: {data: {}}
";

fn shop() -> World {
    World::new(SHOP, &["nginx:1", "postgres:15"])
}

#[tokio::test(start_paused = true)]
async fn up_and_down() {
    let world = shop();
    insta::assert_snapshot!(world.run("up -d").await, @r"
    $ compose up -d
    stderr:
     Network shop_default  Creating
     Volume shop_data  Creating
     Network shop_default  Created
     Container shop-web-1  Creating
     Volume shop_data  Created
     Container shop-db-1  Creating
     Container shop-web-1  Created
     Container shop-db-1  Created
     Container shop-db-1  Starting
     Container shop-db-1  Started
     Container shop-web-1  Starting
     Container shop-web-1  Started
    ");
    insta::assert_snapshot!(world.run("up -d").await, @r"
    $ compose up -d
    stderr:
     Container shop-db-1  Running
     Container shop-web-1  Running
    ");
    insta::assert_snapshot!(world.run("ps").await, @r#"
    $ compose ps
    NAME         IMAGE         COMMAND   SERVICE   CREATED                  STATUS                  PORTS
    shop-db-1    postgres:15   ""        db        Less than a second ago   Up Less than a second   
    shop-web-1   nginx:1       ""        web       Less than a second ago   Up Less than a second   0.0.0.0:8080->80/tcp
    "#);
    insta::assert_snapshot!(world.run("down").await, @r"
    $ compose down
    stderr:
     Container shop-web-1  Stopping
     Container shop-web-1  Stopped
     Container shop-web-1  Removing
     Container shop-web-1  Removed
     Container shop-db-1  Stopping
     Container shop-db-1  Stopped
     Container shop-db-1  Removing
     Container shop-db-1  Removed
     Network shop_default  Removing
     Network shop_default  Removed
    ");
    insta::assert_snapshot!(world.run("down").await, @"$ compose down");
}

#[tokio::test(start_paused = true)]
async fn a_change_is_told_with_its_reason() {
    let world = shop();
    world.run("up -d").await;
    let changed = SHOP.replace("LOG_LEVEL: info", "LOG_LEVEL: debug");
    let world = world.with_file("/shop/compose.yaml", &changed);
    insta::assert_snapshot!(world.run("--dry-run up -d").await, @"
    $ compose --dry-run up -d
    stderr:
     DRY-RUN MODE -  Container shop-db-1  Running
     DRY-RUN MODE -  Container shop-web-1  Recreate
     DRY-RUN MODE -    because: environment.LOG_LEVEL info → debug (compose.yaml:6)
     DRY-RUN MODE -  Container shop-web-1  Recreated
     DRY-RUN MODE -  Container shop-web-1  Starting
     DRY-RUN MODE -    because: is not running
     DRY-RUN MODE -  Container shop-web-1  Started
    ");
    insta::assert_snapshot!(world.run("--progress json up -d").await, @r#"
    $ compose --progress json up -d
    stderr:
    {"id":"Container shop-db-1","status":"Done","text":"Running"}
    {"id":"Container shop-web-1","status":"Working","text":"Recreate","details":"environment.LOG_LEVEL info → debug (compose.yaml:6)"}
    {"id":"Container shop-web-1","status":"Done","text":"Recreated"}
    {"id":"Container shop-web-1","status":"Working","text":"Starting"}
    {"id":"Container shop-web-1","status":"Done","text":"Started"}
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_shown_and_nothing_done() {
    let world = shop();
    insta::assert_snapshot!(world.run("up -d --dry-run").await, @r"
    $ compose up -d --dry-run
    stderr:
     DRY-RUN MODE -  Network shop_default  Creating
     DRY-RUN MODE -    because: is missing
     DRY-RUN MODE -  Network shop_default  Created
     DRY-RUN MODE -  Volume shop_data  Creating
     DRY-RUN MODE -    because: is missing
     DRY-RUN MODE -  Volume shop_data  Created
     DRY-RUN MODE -  Container shop-db-1  Creating
     DRY-RUN MODE -    because: is missing
     DRY-RUN MODE -  Container shop-db-1  Created
     DRY-RUN MODE -  Container shop-web-1  Creating
     DRY-RUN MODE -    because: is missing
     DRY-RUN MODE -  Container shop-web-1  Created
     DRY-RUN MODE -  Container shop-db-1  Starting
     DRY-RUN MODE -    because: is not running
     DRY-RUN MODE -  Container shop-db-1  Started
     DRY-RUN MODE -  Container shop-web-1  Starting
     DRY-RUN MODE -    because: is not running
     DRY-RUN MODE -  Container shop-web-1  Started
    ");
    insta::assert_snapshot!(world.run("--progress json --dry-run up -d db").await, @r#"
    $ compose --progress json --dry-run up -d db
    stderr:
    {"dry-run":true,"id":"Network shop_default","status":"Working","text":"Creating"}
    {"dry-run":true,"id":"Network shop_default","status":"Done","text":"Created"}
    {"dry-run":true,"id":"Volume shop_data","status":"Working","text":"Creating"}
    {"dry-run":true,"id":"Volume shop_data","status":"Done","text":"Created"}
    {"dry-run":true,"id":"Container shop-db-1","status":"Working","text":"Creating"}
    {"dry-run":true,"id":"Container shop-db-1","status":"Done","text":"Created"}
    {"dry-run":true,"id":"Container shop-db-1","status":"Working","text":"Starting"}
    {"dry-run":true,"id":"Container shop-db-1","status":"Done","text":"Started"}
    "#);
    insta::assert_snapshot!(world.run("ps -aq").await, @"$ compose ps -aq");
}

#[tokio::test(start_paused = true)]
async fn stop_start_restart_kill_and_rm() {
    let world = shop();
    world.run("up -d").await;
    insta::assert_snapshot!(world.run("stop web").await, @r"
    $ compose stop web
    stderr:
     Container shop-web-1  Stopping
     Container shop-web-1  Stopped
    ");
    insta::assert_snapshot!(world.run("start").await, @r"
    $ compose start
    stderr:
     Container shop-web-1  Starting
     Container shop-web-1  Started
    ");
    insta::assert_snapshot!(world.run("restart db").await, @r"
    $ compose restart db
    stderr:
     Container shop-db-1  Restarting
     Container shop-db-1  Started
    ");
    insta::assert_snapshot!(world.run("pause web").await, @r"
    $ compose pause web
    stderr:
     Container shop-web-1  Paused
    ");
    insta::assert_snapshot!(world.run("unpause web").await, @r"
    $ compose unpause web
    stderr:
     Container shop-web-1  Unpaused
    ");
    insta::assert_snapshot!(world.run("kill -s TERM web").await, @r"
    $ compose kill -s TERM web
    stderr:
     Container shop-web-1  Killing
     Container shop-web-1  Killed
    ");
    insta::assert_snapshot!(world.run("rm -f").await, @"
    $ compose rm -f
    Going to remove shop-web-1
    stderr:
     Container shop-web-1  Removing
     Container shop-web-1  Removed
    ");
    insta::assert_snapshot!(world.run("rm -sf").await, @"
    $ compose rm -sf
    Going to remove shop-db-1
    stderr:
     Container shop-db-1  Stopping
     Container shop-db-1  Stopped
     Container shop-db-1  Removing
     Container shop-db-1  Removed
    ");
    insta::assert_snapshot!(world.run("rm -f").await, @r"
    $ compose rm -f
    stderr:
    No stopped containers
    ");
    insta::assert_snapshot!(world.run("kill").await, @r"
    $ compose kill
    stderr:
    no container to kill
    ");
}

#[tokio::test(start_paused = true)]
async fn rm_asks_first() {
    let world = shop().with_input("n\n");
    world.run("up -d").await;
    world.run("stop").await;
    insta::assert_snapshot!(world.run("rm").await, @r"
    $ compose rm
    Going to remove shop-db-1, shop-web-1
    ");
    let world = world.with_input("y\n");
    insta::assert_snapshot!(world.run("rm").await, @r"
    $ compose rm
    Going to remove shop-db-1, shop-web-1
    stderr:
     Container shop-db-1  Removing
     Container shop-web-1  Removing
     Container shop-db-1  Removed
     Container shop-web-1  Removed
    ");
}

#[tokio::test(start_paused = true)]
async fn scale_and_create() {
    let world = shop();
    insta::assert_snapshot!(world.run("create").await, @r"
    $ compose create
    stderr:
     Network shop_default  Creating
     Volume shop_data  Creating
     Network shop_default  Created
     Container shop-web-1  Creating
     Volume shop_data  Created
     Container shop-db-1  Creating
     Container shop-web-1  Created
     Container shop-db-1  Created
    ");
    insta::assert_snapshot!(world.run("scale db=2").await, @r"
    $ compose scale db=2
    stderr:
     Container shop-db-2  Creating
     Container shop-db-1  Starting
     Container shop-db-2  Created
     Container shop-db-2  Starting
     Container shop-db-1  Started
     Container shop-db-2  Started
    ");
    insta::assert_snapshot!(world.run("up -d --scale db=1").await, @r"
    $ compose up -d --scale db=1
    stderr:
     Container shop-db-1  Running
     Container shop-db-2  Stopping
     Container shop-web-1  Starting
     Container shop-db-2  Stopped
     Container shop-db-2  Removing
     Container shop-web-1  Started
     Container shop-db-2  Removed
    ");
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_told_once_with_the_words_of_the_container() {
    let compose = "
services:
  web: {image: nginx, depends_on: {db: {condition: service_healthy}}}
  db: {image: postgres, healthcheck: {test: 'true'}}
";
    let behaviour = Behaviour::runs()
        .says(Duration::from_millis(10), "starting")
        .complains(Duration::from_millis(20), "no space left on device")
        .unhealthy_after(Duration::from_secs(1));
    let world = World::new(compose, &["nginx", "postgres"]).with_fake(|fake| fake.on("shop-db-1", behaviour));
    insta::assert_snapshot!(world.run("up -d").await, @"
    $ compose up -d
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-db-1  Creating
     Container shop-web-1  Creating
     Container shop-db-1  Created
     Container shop-db-1  Starting
     Container shop-web-1  Created
     Container shop-db-1  Started
     Container shop-db-1  Waiting
     Container shop-db-1  Error
    dependency failed to start: container shop-db-1 is unhealthy
      --> compose.yaml:4:25
      last health check ended with 1: not well
      last lines:
        starting
        no space left on device
      not started because of it: shop-web-1
      still running: shop-db-1
     hint: see what it says: compose logs db
    exit 1
    ");
}

#[tokio::test(start_paused = true)]
async fn wait_until_everything_is_ready() {
    let compose = "services: {db: {image: postgres, healthcheck: {test: 'true'}}}";
    let behaviour = Behaviour::runs().healthy_after(Duration::from_secs(3));
    let world = World::new(compose, &["postgres"]).with_fake(|fake| fake.on("shop-db-1", behaviour));
    insta::assert_snapshot!(world.run("up --wait").await, @r"
    $ compose up --wait
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-db-1  Creating
     Container shop-db-1  Created
     Container shop-db-1  Starting
     Container shop-db-1  Started
     Container shop-db-1  Waiting
     Container shop-db-1  Healthy
    ");
    let behaviour = Behaviour::runs().healthy_after(Duration::from_secs(60));
    let world = World::new(compose, &["postgres"]).with_fake(|fake| fake.on("shop-db-1", behaviour));
    insta::assert_snapshot!(world.run("up --wait --wait-timeout 5").await, @"
    $ compose up --wait --wait-timeout 5
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-db-1  Creating
     Container shop-db-1  Created
     Container shop-db-1  Starting
     Container shop-db-1  Started
     Container shop-db-1  Waiting
     Container shop-db-1  Error
    container shop-db-1 is not ready after 5s
      --> compose.yaml:1:12
      still running: shop-db-1
    exit 1
    ");
}

#[tokio::test(start_paused = true)]
async fn pull_shows_layers_unless_quiet() {
    let remote = || compose::runtime::fake::Fake::image("x");
    let world = || {
        World::new("services: {web: {image: 'nginx:2'}}", &[])
            .with_fake(|fake| fake.with_remote("nginx:2", remote(), Duration::from_secs(1)))
    };
    insta::assert_snapshot!(world().run("up -d").await, @"
    $ compose up -d
    stderr:
     Image nginx:2  Pulling
     Image nginx:2  Pulled
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-web-1  Creating
     Container shop-web-1  Created
     Container shop-web-1  Starting
     Container shop-web-1  Started
    ");
    insta::assert_snapshot!(world().run("up -d --quiet-pull").await, @r"
    $ compose up -d --quiet-pull
    stderr:
     Image nginx:2  Pulling
     Image nginx:2  Pulled
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-web-1  Creating
     Container shop-web-1  Created
     Container shop-web-1  Starting
     Container shop-web-1  Started
    ");
    insta::assert_snapshot!(world().run("pull").await, @"
    $ compose pull
    stderr:
     Image nginx:2  Pulling
     Image nginx:2  Pulled
    ");
    insta::assert_snapshot!(World::new("services: {web: {image: 'nginx:3'}}", &[]).run("up -d").await, @r"
    $ compose up -d
    stderr:
     Image nginx:3  Pulling
     Image nginx:3  Error
    failed to pull image nginx:3: manifest for nginx:3 not found: manifest unknown: manifest unknown
      --> compose.yaml:1:18
     hint: check the image's name and tag, or add `build:` to build it here
    exit 1
    ");
}

#[tokio::test(start_paused = true)]
async fn without_files_a_name_is_enough() {
    let world = shop();
    world.run("up -d").await;
    insta::assert_snapshot!(world.run("-p shop stop nope").await, @"$ compose -p shop stop nope");
    insta::assert_snapshot!(world.run("-p shop down").await, @r"
    $ compose -p shop down
    stderr:
     Container shop-web-1  Stopping
     Container shop-web-1  Stopped
     Container shop-web-1  Removing
     Container shop-web-1  Removed
     Container shop-db-1  Stopping
     Container shop-db-1  Stopped
     Container shop-db-1  Removing
     Container shop-db-1  Removed
     Network shop_default  Removing
     Network shop_default  Removed
    ");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_gently() {
    use compose::cli::terminal::Signal;
    let world = shop();
    insta::assert_snapshot!(world.run_with_signals("up -d", vec![(Duration::ZERO, Signal::Interrupt)]).await, @"
    $ compose up -d
    stderr:
    interrupted; nothing of shop runs
    exit 130
    ");
}
