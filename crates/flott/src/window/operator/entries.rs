//! Contents in tables of an operator's own, back from a snapshot.

use std::sync::Arc;

use flott_core::encoding::{DecodeError, decode_prefix};
use flott_core::hash::key_hash;
use flott_core::time::Timestamp;
use flott_core::{Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::OperatorSetup;
use flott_state::{GroupEntries, KeyedState, KeyedStateSnapshot, Reading, StateType};

use super::fired::Fired;
use crate::state::keyed_state;

/// How the different operators call the contents of windows.
const KEPT_AS: [&str; 3] = ["window-contents", "window-panes", "window-sessions"];

/// Contents are kept in different ways, which can't stand in for each other: what was written in one is refused in
/// another rather than lost.
///
/// # Errors
/// When contents called other than `name` are restored.
pub(super) fn check_kept_as(setup: &OperatorSetup, name: &str) -> FnResult {
    let restored = setup.restored.iter().flat_map(|restored| &restored.keyed);
    let mut others =
        restored.filter(|part| part.meta.name != name && KEPT_AS.contains(&part.meta.name.as_str()));
    match others.find(|part| !part.groups.is_empty()) {
        Some(other) => Err(format!(
            "can't restore windows from state '{}', as they are kept in '{name}' now: keep the kind of windows, the \
             trigger, the evictor, and whether there is an allowed lateness, or give the operator another uid",
            other.meta.name
        )
        .into()),
        None => Ok(()),
    }
}

/// What is restored of an operator whose contents are in tables of its own.
pub(super) struct Restored<K> {
    /// The user's state.
    pub(super) state: KeyedState<K>,
    /// Up to which watermark windows have fired; those up to it are not fired again.
    pub(super) watermark: Timestamp,
    /// Which key groups have fired further.
    pub(super) fired: Fired,
    contents: Vec<KeyedStateSnapshot>,
}

impl<K: Key> Restored<K> {
    /// Takes out what is called `name`.
    pub(super) fn of(setup: &OperatorSetup, name: &str) -> FnResult<Self> {
        check_kept_as(setup, name)?;
        let mut restored = setup.restored.as_deref().cloned().unwrap_or_default();
        let contents = restored.keyed.extract_if(.., |part| part.meta.name == name).collect();
        let (fired, watermark) = Fired::of(setup)?;
        let of_user = OperatorSetup { restored: Some(Arc::new(restored)), ..setup.clone() };
        Ok(Self { state: keyed_state(&of_user)?, watermark, fired, contents })
    }

    /// Hands every entry of this subtask's key groups to `take`.
    pub(super) fn for_each<N: Data, V: Data>(
        &mut self,
        setup: &OperatorSetup,
        mut take: impl FnMut(u64, K, N, V) -> Result<(), String>,
    ) -> FnResult {
        for part in std::mem::take(&mut self.contents) {
            let reading = part.meta.read_as(&StateType::of_each::<K, N, V>())?;
            for (_, entries) in part.groups.iter().filter(|(group, _)| setup.key_groups().contains(**group)) {
                read_group(entries, reading, &mut take).map_err(|cause| {
                    let types = StateType::of_each::<K, N, V>();
                    let [written, now] = [&part.meta.types, &types]
                        .map(|types| types.each_ref().map(StateType::to_string).join(", "));
                    format!(
                        "can't restore the windows in state '{}', written with key, window and contents of \
                         ({written}), as ({now}): {cause}",
                        part.meta.name
                    )
                })?;
            }
        }
        Ok(())
    }
}

fn read_group<K: Key, N: Data, V: Data>(
    entries: &GroupEntries,
    [namespaces, values]: [Reading<'_>; 2],
    take: &mut impl FnMut(u64, K, N, V) -> Result<(), String>,
) -> Result<(), String> {
    let told = |error: DecodeError| error.to_string();
    let mut bytes = entries.bytes.as_slice();
    for _ in 0..entries.count {
        let key: K = decode_prefix(&mut bytes).map_err(told)?;
        let at = namespaces.prefix(&mut bytes).map_err(told)?;
        let value = values.prefix(&mut bytes).map_err(told)?;
        let hash = key_hash(&key).map_err(|error| error.to_string())?;
        take(hash, key, at, value)?;
    }
    if bytes.is_empty() { Ok(()) } else { Err(format!("{} bytes are left over", bytes.len())) }
}
