//! The column families of an instance: one for each state.

use std::sync::{Arc, OnceLock};

use flott_state::disk::{Column, Expiry};
use rocksdb::{DEFAULT_COLUMN_FAMILY_NAME, Options};

use crate::{
    compaction::{ExpiryFilters, LateExpiry},
    memory::SharedMemory,
    options::RocksDbOptions,
};

/// Files with state that expires are compacted when they are so old, whether there is another reason or not: 30 days, as in Flink.
const PERIODIC_COMPACTION_SECONDS: u64 = 30 * 24 * 3600;

/// What is known of the column families.
#[derive(Default)]
pub(crate) struct Columns(Vec<Known>);

struct Known {
    name: Arc<str>,
    expiry: LateExpiry,
}

impl Columns {
    /// Those of a database that is about to be opened, with their options.
    pub(crate) fn of_files(
        names: Vec<String>,
        options: &RocksDbOptions,
        memory: &SharedMemory,
    ) -> (Self, Vec<(String, Options)>) {
        let (mut columns, mut opened) = (Self::default(), Vec::new());
        for name in names {
            let expiry = LateExpiry::default();
            let mut of_column = options.of_column(memory);
            of_column.set_compaction_filter_factory(ExpiryFilters(Arc::clone(&expiry)));
            if name != DEFAULT_COLUMN_FAMILY_NAME {
                columns.0.push(Known { name: name.as_str().into(), expiry });
            }
            opened.push((name, of_column));
        }
        (columns, opened)
    }

    /// A name for the column family of a state that has none, and its options.
    pub(crate) fn plan(
        &self,
        state: &str,
        expiry: Option<Expiry>,
        mut options: Options,
    ) -> (NewColumn, Options) {
        // RocksDB has one called 'default' already.
        let numbers = self.0.iter().filter_map(|known| known.name.split_once('-')?.0.parse::<u32>().ok());
        let number = numbers.max().map_or(0, |last| last.saturating_add(1));
        let known = Known { name: format!("{number}-{state}").into(), expiry: LateExpiry::default() };
        if let Some(expiry) = expiry {
            known.expiry.get_or_init(|| expiry);
            options.set_compaction_filter_factory(ExpiryFilters(Arc::clone(&known.expiry)));
            options.set_periodic_compaction_seconds(PERIODIC_COMPACTION_SECONDS);
        }
        (NewColumn(known), options)
    }

    /// Adds one that has been made.
    pub(crate) fn add(&mut self, NewColumn(known): NewColumn) -> Column {
        self.0.push(known);
        Column(self.0.len() as u32 - 1)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|known| &*known.name)
    }

    pub(crate) fn name(&self, column: Column) -> Arc<str> {
        self.0.get(column.0 as usize).map_or_else(|| "".into(), |known| Arc::clone(&known.name))
    }

    /// The column family of a state.
    pub(crate) fn find(&self, state: &str) -> Option<Column> {
        let is_of = |known: &Known| known.name.split_once('-').is_some_and(|(_, of)| of == state);
        Some(Column(self.0.iter().position(is_of)? as u32))
    }

    /// From now on it is known what of a column has expired. Returns the setting that goes with it.
    pub(crate) fn set_expiry(&self, column: Column, expiry: &Expiry) -> Option<(&'static str, String)> {
        let known: &OnceLock<Expiry> = &self.0.get(column.0 as usize)?.expiry;
        known.get_or_init(|| Arc::clone(expiry));
        Some(("periodic_compaction_seconds", PERIODIC_COMPACTION_SECONDS.to_string()))
    }
}

/// A column family that is to be made.
pub(crate) struct NewColumn(Known);

impl NewColumn {
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }
}

/// The state that a column family is for.
pub(crate) fn state_of(name: &str) -> Option<&str> {
    name.split_once('-').map(|(_, state)| state)
}
