//! The reader: takes lines from the thread that reads the connection.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use flott_runtime::error::FnResult;
use flott_runtime::seam::{self, JoinHandle};
use flott_runtime::source::{InputStatus, ReaderContext, SourceOutput, SourceReader, SourceSplit};

use super::connection::{Connection, Handed, Stop};
use super::error::SocketError;
use super::{SocketSource, SocketSplit};

/// How many reads of up to 64 KiB each may wait for the subtask.
const QUEUE_READS: usize = 16;

pub(super) struct SocketReader {
    source: SocketSource,
    context: ReaderContext,
    connected: Option<Connected>,
    no_more_splits: bool,
}

struct Connected {
    queue: Receiver<Handed>,
    lines: std::vec::IntoIter<String>,
    stop: Arc<Stop>,
    thread: JoinHandle<()>,
}

impl SocketReader {
    pub(super) fn new(source: SocketSource, context: ReaderContext) -> Self {
        Self { source, context, connected: None, no_more_splits: false }
    }

    fn connect(&self) -> Result<Connected, SocketError> {
        let (sender, queue) = sync_channel(QUEUE_READS);
        let stop = Arc::new(Stop::default());
        let connection = Connection {
            source: self.source.clone(),
            stop: Arc::clone(&stop),
            queue: sender,
            waker: self.context.waker(),
        };
        let address = self.source.address();
        let thread = seam::spawn(format!("socket {address}"), move || connection.run())
            .map_err(|cause| SocketError::Thread { address, cause })?;
        Ok(Connected { queue, lines: Vec::new().into_iter(), stop, thread })
    }

    fn disconnect(&mut self) {
        if let Some(Connected { queue, stop, thread, .. }) = self.connected.take() {
            stop.request();
            drop(queue);
            // A panic of the thread has ended it, which is all that is wanted here.
            let _ = thread.join();
        }
    }
}

impl SourceReader<String, SocketSplit> for SocketReader {
    fn start(&mut self) -> FnResult {
        self.context.request_split();
        Ok(())
    }

    fn add_splits(&mut self, splits: Vec<SocketSplit>) -> FnResult {
        if !splits.is_empty() && self.connected.is_none() {
            self.connected = Some(self.connect()?);
        }
        Ok(())
    }

    fn notify_no_more_splits(&mut self) {
        self.no_more_splits = true;
    }

    fn poll_next(&mut self, out: &mut SourceOutput<'_, String>) -> FnResult<InputStatus> {
        let Some(connected) = &mut self.connected else {
            return Ok(match self.no_more_splits {
                true => InputStatus::EndOfInput,
                false => InputStatus::NothingAvailable { retry_after: None },
            });
        };
        out.set_split(&SocketSplit.split_id());
        while !out.is_full() {
            if let Some(line) = connected.lines.next() {
                out.add_bytes(line.len());
                out.collect(line);
                continue;
            }
            match connected.queue.try_recv() {
                Ok(lines) => connected.lines = lines?.into_iter(),
                Err(TryRecvError::Empty) => return Ok(InputStatus::NothingAvailable { retry_after: None }),
                Err(TryRecvError::Disconnected) => {
                    out.finish_split(&SocketSplit.split_id());
                    self.disconnect();
                    return Ok(InputStatus::MoreAvailable);
                }
            }
        }
        Ok(InputStatus::MoreAvailable)
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<SocketSplit>> {
        Ok(self.connected.iter().map(|_| SocketSplit).collect())
    }

    fn close(&mut self) -> FnResult {
        self.disconnect();
        Ok(())
    }
}
