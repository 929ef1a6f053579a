//! Lists and maps, of which each element and each entry expires by itself.

use flott_state::{
    KeyedStateStore, ListState, ListStateDescriptor, MapState, MapStateDescriptor, StateTtlConfig,
    StateVisibility::ReturnExpiredIfNotCleanedUp, UpdateType::OnReadAndWrite,
};

use crate::kept::Kept;
use crate::support::ttl;

/// Lists with elements of the times 0, 60 and 90, plainly and with a snapshot and restore between all steps.
fn lists(config: StateTtlConfig, test: impl Fn(&mut Kept<ListState<i64>>)) {
    for restarts in [false, true] {
        let descriptor = ListStateDescriptor::new("list").enable_time_to_live(config.clone());
        let mut list = Kept::new(move |state| state.list_state(descriptor.clone()).unwrap(), restarts);
        for (now, element) in [(0, 1), (60, 2), (90, 3)] {
            let (list, mut key) = list.at(now);
            list.add(&mut key, element).unwrap();
        }
        test(&mut list);
    }
}

fn elements(list: &mut Kept<ListState<i64>>, now: i64) -> Vec<i64> {
    let (list, mut key) = list.at(now);
    list.get(&mut key).unwrap().to_vec()
}

#[test]
fn s23_s24_elements_of_a_list_expire_one_by_one() {
    lists(ttl(), |list| {
        assert_eq!(elements(list, 90), [1, 2, 3]);
        assert_eq!(elements(list, 100), [2, 3]);
        let (list, mut key) = list.at(160);
        assert_eq!(list.take(&mut key).unwrap(), [3]);
    });
}

#[test]
fn s24_updating_a_list_stamps_all_its_elements() {
    lists(ttl(), |list| {
        let (handle, mut key) = list.at(95);
        handle.update(&mut key, vec![7, 8]).unwrap();
        assert_eq!(elements(list, 194), [7, 8]);
        assert!(elements(list, 195).is_empty());
    });
}

#[test]
fn s16_s24_reading_a_list_lets_the_elements_that_have_not_expired_live_on() {
    lists(ttl().update_type(OnReadAndWrite), |list| {
        assert_eq!(elements(list, 110), [2, 3]);
        assert_eq!(elements(list, 209), [2, 3]);
        assert!(elements(list, 309).is_empty());
    });
}

#[test]
fn s19_s24_expired_elements_are_returned_once_in_their_places() {
    lists(ttl().state_visibility(ReturnExpiredIfNotCleanedUp), |list| {
        assert_eq!(elements(list, 170), [1, 2, 3]);
        assert_eq!(elements(list, 170), [3]);
    });
}

#[test]
fn s28_a_snapshot_leaves_out_single_elements_and_entries() {
    lists(ttl().cleanup_full_snapshot(), |list| {
        list.at(100);
        list.restarts = true;
        list.at(100);
        list.restarts = false;
        assert_eq!(elements(list, 50), [2, 3], "back to a time when all would have lived");
    });
    maps(ttl().cleanup_full_snapshot(), |map| {
        map.at(100);
        map.restarts = true;
        map.at(100);
        map.restarts = false;
        assert_eq!(entries(map, 90), [(3, 30)]);
    });
}

/// Maps with two entries of the time 0 and one of 60, plainly and with a snapshot and restore between all steps.
fn maps(config: StateTtlConfig, test: impl Fn(&mut Kept<MapState<u8, i64>>)) {
    for restarts in [false, true] {
        let descriptor = MapStateDescriptor::new("map").enable_time_to_live(config.clone());
        let mut map = Kept::new(move |state| state.map_state(descriptor.clone()).unwrap(), restarts);
        let (handle, mut key) = map.at(0);
        handle.put_all(&mut key, [(1, 10), (2, 20)]).unwrap();
        let (handle, mut key) = map.at(60);
        handle.put(&mut key, 3, 30).unwrap();
        test(&mut map);
    }
}

fn entries(map: &mut Kept<MapState<u8, i64>>, now: i64) -> Vec<(u8, i64)> {
    let (map, mut key) = map.at(now);
    let mut entries: Vec<_> = map.iter(&mut key).unwrap().map(|(key, value)| (*key, *value)).collect();
    entries.sort_unstable();
    entries
}

fn entry(map: &mut Kept<MapState<u8, i64>>, now: i64, entry: u8) -> Option<i64> {
    let (map, mut key) = map.at(now);
    map.get(&mut key, &entry).unwrap().copied()
}

#[test]
fn s23_s25_entries_of_a_map_expire_one_by_one() {
    maps(ttl(), |map| {
        assert_eq!(entries(map, 60), [(1, 10), (2, 20), (3, 30)]);
        let (handle, mut key) = map.at(100);
        assert!(!handle.contains(&mut key, &1).unwrap());
        assert!(handle.contains(&mut key, &3).unwrap());
        assert_eq!(entries(map, 100), [(3, 30)]);
        let (handle, mut key) = map.at(160);
        assert_eq!(handle.take(&mut key, &3).unwrap(), None);
        assert!(map.state.snapshot().unwrap()[0].groups.is_empty());
    });
}

#[test]
fn s25_is_empty_looks_at_what_is_stored() {
    maps(ttl(), |map| {
        let (handle, mut key) = map.at(500);
        assert!(!handle.is_empty(&mut key).unwrap());
        assert_eq!(entries(map, 500), []);
        let (handle, mut key) = map.at(500);
        assert!(handle.is_empty(&mut key).unwrap());
    });
}

#[test]
fn s16_s25_reading_an_entry_lets_it_live_on_and_no_other() {
    maps(ttl().update_type(OnReadAndWrite), |map| {
        assert_eq!(entry(map, 90, 1), Some(10));
        assert_eq!(entries(map, 170), [(1, 10)]);
        assert_eq!(entries(map, 260), [(1, 10)]);
    });
}

#[test]
fn s19_s25_expired_entries_are_returned_once() {
    maps(ttl().state_visibility(ReturnExpiredIfNotCleanedUp), |map| {
        assert_eq!(entry(map, 120, 1), Some(10));
        assert_eq!(entry(map, 120, 1), None);
        assert_eq!(entries(map, 120), [(2, 20), (3, 30)]);
        assert_eq!(entries(map, 120), [(3, 30)]);
    });
}
