//! What a snapshot is asked to hold.

/// What an operator is asked for when a snapshot begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// The checkpoint or savepoint that it is for.
    pub checkpoint: u64,
    /// How much of the state it is to hold.
    pub extent: SnapshotExtent,
    /// Whether states on disk may be handed over as the files of their store.
    pub files: bool,
}

/// How much of the state a snapshot is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotExtent {
    /// All of it: a savepoint, or a checkpoint of a job whose checkpoints are not incremental. No changes since this snapshot will be
    /// asked for.
    Whole,
    /// What has changed since another snapshot. Each state decides for itself: one that can't tell what has changed, or of which most
    /// has, gives all it has. Changes since this snapshot may be asked for later.
    Changes {
        /// The checkpoint whose snapshot that is, which is complete. No changes since earlier ones will be asked for. `None`, or one of
        /// another run: everything is wanted.
        base: Option<u64>,
    },
}

impl SnapshotRequest {
    /// Asks for everything.
    pub const fn whole(checkpoint: u64) -> Self {
        Self { checkpoint, extent: SnapshotExtent::Whole, files: false }
    }

    /// Asks for what has changed since the snapshot for `base`.
    pub const fn changes(checkpoint: u64, base: Option<u64>) -> Self {
        Self { checkpoint, extent: SnapshotExtent::Changes { base }, files: false }
    }

    /// Lets states on disk be handed over as the files of their store.
    #[must_use]
    pub const fn or_files(self) -> Self {
        Self { files: true, ..self }
    }
}
