use super::rich::{Rich, rich};
use crate::encoding::{DecodeErrorKind, decode, decode_prefix, encode, encoded_len, to_vec};
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_value_is_read_as_it_was_written(value in rich()) {
        let bytes = to_vec(&value).unwrap();
        prop_assert_eq!(encoded_len(&value).unwrap(), bytes.len());
        let read: Rich = decode(&bytes).unwrap();
        prop_assert_eq!(read, value);
    }

    #[test]
    fn a_value_cut_short_anywhere_is_an_error(value in rich(), cut: prop::sample::Index) {
        let bytes = to_vec(&value).unwrap();
        let cut = cut.index(bytes.len());
        let error = decode::<Rich>(&bytes[..cut]).unwrap_err();
        prop_assert!(error.offset() <= cut);
    }

    #[test]
    fn a_byte_behind_the_value_is_an_error(value in rich()) {
        let mut bytes = to_vec(&value).unwrap();
        let end = bytes.len();
        bytes.push(0);
        let error = decode::<Rich>(&bytes).unwrap_err();
        prop_assert_eq!(error.kind(), &DecodeErrorKind::TrailingBytes { left: 1 });
        prop_assert_eq!(error.offset(), end);
    }

    #[test]
    fn values_in_a_row_are_read_one_by_one(values in prop::collection::vec(rich(), 0..4)) {
        let mut bytes = vec![];
        for value in &values {
            encode(value, &mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        for value in &values {
            let read: Rich = decode_prefix(&mut rest).unwrap();
            prop_assert_eq!(&read, value);
        }
        prop_assert!(rest.is_empty());
    }
}

#[test]
fn a_failed_prefix_stays_where_it_was() {
    let mut rest: &[u8] = &[1, 0, 0, 0, 9, 9];
    decode_prefix::<(u32, u32)>(&mut rest).unwrap_err();
    assert_eq!(rest.len(), 6);
}
