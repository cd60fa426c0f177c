//! Commands that only look.

use std::time::Duration;

use compose::runtime::fake::Behaviour;

use crate::cli::World;

const SHOP: &str = "
name: shop
services:
  web:
    image: nginx:1
    command: [nginx, -g, 'daemon off;', --long-option]
    ports: ['127.0.0.1:8080:80', '8443:443']
    expose: [99]
  db: {image: postgres:15, volumes: ['data:/data'], profiles: [data]}
volumes: {data: {}}
";

/// What stands in labels is the planner's business.
fn without_labels(text: &str) -> String {
    match text.split_once("\"Labels\":\"") {
        Some((before, rest)) => {
            let after = rest.split_once('"').map_or("", |(_, after)| after);
            format!("{before}\"Labels\":\"…\"{after}")
        }
        None => text.to_owned(),
    }
}

async fn running() -> World {
    let world = World::new(SHOP, &["nginx:1", "postgres:15"]);
    world.run("--profile data up -d").await;
    world
}

#[tokio::test(start_paused = true)]
async fn ps() {
    let world = running().await;
    insta::assert_snapshot!(world.run("ps").await, @r#"
    $ compose ps
    NAME         IMAGE         COMMAND                  SERVICE   CREATED                  STATUS                  PORTS
    shop-db-1    postgres:15   ""                       db        Less than a second ago   Up Less than a second   
    shop-web-1   nginx:1       "nginx -g daemon off…"   web       Less than a second ago   Up Less than a second   127.0.0.1:8080->80/tcp, 0.0.0.0:8443->443/tcp
    "#);
    insta::assert_snapshot!(without_labels(&world.run("ps web --format json").await), @r#"
    $ compose ps web --format json
    {"Command":"\"nginx -g daemon off…\"","CreatedAt":"2026-01-01 00:00:00 +0000 UTC","ExitCode":0,"Health":"","ID":"[ID]","Image":"nginx:1","Labels":"…","LocalVolumes":"0","Mounts":"","Name":"shop-web-1","Names":"shop-web-1","Networks":"shop_default","Ports":"127.0.0.1:8080-\u003e80/tcp, 0.0.0.0:8443-\u003e443/tcp","Project":"shop","Publishers":[{"URL":"127.0.0.1","TargetPort":80,"PublishedPort":8080,"Protocol":"tcp"},{"URL":"0.0.0.0","TargetPort":443,"PublishedPort":8443,"Protocol":"tcp"}],"RunningFor":"Less than a second ago","Service":"web","Size":"0B","State":"running","Status":"Up Less than a second"}
    "#);
    insta::assert_snapshot!(world.run("ps --format {{.Name}}:{{.State}}:{{.Ports}}").await, @r"
    $ compose ps --format {{.Name}}:{{.State}}:{{.Ports}}
    shop-db-1:running:
    shop-web-1:running:127.0.0.1:8080->80/tcp, 0.0.0.0:8443->443/tcp
    ");
    insta::assert_snapshot!(world.run("ps --services").await, @r"
    $ compose ps --services
    db
    web
    ");
    insta::assert_snapshot!(world.run("ps --status exited").await, @r"
    $ compose ps --status exited
    NAME      IMAGE     COMMAND   SERVICE   CREATED   STATUS    PORTS
    ");
    insta::assert_snapshot!(world.run("ps --filter status=running -q").await, @r"
    $ compose ps --filter status=running -q
    [ID]
    [ID]
    ");
    insta::assert_snapshot!(world.run("ps --filter foo=bar").await, @r"
    $ compose ps --filter foo=bar
    stderr:
    unknown filter foo
    exit 1
    ");
    insta::assert_snapshot!(world.run("ps wbe").await, @r"
    $ compose ps wbe
    stderr:
    no such service: wbe
     hint: did you mean `web`?
    exit 1
    ");
    insta::assert_snapshot!(world.run("ps --orphans=false --format {{.Service}}").await, @r"
    $ compose ps --orphans=false --format {{.Service}}
    web
    ");
    // One look is one call.
    world.fake.forget_calls();
    world.run("ps").await;
    assert_eq!(world.fake.calls().len(), 1, "{:?}", world.fake.calls());
}

#[tokio::test(start_paused = true)]
async fn lists() {
    let world = running().await;
    insta::assert_snapshot!(world.run("ls").await, @r"
    $ compose ls
    NAME                STATUS              CONFIG FILES
    shop                running(2)          /shop/compose.yaml
    ");
    insta::assert_snapshot!(world.run("ls --format json").await, @r#"
    $ compose ls --format json
    [{"Name":"shop","Status":"running(2)","ConfigFiles":"/shop/compose.yaml"}]
    "#);
    insta::assert_snapshot!(world.run("ls --filter name=nope -q").await, @"$ compose ls --filter name=nope -q");
    insta::assert_snapshot!(world.run("ls --filter foo=bar").await, @r"
    $ compose ls --filter foo=bar
    stderr:
    invalid filter 'foo'
    exit 1
    ");
    insta::assert_snapshot!(world.run("images").await, @r"
    $ compose images
    CONTAINER           REPOSITORY          TAG                 PLATFORM            IMAGE ID            SIZE                CREATED
    shop-db-1           postgres            15                  linux/amd64         [ID]        1kB                 Less than a second ago
    shop-web-1          nginx               1                   linux/amd64         [ID]        1kB                 Less than a second ago
    ");
    insta::assert_snapshot!(world.run("images --format foo").await, @r#"
    $ compose images --format foo
    stderr:
    format value "foo" could not be parsed: parsing failed
    exit 1
    "#);
    insta::assert_snapshot!(world.run("volumes").await, @r"
    $ compose volumes
    DRIVER    VOLUME NAME
    local     shop_data
    ");
    insta::assert_snapshot!(without_labels(&world.run("volumes --format json").await), @r#"
    $ compose volumes --format json
    {"Availability":"N/A","Driver":"local","Group":"N/A","Labels":"…","Links":"N/A","Mountpoint":"/var/lib/fake/volumes/shop_data/_data","Name":"shop_data","Scope":"local","Size":"N/A","Status":"N/A"}
    "#);
    insta::assert_snapshot!(world.run("port web 80").await, @r"
    $ compose port web 80
    127.0.0.1:8080
    ");
    insta::assert_snapshot!(world.run("port web 81").await, @r"
    $ compose port web 81
    stderr:
    no port 81/tcp for container shop-web-1: 443/tcp, 80/tcp
    exit 1
    ");
    insta::assert_snapshot!(world.run("port web foo").await, @r#"
    $ compose port web foo
    stderr:
    strconv.ParseUint: parsing "foo": invalid syntax
    exit 1
    "#);
    insta::assert_snapshot!(world.run("port nope 80").await, @r#"
    $ compose port nope 80
    stderr:
    service "nope" is not running
    exit 1
    "#);
    insta::assert_snapshot!(world.run("port web").await, @r"
    $ compose port web
    stderr:
    requires at least 2 arg(s), only received 1
    exit 1
    ");
    insta::assert_snapshot!(world.run("top").await, @r"
    $ compose top
    SERVICE  #   UID   PID   PPID  C   STIME  TTY  TIME      CMD
    db       1   root  4242  4200  0   00:00  ?    00:00:00  
    web      1   root  4242  4200  0   00:00  ?    00:00:00  nginx -g daemon off; --long-option
    ");
    insta::assert_snapshot!(world.run("stats --no-stream").await, @r"
    $ compose stats --no-stream
    CONTAINER ID   NAME         CPU %     MEM USAGE / LIMIT   MEM %     NET I/O   BLOCK I/O   PIDS
    [ID]   shop-db-1    1.50%     4MiB / 1GiB         0.39%     0B / 0B   0B / 0B     1
    [ID]   shop-web-1   1.50%     4MiB / 1GiB         0.39%     0B / 0B   0B / 0B     1
    ");
    insta::assert_snapshot!(world.run("stats --no-stream --format {{.Name}}={{.CPUPerc}} web").await, @r"
    $ compose stats --no-stream --format {{.Name}}={{.CPUPerc}} web
    shop-web-1=1.50%
    ");
}

#[tokio::test(start_paused = true)]
async fn logs() {
    let chatty = |word: &str| {
        Behaviour::exits(0)
            .after(Duration::from_secs(1))
            .says(Duration::from_millis(10), word)
            .complains(Duration::from_millis(20), "oops")
    };
    let world = World::new("services: {web: {image: a}, database: {image: a}}", &["a"])
        .with_fake(|fake| fake.on("shop-web-1", chatty("hello")).on("shop-database-1", chatty("ready")));
    world.run("up -d").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    insta::assert_snapshot!(world.run("logs").await, @r"
    $ compose logs
    database-1  | ready
    web-1       | hello
    database-1  | oops
    web-1       | oops
    ");
    insta::assert_snapshot!(world.run("logs --no-log-prefix web").await, @r"
    $ compose logs --no-log-prefix web
    hello
    oops
    ");
    insta::assert_snapshot!(world.run("logs --tail 1").await, @r"
    $ compose logs --tail 1
    database-1  | oops
    web-1       | oops
    ");
    insta::assert_snapshot!(world.run("--ansi always logs web").await, @"
    $ compose --ansi always logs web
    \u{1b}[36mweb-1  | \u{1b}[0mhello
    \u{1b}[36mweb-1  | \u{1b}[0moops
    ");
    insta::assert_snapshot!(world.run("logs --index 2 web").await, @r#"
    $ compose logs --index 2 web
    stderr:
    service "web" is not running container #2
    exit 1
    "#);
    insta::assert_snapshot!(world.run("logs --since bogus").await, @r#"
    $ compose logs --since bogus
    stderr:
    invalid value for "since": failed to parse value as time or duration: "bogus"
    exit 1
    "#);
    insta::assert_snapshot!(world.run("logs --until 1d").await, @r#"
    $ compose logs --until 1d
    stderr:
    invalid value for "until": failed to parse value as time or duration: "1d"
    exit 1
    "#);
    insta::assert_snapshot!(world.run("events --since 2013-13-45").await, @r#"
    $ compose events --since 2013-13-45
    stderr:
    failed to parse value as time or duration: "2013-13-45"
    exit 1
    "#);
    insta::assert_snapshot!(world.run("logs --index 1").await, @r"
    $ compose logs --index 1
    stderr:
    --index requires one service to be selected
    exit 1
    ");
    insta::assert_snapshot!(world.run("logs nope").await, @r"
    $ compose logs nope
    stderr:
    no such service: nope
    exit 1
    ");
}

#[tokio::test(start_paused = true)]
async fn config() {
    let world = World::new(SHOP, &[]);
    insta::assert_snapshot!(world.run("config").await, @r#"
    $ compose config
    name: shop
    services:
      web:
        command:
          - nginx
          - -g
          - daemon off;
          - --long-option
        expose:
          - "99"
        image: nginx:1
        networks:
          default: null
        ports:
          - mode: ingress
            host_ip: 127.0.0.1
            target: 80
            published: "8080"
            protocol: tcp
          - mode: ingress
            target: 443
            published: "8443"
            protocol: tcp
    networks:
      default:
        name: shop_default
    "#);
    insta::assert_snapshot!(world.run("config --services").await, @r"
    $ compose config --services
    web
    ");
    insta::assert_snapshot!(world.run("--profile * config --services").await, @r"
    $ compose --profile * config --services
    db
    web
    ");
    insta::assert_snapshot!(world.run("config --profiles").await, @r"
    $ compose config --profiles
    data
    ");
    insta::assert_snapshot!(world.run("config --images").await, @r"
    $ compose config --images
    nginx:1
    ");
    insta::assert_snapshot!(world.run("config -q").await, @"$ compose config -q");
    insta::assert_snapshot!(world.run("config --format foo").await, @r#"
    $ compose config --format foo
    stderr:
    unsupported format "foo"
    exit 1
    "#);
    insta::assert_snapshot!(world.run("config --hash nope").await, @r"
    $ compose config --hash nope
    stderr:
    no such service: nope: not found
    exit 1
    ");
}

#[tokio::test(start_paused = true)]
async fn wait_gives_the_exit_code() {
    let ends = Behaviour::exits(7).after(Duration::from_secs(5));
    let world = World::new("services: {job: {image: a}}", &["a"]).with_fake(|fake| fake.on("shop-job-1", ends));
    insta::assert_snapshot!(world.run("wait job").await, @r#"
    $ compose wait job
    stderr:
    no containers for project "shop"
    exit 1
    "#);
    world.run("up -d").await;
    let waited = world.run("wait job").await;
    assert!(waited.contains("exited with status code 7\nexit 7"), "{waited}");
    insta::assert_snapshot!(world.run("wait").await, @r"
    $ compose wait
    stderr:
    docker: 'docker compose wait' requires at least 1 argument

    Usage:  docker compose wait SERVICE [SERVICE...] [OPTIONS]

    See 'docker compose wait --help' for more information
    exit 1
    ");
}
