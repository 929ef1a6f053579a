//! What several examples share.

pub mod flights;
pub mod utc;
