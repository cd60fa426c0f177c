//! docker's buildx as a program of its own: what it says about build files.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// Bytes that are passed on at once.
const PIECE: usize = 8 << 10;

/// Looks for mistakes in the build files that a bake file names; what buildx writes is passed on as it comes, `true`
/// for standard error. Gives its exit code.
///
/// # Errors
/// It can not be run.
pub async fn check_builds(
    program: &Path,
    environment: &BTreeMap<String, String>,
    bake_file: &str,
    allows: &[String],
    say: &mut dyn FnMut(bool, &[u8]),
) -> io::Result<i32> {
    let mut command = Command::new(program);
    command.args(["bake", "--file", "-", "--progress", "plain"]);
    for allow in allows {
        command.args(["--allow", allow]);
    }
    command.envs(environment).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(bake_file.as_bytes()).await?;
    }
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let (mut out, mut err) = (vec![0; PIECE], vec![0; PIECE]);
    while stdout.is_some() || stderr.is_some() {
        tokio::select! {
            length = read(&mut stdout, &mut out), if stdout.is_some() => match length? {
                0 => stdout = None,
                length => say(false, out.get(..length).unwrap_or_default()),
            },
            length = read(&mut stderr, &mut err), if stderr.is_some() => match length? {
                0 => stderr = None,
                length => say(true, err.get(..length).unwrap_or_default()),
            },
        }
    }
    Ok(child.wait().await?.code().unwrap_or(1))
}

async fn read(from: &mut Option<impl tokio::io::AsyncRead + Unpin>, buffer: &mut [u8]) -> io::Result<usize> {
    match from {
        Some(from) => from.read(buffer).await,
        None => Ok(0),
    }
}
