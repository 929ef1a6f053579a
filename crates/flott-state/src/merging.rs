//! Merging what a key has in several namespaces, as session windows need it.

use flott_core::{Key, time::Timestamp};

use crate::{
    error::StateError,
    keyed::{CurrentKey, KeyedState},
    namespace::Namespace,
    state_store::{Kind, Selected},
};

#[cfg(test)]
mod tests;

/// A state whose contents in several namespaces can become one (Flink: `InternalMergingState`).
pub trait MergingState<K, N>: Copy {
    /// Moves what `key` has in each of `sources` into `target`, which is first in the order of combination if it holds
    /// something already. The sources are empty afterwards; `target` must not be one of them.
    ///
    /// # Errors
    /// As for any access through the handle.
    fn merge_namespaces(
        self,
        state: &mut KeyedState<K>,
        key: &K,
        hash: u64,
        target: &N,
        sources: &[N],
    ) -> Result<(), StateError>;
}

/// A kind of state whose stored forms can be combined.
pub(crate) trait Merge: Kind {
    /// What can still be read of `stored` at the processing time `now`.
    fn visible(&self, stored: Self::Stored, _now: Timestamp) -> Option<Self::Stored> {
        Some(stored)
    }

    /// Combines two stored forms, the first of which comes first.
    fn merge(&self, into: &mut Self::Stored, from: Self::Stored, now: Timestamp);
}

/// Merges namespaces of the state with this id; `None` if there is none of kind `D`.
pub(crate) fn merge<K: Key, N: Namespace, D: Merge>(
    id: u32,
    state: &mut KeyedState<K>,
    (key, hash): (&K, u64),
    target: &N,
    sources: &[N],
) -> Result<Option<()>, StateError> {
    let now = state.processing_time();
    let mut merged = None;
    for source in sources {
        let current = CurrentKey { state, key, hash, namespace: source };
        let Some(mut at) = Selected::<K, N, D>::new(id, current)? else { return Ok(None) };
        let removed = at.remove()?;
        let kind = &at.store.kind;
        merged = match (merged, removed.and_then(|stored| kind.visible(stored, now))) {
            (Some(mut merged), Some(from)) => {
                kind.merge(&mut merged, from, now);
                Some(merged)
            }
            (merged, from) => merged.or(from),
        };
    }
    let current = CurrentKey { state, key, hash, namespace: target };
    let Some(mut at) = Selected::<K, N, D>::new(id, current)? else { return Ok(None) };
    if let Some(merged) = merged {
        match at.get_mut_and_kind()? {
            (Some(stored), kind) => kind.merge(stored, merged, now),
            (None, _) => at.insert(merged)?,
        }
    }
    Ok(Some(()))
}
