//! The format of snapshots, from outside: what was written once, and what is sent to break the reader.

mod corpus;
mod fixture;
