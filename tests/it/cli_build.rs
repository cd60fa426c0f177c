//! `build --print` and `alpha viz`: what can be told without an engine.

use crate::cli::World;

const SHOP: &str = "
name: shop
services:
  web:
    image: shop.example/web:1
    build:
      context: ./web
      target: run
      args: {LEVEL: '${X}', EMPTY: }
      tags: ['shop.example/web:2']
      additional_contexts: {base: 'service:base', files: ./files}
      cache_from: [shop.example/cache]
      cache_to: ['type=inline']
      secrets: [token, key]
      ssh: [default]
      extra_hosts: ['db=10.0.0.1', 'db=10.0.0.2']
      shm_size: 1m
      ulimits: {nofile: 10, nproc: {soft: 1, hard: 2}}
      platforms: [linux/amd64, linux/arm64]
      network: host
      privileged: true
      provenance: mode=max
    depends_on: [db]
    ports: ['127.0.0.1:81:80']
    networks: [front]
  base: {build: {dockerfile_inline: 'FROM busybox'}}
  db: {image: 'postgres:15'}
networks: {front: }
secrets: {token: {environment: TOKEN}, key: {file: ./key}}
";

#[tokio::test(start_paused = true)]
async fn a_build_is_told_as_a_bake_file() {
    let world = World::new(SHOP, &[]).with_variable("X", "${HOME}").with_variable("TOKEN", "never printed");
    let told = world.run("build --print --sbom true web").await;
    assert!(!told.contains("never printed"));
    insta::assert_snapshot!(told, @r#"
    $ compose build --print --sbom true web
    {
      "group": {
        "default": {
          "targets": [
            "base",
            "web"
          ]
        }
      },
      "target": {
        "base": {
          "context": "/shop",
          "dockerfile-inline": "FROM busybox",
          "labels": {
            "com.docker.compose.project": "shop",
            "com.docker.compose.service": "base",
            "com.docker.compose.version": "2.40.3"
          },
          "tags": [
            "shop-base"
          ],
          "output": [
            "type=docker"
          ],
          "attest": [
            "type=sbom"
          ]
        },
        "web": {
          "context": "/shop/web",
          "contexts": {
            "base": "target:base",
            "files": "/shop/files"
          },
          "dockerfile": "/shop/web/Dockerfile",
          "args": {
            "LEVEL": "$${HOME}"
          },
          "labels": {
            "com.docker.compose.project": "shop",
            "com.docker.compose.service": "web",
            "com.docker.compose.version": "2.40.3"
          },
          "tags": [
            "shop.example/web:2",
            "shop.example/web:1"
          ],
          "cache-from": [
            "shop.example/cache"
          ],
          "cache-to": [
            "type=inline"
          ],
          "target": "run",
          "secret": [
            "id=token,type=env,env=TOKEN",
            "id=key,type=file,src=/shop/key"
          ],
          "ssh": [
            "default="
          ],
          "platforms": [
            "linux/amd64",
            "linux/arm64"
          ],
          "network": "host",
          "shm-size": "1048576",
          "ulimits": [
            "nofile=10",
            "nproc=1:2"
          ],
          "entitlements": [
            "security.insecure"
          ],
          "extra-hosts": {
            "db": "10.0.0.1,10.0.0.2"
          },
          "output": [
            "type=image,push=false"
          ],
          "attest": [
            "type=provenance,mode=max",
            "type=sbom"
          ]
        }
      }
    }
    "#);
    // For several platforms the builder uploads, for one the engine.
    assert!(world.run("build --print --push --ssh key=/k web").await.contains("\"type=image,push=true\""));
    let one = SHOP.replace("[linux/amd64, linux/arm64]", "[linux/amd64]");
    let world = World::new(&one, &[]).with_variable("TOKEN", "never printed");
    assert!(world.run("build --print --push web").await.contains("\"type=registry\""));
    assert!(world.run("build --print --push --builder other web").await.contains("\"type=registry\""));
}

#[tokio::test(start_paused = true)]
async fn a_project_is_drawn() {
    let world = World::new(SHOP, &[]);
    insta::assert_snapshot!(world.run("alpha viz").await, @r#"
    $ compose alpha viz
    digraph "shop" {
    	layout=dot;
    	"base" [style="filled" label=<<font point-size="15">base</font>>];
    	"db" [style="filled" label=<<font point-size="15">db</font>>];
    	"web" [style="filled" label=<<font point-size="15">web</font>>];

    	"web" -> "db";
    }

    stderr:
    viz command is EXPERIMENTAL
    warning[unset-variable]: the "X" variable is not set, defaulting to a blank string
     --> compose.yaml:9:22
      |
    9 |       args: {LEVEL: '${X}', EMPTY: }
      |                      ^^^^ not set
      |
      = help: set it in the environment or in `.env`, or write a default: `${X:-default}`
    "#);
    insta::assert_snapshot!(world.run("alpha viz --image --networks --ports --spaces --indentation-size 2").await, @r#"
    $ compose alpha viz --image --networks --ports --spaces --indentation-size 2
    digraph "shop" {
      layout=dot;
      "base" [style="filled" label=<<font point-size="15">base</font><font point-size="10"><br/><br/><b>Networks:</b><br/>default</font><font point-size="10"><br/><br/><b>Image:</b><br/>shop-base</font>>];
      "db" [style="filled" label=<<font point-size="15">db</font><font point-size="10"><br/><br/><b>Networks:</b><br/>default</font><font point-size="10"><br/><br/><b>Image:</b><br/>postgres:15</font>>];
      "web" [style="filled" label=<<font point-size="15">web</font><font point-size="10"><br/><br/><b>Networks:</b><br/>front</font><font point-size="10"><br/><br/><b>Ports:</b><br/>127.0.0.1:81:80 (tcp, ingress)</font><font point-size="10"><br/><br/><b>Image:</b><br/>shop.example/web:1</font>>];

      "web" -> "db";
    }

    stderr:
    viz command is EXPERIMENTAL
    warning[unset-variable]: the "X" variable is not set, defaulting to a blank string
     --> compose.yaml:9:22
      |
    9 |       args: {LEVEL: '${X}', EMPTY: }
      |                      ^^^^ not set
      |
      = help: set it in the environment or in `.env`, or write a default: `${X:-default}`
    "#);
}

#[tokio::test(start_paused = true)]
async fn one_name_is_built_once_or_in_turn() {
    const FILE: &str = "
name: shop
services:
  one: {image: shop/web:1, build: {context: ., args: {A: x}}}
  two: {image: shop/web:1, build: {context: ., args: {A: x}}}
  three: {image: shop/web:1, build: {context: ., args: {A: y}}}
  top: {build: {context: ., additional_contexts: {base: 'service:middle'}}}
  middle: {build: {context: ., additional_contexts: {base: 'service:deep'}}}
  deep: {build: .}
";
    let world = World::new(FILE, &[]);
    // Alike: once. Named the same and not alike: in turn, and told.
    insta::assert_snapshot!(world.run("--progress plain build one two three").await, @"
    $ compose --progress plain build one two three
    stderr:
    warning: services one and three build different images under one name, shop/web:1: the latter stays
     Image shop/web:1  Building

    #1 [one 1/1] FROM scratch
    #1 0.120 building
    #1 DONE 0.0s
     Image shop/web:1  Built
     Image shop/web:1  Building

    #2 [three 1/1] FROM scratch
    #2 0.120 building
    #2 DONE 0.0s
     Image shop/web:1  Built
    ");
    // What is built upon is built first, however deep it lies.
    insta::assert_snapshot!(world.run("--progress json up -d --build top").await, @r#"
    $ compose --progress json up -d --build top
    stderr:
    {"id":"Image shop-deep","status":"Working","text":"Building"}
    {"id":"Image shop-deep","status":"Working","details":"[1/1] FROM scratch"}
    {"id":"Image shop-deep","status":"Working","details":"building"}
    {"id":"Image shop-deep","status":"Working","details":"DONE [1/1] FROM scratch 0.0s"}
    {"id":"Image shop-deep","status":"Done","text":"Built"}
    {"id":"Image shop-middle","status":"Working","text":"Building"}
    {"id":"Image shop-middle","status":"Working","details":"[1/1] FROM scratch"}
    {"id":"Image shop-middle","status":"Working","details":"building"}
    {"id":"Image shop-middle","status":"Working","details":"DONE [1/1] FROM scratch 0.0s"}
    {"id":"Image shop-middle","status":"Done","text":"Built"}
    {"id":"Image shop-top","status":"Working","text":"Building"}
    {"id":"Image shop-top","status":"Working","details":"[1/1] FROM scratch"}
    {"id":"Image shop-top","status":"Working","details":"building"}
    {"id":"Image shop-top","status":"Working","details":"DONE [1/1] FROM scratch 0.0s"}
    {"id":"Image shop-top","status":"Done","text":"Built"}
    {"id":"Network shop_default","status":"Working","text":"Creating"}
    {"id":"Network shop_default","status":"Done","text":"Created"}
    {"id":"Container shop-top-1","status":"Working","text":"Creating"}
    {"id":"Container shop-top-1","status":"Done","text":"Created"}
    {"id":"Container shop-top-1","status":"Working","text":"Starting"}
    {"id":"Container shop-top-1","status":"Done","text":"Started"}
    "#);
    insta::assert_snapshot!(world.run("build --quiet deep").await, @"$ compose build --quiet deep");
    insta::assert_snapshot!(world.run("build --ssh nonsense deep").await, @r#"
    $ compose build --ssh nonsense deep
    stderr:
    invalid ssh key "nonsense"
    exit 1
    "#);
}
