use std::collections::BTreeMap;

use proptest::prelude::*;

use super::KeyTable;

#[derive(Clone, Debug)]
enum Op {
    Put(u16, u32),
    Remove(u16),
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => (0_u16..60, any::<u32>()).prop_map(|(key, value)| Op::Put(key, value)),
        10 => (0_u16..60).prop_map(Op::Remove),
        1 => Just(Op::Clear),
    ]
}

/// Few hashes, so that keys collide.
fn hash(key: u16) -> u64 {
    u64::from(key % 7) << 33 | u64::from(key % 5)
}

proptest! {
    #[test]
    fn a_key_table_does_what_a_map_does(ops in prop::collection::vec(op(), 0..200)) {
        let (mut table, mut model) = (KeyTable::default(), BTreeMap::new());
        for op in ops {
            match op {
                Op::Put(key, value) => {
                    match table.get_mut(hash(key), &key) {
                        Some(stored) => *stored = value,
                        None => { table.insert(hash(key), key, value); }
                    }
                    model.insert(key, value);
                }
                Op::Remove(key) => {
                    let removed = table.find(hash(key), &key).map(|at| table.swap_remove(at).value);
                    prop_assert_eq!(removed, model.remove(&key));
                }
                Op::Clear => {
                    table.clear();
                    model.clear();
                }
            }
            prop_assert_eq!(table.entries().len(), model.len());
            for key in 0..60 {
                prop_assert_eq!(table.get(hash(key), &key), model.get(&key));
            }
        }
    }
}
