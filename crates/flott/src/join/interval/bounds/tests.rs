use super::*;

fn interval(lower_ms: i64, upper_ms: i64) -> Interval {
    IntervalBounds::new(lower_ms, upper_ms).inclusive()
}

#[test]
fn s2_5_each_side_matches_within_the_bounds_seen_from_it() {
    assert_eq!(interval(-2, 3).matches(Side::Left, 10), 8..=13);
    assert_eq!(interval(-2, 3).matches(Side::Right, 10), 7..=12);
}

#[test]
fn s2_5_exclusive_bounds_are_a_millisecond_closer() {
    let bounds =
        IntervalBounds { lower_exclusive: true, upper_exclusive: true, ..IntervalBounds::new(-2, 3) };
    assert_eq!(bounds.inclusive().matches(Side::Left, 10), 9..=12);
    let none = IntervalBounds { lower_exclusive: true, upper_exclusive: true, ..IntervalBounds::new(0, 0) };
    assert!(none.inclusive().matches(Side::Left, 10).is_empty());
}

#[test]
fn s2_5_left_is_kept_until_the_upper_bound_and_right_until_the_lower_one() {
    for (lower, upper, left, right) in [(-2, 3, 13, 12), (1, 3, 13, 10), (-3, -1, 10, 13)] {
        let interval = interval(lower, upper);
        for (side, expiry) in [(Side::Left, left), (Side::Right, right)] {
            assert_eq!(interval.expiry(side, 10), expiry, "{lower} {upper} {side:?}");
            assert_eq!(interval.expired(side, expiry), 10);
        }
    }
}

#[test]
fn bounds_that_reach_beyond_all_time_end_there() {
    let all = interval(i64::MIN, i64::MAX);
    assert_eq!(all.matches(Side::Left, 5), i64::MIN + 5..=i64::MAX);
    assert_eq!(all.expiry(Side::Left, 5), i64::MAX);
    assert_eq!(all.expiry(Side::Right, 5), i64::MAX);
}
