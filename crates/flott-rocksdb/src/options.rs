//! What is set on RocksDB, and what a job can set.

use flott_core::config::{ConfigError, Configuration, MemorySize, RocksDbProfile, keys};
use rocksdb::{BlockBasedOptions, DBCompressionType, Options};

use crate::memory::SharedMemory;

/// A set of RocksDB options for a kind of disk.
pub type PredefinedOptions = RocksDbProfile;

/// Bits for each key in the filters that tell which files don't hold a key: one in a hundred is looked for in vain.
const FILTER_BITS: f64 = 10.0;

/// Write buffers take memory in pieces of this size. RocksDB's own choice, an eighth of a write buffer, would fill a small limit of all of them
/// with a few states.
const ARENA_BYTES: usize = 256 * 1024;

/// The options of instances and their column families.
#[derive(Clone, Debug)]
pub(crate) struct RocksDbOptions {
    pub(crate) profile: PredefinedOptions,
    pub(crate) threads: u32,
    pub(crate) write_buffer_bytes: usize,
    pub(crate) block_bytes: usize,
}

impl RocksDbOptions {
    /// The options of a job.
    pub(crate) fn of(configuration: &Configuration) -> Result<Self, ConfigError> {
        let bytes = |size: MemorySize| size.bytes as usize;
        Ok(Self {
            profile: configuration.get(&keys::ROCKSDB_PREDEFINED_OPTIONS)?,
            threads: configuration.get(&keys::ROCKSDB_THREADS)?,
            write_buffer_bytes: bytes(configuration.get(&keys::ROCKSDB_WRITE_BUFFER_SIZE)?),
            block_bytes: bytes(configuration.get(&keys::ROCKSDB_BLOCK_SIZE)?),
        })
    }

    /// What is set on an instance.
    pub(crate) fn of_database(&self, memory: &SharedMemory) -> Options {
        let mut options = self.of_column(memory);
        options.create_if_missing(true);
        options.set_error_if_exists(true);
        options.set_write_buffer_manager(&memory.write_buffers);
        options.increase_parallelism(self.threads.try_into().unwrap_or(i32::MAX));
        options.set_max_open_files(-1);
        // Nothing here outlives the process: checkpoints do.
        options.set_use_fsync(false);
        options.set_stats_dump_period_sec(0);
        options.set_keep_log_file_num(2);
        options.set_max_log_file_size(1 << 20);
        options
    }

    /// What is set on a column family.
    pub(crate) fn of_column(&self, memory: &SharedMemory) -> Options {
        let mut options = Options::default();
        options.set_write_buffer_size(self.write_buffer_bytes);
        options.set_arena_block_size(ARENA_BYTES.min(self.write_buffer_bytes / 8));
        options.set_compression_type(DBCompressionType::Lz4);
        let mut block_bytes = self.block_bytes;
        match self.profile {
            RocksDbProfile::Default | RocksDbProfile::FlashSsd => {}
            RocksDbProfile::SpinningDisk => options.set_level_compaction_dynamic_level_bytes(true),
            RocksDbProfile::SpinningDiskHighMemory => {
                options.set_level_compaction_dynamic_level_bytes(true);
                options.set_target_file_size_base(256 << 20);
                options.set_max_bytes_for_level_base(1 << 30);
                options.set_min_write_buffer_number_to_merge(3);
                options.set_max_write_buffer_number(4);
                block_bytes = block_bytes.max(128 << 10);
            }
        }
        options.set_block_based_table_factory(&tables(block_bytes, memory));
        options
    }
}

/// How files are laid out. Indexes and filters are in the block cache, for what is outside of it is outside of the limit.
fn tables(block_bytes: usize, memory: &SharedMemory) -> BlockBasedOptions {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_size(block_bytes);
    tables.set_block_cache(&memory.block_cache);
    tables.set_bloom_filter(FILTER_BITS, false);
    tables.set_cache_index_and_filter_blocks(true);
    tables.set_pin_l0_filter_and_index_blocks_in_cache(true);
    tables.set_format_version(5);
    tables
}
