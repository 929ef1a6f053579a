use super::*;

#[test]
fn a_slip_of_the_keyboard_finds_the_key() {
    assert_eq!(nearest_key("paralelism.default"), Some("parallelism.default"));
    assert_eq!(nearest_key("Parallelism.Defualt"), Some("parallelism.default"));
    assert_eq!(nearest_key("pipeline.max_parallelism"), Some("pipeline.max-parallelism"));
}

#[test]
fn a_misspelled_old_key_suggests_the_new_one() {
    assert_eq!(nearest_key("state.bakend"), Some("state.backend.type"));
}

#[test]
fn a_key_that_resembles_none_gets_no_suggestion() {
    assert_eq!(nearest_key("taskmanager.memory.process.size"), None);
    assert_eq!(nearest_key(""), None);
    assert_eq!(nearest_key(&"parallelism.default".repeat(1000)), None);
}
