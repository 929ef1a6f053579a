//! `flott snapshot diff`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    process::ExitCode,
};

use anyhow::Result;
use flott_state::{GroupEntries, KeyedStateMeta, OperatorStateSnapshot, storage::StoredSnapshot};
use serde_json::{Map, Value, json};

use super::{
    entries::{check_known, each_entry, element_to_json},
    select::{Selected, called, operators},
    tell,
};

pub(super) fn diff(
    a: &StoredSnapshot,
    b: &StoredSnapshot,
    entries: bool,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    let [of_a, of_b] = [a, b]
        .map(|snapshot| operators(snapshot).map(|one| (one.operator.id, one)).collect::<BTreeMap<_, _>>());
    let mut report = Report { out, entries, differences: 0 };
    let ids: BTreeSet<_> = of_a.keys().chain(of_b.keys()).collect();
    for id in ids {
        match (of_a.get(id), of_b.get(id)) {
            (Some(one), Some(other)) => {
                let (one, other) = (States::read(a, *one)?, States::read(b, *other)?);
                let names: BTreeSet<_> = one.names().chain(other.names()).collect();
                names.into_iter().try_for_each(|name| report.state(name, &one, &other))?;
            }
            (Some(one), None) => report.tell(&format!("only in A: operator '{}'", called(one.operator)))?,
            (None, Some(one)) => report.tell(&format!("only in B: operator '{}'", called(one.operator)))?,
            (None, None) => {}
        }
    }
    Ok(if report.differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The states of one operator, of all subtasks together.
struct States {
    operator: String,
    keyed: BTreeMap<String, (KeyedStateMeta, BTreeMap<u32, GroupEntries>)>,
    lists: BTreeMap<String, OperatorStateSnapshot>,
}

impl States {
    fn read(snapshot: &StoredSnapshot, selected: Selected<'_>) -> Result<Self> {
        let mut states =
            Self { operator: called(selected.operator), keyed: BTreeMap::new(), lists: BTreeMap::new() };
        for subtask in selected.subtasks(snapshot) {
            let (_, stored) = subtask?;
            for part in stored.keyed {
                let known = states.keyed.entry(part.meta.name.clone());
                known.or_insert_with(|| (part.meta, BTreeMap::new())).1.extend(part.groups);
            }
            for mut part in stored.operator {
                match states.lists.get_mut(&part.name) {
                    Some(known) => known.elements.append(&mut part.elements),
                    None => {
                        states.lists.insert(part.name.clone(), part);
                    }
                }
            }
        }
        Ok(states)
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.keyed.keys().chain(self.lists.keys())
    }

    fn has(&self, name: &str) -> bool {
        self.keyed.contains_key(name) || self.lists.contains_key(name)
    }
}

struct Report<'o> {
    out: &'o mut dyn Write,
    /// Whether to write each entry.
    entries: bool,
    differences: u64,
}

impl Report<'_> {
    fn tell(&mut self, line: &str) -> Result<()> {
        self.differences += 1;
        Ok(writeln!(self.out, "{line}")?)
    }

    fn state(&mut self, name: &str, a: &States, b: &States) -> Result<()> {
        let label = format!("'{name}' of operator '{}'", a.operator);
        match (a.has(name), b.has(name)) {
            (true, false) => return self.tell(&format!("only in A: state {label}")),
            (false, true) => return self.tell(&format!("only in B: state {label}")),
            _ => {}
        }
        match (a.keyed.get(name), b.keyed.get(name), a.lists.get(name), b.lists.get(name)) {
            (Some((meta, groups)), Some((other, others)), ..) => {
                if meta != other {
                    return self.tell(&format!(
                        "state {label} is {} in A and {} in B",
                        about(meta),
                        about(other)
                    ));
                }
                let (one, other) = (by_key(meta, groups)?, by_key(meta, others)?);
                self.contents(&label, &one, &other)
            }
            (None, None, Some(list), Some(other)) => {
                let types = [&list.element_type, &other.element_type].map(tell::state_type);
                if types[0] != types[1] || list.mode != other.mode {
                    let modes = [tell::mode(list.mode), tell::mode(other.mode)];
                    let [one, other] = [0, 1].map(|at| format!("{} of {}", modes[at], types[at]));
                    return self.tell(&format!("state {label} is {one} in A and {other} in B"));
                }
                let (one, other) = (by_bytes(list)?, by_bytes(other)?);
                self.contents(&label, &one, &other)
            }
            _ => self.tell(&format!("state {label} is keyed in one and not in the other")),
        }
    }

    fn contents(&mut self, label: &str, a: &Contents, b: &Contents) -> Result<()> {
        let (mut only_a, mut only_b, mut changed) = (0, 0, 0);
        let addresses: BTreeSet<_> = a.keys().chain(b.keys()).collect();
        for address in addresses {
            let (one, other) = (a.get(address), b.get(address));
            if one.map(|(content, _)| content) == other.map(|(content, _)| content) {
                continue;
            }
            *match (one, other) {
                (Some(_), None) => &mut only_a,
                (None, Some(_)) => &mut only_b,
                _ => &mut changed,
            } += 1;
            if self.entries {
                let json = json!({ "state": label, "a": one.map(|(_, json)| json), "b": other.map(|(_, json)| json) });
                writeln!(self.out, "{json}")?;
            }
        }
        let all = only_a + only_b + changed;
        self.differences += all;
        if all > 0 && !self.entries {
            writeln!(
                self.out,
                "state {label}: {} only in A, {only_b} only in B, {changed} changed",
                tell::count(only_a, "entry")
            )?;
        }
        Ok(())
    }
}

/// What there is at each address: its bytes, and itself as JSON.
type Contents = BTreeMap<Vec<u8>, (Vec<u8>, Map<String, Value>)>;

fn by_key(meta: &KeyedStateMeta, groups: &BTreeMap<u32, GroupEntries>) -> Result<Contents> {
    let mut contents = Contents::new();
    check_known(&meta.name, &meta.types)?;
    let is_timer = meta.types[2].name == "timestamp";
    for (group, entries) in groups {
        each_entry(meta, entries, |entry| {
            // A key may have several timers, and each is one by itself.
            let timestamp = if is_timer { entry.content } else { &[] };
            let address = [entry.address, timestamp].concat();
            contents.insert(address, (entry.content.to_vec(), entry.to_json(meta.kind, *group)?));
            Ok(())
        })?;
    }
    Ok(contents)
}

/// Elements have no address but themselves; how many there are of each is compared.
fn by_bytes(state: &OperatorStateSnapshot) -> Result<Contents> {
    let mut contents = Contents::new();
    check_known(&state.name, [&state.element_type])?;
    for element in &state.elements {
        let (times, _) =
            contents.entry(element.clone()).or_insert((Vec::new(), element_to_json(state, element)?));
        times.push(0);
    }
    Ok(contents)
}

fn about(meta: &KeyedStateMeta) -> String {
    let ttl = if meta.ttl { " with time to live" } else { "" };
    let [key, namespace, value] = meta.types.each_ref().map(tell::state_type);
    format!("{}{ttl} of ({key}, {namespace}, {value})", meta.kind)
}
