//! Operator state: what a subtask remembers as a whole, whatever the key (Flink: `OperatorStateBackend`).
//!
//! It lives on the heap, whatever the state backend. What is done with it at another parallelism is decided by how it
//! was obtained, and is [`redistribute`](crate::redistribute())'s business.

mod broadcast;
mod list;

use std::any::Any;

use flott_core::{
    Data,
    encoding::{DecodeError, EncodeError},
};

use crate::{
    error::{StateError, StateErrorKind},
    list_state::ListStateDescriptor,
    map_state::MapStateDescriptor,
    snapshot::{OperatorStateSnapshot, RedistributionMode},
    state_type::{Reading, StateType, tell_opaque},
    ttl::StateTtlConfig,
};

pub use broadcast::BroadcastState;
pub use list::OperatorListState;

#[cfg(test)]
mod tests;

/// The operator states of one subtask, each registered by a descriptor and used through its handle.
#[derive(Default)]
pub struct OperatorState {
    states: Vec<Registered>,
    is_restored: bool,
    /// What is restored of states that have not been registered yet.
    restored: Vec<OperatorStateSnapshot>,
}

struct Registered {
    name: String,
    mode: RedistributionMode,
    store: Box<dyn AnyStore>,
}

/// What a state holds. Its elements are what its snapshot consists of.
trait Store: Default + Send + 'static {
    /// The type of the elements.
    fn element_type() -> StateType;
    /// Takes over an element of a snapshot.
    fn restore(&mut self, element: &[u8], reading: Reading<'_>) -> Result<(), DecodeError>;
    /// All elements in order.
    fn encode(&self) -> Result<Vec<Vec<u8>>, EncodeError>;
}

/// A [`Store`] whose type only its handle knows.
trait AnyStore: Any + Send {
    fn element_type(&self) -> StateType;
    fn encode(&self) -> Result<Vec<Vec<u8>>, EncodeError>;
}

impl<S: Store> AnyStore for S {
    fn element_type(&self) -> StateType {
        S::element_type()
    }

    fn encode(&self) -> Result<Vec<Vec<u8>>, EncodeError> {
        Store::encode(self)
    }
}

impl OperatorState {
    /// The state of a subtask, without any registered yet.
    ///
    /// `restored` is what the subtask gets of an earlier run, `None` on a fresh start; each state is taken over when
    /// it is registered.
    pub fn new(restored: Option<Vec<OperatorStateSnapshot>>) -> Self {
        let is_restored = restored.is_some();
        Self { states: Vec::new(), is_restored, restored: restored.unwrap_or_default() }
    }

    /// Whether the job was restored from a snapshot (Flink: `isRestored`), even one without state of this subtask.
    pub const fn is_restored(&self) -> bool {
        self.is_restored
    }

    /// All states as they are now, those that were restored and never registered among them, unchanged.
    ///
    /// # Errors
    /// When an element can't be encoded.
    pub fn snapshot(&self) -> Result<Vec<OperatorStateSnapshot>, StateError> {
        let registered = self.states.iter().map(Registered::snapshot);
        registered.chain(self.restored.iter().cloned().map(Ok)).collect()
    }

    fn register<S: Store>(&mut self, name: &str, mode: RedistributionMode) -> Result<u32, StateError> {
        if let Some(id) = self.states.iter().position(|known| known.name == name) {
            let known = &self.states[id];
            if known.mode == mode && self.store::<S>(id as u32).is_some() {
                return Ok(id as u32);
            }
            let registered = described(known.mode, &known.store.element_type());
            let (name, asked) = (name.to_owned(), described(mode, &S::element_type()));
            return Err(StateErrorKind::AlreadyRegistered { name, registered, asked }.into());
        }
        let store = Box::new(self.restored::<S>(name, mode)?);
        self.restored.retain(|state| state.name != name);
        tell_opaque(name, &[S::element_type()]);
        self.states.push(Registered { name: name.to_owned(), mode, store });
        Ok(self.states.len() as u32 - 1)
    }

    /// The state of this name as it is restored; empty if it is new.
    fn restored<S: Store>(&self, name: &str, mode: RedistributionMode) -> Result<S, StateError> {
        let mut store = S::default();
        for state in self.restored.iter().filter(|state| state.name == name) {
            let read_as = || described(mode, &S::element_type());
            let written_as = || described(state.mode, &state.element_type);
            if state.mode != mode {
                let (written_as, read_as) = (written_as(), read_as());
                return Err(StateErrorKind::OperatorStateDiffers {
                    name: name.to_owned(),
                    written_as,
                    read_as,
                }
                .into());
            }
            let wanted = S::element_type();
            let reading = state.element_type.read_as(&wanted).map_err(|cause| {
                let (written, asked) = (state.element_type.to_string(), wanted.to_string());
                StateErrorKind::TypeDiffers { name: name.to_owned(), part: "element", written, asked, cause }
            })?;
            for element in &state.elements {
                store.restore(element, reading).map_err(|cause| {
                    StateErrorKind::CannotRestoreOperatorState {
                        name: name.to_owned(),
                        written_as: written_as(),
                        read_as: read_as(),
                        cause,
                    }
                })?;
            }
        }
        Ok(store)
    }

    /// The state with this id, if there is one and it is an `S`.
    #[inline]
    fn store<S: Store>(&self, id: u32) -> Option<&S> {
        let store: &dyn Any = &*self.states.get(id as usize)?.store;
        store.downcast_ref()
    }

    /// See [`OperatorState::store`].
    #[inline]
    fn store_mut<S: Store>(&mut self, id: u32) -> Option<&mut S> {
        let store: &mut dyn Any = &mut *self.states.get_mut(id as usize)?.store;
        store.downcast_mut()
    }
}

impl Registered {
    fn snapshot(&self) -> Result<OperatorStateSnapshot, StateError> {
        let element_type = self.store.element_type();
        match self.store.encode() {
            Ok(elements) => {
                Ok(OperatorStateSnapshot { name: self.name.clone(), mode: self.mode, element_type, elements })
            }
            Err(cause) => Err(StateErrorKind::CannotSnapshotOperatorState {
                name: self.name.clone(),
                of_type: element_type.name,
                cause,
            }
            .into()),
        }
    }
}

/// A state as messages tell it.
fn described(mode: RedistributionMode, element_type: &StateType) -> String {
    let kind = match mode {
        RedistributionMode::SplitDistribute => "list state",
        RedistributionMode::Union => "union list state",
        RedistributionMode::Broadcast => "broadcast state",
    };
    format!("{kind} of {element_type}")
}

/// Operator state never expires; one that was meant to must not grow unnoticed.
fn refuse_ttl(name: &str, ttl: Option<&StateTtlConfig>) -> Result<(), StateError> {
    let reason = "only keyed state expires; leave enable_time_to_live out";
    match ttl {
        Some(_) => Err(StateErrorKind::InvalidTtl { name: name.to_owned(), reason }.into()),
        None => Ok(()),
    }
}

/// Where operator states are registered, each under a name that is unique among the operator's operator states
/// (Flink: `OperatorStateStore`).
///
/// The same name, kind and type always give the same handle. There is no value state, as nothing could say which
/// subtask gets it at another parallelism.
pub trait OperatorStateStore {
    /// All states of the subtask.
    fn operator_state_store(&mut self) -> &mut OperatorState;

    /// Whether the job was restored from a snapshot.
    fn is_restored(&mut self) -> bool {
        self.operator_state_store().is_restored
    }

    /// A list whose elements are spread evenly over the subtasks when the job is restored at another parallelism
    /// (Flink: `getListState`). At the same parallelism each subtask gets its own list back.
    ///
    /// # Errors
    /// When the name is taken by a state of another kind or type, the restored state is of another one, or the
    /// descriptor has a time to live.
    fn list_state<T: Data>(
        &mut self,
        descriptor: ListStateDescriptor<T>,
    ) -> Result<OperatorListState<T>, StateError> {
        refuse_ttl(descriptor.name(), descriptor.ttl.as_ref())?;
        list::register(self.operator_state_store(), descriptor.name(), RedistributionMode::SplitDistribute)
    }

    /// A list of which every subtask gets all elements of all subtasks when the job is restored, to choose from
    /// (Flink: `getUnionListState`). Not for many elements.
    ///
    /// # Errors
    /// As [`OperatorStateStore::list_state`].
    fn union_list_state<T: Data>(
        &mut self,
        descriptor: ListStateDescriptor<T>,
    ) -> Result<OperatorListState<T>, StateError> {
        refuse_ttl(descriptor.name(), descriptor.ttl.as_ref())?;
        list::register(self.operator_state_store(), descriptor.name(), RedistributionMode::Union)
    }

    /// A map that is the same in all subtasks, as each sees the same broadcast stream (Flink: `getBroadcastState`).
    ///
    /// # Errors
    /// As [`OperatorStateStore::list_state`].
    fn broadcast_state<K: Data + Eq + std::hash::Hash, V: Data>(
        &mut self,
        descriptor: MapStateDescriptor<K, V>,
    ) -> Result<BroadcastState<K, V>, StateError> {
        refuse_ttl(descriptor.name(), descriptor.ttl.as_ref())?;
        broadcast::register(self.operator_state_store(), descriptor.name())
    }
}

impl OperatorStateStore for OperatorState {
    fn operator_state_store(&mut self) -> &mut OperatorState {
        self
    }
}

/// A context in which operator state can be read, and no more: that of the side of a broadcast function which must
/// not write the broadcast state.
pub trait HasReadOnlyOperatorState {
    /// The operator states of the subtask.
    fn operator_state(&self) -> &OperatorState;
}

/// A context in which operator state can be read and written.
pub trait HasOperatorState: HasReadOnlyOperatorState {
    /// The operator states of the subtask.
    fn operator_state_mut(&mut self) -> &mut OperatorState;
}

impl HasReadOnlyOperatorState for OperatorState {
    #[inline]
    fn operator_state(&self) -> &OperatorState {
        self
    }
}

impl HasOperatorState for OperatorState {
    #[inline]
    fn operator_state_mut(&mut self) -> &mut OperatorState {
        self
    }
}
