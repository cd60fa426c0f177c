//! Every field of `build:` and every flag of `compose build`, looked up in what was built.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::scenario::{Scenario, scenario};

/// Runs a command on the image and gives what it printed.
async fn in_image(s: &Scenario, image: &str, command: &str) -> String {
    let docker = Path::new("docker");
    s.other(docker, ["run", "--rm", image, "sh", "-c", command]).await.succeeds().stdout
}

/// Whether these programs are on this machine.
fn have(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &&str| std::env::split_paths(&path).any(|folder| folder.join(program).exists());
    match programs.iter().find(|program| !is_there(program)) {
        Some(missing) => {
            eprintln!("skipped: {missing} is not on this machine");
            false
        }
        None => true,
    }
}

/// Whether docker's buildx is where this program looks for it.
fn have_buildx() -> bool {
    let answer = Command::new("docker").args(["buildx", "version"]).output();
    let there = answer.is_ok_and(|answer| answer.status.success()) && !Scenario::tests_another();
    if !there {
        eprintln!("skipped: docker's buildx is not on this machine, or another program is tested");
    }
    there
}

/// A process that ends with the test, and those that it starts.
struct Helper(Child);

impl Helper {
    fn start(command: &mut Command) -> Self {
        Self(command.process_group(0).spawn().expect("it can be started"))
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let id = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

#[test]
fn what_the_engine_builds_itself() {
    scenario("every field that the engine's builder knows arrives in the image", &["busybox"], async |s| {
        if !have(&["docker"]) {
            return;
        }
        s.env("FROM_ENVIRONMENT", "given");
        let image = s.name("image");
        s.env("IMAGE", format!("{image}:one"));
        s.file(
            "compose.yaml",
            "
services:
  app:
    image: $IMAGE
    platform: linux/amd64
    build:
      context: ./app
      dockerfile: ../Dockerfile
      target: right
      args: { BASE: $BUSYBOX, WORD: two words, FROM_ENVIRONMENT: , NOT_SET: }
      labels: { test.label: 'its value' }
      tags: ['${IMAGE}-too']
      extra_hosts: ['one.test=10.0.0.1', 'one.test:10.0.0.2', 'six.test=::1']
      shm_size: 77m
      ulimits: { nofile: { soft: 333, hard: 444 } }
      network: none
      platforms: [linux/amd64]
      isolation: default
      secrets: [said, { source: written, target: other }]
secrets:
  said: { environment: SAID }
  written: { file: ./written }
",
        );
        s.env("SAID", "from a variable");
        s.file("written", "from a file");
        s.file("app/content", "content");
        s.file(
            "Dockerfile",
            "
ARG BASE
FROM $BASE AS right
ARG WORD
ARG FROM_ENVIRONMENT
ARG NOT_SET=default
COPY content /
RUN --mount=type=secret,id=said --mount=type=secret,id=other,mode=0440,gid=7 \\
    ls -l /run/secrets/other > /mode; cat /run/secrets/said /run/secrets/other > /secrets
RUN cp /etc/hosts /built-hosts; ulimit -n > /soft; ulimit -Hn > /hard; df -k /dev/shm | tail -n 1 > /shm; \\
    ls /sys/class/net > /networks; echo \"$WORD $FROM_ENVIRONMENT $NOT_SET\" > /args
FROM right AS wrong
RUN false
",
        );
        s.compose(["build", "app"]).await.succeeds();
        let image = format!("{image}:one");
        assert_eq!(
            in_image(s, &image, "cat /args /soft /hard /content").await,
            "two words given default\n333\n444\ncontent"
        );
        assert_eq!(in_image(s, &image, "cat /secrets").await, "from a variablefrom a file");
        let mode = in_image(s, &image, "cat /mode").await;
        assert!(mode.starts_with("-r--r-----") && mode.contains(" 7 "), "{mode}");
        let hosts = in_image(s, &image, "cat /built-hosts").await;
        for host in ["10.0.0.1\tone.test", "10.0.0.2\tone.test", "::1\tsix.test"] {
            assert!(hosts.contains(host), "{hosts}");
        }
        let shm = in_image(s, &image, "cat /shm").await;
        assert!(shm.contains(&(77 << 10).to_string()), "{shm}");
        assert_eq!(in_image(s, &image, "cat /networks").await, "lo\n");
        let found = s.docker.inspect_image(&format!("{image}-too")).await.expect("it has its other name");
        let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
        assert_eq!(labels.get("test.label").map(String::as_str), Some("its value"));
        assert_eq!(labels.get("com.docker.compose.service").map(String::as_str), Some("app"));
        assert_eq!(found.architecture.as_deref(), Some("amd64"));

        // Nothing of it changed: all is taken from the cache, unless it is forbidden.
        let again = s.compose(["--progress", "plain", "build"]).await.succeeds();
        assert!(again.stderr.contains(" CACHED\n"), "{again}");
        let again = s.compose(["--progress", "plain", "build", "--no-cache"]).await.succeeds();
        assert!(!again.stderr.contains(" CACHED\n"), "{again}");
        // A flag goes over the file; a name alone is taken from the environment.
        s.env("NOT_SET", "set");
        s.compose(["build", "--build-arg", "WORD=flag", "--build-arg", "NOT_SET"]).await.succeeds();
        assert_eq!(in_image(s, &image, "cat /args").await, "flag given set\n");
        let quiet = s.compose(["build", "--quiet"]).await.succeeds();
        assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
        s.compose(["down", "--rmi", "all"]).await.succeeds();
        let _ = s.other(Path::new("docker"), ["rmi", &format!("{image}-too")]).await;
    });
}

#[test]
fn the_classic_builder() {
    scenario(
        "DOCKER_BUILDKIT=0 builds with the classic builder, which says what it can not do",
        &["busybox"],
        async |s| {
            if Scenario::tests_another() {
                return;
            }
            s.env("DOCKER_BUILDKIT", "0");
            s.file(
            "compose.yaml",
            "
services:
  app: { build: { context: ., args: { BASE: $BUSYBOX, WORD: said }, extra_hosts: ['one.test=10.0.0.1'] }, command: cat /seen }
  secret: { build: { context: ., secrets: [one] } }
  ssh: { build: { context: ., ssh: [default] } }
  contexts: { build: { context: ., additional_contexts: { files: . } } }
  privileged: { build: { context: ., privileged: true } }
  platforms: { build: { context: ., platforms: [linux/amd64, linux/arm64] } }
secrets: { one: { environment: HOME } }
",
        );
            s.file(
                "Dockerfile",
                "ARG BASE\nFROM $BASE\nARG WORD\nRUN echo $WORD > /seen; grep one.test /etc/hosts >> /seen\n",
            );
            s.compose(["build", "--memory", "64m", "app"]).await.succeeds().says("Successfully tagged").says("Step 4/");
            s.compose(["up", "app"]).await.succeeds().says("| said").says("10.0.0.1");
            let builder = "set DOCKER_BUILDKIT=1 to use BuildKit";
            for (service, field) in [
                ("secret", "secrets"),
                ("ssh", "ssh"),
                ("contexts", "additional_contexts"),
                ("privileged", "privileged"),
                ("platforms", "multiple platforms"),
            ] {
                let run = s.compose(["build", service]).await.exits(1);
                let _ = run.says(&format!("the classic builder doesn't support {field}, {builder}"));
            }
            s.file("Dockerfile", &format!("FROM {}\nENV A=b\nRUN echo about to fail; exit 4\n", s.busybox()));
            s.compose(["build", "app"])
                .await
                .exits(1)
                .says("Dockerfile:3\n")
                .says("   3 | >>> RUN echo about")
                .says("code: 4");
            s.compose(["down", "--rmi", "local"]).await.succeeds();
        },
    );
}

#[test]
fn failures_point_into_the_dockerfile() {
    scenario("a failed build names the line of the Dockerfile, whoever builds", &["busybox"], async |s| {
        if Scenario::tests_another() {
            return;
        }
        s.file(
            "compose.yaml",
            "
services:
  run: { build: { context: ./app } }
  copy: { build: { context: ./app, dockerfile: copy } }
  word: { build: { context: ./app, dockerfile: word } }
  base: { build: { context: ./app, dockerfile: base } }
  inline: { build: { dockerfile_inline: \"FROM $BUSYBOX\\nRUN exit 5\" } }
  filter: { build: { context: ./app, no_cache_filter: [last] } }
  target: { build: { context: ./app, target: nope } }
  missing: { build: { context: ./app, dockerfile: nope } }
  nowhere: { build: ./nope }
",
        );
        let base = s.busybox();
        let text = format!("FROM {base} AS first\nRUN true\n\nFROM first AS last\nRUN true && \\\n    exit 23\n");
        s.file("app/Dockerfile", &text);
        s.file("app/copy", &format!("FROM {base}\nCOPY nope /x\n"));
        s.file("app/word", &format!("FROM {base}\nRUNN x\n"));
        s.file("app/base", "# a remark\nFROM ct-there-is-no-such-image:1\n");
        let file = |name: &str, line| format!("{}:{line}\n", s.dir().join("app").join(name).display());
        for (service, place, line, why) in [
            ("run", file("Dockerfile", 5), "   6 | >>>     exit 23", "exit code: 23"),
            ("copy", file("copy", 2), "   2 | >>> COPY nope /x", "\"/nope\": not found"),
            ("word", file("word", 2), "   2 | >>> RUNN x", "unknown instruction: RUNN"),
            ("base", file("base", 2), "   2 | >>> FROM ct-there-is-no-such-image:1", "not found"),
            ("inline", "dockerfile_inline:2\n".to_owned(), "   2 | >>> RUN exit 5", "exit code: 5"),
        ] {
            let run = s.compose(["build", service]).await.exits(1).says(&place).says(line).says(why);
            let _ = run.says("--> compose.yaml:");
        }
        if have_buildx() {
            s.compose(["build", "filter"]).await.exits(1).says("Dockerfile:5\n").says("exit code: 23");
        }
        s.compose(["build", "target"]).await.exits(1).says("target stage \"nope\" could not be found");
        s.compose(["build", "missing"]).await.exits(1).says("failed to read dockerfile: open");
        s.compose(["build", "nowhere"]).await.exits(1).says("unable to prepare context");
    });
}

#[test]
fn progress_reads_like_buildkits() {
    scenario("builds in plain mode are told as BuildKit tells them, each by its service", &["busybox"], async |s| {
        if Scenario::tests_another() {
            return;
        }
        s.file(
            "compose.yaml",
            "services: { one: { build: { context: ., args: { W: 1 } } }, two: { build: { context: ., args: { W: 2 } } } }",
        );
        s.file("Dockerfile", &format!("FROM {}\nARG W\nRUN echo said by $W\nMAINTAINER nobody\n", s.busybox()));
        let told = s.compose(["--progress", "plain", "build", "--no-cache"]).await.succeeds().stderr;
        let lines: Vec<&str> = told.lines().collect();
        for service in ["one", "two"] {
            let head = format!(" [{service} 2/2] RUN echo said by ");
            let place = lines.iter().position(|line| line.contains(&head)).unwrap_or_else(|| panic!("{told}"));
            let number = lines[place].split(' ').next().expect("#N");
            assert_eq!(lines[place - 1], "", "{told}");
            let own: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix(number)?.strip_prefix(' ')).collect();
            let [_, output, done] = own[..] else { panic!("{own:?} in {told}") };
            let (time, text) = output.split_once(' ').expect("a time and a text");
            assert!(time.parse::<f64>().is_ok() && text.starts_with("said by "), "{output}");
            assert!(done.starts_with("DONE ") && done.ends_with('s'), "{done}");
        }
        assert!(told.contains("WARN: MaintainerDeprecated"), "{told}");
        let one = s.compose(["--progress", "plain", "build", "one"]).await.succeeds().stderr;
        assert!(one.contains(" [2/2] RUN echo said by ") && one.contains(" CACHED\n"), "{one}");
        s.compose(["down", "--rmi", "local"]).await.succeeds();
    });
}

#[test]
fn what_is_alike_is_built_once() {
    scenario(
        "services that build the same under one name share one build, also as a base of others",
        &["busybox"],
        async |s| {
            if Scenario::tests_another() {
                return;
            }
            s.env("IMAGE", s.name("shared"));
            s.file(
            "compose.yaml",
            "
x-build: &build { dockerfile_inline: \"FROM $BUSYBOX\\nRUN echo only once\\nCMD tail -f /dev/null\" }
services:
  one: { image: $IMAGE, build: *build, stop_signal: SIGKILL }
  two: { image: $IMAGE, build: *build, stop_signal: SIGKILL }
  top: { build: { dockerfile_inline: \"FROM middle\\nRUN echo top\", additional_contexts: { middle: 'service:middle' } }, command: 'true' }
  middle: { build: { dockerfile_inline: \"FROM deep\\nRUN echo middle\", additional_contexts: { deep: 'service:one' } }, scale: 0 }
",
        );
            let told = s.compose(["--progress", "plain", "up", "-d", "one", "two"]).await.succeeds().stderr;
            assert_eq!(told.matches(" RUN echo only once").count(), 1, "{told}");
            assert_eq!(s.states().await, "one-1 running, two-1 running");
            if have_buildx() {
                // Neither the base nor its base is among what was asked for.
                s.compose(["up", "-d", "--build", "top"]).await.succeeds();
                s.wait_states("one-1 running, top-1 exited, two-1 running").await;
            }
            s.compose(["down", "--rmi", "all"]).await.succeeds();
        },
    );
}

#[test]
fn what_takes_buildx() {
    scenario("fields beyond the engine's build call arrive by docker's buildx", &["busybox"], async |s| {
        if !have_buildx() {
            return;
        }
        s.env("IMAGE", s.name("image"));
        s.file(
            "compose.yaml",
            "
services:
  app:
    image: $IMAGE
    build:
      context: ./app
      additional_contexts: { files: ./files, base: 'docker-image://$BUSYBOX' }
      entitlements: [network.host]
      cache_to: ['type=inline']
      no_cache_filter: [last]
",
        );
        s.file("files/one", "from files ");
        s.file("app/two", "from the context");
        s.file(
            "app/Dockerfile",
            "
FROM base AS kept
RUN --network=host ls /sys/class/net > /networks; cat /proc/sys/kernel/random/uuid > /kept
FROM kept AS last
COPY --from=files one /
COPY two /
RUN cat /proc/sys/kernel/random/uuid > /last
",
        );
        let told = s.compose(["--progress", "plain", "build"]).await.succeeds();
        let _ = told.says("preparing layers for inline cache");
        let image = s.name("image");
        let first = in_image(s, &image, "cat /one /two; cat /kept /last").await;
        assert!(first.starts_with("from files from the context"), "{first}");
        if Path::new("/sys/class/net/docker0").exists() {
            assert!(in_image(s, &image, "cat /networks").await.contains("docker0"), "the host's network");
        }
        s.compose(["build"]).await.succeeds();
        let second = in_image(s, &image, "cat /one /two; cat /kept /last").await;
        let (first, second): (Vec<&str>, Vec<&str>) = (first.lines().collect(), second.lines().collect());
        assert_eq!(first[0], second[0], "this stage is taken from the cache");
        assert_ne!(first[1], second[1], "this one never is");
        s.compose(["down", "--rmi", "all"]).await.succeeds();
    });
}

#[test]
fn what_this_engine_can_not_do() {
    scenario(
        "what the engine's own builder can not do is refused with the reason and what to do",
        &["busybox"],
        async |s| {
            if !have_buildx() {
                return;
            }
            s.env("SAVED", s.dir().join("saved").display());
            s.file(
                "compose.yaml",
                "
services:
  platforms: { build: { context: ., platforms: [linux/amd64, linux/arm64] } }
  local: { build: { context: ., cache_to: ['type=local,dest=./cache'], cache_from: ['type=local,src=./cache'] } }
  registry: { build: { context: ., cache_to: ['type=registry,ref=127.0.0.1:9/x'] } }
  provenance: { build: { context: ., provenance: mode=max } }
  sbom: { build: { context: ., sbom: true } }
  without: { build: { context: ., provenance: false, sbom: false } }
  privileged: { build: { context: ., privileged: true } }
  insecure: { build: { context: ., entitlements: [security.insecure] } }
  file: { build: 'file:///srv/repository' }
  layout: { build: { context: ., dockerfile: layout, additional_contexts: { saved: 'oci-layout://$SAVED' } } }
",
            );
            s.file("Dockerfile", &format!("FROM {}\n", s.busybox()));
            let info = s.other(Path::new("docker"), ["info", "--format", "{{.DriverStatus}}"]).await.succeeds().stdout;
            if !info.contains("io.containerd.snapshotter") {
                // It is found, read and offered: what `docker save` writes is such a layout.
                let docker = Path::new("docker");
                let (archive, busybox) = (s.dir().join("saved.tar").display().to_string(), s.busybox());
                s.other(docker, ["save", "-o", &archive, &busybox]).await.succeeds();
                std::fs::create_dir(s.dir().join("saved")).expect("a directory");
                s.other(Path::new("tar"), ["xf", &archive, "-C", "saved"]).await.succeeds();
                s.file("layout", "FROM scratch\nCOPY --from=saved / /\n");
                s.compose(["build", "layout"]).await.exits(1).says("unknown scheme oci-layout").says("layout:2\n");
                let hint = "turn on the containerd image store";
                for (service, why) in [
                    ("platforms", "Multi-platform build is not supported for the docker driver."),
                    ("local", "Cache export is not supported for the docker driver."),
                    ("registry", "Cache export is not supported for the docker driver."),
                    ("provenance", "Attestation is not supported for the docker driver."),
                    ("sbom", "Attestation is not supported for the docker driver."),
                ] {
                    s.compose(["build", service]).await.exits(1).says(why).says(hint);
                }
                s.compose(["build", "--provenance=true", "without"])
                    .await
                    .exits(1)
                    .says("Attestation is not supported");
                s.compose(["build", "--sbom=true", "without"]).await.exits(1).says("Attestation is not supported");
            }
            s.compose(["build", "without"]).await.succeeds();
            let not_granted = "granting entitlement security.insecure is not allowed";
            s.compose(["build", "privileged"]).await.exits(1).says(not_granted);
            s.compose(["build", "insecure"]).await.exits(1).says(not_granted);
            s.compose(["build", "file"]).await.exits(1).says("the engine does not fetch file:///srv/repository");
            s.compose(["build", "--builder", "ct-nope", "without"]).await.exits(1).says("no builder \"ct-nope\" found");
            s.env("BUILDX_BUILDER", "ct-nope");
            s.compose(["build", "without"]).await.exits(1).says("no builder \"ct-nope\" found");
            s.compose(["build", "--builder", "default", "without"]).await.succeeds();
            s.compose(["down", "--rmi", "local"]).await.succeeds();
        },
    );
}

/// `ssh-add` and its libraries, to be run where there are none.
fn ssh_add(into: &Path) {
    std::fs::create_dir_all(into).expect("a directory");
    let list = Command::new("sh").args(["-c", "p=$(command -v ssh-add); echo $p; ldd $p"]).output().expect("ldd runs");
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    for path in list.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from) {
        let name = path.file_name().expect("a file");
        std::fs::copy(&path, into.join(name)).expect("it can be copied");
    }
}

#[test]
fn ssh_keys_and_agents() {
    scenario("a build reaches the agent, or a key of a file, and nothing else", &["busybox"], async |s| {
        if Scenario::tests_another() || !have(&["ssh-keygen", "ssh-agent", "ssh-add", "ldd"]) {
            return;
        }
        ssh_add(&s.dir().join("tools"));
        let loader = std::fs::read_dir(s.dir().join("tools")).expect("it is there").flatten();
        let mut loader = loader.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let Some(loader) = loader.find(|name| name.starts_with("ld-linux")) else {
            eprintln!("skipped: ssh-add is made for another system");
            return;
        };
        s.file(
            "compose.yaml",
            "
services:
  agent: { build: { context: ., args: { ID: default }, ssh: [default] } }
  socket: { build: { context: ., args: { ID: mine }, ssh: ['mine=$SOCKET'] } }
  key: { build: { context: ., args: { ID: mine }, ssh: ['mine=./key'] } }
  none: { build: { context: ., args: { ID: default } } }
",
        );
        let run = format!("/tools/{loader} --library-path /tools /tools/ssh-add -l");
        let mount = |id| format!("RUN --mount=type=ssh,id={id} test $ID != {id} || {run}\n");
        s.file(
            "Dockerfile",
            &format!("FROM {}\nCOPY tools /tools\nARG ID\n{}{}", s.busybox(), mount("default"), mount("mine")),
        );
        for key in ["key", "other"] {
            let arguments = ["-q", "-t", "ed25519", "-N", "", "-C", key, "-f", key];
            s.other(Path::new("ssh-keygen"), arguments).await.succeeds();
        }
        let print = s.other(Path::new("ssh-keygen"), ["-lf", "key.pub"]).await.succeeds().stdout;
        let print = print.split(' ').nth(1).expect("a fingerprint").to_owned();
        let other = s.other(Path::new("ssh-keygen"), ["-lf", "other.pub"]).await.succeeds().stdout;
        let other = other.split(' ').nth(1).expect("a fingerprint").to_owned();

        let build = ["--progress", "plain", "build", "--no-cache"];
        let no_agent = s.compose(["build", "agent"]).await.exits(1);
        let _ = no_agent.says("`build.ssh` wants an SSH agent for \"default\", but none runs");
        let socket = s.dir().join("agent.sock");
        let _agent = Helper::start(Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()));
        s.env("SOCKET", socket.display());
        s.env("SSH_AUTH_SOCK", socket.display());
        // The agent listens a moment after it was started.
        s.other(Path::new("sh"), ["-c", "until ssh-add -q other; do :; done"]).await.succeeds();
        for service in ["agent", "socket"] {
            let told = s.compose([build[0], build[1], build[2], build[3], service]).await.succeeds();
            assert!(told.stderr.contains(&other) && !told.stderr.contains(&print), "{told}");
        }
        for flag in ["--ssh=default", "--ssh="] {
            let told = s.compose([build[0], build[1], build[2], build[3], flag, "none"]).await.succeeds();
            assert!(told.stderr.contains(&other), "{told}");
        }
        s.compose(["build", "--no-cache", "none"]).await.exits(1).says("Dockerfile:4");
        s.compose(["build", "--ssh", "nonsense", "none"]).await.exits(1).says("invalid ssh key \"nonsense\"");
        s.compose(["build", "--ssh", "default=./nope", "none"]).await.exits(1).says("No such file or directory");
        if have_buildx() {
            let told = s.compose([build[0], build[1], build[2], build[3], "key"]).await.succeeds();
            assert!(told.stderr.contains(&print) && !told.stderr.contains(&other), "{told}");
        }
        s.compose(["down", "--rmi", "local"]).await.succeeds();
    });
}

#[test]
fn contexts_from_elsewhere() {
    scenario(
        "a context and a named context may be a branch and a folder of a git repository",
        &["busybox"],
        async |s| {
            if !have(&["git", "docker"]) {
                return;
            }
            let port = crate::scenario::free_port();
            s.env("REPOSITORY", format!("git://127.0.0.1:{port}/repository"));
            s.file(
                "compose.yaml",
                "
services:
  app: { build: { context: '${REPOSITORY}#stable:sub', args: { BASE: $BUSYBOX } } }
  inline:
    build:
      context: '${REPOSITORY}#stable'
      dockerfile_inline: \"FROM $BUSYBOX\\nCOPY --from=more inner /more\\nCOPY sub/inner /\"
      additional_contexts: { more: '${REPOSITORY}#stable:sub' }
",
            );
            s.file("repository/sub/Dockerfile", "ARG BASE\nFROM $BASE\nCOPY inner /\n");
            s.file("repository/sub/inner", "out of the repository");
            let script = "cd repository && git init -q -b stable . && git add -A && \
            git -c user.email=a@test -c user.name=a commit -qm one";
            s.other(Path::new("sh"), ["-c", script]).await.succeeds();
            let mut daemon = Command::new("git");
            daemon.args(["daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1", &format!("--port={port}")]);
            let _daemon = Helper::start(daemon.arg(format!("--base-path={}", s.dir().display())));
            let listens = format!("until git ls-remote git://127.0.0.1:{port}/repository; do :; done");
            s.other(Path::new("sh"), ["-c", &listens]).await.succeeds();
            s.compose(["build", "app"]).await.succeeds();
            assert_eq!(in_image(s, &s.name("app"), "cat /inner").await, "out of the repository");
            if have_buildx() {
                s.compose(["build", "inline"]).await.succeeds();
                assert_eq!(in_image(s, &s.name("inline"), "cat /inner /more").await, "out of the repository".repeat(2));
            }
            s.compose(["down", "--rmi", "local"]).await.succeeds();
        },
    );
}

#[test]
fn an_interrupt_ends_the_build() {
    scenario("Ctrl-C ends a build, also on the engine", &["busybox"], async |s| {
        if Scenario::tests_another() {
            return;
        }
        // A word that no other process has.
        let word = s.name("sleeps");
        let line = format!("RUN echo it sleeps; sleep 1000 {word} || tail -f /dev/null {word}");
        for (way, field) in [("engine", ""), ("buildx", ", no_cache_filter: [x]")] {
            if way == "buildx" && !have_buildx() {
                return;
            }
            s.file("compose.yaml", &format!("services: {{ app: {{ build: {{ context: .{field} }} }} }}"));
            s.file("Dockerfile", &format!("FROM {}\n{line}\n", s.busybox()));
            let mut build = s.start(["--progress", "plain", "build"]);
            build.says("it sleeps").await;
            build.signal(rustix::process::Signal::INT);
            let _ = build.end().await.exits(130);
            let gone = format!(
                "for p in $(seq 100); do grep -qa '{word}' /proc/[0-9]*/cmdline || exit 0; sleep 0.1; done; exit 1"
            );
            let script = gone.replace(&word, &format!("{}[{}]", &word[..word.len() - 1], &word[word.len() - 1..]));
            s.other(Path::new("sh"), ["-c", &script]).await.succeeds();
        }
    });
}
