//! Values that can't be written, each an error that says why, and nothing half-written.

use crate::encoding::{
    EncodeError, EncodeErrorKind, MAX_DEPTH, MAX_WEIGHTLESS, decode, encode, encoded_len, to_vec,
};
use serde::{Deserialize, Serialize, Serializer};

/// The error of writing `value`, after checks that counting fails alike and the target is left alone.
#[track_caller]
fn refused<T: Serialize>(value: &T) -> EncodeError {
    let mut into = b"before".to_vec();
    let error = encode(value, &mut into).unwrap_err();
    assert_eq!(into, b"before");
    assert_eq!(encoded_len(value).unwrap_err(), error);
    error
}

#[test]
fn a_field_that_is_left_out() {
    #[derive(Serialize)]
    struct Sparse {
        id: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    }
    assert!(to_vec(&Sparse { id: 1, note: Some("here".to_owned()) }).is_ok());
    let error = refused(&Sparse { id: 1, note: None });
    assert_eq!(error.kind(), &EncodeErrorKind::SkippedField { field: "note" });
    let text = error.to_string();
    assert!(text.contains("Sparse") && text.contains("`note`"), "{text}");
}

#[test]
fn a_value_whose_serialize_fails() {
    struct Failing;
    impl Serialize for Failing {
        fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no path"))
        }
    }
    let error = refused(&(1u64, Failing));
    assert_eq!(error.kind(), &EncodeErrorKind::Custom("no path".to_owned()));
}

#[test]
fn a_sequence_that_declares_more_than_a_count_can_say() {
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_seq(Some(1 << 32)).map(|_| unreachable!())
        }
    }
    let error = refused(&Endless);
    assert_eq!(error.kind(), &EncodeErrorKind::TooLong { what: "a sequence", len: 1 << 32 });
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum List {
    End,
    Link(u8, Box<List>),
}

fn links(count: u32) -> List {
    (0..count).fold(List::End, |list, _| List::Link(7, Box::new(list)))
}

#[test]
fn a_value_nests_as_deep_as_can_be_read_and_no_deeper() {
    let deepest = links(MAX_DEPTH);
    assert_eq!(decode::<List>(&to_vec(&deepest).unwrap()).unwrap(), deepest);
    assert_eq!(refused(&links(MAX_DEPTH + 1)).kind(), &EncodeErrorKind::TooDeep);
    assert_eq!(refused(&links(2_000)).kind(), &EncodeErrorKind::TooDeep);
}

#[test]
fn as_many_elements_without_bytes_as_can_be_read_and_no_more() {
    let most = vec![(); MAX_WEIGHTLESS];
    assert_eq!(decode::<Vec<()>>(&to_vec(&most).unwrap()).unwrap(), most);
    assert_eq!(refused(&vec![(); MAX_WEIGHTLESS + 1]).kind(), &EncodeErrorKind::TooManyWeightless);

    let half = vec![(); MAX_WEIGHTLESS / 2];
    let two = (half.clone(), half.clone());
    assert_eq!(decode::<(Vec<()>, Vec<()>)>(&to_vec(&two).unwrap()).unwrap(), two);
    assert_eq!(refused(&(half.clone(), half, vec![()])).kind(), &EncodeErrorKind::TooManyWeightless);
}
