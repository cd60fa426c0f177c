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
