use flott_core::time::Timestamp;
use proptest::prelude::*;

use super::{OfKey, Session};
use crate::window::TimeWindow;

fn window(start: Timestamp, end: Timestamp) -> TimeWindow {
    TimeWindow { start, end }
}

fn session(window: TimeWindow) -> Session<TimeWindow, ()> {
    Session { window, kept: (), timer: window.end }
}

/// The sessions of a key that has these windows, of which no two merge.
fn of_key(windows: &[TimeWindow]) -> OfKey<TimeWindow, ()> {
    let mut of_key = OfKey::of(session(windows[0]));
    for window in &windows[1..] {
        of_key.insert(session(*window));
    }
    of_key
}

fn windows(of_key: &OfKey<TimeWindow, ()>) -> Vec<TimeWindow> {
    of_key.iter().map(|session| session.window).collect()
}

/// Some of the windows 0–10, 20–30 and so on, in any order.
fn apart() -> impl Strategy<Value = Vec<TimeWindow>> {
    let starts: Vec<_> = (0..200).step_by(20).collect();
    let some = prop::sample::subsequence(starts, 1..=10).prop_shuffle();
    some.prop_map(|starts| starts.into_iter().map(|start| window(start, start + 10)).collect())
}

proptest! {
    #[test]
    fn sessions_stand_in_the_order_of_time_however_they_came(came in apart()) {
        let mut of_key = OfKey::of(session(came[0]));
        for window in &came[1..] {
            let of = of_key.insert(session(*window));
            prop_assert_eq!(of_key[of].window, *window);
        }
        let mut sorted = came;
        sorted.sort_unstable();
        prop_assert_eq!(of_key.newest().window, sorted[sorted.len() - 1]);
        prop_assert_eq!(windows(&of_key), sorted);
    }

    #[test]
    fn a_window_meets_a_session_if_any_of_them_merges_with_it(
        came in apart(), start in -20_i64..220, length in 1_i64..40
    ) {
        let new = window(start, start + length);
        match of_key(&came).meet(&new) {
            Some((of, merged)) => {
                let met = of_key(&came)[of].window;
                prop_assert!(met.intersects(&new));
                prop_assert_eq!(merged, met.cover(&new));
            }
            None => prop_assert!(!came.iter().any(|window| window.intersects(&new))),
        }
    }

    #[test]
    fn a_session_that_has_grown_finds_what_it_merges_with(
        came in apart(), of: prop::sample::Index, before in 0_i64..15, after in 0_i64..15
    ) {
        let mut of_key = of_key(&came);
        let of = of.index(of_key.len());
        let old = of_key[of].window;
        let grown = window(old.start - before, old.end + after);
        let stays_apart = of_key.is_last_and_starts_as(of, &grown);
        of_key[of].window = grown;
        let meets = windows(&of_key).iter().filter(|other| other.intersects(&grown)).count() > 1;
        prop_assert_eq!(of_key.next_to(of).is_some(), meets);
        prop_assert!(!(stays_apart && meets));
    }

    #[test]
    fn all_sessions_but_the_last_one_left_can_be_taken_out(
        came in apart(), removed in prop::collection::vec(any::<prop::sample::Index>(), 0..12)
    ) {
        let mut of_key = of_key(&came);
        let mut left = windows(&of_key);
        for of in removed {
            let of = of.index(left.len());
            let taken = of_key.remove(of).map(|session| session.window);
            prop_assert_eq!(taken, (left.len() > 1).then(|| left.remove(of)));
            prop_assert_eq!(windows(&of_key), left.as_slice());
        }
    }
}

#[test]
fn a_session_that_only_ends_later_is_known_to_stay_apart() {
    let of_key = of_key(&[window(0, 10), window(20, 30)]);
    assert!(of_key.is_last_and_starts_as(1, &window(20, 40)));
    assert!(!of_key.is_last_and_starts_as(1, &window(15, 40)));
    assert!(!of_key.is_last_and_starts_as(0, &window(0, 15)));
}
