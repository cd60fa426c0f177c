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
            "type=image"
          ],
          "attest": [
            "type=provenance,mode=max",
            "type=sbom"
          ]
        }
      }
    }
    "#);
    assert!(world.run("build --print --push --ssh key=/k web").await.contains("type=registry"));
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
