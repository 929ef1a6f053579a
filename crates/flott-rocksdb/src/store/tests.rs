use flott_core::{config::Configuration, key_group::KeyGroupRange};
use flott_state::BackendScope;

use super::*;
use crate::{
    directory,
    memory::{MemorySettings, SharedMemory},
};

pub(crate) fn store(base: &Path) -> RocksDbStore {
    let key_groups = KeyGroupRange { start: 0, end: 128 };
    let scope = BackendScope { operator: "store".to_owned(), subtask: 0, key_groups, max_parallelism: 128 };
    let settings = MemorySettings { total_bytes: 8 << 20, value_cache_ratio: 0.5, write_buffer_ratio: 0.5 };
    let options = RocksDbOptions::of(&Configuration::new()).unwrap();
    let directory = directory::create(base, &scope).unwrap();
    RocksDbStore::open(directory, options, Share::of(SharedMemory::with(settings)), key_groups).unwrap()
}

fn writes(entries: &[(&str, Option<&str>)]) -> Writes {
    let mut writes = Writes::default();
    for (key, value) in entries {
        let append = |to: &mut Vec<u8>, text: &str| to.extend_from_slice(text.as_bytes());
        let key = |to: &mut Vec<u8>| {
            append(to, key);
            Ok::<_, ()>(())
        };
        let value = |to: &mut Vec<u8>| {
            value.iter().for_each(|value| append(to, value));
            Ok(value.is_some())
        };
        writes.push_with(key, value).unwrap();
    }
    writes.sort();
    writes
}

fn listed(store: &RocksDbStore, column: Column, prefix: &str) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut scan = store.scan(column, prefix.as_bytes()).unwrap();
    std::iter::from_fn(|| scan.next().unwrap().map(|(key, value)| (text(key), text(value)))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn columns_are_apart_and_in_order() {
    let base = tempfile::tempdir().unwrap();
    let store = store(base.path());
    let [first, second] = ["same name", "same name"].map(|name| store.create_column(name, None).unwrap());
    store.write(first, &writes(&[("b", Some("2")), ("a", Some("1")), ("bb", Some("3"))])).unwrap();
    store.write(second, &writes(&[("a", Some("other"))])).unwrap();
    store.write(first, &writes(&[("a", None), ("c", Some(""))])).unwrap();
    assert_eq!(listed(&store, first, ""), pairs(&[("b", "2"), ("bb", "3"), ("c", "")]));
    assert_eq!(listed(&store, first, "b"), pairs(&[("b", "2"), ("bb", "3")]));
    assert_eq!(listed(&store, second, ""), pairs(&[("a", "other")]));
}

#[test]
fn looked_up_are_those_that_there_are() {
    let base = tempfile::tempdir().unwrap();
    let store = store(base.path());
    let column = store.create_column("state", None).unwrap();
    store.write(column, &writes(&[("a", Some("1")), ("c", Some("3")), ("d", Some(""))])).unwrap();
    let found = |keys: &[&str]| {
        let (mut asked, mut found) = (ByteStrings::default(), Vec::new());
        keys.iter().for_each(|key| asked.push(key.as_bytes()));
        let mut take = |number: usize, value: &[u8]| {
            found.push((number, value.to_vec()));
            Ok(())
        };
        store.get(column, &asked, &mut take).unwrap();
        found
    };
    assert_eq!(found(&["a", "b", "c", "d"]), [(0, b"1".to_vec()), (2, b"3".to_vec()), (3, Vec::new())]);
    assert_eq!((found(&["c"]), found(&["x"]), found(&[])), (vec![(0, b"3".to_vec())], vec![], vec![]));
}

#[test]
fn s30_what_has_expired_is_gone_after_a_compaction() {
    let base = tempfile::tempdir().unwrap();
    let store = store(base.path());
    let has_expired: Expiry = Arc::new(|value| value.starts_with(b"old"));
    let columns = [Some(has_expired), None].map(|expiry| store.create_column("state", expiry).unwrap());
    for column in columns {
        store
            .write(column, &writes(&[("a", Some("old")), ("b", Some("new")), ("c", Some("older"))]))
            .unwrap();
        let name = store.name(column);
        let family = store.instance.column(&name).unwrap();
        store.instance.db.flush_cf(&family).unwrap();
        store.instance.db.compact_range_cf(&family, None::<&[u8]>, None::<&[u8]>);
    }
    let [filtered, kept] = columns.map(|column| listed(&store, column, "").len());
    assert_eq!((filtered, kept), (1, 3));
}

#[test]
fn a_directory_that_is_deleted_meanwhile_is_named() {
    let base = tempfile::tempdir().unwrap();
    let store = store(base.path());
    let column = store.create_column("state", None).unwrap();
    store.write(column, &writes(&[("a", Some("1"))])).unwrap();
    std::fs::remove_dir_all(store.instance.path()).unwrap();
    let name = store.name(column);
    assert!(store.instance.db.flush_cf(&store.instance.column(&name).unwrap()).is_err());
    let failed = store.write(column, &writes(&[("b", Some("2"))])).unwrap_err().to_string();
    let place = store.instance.path().display().to_string();
    assert!(failed.starts_with(&format!("the state backend can't write in {place}: ")), "{failed}");
    assert!(failed.contains("deleted") && !failed.contains('\n'), "{failed}");
}
