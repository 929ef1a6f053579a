//! What is called for each record.

use flott_runtime::error::{BoxError, FnResult};

use crate::function::RuntimeContext;

/// Calls something outside for each record and returns what becomes of the record (Flink: `RichAsyncFunction`). A closure that
/// takes a record and returns such a future is one too.
///
/// Each subtask opens a clone of its own. Calls run beside the task, several at once; they may use tokio's timers and
/// sockets. A call that has timed out, or whose job ends, is dropped where it awaits.
pub trait AsyncFunction<I, O>: Clone + Send + Sync + 'static {
    /// Called once before the first record: the place to connect.
    ///
    /// # Errors
    /// An error of any method fails the job.
    fn open(&mut self, _context: &RuntimeContext) -> FnResult {
        Ok(())
    }

    /// What becomes of the record: any number of others, which keep its timestamp.
    ///
    /// # Errors
    /// An error fails the job, unless the retry strategy wants another attempt.
    fn async_invoke(&self, record: I) -> impl Future<Output = FnResult<Vec<O>>> + Send;

    /// What becomes of a record whose call, with all its retries, has taken longer than the timeout. Called on the task's
    /// thread. By default this is an error.
    ///
    /// # Errors
    /// An error fails the job.
    fn timeout(&self, _record: I) -> FnResult<Vec<O>> {
        Err("it has timed out: give it more time, or implement AsyncFunction::timeout to emit something instead".into())
    }

    /// Called once at the end, also after a failure. Calls that were dropped may still be ending.
    ///
    /// # Errors
    /// An error fails the job if it has not failed before.
    fn close(&self) -> FnResult {
        Ok(())
    }
}

impl<F, Fut, I, O, E> AsyncFunction<I, O> for F
where
    F: Fn(I) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<Vec<O>, E>> + Send,
    E: Into<BoxError>,
    I: Send,
{
    async fn async_invoke(&self, record: I) -> FnResult<Vec<O>> {
        self(record).await.map_err(Into::into)
    }
}
