//! Projects that are published to a registry and used from there, with a registry that speaks HTTP.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use compose::cli::context::Engines;
use compose::cli::disk::Disk;
use compose::cli::global::{DockerArgs, Environment};
use compose::cli::terminal::Io;
use compose::external::{Credentials, DockerCredentials};
use compose::runtime::fake::Fake;
use compose::runtime::{Result, Runtime};
use compose::ui::stream::{Captured, Stream};
use futures::stream;
use sha2::Digest as _;

use crate::registry_server::{Asks, Server};

/// A fake engine, and docker's configuration in `directory`.
struct World {
    directory: tempfile::TempDir,
    server: Server,
    fake: Fake,
}

#[async_trait(?Send)]
impl Engines for World {
    async fn connect(&self, _: &DockerArgs, _: &Environment) -> Result<Arc<dyn Runtime>> {
        Ok(self.fake.shared())
    }
    fn credentials(&self, _: &DockerArgs, _: &Environment) -> Arc<dyn Credentials> {
        Arc::new(DockerCredentials::new(self.directory.path(), None))
    }
}

impl World {
    /// A project in `shop`, an empty directory `use`, and a registry.
    fn new(asks: Asks) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["shop/base", "use"] {
            std::fs::create_dir_all(directory.path().join(name)).unwrap();
        }
        let world = Self { directory, server: Server::start(asks), fake: Fake::new() };
        world.write(
            "shop/compose.yaml",
            "services:\n  web:\n    image: nginx:1\n    env_file: web.env\n    extends: {file: base/base.yaml, service: base}\n",
        );
        world.write("shop/base/base.yaml", "services: {base: {user: '1', env_file: base.env}}\n");
        world.write("shop/base/base.env", "B=1\n");
        world.write("shop/web.env", "A=1\n");
        world
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.directory.path().join(name), content).unwrap();
    }

    /// docker's configuration with these credentials for the registry.
    fn login(&self, entry: &str) {
        self.write("config.json", &format!(r#"{{"auths": {{"{}": {entry}}}}}"#, self.server.address));
    }

    /// Runs a line in a directory; `REG` is the registry. Gives what was written, and the exit code.
    async fn run(&self, directory: &str, line: &str, input: &str, variables: &[(&str, &str)]) -> String {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let never = || Box::pin(stream::pending()) as _;
        let io = Io::with(Stream::new(stdout.clone()), Stream::new(stderr.clone()), input, never);
        let address = self.server.address.to_string();
        let words: Vec<OsString> =
            line.split_whitespace().map(|word| OsString::from(word.replace("REG", &address))).collect();
        let home = ("HOME".to_owned(), self.directory.path().to_string_lossy().into_owned());
        let own = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let variables = [home].into_iter().chain(own).collect();
        let environment = Environment { variables, directory: self.directory.path().join(directory) };
        let code = compose::cli::run(&words, &environment, &Disk, self, &io).await;
        let text = format!("{}{}exit {code}", stdout.text(), stderr.text());
        let text = text.replace(&address, "REG");
        text.replace(&self.directory.path().to_string_lossy().into_owned(), "/w")
    }

    async fn publish(&self, line: &str) -> String {
        self.run("shop", &format!("publish {line}"), "", &[]).await
    }
}

#[tokio::test]
async fn a_published_project_is_used_elsewhere() {
    let world = World::new(Asks::Nothing);
    insta::assert_snapshot!(world.publish("-y --with-env REG/a/shop:1").await, @"
     web  Skipped
     REG/a/shop:1 publishing
     REG/a/shop:1 published
    exit 0
    ");
    let used = world.run("use", "-f oci://REG/a/shop:1 config --no-normalize", "", &[]).await;
    insta::assert_snapshot!(used, @r#"
    name: use
    services:
      web:
        environment:
          A: "1"
          B: "1"
        image: nginx:1
        user: "1"
    exit 0
    "#);
    // What is there is not fetched again, and a digest needs no registry.
    let before = world.server.state().requests.len();
    assert!(world.run("use", "-f oci://REG/a/shop:1 config -q", "", &[]).await.ends_with("exit 0"));
    let asked = world.server.state().requests[before..].join(" ");
    assert!(!asked.contains("/blobs/"), "{asked}");
    let cached = std::fs::read_dir(world.directory.path().join(".cache/compose/oci")).unwrap();
    let digest = cached.flatten().next().unwrap().file_name().into_string().unwrap();
    let before = world.server.state().requests.len();
    let pinned = format!("-f oci://REG/a/shop@sha256:{digest} config -q");
    assert!(world.run("use", &pinned, "", &[]).await.ends_with("exit 0"));
    assert_eq!(world.server.state().requests.len(), before);
}

#[tokio::test]
async fn registries_ask_in_different_ways() {
    for asks in [Asks::Basic, Asks::Bearer] {
        let world = World::new(asks);
        let denied = world.publish("-y --with-env REG/a/shop:1").await;
        assert!(denied.contains("denies access without credentials: run `docker login` first"), "{denied}");
        // me:wrong
        world.login(r#"{"auth": "bWU6d3Jvbmc="}"#);
        let denied = world.publish("-y --with-env REG/a/shop:1").await;
        assert!(denied.contains("denies access as me") && !denied.contains("wrong"), "{denied}");
        // me:pw
        world.login(r#"{"auth": "bWU6cHc="}"#);
        let published = world.publish("-y --with-env REG/a/shop:1").await;
        assert!(published.ends_with("published\nexit 0"), "{published}");
        let used = world.run("use", "-f oci://REG/a/shop:1 config -q", "", &[]).await;
        assert_eq!(used, "exit 0", "{asks:?}");
    }
    let world = World::new(Asks::Bearer);
    world.login(r#"{"identitytoken": "id"}"#);
    let published = world.publish("-y --with-env REG/a/shop:1").await;
    assert!(published.ends_with("published\nexit 0"), "{published}");
}

#[tokio::test]
async fn old_registries_get_the_old_form() {
    let world = World::new(Asks::Nothing);
    world.server.state().is_old = true;
    let refused = world.publish("-y --with-env --oci-version 1.1 REG/a/shop:1").await;
    assert!(refused.contains("answers 400 to manifests/1"), "{refused}");
    let published = world.publish("-y --with-env REG/a/shop:1").await;
    assert!(published.ends_with("published\nexit 0"), "{published}");
    assert_eq!(world.run("use", "-f oci://REG/a/shop:1 config -q", "", &[]).await, "exit 0");
}

#[tokio::test]
async fn nothing_is_published_unasked() {
    let world = World::new(Asks::Nothing);
    insta::assert_snapshot!(world.publish("REG/a/shop:1").await, @r#"
    service "web" has env_file declared.
    service "web" has environment variable(s) declared.
    To avoid leaking sensitive data, you must either explicitly allow the sending of environment variables by using the --with-env flag,
    or remove sensitive data from your Compose configuration
    exit 1
    "#);
    world.write(
        "shop/compose.yaml",
        "services:\n  web:\n    image: nginx:1\n    environment: {A: b, DB_PASSWORD: hunter2}\n    volumes: ['./data:/data']\n",
    );
    let asked = world.run("shop", "publish --with-env REG/a/shop:1", "y\ny\nn\n", &[]).await;
    assert!(!asked.contains("hunter2"), "{asked}");
    insta::assert_snapshot!(asked, @"
    you are about to publish bind mounts declaration within your OCI artifact.
    only the bind mount declarations will be added to the OCI artifact (not content)
    please double check that you are not mounting potential user's sensitive directories or data
    web  /w/shop/data:/data:rw
    Are you ok to publish these bind mount declarations?
    you are about to publish sensitive data within your OCI artifact.
    please double check that you are not leaking sensitive data
    secret by its name: services.web.environment.DB_PASSWORD (compose.yaml:4:38)
    Are you ok to publish these sensitive data?
    you are about to publish environment variables within your OCI artifact.
    please double check that you are not leaking sensitive data
    Service/Config  web
    A=b
    DB_PASSWORD=(hidden)
    Are you ok to publish these environment variables?
    operation cancelled by user
    exit 1
    ");
    insta::assert_snapshot!(world.publish("-y --with-env --dry-run REG/a/shop:1").await, @"
     web  Skipped
     REG/a/shop:1 publishing
     REG/a/shop:1 published
    exit 0
    ");
    world.write("shop/compose.yaml", "services: {web: {build: .}}\n");
    insta::assert_snapshot!(world.publish("REG/a/shop:1").await, @r#"
    your Compose stack cannot be published as it only contains a build section for service(s):
    - "web"
     hint: give them an `image:`; it is pushed before the files are published
    exit 1
    "#);
    world.write("shop/compose.yaml", "include: [base/base.yaml]\nservices: {web: {image: a}}\n");
    world.write("shop/base/base.yaml", "services: {base: {image: b}}\n");
    insta::assert_snapshot!(world.publish("REG/a/shop:1").await, @"
    error[invalid-include]: cannot publish compose file with local includes
     --> compose.yaml:1:11
      |
    1 | include: [base/base.yaml]
      |           ^^^^^^^^^^^^^^ this file would not be there
      |
      = help: publish the included part, too, and include it as `oci://…`; or name it with another `-f`
    exit 1
    ");
    for (words, said) in [
        ("", "requires 1 argument"),
        ("REG/Shop", "must be lowercase"),
        ("--oci-version 2 REG/shop", "unsupported OCI version: 2"),
        ("REG/shop@sha256:1", "invalid reference format"),
    ] {
        let refused = world.publish(words).await;
        assert!(refused.contains(said) && refused.ends_with("exit 1"), "{words}: {refused}");
    }
    assert_eq!(world.server.state().requests, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_registry_gives_is_not_trusted() {
    let world = World::new(Asks::Nothing);
    world.write("shop/compose.yaml", "services: {web: {image: a}}\n");
    world.publish("REG/a/shop:1").await;
    let manifest = world.server.state().manifests["a/shop:1"].clone();
    let text = String::from_utf8(manifest).unwrap();
    let say = |name: &str, text: String| world.server.state().manifests.insert(name.to_owned(), text.into_bytes());
    let used = async |tag: &str| world.run("use", &format!("-f oci://REG/a/shop:{tag} config"), "", &[]).await;

    say("a/shop:image", text.replace("vnd.docker.compose.project", "vnd.other"));
    assert!(used("image").await.contains("is not a compose project, but application/vnd.other"));
    let named = |name: &str| {
        let layer = r#""com.docker.compose.extends":"true","com.docker.compose.file":"#;
        text.replace(r#""com.docker.compose.file":"#, layer).replace("\"compose.yaml\"", &format!("\"{name}\""))
    };
    for (tag, name) in [("up", "../../../shop/evil.yaml"), ("root", "/etc/evil.yaml"), ("main", "compose.yaml")] {
        say(&format!("a/shop:{tag}"), named(name));
        let said = used(tag).await;
        assert!(said.contains("has no name that is one of a file"), "{said}");
    }
    assert!(!Path::new(&world.directory.path().join("shop/evil.yaml")).exists());
    for bytes in world.server.state().blobs.values_mut() {
        bytes.insert(0, b'#');
    }
    say("a/shop:2", text.replace("org.opencontainers", "org.other"));
    let said = used("2").await;
    assert!(said.contains("gave other content than sha256:"), "{said}");
    // Nothing of it is left.
    assert!(std::fs::read_dir(world.directory.path().join(".cache/compose/oci")).unwrap().next().is_none());
    assert!(used("none").await.contains("not found (manifests/none)"));
}

#[tokio::test]
async fn files_from_registries_are_fetched_with_consent_and_stay_behind_walls() {
    let world = World::new(Asks::Nothing);
    world.write("shop/compose.yaml", "services: {web: {image: a}}\n");
    world.publish("-y REG/a/evil:1").await;
    // docker compose gives every file another name; somebody else might not.
    let secret = world.directory.path().join("shop/web.env");
    let evil = format!("services: {{web: {{image: a, env_file: {}}}}}\n", secret.display());
    {
        let mut state = world.server.state();
        let text = String::from_utf8(state.manifests["a/evil:1"].clone()).unwrap();
        let (old, bytes) =
            state.blobs.iter().find(|(_, bytes)| bytes.len() > 2).map(|(k, v)| (k.clone(), v.len())).unwrap();
        let digest = sha2::Sha256::digest(evil.as_bytes()).iter().map(|b| format!("{b:02x}")).collect::<String>();
        let old = old.split_once("sha256:").unwrap().1;
        let text =
            text.replace(old, &digest).replace(&format!("\"size\":{bytes}"), &format!("\"size\":{}", evil.len()));
        state.manifests.insert("a/evil:1".to_owned(), text.into_bytes());
        state.blobs.insert(format!("a/evil@sha256:{digest}"), evil.as_bytes().to_vec());
    }
    world.write(
        "use/compose.yaml",
        "include: ['oci://REG/a/evil:1']\n".replace("REG", &world.server.address.to_string()).as_str(),
    );
    let unasked = world.run("use", "config", "", &[]).await;
    assert!(unasked.contains("files of REG/a/evil:1 are not fetched without your consent"), "{unasked}");
    assert!(unasked.contains("--> compose.yaml:1:11"), "{unasked}");
    let walled = world.run("use", "config", "", &[("COMPOSE_REMOTE_INCLUDE", "1")]).await;
    assert!(walled.contains("/w/shop/web.env lies outside of the repository that asks for it"), "{walled}");
    assert!(!walled.contains("A=1") && walled.ends_with("exit 1"), "{walled}");
    let off = [("COMPOSE_EXPERIMENTAL_OCI_REMOTE", "0")];
    insta::assert_snapshot!(world.run("use", "-f oci://REG/a/evil:1 config", "", &off).await, @r#"
    error[remote-file]: OCI remote resource is disabled by "COMPOSE_EXPERIMENTAL_OCI_REMOTE"
    exit 1
    "#);
}
