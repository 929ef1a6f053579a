//! Values that types are tried with. Small, as a type may use a number to ask for memory.

pub(super) const BOOLS: &[bool] = &[false, true];

pub(super) const UNSIGNED: &[u8] = &[0, 1, 2, 3, 4, 5, 10, 12, 16, 24, 32, 64, 100, 127];

pub(super) const SIGNED: &[i8] = &[0, 1, 2, 3, 4, 5, -1, -2, 10, 12, 16, 24, 32, 64, 100, 127];

pub(super) const FLOATS: &[f32] = &[0.0, 1.0, 0.5, -1.0, 2.0, 10.0, 100.0];

pub(super) const CHARS: &[char] = &['a', 'A', '0', '1', ' ', '+', '\0'];

pub(super) const STRINGS: &[&str] = &[
    "",
    "a",
    "0",
    "1",
    "1970-01-01",
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00",
    "1970-01-01 00:00:00",
    "1970-01-01T00:00:00+00:00[UTC]",
    "00:00:00",
    "1970-01",
    "Thu",
    "Thursday",
    "Jan",
    "January",
    "UTC",
    "+00:00",
    "P0D",
    "PT0S",
    "1s",
    "00000000-0000-0000-0000-000000000000",
    "127.0.0.1",
    "127.0.0.1:80",
    "::1",
    "[::1]:80",
    "10.0.0.0/8",
    "00:00:00:00:00:00",
    "http://localhost/",
    "a@b.com",
    "1.0",
    "1.0.0",
    "^1.0.0",
    "en",
    "en-US",
    "USD",
    "DE",
    "text/plain",
    "#000000",
    "00",
    "0x00",
    "true",
    "{}",
];

pub(super) const BYTE_COUNTS: &[usize] = &[0, 16, 1, 2, 3, 4, 6, 8, 12, 20, 24, 28, 32, 33, 48, 64, 96, 128];
pub(super) const BYTES: &[u8] = &[0; 128];
