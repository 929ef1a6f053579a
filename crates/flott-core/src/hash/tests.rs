//! The literal hashes were computed outside this crate: XXH3 by the reference C library, the mixer by hand in Python.

use super::*;
use crate::key_group::key_place;
use serde::{Deserialize, Serializer};

fn hash<K: Serialize + ?Sized>(key: &K) -> u64 {
    key_hash(key).unwrap()
}

#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct UserId(u64);

#[derive(Serialize)]
struct Name(String);

#[derive(Serialize)]
struct Shop {
    region: String,
    number: u32,
}

#[derive(Serialize)]
#[allow(dead_code)]
enum Colour {
    Red,
    Green,
    Blue,
}

/// A key that serde passes as a byte array.
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

/// A key that serde passes as a string formatted piece by piece.
struct Path(&'static str, &'static str);

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}/{}", self.0, self.1))
    }
}

struct Failing;

impl Serialize for Failing {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("the lock is poisoned"))
    }
}

#[test]
fn integers_go_through_the_frozen_mixer() {
    assert_eq!(mix64(0), 0);
    assert_eq!(mix64(0x9e37_79b9_7f4a_7c15), 0xe220_a839_7b1d_cdaf);
    assert_eq!(hash(&1u64), 0x5692_161d_100b_05e5);
    assert_eq!(hash(&2u8), 0xdbd2_3897_3a2b_148a);
    assert_eq!(hash(&42i16), 0xa759_ea27_d472_7622);
    assert_eq!(hash(&1_000_000_000u32), 0x3bd6_89f6_8815_c537);
    assert_eq!(hash(&-1i8), 0xb4d0_55fc_f2cb_bd7b);
    assert_eq!(hash(&i32::MIN), 0xa583_97ee_4016_ac9c);
    assert_eq!(hash(&i64::MIN), 0x25c2_6ea5_79ce_a98a);
    assert_eq!(hash(&true), 0x5692_161d_100b_05e5);
    assert_eq!(hash(&false), 0);
    assert_eq!(hash(&'\u{1F980}'), 0x03c3_dbdb_d7be_6b62);
}

#[test]
fn strings_and_byte_arrays_hash_by_their_bytes_alone() {
    assert_eq!(hash(""), 0x2d06_8005_38d3_94c2);
    assert_eq!(hash("a"), 0xe6c6_32b6_1e96_4e1f);
    assert_eq!(hash("flink"), 0x8bc2_6033_b770_b523);
    assert_eq!(hash("hello"), 0x9555_e855_5c62_dcfd);
    assert_eq!(hash("user-00042"), 0x7d29_6e9d_f5b2_7eb6);
    assert_eq!(hash("a key of more than sixteen bytes"), 0x2725_8608_776b_c78a);
    assert_eq!(hash(&Bytes((0..200).collect())), 0xf42a_8864_feaf_0703);
    assert_eq!(hash(&Bytes((0..1000).map(|i| i as u8).collect())), 0xd33d_d80b_46f6_0e50);
}

#[test]
fn everything_else_hashes_by_its_encoding() {
    assert_eq!(hash(&("hello", 1u64)), 0x6c69_3faf_477e_cfbf);
    assert_eq!(hash(&(7u32, -7i64)), 0x5a5d_c444_bccd_b311);
    assert_eq!(hash(&Shop { region: "eu".to_owned(), number: 9 }), 0x0a9e_c303_33a2_e8f1);
    assert_eq!(hash(&1u128), 0x26f2_a114_8cf5_2011);
    assert_eq!(hash(&-1i128), 0x722a_202f_07a4_b313);
    assert_eq!(hash(&()), 0x2d06_8005_38d3_94c2);
    assert_eq!(hash(&Some(5u8)), 0x3b08_003f_97fc_5a5b);
    assert_eq!(hash(&None::<u8>), 0xc44b_dff4_074e_ecdb);
    assert_eq!(hash(&vec![1u16, 2, 3]), 0x0edc_5014_0084_9118);
    assert_eq!(hash(&Colour::Blue), 0x70f5_911d_66a2_0bc9);
    assert_eq!(hash(&1.5f64), 0x2561_a488_9ff6_3458);
}

#[test]
fn a_u32_and_a_u64_key_of_the_same_value_hash_alike() {
    assert_eq!(hash(&7u32), hash(&7u64));
    assert_eq!(hash(&-7i16), hash(&-7i64));
    assert_ne!(hash(&-1i32), hash(&u32::MAX), "signed integers keep their sign");
}

#[test]
fn a_newtype_hashes_as_the_value_inside() {
    assert_eq!(hash(&UserId(42)), hash(&42u64));
    assert_eq!(hash(&Name("hello".to_owned())), hash("hello"));
    assert_eq!(hash(&Box::new(42u64)), hash(&42u64));
}

#[test]
fn a_string_formatted_in_pieces_hashes_as_the_whole() {
    assert_eq!(hash(&Path("orders", "eu")), hash("orders/eu"));
}

#[test]
fn the_callers_scratch_buffer_gives_the_same_hash_whatever_it_held() {
    let mut scratch = b"left over".to_vec();
    assert_eq!(key_hash_with(&("hello", 1u64), &mut scratch).unwrap(), hash(&("hello", 1u64)));
    assert_eq!(key_hash_with(&(7u32, -7i64), &mut scratch).unwrap(), hash(&(7u32, -7i64)));
    assert_eq!(key_hash_with("hello", &mut scratch).unwrap(), hash("hello"));
    assert_eq!(key_hash_with(&7u8, &mut scratch).unwrap(), hash(&7u8));
}

#[test]
fn a_key_hashes_by_its_encoding_whether_it_fits_the_stack_or_not() {
    let mut scratch = vec![];
    for len in 0..2 * SHORT_KEY_BYTES {
        let key = (1u8, "x".repeat(len));
        let expected = xxh3_64(&encoding::to_vec(&key).unwrap());
        assert_eq!(hash(&key), expected, "length {len}");
        assert_eq!(key_hash_with(&key, &mut scratch).unwrap(), expected, "length {len}");
    }
}

#[test]
fn a_count_patched_beyond_the_stack_buffer_is_in_the_hash() {
    struct Uncounted(Vec<u32>);
    impl Serialize for Uncounted {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(self.0.iter().filter(|number| **number > 0))
        }
    }
    for len in [3, 13, 14, 15, 16, 40] {
        let numbers: Vec<u32> = (1..=len).collect();
        assert_eq!(hash(&([0u8; 8], Uncounted(numbers.clone()))), hash(&([0u8; 8], numbers)), "length {len}");
    }
}

#[test]
fn a_key_whose_serialize_hashes_another_key_gets_its_own_buffer() {
    const LONG: &str = "a text that is too long for the buffer on the stack, since that one has 64 bytes";
    struct Outer;
    impl Serialize for Outer {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            (LONG, hash(&(LONG, 1u8)), LONG).serialize(serializer)
        }
    }
    assert_eq!(hash(&Outer), hash(&(LONG, hash(&(LONG, 1u8)), LONG)));
}

#[test]
fn a_failing_key_is_an_error_that_names_type_and_reason() {
    for error in [key_hash(&Failing).unwrap_err(), key_hash(&(1, Failing)).unwrap_err()] {
        let text = error.to_string();
        assert!(text.contains("Failing") && text.contains("the lock is poisoned"), "{text}");
    }
}

#[test]
fn a_huge_key_leaves_no_huge_scratch_buffer_behind() {
    hash(&(vec![7u64; KEPT_SCRATCH_BYTES],));
    let kept = SCRATCH.take();
    assert!(kept.capacity() <= KEPT_SCRATCH_BYTES);
}

/// The chi-square statistic of the key groups of `hashes`, and of sixteen parts of the place inside the group.
fn chi_squares(hashes: &[u64]) -> (f64, f64) {
    let mut groups = [0u32; 128];
    let mut places = [0u32; 16];
    for &hash in hashes {
        let place = key_place(hash, 128);
        groups[place.group as usize] += 1;
        places[(place.place >> 60) as usize] += 1;
    }
    (chi_square(&groups), chi_square(&places))
}

fn chi_square(counts: &[u32]) -> f64 {
    let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum()
}

#[test]
fn usual_keys_spread_evenly_over_key_groups_and_places() {
    let count = 128_000u64;
    let families: [(&str, Vec<u64>); 6] = [
        ("sequential", (0..count).map(|i| hash(&i)).collect()),
        ("multiples of 4096", (0..count).map(|i| hash(&(i << 12))).collect()),
        ("high bits only", (0..count).map(|i| hash(&(i << 44))).collect()),
        ("negative", (0..count).map(|i| hash(&-(i as i32))).collect()),
        ("names", (0..count).map(|i| hash(&format!("user-{i}"))).collect()),
        ("pairs", (0..count).map(|i| hash(&(i % 97, i as u32))).collect()),
    ];
    for (name, hashes) in families {
        let (groups, places) = chi_squares(&hashes);
        // 127 and 15 degrees of freedom: a fair spread passes these bounds with a chance of one in a million.
        assert!(groups < 220.0, "{name}: chi-square over key groups {groups}");
        assert!(places < 56.0, "{name}: chi-square over places {places}");
    }
}
