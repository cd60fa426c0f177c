//! What goes wrong before or at the engine: the exit code is not 0, the message says what and where, and nothing is made.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::panic::catch_unwind;

use crate::scenario::{Scenario, scenario};

/// A file that cannot be right, and what the message must name.
struct Bad {
    intent: &'static str,
    file: &'static str,
    args: [&'static str; 2],
    says: &'static [&'static str],
}

const UP: [&str; 2] = ["up", "-d"];

const BAD: &[Bad] = &[
    Bad { intent: "no file", file: "", args: UP, says: &["no configuration file"] },
    Bad { intent: "a file that is not there", file: "", args: ["-f", "nope.yaml"], says: &["nope.yaml"] },
    Bad {
        intent: "not YAML",
        file: "services:\n  web:\n    image: busybox\n   command: x\n",
        args: UP,
        says: &["compose.yaml:4"],
    },
    Bad {
        intent: "an unknown key",
        file: "services:\n  web:\n    image: busybox\n    prots: ['80:80']\n",
        args: UP,
        says: &["compose.yaml:4", "prots", "ports"],
    },
    Bad {
        intent: "a wrong type",
        file: "services:\n  web:\n    image: busybox\n    privileged: [1]\n",
        args: UP,
        says: &["compose.yaml:4", "privileged"],
    },
    Bad {
        intent: "an undefined dependency",
        file: "services:\n  web:\n    image: busybox\n    depends_on: [database]\n",
        args: UP,
        says: &["compose.yaml:4", "web", "database"],
    },
    Bad {
        intent: "a cycle",
        file: "services:\n  a:\n    image: busybox\n    depends_on: [b]\n  b:\n    image: busybox\n    depends_on: [a]\n",
        args: UP,
        says: &["a -> b -> a", "compose.yaml:"],
    },
    Bad {
        intent: "an undefined network",
        file: "services:\n  web:\n    image: busybox\n    networks: [front]\n",
        args: UP,
        says: &["compose.yaml:4", "front"],
    },
    Bad {
        intent: "an undefined volume",
        file: "services:\n  web:\n    image: busybox\n    volumes: ['data:/data']\n",
        args: UP,
        says: &["compose.yaml:4", "data"],
    },
    Bad {
        intent: "an undefined secret",
        file: "services:\n  web:\n    image: busybox\n    secrets: [token]\n",
        args: UP,
        says: &["compose.yaml:4", "token"],
    },
    Bad {
        intent: "neither image nor build",
        file: "services:\n  web:\n    command: x\n",
        args: UP,
        says: &["compose.yaml:3", "web", "image"],
    },
    Bad {
        intent: "a required variable that is not set",
        file: "services:\n  web:\n    image: ${IMAGE:?choose one}\n",
        args: UP,
        says: &["compose.yaml:3", "IMAGE", "choose one"],
    },
    Bad {
        intent: "a port that is none",
        file: "services:\n  web:\n    image: busybox\n    ports: ['eighty:80']\n",
        args: UP,
        says: &["compose.yaml:4", "eighty"],
    },
    Bad {
        intent: "an env file that is not there",
        file: "services:\n  web:\n    image: busybox\n    env_file: nope.env\n",
        args: UP,
        says: &["nope.env"],
    },
    Bad {
        intent: "an external network that is not there",
        file: "services:\n  web:\n    image: $BUSYBOX\n    networks: [ext]\nnetworks:\n  ext:\n    name: compose-test-nowhere\n    external: true\n",
        args: UP,
        says: &["compose-test-nowhere"],
    },
    Bad {
        intent: "a bind source that is not there and may not be made",
        file: "services:\n  web:\n    image: $BUSYBOX\n    volumes:\n      - { type: bind, source: ./nope, target: /x, bind: { create_host_path: false } }\n",
        args: UP,
        says: &["nope"],
    },
    Bad {
        intent: "a service that is not in the file",
        file: "services:\n  web:\n    image: $BUSYBOX\n",
        args: ["up", "wbe"],
        says: &["wbe"],
    },
    Bad {
        intent: "a flag that does not exist",
        file: "services:\n  web:\n    image: $BUSYBOX\n",
        args: ["up", "--detahc"],
        says: &["--detahc"],
    },
];

#[test]
fn files() {
    let mut failed = Vec::new();
    for bad in BAD {
        if catch_unwind(|| scenario(bad.intent, &["busybox"], async |s| is_refused(s, bad).await)).is_err() {
            failed.push(bad.intent);
        }
    }
    assert_eq!(failed, [""; 0], "see above");
}

async fn is_refused(s: &mut Scenario, bad: &Bad) {
    if !bad.file.is_empty() {
        s.file("compose.yaml", bad.file);
    }
    let mut run = match bad.args {
        ["-f", file] => s.compose(["-f", file, "up", "-d"]).await,
        args => s.compose(args).await,
    }
    .fails();
    if Scenario::tests_another() {
        return;
    }
    for words in bad.says {
        run = run.says(words);
    }
    assert_eq!(run.stdout, "", "a failure is told on stderr");
    assert_eq!(s.states().await, "", "nothing was made");
}

#[test]
fn an_image_that_cannot_be_had() {
    scenario("the message names the image and what the registry said", &[], async |s| {
        s.file("compose.yaml", "services: { web: { image: 127.0.0.1:1/none:1 } }");
        s.compose(["up", "-d"]).await.fails().says("127.0.0.1:1/none:1");
        s.compose(["up", "-d", "--pull", "never"]).await.fails().says("127.0.0.1:1/none:1");
        assert_eq!(s.states().await, "");
    });
}

#[test]
fn a_port_that_is_taken() {
    scenario(
        "the message names the port, and the other services still run or were not begun",
        &["busybox"],
        async |s| {
            let taken = TcpListener::bind("0.0.0.0:0").expect("a port");
            let port = taken.local_addr().expect("a bound socket has an address").port();
            s.env("PORT", port);
            s.file("compose.yaml", "services: { web: { image: $BUSYBOX, command: tail -f /dev/null, stop_signal: SIGKILL, ports: ['$PORT:80'] } }");
            s.compose(["up", "-d"]).await.fails().says(&port.to_string()).says("web");
            drop(taken);
            s.compose(["up", "-d"]).await.succeeds();
            assert_eq!(s.states().await, "web-1 running");
        },
    );
}

#[test]
fn no_engine() {
    scenario("without an engine the message names the socket and says what to do", &[], async |s| {
        s.file("compose.yaml", "services: { web: { image: busybox } }");
        s.env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
        for args in [["up", "-d"], ["ps", "-a"], ["down", "-v"]] {
            s.compose(args).await.exits(1).says("/nonexistent/docker.sock");
        }
        s.compose(["config", "-q"]).await.succeeds();
    });
}

#[test]
fn no_permission() {
    scenario("a socket that may not be used is told apart from an engine that does not run", &[], async |s| {
        s.file("compose.yaml", "services: { web: { image: busybox } }");
        let path = s.dir().join("engine.sock");
        let _socket = UnixListener::bind(&path).expect("a socket can be made");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("it is ours");
        s.env("DOCKER_HOST", format!("unix://{}", path.display()));
        s.without_privileges();
        s.compose(["ps"]).await.exits(1).says("permission denied").says("engine.sock");
    });
}
