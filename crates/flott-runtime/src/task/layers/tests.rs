use super::*;

#[test]
fn a_checkpoint_builds_on_the_one_offered_if_that_is_known() {
    let mut layers = Layers::default();
    assert_eq!(layers.base(None), None);
    assert_eq!(layers.base(Some(4)), None, "of another run");
    layers.add(5, None, 100);
    layers.add(6, Some(5), 1);
    assert_eq!(layers.base(Some(5)), Some(5));
    assert_eq!(layers.base(Some(6)), Some(6));
    assert_eq!(layers.base(Some(5)), None, "a later one has been offered");
}

#[test]
fn everything_is_written_again_when_the_changes_are_half_as_much() {
    let mut layers = Layers::default();
    layers.add(1, None, 100);
    layers.add(2, Some(1), 50);
    assert_eq!(layers.base(Some(2)), Some(2));
    layers.add(3, Some(2), 1);
    assert_eq!(layers.base(Some(3)), None);
    layers.add(4, None, 100);
    assert_eq!(layers.base(Some(4)), Some(4));
}

#[test]
fn everything_is_written_again_after_so_many_layers() {
    let mut layers = Layers::default();
    layers.add(1, None, u64::MAX);
    for checkpoint in 2..=u64::from(MOST_LAYERS) {
        let base = layers.base(Some(checkpoint - 1));
        assert_eq!(base, Some(checkpoint - 1));
        layers.add(checkpoint, base, 1);
    }
    assert_eq!(layers.base(Some(u64::from(MOST_LAYERS))), None);
}

#[test]
fn of_many_failed_checkpoints_the_oldest_are_forgotten() {
    let mut layers = Layers::default();
    (1..1000).for_each(|checkpoint| layers.add(checkpoint, None, 1));
    assert_eq!(layers.0.len(), MOST_KNOWN);
    assert_eq!(layers.base(Some(999)), Some(999));
}
