use super::*;
use crate::keyed::{KeyedStateStore, tests::state};

fn entries<K: Key>(map: MapState<u64, i64>, at: &mut CurrentKey<'_, K>) -> Vec<(u64, i64)> {
    map.iter(at).unwrap().map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

#[test]
fn s96_entries_are_read_and_written_one_by_one() {
    let mut state = state::<u64>();
    let map = state.map_state(MapStateDescriptor::<u64, i64>::new("map")).unwrap();
    let mut at = CurrentKey::new(&mut state, &1, 1);
    assert!(map.is_empty(&mut at).unwrap());
    assert_eq!(map.get(&mut at, &7).unwrap(), None);
    map.put(&mut at, 7, 70).unwrap();
    map.put_all(&mut at, [(8, 80), (9, 90)]).unwrap();
    assert_eq!(map.get(&mut at, &8).unwrap(), Some(&80));
    assert!(map.contains(&mut at, &9).unwrap() && !map.contains(&mut at, &10).unwrap());
    *map.get_mut(&mut at, &9).unwrap().unwrap() += 1;
    *map.get_or_insert_with(&mut at, 10, || 100).unwrap() += 1;
    assert_eq!(entries(map, &mut at), [(7, 70), (8, 80), (9, 91), (10, 101)]);
    map.remove(&mut at, &8).unwrap();
    assert_eq!(map.take(&mut at, &7).unwrap(), Some(70));
    assert_eq!(map.keys(&mut at).unwrap().map(Cow::into_owned).collect::<Vec<_>>(), [9, 10]);
    assert_eq!(map.values(&mut at).unwrap().map(Cow::into_owned).collect::<Vec<_>>(), [91, 101]);
    map.clear(&mut at).unwrap();
    assert!(map.is_empty(&mut at).unwrap());
}

#[test]
fn s96_a_map_whose_last_entry_was_removed_is_empty() {
    let mut state = state::<u64>();
    let map = state.map_state(MapStateDescriptor::<String, i64>::new("map")).unwrap();
    let mut at = CurrentKey::new(&mut state, &1, 1);
    map.put(&mut at, "a".to_owned(), 1).unwrap();
    map.remove(&mut at, "b").unwrap();
    assert!(!map.is_empty(&mut at).unwrap());
    map.remove(&mut at, "a").unwrap();
    assert!(map.is_empty(&mut at).unwrap());
}

#[test]
fn each_key_has_its_own_map() {
    let mut state = state::<u64>();
    let map = state.map_state(MapStateDescriptor::<u64, i64>::new("map")).unwrap();
    for key in [1, 2] {
        map.put(&mut CurrentKey::new(&mut state, &key, key), 0, key as i64).unwrap();
    }
    map.clear(&mut CurrentKey::new(&mut state, &1, 1)).unwrap();
    assert_eq!(entries(map, &mut CurrentKey::new(&mut state, &1, 1)), []);
    assert_eq!(entries(map, &mut CurrentKey::new(&mut state, &2, 2)), [(0, 2)]);
}
