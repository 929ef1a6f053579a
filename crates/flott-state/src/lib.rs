//! State and timers: what an operator remembers, for each key and as a whole.
//!
//! Keyed state lives in tables by key group, the smallest unit that moves when a job is rescaled. Bottom-up:
//!
//! * `prefetch`, `huge_pages` — hints that hide the latency of memory;
//! * [`namespace`] — what divides the state of a key further, such as its windows;
//! * `table` — one key group of one state: a flat hash table whose slots are versioned for snapshots;
//! * [`value_store`] — one state of one subtask: its tables, and the way from a record's hash to a slot;
//! * `removals` — the keys that a state has lost, for snapshots of changes;
//! * [`disk`] — state that need not fit into memory;
//! * [`backend`] — where state is kept, chosen by name;
//! * `erased` — a state whose type only its handle knows;
//! * [`keyed`] — all states of one subtask, and the key that is current;
//! * `state_store` — one state: its tables and what its kind adds to them;
//! * `handle` — what the handles that user code holds have in common;
//! * [`value_state`], [`list_state`], [`map_state`], [`reducing_state`], [`aggregating_state`] — a handle each;
//! * [`aggregate`] — how values are folded into an accumulator;
//! * [`merging`] — how what a key has in several namespaces becomes one;
//! * [`ttl`] — state that is forgotten some time after it was last accessed;
//! * [`state_type`] — the types of what a snapshot holds, and how it is read as those that there are now;
//! * [`snapshot`] — what an operator's subtask puts into a checkpoint, as plain data;
//! * [`operator_state`] — lists and maps that belong to a subtask, whatever the key;
//! * [`mod@redistribute`] — who gets which part of a snapshot at another parallelism;
//! * [`timers`] — what is to be done for a key when time has come;
//! * [`mod@format`] — the form in which snapshots are stored;
//! * [`storage`] — where they are stored;
//! * [`error`] — what can go wrong;
//! * [`testing`] — for tests: state on disk without a disk.
//!
//! Every access takes the hash that was computed when the record was routed; keys are hashed here only where no record
//! comes with them: when state is restored, and when all keys are visited. Nothing outside this crate knows the layout
//! of a slot.

pub mod aggregate;
pub mod aggregating_state;
pub mod backend;
pub mod disk;
mod erased;
pub mod error;
pub mod format;
mod handle;
#[cfg(target_os = "linux")]
mod huge_pages;
pub mod keyed;
pub mod list_state;
pub mod map_state;
pub mod merging;
pub mod namespace;
pub mod operator_state;
mod prefetch;
pub mod redistribute;
pub mod reducing_state;
pub mod rehash;
mod removals;
pub mod snapshot;
mod state_store;
pub mod state_type;
pub mod storage;
mod table;
pub mod testing;
pub mod timers;
pub mod ttl;
pub mod value_state;
pub mod value_store;

pub use aggregate::AggregateFunction;
pub use aggregating_state::{AggregatingState, AggregatingStateDescriptor};
pub use backend::{BackendRegistry, BackendScope, HashMapStateBackend, KeyedStorage, StateBackend};
pub use disk::ByteStore;
pub use error::{StateError, StateErrorKind};
pub use keyed::{CurrentKey, HasKeyedState, KeyedState, KeyedStateStore, StateHandle, StateRegistry};
pub use list_state::{ListState, ListStateDescriptor};
pub use map_state::{MapState, MapStateDescriptor};
pub use merging::MergingState;
pub use namespace::Namespace;
pub use operator_state::{
    BroadcastState, HasOperatorState, HasReadOnlyOperatorState, OperatorListState, OperatorState,
    OperatorStateStore,
};
pub use redistribute::redistribute;
pub use reducing_state::{ReducingState, ReducingStateDescriptor};
pub use snapshot::{
    GroupEntries, KeyedStateMeta, KeyedStateSnapshot, OperatorSnapshot, OperatorStateSnapshot,
    RedistributionMode, SnapshotBudget, SnapshotExtent, SnapshotRequest, SnapshotSink, StateKind,
};
pub use state_type::{Reading, StateType};
pub use table::Epoch;
pub use timers::{Timer, TimerQueue};
pub use ttl::{StateTtlConfig, StateVisibility, UpdateType};
pub use value_state::{ValueState, ValueStateDescriptor};
pub use value_store::ValueStore;
