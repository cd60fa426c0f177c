//! The one image that most scenarios need: busybox, from a registry or, where none is reached, from this host's own binary.

use std::fs;
use std::process::Command;

use bollard::Docker;
use bollard::query_parameters::CreateImageOptions;
use futures::StreamExt;

use crate::scenario::have_image;

/// The name of the image that is made here; it stays on the engine.
const OWN: (&str, &str) = ("compose-test-busybox", "host");

/// The name of an image with busybox that is on the engine now.
pub(crate) async fn have(docker: &Docker) -> Result<String, String> {
    let Err(why) = have_image(docker, "busybox").await else { return Ok("busybox".to_owned()) };
    let own = format!("{}:{}", OWN.0, OWN.1);
    if docker.inspect_image(&own).await.is_ok() {
        return Ok(own);
    }
    let binary = ["/bin/busybox", "/usr/bin/busybox"].iter().find_map(|path| {
        let bytes = fs::read(path).ok()?;
        // A program that names a loader needs libraries, which the image would not have.
        let head = &bytes[..bytes.len().min(4096)];
        (!head.windows(4).any(|part| part == b"/ld-")).then_some((path, bytes))
    });
    let Some((path, bytes)) = binary else {
        return Err(format!("{why}; a static busybox on this host (package busybox-static) would do as well"));
    };
    let listed = Command::new(path).arg("--list").output().map_err(|error| format!("cannot run {path}: {error}"))?;
    let tar =
        root(&bytes, &String::from_utf8_lossy(&listed.stdout)).map_err(|error| format!("cannot pack: {error}"))?;
    let options = CreateImageOptions {
        from_src: Some("-".to_owned()),
        repo: Some(OWN.0.to_owned()),
        tag: Some(OWN.1.to_owned()),
        ..Default::default()
    };
    let mut import = docker.create_image(Some(options), Some(bollard::body_full(tar.into())), None);
    while let Some(step) = import.next().await {
        step.map_err(|error| format!("cannot import busybox: {error}"))?;
    }
    Ok(own)
}

/// A root file system with the binary, a link for each of its commands, and the directories that programs expect.
fn root(binary: &[u8], commands: &str) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let header = |kind: tar::EntryType, size: usize, mode: u32| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size as u64);
        header.set_mode(mode);
        header
    };
    for directory in ["bin/", "etc/", "root/", "tmp/", "home/", "var/"] {
        tar.append_data(&mut header(tar::EntryType::Directory, 0, 0o777), directory, &[][..])?;
    }
    tar.append_data(&mut header(tar::EntryType::Regular, binary.len(), 0o755), "bin/busybox", binary)?;
    for command in commands.lines().filter(|command| *command != "busybox") {
        tar.append_link(&mut header(tar::EntryType::Symlink, 0, 0o777), format!("bin/{command}"), "busybox")?;
    }
    let passwd = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n".as_bytes();
    tar.append_data(&mut header(tar::EntryType::Regular, passwd.len(), 0o644), "etc/passwd", passwd)?;
    tar.into_inner()
}
