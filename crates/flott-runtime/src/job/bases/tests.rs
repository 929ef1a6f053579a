use super::*;

const TASK: TaskId = TaskId { vertex: 1, subtask: 0 };

fn part(byte: u8) -> StatePart {
    StatePart::Inline(vec![byte; 10])
}

fn no_stores() -> StoredStores {
    StoredStores::default()
}

#[test]
fn what_has_changed_lies_on_top_of_what_it_is_built_on() {
    let mut bases = Bases::default();
    assert_eq!(bases.add(1, TASK, None, part(1), no_stores()).unwrap().parts, [part(1)]);
    assert_eq!(bases.add(2, TASK, Some(1), part(2), no_stores()).unwrap().parts, [part(1), part(2)]);
    let third = bases.add(3, TASK, Some(2), part(3), no_stores()).unwrap();
    assert_eq!(third.parts, [part(1), part(2), part(3)]);
    assert_eq!((third.checkpointed_bytes, third.state_bytes()), (10, 30));
    assert_eq!(bases.add(4, TASK, None, part(4), no_stores()).unwrap().parts, [part(4)], "everything");
}

#[test]
fn what_nothing_is_known_of_can_not_be_built_on() {
    let mut bases = Bases::default();
    bases.add(1, TASK, None, part(1), no_stores()).unwrap();
    bases.add(2, TASK, None, part(2), no_stores()).unwrap();
    bases.keep_from(2);
    bases.forget(2);
    for base in [1, 2] {
        let error = bases.add(3, TASK, Some(base), part(3), no_stores()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("checkpoint 3 is built on checkpoint {base}, of which nothing is known; take a full one")
        );
    }
}
