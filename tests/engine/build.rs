//! Images that are built from the project's own files.

use crate::scenario::scenario;

#[test]
fn args_target_and_dockerignore() {
    scenario(
        "build passes arguments and the target on, and sends only what .dockerignore lets through",
        &["busybox"],
        async |s| {
            s.file(
                "compose.yaml",
                "
services:
  app:
    build:
      context: ./app
      dockerfile: app.Dockerfile
      target: right
      args: { BASE: $BUSYBOX, COLOUR: blue, FROM_ENVIRONMENT: }
      labels: { built.by: test }
",
            );
            s.file(
                "app/app.Dockerfile",
                "
ARG BASE
FROM $BASE AS right
ARG COLOUR
ARG FROM_ENVIRONMENT
COPY . /app
RUN echo $COLOUR $FROM_ENVIRONMENT > /colour
CMD cat /colour; ls -A /app
FROM right AS wrong
CMD echo wrong target
",
            );
            s.file("app/.dockerignore", "# a comment\n*.log\n!kept.log\nsecrets\n");
            for name in ["app.txt", "noise.log", "kept.log", "secrets/key"] {
                s.file(&format!("app/{name}"), name);
            }
            s.env("FROM_ENVIRONMENT", "green");
            s.compose(["build"]).await.succeeds();
            s.compose(["up", "-d"]).await.succeeds();
            let run = s.compose(["logs", "--follow", "--no-log-prefix", "app"]).await.succeeds();
            let said = run.stdout.lines().filter(|line| !line.contains("exited with code"));
            let lines: Vec<&str> = said.collect();
            assert_eq!(lines, ["blue green", ".dockerignore", "app.Dockerfile", "app.txt", "kept.log"]);
        },
    );
}

#[test]
fn a_rebuilt_image_recreates() {
    scenario("a container is recreated when its image was built anew, and only then", &["busybox"], async |s| {
        s.file("compose.yaml", "services: { app: { build: ., stop_signal: SIGKILL } }");
        s.file(
            "Dockerfile",
            "ARG BASE=busybox\nFROM $BASE\nCOPY version /version\nCMD tail -f /dev/null\n"
                .replace("busybox", &s.busybox())
                .as_str(),
        );
        s.file("version", "one");
        s.compose(["up", "-d"]).await.succeeds();
        let one = s.container("app-1").await;
        s.compose(["up", "-d", "--build"]).await.succeeds();
        assert_eq!(s.container("app-1").await, one, "the same image again");
        s.file("version", "two");
        s.compose(["up", "-d"]).await.succeeds();
        assert_eq!(s.container("app-1").await, one, "an image that is there is not built without --build");
        s.compose(["up", "-d", "--build"]).await.succeeds();
        assert_ne!(s.container("app-1").await.id, one.id);
        s.compose(["exec", "-T", "app", "cat", "/version"]).await.succeeds().says("two");
    });
}

#[test]
fn a_failing_build_says_where() {
    scenario(
        "a build that fails ends the command, shows the failing line, and starts nothing",
        &["busybox"],
        async |s| {
            s.file("compose.yaml", "services: { app: { build: . }, other: { image: $BUSYBOX, command: 'true' } }");
            s.file("Dockerfile", &format!("FROM {}\nRUN echo about to fail && exit 23\n", s.busybox()));
            s.compose(["up", "-d"]).await.fails().says("exit 23").says("23");
            assert_eq!(s.states().await, "");
        },
    );
}

#[test]
fn from_nothing() {
    scenario("an image may consist of nothing, given inline", &[], async |s| {
        s.file(
            "compose.yaml",
            "
services:
  app:
    build: { dockerfile_inline: FROM scratch }
    command: [/usr/bin/env, echo, it runs]
    volumes: [/usr:/usr:ro, /lib:/lib:ro, /lib64:/lib64:ro]
",
        );
        s.compose(["up"]).await.succeeds().says("app-1  | it runs");
    });
}

#[test]
fn named_contexts_and_secret_files() {
    scenario(
        "a build begins with another service's image, takes files from elsewhere and sees secrets",
        &["busybox"],
        async |s| {
            s.file(
                "compose.yaml",
                "
services:
  app:
    build:
      context: ./app
      additional_contexts: { files: ./files, base: 'service:base' }
      secrets: [word, said]
    stop_signal: SIGKILL
  base: { build: { context: ./app, dockerfile: base.Dockerfile, args: { BASE: $BUSYBOX } } }
secrets:
  word: { file: ./word }
  said: { environment: SAID }
",
            );
            s.env("SAID", "said");
            s.file("word", "written ");
            s.file("files/one", "one ");
            s.file("app/base.Dockerfile", "ARG BASE\nFROM $BASE\nRUN printf 'base ' > /base\n");
            s.file(
                "app/Dockerfile",
                "
FROM base
COPY --from=files one /one
RUN --mount=type=secret,id=word --mount=type=secret,id=said cat /run/secrets/word /run/secrets/said > /secrets
CMD cat /base /one /secrets; echo
",
            );
            s.compose(["build", "app"]).await.succeeds();
            s.compose(["up", "-d", "app"]).await.succeeds();
            let run = s.compose(["logs", "--follow", "--no-log-prefix", "app"]).await;
            run.succeeds().says("base one written said");
            // What is built first is no context of a check, for buildx.
            let alone = "services: { app: { build: { context: ./app, dockerfile: alone.Dockerfile } } }";
            s.file("alone.yaml", alone);
            s.file("app/alone.Dockerfile", &format!("FROM {}\n", s.busybox()));
            let check = ["-f", "alone.yaml", "build", "--check"];
            s.compose(check).await.succeeds().says("no warnings");
            s.file("app/alone.Dockerfile", &format!("FROM {}\nMAINTAINER nobody\n", s.busybox()));
            s.compose(check).await.fails().says("MaintainerDeprecated");
            s.compose(["down", "--rmi", "local"]).await.succeeds();
        },
    );
}
