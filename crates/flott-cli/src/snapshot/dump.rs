//! `flott snapshot dump`.

use std::io::Write;

use anyhow::{Result, bail};
use flott_state::{OperatorSnapshot, storage::StoredSnapshot};
use serde_json::json;

use super::{
    entries::{check_known, each_entry, element_to_json},
    select::{instead, operator},
};

pub(super) fn dump(
    snapshot: &StoredSnapshot,
    wanted: &str,
    state: &str,
    key_group: Option<u32>,
    out: &mut dyn Write,
) -> Result<()> {
    let selected = operator(snapshot, wanted)?;
    let mut names = Vec::new();
    let mut found = false;
    for subtask in selected.subtasks(snapshot) {
        let (subtask, stored) = subtask?;
        names.extend(states(&stored));
        found |= names.iter().any(|name| name == state);
        for part in stored.keyed.iter().filter(|part| part.meta.name == state) {
            check_known(state, &part.meta.types)?;
            let groups = part.groups.iter().filter(|(group, _)| key_group.is_none_or(|only| only == **group));
            for (group, entries) in groups {
                each_entry(&part.meta, entries, |entry| {
                    let json = entry.to_json(part.meta.kind, *group)?;
                    Ok(writeln!(out, "{}", serde_json::to_string(&json)?)?)
                })?;
            }
        }
        for part in stored.operator.iter().filter(|part| part.name == state && key_group.is_none()) {
            check_known(state, [&part.element_type])?;
            for element in &part.elements {
                let mut json = element_to_json(part, element)?;
                json.insert("subtask".to_owned(), json!(subtask));
                writeln!(out, "{}", serde_json::to_string(&json)?)?;
            }
        }
    }
    if !found {
        bail!("operator '{wanted}' has no state '{state}'; {}", instead(state, names.into_iter()));
    }
    Ok(())
}

fn states(stored: &OperatorSnapshot) -> impl Iterator<Item = String> {
    let keyed = stored.keyed.iter().map(|part| part.meta.name.clone());
    keyed.chain(stored.operator.iter().map(|part| part.name.clone()))
}
