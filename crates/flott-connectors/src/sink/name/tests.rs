use super::*;

#[test]
fn a_part_is_found_by_its_hidden_and_by_its_finished_name() {
    let name = PartName { run: 0xab, subtask: 3, number: 17 };
    assert_eq!(name.to_string(), "part-0000000000ab-3-000017");
    assert_eq!(name.hidden(), ".part-0000000000ab-3-000017.inprogress");
    for file in [name.to_string(), name.hidden(), format!("{name}.csv"), format!("{name}-x")] {
        assert_eq!(PartName::of(&file), Some(name), "{file}");
    }
    let large = PartName { number: 1_234_567, ..name };
    assert_eq!(PartName::of(&large.hidden()), Some(large));
}

#[test]
fn files_of_another_origin_are_no_parts() {
    for file in [
        "part-0-17",
        "part-ab-3-17",
        "part-0000000000ab-3",
        "part-0000000000ab-3-",
        "art-0000000000ab-3-1",
        "",
        ".",
    ] {
        assert_eq!(PartName::of(file), None, "{file}");
    }
}

#[test]
fn each_run_has_a_name_of_its_own() {
    let runs: std::collections::BTreeSet<u64> = (0..100).map(|_| PartName::new_run()).collect();
    assert_eq!(runs.len(), 100);
    assert!(runs.iter().all(|run| *run < 1 << 48));
}
