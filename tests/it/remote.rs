//! Files from git repositories: with consent, and never more than the repository holds.

use std::path::Path;
use std::process::Command;

use compose::cli::disk::Disk;
use compose::external::Git;
use compose::spec::files::{Files, MemoryFiles};
use compose::spec::{Request, load};

use crate::cli::World;

const STACK: &str = "https://example.com/stack.git";

fn stack(compose: &str) -> MemoryFiles {
    MemoryFiles::default()
        .with_repository(STACK, "/cache/stack")
        .with("/cache/stack/compose.yaml", compose)
        .with("/cache/stack/.env", "TAG=7\n")
        .with("/cache/stack/web.env", "A=1\n")
        .with("/cache/stack/base/compose.yaml", "services: {base: {image: base, env_file: ../web.env}}\n")
        .with("/cache/secret", "S=1\n")
        .with("/etc/shadow", "root\n")
        .with_link("/cache/stack/link", "/etc")
        .with_link("/cache/stack/inside.env", "/cache/stack/web.env")
        .with("/p/compose.yaml", &format!("name: p\ninclude: ['{STACK}']\n"))
}

fn errors(files: &dyn Files) -> Vec<String> {
    let environment = [("HOME".to_owned(), "/home/me".to_owned())].into();
    let loaded = load(&Request { cwd: "/p".into(), environment, ..Request::default() }, files);
    let errors = loaded.diagnostics.into_iter().filter(compose::diagnostics::Diagnostic::is_error);
    errors.map(|finding| format!("{}: {}", finding.code.0, finding.message)).collect()
}

#[test]
fn a_fetched_file_reads_what_its_repository_holds() {
    for service in [
        "env_file: web.env",
        "env_file: inside.env",
        "env_file: /cache/stack/web.env",
        "extends: {file: base/compose.yaml, service: base}",
        "build: ./base",
        "volumes: ['/etc:/etc']",
    ] {
        let files = stack(&format!("services: {{web: {{image: x, {service}}}}}\n"));
        assert_eq!(errors(&files), Vec::<String>::new(), "{service}");
    }
}

#[test]
fn a_fetched_file_does_not_read_what_lies_outside() {
    let service = |text: &str| format!("services: {{web: {{image: x, {text}}}}}\n");
    for text in [
        service("env_file: ../secret"),
        service("env_file: /etc/shadow"),
        service("env_file: [{path: ~/x, required: false}]"),
        service("env_file: link/shadow"),
        service("env_file: base/../../secret"),
        service("label_file: /etc/shadow"),
        service("extends: {file: /etc/shadow, service: a}"),
        service("extends: {file: link/shadow, service: a}"),
        service("build: .."),
        service("build: {context: ., dockerfile: ../../etc/shadow}"),
        service("build: {context: ., additional_contexts: {a: /etc}}"),
        service("security_opt: ['seccomp=/etc/shadow']"),
        service("credential_spec: {file: /etc/shadow}"),
        "configs: {a: {file: /etc/shadow}}\nservices: {web: {image: x, configs: [a]}}\n".to_owned(),
        "secrets: {a: {file: link/shadow}}\nservices: {web: {image: x, secrets: [a]}}\n".to_owned(),
        "include: [/etc/shadow]\n".to_owned(),
        "include: [{path: base/compose.yaml, env_file: /etc/shadow}]\n".to_owned(),
        "include: [{path: base/compose.yaml, project_directory: /etc}]\n".to_owned(),
    ] {
        let errors = errors(&stack(&text));
        assert!(errors.iter().any(|error| error.starts_with("outside-repository: ")), "{text}: {errors:?}");
        assert!(errors.iter().all(|error| !error.contains("root")), "{text}: {errors:?}");
    }
    let local =
        stack("include: ['file:///home/me/private.git']\n").with_repository("file:///home/me/private.git", "/home/me");
    assert!(errors(&local)[0].contains("a fetched file may not ask for files of this machine"));
}

#[test]
fn a_file_of_ones_own_may_say_more_about_a_fetched_service() {
    let files = stack("services: {web: {image: 'x:$TAG', env_file: web.env}}\n")
        .with("/p/compose.override.yaml", "services: {web: {env_file: /etc/own.env}}\n")
        .with("/etc/own.env", "B=2\n");
    assert_eq!(errors(&files), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_fetched_without_consent() {
    let world = || World::new(&format!("include: ['{STACK}']\n"), &[]);
    insta::assert_snapshot!(world().run("config -q").await, @"
    $ compose config -q
    stderr:
    error[remote-file]: files of https://example.com/stack.git are not fetched without your consent: set COMPOSE_REMOTE_INCLUDE=1, or answer yes on a terminal
     --> compose.yaml:1:11
      |
    1 | include: ['https://example.com/stack.git']
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this file lies elsewhere
    exit 1
    ");
    insta::assert_snapshot!(world().with_variable("COMPOSE_REMOTE_INCLUDE", "1").run("config -q").await, @"
    $ compose config -q
    stderr:
    error[remote-file]: no repository https://example.com/stack.git
     --> compose.yaml:1:11
      |
    1 | include: ['https://example.com/stack.git']
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this file lies elsewhere
    exit 1
    ");
    let off = world().with_variable("COMPOSE_EXPERIMENTAL_GIT_REMOTE", "false");
    insta::assert_snapshot!(off.run(&format!("-f {STACK} config -q")).await, @r#"
    $ compose -f https://example.com/stack.git config -q
    stderr:
    error[remote-file]: git remote resource is disabled by "COMPOSE_EXPERIMENTAL_GIT_REMOTE"
    exit 1
    "#);
}

/// Runs git, or says that there is none.
fn git(directory: &Path, words: &[&str]) -> bool {
    let command = Command::new("git")
        .current_dir(directory)
        .args(["-c", "user.name=a", "-c", "user.email=a@b"])
        .args(words)
        .output();
    command.is_ok_and(|output| output.status.success())
}

#[test]
fn one_commit_is_fetched_once() {
    let directory = tempfile::tempdir().unwrap();
    let repository = directory.path().join("stack");
    std::fs::create_dir_all(repository.join("sub")).unwrap();
    if !git(&repository, &["init", "-q", "-b", "main"]) {
        return;
    }
    std::fs::write(repository.join("sub/compose.yaml"), "services: {web: {image: one, env_file: web.env}}\n").unwrap();
    std::fs::write(repository.join("sub/web.env"), "A=1\n").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", repository.join("sub/link.env")).unwrap();
    assert!(git(&repository, &["add", "-A"]) && git(&repository, &["commit", "-q", "-m", "one"]));
    assert!(git(&repository, &["tag", "-a", "v1", "-m", "v1"]));

    let url = format!("file://{}", repository.display());
    let fetcher = Git::new(directory.path().join("cache"), |_| false);
    let first = fetcher.checkout(&url, Some("main")).unwrap();
    assert_eq!(fetcher.checkout(&url, None).unwrap(), first);
    assert_eq!(fetcher.checkout(&url, Some("v1")).unwrap(), first);
    assert!(first.join("sub/compose.yaml").is_file());
    let missing = fetcher.checkout(&url, Some("nope")).unwrap_err().to_string();
    assert!(missing.contains("does not contain ref nope"), "{missing}");
    let nowhere = fetcher.checkout(&format!("{url}-not"), None).unwrap_err().to_string();
    assert!(nowhere.contains("failed to access repository"), "{nowhere}");

    std::fs::write(repository.join("sub/compose.yaml"), "services: {web: {image: two, env_file: link.env}}\n").unwrap();
    assert!(git(&repository, &["commit", "-q", "-a", "-m", "two"]));
    let second = fetcher.checkout(&url, Some("main")).unwrap();
    assert_ne!(second, first);
    // What is in the cache needs no repository any more.
    let commit = first.file_name().unwrap().to_str().unwrap().to_owned();
    std::fs::rename(&repository, directory.path().join("gone")).unwrap();
    assert_eq!(fetcher.checkout(&url, Some(&commit)).unwrap(), first);
    assert_eq!(std::fs::read_dir(directory.path().join("cache")).unwrap().count(), 2);

    // The link in the second commit leads out: it is not followed.
    struct Fetched(std::path::PathBuf);
    impl Files for Fetched {
        fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
            Disk.read(path)
        }
        fn exists(&self, path: &Path) -> bool {
            Disk.exists(path)
        }
        fn is_dir(&self, path: &Path) -> bool {
            Disk.is_dir(path)
        }
        fn canonical(&self, path: &Path) -> std::io::Result<std::path::PathBuf> {
            Disk.canonical(path)
        }
        fn is_symlink(&self, path: &Path) -> bool {
            Disk.is_symlink(path)
        }
        fn stdin(&self) -> std::io::Result<Vec<u8>> {
            Disk.stdin()
        }
        fn fetch(
            &self,
            _: &compose::spec::files::Remote,
            _: compose::spec::files::Asker<'_>,
        ) -> std::io::Result<std::path::PathBuf> {
            Ok(self.0.clone())
        }
    }
    let request =
        Request { cwd: directory.path().into(), files: vec![format!("{url}#main:sub")], ..Request::default() };
    let loaded = load(&request, &Fetched(first));
    let project = loaded.project.expect("it loads");
    assert_eq!(project.services["web"].environment["A"].as_deref(), Some("1"));
    let loaded = load(&request, &Fetched(second));
    assert!(
        loaded.diagnostics.iter().any(|finding| finding.code.0 == "outside-repository"),
        "{:?}",
        loaded.diagnostics
    );
}
