//! Rolling aggregations on keyed streams: one result for each record, over all records of its key so far.

use std::ops::AddAssign;
use std::sync::Arc;

use flott_core::{Data, Key};
use flott_runtime::program::Prototype;

use super::{DataStream, KeyedStream, fold};
use crate::operators::{Fold, ReduceOperator};

impl<K: Key, T: Data> KeyedStream<K, T> {
    /// Combines each record with the result of its key so far. The first record of a key is its first result.
    pub fn reduce(&self, reduce: impl FnMut(&T, T) -> T + Clone + Send + 'static) -> DataStream<T> {
        self.fold("Reduce", fold::reduce(reduce))
    }

    /// Adds up a field; the other fields are those of the key's first record.
    ///
    /// ```
    /// # use flott::prelude::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// let words = env.from_elements([("a".to_owned(), 1), ("a".to_owned(), 1)]);
    /// let counts = words.key_by_ref(|(word, _)| word).sum(|(_, count)| count).execute_and_collect()?;
    /// assert_eq!(counts, [("a".to_owned(), 1), ("a".to_owned(), 2)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sum<N, F>(&self, field: F) -> DataStream<T>
    where
        N: AddAssign + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.fold("Sum", fold::sum(field))
    }

    /// The smallest value of a field; the other fields are those of the key's first record.
    pub fn min<N, F>(&self, field: F) -> DataStream<T>
    where
        N: PartialOrd + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.fold("Min", fold::min(field))
    }

    /// The largest value of a field; the other fields are those of the key's first record.
    pub fn max<N, F>(&self, field: F) -> DataStream<T>
    where
        N: PartialOrd + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.fold("Max", fold::max(field))
    }

    /// The record with the smallest value; of several, the first.
    pub fn min_by<N: PartialOrd>(&self, by: impl Fn(&T) -> N + Clone + Send + 'static) -> DataStream<T> {
        self.fold("Min By", fold::choose(move |stored: &T, record: &T| by(record) < by(stored)))
    }

    /// The record with the smallest value; of several, the last.
    pub fn min_by_last<N: PartialOrd>(&self, by: impl Fn(&T) -> N + Clone + Send + 'static) -> DataStream<T> {
        self.fold("Min By", fold::choose(move |stored: &T, record: &T| by(record) <= by(stored)))
    }

    /// The record with the largest value; of several, the first.
    pub fn max_by<N: PartialOrd>(&self, by: impl Fn(&T) -> N + Clone + Send + 'static) -> DataStream<T> {
        self.fold("Max By", fold::choose(move |stored: &T, record: &T| by(record) > by(stored)))
    }

    /// The record with the largest value; of several, the last.
    pub fn max_by_last<N: PartialOrd>(&self, by: impl Fn(&T) -> N + Clone + Send + 'static) -> DataStream<T> {
        self.fold("Max By", fold::choose(move |stored: &T, record: &T| by(record) >= by(stored)))
    }

    fn fold(&self, name: &str, fold: impl Fold<T>) -> DataStream<T> {
        let (fold, selector) = (Prototype::new(fold), Arc::clone(&self.selector));
        let operator = move |setup: &_| Ok(ReduceOperator::new(fold.get(), Arc::clone(&selector), setup)?);
        self.stream.add(name, operator).emits_only(None)
    }
}
