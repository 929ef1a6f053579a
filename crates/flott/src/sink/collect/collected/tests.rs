use super::*;

fn collected(runs: &[(u32, &[i32])], limit: usize) -> Collected<i32> {
    let collected = Collected::new(limit);
    runs.iter().for_each(|(writer, records)| collected.lock().add(*writer, records.iter().copied()));
    collected
}

#[test]
fn a_writer_that_rolls_back_takes_its_own_newest_records_away_and_no_others() {
    let collected = collected(&[(0, &[1, 2]), (1, &[10]), (0, &[3]), (1, &[11, 12])], usize::MAX);
    collected.lock().roll_back(1, 1);
    collected.lock().roll_back(0, 3);
    assert_eq!(collected.lock().records, [1, 2, 10, 3]);
    assert_eq!(collected.lock().runs, [(0, 2), (1, 1), (0, 1)]);
    collected.lock().add(1, [13].into_iter());
    collected.lock().roll_back(0, 1);
    assert_eq!(collected.lock().written, BTreeMap::from([(0, 1), (1, 2)]));
    assert_eq!(collected.take(), [1, 10, 13]);
}

#[test]
fn what_an_earlier_process_has_collected_is_counted_and_not_here() {
    let collected = collected(&[], usize::MAX);
    collected.lock().roll_back(0, 100);
    collected.lock().add(0, [1, 2, 3].into_iter());
    assert_eq!(collected.lock().written(0), 103);
    collected.lock().roll_back(0, 101);
    collected.lock().roll_back(0, 90);
    assert_eq!(collected.take(), [0; 0], "101 would leave one, 90 none");
}

#[test]
fn the_first_so_many_records_stay_once_they_are_there() {
    let collected = collected(&[(0, &[1, 2]), (1, &[10, 11])], 3);
    collected.lock().roll_back(0, 0);
    assert_eq!((collected.len(), collected.is_empty()), (3, false));
    assert_eq!(collected.take(), [1, 2, 10]);
}
