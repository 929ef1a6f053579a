//! The form in which snapshots are stored, version 1. `docs/snapshot-format.md` has every byte.
//!
//! * [`damage`] — the ways in which stored bytes are not what was written;
//! * `frame` — magic numbers, versions and checksums;
//! * `index` — what a state file says of its chunks;
//! * [`encoder`] — state as the bytes of a state file, without I/O;
//! * [`reader`] — the key groups that one wants from a state file;
//! * [`handle`] — where the state of a subtask is;
//! * [`store_files`] — the files of a store of bytes, which are taken as they are;
//! * [`metadata`] — what makes a checkpoint complete.
//!
//! Nothing that is read is trusted: bytes from anywhere end in a value or an error, and memory is taken only for what is there.

mod byte_string;
pub mod damage;
pub mod encoder;
mod frame;
pub mod handle;
mod index;
pub mod metadata;
pub mod reader;
pub mod store_files;

pub use damage::Damage;
pub use encoder::{EncodedEnd, OperatorSection, StateFileEncoder};
pub use frame::FORMAT_VERSION;
pub use handle::{SnapshotHandle, StateFile, StatePart};
pub use metadata::{CheckpointMetadata, JobKey, OperatorMetadata, SnapshotForm, SubtaskState, TaskMetadata};
pub use reader::StateFileReader;
pub use store_files::{StoreFile, StoreFiles, StoredBytes};
