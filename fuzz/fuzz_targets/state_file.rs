//! A state file from anywhere ends in state or an error.
#![no_main]

use flott_core::key_group::KeyGroupRange;
use flott_state::format::StateFileReader;
use libfuzzer_sys::fuzz_target;

fn read(bytes: Vec<u8>) {
    let Ok(reader) = StateFileReader::of_bytes(bytes, "fuzzed bytes") else { return };
    let all = KeyGroupRange { start: 0, end: 1 << 15 };
    for operator in reader.operators() {
        let _ = reader.operator(operator, all);
    }
    let _ = reader.verify();
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes.to_vec());
    read(flott_fuzz::framed(b"FLTSTATE", bytes));
});
