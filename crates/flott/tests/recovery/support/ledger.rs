//! A sink with transactions.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use flott::prelude::*;
use flott::sink::{
    BoxWriter, CommitError, Committer, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext,
};
use flott_core::Batch;

/// A list to which rows are added when their transaction is committed.
#[derive(Clone, Default)]
pub(crate) struct Ledger {
    rows: Arc<Mutex<Vec<(String, i64)>>>,
    /// Transactions that are committed, by number.
    committed: Arc<Mutex<BTreeSet<u64>>>,
    begun: Arc<AtomicU64>,
}

impl Ledger {
    pub(crate) fn rows(&self) -> Vec<(String, i64)> {
        self.rows.lock().unwrap().clone()
    }
}

/// A transaction: its number, and its rows.
type Transaction = (u64, Vec<(String, i64)>);

impl Sink<(String, i64)> for Ledger {
    type Committable = Transaction;
    type WriterState = NoWriterState;

    fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<(String, i64), Self>> {
        Ok(Box::new(Writer { ledger: self.clone(), rows: Vec::new() }))
    }

    fn create_committer(&self, _context: &SinkContext) -> FnResult<Option<Box<dyn Committer<Transaction>>>> {
        Ok(Some(Box::new(self.clone())))
    }
}

impl Committer<Transaction> for Ledger {
    fn commit(&mut self, (number, rows): &Transaction) -> Result<(), CommitError> {
        if !self.committed.lock().unwrap().insert(*number) {
            return Err(CommitError::AlreadyCommitted);
        }
        self.rows.lock().unwrap().extend(rows.iter().cloned());
        Ok(())
    }
}

struct Writer {
    ledger: Ledger,
    rows: Vec<(String, i64)>,
}

impl SinkWriter<(String, i64)> for Writer {
    type Committable = Transaction;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<(String, i64)>, _context: WriteContext) -> FnResult {
        self.rows.append(&mut batch.records);
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }

    fn prepare_commit(&mut self) -> FnResult<Vec<Transaction>> {
        let number = self.ledger.begun.fetch_add(1, Ordering::SeqCst);
        Ok(vec![(number, std::mem::take(&mut self.rows))])
    }
}
