//! The thread that connects, reads, and connects again.

use std::io::{self, ErrorKind, Read as _};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flott_runtime::seam::Signal;

use super::SocketSource;
use super::error::SocketError;
use super::lines::LineSplitter;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const BLOCK_BYTES: usize = 64 << 10;

/// What the thread hands to the reader. Dropping its end without a failure means that the stream has ended.
pub(super) type Handed = Result<Vec<String>, SocketError>;

/// Through which the reader ends the thread, whatever it waits for.
#[derive(Debug, Default)]
pub(super) struct Stop {
    requested: AtomicBool,
    pause: Signal,
    stream: Mutex<Option<TcpStream>>,
}

impl Stop {
    pub(super) fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
        self.pause.wake();
        if let Some(stream) = self.stream.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // The peer may have closed it already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn is_requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }

    /// Keeps a handle to the stream, so that a read from it can be ended.
    fn guard(&self, stream: &TcpStream) -> io::Result<()> {
        *self.stream.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream.try_clone()?);
        Ok(())
    }
}

pub(super) struct Connection {
    pub(super) source: SocketSource,
    pub(super) stop: Arc<Stop>,
    pub(super) queue: SyncSender<Handed>,
    pub(super) waker: Arc<Signal>,
}

/// Why reading a connection ended.
enum Ended {
    /// The server closed it.
    Closed,
    /// It broke off.
    Lost(io::Error),
    /// Nobody reads the queue any more, or a line was refused and the reader has been told.
    GivenUp,
}

impl Connection {
    /// Runs until the stream ends, fails, or is stopped.
    pub(super) fn run(self) {
        self.stop.pause.adopt();
        self.read_with_retries();
        let waker = Arc::clone(&self.waker);
        // The reader learns of the end from the closed queue, so close it before waking.
        drop(self);
        waker.wake();
    }

    fn read_with_retries(&self) {
        let mut lines = LineSplitter::new(&self.source);
        let mut retries = 0;
        while !self.stop.is_requested() {
            let failure = match self.connect() {
                Err(cause) => {
                    let (address, port) = (self.source.address(), self.source.port);
                    Some(SocketError::Connect { address, port, cause })
                }
                Ok(stream) => match self.read(stream, &mut lines, &mut retries) {
                    Ended::GivenUp => return,
                    Ended::Closed => None,
                    Ended::Lost(cause) => Some(SocketError::Lost { address: self.source.address(), cause }),
                },
            };
            if self.stop.is_requested() {
                return;
            }
            if retries == self.source.max_retries {
                if let Some(failure) = failure {
                    self.hand(Err(failure));
                }
                return;
            }
            retries += 1;
            self.stop.pause.wait(Some(self.source.retry_delay));
        }
    }

    /// Tries each address of the host.
    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
        for address in (self.source.host.as_str(), self.source.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                Ok(stream) => {
                    self.stop.guard(&stream)?;
                    return Ok(stream);
                }
                Err(cause) => last = cause,
            }
            if self.stop.is_requested() {
                break;
            }
        }
        Err(last)
    }

    fn read(&self, mut stream: TcpStream, lines: &mut LineSplitter, retries: &mut u32) -> Ended {
        let mut block = vec![0; BLOCK_BYTES];
        // A stop between connecting and guarding the stream has not shut it down.
        while !self.stop.is_requested() {
            let count = match stream.read(&mut block) {
                Ok(count) => count,
                Err(cause) if cause.kind() == ErrorKind::Interrupted => continue,
                Err(cause) => return if self.hand_last(lines) { Ended::Lost(cause) } else { Ended::GivenUp },
            };
            if count == 0 {
                return if self.hand_last(lines) { Ended::Closed } else { Ended::GivenUp };
            }
            let mut complete = Vec::new();
            let fed = lines.feed(&block[..count], &mut complete);
            if !complete.is_empty() {
                *retries = 0;
                if !self.hand(Ok(complete)) {
                    return Ended::GivenUp;
                }
            }
            if let Err(error) = fed {
                self.hand(Err(error));
                return Ended::GivenUp;
            }
        }
        Ended::GivenUp
    }

    /// Hands over the line that the end of the connection cut off; false if reading is over.
    fn hand_last(&self, lines: &mut LineSplitter) -> bool {
        match lines.finish() {
            Ok(None) => true,
            Ok(Some(line)) => self.hand(Ok(vec![line])),
            Err(error) => {
                self.hand(Err(error));
                false
            }
        }
    }

    /// False if nobody reads the queue any more.
    fn hand(&self, handed: Handed) -> bool {
        let sent = self.queue.send(handed).is_ok();
        self.waker.wake();
        sent
    }
}
