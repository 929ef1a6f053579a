//! Writes the parts of one subtask.

use std::sync::Arc;
use std::time::Duration;

use flott_core::Batch;
use flott_core::seam::Clock;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_runtime::sink::{SinkWriter, WriteContext};

use super::commit::FileCommittable;
use super::encoder::Encoder;
use super::part::Part;
use super::parts::{FileWriterState, Parts};
use super::rolling::RollingPolicy;

/// Encoded bytes are handed to the system in runs of about this size.
const BUFFER_BYTES: usize = 128 << 10;

pub(super) struct PartWriter<E> {
    parts: Parts,
    encoder: E,
    rolling: RollingPolicy,
    clock: Arc<dyn Clock>,
    part: Option<Part>,
    /// Encoded for the present part and not yet written to it.
    buffer: Vec<u8>,
    /// Closed and not yet handed over.
    finished: Vec<FileCommittable>,
}

impl<E> PartWriter<E> {
    pub(super) fn new(parts: Parts, encoder: E, rolling: RollingPolicy, clock: Arc<dyn Clock>) -> Self {
        let buffer = Vec::with_capacity(BUFFER_BYTES * 2);
        Self { parts, encoder, rolling, clock, part: None, buffer, finished: Vec::new() }
    }

    fn write_buffer(&mut self) -> FnResult {
        if let Some(part) = &mut self.part {
            part.write(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn close_part(&mut self) -> FnResult {
        self.write_buffer()?;
        if let Some(part) = self.part.take() {
            self.finished.push(part.finish()?);
        }
        Ok(())
    }
}

impl<T, E: Encoder<T>> SinkWriter<T> for PartWriter<E> {
    type Committable = FileCommittable;
    type State = FileWriterState;

    fn write(&mut self, batch: &mut Batch<T>, _context: WriteContext) -> FnResult {
        if batch.is_empty() {
            return Ok(());
        }
        let now_ms = self.clock.wall_ms();
        let begins_part = self.part.is_none();
        let part = match &mut self.part {
            Some(part) => part,
            none => none.insert(self.parts.begin(now_ms)?),
        };
        part.written_ms = now_ms;
        let length = part.length;
        self.encoder.encode(&batch.records, begins_part, &mut self.buffer)?;
        batch.clear();
        if length + self.buffer.len() as u64 >= self.rolling.max_part_bytes {
            self.close_part()?;
        } else if self.buffer.len() >= BUFFER_BYTES {
            self.write_buffer()?;
        }
        Ok(())
    }

    fn flush(&mut self, end_of_input: bool) -> FnResult {
        if end_of_input { self.close_part() } else { self.write_buffer() }
    }

    /// Closes the present part: a part that stayed open over a checkpoint would have to be cut off when the job is restored,
    /// by whoever gets it then.
    fn prepare_commit(&mut self) -> FnResult<Vec<FileCommittable>> {
        self.close_part()?;
        if !self.finished.is_empty() {
            self.parts.sync()?;
        }
        Ok(std::mem::take(&mut self.finished))
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<FileWriterState>> {
        Ok(self.parts.snapshot())
    }

    fn on_processing_time(&mut self, now: Timestamp) -> FnResult {
        let Some(part) = &self.part else { return Ok(()) };
        let old = elapsed(part.begun_ms, now) >= self.rolling.rollover_interval;
        if old || elapsed(part.written_ms, now) >= self.rolling.inactivity_interval {
            self.close_part()?;
        }
        Ok(())
    }

    fn close(&mut self) -> FnResult {
        self.buffer = Vec::new();
        self.part.take().map_or(Ok(()), |part| Ok(part.discard()?))
    }
}

fn elapsed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(now.saturating_sub(since)).unwrap_or(0))
}
