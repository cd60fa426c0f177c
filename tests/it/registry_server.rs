//! A small registry on 127.0.0.1: blobs, manifests, uploads, and the ways in which registries ask who is there.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// Whom it lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    Nothing,
    /// `me` with the password `pw`.
    Basic,
    /// Who has a token for the repository; `me` gets it for the password `pw`, or for the identity token `id`.
    Bearer,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    /// By repository and tag or digest.
    pub(crate) manifests: BTreeMap<String, Vec<u8>>,
    /// Method and path of every request.
    pub(crate) requests: Vec<String>,
    /// Manifests with an `artifactType` are refused, as registries of before OCI 1.1 do.
    pub(crate) is_old: bool,
    uploads: u32,
}

/// A registry that runs until the test ends.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct Request {
    method: String,
    /// Path and query.
    target: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        Some(Self { method, target, headers, body })
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

struct Answer(u16, Vec<(&'static str, String)>, Vec<u8>);

impl Server {
    pub(crate) fn start(asks: Asks) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared, asks, address));
            }
        });
        Self { address, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>, asks: Asks, address: SocketAddr) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some(request) = Request::read(&mut reader) {
        let Answer(status, headers, body) = answer(&request, &mut state.lock().unwrap(), asks, address);
        let mut text = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        let body = if request.method == "HEAD" { Vec::new() } else { body };
        if writer.write_all(format!("{text}\r\n").as_bytes()).and_then(|()| writer.write_all(&body)).is_err() {
            return;
        }
    }
}

fn answer(request: &Request, state: &mut State, asks: Asks, address: SocketAddr) -> Answer {
    let plain = |status| Answer(status, Vec::new(), Vec::new());
    let shown = request.header("authorization");
    let basic = format!("Basic {}", STANDARD.encode("me:pw"));
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    state.requests.push(format!("{} {path}", request.method));
    if path == "/token" {
        let form = String::from_utf8_lossy(&request.body).into_owned();
        let scope = [query, &form].concat().replace("%3A", ":").replace("%2C", ",").replace("%2F", "/");
        let known = shown == basic || form.contains("refresh_token=id");
        if !known || !scope.contains("service=here") {
            return plain(401);
        }
        let token = if scope.contains("pull,push") { "writer" } else { "reader" };
        return Answer(200, Vec::new(), format!(r#"{{"token": "{token}"}}"#).into_bytes());
    }
    let reads = matches!(request.method.as_str(), "GET" | "HEAD");
    let known = match asks {
        Asks::Nothing => true,
        Asks::Basic => shown == basic,
        Asks::Bearer => shown == "Bearer writer" || reads && shown == "Bearer reader",
    };
    if !known {
        let challenge = match asks {
            Asks::Bearer => format!(r#"Bearer realm="http://{address}/token",service="here",scope="x""#),
            _ => r#"Basic realm="here""#.to_owned(),
        };
        let body = br#"{"errors": [{"code": "DENIED", "message": "who are you?"}]}"#.to_vec();
        return Answer(401, vec![("WWW-Authenticate", challenge)], body);
    }
    let Some(rest) = path.strip_prefix("/v2/") else { return plain(404) };
    let kinds = ["/blobs/uploads/", "/blobs/", "/manifests/"];
    let found = kinds.into_iter().find_map(|kind| Some((kind, rest.split_once(kind)?)));
    let Some((kind, (repository, name))) = found else { return plain(if rest.is_empty() { 200 } else { 404 }) };
    let digest =
        format!("sha256:{}", Sha256::digest(&request.body).iter().map(|b| format!("{b:02x}")).collect::<String>());
    match (request.method.as_str(), kind) {
        ("POST", "/blobs/uploads/") => {
            state.uploads += 1;
            let location = format!("/v2/{repository}/blobs/uploads/{}?state=1", state.uploads);
            Answer(202, vec![("Location", location)], Vec::new())
        }
        ("PUT", "/blobs/uploads/") if query == format!("state=1&digest={}", digest.replace(':', "%3A")) => {
            state.blobs.insert(format!("{repository}@{digest}"), request.body.clone());
            plain(201)
        }
        (_, "/blobs/") if reads => match state.blobs.get(&format!("{repository}@{name}")) {
            Some(bytes) => Answer(200, Vec::new(), bytes.clone()),
            None => plain(404),
        },
        ("PUT", "/manifests/") => {
            if state.is_old && String::from_utf8_lossy(&request.body).contains("artifactType") {
                return plain(400);
            }
            state.manifests.insert(format!("{repository}:{name}"), request.body.clone());
            state.manifests.insert(format!("{repository}:{digest}"), request.body.clone());
            plain(201)
        }
        (_, "/manifests/") if reads => match state.manifests.get(&format!("{repository}:{name}")) {
            Some(bytes) => {
                let kind = "application/vnd.oci.image.manifest.v1+json".to_owned();
                Answer(200, vec![("Content-Type", kind)], bytes.clone())
            }
            None => plain(404),
        },
        _ => plain(400),
    }
}
