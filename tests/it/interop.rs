//! Tools that call docker compose: the calls they make, word for word, and the rules by which they read the answers.
//!
//! Tools that can be installed are run for real in `tests/engine/tools.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use compose::runtime::fake::{Behaviour, Fake};
use serde_json::Value;

use crate::cli::World;

const SHOP: &str = "
name: shop
services:
  web:
    image: nginx:1
    ports: ['127.0.0.1:8080:80']
    environment: {PRICE: '5$$'}
  db: {image: postgres:15, volumes: ['data:/data'], profiles: [data]}
volumes: {data: {}}
";

fn shop() -> World {
    World::new(SHOP, &["nginx:1", "postgres:15"])
}

/// The registry has all images.
fn bringing(world: World) -> World {
    world.with_fake(|fake| {
        let images = ["nginx:1", "postgres:15"].into_iter();
        images.fold(fake, |fake, image| fake.with_remote(image, Fake::image(image), Duration::from_secs(1)))
    })
}

async fn running() -> World {
    let world = bringing(shop());
    world.said("--profile data up -d").await;
    world
}

/// One object per line, as programs read them.
fn lines(text: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().filter(|line| !line.is_empty()).map(parse).collect()
}

fn strings<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text {key} in {value}"))
}

/// community.docker, `_compose_v2.py`: every line of standard error is an object; its first word is a kind of resource;
/// a working text means a change.
fn ansible_actions(stderr: &str) -> Vec<(String, String)> {
    const WORKING: &[&str] =
        &["Creating", "Starting", "Restarting", "Stopping", "Killing", "Removing", "Recreate", "Pulling", "Building"];
    let mut actions = Vec::new();
    for event in lines(stderr) {
        if event.get("level").is_some() || event.get("error").is_some() {
            continue;
        }
        let id = strings(&event, "id");
        let kind = id.split(' ').next().unwrap_or_default();
        assert!(["Network", "Image", "Volume", "Container", "Service"].contains(&kind), "{event}");
        assert!(["Working", "Done", "Warning", "Error"].contains(&strings(&event, "status")), "{event}");
        let text = strings(&event, "text");
        if WORKING.contains(&text) {
            actions.push((id.to_owned(), text.to_owned()));
        }
    }
    actions
}

#[tokio::test(start_paused = true)]
async fn ansible() {
    let world = shop();
    let before = "--ansi never --progress json --project-directory /shop --project-name shop --file compose.yaml";
    let up =
        format!("compose {before} up --detach --no-color --quiet-pull --pull missing --remove-orphans --timeout 10");
    let dry = world.said(&format!("{up} --dry-run --yes -- web")).await;
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(lines(&dry.stderr).iter().all(|event| event["dry-run"] == true), "{dry:?}");
    assert_eq!(ansible_actions(&dry.stderr).len(), 3, "network, create, start: {dry:?}");
    let first = world.said(&format!("{up} --yes -- web")).await;
    assert_eq!(ansible_actions(&first.stderr), ansible_actions(&dry.stderr));
    let again = world.said(&format!("{up} --yes -- web")).await;
    assert_eq!(ansible_actions(&again.stderr), [], "nothing changes: {again:?}");
    let ps = world.said(&format!("compose {before} ps --format json --all --no-trunc")).await;
    for container in lines(&ps.stdout) {
        assert_eq!(strings(&container, "ID").len(), 64);
        let labels: BTreeMap<&str, &str> =
            strings(&container, "Labels").split(',').filter_map(|pair| pair.split_once('=')).collect();
        assert_eq!(labels["com.docker.compose.service"], "web");
        assert_eq!(container["Publishers"][0]["PublishedPort"], 8080);
        assert_eq!(strings(&container, "Networks"), "shop_default");
    }
    let images = world.said(&format!("compose {before} images --format json")).await;
    let images: Value = serde_json::from_str(&images.stdout).expect("an array");
    assert_eq!(strings(&images[0], "ContainerName"), "shop-web-1");
    let stop = world.said(&format!("compose {before} stop --timeout 1 -- web")).await;
    assert_eq!(ansible_actions(&stop.stderr), [("Container shop-web-1".to_owned(), "Stopping".to_owned())]);
    let mistake = world.said(&format!("{up} --yes -- nope")).await;
    let error = lines(&mistake.stderr).into_iter().find(|event| event["error"] == true).expect("an error object");
    assert_eq!((mistake.code, strings(&error, "message")), (1, "no such service: nope"));
    let down = world.said(&format!("compose {before} down --remove-orphans --volumes --rmi local")).await;
    assert!(ansible_actions(&down.stderr).contains(&("Network shop_default".to_owned(), "Removing".to_owned())));
    let again = world.said(&format!("compose {before} down")).await;
    assert_eq!(ansible_actions(&again.stderr), []);
}

/// Every tool that looks at the version before it asks for something.
#[tokio::test(start_paused = true)]
async fn versions() {
    let world = shop();
    let short = world.said("version --short").await.stdout;
    let numbers: Vec<u32> = short.trim().split('.').map(|number| number.parse().expect("three numbers")).collect();
    // testcontainers-go wants three, Dev Containers 2.17 for additional contexts, Ansible 2.34 for `--yes`.
    assert!(numbers.len() == 3 && numbers >= vec![2, 34, 0], "{short}");
    assert!(!short.contains("dev"), "Ansible takes none of these");
    let json: Value = serde_json::from_str(&world.said("version --format json").await.stdout).expect("an object");
    assert_eq!(strings(&json, "version"), short.trim());
    // Tilt: ^docker[ -]compose(?: version)?:? v?([^\s,]+)
    let line = world.said("version").await.stdout.to_lowercase();
    let number = line.strip_prefix("docker compose version ").and_then(|rest| rest.split([' ', ',']).next());
    assert_eq!(number.map(|number| number.trim_start_matches('v')), Some(short.trim()), "{line}");
}

#[tokio::test(start_paused = true)]
async fn spring_boot() {
    let world = shop();
    let before = "--file /shop/compose.yaml --ansi never --profile data";
    let config = world.said(&format!("{before} config --format=json")).await;
    let config: Value = serde_json::from_str(&config.stdout).expect("an object");
    assert_eq!((strings(&config, "name"), strings(&config["services"]["web"], "image")), ("shop", "nginx:1"));
    assert_eq!(world.said(&format!("{before} up --no-color --detach --wait")).await.code, 0);
    let ps = lines(&world.said(&format!("{before} ps --orphans=false --format=json")).await.stdout);
    let names: Vec<&str> = ps.iter().map(|container| strings(container, "Name")).collect();
    assert_eq!(names, ["shop-db-1", "shop-web-1"]);
    assert!(
        ps.iter().all(|container| strings(container, "State") == "running" && !strings(container, "ID").is_empty())
    );
    for line in ["logs", "stop --timeout 10", "start", "down --timeout 10"] {
        assert_eq!(world.said(&format!("{before} {line}")).await.code, 0, "{line}");
    }
}

/// npm `docker-compose`, which testcontainers-node and compose-action use.
#[tokio::test(start_paused = true)]
async fn npm_docker_compose() {
    let world = running().await;
    let table = world.said("compose -f /shop/compose.yaml ps").await.stdout;
    let row: Vec<&str> =
        table.lines().nth(2).expect("a row").split("   ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!((row[0], row[1], row[3]), ("shop-web-1", "nginx:1", "web"), "{table}");
    assert_eq!(row.last(), Some(&"127.0.0.1:8080->80/tcp"));
    let images: Value = serde_json::from_str(&world.said("images --format json").await.stdout).expect("an array");
    for key in ["ID", "ContainerName", "Repository", "Tag", "Platform"] {
        assert!(!strings(&images[0], key).is_empty(), "{key}");
    }
    assert_eq!(world.said("port web 80").await.stdout, "127.0.0.1:8080\n");
    assert_eq!(world.said("config --services").await.stdout, "web\n");
    assert_eq!(world.said("--profile data config --volumes").await.stdout, "data\n");
    // It takes off the quotes itself.
    let stats = world.said_words(&["stats", "--no-stream", "--format", "\"{{ json . }}\"", "web"]).await.stdout;
    let stats: Value = serde_json::from_str(stats.trim().trim_matches('"')).expect("an object in quotes");
    assert!(stats["Name"] == "shop-web-1" && strings(&stats, "CPUPerc").ends_with('%'), "{stats}");
    assert_eq!(world.said("version --short").await.stdout.trim().split('.').count(), 3);
    // The library's functions, by their names: what they add to `docker compose -f FILE`, or to `-f -` with the file on
    // standard input.
    let world = World::without_file(&["nginx:1", "postgres:15"])
        .with_file("/shop/compose.yaml", SHOP)
        .with_file("/dev/stdin", SHOP);
    let world = bringing(world).with_fake(|fake| fake.on("shop-web-run-*", Behaviour::exits(0)));
    for file in ["-f /shop/compose.yaml", "-f -"] {
        for line in [
            "build --parallel",
            "config",
            "create",
            "up -d",
            "up --no-start",
            "ps --format json",
            "exec -T web true",
            "run -T web true",
            "logs",
            "logs --timestamps web",
            "stop",
            "start web",
            "restart",
            "kill",
            "pause",
            "rm -f",
            "pull",
            "push",
            "down",
        ] {
            let said = world.said(&format!("compose {file} {line}")).await;
            assert_eq!(said.code, 0, "{file} {line}: {said:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn testcontainers_java_and_rust() {
    // java: everything in variables.
    let world = shop().with_variable("COMPOSE_PROJECT_NAME", "tc1").with_variable("COMPOSE_FILE", "/shop/compose.yaml");
    assert_eq!(world.said("compose up -d --scale web=1 web").await.code, 0);
    let container = &lines(&world.said("ps --format json").await.stdout)[0];
    assert!(strings(container, "Name").starts_with("tc1") && strings(container, "Name") == "tc1-web-1");
    assert!(strings(container, "Labels").contains("com.docker.compose.container-number=1"));
    assert_eq!(world.said("compose down -v").await.code, 0);
    // rust: --rmi without a value.
    let world = shop();
    let before = "compose --project-name tc2 -f /shop/compose.yaml";
    assert_eq!(world.said(&format!("{before} up -d --build --pull missing --wait --wait-timeout 60")).await.code, 0);
    assert_eq!(world.said(&format!("{before} down --volumes --rmi")).await.code, 0);
    assert_eq!(world.said("ls --all --format json").await.stdout, "[]\n");
}

#[tokio::test(start_paused = true)]
async fn dev_containers() {
    let world = shop();
    let yaml = world.said_words(&["-f", "/shop/compose.yaml", "--profile", "*", "config"]).await.stdout;
    assert!(
        yaml.starts_with("name: shop\n") && yaml.contains("\n  db:\n") && yaml.contains("image: nginx:1\n"),
        "{yaml}"
    );
    // What is pasted into another compose file means the same there.
    assert!(yaml.contains("PRICE: 5$$\n"), "{yaml}");
    let before = "--project-name dev -f /shop/compose.yaml -f /shop/override.yaml";
    let world = world.with_file("/shop/override.yaml", "services: {web: {image: dev/web, build: .}}");
    for line in ["build web", "build --no-cache --pull web"] {
        assert_eq!(world.said(&format!("{before} {line}")).await.code, 0, "{line}");
    }
    let world = shop();
    let up = world.said("--project-name dev -f /shop/compose.yaml up -d --no-recreate web").await;
    assert_eq!(up.code, 0, "{up:?}");
    let container = &lines(&world.said("-p dev ps -a --format json").await.stdout)[0];
    let labels = strings(container, "Labels");
    // testcontainers-go and DDEV look for these alone.
    for label in [
        "oneoff=False",
        "container-number=1",
        "project=dev",
        "service=web",
        "project.config_files=/shop/compose.yaml",
        "project.working_dir=/shop",
    ] {
        assert!(labels.contains(&format!("com.docker.compose.{label}")), "{label}: {labels}");
    }
}

#[tokio::test(start_paused = true)]
async fn vscode() {
    let world = shop();
    for (list, names) in
        [("--services", "web\n"), ("--profiles", "data\n"), ("--images", "nginx:1\n"), ("--volumes", "")]
    {
        assert_eq!(world.said(&format!("--file /shop/compose.yaml config {list}")).await.stdout, names, "{list}");
    }
    let world = world.with_file("/shop/dev.env", "X=1");
    let before = "--file /shop/compose.yaml --env-file /shop/dev.env --project-name shop --profile data";
    for line in [
        "up --detach --no-start --scale web=1",
        "up --detach --build --timeout 5 --force-recreate",
        "up --detach --no-recreate --wait",
        "logs --tail 1000",
        "stop --timeout 1",
        "logs --follow --tail 1000",
        "start",
        "restart --timeout 1",
        "down --rmi local --volumes --timeout 1",
    ] {
        assert_eq!(world.said(&format!("{before} {line}")).await.code, 0, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn dockge() {
    let world = bringing(shop());
    world.said("up -d").await;
    let list: Value =
        serde_json::from_str(&world.said("compose ls --all --format json").await.stdout).expect("an array");
    assert_eq!(strings(&list[0], "Name"), "shop");
    assert!(strings(&list[0], "Status").starts_with("running"));
    assert_eq!(strings(&list[0], "ConfigFiles"), "/shop/compose.yaml");
    for container in lines(&world.said("compose ps --format json").await.stdout) {
        for key in ["Service", "State", "Name", "Health"] {
            assert!(container[key].is_string(), "{key}");
        }
    }
    let world = world.with_file("/global.env", "X=1").with_file("/shop/.env", "Y=2");
    for line in ["stop", "restart", "pull", "exec web sh", "up -d --remove-orphans", "down --remove-orphans"] {
        for environment in ["", "--env-file ../global.env --env-file ./.env "] {
            assert_eq!(world.said(&format!("compose {environment}{line}")).await.code, 0, "{line}");
        }
    }
    world.said("create").await;
    let list: Value =
        serde_json::from_str(&world.said("compose ls --all --format json").await.stdout).expect("an array");
    assert_eq!(strings(&list[0], "Status"), "created(1)");
}

/// lazydocker's and Portainer's menus: only the exit code counts.
#[tokio::test(start_paused = true)]
async fn lazydocker_and_portainer() {
    let world = running().await;
    for line in [
        "compose version",
        "compose config --services",
        "compose config --quiet",
        "compose up -d",
        "compose up -d --build",
        "compose up -d --build web",
        "compose up -d --force-recreate web",
        "compose stop web",
        "compose start web",
        "compose restart web",
        "compose pull",
        "compose logs --since=60m",
        "compose logs --tail=300",
        "compose top web",
        "compose build --parallel --force-rm",
        "--host unix:///var/run/docker.sock -f /shop/compose.yaml --project-name shop --project-directory /shop up -d",
        "-f /shop/compose.yaml --project-name shop config --hash *",
        "-f /shop/compose.yaml --project-name shop pull",
        "-f /shop/compose.yaml --project-name shop up -d --force-recreate",
        "-f /shop/compose.yaml --project-name shop down --remove-orphans",
        "compose --no-ansi ps",
        "compose down --volumes --rmi all",
    ] {
        let said = world.said(line).await;
        assert_eq!(said.code, 0, "{line}: {said:?}");
    }
    // Portainer shows what stands on standard error.
    let mistake = world.said("-f /shop/nope.yaml --project-name shop up -d").await;
    assert!(mistake.code != 0 && mistake.stderr.contains("/shop/nope.yaml"), "{mistake:?}");
}

/// Flags of old that wrappers still send, and docker-compose's own of the time when it stood alone.
#[tokio::test(start_paused = true)]
async fn flags_of_old() {
    let world = shop().with_fake(|fake| fake.on("shop-web-run-*", Behaviour::exits(0)));
    for line in [
        "compose --no-ansi --verbose up -d",
        "--workdir /shop ps",
        "compose build --parallel --compress --force-rm --no-rm",
        "exec --no-TTY web true",
        "run --no-TTY --rm web true",
        "-H unix:///var/run/docker.sock ps",
        "--host tcp://127.0.0.1:2375 --context default -D ps",
        "--log-level debug --tlsverify --tlscacert /ca.pem --tlscert /cert.pem --tlskey /key.pem compose ps",
        "-v",
        "--version",
        "-h",
        "--help",
        "down --remove-orphans",
    ] {
        let said = world.said(line).await;
        assert_eq!(said.code, 0, "{line}: {said:?}");
    }
}

/// Every call has the file on standard input, the directory and the environment beside it.
#[tokio::test(start_paused = true)]
async fn tilt() {
    const TILT: &str = "
services:
  web: {image: '${IMAGE}', ports: ['127.0.0.1:8080:80'], volumes: ['.:/here']}
  built: {build: ., profiles: [dev]}
";
    let world = World::without_file(&["nginx:1"])
        .with_file("/dev/stdin", TILT)
        .with_file("/shop/tilt/dev.env", "IMAGE=nginx:1");
    let before =
        "compose --project-name shop --project-directory /shop/tilt --env-file /shop/tilt/dev.env -f - --profile dev";
    let config = world.said(&format!("{before} config")).await;
    assert!(config.stdout.contains("image: nginx:1\n") && config.stdout.contains("source: /shop/tilt\n"), "{config:?}");
    for line in ["build built", "up --no-deps --remove-orphans --no-build -d built --wait"] {
        let said = world.said(&format!("{before} {line}")).await;
        assert_eq!(said.code, 0, "{line}: {said:?}");
    }
    let up = world.said(&format!("{before} --verbose up --no-deps --remove-orphans --no-build -d web")).await;
    assert_eq!(up.code, 0, "{up:?}");
    let ids = world.said(&format!("{before} ps -a -q web")).await.stdout;
    assert_eq!(ids.lines().map(str::len).collect::<Vec<usize>>(), [64]);
    // Events of what happens meanwhile; the stream ends by Ctrl-C.
    let line = format!("{before} events --json");
    let follow =
        world.run_with_signals(&line, vec![(Duration::from_secs(5), compose::cli::terminal::Signal::Interrupt)]);
    let stop = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.said(&format!("{before} rm --stop --force web")).await
    };
    let (events, stopped) = tokio::join!(follow, stop);
    assert_eq!(stopped.code, 0);
    let events: Vec<Value> = events.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(!events.is_empty(), "a stop is seen");
    for event in events {
        assert_eq!((strings(&event, "type"), strings(&event, "service")), ("container", "web"));
        strings(&event, "time").parse::<jiff::Timestamp>().expect("a time");
        assert!(!strings(&event, "action").is_empty() && !strings(&event, "id").is_empty());
        assert_eq!(strings(&event["attributes"], "name"), "shop-web-1");
        assert_eq!(strings(&event["attributes"], "image"), "nginx:1");
    }
    let down = world.said(&format!("{before} down --remove-orphans --volumes")).await;
    assert_eq!(down.code, 0, "{down:?}");
    assert_eq!(world.said("ls --all --format json").await.stdout, "[]\n");
}

#[tokio::test(start_paused = true)]
async fn gradle() {
    let world = shop();
    let before = "-f /shop/compose.yaml --ansi never -p shop";
    let up = world
        .said(&format!("{before} up -d --remove-orphans --force-recreate --renew-anon-volumes --scale web=2"))
        .await;
    assert_eq!(up.code, 1, "the port is taken twice, which is told before anything is made: {up:?}");
    assert_eq!(world.said(&format!("{before} up -d --remove-orphans --no-recreate")).await.code, 0);
    assert_eq!(world.said(&format!("{before} ps --services")).await.stdout, "web\n");
    assert_eq!(world.said(&format!("{before} ps -q web")).await.stdout.trim().len(), 64);
    let container = &lines(&world.said(&format!("{before} ps --format json")).await.stdout)[0];
    assert!(strings(container, "Status").starts_with("Up "));
    // The text is hashed: it never changes by itself.
    let config = world.said(&format!("{before} config")).await.stdout;
    assert_eq!(config, world.said(&format!("{before} config")).await.stdout);
    assert_eq!(world.said(&format!("{before} config --services")).await.stdout, "web\n");
    // It compares these after sorting their parts.
    for key in ["Mounts", "Ports", "Networks", "Labels"] {
        let _ = strings(container, key);
    }
    for line in [
        "logs -t web",
        "stop --timeout 10",
        "logs -f --no-color web",
        "rm -f -v",
        "down --rmi local --volumes --remove-orphans",
    ] {
        assert_eq!(world.said(&format!("{before} {line}")).await.code, 0, "{line}");
    }
}

/// pytest-docker reads the last line, of both streams together; Aspire and docker-rollout read ids and ports.
#[tokio::test(start_paused = true)]
async fn pytest_docker_aspire_and_rollout() {
    let world = World::new("services: {web: {image: nginx:1, ports: [80]}}", &["nginx:1"]);
    assert_eq!(world.said("-f /shop/compose.yaml -p pytest123 up --build --wait").await.code, 0);
    let port = world.said("-f /shop/compose.yaml -p pytest123 port web 80").await;
    let both = port.stdout.clone() + &port.stderr;
    let number = both.trim_end().lines().last().and_then(|line| line.rsplit(':').next());
    assert!(number.and_then(|number| number.parse::<u16>().ok()).is_some(), "{both}");
    let ps = lines(&world.said("-f /shop/compose.yaml --project-name pytest123 ps --format json").await.stdout);
    assert_eq!((strings(&ps[0], "Service"), &ps[0]["Publishers"][0]["TargetPort"]), ("web", &Value::from(80)));
    let old = world.said("-p pytest123 ps --quiet web").await.stdout;
    let up = world.said("-f compose.yaml -p pytest123 up --detach --scale web=2 --no-recreate web").await;
    assert_eq!(up.code, 0, "{up:?}");
    let both = world.said("-p pytest123 ps --quiet web").await.stdout;
    assert_eq!(both.lines().count(), 2);
    assert!(both.contains(old.trim()), "the old one stays");
}
