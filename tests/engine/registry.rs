//! Projects are shared through a real registry, with TLS and a password.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::patience::eventually;
use crate::scenario::{Scenario, free_port, scenario};

/// `me` with the password `pw`, as registries keep it.
const HTPASSWD: &str = "me:$2b$04$abcdefghijklmnopqrstuuyvPXIbu7xe6/CED2DzX8z6Si09MlzlW\n";
/// The same as docker keeps it.
const LOGIN: &str = "bWU6cHc=";

fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let all = std::env::split_paths(&path).flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    all.into_iter().find(|program| program.exists())
}

/// A registry that ends with the test.
struct Registry {
    process: Child,
    address: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Registry {
    /// Starts one with its files in a directory; `None` when this machine has none to start.
    fn start(directory: &Path) -> Option<Self> {
        let (Some(registry), Some(openssl)) = (program(&["docker-registry", "registry"]), program(&["openssl"])) else {
            eprintln!("skipped: no docker-registry or no openssl on this machine");
            return None;
        };
        std::fs::create_dir_all(directory).expect("a directory can be made");
        let certificate = Command::new(openssl)
            .current_dir(directory)
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .stderr(Stdio::null())
            .status();
        assert!(certificate.is_ok_and(|status| status.success()), "openssl makes a certificate");
        let address = format!("127.0.0.1:{}", free_port());
        let at = directory.display();
        let config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {at}/data}}}}\n\
             auth: {{htpasswd: {{realm: here, path: {at}/htpasswd}}}}\n\
             http: {{addr: '{address}', tls: {{certificate: {at}/cert.pem, key: {at}/key.pem}}}}\n"
        );
        std::fs::write(directory.join("config.yml"), config).expect("a file can be written");
        std::fs::write(directory.join("htpasswd"), HTPASSWD).expect("a file can be written");
        let process = Command::new(registry)
            .args(["serve", &format!("{at}/config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the registry starts");
        Some(Self { process, address })
    }

    async fn is_up(&self) {
        let open = async || std::net::TcpStream::connect(&self.address).map_err(|error| error.to_string());
        drop(eventually("the registry", open).await);
    }
}

#[test]
fn a_project_is_published_with_its_images_and_used_from_there() {
    if Scenario::tests_another() {
        return;
    }
    scenario(
        "publish pushes images and files to a registry with TLS and a password; oci:// runs them",
        &["busybox"],
        async |s| {
            let Some(registry) = Registry::start(&s.dir().join("registry")) else { return };
            registry.is_up().await;
            let at = registry.address.clone();
            s.file(
            "shop/compose.yaml",
            &format!(
                "services:\n  web:\n    image: {at}/shop/web:1\n    build: {{dockerfile_inline: \"FROM $BUSYBOX\"}}\n    \
                 command: [sh, -c, 'echo say $$WHAT; exec tail -f /dev/null']\n    stop_signal: SIGKILL\n    env_file: web.env\n"
            ),
        );
            s.file("shop/web.env", "WHAT=hello\n");
            let name = format!("{at}/shop/files:1");
            s.compose(["-f", "shop/compose.yaml", "build"]).await.succeeds();

            let publish = ["-f", "shop/compose.yaml", "publish", "-y", "--with-env", &name];
            s.compose(publish).await.fails().says("certificate");
            s.env("SSL_CERT_FILE", s.dir().join("registry/cert.pem").display());
            s.compose(publish).await.fails().says("without credentials: run `docker login` first");
            s.env("DOCKER_AUTH_CONFIG", format!(r#"{{"auths": {{"{at}": {{"auth": "{LOGIN}"}}}}}}"#));
            s.compose(publish).await.succeeds().says("web:1  Pushed").says("published");

            // Nothing of it is left on this machine but the cache.
            s.compose(["-f", "shop/compose.yaml", "down", "--rmi", "all"]).await.succeeds();
            std::fs::remove_dir_all(s.dir().join("shop")).expect("it is there");
            let remote = format!("oci://{name}");
            s.compose(["-f", &remote, "up", "-d", "--no-build", "--pull", "always"]).await.succeeds();
            s.wait_states("web-1 running").await;
            eventually("the variable of the published env_file", async || {
                let said = s.compose(["-f", &remote, "logs", "--no-log-prefix"]).await.succeeds().stdout;
                if said == "say hello\n" { Ok(()) } else { Err(said) }
            })
            .await;
            s.compose(["-f", &remote, "down", "--rmi", "all"]).await.succeeds();
        },
    );
}
