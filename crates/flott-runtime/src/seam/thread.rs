//! Threads with names.

use std::sync::Arc;
use std::thread::Result;

use super::monitor::Monitor;
use super::parker::{Parker, current_parker, with_parker};

/// A running thread.
#[derive(Debug)]
pub struct JoinHandle<T> {
    thread: std::thread::JoinHandle<T>,
    ended: Arc<Monitor<bool>>,
}

impl<T> JoinHandle<T> {
    /// Waits for the end of the thread.
    ///
    /// # Errors
    /// What it has panicked with.
    pub fn join(self) -> Result<T> {
        self.ended.wait(None, |ended| ended.then_some(()));
        self.thread.join()
    }
}

/// Starts a named thread.
///
/// # Errors
/// When the operating system gives no thread.
pub fn spawn<F, T>(name: String, body: F) -> std::io::Result<JoinHandle<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let parker = current_parker().and_then(|parker| parker.child(&name));
    let ended = Arc::new(Monitor::new("the end of a thread", false));
    let end = End { parker: parker.clone(), ended: Arc::clone(&ended) };
    // The standard library refuses names with zero bytes by a panic, and names come from users.
    let thread = std::thread::Builder::new().name(name.replace('\0', " ")).spawn(move || {
        let _end = end;
        let Some(parker) = parker else { return body() };
        with_parker(Arc::clone(&parker), || {
            parker.begin();
            body()
        })
    })?;
    Ok(JoinHandle { thread, ended })
}

/// Tells the end of a thread, however it comes, or that it never began.
struct End {
    parker: Option<Arc<dyn Parker>>,
    ended: Arc<Monitor<bool>>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.ended.change(|ended| *ended = true);
        if let Some(parker) = &self.parker {
            parker.end();
        }
    }
}
