use proptest::prelude::*;

use super::*;

fn bytes(text: &str) -> Option<u64> {
    MemorySize::parse(text).map(|size| size.bytes)
}

#[test]
fn sizes_are_read_with_flinks_units() {
    assert_eq!(bytes("1g"), Some(1 << 30));
    assert_eq!(bytes("512m"), Some(512 << 20));
    assert_eq!(bytes("64 kb"), Some(64 << 10));
    assert_eq!(bytes("2 TB"), Some(2 << 40));
    assert_eq!(bytes("4096"), Some(4096));
    assert_eq!(bytes("7 bytes"), Some(7));
}

#[test]
fn what_is_no_size_is_refused() {
    for text in ["", "m", "-1", "1.5g", "1 gib gib", "18446744073709551615 kb"] {
        assert_eq!(bytes(text), None, "{text:?}");
    }
}

#[test]
fn a_size_is_written_with_its_largest_exact_unit() {
    let shown = |bytes| MemorySize::of_bytes(bytes).to_string();
    assert_eq!([shown(0), shown(1025), shown(3 << 30)], ["0 bytes", "1025 bytes", "3 gb"]);
}

proptest! {
    #[test]
    fn a_written_size_reads_back(bytes: u64, shift in 0u32..50) {
        let size = MemorySize::of_bytes(bytes >> shift << (shift / 2));
        prop_assert_eq!(MemorySize::parse(&size.render()), Some(size));
    }
}
