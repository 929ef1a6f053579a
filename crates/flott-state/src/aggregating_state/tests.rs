use super::*;
use crate::keyed::{KeyedStateStore, tests::state};

/// The mean of all values, as sum and count.
#[derive(Clone)]
pub(crate) struct Mean;

impl AggregateFunction<i64> for Mean {
    type Accumulator = (i64, i64);
    type Output = f64;

    fn create_accumulator(&self) -> (i64, i64) {
        (0, 0)
    }

    fn add(&self, value: i64, (sum, count): &mut (i64, i64)) {
        *sum += value;
        *count += 1;
    }

    fn get_result(&self, (sum, count): &(i64, i64)) -> f64 {
        *sum as f64 / *count as f64
    }

    fn merge(&self, (sum, count): &mut (i64, i64), other: (i64, i64)) {
        *sum += other.0;
        *count += other.1;
    }
}

#[test]
fn s7_values_are_folded_into_one_accumulator_per_key() {
    let mut state = state::<u64>();
    let mean = state.aggregating_state(AggregatingStateDescriptor::new("mean", Mean)).unwrap();
    for value in [1, 2, 6] {
        mean.add(&mut CurrentKey::new(&mut state, &1, 1), value).unwrap();
    }
    mean.add(&mut CurrentKey::new(&mut state, &2, 2), 10).unwrap();
    assert_eq!(mean.get(&mut CurrentKey::new(&mut state, &1, 1)).unwrap(), Some(3.0));
    mean.clear(&mut CurrentKey::new(&mut state, &1, 1)).unwrap();
    assert_eq!(mean.get(&mut CurrentKey::new(&mut state, &1, 1)).unwrap(), None);
    assert_eq!(mean.get(&mut CurrentKey::new(&mut state, &2, 2)).unwrap(), Some(10.0));
}
