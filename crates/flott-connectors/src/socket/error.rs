//! What can go wrong with a socket.

use std::io;

/// Why a socket source failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketError {
    /// The server can't be reached.
    #[error(
        "can't connect to {address}: {cause}; start the server before the job (to try it out: nc -lk {port}), or let the source retry"
    )]
    Connect {
        /// Host and port.
        address: String,
        /// The port alone.
        port: u16,
        /// The system's answer.
        cause: io::Error,
    },
    /// The connection broke off.
    #[error("the connection to {address} broke off: {cause}; let the source retry if that may happen")]
    Lost {
        /// Host and port.
        address: String,
        /// The system's answer.
        cause: io::Error,
    },
    /// A line isn't text.
    #[error("line {line} from {address} is not valid UTF-8 at byte {byte}")]
    NotUtf8 {
        /// Host and port.
        address: String,
        /// The line's number since the job started, from 1.
        line: u64,
        /// The byte's number in the line, from 1.
        byte: usize,
    },
    /// A line passes the limit.
    #[error(
        "line {line} from {address} is longer than {limit} bytes; check the delimiter, or allow longer lines"
    )]
    TooLong {
        /// Host and port.
        address: String,
        /// The line's number since the job started, from 1.
        line: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// The delimiter is empty.
    #[error("the delimiter of the lines from {address} is empty; give at least one character")]
    NoDelimiter {
        /// Host and port.
        address: String,
    },
    /// No thread to read on.
    #[error("can't start the thread that reads from {address}: {cause}")]
    Thread {
        /// Host and port.
        address: String,
        /// The system's answer.
        cause: io::Error,
    },
}
