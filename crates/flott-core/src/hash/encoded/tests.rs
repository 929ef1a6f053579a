use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::*;
use crate::{encoding, hash::key_hash};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Id(u32);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Nested(Id);

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Key {
    None,
    Pair { id: Id, name: String },
}

/// The hash of the key's encoding is that of the key, and only the key is taken from the bytes.
fn check<K: Serialize + DeserializeOwned + 'static>(key: K) {
    let mut bytes = encoding::to_vec(&key).unwrap();
    bytes.extend_from_slice(b"what follows");
    let mut rest = bytes.as_slice();
    let hash = encoded_key_hash(&mut rest, &Schema::of::<K>()).unwrap();
    assert_eq!(hash, key_hash(&key).unwrap(), "{}", std::any::type_name::<K>());
    assert_eq!(rest, b"what follows");
}

proptest! {
    #[test]
    fn the_hash_of_an_encoding_is_that_of_the_key(number: i128, text: String, float: f64, letter: char, flag: bool) {
        check(number as i8);
        check(number as i16);
        check(number as i32);
        check(number as i64);
        check(number);
        check(number as u8);
        check(number as u16);
        check(number as u32);
        check(number as u64);
        check(number as u128);
        check(float);
        check(letter);
        check(flag);
        check(());
        check(Id(number as u32));
        check(Nested(Id(number as u32)));
        check(Some(number as u64));
        check((number as u64, text.clone()));
        check(vec![number as u8; 3]);
        check(BTreeMap::from([(text.clone(), number as u16)]));
        check(Key::None);
        check(Key::Pair { id: Id(7), name: text.clone() });
        check(text);
    }
}

#[test]
fn what_is_no_key_of_the_type_is_an_error() {
    assert!(encoded_key_hash(&mut [1, 2].as_slice(), &Schema::of::<u32>()).is_err());
}
