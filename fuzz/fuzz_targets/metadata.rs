//! Metadata from anywhere ends in metadata or an error.
#![no_main]

use flott_state::format::CheckpointMetadata;
use libfuzzer_sys::fuzz_target;

fn read(bytes: &[u8]) {
    if let Ok(metadata) = CheckpointMetadata::from_bytes(bytes) {
        assert_eq!(metadata.to_bytes().as_deref(), Ok(bytes));
    }
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    read(&flott_fuzz::framed(b"FLTSNAPS", bytes));
});
