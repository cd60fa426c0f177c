//! Processes of containers as this machine sees them, when the engine runs on it.

use std::io;

/// Sends a signal to a process that must belong to a container: a process of another machine or namespace may have the
/// same number.
///
/// # Errors
/// It is not there, not of that container, or not ours to signal.
#[cfg(target_os = "linux")]
pub(super) fn signal(pid: i32, container: &str, signal: &str) -> io::Result<()> {
    let unknown = |what: &str| io::Error::new(io::ErrorKind::NotFound, what.to_owned());
    let process = rustix::process::Pid::from_raw(pid).filter(|_| pid > 1).ok_or_else(|| unknown("no such process"))?;
    // Held before it is looked at, so that it can not become another one in between.
    let held = rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty())?;
    let groups = String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/cgroup"))?).into_owned();
    if container.is_empty() || !groups.contains(container) {
        return Err(unknown("the process can not be seen from here"));
    }
    let signal = number(signal).ok_or_else(|| unknown("no such signal"))?;
    Ok(rustix::process::pidfd_send_signal(held, signal)?)
}

/// Other systems keep containers in machines of their own.
#[cfg(not(target_os = "linux"))]
pub(super) fn signal(_pid: i32, _container: &str, _signal: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(target_os = "linux")]
fn number(name: &str) -> Option<rustix::process::Signal> {
    use rustix::process::Signal;
    Some(match name {
        "SIGHUP" => Signal::HUP,
        "SIGINT" => Signal::INT,
        "SIGQUIT" => Signal::QUIT,
        "SIGTERM" => Signal::TERM,
        "SIGUSR1" => Signal::USR1,
        "SIGUSR2" => Signal::USR2,
        "SIGALRM" => Signal::ALARM,
        "SIGCONT" => Signal::CONT,
        _ => return None,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_processes_of_the_container_are_signalled() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(signal(own, "0123456789abcdef0123", "SIGTERM").is_err());
        assert!(signal(own, "", "SIGTERM").is_err());
        assert!(signal(0, "x", "SIGTERM").is_err());
        assert!(signal(1, "x", "SIGTERM").is_err());
    }
}
