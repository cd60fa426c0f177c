//! The docker runtime against the engine that the environment names.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use compose::names::{ContainerId, NetworkName, VolumeName};
use compose::resource::{
    BuildContext, BuildExtras, BuildProgress, BuildRequest, BuildSecret, BuildSecretSource, Builder, ContainerSpec,
    ContainerState, Dockerfile, Endpoint, Health, Healthcheck, Mount, MountKind, NetworkSpec, PortBinding, StepState,
    Ulimit, VolumeSpec,
};
use compose::runtime::docker::{self, DockerRuntime, EndpointChoice, EngineEndpoint, Transport};
use compose::runtime::{
    AttachOptions, Attached, Chunk, Containers, Error, ErrorKind, EventFilter, ExecSpec, Files, Images, LabelFilter,
    LogOptions, Networks, Output, Result, ResultStream, Runtime, Streams, TerminalSize, Volumes,
};
use futures::StreamExt;
use tokio::io::AsyncWriteExt;

const IMAGE: &str = "busybox:latest";

/// The engine, or `None` and a printed line when there is none.
#[expect(clippy::disallowed_methods, reason = "tests are where the environment of a test run is read")]
pub(crate) async fn engine() -> Option<DockerRuntime> {
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let choice = EndpointChoice { host: None, context: None, environment: &environment };
    let outcome = match docker::resolve_endpoint(&choice) {
        Ok(endpoint) => docker::connect(endpoint).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(runtime) => Some(runtime),
        Err(error) if environment.get("COMPOSE_TEST_ENGINE").is_some_and(|value| value != "0") => {
            panic!("COMPOSE_TEST_ENGINE=1, but: {error}")
        }
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

/// Things of one test: everything made has a label, by which it is removed in the end, failed or not.
struct Scene {
    runtime: DockerRuntime,
    mark: String,
}

impl Scene {
    fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.mark)
    }
    fn filter(&self) -> LabelFilter {
        LabelFilter::equals("dev.compose.test", &self.mark)
    }
    fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("dev.compose.test".to_owned(), self.mark.clone())])
    }
    fn spec(&self, name: &str, script: &str) -> ContainerSpec {
        let mut spec = ContainerSpec {
            name: self.name(name).into(),
            image: IMAGE.into(),
            command: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
            labels: self.labels(),
            stop_timeout: Some(1),
            ..Default::default()
        };
        spec.host.network_mode = Some("none".to_owned());
        spec
    }
    async fn create(&self, spec: &ContainerSpec) -> Result<ContainerId> {
        Ok(self.runtime.create_container(spec).await?.id)
    }
    async fn run(&self, name: &str, script: &str) -> Result<ContainerId> {
        let id = self.create(&self.spec(name, script)).await?;
        self.runtime.start_container(&id).await?;
        Ok(id)
    }
    async fn clean(&self) -> Result<()> {
        for container in self.runtime.list_containers(&self.filter()).await? {
            let _ = self.runtime.remove_container(&container.id, true, true).await;
        }
        for network in self.runtime.list_networks(&self.filter()).await? {
            let _ = self.runtime.remove_network(network.id.as_str()).await;
        }
        for volume in self.runtime.list_volumes(&self.filter()).await? {
            let _ = self.runtime.remove_volume(&volume.name).await;
        }
        for image in self.runtime.list_images(&self.filter()).await? {
            for name in image.tags.iter().map(String::as_str).chain([image.id.as_str()]) {
                let _ = self.runtime.remove_image(name).await;
            }
        }
        Ok(())
    }
}

async fn scene<F: AsyncFnOnce(&Scene) -> Result<()>>(test: F) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let Some(runtime) = engine().await else { return };
    let mark = format!("dkr-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let scene = Scene { runtime, mark };
    let outcome = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(test(&scene))).await;
    scene.clean().await.unwrap();
    match outcome {
        Ok(outcome) => outcome.unwrap(),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

async fn text(output: ResultStream<Chunk>) -> Result<(String, String)> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let chunks: Vec<Result<Chunk>> = output.collect().await;
    for chunk in chunks {
        let chunk = chunk?;
        match chunk.output {
            Output::Stdout => out.extend_from_slice(&chunk.bytes),
            Output::Stderr => err.extend_from_slice(&chunk.bytes),
        }
    }
    Ok((String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned()))
}

fn kind<T: std::fmt::Debug>(outcome: Result<T>) -> ErrorKind {
    outcome.expect_err("it must fail").kind
}

#[tokio::test]
async fn facts() {
    scene(async |scene| {
        let facts = scene.runtime.facts().await?;
        assert!(facts.api >= (1, 41) && !facts.version.is_empty(), "{facts:?}");
        assert_eq!(facts.os, "linux");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_life() {
    scene(async |scene| {
        let runtime = &scene.runtime;
        let spec = scene.spec("a", "echo out; echo err >&2; sleep 100");
        let id = scene.create(&spec).await?;
        assert_eq!(kind(runtime.create_container(&spec).await), ErrorKind::Conflict);
        assert_eq!(runtime.inspect_container(&id).await?.state, ContainerState::Created);
        runtime.start_container(&id).await?;
        runtime.start_container(&id).await?;
        let listed = runtime.list_containers(&scene.filter()).await?;
        assert_eq!(listed.len(), 1);
        assert_eq!((&listed[0].id, listed[0].state), (&id, ContainerState::Running));
        assert_eq!(kind(runtime.remove_container(&id, false, false).await), ErrorKind::Conflict);
        runtime.pause_container(&id).await?;
        assert_eq!(kind(runtime.pause_container(&id).await), ErrorKind::Conflict);
        assert_eq!(runtime.inspect_container(&id).await?.state, ContainerState::Paused);
        runtime.unpause_container(&id).await?;
        assert_eq!(kind(runtime.unpause_container(&id).await), ErrorKind::Conflict);
        runtime.rename_container(&id, &scene.name("b").into()).await?;
        assert_eq!(runtime.inspect_container(&scene.name("b").into()).await?.id, id);
        assert!(!runtime.processes(&id).await?.rows.is_empty());
        runtime.restart_container(&id, Some(Duration::ZERO)).await?;
        runtime.signal_container(&id, "SIGKILL").await?;
        assert_eq!(runtime.wait_container(&id).await?, 137);
        assert_eq!(kind(runtime.signal_container(&id, "SIGKILL").await), ErrorKind::Conflict);
        assert_eq!(kind(runtime.pause_container(&id).await), ErrorKind::Conflict);
        assert_eq!(kind(runtime.processes(&id).await), ErrorKind::Conflict);
        runtime.stop_container(&id, None).await?;
        let listed = runtime.list_containers(&scene.filter()).await?;
        assert_eq!((listed[0].state, listed[0].exit_code), (ContainerState::Exited, Some(137)));
        runtime.remove_container(&id, false, true).await?;
        assert_eq!(kind(runtime.remove_container(&id, false, true).await), ErrorKind::NotFound);
        assert_eq!(kind(runtime.inspect_container(&id).await), ErrorKind::NotFound);
        assert_eq!(kind(runtime.start_container(&id).await), ErrorKind::NotFound);
        assert_eq!(kind(runtime.wait_container(&id).await), ErrorKind::NotFound);
        let mut spec = scene.spec("c", "true");
        spec.image = "dkr-no-such-image:1".into();
        assert_eq!(kind(runtime.create_container(&spec).await), ErrorKind::NotFound);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_is_wanted_is_found() {
    scene(async |scene| {
        let runtime = &scene.runtime;
        let mut names = Vec::new();
        for name in ["one", "two"] {
            let name: NetworkName = scene.name(name).into();
            let spec = NetworkSpec { name: name.clone(), labels: scene.labels(), ..Default::default() };
            let made = runtime.create_network(&spec).await?;
            assert_eq!(runtime.find_networks(name.as_str()).await?, std::slice::from_ref(&made));
            assert_eq!(runtime.find_networks(made.id.as_str()).await?, [made]);
            assert_eq!(kind(runtime.create_network(&spec).await), ErrorKind::Conflict);
            names.push(name);
        }
        assert!(runtime.find_networks(&scene.name("on")).await?.is_empty());
        let volume: VolumeName = scene.name("data").into();
        let made = VolumeSpec { name: volume.clone(), labels: scene.labels(), ..Default::default() };
        let first = runtime.create_volume(&made).await?;
        assert_eq!(runtime.create_volume(&made).await?, first);
        assert_eq!(runtime.find_volume(&volume).await?, Some(first));
        assert_eq!(runtime.find_volume(&scene.name("nothing").into()).await?, None);

        let mut spec = scene.spec("a", "sleep 100");
        spec.hostname = Some("host-a".to_owned());
        spec.user = Some("1000".to_owned());
        spec.working_dir = Some("/tmp".to_owned());
        spec.entrypoint = Some(vec![]);
        spec.stop_signal = Some("SIGUSR1".to_owned());
        spec.environment.push("A=1".to_owned());
        spec.healthcheck = Some(Healthcheck {
            test: ["CMD", "true"].map(str::to_owned).to_vec(),
            interval: 1_000_000_000,
            retries: 3,
            ..Default::default()
        });
        spec.exposed_ports.insert("80/tcp".to_owned());
        let host = &mut spec.host;
        host.network_mode = Some(names[1].to_string());
        host.binds.push(format!("{volume}:/data:rw"));
        host.mounts.push(Mount {
            kind: MountKind::Tmpfs { size: Some(1 << 20), mode: Some(0o1770) },
            source: String::new(),
            target: "/fast".to_owned(),
            read_only: false,
            consistency: None,
        });
        let binding = PortBinding { host_ip: "127.0.0.1".to_owned(), host_port: String::new() };
        host.port_bindings.insert("80/tcp".to_owned(), vec![binding]);
        host.cap_add.push("CAP_NET_ADMIN".to_owned());
        host.dns.push("10.9.8.7".to_owned());
        host.extra_hosts.push("h:10.0.0.1".to_owned());
        host.memory = Some(64 << 20);
        host.nano_cpus = Some(500_000_000);
        host.pids_limit = Some(50);
        host.shm_size = Some(1 << 20);
        host.init = Some(true);
        host.ulimits.push(Ulimit { name: "nofile".to_owned(), soft: 100, hard: 200 });
        host.unmask_system_paths = true;
        host.restart_policy.name = "on-failure".to_owned();
        host.restart_policy.maximum_retry_count = 2;
        host.tmpfs.insert("/t".to_owned(), "size=65536".to_owned());
        host.sysctls.insert("net.core.somaxconn".to_owned(), "512".to_owned());
        for name in names.iter().rev() {
            let aliases = vec![spec.name.to_string(), "a".to_owned()];
            spec.endpoints.insert(name.clone(), Endpoint { aliases, ..Default::default() });
        }
        let id = scene.create(&spec).await?;
        runtime.start_container(&id).await?;
        let found = runtime.inspect_container(&id).await?;
        let mut expected = spec.clone();
        // What the image adds is found too.
        expected.environment = found.spec.environment.clone();
        expected.entrypoint = found.spec.entrypoint.clone();
        assert_eq!(found.spec, expected);
        assert!(found.spec.environment.contains(&"A=1".to_owned()));
        assert_eq!(found.spec.entrypoint.unwrap_or_default(), Vec::<String>::new());
        assert!(found.ports.iter().any(|port| port.host_ip == "127.0.0.1" && port.host_port > 0));
        assert!(found.mounts.iter().any(|mount| mount.name == volume.as_str() && mount.destination == "/data"));
        let listed = &runtime.list_containers(&scene.filter()).await?[0];
        assert_eq!(listed.networks.keys().collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
        assert!(listed.networks.values().all(|id| !id.as_str().is_empty()));
        assert!(listed.ports.iter().any(|port| port.host_port > 0));
        // Health comes without asking again and again: the engine tells.
        let mut filter = EventFilter { labels: scene.filter().0, ..Default::default() };
        filter.kinds.push("container".to_owned());
        filter.since = Some("0".to_owned());
        let mut events = runtime.events(&filter).await?;
        while let Some(event) = events.next().await {
            if event?.action == "health_status: healthy" {
                break;
            }
        }
        assert_eq!(runtime.inspect_container(&id).await?.health, Health::Healthy);
        assert_eq!(runtime.list_containers(&scene.filter()).await?[0].health, Health::Healthy);

        assert_eq!(kind(runtime.remove_network(names[0].as_str()).await), ErrorKind::Conflict);
        assert_eq!(kind(runtime.remove_volume(&volume).await), ErrorKind::Conflict);
        runtime.disconnect(&names[0], &id).await?;
        runtime.connect(&names[0], &id, &Endpoint::default()).await?;
        runtime.remove_container(&id, true, true).await?;
        for name in &names {
            runtime.remove_network(name.as_str()).await?;
            assert_eq!(kind(runtime.remove_network(name.as_str()).await), ErrorKind::NotFound);
        }
        runtime.remove_volume(&volume).await?;
        assert_eq!(kind(runtime.remove_volume(&volume).await), ErrorKind::NotFound);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn logs_with_and_without_a_terminal() {
    scene(async |scene| {
        let runtime = &scene.runtime;
        let id = scene.run("plain", "echo one; echo two >&2; printf three; echo; sleep 0.2; echo four").await?;
        let follow = LogOptions { follow: true, ..Default::default() };
        let (out, err) = text(runtime.logs(&id, &follow).await?).await?;
        assert_eq!((out.as_str(), err.as_str()), ("one\nthree\nfour\n", "two\n"));
        let tail = LogOptions { tail: Some(1), timestamps: true, ..Default::default() };
        let (out, _) = text(runtime.logs(&id, &tail).await?).await?;
        let (time, line) = out.split_once(' ').expect("a time and a line");
        assert!(time.ends_with('Z') && line == "four\n", "{out}");
        let later = LogOptions { since: Some(time.to_owned()), ..Default::default() };
        assert_eq!(text(runtime.logs(&id, &later).await?).await?.0, "four\n");

        let mut spec = scene.spec("tty", "echo one; echo two >&2");
        spec.tty = true;
        let id = scene.create(&spec).await?;
        runtime.start_container(&id).await?;
        let (out, err) = text(runtime.logs(&id, &follow).await?).await?;
        assert_eq!((out.as_str(), err.as_str()), ("one\r\ntwo\r\n", ""));
        assert_eq!(kind(runtime.logs(&"dkr-none".into(), &follow).await.map(|_| ())), ErrorKind::NotFound);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn attached_before_the_start() {
    scene(async |scene| {
        let runtime = &scene.runtime;
        let mut spec = scene.spec("a", "echo first; cat; echo last; exit 3");
        (spec.stdin_open, spec.attach_stdin, spec.stdin_once) = (true, true, true);
        let id = scene.create(&spec).await?;
        let options = AttachOptions { stdin: true, ..Default::default() };
        let Attached { output, input } = runtime.attach(&id, &options).await?;
        runtime.start_container(&id).await?;
        let mut input = input.expect("input was asked for");
        input.write_all(b"hello\n").await.unwrap();
        input.shutdown().await.unwrap();
        let (out, err) = text(output).await?;
        assert_eq!((out.as_str(), err.as_str()), ("first\nhello\nlast\n", ""));
        assert_eq!(runtime.wait_container(&id).await?, 3);

        // A terminal passes bytes through, and its size can be set.
        let mut spec = scene.spec("tty", "read line; stty size; echo got $line");
        (spec.tty, spec.stdin_open) = (true, true);
        let id = scene.create(&spec).await?;
        let Attached { output, input } = runtime.attach(&id, &options).await?;
        runtime.start_container(&id).await?;
        runtime.resize_container(&id, TerminalSize { columns: 91, rows: 17 }).await?;
        let mut input = input.expect("input was asked for");
        input.write_all(b"x\n").await.unwrap();
        let (out, _) = text(output).await?;
        assert!(out.contains("17 91\r\ngot x"), "{out:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn much_output_arrives_whole() {
    scene(async |scene| {
        let spec = scene.spec("a", "i=0; while [ $i -lt 3000 ]; do echo $i-$(seq -s, 1 40); i=$((i+1)); done");
        let id = scene.create(&spec).await?;
        let attached = scene.runtime.attach(&id, &AttachOptions::default()).await?;
        scene.runtime.start_container(&id).await?;
        let (out, _) = text(attached.output).await?;
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!((lines.len(), lines[2999].split('-').next()), (3000, Some("2999")));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn commands_in_a_container() {
    scene(async |scene| {
        let runtime = &scene.runtime;
        let id = scene.run("a", "sleep 100").await?;
        let mut spec = ExecSpec {
            command: ["sh", "-c", "echo $A; id -u >&2; pwd; cat; exit 4"].map(str::to_owned).to_vec(),
            environment: vec!["A=b".to_owned()],
            user: Some("7".to_owned()),
            working_dir: Some("/tmp".to_owned()),
            stdin: true,
            attach_output: true,
            ..Default::default()
        };
        let exec = runtime.create_exec(&id, &spec).await?;
        let Attached { output, input } = runtime.start_exec(&exec, false).await?;
        let mut input = input.expect("input was asked for");
        input.write_all(b"in").await.unwrap();
        input.shutdown().await.unwrap();
        let (out, err) = text(output).await?;
        assert_eq!((out.as_str(), err.as_str()), ("b\n/tmp\nin", "7\n"));
        let state = runtime.inspect_exec(&exec).await?;
        assert_eq!((state.running, state.exit_code), (false, Some(4)));

        spec = ExecSpec { command: vec!["tty".to_owned()], tty: true, attach_output: true, ..Default::default() };
        let exec = runtime.create_exec(&id, &spec).await?;
        let (out, _) = text(runtime.start_exec(&exec, true).await?.output).await?;
        assert_eq!(out, "/dev/pts/0\r\n");

        spec = ExecSpec { command: ["touch", "/made"].map(str::to_owned).to_vec(), ..Default::default() };
        let exec = runtime.create_exec(&id, &spec).await?;
        runtime.start_exec_detached(&exec).await?;

        runtime.signal_container(&id, "SIGKILL").await?;
        runtime.wait_container(&id).await?;
        assert_eq!(kind(runtime.create_exec(&id, &spec).await), ErrorKind::Conflict);
        assert_eq!(kind(runtime.inspect_exec("nothing").await), ErrorKind::NotFound);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn no_event_is_missed() {
    scene(async |scene| {
        let filter =
            EventFilter { labels: scene.filter().0, kinds: vec!["container".to_owned()], ..Default::default() };
        for round in 0..10 {
            let mut events = scene.runtime.events(&filter).await?;
            let id = scene.create(&scene.spec(&round.to_string(), "true")).await?;
            let event = events.next().await.expect("an event")?;
            assert_eq!((event.action.as_str(), event.id.as_str()), ("create", id.as_str()));
            assert_eq!(event.attributes["name"], scene.name(&round.to_string()));
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn files_go_in_and_come_out() {
    scene(async |scene| {
        let runtime = &scene.runtime;
        let id = scene.create(&scene.spec("a", "stat -c '%u:%g %a %s' /run/x/file; cat /run/x/file")).await?;
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(5);
        header.set_mode(0o440);
        header.set_uid(12);
        header.set_gid(34);
        archive.append_data(&mut header, "run/x/file", &b"hello"[..]).unwrap();
        let bytes = Bytes::from(archive.into_inner().unwrap());
        runtime.upload(&id, "/", bytes.clone().into(), true).await?;
        runtime.start_container(&id).await?;
        let follow = LogOptions { follow: true, ..Default::default() };
        assert_eq!(text(runtime.logs(&id, &follow).await?).await?.0, "12:34 440 5\nhello");
        let parts: Vec<Result<Bytes>> = runtime.download(&id, "/run/x/file").await?.collect().await;
        let found: Vec<u8> = parts.into_iter().flat_map(|part| part.unwrap()).collect();
        let mut archive = tar::Archive::new(found.as_slice());
        let entry = archive.entries().unwrap().next().expect("an entry").unwrap();
        assert_eq!((entry.path().unwrap().to_str(), entry.size()), (Some("file"), 5));
        assert_eq!(kind(runtime.download(&id, "/nope").await.map(|_| ())), ErrorKind::NotFound);
        assert_eq!(kind(runtime.upload(&id, "/nope", bytes.into(), false).await), ErrorKind::NotFound);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn samples() {
    scene(async |scene| {
        let runtime = &scene.runtime;
        let id = scene.run("a", "while :; do :; done").await?;
        let once: Vec<_> = runtime.stats(&id, false).await?.collect().await;
        assert_eq!(once.len(), 1);
        let stats = once[0].clone()?;
        assert!(stats.pids >= 1 && stats.memory > 0 && stats.memory_limit > stats.memory, "{stats:?}");
        let mut follow = runtime.stats(&id, true).await?;
        follow.next().await.expect("a sample")?;
        runtime.signal_container(&id, "SIGKILL").await?;
        while let Some(sample) = follow.next().await {
            sample?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn images() {
    scene(async |scene| {
        let runtime = &scene.runtime;
        let image = runtime.find_image(IMAGE, None).await?.expect("busybox is there");
        assert!(image.tags.contains(&IMAGE.to_owned()), "{image:?}");
        assert_eq!(runtime.find_image(image.id.as_str(), None).await?.map(|it| it.id), Some(image.id.clone()));
        let own = format!("{}/{}", image.os, image.arch);
        assert!(runtime.find_image(IMAGE, Some(&own)).await?.is_some());
        assert!(runtime.find_image(IMAGE, Some("linux/s390x")).await?.is_none());
        assert!(runtime.find_image("dkr-no-such-image", None).await?.is_none());
        let name = format!("{}:x", scene.mark);
        runtime.tag_image(&image.id, &name).await?;
        assert_eq!(runtime.find_image(&name, None).await?.map(|it| it.id), Some(image.id));
        runtime.remove_image(&name).await?;
        assert_eq!(kind(runtime.remove_image(&name).await), ErrorKind::NotFound);
        assert!(runtime.list_images(&scene.filter()).await?.is_empty());
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn ranges_of_ports_do_not_clash() {
    scene(async |scene| {
        let mut ids = Vec::new();
        for number in 0..4 {
            let mut spec = scene.spec(&number.to_string(), "sleep 100");
            spec.host.network_mode = Some("bridge".to_owned());
            spec.exposed_ports.insert("80/tcp".to_owned());
            let binding = PortBinding { host_ip: "127.0.0.1".to_owned(), host_port: "47110-47113".to_owned() };
            spec.host.port_bindings.insert("80/tcp".to_owned(), vec![binding]);
            ids.push(scene.create(&spec).await?);
        }
        let starts = ids.iter().map(|id| scene.runtime.start_container(id));
        futures::future::try_join_all(starts).await?;
        let listed = scene.runtime.list_containers(&scene.filter()).await?;
        let ports: std::collections::BTreeSet<u16> =
            listed.iter().flat_map(|container| &container.ports).map(|port| port.host_port).collect();
        assert_eq!(ports.into_iter().collect::<Vec<_>>(), [47110, 47111, 47112, 47113]);
        Ok(())
    })
    .await;
}

async fn unreachable(transport: Transport, address: &str) -> Error {
    let endpoint = EngineEndpoint {
        context: "default".to_owned(),
        address: address.to_owned(),
        transport,
        api_version: None,
        headers: Vec::new(),
        warnings: Vec::new(),
    };
    docker::connect(endpoint).await.map(|_| ()).expect_err("nothing is there")
}

#[tokio::test]
async fn no_engine() {
    let error =
        unreachable(Transport::Unix("/nonexistent/docker.sock".into()), "unix:///nonexistent/docker.sock").await;
    assert_eq!(
        error.to_string(),
        "failed to reach the engine: Cannot connect to the Docker daemon at unix:///nonexistent/docker.sock. \
         Is the docker daemon running?"
    );
    assert_eq!(error.kind, ErrorKind::Unavailable);
    let tcp = Transport::Tcp { authority: "127.0.0.1:1".to_owned(), tls: None };
    assert_eq!(unreachable(tcp, "tcp://127.0.0.1:1").await.kind, ErrorKind::Unavailable);
}

fn build_request(scene: &Scene, directory: &std::path::Path, dockerfile: &str, tag: &str) -> BuildRequest {
    BuildRequest {
        context: BuildContext::Directory(directory.to_owned()),
        dockerfile: Dockerfile::Inline(dockerfile.to_owned()),
        tags: vec![tag.to_owned(), format!("{tag}:second")],
        args: BTreeMap::from([("WHO".to_owned(), "wörld & co".to_owned())]),
        labels: scene.labels(),
        target: None,
        no_cache: false,
        pull: false,
        cache_from: vec![],
        network: None,
        extra_hosts: vec![],
        shm_size: None,
        ulimits: vec![],
        platform: None,
        memory: None,
        isolation: None,
        secrets: vec![],
        ssh: BTreeMap::new(),
        additional_contexts: BTreeMap::new(),
        privileged: false,
        extras: BuildExtras::default(),
    }
}

async fn builds(builder: Builder) {
    scene(async |scene| {
        let runtime = &scene.runtime;
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("f"), "x".repeat(1 << 20)).unwrap();
        std::fs::write(directory.path().join("skipped"), "").unwrap();
        std::fs::write(directory.path().join(".dockerignore"), "skip*\n").unwrap();
        let tag = scene.name("built");
        let text = "FROM busybox AS a\nARG WHO\nRUN echo \"hello $WHO\"; echo err >&2\nCOPY . /c\nRUN ls /c\n\
                    FROM a AS never\nRUN false\n";
        let mut request = build_request(scene, directory.path(), text, &tag);
        request.target = Some("a".to_owned());
        request.no_cache = true;
        let told: Vec<_> = runtime.build_image(&request, builder).await?.collect().await;
        let told: Vec<BuildProgress> = told.into_iter().collect::<Result<_>>()?;
        let lines: Vec<&str> = told
            .iter()
            .filter_map(|event| match event {
                BuildProgress::Output { line, .. } => Some(line.as_str()),
                _ => None,
            })
            .collect();
        assert!(lines.contains(&"hello wörld & co") && lines.contains(&"err"), "{told:#?}");
        assert!(lines.contains(&"f") && !lines.contains(&"skipped"), "{told:#?}");
        let Some(BuildProgress::Built { image }) = told.last() else { panic!("{told:#?}") };
        assert!(told.iter().any(|event| matches!(event, BuildProgress::Context { sent } if *sent > 1 << 20)));
        let found = runtime.find_image(&tag, None).await?.expect("it was built");
        assert_eq!((&found.id, found.labels.get("dev.compose.test")), (image, Some(&scene.mark)));
        assert!(runtime.find_image(&format!("{tag}:second"), None).await?.is_some());
        if builder == Builder::BuildKit {
            let steps = told.iter().filter(|event| matches!(event, BuildProgress::Step { .. })).count();
            assert!(steps >= 6, "{told:#?}");
            request.no_cache = false;
            let told: Vec<_> = runtime.build_image(&request, builder).await?.collect().await;
            let cached = |event: &Result<BuildProgress>| {
                matches!(event, Ok(BuildProgress::Step { state: StepState::Cached, .. }))
            };
            assert!(told.iter().filter(|event| cached(event)).count() >= 3, "{told:#?}");
        }
        runtime.remove_image(&tag).await?;
        runtime.remove_image(&format!("{tag}:second")).await?;

        request.target = None;
        let told: Vec<_> = runtime.build_image(&request, builder).await?.collect().await;
        let error = told.last().expect("something").as_ref().expect_err("RUN false");
        assert!(
            error.detail.contains("returned a non-zero code: 1") || error.detail.contains("exit code: 1"),
            "{error}"
        );
        request.dockerfile = Dockerfile::Path("nope".to_owned());
        assert_eq!(kind(runtime.build_image(&request, builder).await.map(|_| ())), ErrorKind::NotFound);
        request.dockerfile = Dockerfile::Inline("FROM dkr-no-such-image:1".to_owned());
        let told: Vec<_> = runtime.build_image(&request, builder).await?.collect().await;
        told.last().expect("something").as_ref().expect_err("no base image");
        request.dockerfile = Dockerfile::Inline("NONSENSE".to_owned());
        let outcome = match runtime.build_image(&request, builder).await {
            Ok(told) => told.collect::<Vec<_>>().await.into_iter().collect::<Result<Vec<_>>>().map(|_| ()),
            Err(error) => Err(error),
        };
        outcome.expect_err("nonsense");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn builds_with_buildkit() {
    builds(Builder::BuildKit).await;
}

#[tokio::test]
async fn builds_with_the_classic_builder() {
    builds(Builder::Classic).await;
}

#[tokio::test]
async fn a_build_asks_back() {
    scene(async |scene| {
        let runtime = &scene.runtime;
        let directory = tempfile::tempdir().unwrap();
        let agent = directory.path().join("agent.sock");
        let _listener = tokio::net::UnixListener::bind(&agent).unwrap();
        let context = directory.path().join("context");
        std::fs::create_dir(&context).unwrap();
        std::fs::write(context.join("big"), "x".repeat(3 << 20)).unwrap();
        std::fs::write(context.join("small"), "1").unwrap();
        std::os::unix::fs::symlink("small", context.join("link")).unwrap();
        std::fs::write(
            context.join("Dockerfile"),
            "FROM busybox\n\
            RUN --mount=type=secret,id=word,required=true echo \"$(wc -c < /run/secrets/word) bytes\"\n\
            RUN --mount=type=ssh,required=true test -S $SSH_AUTH_SOCK && echo socket\n\
            COPY . /c\nRUN readlink /c/link; cat /c/link; echo\nRUN ls -ln /c/big\n",
        )
        .unwrap();
        let tag = scene.name("asks");
        let mut request = build_request(scene, &context, "", &tag);
        request.dockerfile = Dockerfile::Path("Dockerfile".to_owned());
        request.no_cache = true;
        request.secrets.push(BuildSecret {
            id: "word".to_owned(),
            content: b"secret word".to_vec(),
            source: BuildSecretSource::Variable("WORD".to_owned()),
        });
        request.ssh.insert("default".to_owned(), Some(agent.display().to_string()));
        let mut sizes = Vec::new();
        for round in ["1", "2"] {
            std::fs::write(context.join("small"), round).unwrap();
            let told: Vec<_> = runtime.build_image(&request, Builder::BuildKit).await?.collect().await;
            let told: Vec<BuildProgress> = told.into_iter().collect::<Result<_>>()?;
            for expected in ["11 bytes", "socket", "small", round] {
                let line =
                    |event: &BuildProgress| matches!(event, BuildProgress::Output { line, .. } if line == expected);
                assert!(told.iter().any(line), "{expected}: {told:#?}");
            }
            let sent = told.iter().filter_map(|event| match event {
                BuildProgress::Context { sent } => Some(*sent),
                _ => None,
            });
            sizes.push(sent.max().unwrap_or_default());
        }
        assert!(sizes[0] > 3 << 20 && sizes[1] < 1 << 20, "what is known is not sent again: {sizes:?}");
        Ok(())
    })
    .await;
}
