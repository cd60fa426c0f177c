//! Files that go into containers and come out of them.

use std::fs;

use crate::scenario::scenario;

/// Two replicas that do nothing.
const IDLE: &str = "
services:
  web: { image: $BUSYBOX, command: [tail, -f, /dev/null], stop_signal: SIGKILL, scale: 2 }
";

#[test]
fn files_go_into_every_replica_and_come_out_as_they_were() {
    scenario("cp keeps content, rights and links, in both directions", &["busybox"], async |s| {
        s.file("compose.yaml", IDLE);
        s.file("site/index.html", "hello");
        s.file("site/deep/er/file", "there");
        std::os::unix::fs::symlink("index.html", s.dir().join("site/link")).expect("a link can be made");
        s.compose(["up", "-d"]).await.succeeds();
        s.compose(["cp", "site", "web:/srv"]).await.succeeds();
        s.compose(["cp", "./site/.", "web:/srv/copy/"]).await.succeeds();
        let run = s.compose(["exec", "-T", "--index", "2", "web", "cat", "/srv/link", "/srv/copy/deep/er/file"]).await;
        assert_eq!(run.succeeds().stdout, "hellothere");

        s.compose(["cp", "web:/srv", "out"]).await.succeeds();
        assert_eq!(fs::read_link(s.dir().join("out/link")).ok(), Some("index.html".into()));
        s.compose(["cp", "web:/srv/link", "one"]).await.succeeds();
        assert!(s.dir().join("one").is_symlink());
        s.compose(["cp", "-L", "web:/srv/link", "two"]).await.succeeds();
        assert_eq!(fs::read(s.dir().join("two")).ok(), Some(b"hello".to_vec()));
        s.compose(["cp", "web:/srv/index.html", "no/such/"]).await.fails();
        s.compose(["cp", "web:/no/such", "x"]).await.fails().says("Could not find the file /no/such");
    });
}

#[test]
fn a_hostile_container_writes_nothing_outside() {
    scenario("a link in the archive that leads away is not followed", &["busybox"], async |s| {
        s.file("compose.yaml", &IDLE.replace("scale: 2", "scale: 1"));
        s.file("away/kept", "old");
        s.file("into/.keep", "");
        std::os::unix::fs::symlink(s.dir().join("away"), s.dir().join("into/d")).expect("a link can be made");
        s.compose(["up", "-d"]).await.succeeds();
        s.compose(["exec", "-T", "web", "sh", "-c", "mkdir /d; echo new > /d/kept"]).await.succeeds();
        s.compose(["cp", "web:/d", "into"]).await.fails();
        assert_eq!(fs::read(s.dir().join("away/kept")).ok(), Some(b"old".to_vec()));
    });
}

#[test]
fn a_container_is_exported_and_committed() {
    scenario("export writes a whole archive, commit makes an image that can be run", &["busybox"], async |s| {
        s.file("compose.yaml", IDLE);
        s.compose(["up", "-d"]).await.succeeds();
        s.compose(["exec", "-T", "--index", "2", "web", "sh", "-c", "echo kept > /kept"]).await.succeeds();
        s.compose(["export", "--index", "2", "-o", "web.tar", "web"]).await.succeeds();
        let archive = fs::read(s.dir().join("web.tar")).expect("the archive is there");
        let mut archive = tar::Archive::new(archive.as_slice());
        let mut names = archive.entries().expect("it is an archive").flatten();
        assert!(names.any(|entry| entry.path().is_ok_and(|path| path.ends_with("kept"))));
        assert!(!s.dir().join("web.tar.part").exists());

        let image = format!("{}-committed:1", s.project);
        s.compose(["commit", "--index", "2", "-c", "CMD [\"cat\", \"/kept\"]", "web", &image]).await.succeeds();
        s.env("IMAGE", &image);
        s.file("again/compose.yaml", "services: { again: { image: $IMAGE } }");
        s.compose(["-f", "again/compose.yaml", "up", "-d", "again"]).await.succeeds();
        let run = s.compose(["-f", "again/compose.yaml", "logs", "--follow", "--no-log-prefix", "again"]).await;
        run.succeeds().says("kept");
        s.compose(["-f", "again/compose.yaml", "down", "--rmi", "all", "--remove-orphans"]).await.succeeds();
    });
}
