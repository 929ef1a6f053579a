use super::*;

fn splits(assignments: &[(u32, u8)]) -> Vec<Assignment> {
    assignments.iter().map(|(reader, split)| (*reader, vec![*split])).collect()
}

fn numbers(splits: Vec<Vec<u8>>) -> Vec<u8> {
    splits.into_iter().flatten().collect()
}

#[test]
fn a_reader_gives_back_what_no_complete_checkpoint_holds() {
    let mut assigned = Assigned::default();
    assigned.note(&splits(&[(0, 1), (1, 2)]));
    assigned.checkpoint(1);
    assigned.note(&splits(&[(0, 3), (1, 4), (0, 5)]));
    assigned.checkpoint(2);
    assigned.note(&splits(&[(0, 6)]));
    assigned.completed(1);
    assert_eq!(numbers(assigned.take_back(0)), [3, 5, 6], "checkpoint 2 was given up, or still may be");
    assert_eq!(numbers(assigned.take_back(0)), [], "they were given back");
    assert_eq!(numbers(assigned.take_back(1)), [4]);
}

#[test]
fn before_the_first_checkpoint_everything_comes_back() {
    let mut assigned = Assigned::default();
    assigned.note(&splits(&[(2, 1), (1, 2), (2, 3)]));
    assert_eq!(numbers(assigned.take_back(2)), [1, 3]);
}

#[test]
fn a_later_checkpoint_completes_those_before_it() {
    let mut assigned = Assigned::default();
    for checkpoint in 1..=3 {
        assigned.note(&splits(&[(0, checkpoint as u8)]));
        assigned.checkpoint(checkpoint);
    }
    assigned.completed(2);
    assert_eq!(numbers(assigned.take_back(0)), [3]);
}
