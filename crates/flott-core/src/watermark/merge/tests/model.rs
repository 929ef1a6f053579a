//! The rule written naively: after each input everything is computed anew from the channels.

use proptest::prelude::*;

use super::super::*;

#[derive(Clone, Copy, Debug)]
enum Input {
    Watermark(Timestamp),
    Status(StreamStatus),
    Finished,
}

#[derive(Clone, Copy)]
struct ModelChannel {
    watermark: Timestamp,
    is_idle: bool,
    is_behind: bool,
    is_finished: bool,
}

struct Model {
    channels: Vec<ModelChannel>,
    watermark: Timestamp,
    status: StreamStatus,
}

impl Model {
    fn new(channels: usize) -> Self {
        let channel =
            ModelChannel { watermark: i64::MIN, is_idle: false, is_behind: false, is_finished: false };
        Self { channels: vec![channel; channels], watermark: i64::MIN, status: StreamStatus::Active }
    }

    fn apply(&mut self, channel: usize, input: Input) -> MergeOutput {
        let output = self.watermark;
        let channel = &mut self.channels[channel];
        match input {
            Input::Watermark(MAX_WATERMARK) | Input::Finished => channel.is_finished = true,
            Input::Watermark(watermark) if !channel.is_idle && !channel.is_finished => {
                channel.watermark = channel.watermark.max(watermark);
                channel.is_behind &= channel.watermark < output;
            }
            Input::Status(StreamStatus::Active) if channel.is_idle => {
                channel.is_idle = false;
                channel.is_behind = channel.watermark < output;
            }
            Input::Status(StreamStatus::Idle) => channel.is_idle = true,
            _ => {}
        }
        self.recompute()
    }

    fn recompute(&mut self) -> MergeOutput {
        let left: Vec<_> = self.channels.iter().filter(|c| !c.is_finished).collect();
        let active: Vec<_> = left.iter().filter(|c| !c.is_idle).collect();
        let (candidate, status) = if left.is_empty() {
            (Some(i64::MAX), StreamStatus::Active)
        } else if active.is_empty() {
            (left.iter().map(|c| c.watermark).max(), StreamStatus::Idle)
        } else {
            (active.iter().filter(|c| !c.is_behind).map(|c| c.watermark).min(), StreamStatus::Active)
        };
        let watermark = candidate.filter(|watermark| *watermark > self.watermark);
        let news = (status != self.status).then_some(status);
        self.watermark = watermark.unwrap_or(self.watermark);
        self.status = status;
        MergeOutput { watermark, status: news }
    }
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        8 => (-3i64..30).prop_map(Input::Watermark),
        2 => Just(Input::Status(StreamStatus::Idle)),
        2 => Just(Input::Status(StreamStatus::Active)),
        1 => Just(Input::Finished),
        1 => Just(Input::Watermark(i64::MAX)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_merge_agrees_with_the_naive_model(
        channels in 1usize..6,
        inputs in prop::collection::vec((any::<prop::sample::Index>(), input()), 0..60),
    ) {
        let (mut merge, mut model) = (WatermarkMerge::new(channels), Model::new(channels));
        for (index, input) in inputs {
            let channel = index.index(channels);
            let was_idle = merge.status() == StreamStatus::Idle;
            let output = match input {
                Input::Watermark(watermark) => merge.on_watermark(channel, watermark),
                Input::Status(status) => merge.on_status(channel, status),
                Input::Finished => merge.on_finished(channel),
            };
            prop_assert_eq!(output, model.apply(channel, input), "channel {} {:?}", channel, input);
            prop_assert_eq!((merge.watermark(), merge.status()), (model.watermark, model.status));
            let stays_idle = was_idle && merge.status() == StreamStatus::Idle;
            prop_assert!(!stays_idle || output.watermark.is_none(), "a watermark on an idle stream");
        }
    }
}
