//! Pins the bytes of format 1. A failure here means that existing snapshots can't be read any more.

use crate::encoding::{decode, encoded_len, to_vec};
use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned, ser::SerializeMap, ser::SerializeSeq};
use std::{collections::BTreeMap, fmt::Debug};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(u16);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u8, i16);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    amount: i64,
    city: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Event {
    Unit,
    Newtype(u8),
    Tuple(u8, bool),
    Struct { at: u16, tag: char },
}

/// Writing gives exactly `bytes`, and reading them gives the value.
#[track_caller]
fn pin<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, bytes: &[u8]) {
    assert_eq!(to_vec(&value).unwrap(), bytes);
    assert_eq!(encoded_len(&value).unwrap(), bytes.len());
    assert_eq!(decode::<T>(bytes).unwrap(), value);
}

#[test]
fn numbers_are_fixed_width_and_little_endian() {
    pin(0x12u8, &[0x12]);
    pin(0x1234u16, &[0x34, 0x12]);
    pin(0x1234_5678u32, &[0x78, 0x56, 0x34, 0x12]);
    pin(0x0102_0304_0506_0708u64, &[8, 7, 6, 5, 4, 3, 2, 1]);
    pin(1u128 << 120 | 2, &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    pin(-2i8, &[0xfe]);
    pin(-2i16, &[0xfe, 0xff]);
    pin(-2i32, &[0xfe, 0xff, 0xff, 0xff]);
    pin(-2i64, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    pin(-1i128, &[0xff; 16]);
    pin(1.5f32, &[0, 0, 0xc0, 0x3f]);
    pin(-1.5f64, &[0, 0, 0, 0, 0, 0, 0xf8, 0xbf]);
}

#[test]
fn bool_and_char() {
    pin(false, &[0]);
    pin(true, &[1]);
    pin('A', &[0x41, 0, 0, 0]);
    pin('\u{1F980}', &[0x80, 0xf9, 1, 0]);
}

#[test]
fn strings_and_byte_arrays_follow_their_length() {
    pin(String::new(), &[0, 0, 0, 0]);
    pin("flött".to_owned(), &[6, 0, 0, 0, b'f', b'l', 0xc3, 0xb6, b't', b't']);

    struct Bytes;
    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(&[9, 8])
        }
    }
    assert_eq!(to_vec(&Bytes).unwrap(), [2, 0, 0, 0, 9, 8]);
}

#[test]
fn options_have_a_tag() {
    pin(None::<u16>, &[0]);
    pin(Some(7u16), &[1, 7, 0]);
    pin(Some(None::<u16>), &[1, 0]);
}

#[test]
fn tuples_and_structs_have_no_framing() {
    pin((), &[]);
    pin(Unit, &[]);
    pin(Newtype(7), &[7, 0]);
    pin(Pair(1, -1), &[1, 0xff, 0xff]);
    pin((1u8, true, [2u16, 3]), &[1, 1, 2, 0, 3, 0]);
    pin(
        Order { id: 1, amount: -1, city: "Ulm".to_owned() },
        &[
            1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0, b'U', b'l',
            b'm',
        ],
    );
}

#[test]
fn sequences_and_maps_follow_their_count() {
    pin(Vec::<u64>::new(), &[0, 0, 0, 0]);
    pin(vec![1u16, 2], &[2, 0, 0, 0, 1, 0, 2, 0]);
    pin(vec![vec![true], vec![]], &[2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]);
    pin(BTreeMap::from([(1u8, 'a'), (2, 'b')]), &[2, 0, 0, 0, 1, 0x61, 0, 0, 0, 2, 0x62, 0, 0, 0]);
    pin(vec![(), ()], &[2, 0, 0, 0]);
}

#[test]
fn enums_are_a_variant_index_and_the_payload() {
    pin(Event::Unit, &[0, 0, 0, 0]);
    pin(Event::Newtype(7), &[1, 0, 0, 0, 7]);
    pin(Event::Tuple(7, true), &[2, 0, 0, 0, 7, 1]);
    pin(Event::Struct { at: 7, tag: 'A' }, &[3, 0, 0, 0, 7, 0, 0x41, 0, 0, 0]);
    pin(Err::<(), u8>(5), &[1, 0, 0, 0, 5]);
}

/// A sequence whose `Serialize` declares a count of its own choice.
struct Declared(Option<usize>);

impl Serialize for Declared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(self.0)?;
        seq.serialize_element(&1u8)?;
        seq.serialize_element(&2u8)?;
        seq.end()
    }
}

#[test]
fn a_missing_or_wrong_count_is_patched() {
    for declared in [None, Some(2), Some(0), Some(9)] {
        let bytes = to_vec(&(7u8, Declared(declared), 8u8)).unwrap();
        assert_eq!(bytes, [7, 2, 0, 0, 0, 1, 2, 8], "declared {declared:?}");
        assert_eq!(encoded_len(&(7u8, Declared(declared), 8u8)).unwrap(), bytes.len());
    }
}

#[test]
fn a_map_without_a_count_is_patched() {
    struct Lazy;
    impl Serialize for Lazy {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry(&1u8, &2u8)?;
            map.end()
        }
    }
    assert_eq!(to_vec(&Lazy).unwrap(), [1, 0, 0, 0, 1, 2]);
}

#[test]
fn a_string_formatted_in_pieces_has_the_bytes_of_the_whole() {
    struct Pieces;
    impl Serialize for Pieces {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(&format_args!("{}-{}", 12, "ä"))
        }
    }
    assert_eq!(to_vec(&(1u8, Pieces, 2u8)).unwrap(), to_vec(&(1u8, "12-ä", 2u8)).unwrap());
    assert_eq!(encoded_len(&Pieces).unwrap(), 9);
}
