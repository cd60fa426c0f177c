//! The real disk, for loading.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::spec::files::Files;

/// Compose files and env files are text that people write; more than this is a mistake.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// Files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // Looked at before it is opened: opening a FIFO waits for a writer.
        let kind = fs::metadata(path)?.file_type();
        if kind.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory"));
        }
        if !kind.is_file() && path != Path::new("/dev/null") && !is_passed_in(path, kind) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a regular file"));
        }
        read_all(File::open(path)?)
    }
    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }
    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }
    fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }
    fn is_symlink(&self, path: &Path) -> bool {
        path.is_symlink()
    }
    fn stdin(&self) -> io::Result<Vec<u8>> {
        read_all(io::stdin().lock())
    }
}

/// Whether a path is a pipe that whoever started the process passed to it, as `-f <(command)` does; it has a writer.
fn is_passed_in(path: &Path, kind: fs::FileType) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        kind.is_fifo()
            && (path == Path::new("/dev/stdin") || path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd"))
    }
    #[cfg(not(unix))]
    {
        let _ = (path, kind);
        false
    }
}

fn read_all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "is larger than 64 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Request, load};

    #[test]
    fn only_regular_files_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("compose.yaml");
        fs::write(&file, "a: 1").unwrap();
        assert_eq!(Disk.read(&file).unwrap(), b"a: 1");
        assert_eq!(Disk.read(Path::new("/dev/null")).unwrap(), b"");
        assert_eq!(Disk.read(directory.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(Disk.read(&directory.path().join("nope")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(Disk.read(Path::new("/dev/zero")).unwrap_err().to_string(), "is not a regular file");
        let large = directory.path().join("large");
        File::create(&large).unwrap().set_len(LARGEST_FILE + 1).unwrap();
        assert_eq!(Disk.read(&large).unwrap_err().to_string(), "is larger than 64 MiB");
    }

    /// Opening a FIFO that nobody writes to waits for ever: whoever does it hangs this test.
    #[cfg(unix)]
    #[test]
    fn fifos_devices_and_directories_are_an_error_wherever_a_file_is_named() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        const COMPOSE: &str = "services: {web: {image: x}}";
        let told = |files: &[(&str, &str)], special: &str, request: Request| {
            let directory = tempfile::tempdir().unwrap();
            for (name, text) in files {
                fs::write(directory.path().join(name), text).unwrap();
            }
            let special = directory.path().join(special);
            mknodat(CWD, &special, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
            let loaded = load(&Request { cwd: directory.path().to_owned(), ..request.clone() }, &Disk);
            assert!(loaded.project.is_none(), "{}", special.display());
            let text: Vec<String> = loaded.diagnostics.into_iter().map(|finding| finding.message).collect();
            let text = text.join("; ");
            assert!(text.contains("is not a regular file"), "{}: {text}", special.display());
            fs::remove_file(&special).unwrap();
            fs::create_dir(&special).unwrap();
            let loaded = load(&Request { cwd: directory.path().to_owned(), ..request }, &Disk);
            assert!(loaded.project.is_none() || special.ends_with(".env"), "{} is a directory", special.display());
        };
        let plain = Request::default;
        told(&[], "compose.yaml", plain());
        told(&[("compose.yaml", COMPOSE)], "compose.override.yaml", plain());
        told(&[("compose.yaml", COMPOSE)], ".env", plain());
        told(&[("compose.yaml", COMPOSE)], "a.env", Request { env_files: vec!["a.env".into()], ..plain() });
        told(&[("compose.yaml", "include: [a.yaml]")], "a.yaml", plain());
        let files = [("compose.yaml", "include: [{path: a.yaml, env_file: a.env}]"), ("a.yaml", COMPOSE)];
        told(&files, "a.env", plain());
        for service in ["extends: {file: a.yaml, service: a}", "env_file: a.yaml", "label_file: a.yaml"] {
            told(&[("compose.yaml", &format!("services: {{web: {{image: x, {service}}}}}"))], "a.yaml", plain());
        }
        let device = Request { files: vec!["/dev/zero".into()], cwd: "/".into(), ..plain() };
        let said = load(&device, &Disk).diagnostics;
        assert_eq!(said[0].message, "open /dev/zero: is not a regular file");
    }

    #[cfg(unix)]
    #[test]
    fn pipes_that_are_passed_in_are_read() {
        use std::io::Write;
        use std::os::fd::AsRawFd;

        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"services: {}").unwrap();
        drop(writer);
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        assert_eq!(Disk.read(Path::new(&path)).unwrap(), b"services: {}");
    }
}
