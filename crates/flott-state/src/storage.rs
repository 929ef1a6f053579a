//! Where checkpoints and savepoints are kept: blobs under plain paths, and the directories that snapshots make of them.
//!
//! * [`blob`] — the small interface to whatever stores bytes under a path;
//! * [`memory`], [`local`] — the stores that need nothing but this process and its files; `s3` with the feature of that name;
//! * [`url`] — which store a URL names;
//! * [`layout`] — the names of directories and files;
//! * [`target`] — where the state of a snapshot goes;
//! * [`source`] — where it comes from;
//! * `store_files` — the files of stores of bytes, both ways;
//! * [`directory`] — the snapshots of one job;
//! * [`retention`] — which files may be deleted, and `ledger`, which knows what the rule asks;
//! * [`stored`] — a complete snapshot that is found;
//! * [`discover`] — which ones there are;
//! * [`error`] — what can go wrong.
//!
//! Every call that reads or writes blocks: threads that may wait make them, never tasks.

pub mod blob;
pub mod directory;
pub mod discover;
pub mod error;
pub mod layout;
mod ledger;
pub mod local;
pub mod memory;
mod percent;
pub mod retention;
#[cfg(feature = "s3")]
pub mod s3;
pub mod source;
mod store_files;
pub mod stored;
pub mod target;
pub mod url;

pub use blob::{BlobInfo, BlobStore, BlobWriter};
pub use directory::{CheckpointDirectory, CheckpointStorage};
pub use discover::{FoundCheckpoints, LatestCheckpoint, find_checkpoints, latest_checkpoint};
pub use error::StorageError;
pub use local::LocalBlobStore;
pub use memory::MemoryBlobStore;
pub use retention::{KeptCheckpoint, PendingCheckpoint, SnapshotOwner, deletable};
#[cfg(feature = "s3")]
pub use s3::S3BlobStore;
pub use source::StateSource;
pub use stored::StoredSnapshot;
pub use target::{FileScope, SnapshotTarget, StateLimits, StateUpload};
pub use url::open;
