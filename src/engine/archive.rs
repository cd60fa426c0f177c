//! The tar archive by which files come into a container.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use crate::resource::FileUpload;

/// An archive of files, to be unpacked at `/`. It holds no directories: the engine makes those that are missing, and
/// an entry for one that is there, `/tmp` for example, would change its rights.
pub(super) fn of_files(files: &[FileUpload]) -> io::Result<Bytes> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut archive = tar::Builder::new(Vec::new());
    for file in files {
        let (user, group) = file.owner.unwrap_or_default();
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(file.content.len() as u64);
        header.set_mode(file.mode & 0o7777);
        header.set_uid(user);
        header.set_gid(group);
        header.set_mtime(now);
        archive.append_data(&mut header, file.path.trim_start_matches('/'), file.content.as_slice())?;
    }
    archive.into_inner().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn files_keep_path_mode_owner_and_content() {
        let long = format!("/{}/x", "d".repeat(200));
        let file =
            |path: &str, owner| FileUpload { path: path.to_owned(), content: b"s3".to_vec(), mode: 0o400, owner };
        let archive = of_files(&[file("/run/secrets/a", Some((7, 8))), file(&long, None)]).unwrap();
        let mut archive = tar::Archive::new(archive.as_ref());
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            let header = entry.header();
            seen.push((
                format!("/{}", entry.path().unwrap().display()),
                header.mode().unwrap(),
                (header.uid().unwrap(), header.gid().unwrap()),
                content,
            ));
        }
        assert_eq!(
            seen,
            [
                ("/run/secrets/a".to_owned(), 0o400, (7, 8), "s3".to_owned()),
                (long.clone(), 0o400, (0, 0), "s3".to_owned())
            ]
        );
    }

    #[test]
    fn a_path_that_leaves_the_root_is_refused() {
        let file = FileUpload { path: "/../x".to_owned(), content: Vec::new(), mode: 0o400, owner: None };
        assert!(of_files(&[file]).is_err());
    }
}
