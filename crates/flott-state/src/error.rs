//! What can go wrong with state.

use std::fmt;

use flott_core::{
    encoding::{DecodeError, EncodeError},
    key_group::KeyGroupRange,
    schema::Incompatible,
};

use crate::snapshot::StateKind;

/// An error of state. Small, for results of state access travel through hot loops.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct StateError(Box<StateErrorKind>);

impl StateError {
    /// What went wrong.
    pub fn kind(&self) -> &StateErrorKind {
        &self.0
    }
}

impl From<StateErrorKind> for StateError {
    #[cold]
    fn from(kind: StateErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl StateErrorKind {
    /// Whether the same program fails so again whenever it starts from the same snapshot.
    pub fn comes_again(&self) -> bool {
        matches!(
            self,
            Self::AlreadyRegistered { .. }
                | Self::InvalidTtl { .. }
                | Self::KindDiffers { .. }
                | Self::CannotRestore { .. }
                | Self::TypeDiffers { .. }
                | Self::CannotRehash { .. }
                | Self::ForeignFiles { .. }
                | Self::FilesNotMigrated { .. }
                | Self::UndeclaredBroadcastState { .. }
                | Self::OperatorStateDiffers { .. }
                | Self::CannotRestoreOperatorState { .. }
        )
    }
}

/// The ways in which state fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateErrorKind {
    /// A handle was used that never came from a descriptor.
    #[error("{handle} is bound to no state; obtain it in open() from its descriptor before using it")]
    Unbound {
        /// The handle's type, such as `ValueState<i64>`.
        handle: String,
    },

    /// A handle was used with the state of another operator.
    #[error("{handle} belongs to the state of another operator; obtain a handle in the open() of this one")]
    Foreign {
        /// The handle's type.
        handle: String,
    },

    /// One name was used for two different states.
    #[error(
        "state '{name}' is already registered as {registered}, asked for as {asked}; give each state its own name"
    )]
    AlreadyRegistered {
        /// The name of the state.
        name: String,
        /// What it was registered as first.
        registered: String,
        /// What was asked for now.
        asked: String,
    },

    /// A time to live that can't be.
    #[error("state '{name}' has no valid time to live: {reason}")]
    InvalidTtl {
        /// The name of the state.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },

    /// A state was restored as another kind than it was written as.
    #[error(
        "state '{name}' was written as {written}, but is registered as {asked} now; register it as what it was, or give the \
         new state a name of its own"
    )]
    KindDiffers {
        /// The name of the state.
        name: String,
        /// The kind in the snapshot.
        written: StateKind,
        /// The handle's type, such as `ListState<i64>`.
        asked: String,
    },

    /// What a snapshot holds of a state can't be read as the registered types.
    #[error(
        "cannot restore state '{name}': its entries in key group {group} were written with key, namespace and value of types \
         {} and can't be read as {}: {reason}; use the types that wrote it, or give the new state a name of its own",
        .written.join(", "), .asked.join(", ")
    )]
    CannotRestore {
        /// The name of the state.
        name: String,
        /// The key group whose entries can't be read.
        group: u32,
        /// The types of key, namespace and value in the snapshot.
        written: [String; 3],
        /// The types that are registered now.
        asked: [String; 3],
        /// What is wrong.
        reason: String,
    },

    /// A type of a restored state has changed in a way that what was written can't follow.
    #[error(
        "cannot restore state '{name}', whose {part} was written by {written} and is read by {asked}: {cause}; undo the \
         change, or give the new state a name of its own"
    )]
    TypeDiffers {
        /// The name of the state.
        name: String,
        /// Whether it is the key, the namespace, the value or the element.
        part: &'static str,
        /// The Rust name of the type in the snapshot.
        written: String,
        /// The Rust name of the type that is registered now.
        asked: String,
        /// How they differ.
        cause: Incompatible,
    },

    /// Entries can't be put into other key groups.
    #[error(
        "state '{name}' can't be restored with another max parallelism: {reason}; set max parallelism to what it was in the \
         savepoint"
    )]
    CannotRehash {
        /// The name of the state.
        name: String,
        /// What is wrong.
        reason: String,
    },

    /// A state can't be encoded.
    #[error("cannot take a snapshot of state '{name}' ({kind}): {reason}")]
    CannotSnapshot {
        /// The name of the state.
        name: String,
        /// What it holds.
        kind: StateKind,
        /// What is wrong.
        reason: String,
    },

    /// An element of an operator state is too long for a snapshot.
    #[error(
        "state '{name}' can't be written to a snapshot: one of its elements has {len} bytes, above the limit of {}; split it",
        u32::MAX
    )]
    ElementTooLong {
        /// The name of the state.
        name: String,
        /// The bytes of the element.
        len: usize,
    },

    /// A snapshot was begun while another is not finished.
    #[error(
        "cannot begin a snapshot of keyed state while another is still being written; drain that one to its end, or abort it"
    )]
    SnapshotInProgress,

    /// Changes of a state were to be written where only whole states can be.
    #[error("cannot write only the changes of state '{name}' here; take a full snapshot")]
    ChangesNotTaken {
        /// The name of the state.
        name: String,
    },

    /// A store was to give its files where only entries are taken.
    #[error("cannot take the files of backend '{backend}' here; take a full snapshot")]
    FilesNotTaken {
        /// The backend.
        backend: String,
    },

    /// A checkpoint has the files of a backend that another is to read.
    #[error(
        "the checkpoint holds files of state backend '{written}', which '{asked}' can't read; start with \
         state.backend.type {written}, or from a savepoint, which every backend reads"
    )]
    ForeignFiles {
        /// Whose files they are.
        written: String,
        /// The backend of the job.
        asked: String,
    },

    /// The versions of entries, a number of 32 bits, are used up.
    #[error(
        "cannot begin a snapshot of keyed state: this run of the task has begun 4 billion already; restart the job from its last one"
    )]
    TooManySnapshots,

    /// The store beneath a state failed.
    #[error("the state backend can't {doing} in {place}: {reason}")]
    Store {
        /// What was to be done, such as `write 'counts'`.
        doing: String,
        /// The directory.
        place: String,
        /// Why it failed, and what to do if that is known.
        reason: String,
    },

    /// The namespaces of a state have another type than in the files of its store.
    #[error(
        "the namespaces of state '{name}' are {asked} now and were {written}, and files of state backend '{backend}' can't be read so; \
         start from a savepoint"
    )]
    FilesNotMigrated {
        /// The state.
        name: String,
        /// The backend.
        backend: String,
        /// The type in the files.
        written: String,
        /// The type now.
        asked: String,
    },

    /// What a backend has stored of a state is not what was written.
    #[error(
        "an entry of state '{name}' can't be read back from the state backend: {reason}; what it has stored is damaged, so \
         restart the job from its last checkpoint"
    )]
    CannotReadBack {
        /// The name of the state.
        name: String,
        /// What is wrong.
        reason: String,
    },

    /// An entry can't be encoded for the store beneath its state.
    #[error("an entry of state '{name}' ({kind}) can't be written to the state backend: {reason}")]
    CannotWriteBack {
        /// The name of the state.
        name: String,
        /// What it holds.
        kind: StateKind,
        /// What is wrong.
        reason: String,
    },

    /// A key can't be encoded.
    #[error("cannot hash a key: {reason}")]
    CannotHash {
        /// What is wrong.
        reason: String,
    },

    /// A function asked for a broadcast state that its broadcast stream does not name.
    #[error(
        "there is no broadcast state '{name}': the stream was broadcast with {}; check the name, or give its descriptor \
         to broadcast_with_state", .declared.join(", ")
    )]
    UndeclaredBroadcastState {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        declared: Vec<String>,
    },

    /// An operator state is restored as another kind than it was written as.
    #[error(
        "state '{name}' was written as {written_as} and can't be restored as {read_as}; ask for it as what it was, \
         or give the new state a name of its own"
    )]
    OperatorStateDiffers {
        /// The name of the state.
        name: String,
        /// What the snapshot holds.
        written_as: String,
        /// What was asked for.
        read_as: String,
    },

    /// A restored element of an operator state can't be read as its type.
    #[error(
        "state '{name}' was written as {written_as} and can't be read as {read_as}: {cause}; restore it with the type \
         that wrote it, or give the new state a name of its own"
    )]
    CannotRestoreOperatorState {
        /// The name of the state.
        name: String,
        /// What the snapshot holds.
        written_as: String,
        /// What was asked for.
        read_as: String,
        /// What is wrong with the bytes.
        cause: DecodeError,
    },

    /// An element of an operator state can't be encoded.
    #[error("state '{name}' can't be written to a snapshot, as a {of_type} of it can't be encoded: {cause}")]
    CannotSnapshotOperatorState {
        /// The name of the state.
        name: String,
        /// The type of the value.
        of_type: String,
        /// What can't be encoded.
        cause: EncodeError,
    },

    /// A record came to a subtask that doesn't own its key.
    #[error(
        "a record with key hash {hash:#018x} is of key group {group}, but this subtask owns {}; it was routed wrongly, \
         or its hash was computed from another key",
        Groups(*.owned)
    )]
    OutsideRange {
        /// The routing hash that came with the record.
        hash: u64,
        /// The key group it belongs to.
        group: u32,
        /// The key groups of this subtask.
        owned: KeyGroupRange,
    },

    /// Key groups that can't be.
    #[error("cannot open keyed state for {} of {max_parallelism}: it takes at least one key group, \
             all below max parallelism, which is at most {limit}", Groups(*.asked))]
    InvalidKeyGroups {
        /// The range that was asked for.
        asked: KeyGroupRange,
        /// The number of key groups of the job.
        max_parallelism: u32,
        /// The largest number of key groups.
        limit: u32,
    },

    /// No state backend has this name.
    #[error("there is no state backend '{name}'{}; known are: {}", DidYouMean(.nearest), .known.join(", "))]
    UnknownBackend {
        /// The name that was asked for.
        name: String,
        /// The known name that it resembles.
        nearest: Option<String>,
        /// Every known name.
        known: Vec<String>,
    },

    /// A state backend that comes with a feature that is switched off.
    #[error(
        "this program was built without the state backend '{name}'; give its dependency on flott the feature '{name}'"
    )]
    BackendNotBuilt {
        /// The name of the backend and of the feature.
        name: String,
    },

    /// Two state backends have the same name.
    #[error("a state backend '{name}' is registered already; register each under its own name")]
    DuplicateBackend {
        /// The name of both.
        name: String,
    },
}

struct Groups(KeyGroupRange);

impl fmt::Display for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            range if range.is_empty() => write!(f, "no key group"),
            range => write!(f, "key groups {} to {}", range.start, range.end - 1),
        }
    }
}

struct DidYouMean<'a>(&'a Option<String>);

impl fmt::Display for DidYouMean<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |name| write!(f, " (did you mean '{name}'?)"))
    }
}
