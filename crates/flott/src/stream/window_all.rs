//! Where windows of a stream begin: by count, and of all records.

use flott_core::{Data, Key};

use super::windowed_stream::{CountWindows, SlidingCountWindows};
use super::{DataStream, KeyedStream, WindowedStream};
use crate::window::{GlobalWindows, WindowAssigner};

impl<K: Key, T: Data> KeyedStream<K, T> {
    /// Collects every `size` records of a key into a window (Flink: `countWindow(size)`). Results carry the last of all
    /// timestamps.
    pub fn count_window(&self, size: u64) -> CountWindows<K, T> {
        self.window(GlobalWindows).every(size)
    }

    /// Makes a window of the last `size` records of a key, fewer at the beginning, with every `slide`-th record (Flink:
    /// `countWindow(size, slide)`). Results carry the last of all timestamps.
    pub fn count_window_sliding(&self, size: usize, slide: u64) -> SlidingCountWindows<K, T> {
        self.count_window_size(size);
        self.window(GlobalWindows).last(size, slide)
    }

    fn count_window_size(&self, size: usize) {
        if size == 0 {
            let problem = "a sliding count window needs a size of at least 1".to_owned();
            self.env.builder.borrow_mut().invalid("Window", problem);
        }
    }
}

impl<T: Data> DataStream<T> {
    /// Collects the records of the whole stream into windows, in one subtask (Flink: `windowAll`). Window functions get
    /// the key `()`.
    pub fn window_all<A: WindowAssigner<T>>(&self, assigner: A) -> WindowedStream<(), T, A> {
        self.key_by(|_| ()).window(assigner).of_all()
    }

    /// Collects every `size` records of the whole stream into a window, in one subtask (Flink: `countWindowAll`).
    pub fn count_window_all(&self, size: u64) -> CountWindows<(), T> {
        self.window_all(GlobalWindows).every(size)
    }

    /// Makes a window of the last `size` records of the whole stream with every `slide`-th, in one subtask (Flink:
    /// `countWindowAll(size, slide)`).
    pub fn count_window_all_sliding(&self, size: usize, slide: u64) -> SlidingCountWindows<(), T> {
        let keyed = self.key_by(|_| ());
        keyed.count_window_size(size);
        keyed.window(GlobalWindows).of_all().last(size, slide)
    }
}
