//! What would be done and why: reasons with their values, plans that are shown, saved and held to.

use compose::names::ContainerName;
use compose::resource::ContainerSpec;
use compose::runtime::{Containers, LabelFilter};

use crate::cli::World;

const WEB: &str = "
services:
  web:
    image: nginx:1
    command: [serve, --slow]
    ports: ['8080:80', '9090:90']
    env_file: web.env
    environment: {LOG_LEVEL: info, DB_PASSWORD: one, GONE: x}
    labels: {team.name: red}
    mem_limit: 64m
";

fn web() -> World {
    World::new(WEB, &["nginx:1"]).with_file("/shop/web.env", "MODE=fast\n")
}

fn changed(world: World) -> World {
    let text = WEB
        .replace("--slow", "--token=abc")
        .replace("'9090:90'", "'9091:90'")
        .replace("{LOG_LEVEL: info, DB_PASSWORD: one, GONE: x}", "{LOG_LEVEL: info, DB_PASSWORD: two, NEW: 'a b'}")
        .replace("64m", "1g")
        .replace("red", "blue");
    world
        .with_file("/shop/compose.yaml", &text)
        .with_file("/shop/web.env", "\nMODE=slow\n")
        .with_file("/shop/compose.override.yaml", "services:\n  web:\n    environment:\n      - LOG_LEVEL=debug\n")
}

/// Takes our label away, as if docker compose had made the containers.
async fn as_docker_compose_makes_them(world: &World) {
    for found in world.fake.list_containers(&LabelFilter::default()).await.expect("the fake does it") {
        let details = world.fake.inspect_container(&found.id).await.expect("the fake does it");
        let mut spec: ContainerSpec = details.spec;
        spec.labels.retain(|key, _| !key.starts_with("dev.compose."));
        spec.name = ContainerName::new(found.name.as_str());
        world.fake.remove_container(&found.id, true, false).await.expect("the fake does it");
        let made = world.fake.create_container(&spec).await.expect("the fake does it");
        world.fake.start_container(&made.id).await.expect("the fake does it");
    }
}

#[tokio::test(start_paused = true)]
async fn old_and_new_values_are_told_and_secrets_are_not() {
    let world = web();
    world.run("up -d").await;
    let world = changed(world);
    let told = world.run("up -d").await;
    insta::assert_snapshot!(told.replace("), ", "),\n       "), @r#"
    $ compose up -d
    stderr:
     Container shop-web-1  Recreate
       because: command changed (compose.yaml:5),
           environment.DB_PASSWORD changed (compose.yaml:8),
           environment.GONE x → (nothing),
           environment.LOG_LEVEL info → debug (compose.override.yaml:4),
           environment.MODE fast → slow (web.env:2),
           environment.NEW (nothing) → "a b" (compose.yaml:8) and 3 more
     Container shop-web-1  Recreated
     Container shop-web-1  Starting
     Container shop-web-1  Started
    "#);
    assert!(!told.contains("two") && !told.contains("abc"));
}

#[tokio::test(start_paused = true)]
async fn old_values_are_told_of_what_docker_compose_made() {
    let world = web();
    world.run("up -d").await;
    as_docker_compose_makes_them(&world).await;
    let world = changed(world);
    let told = world.run("up -d").await;
    insta::assert_snapshot!(told.replace("), ", "),\n       "), @r#"
    $ compose up -d
    stderr:
     Container shop-web-1  Recreate
       because: command changed (compose.yaml:5),
           environment.DB_PASSWORD changed (compose.yaml:8),
           environment.GONE x → (nothing),
           environment.LOG_LEVEL info → debug (compose.override.yaml:4),
           environment.MODE fast → slow (web.env:2),
           environment.NEW (nothing) → "a b" (compose.yaml:8) and 3 more
     Container shop-web-1  Recreated
     Container shop-web-1  Starting
     Container shop-web-1  Started
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_shown_as_a_diff_and_nothing_is_done() {
    let world = web().with_file(
        "/shop/compose.override.yaml",
        "services:\n  db: {image: 'postgres:15', volumes: ['data:/data']}\n  app: {build: .}\nvolumes: {data: {}}\n",
    );
    insta::assert_snapshot!(world.run("plan").await, @"
    $ compose plan
    + image postgres:15     pull
    + image shop-app        build
    + network shop_default  create
    + volume shop_data      create
    + app-1                 may create
    + db-1                  may create
    + web-1                 create
    1 to pull, 1 to build, 3 to create, 2 may need to create; 0 unchanged
    ");
    insta::assert_snapshot!(world.run("plan --exit-code --json web").await, @r#"
    $ compose plan --exit-code --json web
    {
      "project": "shop",
      "changes": [
        {
          "kind": "network",
          "name": "shop_default",
          "action": "create",
          "certain": true,
          "reason": "is missing"
        },
        {
          "kind": "container",
          "name": "shop-web-1",
          "action": "create",
          "certain": true,
          "reason": "is missing"
        }
      ],
      "unchanged": [],
      "questions": [],
      "warnings": []
    }
    exit 2
    "#);
    world.run("up -d web").await;
    insta::assert_snapshot!(world.run("plan --exit-code web").await, @"
    $ compose plan --exit-code web
    Nothing to do; 1 unchanged
    ");
    let world = changed(world);
    insta::assert_snapshot!(world.run("plan --exit-code").await, @r#"
    $ compose plan --exit-code
    ~ web-1  recreate: command changed (compose.yaml:5), environment.DB_PASSWORD changed (compose.yaml:8), environment.GONE x → (nothing), environment.LOG_LEVEL info → debug (compose.override.yaml:4), environment.MODE fast → slow (web.env:2), environment.NEW (nothing) → "a b" (compose.yaml:8) and 3 more
    1 to recreate; 0 unchanged
    exit 2
    "#);
    insta::assert_snapshot!(world.run("plan --json").await, @r#"
    $ compose plan --json
    {
      "project": "shop",
      "changes": [
        {
          "kind": "container",
          "name": "shop-web-1",
          "action": "recreate",
          "certain": true,
          "reason": "command changed (compose.yaml:5), environment.DB_PASSWORD changed (compose.yaml:8), environment.GONE x → (nothing), environment.LOG_LEVEL info → debug (compose.override.yaml:4), environment.MODE fast → slow (web.env:2), environment.NEW (nothing) → \"a b\" (compose.yaml:8) and 3 more",
          "fields": [
            {
              "path": "command",
              "from": null,
              "to": null,
              "place": "compose.yaml:5"
            },
            {
              "path": "environment.DB_PASSWORD",
              "from": null,
              "to": null,
              "place": "compose.yaml:8"
            },
            {
              "path": "environment.GONE",
              "from": "x",
              "to": "(nothing)",
              "place": null
            },
            {
              "path": "environment.LOG_LEVEL",
              "from": "info",
              "to": "debug",
              "place": "compose.override.yaml:4"
            },
            {
              "path": "environment.MODE",
              "from": "fast",
              "to": "slow",
              "place": "web.env:2"
            },
            {
              "path": "environment.NEW",
              "from": "(nothing)",
              "to": "\"a b\"",
              "place": "compose.yaml:8"
            },
            {
              "path": "labels.team.name",
              "from": "red",
              "to": "blue",
              "place": "compose.yaml:9"
            },
            {
              "path": "mem_limit",
              "from": "64m",
              "to": "1g",
              "place": "compose.yaml:10"
            },
            {
              "path": "ports",
              "from": "9090:90",
              "to": "9091:90",
              "place": "compose.yaml:6"
            }
          ],
          "containers": [
            "[ID]"
          ]
        }
      ],
      "unchanged": [],
      "questions": [],
      "warnings": []
    }
    "#);
    insta::assert_snapshot!(world.run("plan --pull always --no-recreate").await, @"
    $ compose plan --pull always --no-recreate
    + image nginx:1  pull: pull policy always
    1 to pull; 1 unchanged
    ");
    insta::assert_snapshot!(world.run("plan --pull always --build web").await, @r#"
    $ compose plan --pull always --build web
    + image nginx:1  pull: pull policy always
    ~ web-1          recreate: command changed (compose.yaml:5), environment.DB_PASSWORD changed (compose.yaml:8), environment.GONE x → (nothing), environment.LOG_LEVEL info → debug (compose.override.yaml:4), environment.MODE fast → slow (web.env:2), environment.NEW (nothing) → "a b" (compose.yaml:8) and 3 more
    1 to pull, 1 to recreate; 0 unchanged
    "#);
    insta::assert_snapshot!(world.run("plan --force-recreate --no-recreate").await, @"
    $ compose plan --force-recreate --no-recreate
    stderr:
    --force-recreate and --no-recreate are incompatible
    exit 1
    ");
    insta::assert_snapshot!(world.run("--ansi always plan --scale web=0").await, @"
    $ compose --ansi always plan --scale web=0
    [1m[31m- web-1  remove[0m: scaled down to 0
    1 to remove; 0 unchanged
    ");
    world.fake.forget_calls();
    world.run("plan --pull always --build").await;
    let calls = world.fake.calls();
    assert!(calls.iter().all(|call| is_look(call)), "{calls:#?}");
}

/// Whether a call of the fake only looks.
fn is_look(call: &str) -> bool {
    ["list ", "find ", "inspect ", "ask the engine "].iter().any(|look| call.starts_with(look))
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_is_run_only_while_it_holds() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("p.json").display().to_string();
    let portless = || {
        web().with_file(
            "/shop/compose.yaml",
            &WEB.replace("ports:", "expose:").replace("8080:80", "80").replace("9090:90", "90"),
        )
    };
    let world = portless();
    world.run(&format!("plan --scale web=2 --out {file}")).await;
    let text = String::from_utf8(std::fs::read(&file).expect("it is saved")).expect("text");
    assert!(!text.contains("DB_PASSWORD") && !text.contains("info"), "{text}");
    let told = |text: String| text.replace(&file, "p.json");

    insta::assert_snapshot!(told(world.run(&format!("up -d --build --plan {file}")).await), @"
    $ compose up -d --build --plan p.json
    stderr:
    with --plan the services and the flags that decide over the plan are those of the plan
     hint: leave them out, or make a new plan with them: compose plan --out FILE
    exit 1
    ");
    // The files say something else.
    let other = changed(portless().with_fake(|_| world.fake.clone()));
    insta::assert_snapshot!(told(other.run(&format!("up -d --plan {file}")).await), @"
    $ compose up -d --plan p.json
    stderr:
    shop-web-2 and shop-web-1 both publish port 0.0.0.0:8080/tcp
      --> compose.yaml:6:13
     hint: replicas can not share port 8080: publish a range (`8000-8010:80`), or put a proxy before them
    shop-web-2 and shop-web-1 both publish port 0.0.0.0:9091/tcp
      --> compose.yaml:6:24
     hint: replicas can not share port 9091: publish a range (`8000-8010:80`), or put a proxy before them
    the saved plan does not hold any more: the files say something else of service web now
     hint: look at a new one first: compose plan --out FILE
    exit 1
    ");
    insta::assert_snapshot!(told(world.run(&format!("-p other up -d --plan {file}")).await), @r#"
    $ compose -p other up -d --plan p.json
    stderr:
    the saved plan does not hold any more: it is for project "shop", this is "other"
     hint: look at a new one first: compose plan --out FILE
    exit 1
    "#);
    // It holds, and the services and flags are those of the plan.
    insta::assert_snapshot!(told(world.run(&format!("up -d --plan {file}")).await), @"
    $ compose up -d --plan p.json
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-web-1  Creating
     Container shop-web-1  Created
     Container shop-web-2  Creating
     Container shop-web-1  Starting
     Container shop-web-2  Created
     Container shop-web-2  Starting
     Container shop-web-1  Started
     Container shop-web-2  Started
    ");
    // It is done already.
    insta::assert_snapshot!(told(world.run(&format!("up -d --plan {file}")).await), @"
    $ compose up -d --plan p.json
    stderr:
    the saved plan does not hold any more: there is nothing to create for Network shop_default any more
    the saved plan does not hold any more: there is nothing to create for Container shop-web-1 any more
    the saved plan does not hold any more: there is nothing to create for Container shop-web-2 any more
     hint: look at a new one first: compose plan --out FILE
    exit 1
    ");
    // Another container has taken the place of the one that was planned for.
    let world = changed(world);
    world.run(&format!("plan --out {file}")).await;
    world.run("rm -sf").await;
    insta::assert_snapshot!(told(world.run(&format!("up -d --plan {file}")).await), @"
    $ compose up -d --plan p.json
    stderr:
    the saved plan does not hold any more: there is nothing to remove for Container shop-web-2 any more
    the saved plan does not hold any more: Container shop-web-1: create (is missing) instead of recreate
     hint: look at a new one first: compose plan --out FILE
    exit 1
    ");
    std::fs::write(&file, "{").expect("a file");
    insta::assert_snapshot!(told(world.run(&format!("up -d --plan {file}")).await), @"
    $ compose up -d --plan p.json
    stderr:
    the plan in p.json can not be used: it is no saved plan: EOF while parsing an object at line 1 column 1
    exit 1
    ");
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_knows_what_only_a_closer_look_tells() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("p.json").display().to_string();
    let world = web();
    world.run("up -d").await;
    // Another version made it: nothing differs but the hash.
    for found in world.fake.list_containers(&LabelFilter::default()).await.expect("the fake does it") {
        let mut spec = world.fake.inspect_container(&found.id).await.expect("the fake does it").spec;
        spec.labels.retain(|key, _| !key.starts_with("dev.compose."));
        spec.labels.insert("com.docker.compose.config-hash".to_owned(), "other".to_owned());
        spec.labels.insert("com.docker.compose.version".to_owned(), "2.20.0".to_owned());
        spec.name = found.name.clone();
        world.fake.remove_container(&found.id, true, false).await.expect("the fake does it");
        let made = world.fake.create_container(&spec).await.expect("the fake does it");
        world.fake.start_container(&made.id).await.expect("the fake does it");
    }
    let told = world.run(&format!("plan --out {file}")).await;
    assert!(told.contains("Nothing to do; 1 unchanged"), "{told}");
    let told = world.run(&format!("up -d --plan {file}")).await;
    assert!(told.contains("Running") && !told.contains("exit"), "{told}");
    // A change is refused all the same.
    let told = changed(world).run(&format!("up -d --plan {file}")).await;
    assert!(told.contains("does not hold any more") && !told.contains("Recreate"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_hangs_on_an_image_holds_through_its_rounds() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("p.json").display().to_string();
    let told = |text: String| text.replace(&file, "p.json");
    let world = World::new(WEB, &[]).with_file("/shop/web.env", "MODE=fast\n").with_fake(|fake| {
        fake.with_remote("nginx:1", compose::runtime::fake::Fake::image("nginx:1"), std::time::Duration::from_secs(1))
    });
    insta::assert_snapshot!(told(world.run(&format!("plan --out {file}")).await), @"
    $ compose plan --out p.json
    + image nginx:1         pull
    + network shop_default  create
    + web-1                 may create
    1 to pull, 1 to create, 1 may need to create; 0 unchanged
    ");
    insta::assert_snapshot!(told(world.run(&format!("up -d --plan {file}")).await), @"
    $ compose up -d --plan p.json
    stderr:
     Image nginx:1  Pulling
     Image nginx:1  Pulled
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-web-1  Creating
     Container shop-web-1  Created
     Container shop-web-1  Starting
     Container shop-web-1  Started
    ");
}

#[tokio::test(start_paused = true)]
async fn why_tells_what_comes_next_and_what_was() {
    let fails = compose::runtime::fake::Behaviour::exits(137);
    let world = web().with_fake(|fake| fake.on("*-job-*", fails)).with_file(
        "/shop/compose.override.yaml",
        "services:\n  job: {image: 'nginx:1'}\n  later: {image: 'redis:7'}\n",
    );
    insta::assert_snapshot!(world.run("why web later").await, @"
    $ compose why web later
    web
      next: create Container shop-web-1: is missing
    later
      next: pull Image redis:7: is missing
      next: may create Container shop-later-1: is missing
    ");
    world.run("up -d web job").await;
    let world = changed(world).with_file(
        "/shop/compose.override.yaml",
        "services:\n  web: {environment: {LOG_LEVEL: debug}}\n  job: {image: 'nginx:1'}\n",
    );
    world.run("up -d web").await;
    insta::assert_snapshot!(world.run("why web job").await, @"
    $ compose why web job
    web
      next: nothing, it is as the files say
      shop-web-1: made less than a second ago, because of changes in command; environment.DB_PASSWORD; environment.GONE; environment.LOG_LEVEL; environment.MODE; environment.NEW; labels.team.name; mem_limit; ports
        running, started 2026-01-01T00:00:00Z
    job
      next: start Container shop-job-1: had exited with 137, runs again
      shop-job-1: made less than a second ago, because it was missing
        exited, started 2026-01-01T00:00:00Z
        last ended 2026-01-01T00:00:00Z with exit code 137 (SIGKILL)
    ");
    as_docker_compose_makes_them(&world).await;
    insta::assert_snapshot!(world.run("why web").await, @"
    $ compose why web
    web
      next: nothing, it is as the files say
      shop-web-1: made less than a second ago by docker compose 2.40.3, which does not say why
        running, started 2026-01-01T00:00:00Z
    ");
    insta::assert_snapshot!(world.run("why").await, @"
    $ compose why
    stderr:
    requires at least 1 arg(s), only received 0
    exit 1
    ");
    insta::assert_snapshot!(world.run("why wbe").await, @"
    $ compose why wbe
    stderr:
    no such service: wbe
     hint: did you mean `web`?
    exit 1
    ");
}

#[tokio::test(start_paused = true)]
async fn an_up_with_nothing_to_do_asks_no_more_of_fifty_services_than_of_one() {
    let mut counts = Vec::new();
    for services in [1, 50] {
        let mut text = "services:\n".to_owned();
        for number in 0..services {
            text.push_str(&format!("  s{number}: {{image: 'nginx:1', volumes: ['v{number}:/v'], networks: [n]}}\n"));
        }
        text.push_str("networks: {n: {}}\nvolumes:\n");
        (0..services).for_each(|number| text.push_str(&format!("  v{number}: {{}}\n")));
        let world = World::new(&text, &["nginx:1"]);
        world.run("up -d").await;
        world.fake.forget_calls();
        let told = world.run("up -d").await;
        assert!(!told.contains("Starting") && !told.contains("exit"), "{told}");
        let calls = world.fake.calls();
        assert!(!calls.iter().any(|call| call.starts_with("inspect ")), "{calls:#?}");
        counts.push(calls.len());
    }
    assert_eq!(counts, [7, 7]);
}
