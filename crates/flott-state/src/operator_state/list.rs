//! The handle of a list that belongs to a subtask.

use std::marker::PhantomData;

use flott_core::{
    Data,
    encoding::{self, DecodeError, EncodeError},
};

use super::{HasOperatorState, HasReadOnlyOperatorState, OperatorState, Store};
use crate::{
    error::StateError,
    handle::state_handle,
    snapshot::RedistributionMode,
    state_type::{Reading, StateType},
};

/// A list per subtask (Flink: `ListState` of operator state). Each element is a unit that moves by itself when the job
/// is restored at another parallelism, so elements must not depend on each other.
///
/// A handle is used like that of a [`ValueState`](crate::ValueState), and fails like it, but needs no key.
pub struct OperatorListState<T> {
    id: u32,
    of_type: PhantomData<fn() -> T>,
}

state_handle!(OperatorListState<T>);

impl<T: Data> OperatorListState<T> {
    /// The elements, in the order in which they were added.
    #[inline]
    pub fn get<C: HasReadOnlyOperatorState + ?Sized>(self, context: &C) -> Result<&[T], StateError> {
        let store = context.operator_state().store::<Elements<T>>(self.id);
        store.map(|elements| elements.0.as_slice()).ok_or_else(|| self.not_found())
    }

    /// Appends an element.
    #[inline]
    pub fn add<C: HasOperatorState + ?Sized>(self, context: &mut C, element: T) -> Result<(), StateError> {
        self.elements(context)?.push(element);
        Ok(())
    }

    /// Appends elements.
    pub fn add_all<C: HasOperatorState + ?Sized>(
        self,
        context: &mut C,
        elements: impl IntoIterator<Item = T>,
    ) -> Result<(), StateError> {
        self.elements(context)?.extend(elements);
        Ok(())
    }

    /// Replaces the list.
    pub fn update<C: HasOperatorState + ?Sized>(
        self,
        context: &mut C,
        elements: Vec<T>,
    ) -> Result<(), StateError> {
        *self.elements(context)? = elements;
        Ok(())
    }

    /// Removes all elements.
    pub fn clear<C: HasOperatorState + ?Sized>(self, context: &mut C) -> Result<(), StateError> {
        self.elements(context)?.clear();
        Ok(())
    }

    #[inline]
    fn elements<C: HasOperatorState + ?Sized>(self, context: &mut C) -> Result<&mut Vec<T>, StateError> {
        let store = context.operator_state_mut().store_mut::<Elements<T>>(self.id);
        store.map(|elements| &mut elements.0).ok_or_else(|| self.not_found())
    }
}

pub(super) fn register<T: Data>(
    state: &mut OperatorState,
    name: &str,
    mode: RedistributionMode,
) -> Result<OperatorListState<T>, StateError> {
    state.register::<Elements<T>>(name, mode).map(OperatorListState::bound)
}

struct Elements<T>(Vec<T>);

impl<T> Default for Elements<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Data> Store for Elements<T> {
    fn element_type() -> StateType {
        StateType::of::<T>()
    }

    fn restore(&mut self, element: &[u8], reading: Reading<'_>) -> Result<(), DecodeError> {
        self.0.push(reading.whole(element)?);
        Ok(())
    }

    fn encode(&self) -> Result<Vec<Vec<u8>>, EncodeError> {
        self.0.iter().map(encoding::to_vec).collect()
    }
}
