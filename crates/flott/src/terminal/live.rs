//! The live view: one line for each vertex, drawn in place.

use flott_core::seam::Clock;
use flott_runtime::job::JobHandle;
use flott_runtime::seam::SystemClock;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::rates::{RateMeter, Rates};
use super::text;

/// The longest vertex name that is shown whole.
const NAME_WIDTH: usize = 44;

/// A line for each vertex. It vanishes when it is dropped, so that what the program prints stands alone.
pub(super) struct LiveView {
    lines: Vec<(ProgressBar, RateMeter)>,
    checkpoints: ProgressBar,
    clock: SystemClock,
    last_ns: u64,
    _screen: MultiProgress,
}

impl LiveView {
    pub(super) fn new(handle: &JobHandle) -> Self {
        let screen = MultiProgress::new();
        let style =
            ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let line = |_| {
            let bar = screen.add(ProgressBar::no_length().with_style(style.clone()));
            (bar, RateMeter::default())
        };
        let lines = handle.vertices().iter().map(line).collect();
        let checkpoints = screen.add(ProgressBar::no_length().with_style(style.clone()));
        let clock = SystemClock::new();
        Self { lines, checkpoints, last_ns: clock.monotonic_ns(), clock, _screen: screen }
    }

    pub(super) fn draw(&mut self, handle: &JobHandle) {
        let now_ns = self.clock.monotonic_ns();
        let seconds = (now_ns - self.last_ns).max(1) as f64 / 1e9;
        self.last_ns = now_ns;
        for ((bar, meter), vertex) in self.lines.iter_mut().zip(handle.vertices()) {
            let rates = meter.look(vertex, seconds);
            bar.set_message(line(&vertex.name, vertex.subtasks.len(), &rates));
        }
        self.checkpoints.set_message(text::checkpoints(&handle.checkpoints()).unwrap_or_default());
    }
}

impl Drop for LiveView {
    fn drop(&mut self) {
        for (bar, _) in &self.lines {
            bar.finish_and_clear();
        }
        self.checkpoints.finish_and_clear();
    }
}

fn line(name: &str, parallelism: usize, rates: &Rates) -> String {
    let mut name: String = name.chars().take(NAME_WIDTH).collect();
    if name.chars().count() == NAME_WIDTH {
        name.pop();
        name.push('…');
    }
    format!(
        "{name:<NAME_WIDTH$} ×{parallelism:<3} in {:>8}/s  out {:>8}/s  busy {:>3.0} %  back-pressure {:>3.0} %  watermark {}",
        text::count(rates.in_per_second),
        text::count(rates.out_per_second),
        rates.busy * 100.0,
        rates.back_pressure * 100.0,
        text::watermark(rates.now.watermark),
    )
}
