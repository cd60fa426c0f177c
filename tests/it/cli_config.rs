//! `config`, and how findings about files are told.

use std::time::Duration;

use compose::names::ImageId;
use compose::resource::ImageDetails;
use compose::runtime::fake::Fake;

use crate::cli::World;

const SHOP: &str = "
name: shop
services:
  web:
    image: registry.example/web:${TAG:-1}
    env_file: web.env
    environment: {LEVEL: info, API_TOKEN: abc}
  db: {build: ./db}
";

fn shop() -> World {
    let world = World::new(SHOP, &[]);
    world.with_file("/shop/web.env", "PLACE=here\n").with_file("/shop/.env", "TAG=2\n")
}

#[tokio::test(start_paused = true)]
async fn places_of_values() {
    insta::assert_snapshot!(shop().run("config --origins").await, @"
    $ compose config --origins
    name: shop
    services:  # compose.yaml:4:3
      db:  # compose.yaml:8:7
        build:  # compose.yaml:8:15
          context: /shop/db  # compose.yaml:8:15
          dockerfile: Dockerfile
        networks:
          default: null
      web:  # compose.yaml:5:5
        environment:  # compose.yaml:7:18
          API_TOKEN: (hidden)  # compose.yaml:7:43
          LEVEL: info  # compose.yaml:7:26
          PLACE: here  # web.env:1:1
        image: registry.example/web:2  # compose.yaml:5:12, $TAG from .env:1:1
        networks:
          default: null
    networks:
      default:
        name: shop_default
    ");
    insta::assert_snapshot!(shop().run("config --origins --format json").await, @r#"
    $ compose config --origins --format json
    {
      "name": {
        "value": "shop"
      },
      "services.db.build.context": {
        "value": "/shop/db",
        "file": "compose.yaml",
        "line": 8,
        "column": 15
      },
      "services.db.build.dockerfile": {
        "value": "Dockerfile"
      },
      "services.web.environment.API_TOKEN": {
        "value": "(hidden)",
        "file": "compose.yaml",
        "line": 7,
        "column": 43
      },
      "services.web.environment.LEVEL": {
        "value": "info",
        "file": "compose.yaml",
        "line": 7,
        "column": 26
      },
      "services.web.environment.PLACE": {
        "value": "here",
        "file": "web.env",
        "line": 1,
        "column": 1
      },
      "services.web.image": {
        "value": "registry.example/web:2",
        "file": "compose.yaml",
        "line": 5,
        "column": 12,
        "variables": [
          {
            "name": "TAG",
            "from": ".env:1:1"
          }
        ]
      },
      "networks.default.name": {
        "value": "shop_default"
      }
    }
    "#);
}

#[tokio::test(start_paused = true)]
async fn images_by_digest() {
    let image = ImageDetails { id: ImageId::new("sha256:0123456789abcdef"), ..ImageDetails::default() };
    let pull = |fake: Fake| fake.with_remote("registry.example/web:2", image.clone(), Duration::ZERO);
    insta::assert_snapshot!(shop().with_fake(pull).run("config --resolve-image-digests web").await, @"
    $ compose config --resolve-image-digests web
    name: shop
    services:
      web:
        environment:
          API_TOKEN: abc
          LEVEL: info
          PLACE: here
        image: registry.example/web:2@sha256:[ID]
        networks:
          default: null
    networks:
      default:
        name: shop_default
    ");
    insta::assert_snapshot!(shop().with_fake(pull).run("config --lock-image-digests").await, @"
    $ compose config --lock-image-digests
    services:
      db: {}
      web:
        image: registry.example/web:2@sha256:[ID]
    ");
    insta::assert_snapshot!(shop().with_fake(pull).run("config --lock-image-digests --format json").await, @r#"
    $ compose config --lock-image-digests --format json
    {
      "name": "",
      "services": {
        "db": {
          "command": null,
          "entrypoint": null
        },
        "web": {
          "command": null,
          "entrypoint": null,
          "image": "registry.example/web:2@sha256:[ID]"
        }
      }
    }
    "#);
    insta::assert_snapshot!(shop().with_fake(pull).run("config --resolve-image-digests --no-interpolate db").await, @"
    $ compose config --resolve-image-digests --no-interpolate db
    stderr:
    failed to resolve digest for registry.example/web:${TAG:-1}: failed to ask the registry for registry.example/web:${TAG:-1}: manifest unknown: manifest unknown
    exit 1
    ");
    insta::assert_snapshot!(shop().run("config --resolve-image-digests").await, @"
    $ compose config --resolve-image-digests
    stderr:
    failed to resolve digest for registry.example/web:2: failed to ask the registry for registry.example/web:2: manifest unknown: manifest unknown
    exit 1
    ");
}

#[tokio::test(start_paused = true)]
async fn findings_for_programs_and_for_the_strict() {
    let world = World::new("services:\n  web: {image: 'a:$TAG$TAG', init: yes}\n  db: {image: b, prots: []}\n", &[]);
    insta::assert_snapshot!(world.run("--diagnostics json config -q").await, @r#"
    $ compose --diagnostics json config -q
    stderr:
    {"code":"old-boolean","severity":"warning","message":"\"yes\" for boolean is not supported by YAML 1.2, please use `true`","file":"compose.yaml","line":2,"column":36,"end_line":2,"end_column":39,"labels":[{"file":"compose.yaml","line":2,"column":36,"end_line":2,"end_column":39,"text":""}],"hints":[]}
    {"code":"unknown-key","severity":"error","message":"services.db additional properties 'prots' not allowed","file":"compose.yaml","line":3,"column":18,"end_line":3,"end_column":23,"labels":[{"file":"compose.yaml","line":3,"column":18,"end_line":3,"end_column":23,"text":"not known here"}],"hints":["did you mean `ports`?"]}
    {"code":"unset-variable","severity":"warning","message":"the \"TAG\" variable is not set, defaulting to a blank string","file":"compose.yaml","line":2,"column":19,"end_line":2,"end_column":23,"labels":[{"file":"compose.yaml","line":2,"column":19,"end_line":2,"end_column":23,"text":"not set"}],"hints":["set it in the environment or in `.env`, or write a default: `${TAG:-default}`"]}
    exit 1
    "#);
    let world = World::new("version: '3'\nservices:\n  web: {image: 'a:$TAG'}\n", &[]);
    insta::assert_snapshot!(world.run("config -q --strict").await, @r#"
    $ compose config -q --strict
    stderr:
    error[obsolete-key]: /shop/compose.yaml: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion
     --> compose.yaml:1:1
      |
    1 | version: '3'
      | ^^^^^^^

    error[unset-variable]: the "TAG" variable is not set, defaulting to a blank string
     --> compose.yaml:3:19
      |
    3 |   web: {image: 'a:$TAG'}
      |                   ^^^^ not set
      |
      = help: set it in the environment or in `.env`, or write a default: `${TAG:-default}`
    exit 1
    "#);
    insta::assert_snapshot!(world.run("config -q --diagnostics json").await, @r#"
    $ compose config -q --diagnostics json
    stderr:
    {"code":"obsolete-key","severity":"warning","message":"/shop/compose.yaml: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion","file":"compose.yaml","line":1,"column":1,"end_line":1,"end_column":8,"labels":[{"file":"compose.yaml","line":1,"column":1,"end_line":1,"end_column":8,"text":""}],"hints":[]}
    {"code":"unset-variable","severity":"warning","message":"the \"TAG\" variable is not set, defaulting to a blank string","file":"compose.yaml","line":3,"column":19,"end_line":3,"end_column":23,"labels":[{"file":"compose.yaml","line":3,"column":19,"end_line":3,"end_column":23,"text":"not set"}],"hints":["set it in the environment or in `.env`, or write a default: `${TAG:-default}`"]}
    "#);
    let strict = World::new("version: '3'\nservices:\n  web: {image: a}\n", &[]).with_variable("COMPOSE_STRICT", "1");
    insta::assert_snapshot!(strict.run("config -q --diagnostics json").await, @r#"
    $ compose config -q --diagnostics json
    stderr:
    {"code":"obsolete-key","severity":"error","message":"/shop/compose.yaml: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion","file":"compose.yaml","line":1,"column":1,"end_line":1,"end_column":8,"labels":[{"file":"compose.yaml","line":1,"column":1,"end_line":1,"end_column":8,"text":""}],"hints":[]}
    exit 1
    "#);
}

#[tokio::test(start_paused = true)]
async fn one_file_of_variables_for_several_services() {
    let compose = "
services:
  a: {image: x, env_file: shared.env, environment: {OWN: first}}
  b: {image: x, env_file: shared.env, environment: {OWN: second}}
  c: {image: x, env_file: plain.env}
  d: {image: x, env_file: [plain.env, {path: plain.env, format: raw}]}
";
    let world = World::new(compose, &[])
        .with_file("/shop/shared.env", "FROM_OWN=${OWN}!\n")
        .with_file("/shop/plain.env", "A='quoted'\n");
    insta::assert_snapshot!(world.run("config").await, @"
    $ compose config
    name: shop
    services:
      a:
        environment:
          FROM_OWN: first!
          OWN: first
        image: x
        networks:
          default: null
      b:
        environment:
          FROM_OWN: second!
          OWN: second
        image: x
        networks:
          default: null
      c:
        environment:
          A: quoted
        image: x
        networks:
          default: null
      d:
        environment:
          A: '''quoted'''
        image: x
        networks:
          default: null
    networks:
      default:
        name: shop_default
    ");
}

#[tokio::test(start_paused = true)]
async fn variables_as_yaml() {
    let world = World::new("services: {web: {image: 'x:${TAG:-1}', user: '${y?}'}}", &[]);
    insta::assert_snapshot!(world.run("config --variables --format yaml").await, @r#"
    $ compose config --variables --format yaml
    TAG:
        name: TAG
        defaultvalue: "1"
        presencevalue: ""
        required: false
    "y":
        name: "y"
        defaultvalue: ""
        presencevalue: ""
        required: true
    "#);
}
