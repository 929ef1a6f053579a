//! What the targets share.

/// A file whose body may say anything and whose checksum is right, as fuzzing does not find checksums by chance.
pub fn framed(magic: &[u8; 8], body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u64).to_le_bytes();
    let checksum = xxhash_rust::xxh3::xxh3_64(body).to_le_bytes();
    [magic, &1_u32.to_le_bytes()[..], body, &len, &checksum, magic].concat()
}
