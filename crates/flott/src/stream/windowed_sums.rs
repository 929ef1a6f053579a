//! Sums and extremes of windows.

use std::ops::AddAssign;

use flott_core::{Data, Key};

use super::{DataStream, WindowedStream, fold};
use crate::window::{Evictor, Trigger, WindowAssigner};

impl<K, T, A, R, V> WindowedStream<K, T, A, R, V>
where
    K: Key,
    T: Data,
    A: WindowAssigner<T>,
    R: Trigger<T, A::Window>,
    V: Evictor<T, A::Window>,
{
    /// Adds up a field of the records of each window; the other fields are those of the first record.
    ///
    /// ```
    /// # use flott::prelude::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// let words = env.from_elements([("a".to_owned(), 1), ("a".to_owned(), 2), ("a".to_owned(), 3)]);
    /// let sums = words.key_by_ref(|(word, _)| word).count_window(2).sum(|(_, n)| n).execute_and_collect()?;
    /// assert_eq!(sums, [("a".to_owned(), 3)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sum<N, F>(self, field: F) -> DataStream<T>
    where
        N: AddAssign + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.fold(fold::sum(field))
    }

    /// The smallest value of a field; the other fields are those of the first record.
    pub fn min<N, F>(self, field: F) -> DataStream<T>
    where
        N: PartialOrd + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.fold(fold::min(field))
    }

    /// The largest value of a field; the other fields are those of the first record.
    pub fn max<N, F>(self, field: F) -> DataStream<T>
    where
        N: PartialOrd + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.fold(fold::max(field))
    }

    /// The record with the smallest value; of several, the first.
    pub fn min_by<N: PartialOrd>(self, by: impl Fn(&T) -> N + Clone + Send + 'static) -> DataStream<T> {
        self.fold(fold::choose(move |stored: &T, record: &T| by(record) < by(stored)))
    }

    /// The record with the smallest value; of several, the last.
    pub fn min_by_last<N: PartialOrd>(self, by: impl Fn(&T) -> N + Clone + Send + 'static) -> DataStream<T> {
        self.fold(fold::choose(move |stored: &T, record: &T| by(record) <= by(stored)))
    }

    /// The record with the largest value; of several, the first.
    pub fn max_by<N: PartialOrd>(self, by: impl Fn(&T) -> N + Clone + Send + 'static) -> DataStream<T> {
        self.fold(fold::choose(move |stored: &T, record: &T| by(record) > by(stored)))
    }

    /// The record with the largest value; of several, the last.
    pub fn max_by_last<N: PartialOrd>(self, by: impl Fn(&T) -> N + Clone + Send + 'static) -> DataStream<T> {
        self.fold(fold::choose(move |stored: &T, record: &T| by(record) >= by(stored)))
    }
}
