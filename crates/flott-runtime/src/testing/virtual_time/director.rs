//! Who watches a simulation turn by turn, and does harm to it.

use std::time::Duration;

/// Sees every turn of a simulation and says what becomes of it: how a test makes a thread die or stand still, or the whole process
/// die, at any moment.
///
/// It is called while nobody runs, and must not wait or look at the clock through the seam.
pub trait Director: Send + Sync {
    /// A thread is about to have its turn.
    fn turn(&self, turn: &Turn<'_>) -> Order;

    /// How often a message arrives that may get lost on its way, such as the notice that a checkpoint is complete.
    fn arrivals(&self) -> u32 {
        1
    }
}

/// A turn of a simulation.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// Whose turn it is: 0 is the program, 1 the first thread that it has started.
    pub thread: usize,
    /// The name of the thread.
    pub name: &'a str,
    /// Nanoseconds since the start.
    pub now_ns: u64,
}

/// What becomes of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// The thread has it.
    GoOn,
    /// The thread panics instead of going on. For threads of tasks, which are made to bear it.
    Panic(String),
    /// The thread gets no turn for so long.
    Hold(Duration),
    /// Everybody's last moment: the process is gone.
    End,
}
