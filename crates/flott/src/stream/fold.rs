//! How two records become one: the aggregations that keyed and windowed streams have in common.

use std::ops::AddAssign;

use crate::operators::Fold;

/// Combines records as a function says.
pub(super) fn reduce<T>(reduce: impl FnMut(&T, T) -> T + Clone + Send + 'static) -> impl Fold<T> {
    Reduce(reduce)
}

/// Adds up a field.
pub(super) fn sum<T, N, F>(field: F) -> impl Fold<T>
where
    N: AddAssign + Clone,
    F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
{
    Update(move |stored: &mut T, mut record: T| {
        *field(stored) += field(&mut record).clone();
    })
}

/// Keeps the smallest value of a field.
pub(super) fn min<T, N, F>(field: F) -> impl Fold<T>
where
    N: PartialOrd + Clone,
    F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
{
    Update(move |stored: &mut T, mut record: T| {
        let (least, value) = (field(stored), field(&mut record));
        if value < least {
            *least = value.clone();
        }
    })
}

/// Keeps the largest value of a field.
pub(super) fn max<T, N, F>(field: F) -> impl Fold<T>
where
    N: PartialOrd + Clone,
    F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
{
    Update(move |stored: &mut T, mut record: T| {
        let (greatest, value) = (field(stored), field(&mut record));
        if value > greatest {
            *greatest = value.clone();
        }
    })
}

/// Keeps the record that is preferred: `prefers(stored, record)` says whether to take the new one.
pub(super) fn choose<T>(prefers: impl Fn(&T, &T) -> bool + Clone + Send + 'static) -> impl Fold<T> {
    Choose(prefers)
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
