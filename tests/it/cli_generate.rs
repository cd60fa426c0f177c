//! `alpha generate` on containers of the fake engine.

use crate::cli::World;

const SHOP: &str = "
services:
  web:
    image: nginx
    environment: { B: 'x$$y', A: '1' }
    labels: { mine: m }
    ports: ['127.0.0.1:8080:80', '53:53/udp']
    volumes: ['data:/data', '/srv:/srv:ro']
    healthcheck: { test: 'true', interval: 90s, retries: 2 }
    networks: { back: { aliases: [w] } }
  two: { image: busybox, scale: 2 }
networks: { back: { internal: true } }
volumes: { data: {} }
";

async fn world() -> World {
    let world = World::new(SHOP, &["nginx", "busybox"]);
    let up = world.run("--progress quiet up -d").await;
    assert!(!up.contains("exit 1"), "{up}");
    world
}

#[tokio::test(start_paused = true)]
async fn containers_are_written_as_a_project() {
    let world = world().await;
    insta::assert_snapshot!(world.run("alpha generate --name again web two-1 two-2").await, @r#"
    $ compose alpha generate --name again web two-1 two-2
    name: again
    services:
      two:
        image: busybox
        networks:
          shop_default:
            aliases:
              - shop-two-1
              - two
        scale: 2
      web:
        environment:
          A: "1"
          B: x$$y
        healthcheck:
          test:
            - CMD-SHELL
            - "true"
          interval: 1m30s
          retries: 2
        image: nginx
        labels:
          mine: m
        networks:
          shop_back:
            aliases:
              - shop-web-1
              - web
              - w
        ports:
          - target: 53
            published: "53"
            protocol: udp
          - host_ip: 127.0.0.1
            target: 80
            published: "8080"
            protocol: tcp
        scale: 1
        volumes:
          - type: volume
            source: shop_data
            target: /data
          - type: bind
            source: /srv
            target: /srv
            read_only: true
    networks:
      shop_back:
        internal: true
      shop_default: {}
    volumes:
      shop_data: {}

    stderr:
    generate command is EXPERIMENTAL
    "#);
    insta::assert_snapshot!(world.run("alpha generate --format json shop-two-1").await, @r#"
    $ compose alpha generate --format json shop-two-1
    {
      "name": "",
      "networks": {
        "shop_default": {
          "ipam": {}
        }
      },
      "services": {
        "two": {
          "command": null,
          "entrypoint": null,
          "image": "busybox",
          "networks": {
            "shop_default": {
              "aliases": [
                "shop-two-1",
                "two"
              ]
            }
          },
          "scale": 1
        }
      }
    }
    stderr:
    generate command is EXPERIMENTAL
    "#);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_told() {
    let world = world().await;
    for (line, said) in [
        ("", "at least one container must be specified"),
        ("nosuch other", "no container(s) found with the following name(s): nosuch,other"),
        ("--format xml web", "unsupported format \"xml\""),
    ] {
        let answer = world.run(&format!("alpha generate {line}")).await;
        assert!(answer.contains(said) && answer.contains("exit 1"), "{line}: {answer}");
    }
}
