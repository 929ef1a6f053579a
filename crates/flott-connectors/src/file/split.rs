//! Files and the parts of them that readers are given.

use flott_runtime::source::SourceSplit;
use serde::{Deserialize, Serialize};

/// Size of a split unless the source says otherwise: 64 MiB.
pub(super) const DEFAULT_SPLIT_BYTES: u64 = 64 << 20;

/// No file is cut smaller than this to keep all readers busy: 1 MiB.
pub(super) const MIN_SPLIT_BYTES: u64 = 1 << 20;

/// How the bytes of a file are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compression {
    /// Not at all.
    None,
    /// One or more gzip members.
    Gzip,
}

/// A file as the enumerator found it. Readers refuse it if it has changed since, for positions in it would then
/// mean nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Its path.
    pub path: String,
    /// Its size on disk in bytes.
    pub length: u64,
    /// When it was last modified, milliseconds since the epoch.
    pub modified_ms: i64,
    /// How it is packed.
    pub compression: Compression,
}

/// A range of a file. A record belongs to the split in which it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSplit {
    /// The file.
    pub file: FileInfo,
    /// Offset of the first byte of the split.
    pub start: u64,
    /// Offset behind the last byte; `None`: the split goes to the end of the content. Compressed files are never
    /// cut, so theirs is always `None`.
    pub end: Option<u64>,
    /// Where reading goes on, as an offset in the (unpacked) content; `None` as long as nothing was read.
    pub position: Option<u64>,
}

impl SourceSplit for FileSplit {
    fn split_id(&self) -> String {
        format!("{}:{}", self.file.path, self.start)
    }
}

/// Cuts `file` into splits of `split_bytes` (default: such that each of `parallelism` readers gets one, but within
/// 1 MiB and 64 MiB); one split if it can't be cut.
pub(super) fn cut(
    file: &FileInfo,
    cuttable: bool,
    split_bytes: Option<u64>,
    parallelism: u32,
) -> Vec<FileSplit> {
    if file.length == 0 {
        return Vec::new();
    }
    if file.compression != Compression::None {
        return vec![FileSplit { file: file.clone(), start: 0, end: None, position: None }];
    }
    let fair = file.length.div_ceil(u64::from(parallelism.max(1)));
    let size = split_bytes.unwrap_or(fair.clamp(MIN_SPLIT_BYTES, DEFAULT_SPLIT_BYTES)).max(1);
    let size = if cuttable { size } else { file.length };
    let mut splits = Vec::new();
    let mut start = 0;
    while start < file.length {
        let end = start.saturating_add(size).min(file.length);
        splits.push(FileSplit { file: file.clone(), start, end: Some(end), position: None });
        start = end;
    }
    splits
}
