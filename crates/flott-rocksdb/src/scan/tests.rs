use flott_core::key_group::KeyGroupRange;
use flott_state::BackendScope;
use rocksdb::{BlockBasedIndexType, BlockBasedOptions, MemtableFactory, Options, SliceTransform};

use super::*;
use crate::{
    directory,
    memory::{MemorySettings, Share, SharedMemory},
};

#[test]
fn the_end_of_a_prefix_is_the_next_one_of_its_length_or_shorter() {
    assert_eq!(successor(&[0, 1]), Some(vec![0, 2]));
    assert_eq!(successor(&[0, 255]), Some(vec![1]));
    assert_eq!(successor(&[255, 255]), None);
    assert_eq!(successor(&[]), None);
}

/// The trap that total-order seek is there for: with a prefix extractor, a scan that starts before all prefixes finds nothing or little.
#[test]
fn a_scan_finds_every_row_where_prefixes_are_extracted() {
    let base = tempfile::tempdir().unwrap();
    let scope = BackendScope {
        operator: "scan".to_owned(),
        subtask: 0,
        key_groups: KeyGroupRange { start: 0, end: 128 },
        max_parallelism: 128,
    };
    let directory = directory::create(base.path(), &scope).unwrap();
    let settings = MemorySettings { total_bytes: 8 << 20, value_cache_ratio: 0.5, write_buffer_ratio: 0.5 };
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_prefix_extractor(SliceTransform::create_fixed_prefix(2));
    options.set_memtable_factory(MemtableFactory::HashSkipList {
        bucket_count: 1000,
        height: 4,
        branching_factor: 4,
    });
    options.set_allow_concurrent_memtable_write(false);
    let mut tables = BlockBasedOptions::default();
    tables.set_index_type(BlockBasedIndexType::HashSearch);
    options.set_block_based_table_factory(&tables);
    let db = Db::open(&options, directory.path()).unwrap();
    db.create_cf("state", &options).unwrap();
    let share = Share::of(SharedMemory::with(settings));
    let instance = Arc::new(Instance { db, share, directory });
    let column = instance.column("state").unwrap();
    let put = |row: u16| instance.db.put_cf(&column, row.to_be_bytes(), b"value").unwrap();
    (0..2000).for_each(put);
    instance.db.flush_cf(&column).unwrap();
    (2000..4000).for_each(put);
    let count = |prefix: &[u8]| {
        let mut scan = Scan::new(&instance, "state", prefix).unwrap();
        let mut rows = 0;
        while scan.next().unwrap().is_some() {
            rows += 1;
        }
        rows
    };
    assert_eq!((count(&[]), count(&[1]), count(&[255])), (4000, 256, 0));
}
