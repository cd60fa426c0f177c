//! Explanations of whole projects, as text.

use crate::diagnostics::{SourceMap, render_text};
use crate::spec::emit::node_to_yaml;
use crate::spec::explain::{explain, origins_json, with_origins};
use crate::spec::files::MemoryFiles;
use crate::spec::model::Project;
use crate::spec::tree::Node;
use crate::spec::{Request, load, print, yaml};

/// A project with an override file, an included file, an extended service and files of variables.
fn shop() -> Project {
    let files = MemoryFiles::default()
        .with(
            "/p/compose.yaml",
            "include: [part/compose.yaml]\nx-common: &common\n  restart: always\nservices:\n  web:\n    <<: *common\n    extends: {file: \
             base.yaml, service: base}\n    image: nginx:${TAG:-1}\n    env_file: [web.env]\n    environment:\n      LEVEL: info\n      \
             DB_PASSWORD: hunter2\n      HOME:\n    ports: [\"80:80\"]\n    command: run --fast\n    labels: [traefik.enable=true]\nx-text: |2\n    a # b\n\n   c\n",
        )
        .with(
            "/p/over.yaml",
            "services:\n  web:\n    image: nginx:$TAG\n    environment: [LEVEL=debug, USER_NAME=$WHO]\n    ports: !override\n      - \
             127.0.0.1:8080:80\n    init: !reset null\n",
        )
        .with("/p/base.yaml", "services:\n  base:\n    init: true\n    image: base:1\n    mem_limit: 64m\n")
        .with("/p/part/compose.yaml", "services:\n  db:\n    image: postgres:15\n")
        .with("/p/web.env", "# own\nLEVEL=trace\nONLY=here\nAPI_TOKEN=hunter2\n")
        .with("/p/.env", "OTHER=1\nTAG=1.27\n");
    let request = Request {
        files: vec!["compose.yaml".to_owned(), "over.yaml".to_owned()],
        cwd: "/p".into(),
        environment: [("HOME", "/root"), ("WHO", "me")].map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Request::default()
    };
    let loaded = load(&request, &files);
    let told = render_text(&loaded.diagnostics, &loaded.sources, false, 100);
    loaded.project.unwrap_or_else(|| panic!("{told}"))
}

fn told(path: &str) -> String {
    let mut explanation = explain(&shop(), path);
    explanation.documentation = None;
    explanation.to_string()
}

#[test]
fn the_chain_of_files_and_variables_is_told() {
    insta::assert_snapshot!(told("web.image"), @"
    services.web.image = nginx:1.27
      base.yaml:4:12     base:1           overridden, extended service base
      compose.yaml:8:12  nginx:${TAG:-1}  overridden
      over.yaml:3:12     nginx:$TAG       wins
      $TAG comes from .env:2:1
    ");
    insta::assert_snapshot!(told("services.web.mem_limit"), @"
    services.web.mem_limit = 64m
      base.yaml:5:16  64m  wins, extended service base
    ");
    insta::assert_snapshot!(told("services.db.image"), @"
    services.db.image = postgres:15
      part/compose.yaml:3:12  postgres:15  wins, included
    ");
    insta::assert_snapshot!(told("services.web.restart"), @"
    services.web.restart = always
      compose.yaml:3:12  always  wins
    ");
}

#[test]
fn variables_of_services_are_traced_into_their_files() {
    insta::assert_snapshot!(told("web.environment.LEVEL"), @"
    services.web.environment.LEVEL = debug
      web.env:2:1         trace        overridden, env_file
      compose.yaml:11:14  info         overridden
      over.yaml:4:19      LEVEL=debug  wins
    ");
    insta::assert_snapshot!(told("web.environment.ONLY"), @"
    services.web.environment.ONLY = here
      web.env:3:1  here  wins, env_file
    ");
    insta::assert_snapshot!(told("web.environment.USER_NAME"), @"
    services.web.environment.USER_NAME = me
      over.yaml:4:32  USER_NAME=$WHO  wins
      $WHO comes from the shell
    ");
    insta::assert_snapshot!(told("web.environment.HOME"), @"
    services.web.environment.HOME = /root
      compose.yaml:13:12  null  wins
      $HOME comes from the shell
    ");
}

#[test]
fn short_forms_tags_and_defaults_are_told() {
    insta::assert_snapshot!(told("web.ports[0].published"), @"
    services.web.ports.0.published = 8080
      over.yaml:6:9  127.0.0.1:8080:80  wins
    ");
    insta::assert_snapshot!(told("web.ports[0].protocol"), @"
    services.web.ports.0.protocol = tcp
      over.yaml:6:9  127.0.0.1:8080:80  wins
    ");
    insta::assert_snapshot!(told("web.ports"), @r#"
    services.web.ports:
      - mode: ingress
        host_ip: 127.0.0.1
        target: 80
        published: "8080"
        protocol: tcp
      compose.yaml:14:12  1 item            overridden
      over.yaml:6:7       !override 1 item  merged
    "#);
    insta::assert_snapshot!(told("web.init"), @"
    services.web.init is not set
      base.yaml:3:11  true    overridden, extended service base
      over.yaml:7:18  !reset  wins
    ");
    insta::assert_snapshot!(told("web.labels.traefik.enable"), @"
    services.web.labels.traefik.enable = true
      compose.yaml:16:14  traefik.enable=true  wins
    ");
    insta::assert_snapshot!(told("networks.default.name"), @"
    networks.default.name = p_default
      compose.yaml:1:1  p_default  wins, default
    ");
}

#[test]
fn what_is_not_there_is_said_with_a_way_out() {
    insta::assert_snapshot!(explain(&shop(), "web.helthcheck"), @"
    services.web.helthcheck is not set
      did you mean `services.web.healthcheck`?
    ");
    insta::assert_snapshot!(explain(&shop(), "web.healthcheck"), @"
    services.web.healthcheck is not set

    How the engine knows that it works; goes before the image's own.
    ");
    insta::assert_snapshot!(explain(&shop(), "wbe.image"), @"
    wbe.image is not set
      did you mean `services.web.image`?
    ");
    insta::assert_snapshot!(explain(&shop(), ""), @r#"
    project:
      x-common:
        restart: always
      services:
        web:
          image: nginx:1.27
          mem_limit: 64m
          env_file:
            - path: /p/web.env
              required: true
          environment:
            - DB_PASSWORD=(hidden)
            - HOME=/root
            - LEVEL=debug
            - USER_NAME=me
            - API_TOKEN=(hidden)
            - ONLY=here
          ports:
            - mode: ingress
              host_ip: 127.0.0.1
              target: 80
              published: "8080"
              protocol: tcp
          command: run --fast
          labels:
            - traefik.enable=true
          restart: always
          networks:
            default: null
        db:
          image: postgres:15
          networks:
            default: null
      x-text: |2
          a # b

         c
      name: p
      networks:
        default:
          name: p_default
      $TAG comes from .env:2:1
      $WHO comes from the shell
    "#);
}

#[test]
fn secrets_are_not_told() {
    insta::assert_snapshot!(told("web.environment.DB_PASSWORD"), @"
    services.web.environment.DB_PASSWORD = (hidden)
      compose.yaml:12:20  (hidden)  wins
    ");
    insta::assert_snapshot!(told("web.environment.API_TOKEN"), @"
    services.web.environment.API_TOKEN = (hidden)
      web.env:4:1  (hidden)  wins, env_file
    ");
    for path in ["services", "services.web", "services.web.environment", "web.environment.DB_PASSWORD"] {
        assert!(!told(path).contains("hunter2"), "{path}");
    }
}

#[test]
fn the_model_is_printed_with_its_places() {
    let shop = shop();
    let printed = with_origins(&shop);
    let read =
        |text: &str| yaml::parse(text, SourceMap::default().add("", None, text)).map_err(|found| format!("{found:?}"));
    let own = read(&printed).expect("it is YAML");
    let model = read(&print::yaml(&shop)).expect("it is YAML");
    let lines = |node: &Node| node_to_yaml(node).lines().map(str::to_owned).collect::<Vec<_>>();
    for (own, model) in lines(&own[0]).iter().zip(lines(&model[0])) {
        assert!(*own == model || own.ends_with(": (hidden)"), "{own} {model}");
    }
    assert!(!printed.contains("hunter2"));
    insta::assert_snapshot!(printed, @r#"
    name: p
    services:  # compose.yaml:5:3
      db:  # part/compose.yaml:3:5
        image: postgres:15  # part/compose.yaml:3:12
        networks:
          default: null
      web:  # compose.yaml:6:5
        command:  # compose.yaml:15:14
          - run
          - --fast
        environment:  # compose.yaml:11:7
          API_TOKEN: (hidden)  # web.env:4:1
          DB_PASSWORD: (hidden)  # compose.yaml:12:20
          HOME: /root  # compose.yaml:13:12
          LEVEL: debug  # over.yaml:4:19
          ONLY: here  # web.env:3:1
          USER_NAME: me  # over.yaml:4:32, $WHO from the shell
        image: nginx:1.27  # over.yaml:3:12, $TAG from .env:2:1
        labels:  # compose.yaml:16:13
          traefik.enable: "true"  # compose.yaml:16:14
        mem_limit: "67108864"  # base.yaml:5:16
        networks:
          default: null
        ports:  # over.yaml:6:7
          - mode: ingress
            host_ip: 127.0.0.1  # over.yaml:6:9
            target: 80  # over.yaml:6:9
            published: "8080"  # over.yaml:6:9
            protocol: tcp  # over.yaml:6:9
        restart: always  # compose.yaml:3:12
    networks:
      default:
        name: p_default
    x-common:  # compose.yaml:3:3
      restart: always  # compose.yaml:3:12
    x-text: |2  # compose.yaml:17:9
        a # b

       c
    "#);
}

#[test]
fn places_are_told_to_programs() {
    let shop = shop();
    let printed = origins_json(&shop);
    assert!(!printed.contains("hunter2"), "{printed}");
    let all: serde_json::Value = serde_json::from_str(&printed).expect("it is JSON");
    let lines: Vec<String> = all.as_object().expect("an object").iter().map(|(k, v)| format!("{k} {v}")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    name {"value":"p"}
    services.db.image {"value":"postgres:15","file":"part/compose.yaml","line":3,"column":12}
    services.web.command.0 {"value":"run","file":"compose.yaml","line":15,"column":14}
    services.web.command.1 {"value":"--fast","file":"compose.yaml","line":15,"column":14}
    services.web.environment.API_TOKEN {"value":"(hidden)","file":"web.env","line":4,"column":1}
    services.web.environment.DB_PASSWORD {"value":"(hidden)","file":"compose.yaml","line":12,"column":20}
    services.web.environment.HOME {"value":"/root","file":"compose.yaml","line":13,"column":12}
    services.web.environment.LEVEL {"value":"debug","file":"over.yaml","line":4,"column":19}
    services.web.environment.ONLY {"value":"here","file":"web.env","line":3,"column":1}
    services.web.environment.USER_NAME {"value":"me","file":"over.yaml","line":4,"column":32,"variables":[{"name":"WHO","from":"the shell"}]}
    services.web.image {"value":"nginx:1.27","file":"over.yaml","line":3,"column":12,"variables":[{"name":"TAG","from":".env:2:1"}]}
    services.web.labels.traefik.enable {"value":"true","file":"compose.yaml","line":16,"column":14}
    services.web.mem_limit {"value":"67108864","file":"base.yaml","line":5,"column":16}
    services.web.ports.0.mode {"value":"ingress"}
    services.web.ports.0.host_ip {"value":"127.0.0.1","file":"over.yaml","line":6,"column":9}
    services.web.ports.0.target {"value":80,"file":"over.yaml","line":6,"column":9}
    services.web.ports.0.published {"value":"8080","file":"over.yaml","line":6,"column":9}
    services.web.ports.0.protocol {"value":"tcp","file":"over.yaml","line":6,"column":9}
    services.web.restart {"value":"always","file":"compose.yaml","line":3,"column":12}
    networks.default.name {"value":"p_default"}
    x-common.restart {"value":"always","file":"compose.yaml","line":3,"column":12}
    x-text {"value":"  a # b\n\n c\n","file":"compose.yaml","line":17,"column":9}
    "#);
    // A path leads on to the whole story.
    let path = "services.web.image";
    assert_eq!(explain(&shop, path).value.as_deref(), all[path]["value"].as_str());
}

#[test]
fn what_cannot_be_read_back_is_printed_without_secrets() {
    let text = "services: {a: {image: x, environment: {PASSWORD: hunter2}}}\nx-a: \"\\ta\\nb\"\n";
    let files = MemoryFiles::default().with("/p/compose.yaml", text);
    let project = load(&Request { cwd: "/p".into(), ..Request::default() }, &files).project.expect("it is a project");
    let printed = with_origins(&project);
    assert!(printed.contains("image: x") && !printed.contains("hunter2"), "{printed}");
    let printed = origins_json(&project);
    assert!(printed.contains("services.a.image") && !printed.contains("hunter2"), "{printed}");
}
