//! Projects become files for other platforms, and containers become projects.

use crate::scenario::{Scenario, scenario};

/// A transformation that writes down what it was given.
const DOCKERFILE: &str = "FROM $BUSYBOX
LABEL com.docker.compose.bridge=transformation
COPY templates /templates
CMD [\"sh\", \"-c\", \"ls /in; cp /in/compose.yaml /templates/* /out; echo done >&2; exit ${CODE:-0}\"]
";

const SHOP: &str = "
services:
  web:
    image: $BUSYBOX
    ports: ['8080:80']
    expose: ['7000']
    environment: { A: 'b$$c' }
    configs: [c]
    secrets: [s]
configs: { c: { file: ./conf } }
secrets: { s: { environment: SECRET } }
";

#[test]
fn a_transformation_gets_the_model_and_writes_files() {
    if Scenario::tests_another() {
        return;
    }
    scenario(
        "bridge convert runs an image over the model; its list and its templates can be had",
        &["busybox"],
        async |s| {
            let busybox = s.busybox();
            let image = format!("{}-transformation:1", s.project);
            s.file("made/Dockerfile", &DOCKERFILE.replace("$BUSYBOX", &busybox));
            s.file("made/templates/a.tmpl", "first\n");
            s.file("make.yaml", &format!("services: {{t: {{image: '{image}', build: ./made}}}}\n"));
            s.compose(["-f", "make.yaml", "build"]).await.succeeds();
            s.file("compose.yaml", SHOP);
            s.file("conf", "deep\n");
            s.env("SECRET", "hush");

            let run = s.compose(["bridge", "convert", "-t", &image, "-o", "files"]).await.succeeds();
            assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("compose.yaml\n", "done\n"));
            let model =
                std::fs::read_to_string(s.dir().join("files/compose.yaml")).expect("the transformation wrote it");
            for line in ["A: b$c", "content: hush", "- \"7000\"", "- \"80\""] {
                assert!(model.contains(line), "{line}: {model}");
            }
            assert!(model.contains("deep"), "{model}");
            assert!(s.dir().join("files/a.tmpl").is_file());

            // What is there goes only with consent, and never the project itself.
            s.file("files/mine", "x");
            s.compose(["bridge", "convert", "-t", &image, "-o", "files"]).await.fails().says("was not confirmed");
            s.compose(["bridge", "convert", "-y", "-t", &image, "-o", "."])
                .await
                .fails()
                .says("holds the project itself");
            assert!(s.dir().join("files/mine").is_file() && s.dir().join("compose.yaml").is_file());
            s.file("other/b.tmpl", "second\n");
            s.compose(["bridge", "convert", "-y", "-t", &image, "-o", "files", "--templates", "other"])
                .await
                .succeeds();
            assert!(s.dir().join("files/b.tmpl").is_file() && !s.dir().join("files/mine").exists());

            let listed = s.compose(["bridge", "transformations", "list", "-q"]).await.succeeds().stdout;
            assert!(listed.lines().any(|line| line == image), "{listed}");
            s.compose(["bridge", "transformations", "create", "--from", &image, "own"])
                .await
                .succeeds()
                .says("Transformer created in");
            let template = std::fs::read_to_string(s.dir().join("own/templates/a.tmpl")).expect("it was copied");
            assert_eq!(template, "first\n");
            s.compose(["bridge", "transformations", "create", "--from", &image, "own"])
                .await
                .fails()
                .says("already exists");
            s.compose(["bridge", "transformations", "create", "--from", &busybox, "none"]).await.fails();
            assert!(!s.dir().join("none").exists());
            s.compose(["-f", "make.yaml", "down", "--rmi", "all"]).await.succeeds();
        },
    );
}

#[test]
fn a_project_is_made_of_containers() {
    if Scenario::tests_another() {
        return;
    }
    scenario("alpha generate writes a file that compose can use", &["busybox"], async |s| {
        s.file(
            "compose.yaml",
            "services:\n  web:\n    image: $BUSYBOX\n    command: [tail, -f, /dev/null]\n    stop_signal: SIGKILL\n    \
             environment: {A: 'b$$c'}\n    volumes: ['data:/data']\nvolumes: {data: {}}\n",
        );
        s.compose(["up", "-d"]).await.succeeds();
        let name = s.name("web-1");
        let text = s.compose(["alpha", "generate", "--name", "again", &name]).await.succeeds().stdout;
        s.file("again/compose.yaml", &text);
        let config = s.compose(["-f", "again/compose.yaml", "-p", "again", "config"]).await.succeeds();
        config.says("A: b$$c").says(&s.name("data").replace('-', "_")).says("target: /data");
    });
}
