//! Rolling aggregations on keyed streams: one result for each record, over all records of its key so far.

use std::ops::AddAssign;
use std::sync::Arc;

use flott_core::{Data, Key};
use flott_runtime::program::Prototype;

use super::{DataStream, KeyedStream};
use crate::operators::{Fold, ReduceOperator};

impl<K: Key, T: Data> KeyedStream<K, T> {
    /// Combines each record with the result of its key so far. The first record of a key is its first result.
    pub fn reduce(&self, reduce: impl FnMut(&T, T) -> T + Clone + Send + 'static) -> DataStream<T> {
        self.fold("Reduce", Reduce(reduce))
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
        self.fold(
            "Sum",
            Update(move |stored: &mut T, mut record: T| {
                *field(stored) += field(&mut record).clone();
            }),
        )
    }

    /// The smallest value of a field; the other fields are those of the key's first record.
    pub fn min<N, F>(&self, field: F) -> DataStream<T>
    where
        N: PartialOrd + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.fold(
            "Min",
            Update(move |stored: &mut T, mut record: T| {
                let (least, value) = (field(stored), field(&mut record));
                if value < least {
                    *least = value.clone();
                }
            }),
        )
    }

    /// The largest value of a field; the other fields are those of the key's first record.
    pub fn max<N, F>(&self, field: F) -> DataStream<T>
    where
        N: PartialOrd + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.fold(
            "Max",
            Update(move |stored: &mut T, mut record: T| {
                let (greatest, value) = (field(stored), field(&mut record));
                if value > greatest {
                    *greatest = value.clone();
                }
            }),
        )
    }

    /// The record with the smallest value; of several, the first.
    pub fn min_by<N: PartialOrd>(&self, by: impl Fn(&T) -> N + Clone + Send + 'static) -> DataStream<T> {
        self.fold("Min By", Choose(move |stored: &T, record: &T| by(record) < by(stored)))
    }

    /// The record with the smallest value; of several, the last.
    pub fn min_by_last<N: PartialOrd>(&self, by: impl Fn(&T) -> N + Clone + Send + 'static) -> DataStream<T> {
        self.fold("Min By", Choose(move |stored: &T, record: &T| by(record) <= by(stored)))
    }

    /// The record with the largest value; of several, the first.
    pub fn max_by<N: PartialOrd>(&self, by: impl Fn(&T) -> N + Clone + Send + 'static) -> DataStream<T> {
        self.fold("Max By", Choose(move |stored: &T, record: &T| by(record) > by(stored)))
    }

    /// The record with the largest value; of several, the last.
    pub fn max_by_last<N: PartialOrd>(&self, by: impl Fn(&T) -> N + Clone + Send + 'static) -> DataStream<T> {
        self.fold("Max By", Choose(move |stored: &T, record: &T| by(record) >= by(stored)))
    }

    fn fold(&self, name: &str, fold: impl Fold<T>) -> DataStream<T> {
        let (fold, selector) = (Prototype::new(fold), Arc::clone(&self.selector));
        self.stream.add(name, move |setup| Ok(ReduceOperator::new(fold.get(), Arc::clone(&selector), setup)?))
    }
}

/// A reduce function.
#[derive(Clone)]
struct Reduce<F>(F);

impl<T, F: FnMut(&T, T) -> T + Clone + Send + 'static> Fold<T> for Reduce<F> {
    #[inline]
    fn fold(&mut self, stored: &mut T, record: T) {
        *stored = (self.0)(stored, record);
    }
}

/// Changes the stored record in place.
#[derive(Clone)]
struct Update<F>(F);

impl<T, F: Fn(&mut T, T) + Clone + Send + 'static> Fold<T> for Update<F> {
    #[inline]
    fn fold(&mut self, stored: &mut T, record: T) {
        (self.0)(stored, record);
    }
}

/// Replaces the stored record by those that are preferred to it.
#[derive(Clone)]
struct Choose<F>(F);

impl<T, F: Fn(&T, &T) -> bool + Clone + Send + 'static> Fold<T> for Choose<F> {
    #[inline]
    fn fold(&mut self, stored: &mut T, record: T) {
        if (self.0)(stored, &record) {
            *stored = record;
        }
    }
}
