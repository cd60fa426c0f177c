//! What else is on the engine's host, when that is this machine: sockets, paths, GPUs.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::resource::{HostFound, HostWish};

/// State of a TCP socket that listens, and of a UDP socket that is bound, in the kernel's tables.
const LISTENS: (&str, &str) = ("0A", "07");
/// Where drivers of NVIDIA show themselves, also in WSL and on Tegra.
const NVIDIA: &[&str] = &["/dev/nvidiactl", "/proc/driver/nvidia", "/dev/dxg", "/dev/nvhost-ctrl", "/dev/nvmap"];
/// Where those of AMD do: for computing, and for drawing.
const AMD: &[&str] = &["/dev/kfd", "/dev/dri", "/dev/dxg"];
/// What AMD's have and those of others, which only draw, have not.
const COMPUTES: &str = "/dev/kfd";

/// Whether there is surely no GPU for a driver; of drivers that are not known nothing is.
fn lacks_gpu(driver: &str) -> bool {
    let is_there = |places: &[&str]| places.iter().any(|path| Path::new(path).exists());
    cfg!(target_os = "linux")
        && match driver {
            "" => !is_there(NVIDIA) && !is_there(&[COMPUTES]),
            "nvidia" => !is_there(NVIDIA),
            "amd" => !is_there(AMD),
            _ => false,
        }
}

/// Looks; what can not be known counts as free and there.
pub(super) fn look(wish: &HostWish) -> HostFound {
    HostFound {
        sockets: sockets(wish),
        missing_paths: wish.paths.iter().filter(|path| is_missing(path)).cloned().collect(),
        missing_gpu_drivers: wish.gpu_drivers.iter().filter(|driver| lacks_gpu(driver)).cloned().collect(),
        ..HostFound::default()
    }
}

/// Whether there is surely nothing: what lies behind a directory that may not be read is not known.
fn is_missing(path: &str) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// Sockets on the wanted ports: `ip:port/protocol`, and whose they are when that can be seen.
fn sockets(wish: &HostWish) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (protocol, listens) in [("tcp", LISTENS.0), ("udp", LISTENS.1)] {
        let ports: Vec<u16> =
            wish.ports.iter().filter(|(_, wanted)| wanted == protocol).map(|(port, _)| *port).collect();
        if ports.is_empty() {
            continue;
        }
        for table in ["", "6"] {
            let text = text_of(Path::new(&format!("/proc/net/{protocol}{table}")));
            for socket in text.lines().skip(1).filter_map(|line| Socket::parse(line, listens)) {
                if ports.contains(&socket.port) {
                    let owner = owner(socket.inode).unwrap_or_default();
                    let address = match socket.address {
                        IpAddr::V4(address) => address.to_string(),
                        IpAddr::V6(address) => format!("[{address}]"),
                    };
                    found.insert(format!("{address}:{}/{protocol}", socket.port), owner);
                }
            }
        }
    }
    found
}

/// A line of the kernel's table.
#[derive(Debug, PartialEq, Eq)]
struct Socket<'a> {
    address: IpAddr,
    port: u16,
    inode: &'a str,
}

impl<'a> Socket<'a> {
    /// `sl local remote state queues timer retransmits uid timeout inode …`; `None` for other states.
    fn parse(line: &'a str, listens: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (address, port) = words.nth(1)?.split_once(':')?;
        let state = words.nth(1)?;
        let inode = words.nth(5)?;
        (state == listens).then_some(Self {
            address: parse_address(address)?,
            port: u16::from_str_radix(port, 16).ok()?,
            inode,
        })
    }
}

/// Addresses are words of 32 bits in the machine's own order.
fn parse_address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (index, chunk) in bytes.chunks_mut(4).enumerate() {
                chunk.copy_from_slice(&word(index * 8)?);
            }
            let address = Ipv6Addr::from(bytes);
            Some(address.to_ipv4_mapped().map_or(address.into(), IpAddr::from))
        }
        _ => None,
    }
}

/// A file of the kernel; empty when it can not be read.
fn text_of(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// Name and number of the process that has a socket, as far as we may look.
fn owner(inode: &str) -> Option<String> {
    let wanted = format!("socket:[{inode}]");
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let name = process.file_name();
        let Some(number) = name.to_str().filter(|name| is_number(name)) else { continue };
        let Ok(files) = fs::read_dir(process.path().join("fd")) else { continue };
        let has =
            files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == wanted.as_str()));
        if has {
            let program = text_of(&process.path().join("comm"));
            return Some(format!("{} (process {number})", program.trim()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn lines_of_the_kernel() {
        let any = "0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 1";
        let socket = Socket::parse(any, "0A");
        assert_eq!(socket, Some(Socket { address: Ipv4Addr::UNSPECIFIED.into(), port: 8080, inode: "12345" }));
        assert_eq!(Socket::parse(any, "07"), None);
        for line in ["", "0: x:y 0:0 0A a b c d e f", "0: 00:1F90 0:0 0A 0 0 0 0 0 1"] {
            assert_eq!(Socket::parse(line, "0A"), None, "{line}");
        }
        assert_eq!(parse_address("00000000000000000000000000000000"), Some(Ipv6Addr::UNSPECIFIED.into()));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_listener_of_this_process_is_found_and_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let wish = HostWish {
            ports: [(port, "tcp".to_owned())].into(),
            paths: ["/".to_owned(), "/no/such/path".to_owned()].into(),
            ..HostWish::default()
        };
        let found = look(&wish);
        let owner = &found.sockets[&format!("127.0.0.1:{port}/tcp")];
        assert!(owner.ends_with(&format!("(process {})", std::process::id())), "{owner}");
        assert_eq!(found.missing_paths, ["/no/such/path".to_owned()].into());
    }
}
