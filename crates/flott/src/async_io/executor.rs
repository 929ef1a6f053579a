//! The threads on which calls run: one tokio runtime for the whole process.

use std::pin::pin;
use std::sync::OnceLock;
use std::task::Poll;

use flott_runtime::error::FnResult;
use flott_runtime::task::{Panic, catch};
use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;

use super::error::AsyncError;

static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();

fn runtime() -> Result<&'static Runtime, AsyncError> {
    let start = || {
        let built = Builder::new_multi_thread().thread_name("flott-async-io").enable_all().build();
        built.map_err(|error| error.to_string())
    };
    RUNTIME.get_or_init(start).as_ref().map_err(|error| AsyncError::NoThreads(error.clone()))
}

/// Starts a call beside the task. `report` is given what it has come to, unless it is aborted before.
pub(super) fn start<O>(
    call: impl Future<Output = FnResult<Vec<O>>> + Send + 'static,
    report: impl FnOnce(Result<FnResult<Vec<O>>, Panic>) + Send + 'static,
) -> Result<AbortHandle, AsyncError>
where
    O: Send + 'static,
{
    let guarded = async move { report(guarded(call).await) };
    Ok(runtime()?.spawn(guarded).abort_handle())
}

/// Runs the call; a panic of it comes back as a value.
async fn guarded<T>(call: impl Future<Output = T>) -> Result<T, Panic> {
    let mut call = pin!(call);
    std::future::poll_fn(|context| match catch(|| call.as_mut().poll(context)) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}
