//! Finding the files that a source's path stands for.

use std::fs::{self, File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::content::modified_ms;
use super::error::FileError;
use super::split::{Compression, FileInfo};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The files at `path`, sorted by path: the file itself; or those below a directory; or, if the last part of the
/// path holds `*` or `?` and no such file exists, those of its directory whose name matches.
///
/// Names that begin with `.` or `_` are left out below directories and by patterns, as they are unfinished or
/// bookkeeping by convention.
pub(super) fn discover(path: &Path) -> Result<Vec<FileInfo>, FileError> {
    let mut found = Vec::new();
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => walk(path, &mut found)?,
        Ok(metadata) => found.push(inspect(path, &metadata)?),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => match_pattern(path, &mut found)?,
        Err(cause) => return Err(access("inspect", path, cause)),
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn match_pattern(path: &Path, found: &mut Vec<FileInfo>) -> Result<(), FileError> {
    let pattern = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let directory = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(FileError::Missing { path: path.display().to_string() }),
    };
    if !pattern.contains(['*', '?']) || !directory.is_dir() {
        return Err(FileError::Missing { path: path.display().to_string() });
    }
    for entry in entries(directory)? {
        let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !is_hidden(&name) && matches(pattern.as_bytes(), name.as_bytes()) {
            let metadata = fs::metadata(&entry).map_err(|cause| access("inspect", &entry, cause))?;
            if metadata.is_file() {
                found.push(inspect(&entry, &metadata)?);
            }
        }
    }
    Ok(())
}

fn walk(directory: &Path, found: &mut Vec<FileInfo>) -> Result<(), FileError> {
    for entry in entries(directory)? {
        let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if is_hidden(&name) {
            continue;
        }
        let metadata = fs::metadata(&entry).map_err(|cause| access("inspect", &entry, cause))?;
        if metadata.is_dir() {
            walk(&entry, found)?;
        } else {
            found.push(inspect(&entry, &metadata)?);
        }
    }
    Ok(())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, FileError> {
    let list = |directory| -> std::io::Result<_> {
        fs::read_dir(directory)?.map(|entry| entry.map(|entry: fs::DirEntry| entry.path())).collect()
    };
    list(directory).map_err(|cause| access("list", directory, cause))
}

fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_'])
}

fn inspect(path: &Path, metadata: &Metadata) -> Result<FileInfo, FileError> {
    let Some(text) = path.to_str() else {
        return Err(FileError::PathNotUtf8 { path: path.display().to_string() });
    };
    let modified_ms = modified_ms(metadata).map_err(|cause| access("inspect", path, cause))?;
    let compression = compression(path, metadata.len())?;
    Ok(FileInfo { path: text.to_owned(), length: metadata.len(), modified_ms, compression })
}

/// By name or by the first bytes, as either alone is met in practice. An empty file is nothing of anything.
fn compression(path: &Path, length: u64) -> Result<Compression, FileError> {
    let named = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    if named && length > 0 {
        return Ok(Compression::Gzip);
    }
    let mut magic = Vec::with_capacity(GZIP_MAGIC.len());
    let mut read = || File::open(path)?.take(GZIP_MAGIC.len() as u64).read_to_end(&mut magic);
    read().map_err(|cause| access("open", path, cause))?;
    Ok(if magic == GZIP_MAGIC { Compression::Gzip } else { Compression::None })
}

fn access(action: &'static str, path: &Path, cause: std::io::Error) -> FileError {
    FileError::Access { action, path: path.display().to_string(), cause }
}

/// Whether `name` fits `pattern`, in which `*` stands for any bytes and `?` for any one byte.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                // The last star takes one byte more; no earlier one needs to.
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests;
