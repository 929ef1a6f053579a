//! Databases with transactions behind the sinks.

use std::collections::BTreeMap;

use crate::program::Event;

/// All ledgers: rows under transactions, which readers see when they are committed.
#[derive(Clone, Debug, Default)]
pub struct Ledgers {
    transactions: Vec<Transaction>,
    /// What readers see, by sink.
    pub seen: BTreeMap<u32, BTreeMap<Event, u64>>,
}

#[derive(Clone, Debug)]
struct Transaction {
    sink: u32,
    subtask: u32,
    rows: Vec<Event>,
    /// The checkpoint at which it was prepared.
    checkpoint: Option<u64>,
    fate: Fate,
}

/// What has become of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Rows are added.
    Open,
    /// It waits for its commit.
    Prepared,
    /// Readers see it.
    Committed,
    /// Nobody will ever see it.
    Aborted,
}

impl Ledgers {
    /// Begins a transaction.
    pub fn begin(&mut self, sink: u32, subtask: u32) -> u64 {
        let (rows, checkpoint, fate) = (Vec::new(), None, Fate::Open);
        self.transactions.push(Transaction { sink, subtask, rows, checkpoint, fate });
        self.transactions.len() as u64 - 1
    }

    /// Adds rows.
    pub fn write(&mut self, transaction: u64, rows: &mut Vec<Event>) {
        self.transactions[transaction as usize].rows.append(rows);
    }

    /// Adds no more rows.
    pub fn prepare(&mut self, transaction: u64) {
        self.transactions[transaction as usize].fate = Fate::Prepared;
    }

    /// Says at which checkpoint transactions were prepared.
    pub fn prepared_at(&mut self, transactions: &[u64], checkpoint: u64) {
        for transaction in transactions {
            self.transactions[*transaction as usize].checkpoint = Some(checkpoint);
        }
    }

    /// A subtask begins anew, after a checkpoint: what it, or one whose place it takes, has begun since is aborted. As Kafka's
    /// sink does it for transactional ids. Says which.
    pub fn fence(&mut self, sink: u32, subtask: u32, parallelism: u32, after: u64) -> Vec<usize> {
        let mut aborted = Vec::new();
        for (number, transaction) in self.transactions.iter_mut().enumerate() {
            let is_own = transaction.sink == sink && transaction.subtask % parallelism == subtask;
            let is_later = transaction.checkpoint.is_none_or(|checkpoint| checkpoint > after);
            if is_own && is_later && matches!(transaction.fate, Fate::Open | Fate::Prepared) {
                transaction.fate = Fate::Aborted;
                aborted.push(number);
            }
        }
        aborted
    }

    /// At which checkpoint it was prepared, and what has become of it.
    pub fn fate(&self, transaction: u64) -> (Option<u64>, Fate) {
        let Transaction { checkpoint, fate, .. } = &self.transactions[transaction as usize];
        (*checkpoint, *fate)
    }

    /// Lets readers see a transaction.
    pub fn commit(&mut self, transaction: u64) {
        let transaction = &mut self.transactions[transaction as usize];
        transaction.fate = Fate::Committed;
        let seen = self.seen.entry(transaction.sink).or_default();
        transaction.rows.iter().for_each(|row| *seen.entry(row.clone()).or_insert(0) += 1);
    }
}
