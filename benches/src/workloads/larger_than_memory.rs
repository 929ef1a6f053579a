//! A value for each of many keys, written once and read once: how long it takes, and how much memory.

use anyhow::{Result, ensure};
use flott::prelude::*;
use flott_core::Data;

use super::environment;
use crate::Options;
use crate::measure::{measure, peak_rss, reset_peak_rss};
use crate::sinks::ChecksumSink;

/// What is kept for a key.
trait Value: Data + Sync {
    fn of(key: u64, bytes: usize) -> Self;
    fn is_of(&self, key: u64, bytes: usize) -> bool;
}

impl Value for u64 {
    fn of(key: u64, _bytes: usize) -> Self {
        key
    }

    fn is_of(&self, key: u64, _bytes: usize) -> bool {
        *self == key
    }
}

impl Value for Vec<u8> {
    fn of(key: u64, bytes: usize) -> Self {
        key.to_le_bytes().into_iter().cycle().take(bytes).collect()
    }

    fn is_of(&self, key: u64, bytes: usize) -> bool {
        self.len() == bytes && self.starts_with(&key.to_le_bytes())
    }
}

/// Keeps a value when a key comes for the first time, and tells the key when it comes again with the same value.
#[derive(Clone)]
struct WriteAndRead<V> {
    bytes: usize,
    value: ValueState<V>,
}

impl<V: Value> KeyedProcessFunction<u64, u64, u64> for WriteAndRead<V> {
    fn open(&mut self, context: &mut OpenContext<'_, u64>) -> FnResult {
        self.value = context.value_state(ValueStateDescriptor::new("value"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        key: u64,
        context: &mut KeyedContext<'_, u64>,
        out: &mut Collector<'_, u64>,
    ) -> FnResult {
        match self.value.get(context)? {
            None => self.value.update(context, V::of(key, self.bytes))?,
            Some(value) if value.is_of(key, self.bytes) => out.collect(key),
            Some(_) => return Err(format!("key {key} has the value of another").into()),
        }
        Ok(())
    }
}

/// Spreads numbers below `count` over all of them, each once.
fn scattered(index: u64, count: u64) -> u64 {
    // A prime that is no divisor of any count in use.
    (u128::from(index) * 2_654_435_761 % u128::from(count)) as u64
}

pub(super) fn run(options: &Options) -> Result<()> {
    match options.value_bytes {
        8 => run_with::<u64>(options),
        _ => run_with::<Vec<u8>>(options),
    }
}

fn run_with<V: Value>(options: &Options) -> Result<()> {
    let (keys, bytes) = (options.keys, options.value_bytes);
    reset_peak_rss();
    let cost = measure(|| {
        let env = environment(options);
        let source = GeneratorSource::new(2 * keys, move |index| scattered(index % keys, keys));
        let (sink, sum) = ChecksumSink::new(|key: &u64| key.wrapping_add(1));
        env.from_source(source, WatermarkStrategy::no_watermarks(), "generator")
            .key_by(|key| *key)
            .process(WriteAndRead::<V> { bytes, value: ValueState::default() })
            .sink_to(sink);
        env.execute()?;
        Ok(sum.load(std::sync::atomic::Ordering::Relaxed))
    })?;
    let expected = (0..keys).fold(0_u64, |sum, key| sum.wrapping_add(key + 1));
    ensure!(cost.checksum == expected, "not every key came back with its value");
    println!("larger_than_memory: {keys} keys, values of {bytes} bytes, backend {}", options.backend);
    println!("  {:>14.0} MiB of keys and values", (keys * (8 + bytes as u64)) as f64 / 1_048_576.0);
    println!(
        "  {:>14.0} MiB peak resident memory, of which the backend may take {}",
        peak_rss()? as f64 / 1_048_576.0,
        options.memory_mib
    );
    println!(
        "  {:>14.1} s, {:.0} records/s, {:.0} ns of CPU a record",
        cost.seconds,
        2.0 * keys as f64 / cost.seconds,
        cost.cpu_seconds * 1e9 / (2.0 * keys as f64)
    );
    Ok(())
}
