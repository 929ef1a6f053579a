//! The entries of states, one by one, read by their schemas.

use anyhow::{Context, Result, bail};
use flott_core::schema::{Value, decode, decode_prefix};
use flott_state::{GroupEntries, KeyedStateMeta, OperatorStateSnapshot, StateKind, StateType};
use serde_json::{Map, json};

/// An entry of a keyed state.
pub(super) struct Entry<'b> {
    /// The bytes of key and namespace.
    pub(super) address: &'b [u8],
    /// The bytes of the value.
    pub(super) content: &'b [u8],
    key: Value,
    namespace: Value,
    value: Value,
}

/// Hands every entry of a key group to `visit`.
pub(super) fn each_entry<'b>(
    meta: &KeyedStateMeta,
    entries: &'b GroupEntries,
    mut visit: impl FnMut(Entry<'b>) -> Result<()>,
) -> Result<()> {
    let [of_key, of_namespace, of_value] = &meta.types;
    let mut rest = entries.bytes.as_slice();
    let within = || format!("cannot read an entry of state '{}'", meta.name);
    for _ in 0..entries.count {
        let start = rest;
        let key = decode_prefix(&mut rest, &of_key.schema).with_context(within)?;
        let namespace = decode_prefix(&mut rest, &of_namespace.schema).with_context(within)?;
        let (address, content) = start.split_at(start.len() - rest.len());
        let value = decode_prefix(&mut rest, &of_value.schema).with_context(within)?;
        let content = &content[..content.len() - rest.len()];
        visit(Entry { address, content, key, namespace, value })?;
    }
    if !rest.is_empty() {
        bail!("{}: {} bytes are left over", within(), rest.len());
    }
    Ok(())
}

/// Hands key and namespace of everything that was removed from a key group to `visit`.
pub(super) fn each_address(
    meta: &KeyedStateMeta,
    removed: &GroupEntries,
    mut visit: impl FnMut(&[u8]),
) -> Result<()> {
    let [of_key, of_namespace, _] = &meta.types;
    let mut rest = removed.bytes.as_slice();
    let within = || format!("cannot read what was removed from state '{}'", meta.name);
    for _ in 0..removed.count {
        let start = rest;
        decode_prefix(&mut rest, &of_key.schema).with_context(within)?;
        decode_prefix(&mut rest, &of_namespace.schema).with_context(within)?;
        visit(&start[..start.len() - rest.len()]);
    }
    Ok(())
}

/// Whether types can be read by their schemas.
pub(super) fn is_known(types: &[StateType]) -> bool {
    types.iter().all(|of| of.schema.opaque_because().is_none())
}

/// Refuses types of which nothing is known.
pub(super) fn check_known<'t>(state: &str, types: impl IntoIterator<Item = &'t StateType>) -> Result<()> {
    for of in types {
        if let Some(reason) = of.schema.opaque_because() {
            bail!(
                "state '{state}' can't be read without its job: its type {of} can't be traced, as {reason}"
            );
        }
    }
    Ok(())
}

impl Entry<'_> {
    pub(super) fn to_json(&self, kind: StateKind, group: u32) -> Result<Map<String, serde_json::Value>> {
        let mut json = Map::new();
        json.insert("key_group".to_owned(), json!(group));
        json.insert("key".to_owned(), serde_json::to_value(&self.key)?);
        if self.namespace != Value::Unit {
            json.insert("namespace".to_owned(), serde_json::to_value(&self.namespace)?);
        }
        let value = match kind {
            StateKind::EventTimers | StateKind::ProcessingTimers => "timestamp",
            _ => "value",
        };
        json.insert(value.to_owned(), serde_json::to_value(&self.value)?);
        Ok(json)
    }
}

/// An element of an operator state.
pub(super) fn element_to_json(
    state: &OperatorStateSnapshot,
    element: &[u8],
) -> Result<Map<String, serde_json::Value>> {
    let value = decode(element, &state.element_type.schema)
        .with_context(|| format!("cannot read an element of state '{}'", state.name))?;
    Ok(Map::from_iter([("element".to_owned(), serde_json::to_value(&value)?)]))
}
