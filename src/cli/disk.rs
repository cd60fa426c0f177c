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
        if !kind.is_file() && path != Path::new("/dev/null") {
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
    }
}
