mod model;

use super::{
    StreamStatus::{Active, Idle},
    *,
};

const NONE: MergeOutput = MergeOutput::NONE;

fn w(watermark: Timestamp) -> MergeOutput {
    MergeOutput { watermark: Some(watermark), status: None }
}

fn s(status: StreamStatus) -> MergeOutput {
    MergeOutput { watermark: None, status: Some(status) }
}

fn ws(watermark: Timestamp, status: StreamStatus) -> MergeOutput {
    MergeOutput { watermark: Some(watermark), status: Some(status) }
}

/// A merge whose channels have these watermarks.
fn merge_at(watermarks: &[Timestamp]) -> WatermarkMerge {
    let mut merge = WatermarkMerge::new(watermarks.len());
    for (channel, watermark) in watermarks.iter().enumerate() {
        let _ = merge.on_watermark(channel, *watermark);
    }
    merge
}

#[test]
fn v8_5_2_the_least_watermark_of_three_channels_counts() {
    let mut merge = WatermarkMerge::new(3);
    assert_eq!(merge.on_watermark(0, 0), NONE);
    assert_eq!(merge.on_watermark(1, 0), NONE);
    assert_eq!(merge.on_watermark(2, 0), w(0));
    assert_eq!(merge.on_watermark(0, 12), NONE);
    assert_eq!(merge.on_watermark(2, 8), NONE);
    assert_eq!(merge.on_watermark(2, 10), NONE);
    assert_eq!(merge.on_watermark(1, 15), w(10));
    assert_eq!(merge.on_watermark(2, 17), w(12));
    assert_eq!(merge.on_watermark(0, 20), w(15));
}

#[test]
fn v8_5_3_a_single_channel_passes_on_what_increases() {
    let mut merge = WatermarkMerge::new(1);
    assert_eq!(merge.on_watermark(0, 25), w(25));
    assert_eq!(merge.on_watermark(0, 18), NONE);
    assert_eq!(merge.on_watermark(0, 42), w(42));
}

#[test]
fn v8_5_4_the_output_is_idle_when_all_channels_are() {
    let mut merge = WatermarkMerge::new(2);
    assert_eq!(merge.on_status(1, Idle), NONE);
    assert_eq!(merge.on_status(0, Idle), s(Idle));
    assert_eq!(merge.on_status(0, Idle), NONE);
    assert_eq!(merge.on_status(1, Idle), NONE);
    assert_eq!(merge.on_status(1, Active), s(Active));
    assert_eq!(merge.on_status(0, Active), NONE);
}

#[test]
fn v8_5_5_an_idle_channel_is_left_out() {
    let mut merge = WatermarkMerge::new(3);
    assert_eq!(merge.on_watermark(0, 15), NONE);
    assert_eq!(merge.on_watermark(1, 10), NONE);
    assert_eq!(merge.on_status(2, Idle), w(10));
    assert_eq!(merge.on_watermark(1, 18), w(15));
    assert_eq!(merge.on_watermark(0, 20), w(18));
}

#[test]
fn when_the_last_channel_falls_idle_the_greatest_watermark_goes_first() {
    let mut merge = merge_at(&[10, 20, 30]);
    assert_eq!(merge.on_status(2, Idle), NONE);
    assert_eq!(merge.on_status(1, Idle), NONE);
    assert_eq!(merge.on_status(0, Idle), ws(30, Idle));
}

#[test]
fn a_watermark_on_an_idle_channel_is_ignored() {
    let mut merge = merge_at(&[10, 20]);
    let _ = merge.on_status(0, Idle);
    assert_eq!(merge.on_watermark(0, 100), NONE);
    assert_eq!(merge.on_status(1, Idle), s(Idle), "channel 0 stands at 10 still");
    assert_eq!(merge.on_watermark(1, 100), NONE);
    assert_eq!(merge.watermark(), 20);
}

#[test]
fn a_channel_that_comes_back_behind_counts_again_when_it_has_caught_up() {
    let mut merge = merge_at(&[10, 20]);
    assert_eq!(merge.on_status(0, Idle), w(20));
    assert_eq!(merge.on_status(0, Active), NONE);
    assert_eq!(merge.on_watermark(0, 15), NONE);
    assert_eq!(merge.on_watermark(1, 30), w(30), "a channel that catches up holds nothing back");
    assert_eq!(merge.on_watermark(0, 30), NONE);
    assert_eq!(merge.on_watermark(1, 50), NONE, "now it does");
    assert_eq!(merge.on_watermark(0, 40), w(40));
}

#[test]
fn a_channel_that_comes_back_from_a_wholly_idle_input_goes_on_from_the_output() {
    let mut merge = merge_at(&[10, 20]);
    let _ = merge.on_status(0, Idle);
    assert_eq!(merge.on_status(1, Idle), s(Idle));
    assert_eq!(merge.on_status(0, Active), s(Active));
    assert_eq!(merge.on_watermark(0, 15), NONE);
    assert_eq!(merge.on_watermark(0, 25), w(25));
}

#[test]
fn a_channel_ahead_that_comes_back_lifts_the_output_past_one_that_catches_up() {
    let mut merge = merge_at(&[5, 10, 20]);
    let _ = merge.on_status(0, Idle);
    assert_eq!(merge.watermark(), 10);
    let _ = merge.on_status(2, Idle);
    let _ = merge.on_status(0, Active);
    assert_eq!(merge.on_status(1, Idle), NONE, "only channel 0 is active, and it is behind");
    assert_eq!(merge.on_status(2, Active), w(20));
}

#[test]
fn a_finished_channel_no_longer_holds_the_watermark_back() {
    let mut merge = merge_at(&[10, 20]);
    assert_eq!(merge.on_finished(0), w(20));
    assert_eq!(merge.on_watermark(1, 25), w(25));
}

#[test]
fn a_finished_channel_does_not_lift_the_watermark_while_the_others_are_idle() {
    for finish in [WatermarkMerge::on_finished, |m: &mut WatermarkMerge, c| m.on_watermark(c, MAX_WATERMARK)]
    {
        let mut merge = merge_at(&[10, 20]);
        assert_eq!(merge.on_status(1, Idle), NONE);
        assert_eq!(finish(&mut merge, 0), ws(20, Idle));
        assert_eq!(merge.on_status(1, Active), s(Active));
        assert_eq!(merge.on_watermark(1, 30), w(30));
        assert_eq!(finish(&mut merge, 1), w(MAX_WATERMARK));
    }
}

#[test]
fn the_last_channel_falls_idle_beside_a_finished_one() {
    let mut merge = merge_at(&[10, 20]);
    let _ = merge.on_watermark(0, MAX_WATERMARK);
    assert_eq!(merge.on_status(1, Idle), s(Idle));
    assert_eq!(merge.watermark(), 20);
}

#[test]
fn when_all_have_finished_the_output_is_active_at_the_greatest_watermark_of_all() {
    let mut merge = merge_at(&[10, 20]);
    let _ = merge.on_status(0, Idle);
    let _ = merge.on_status(1, Idle);
    assert_eq!(merge.on_finished(1), NONE);
    assert_eq!(merge.on_finished(0), ws(MAX_WATERMARK, Active));
}

#[test]
fn nothing_follows_on_a_finished_channel() {
    let mut merge = merge_at(&[10, 20]);
    let _ = merge.on_finished(0);
    assert_eq!(merge.on_finished(0), NONE);
    assert_eq!(merge.on_status(0, Idle), NONE);
    assert_eq!(merge.on_status(0, Active), NONE);
    assert_eq!(merge.on_watermark(0, 15), NONE);
    assert_eq!(merge.on_watermark(1, 30), w(30), "a repeated end counts once");
}

#[test]
fn a_channel_that_does_not_exist_is_ignored() {
    let mut merge = WatermarkMerge::new(1);
    assert_eq!(merge.on_watermark(1, 5), NONE);
    assert_eq!(merge.on_status(1, Idle), NONE);
    assert_eq!(merge.on_finished(1), NONE);
    assert_eq!(merge.on_watermark(0, 5), w(5));
}
