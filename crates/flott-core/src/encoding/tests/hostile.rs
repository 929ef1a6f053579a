//! Bytes that no writer wrote: always an error that says where and what was expected.

use super::rich::Rich;
use crate::encoding::{DecodeErrorKind, MAX_DEPTH, MAX_WEIGHTLESS, decode};
use proptest::prelude::*;
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Visitor};
use std::{collections::BTreeMap, collections::HashMap, fmt};

#[derive(Debug, PartialEq, Deserialize)]
enum Event {
    Start,
    Move { to: (i32, i32) },
}

#[derive(Debug, Deserialize)]
enum List {
    End,
    Link(#[allow(dead_code)] Box<List>),
}

/// Takes no bytes, but memory.
#[derive(Debug, Clone, Default, Deserialize)]
struct Heavy {
    #[serde(skip)]
    _cache: [u64; 16],
}

/// Where and why reading `bytes` as a `T` fails.
#[track_caller]
fn refused<T: DeserializeOwned + fmt::Debug>(bytes: &[u8]) -> (usize, DecodeErrorKind) {
    let error = decode::<T>(bytes).unwrap_err();
    (error.offset(), error.kind().clone())
}

#[test]
fn a_bool_that_is_neither_0_nor_1() {
    let kind = DecodeErrorKind::InvalidValue { expected: "a bool (0 or 1)", found: 2 };
    assert_eq!(refused::<(u8, bool)>(&[9, 2]), (1, kind));
}

#[test]
fn an_option_tag_that_is_neither_0_nor_1() {
    let kind = DecodeErrorKind::InvalidValue { expected: "an option's tag (0 or 1)", found: 0xff };
    assert_eq!(refused::<Option<u8>>(&[0xff, 1]), (0, kind));
}

#[test]
fn a_char_that_is_a_surrogate_or_beyond_unicode() {
    for found in [0xd800, 0x11_0000] {
        let mut bytes = vec![0];
        bytes.extend_from_slice(&u32::to_le_bytes(found));
        let kind = DecodeErrorKind::InvalidValue { expected: "a char (a Unicode scalar value)", found };
        assert_eq!(refused::<(u8, char)>(&bytes), (1, kind));
    }
}

#[test]
fn a_string_that_is_not_utf_8() {
    assert_eq!(refused::<String>(&[3, 0, 0, 0, b'a', 0xff, b'b']), (5, DecodeErrorKind::InvalidUtf8));
}

#[test]
fn a_string_longer_than_the_input() {
    let kind = DecodeErrorKind::UnexpectedEnd { expected: "a string", needed: 0xffff_ffff, left: 1 };
    assert_eq!(refused::<String>(&[0xff, 0xff, 0xff, 0xff, b'a']), (4, kind));
}

#[test]
fn an_integer_that_is_cut_off() {
    let kind = DecodeErrorKind::UnexpectedEnd { expected: "a u64", needed: 8, left: 3 };
    assert_eq!(refused::<(u8, u64)>(&[1, 2, 3, 4]), (1, kind));
}

#[test]
fn an_enum_index_without_a_variant() {
    assert_eq!(decode::<Event>(&[0, 0, 0, 0]).unwrap(), Event::Start);
    let (offset, kind) = refused::<(u8, Event)>(&[1, 2, 0, 0, 0]);
    assert_eq!(offset, 1);
    assert!(matches!(&kind, DecodeErrorKind::Custom(text) if text.contains("variant")), "{kind:?}");
}

#[test]
fn a_count_that_the_input_cannot_hold_is_refused_before_any_element() {
    let bytes = [0xff, 0xff, 0xff, 0xff, 1, 2];
    let kind = DecodeErrorKind::TooManyElements { count: 0xffff_ffff, limit: MAX_WEIGHTLESS + 2 };
    assert_eq!(refused::<Vec<u8>>(&bytes), (0, kind.clone()));
    assert_eq!(refused::<Vec<()>>(&bytes), (0, kind.clone()));
    assert_eq!(refused::<HashMap<u8, u8>>(&bytes), (0, kind));
}

#[test]
fn many_lists_of_elements_without_bytes_share_one_limit() {
    let lists = 1000u32;
    let mut bytes = lists.to_le_bytes().to_vec();
    for _ in 0..lists {
        bytes.extend_from_slice(&1000u32.to_le_bytes());
    }
    let (offset, kind) = refused::<Vec<Vec<Heavy>>>(&bytes);
    assert_eq!(kind, DecodeErrorKind::TooManyWeightless);
    assert_eq!(offset, 4 + 4 * (MAX_WEIGHTLESS / 1000 + 1));
}

#[test]
fn nesting_without_end_is_refused_before_the_stack_overflows() {
    let bytes = [1, 0, 0, 0].repeat(1_000_000);
    assert_eq!(refused::<List>(&bytes), (4 * (MAX_DEPTH as usize + 1), DecodeErrorKind::TooDeep));
}

#[test]
fn a_type_that_nests_without_reading_is_refused_before_the_stack_overflows() {
    #[derive(Debug, Deserialize)]
    struct Endless {
        _inner: Box<Endless>,
    }
    assert_eq!(refused::<Endless>(&[]), (0, DecodeErrorKind::TooDeep));
}

#[test]
fn a_type_that_needs_a_self_describing_format() {
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(#[allow(dead_code)] u64),
    }
    #[derive(Debug, Deserialize)]
    struct Flattened {
        #[serde(flatten)]
        _inner: BTreeMap<String, u8>,
    }
    let asked = |asked| DecodeErrorKind::NotSelfDescribing { asked };
    assert_eq!(refused::<(u8, Untagged)>(&[1; 9]), (1, asked("a value of any type")));
    assert_eq!(refused::<serde_json::Value>(&[1; 9]), (0, asked("a value of any type")));
    assert_eq!(refused::<serde::de::IgnoredAny>(&[1; 9]), (0, asked("a value to skip")));
    assert_eq!(refused::<Flattened>(&[1, 0, 0, 0, 9]).1, asked("a field name"));
}

/// Reads a sequence as if it had one element at most.
#[derive(Debug)]
struct First;

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FirstVisitor;
        impl<'de> Visitor<'de> for FirstVisitor {
            type Value = First;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<First, A::Error> {
                seq.next_element::<u8>()?;
                Ok(First)
            }
        }
        deserializer.deserialize_seq(FirstVisitor)
    }
}

#[test]
fn a_type_that_leaves_elements_unread_cannot_garble_what_follows() {
    assert!(decode::<(First, u8)>(&[1, 0, 0, 0, 7, 9]).is_ok());
    let (_, kind) = refused::<(First, u8)>(&[3, 0, 0, 0, 7, 8, 9, 1]);
    assert_eq!(kind, DecodeErrorKind::UnreadElements { left: 2 });
}

#[test]
fn the_message_names_type_place_and_expectation() {
    let text = decode::<(u8, bool)>(&[9, 2]).unwrap_err().to_string();
    assert_eq!(
        text,
        "cannot decode a value of type (u8, bool) at byte 1: expected a bool (0 or 1), found 2; \
         the input is damaged or of another type"
    );
}

/// Small numbers are frequent, so that counts, tags and indices often make sense and reading goes deep.
fn plausible_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => Just(0u8), 2 => Just(1), 2 => 0u8..8, 1 => any::<u8>()];
    prop::collection::vec(byte, 0..256)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn random_bytes_never_panic(bytes in prop_oneof![plausible_bytes(), any::<Vec<u8>>()]) {
        let _ = decode::<Rich>(&bytes);
        let _ = decode::<Vec<Rich>>(&bytes);
        let _ = decode::<Vec<String>>(&bytes);
        let _ = decode::<Vec<Vec<Vec<Heavy>>>>(&bytes);
        let _ = decode::<HashMap<Option<u8>, Vec<Event>>>(&bytes);
        let _ = decode::<BTreeMap<(), (char, bool)>>(&bytes);
        let _ = decode::<List>(&bytes);
        let _ = decode::<Box<[(u128, Result<f32, ()>)]>>(&bytes);
    }

    #[test]
    fn flipping_a_byte_of_a_value_never_panics(
        value in super::rich::rich(),
        place: prop::sample::Index,
        flip in 1u8..,
    ) {
        let mut bytes = crate::encoding::to_vec(&value).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        let _ = decode::<Rich>(&bytes);
    }
}
