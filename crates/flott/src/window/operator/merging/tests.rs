use super::{Merge, MergingWindowSet};
use crate::window::{TimeWindow, Window};

fn window(start: i64, end: i64) -> TimeWindow {
    TimeWindow { start, end }
}

#[test]
fn v8_3_17_windows_that_touch_or_overlap_merge() {
    let mut set = MergingWindowSet::default();
    for (start, end) in [(0, 1), (1, 2), (2, 3), (4, 5), (5, 6)] {
        set.add(window(start, end));
    }
    let mut windows: Vec<_> = set.windows.iter().map(|(window, _)| *window).collect();
    windows.sort();
    assert_eq!(windows, [window(0, 3), window(4, 6)]);
    assert_eq!(window(10, 20).merged(&window(20, 30)), Some(window(10, 30)));
    assert_eq!(window(10, 20).merged(&window(21, 30)), None);
}

#[test]
fn v8_3_17_a_merged_window_keeps_one_of_the_state_windows() {
    let mut set = MergingWindowSet::default();
    for (start, end) in [(0, 3), (5, 8), (10, 13)] {
        assert_eq!(set.add(window(start, end)), (window(start, end), None));
    }
    let (result, merge) = set.add(window(8, 10));
    assert_eq!(result, window(5, 13));
    let state = *set.state_window(&result).unwrap();
    assert!([window(5, 8), window(10, 13)].contains(&state));
    let Merge { sources, state_sources, .. } = merge.unwrap();
    assert_eq!(sources, [window(5, 8), window(10, 13)]);
    assert_eq!(state_sources.len(), 1);
    assert_ne!(state_sources[0], state);

    let (result, merge) = set.add(window(3, 5));
    assert_eq!(result, window(0, 13));
    assert_eq!(merge.unwrap().sources, [window(0, 3), window(5, 13)]);
    assert_eq!(set.windows.len(), 1);
}

#[test]
fn a_window_inside_another_changes_nothing() {
    let mut set = MergingWindowSet::default();
    set.add(window(0, 10));
    assert_eq!(set.add(window(2, 5)), (window(0, 10), None));
    set.retire(&window(0, 10));
    assert!(set.is_empty());
}
