//! A serde serializer that hashes integers and strings on the spot and declines everything else.

use super::mix64;
use serde::ser::{self, Impossible, Serialize};
use std::fmt::{self, Display, Write};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

type Result<T = u64> = std::result::Result<T, NoScalar>;

/// The key is no scalar, or its `Serialize` failed. Either way encoding it gives the answer or the true error, so
/// that the first failed attempt carries nothing and costs next to nothing.
#[derive(Debug)]
pub(super) struct NoScalar;

impl Display for NoScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key is no scalar")
    }
}

impl std::error::Error for NoScalar {}

impl ser::Error for NoScalar {
    fn custom<T: Display>(_message: T) -> Self {
        Self
    }
}

pub(super) struct ScalarHasher;

macro_rules! extended {
    ($($method:ident($value:ident: $type:ty) => $extended:expr),* $(,)?) => {$(
        #[inline]
        fn $method(self, $value: $type) -> Result {
            Ok(mix64($extended))
        }
    )*};
}

macro_rules! declined {
    ($($method:ident($($argument:ty),*) -> $answer:ty),* $(,)?) => {$(
        #[inline]
        fn $method(self, $(_: $argument),*) -> Result<$answer> {
            Err(NoScalar)
        }
    )*};
}

type Never = Impossible<u64, NoScalar>;
type Name = &'static str;

impl ser::Serializer for ScalarHasher {
    type Ok = u64;
    type Error = NoScalar;
    type SerializeSeq = Never;
    type SerializeMap = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    extended! {
        serialize_i8(value: i8) => i64::from(value) as u64,
        serialize_i16(value: i16) => i64::from(value) as u64,
        serialize_i32(value: i32) => i64::from(value) as u64,
        serialize_i64(value: i64) => value as u64,
        serialize_u8(value: u8) => u64::from(value),
        serialize_u16(value: u16) => u64::from(value),
        serialize_u32(value: u32) => u64::from(value),
        serialize_u64(value: u64) => value,
        serialize_bool(value: bool) => u64::from(value),
        serialize_char(value: char) => u64::from(value),
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result {
        Ok(xxh3_64(value.as_bytes()))
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result {
        Ok(xxh3_64(value))
    }

    /// A string that is never put together: its pieces are hashed as they are formatted.
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result {
        let mut pieces = Pieces(Xxh3::new());
        write!(pieces, "{value}").map_err(ser::Error::custom)?;
        Ok(pieces.0.digest())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: Name, value: &T) -> Result {
        value.serialize(self)
    }

    declined! {
        serialize_i128(i128) -> u64,
        serialize_u128(u128) -> u64,
        serialize_f32(f32) -> u64,
        serialize_f64(f64) -> u64,
        serialize_none() -> u64,
        serialize_unit() -> u64,
        serialize_unit_struct(Name) -> u64,
        serialize_unit_variant(Name, u32, Name) -> u64,
        serialize_seq(Option<usize>) -> Never,
        serialize_map(Option<usize>) -> Never,
        serialize_tuple(usize) -> Never,
        serialize_tuple_struct(Name, usize) -> Never,
        serialize_tuple_variant(Name, u32, Name, usize) -> Never,
        serialize_struct(Name, usize) -> Never,
        serialize_struct_variant(Name, u32, Name, usize) -> Never,
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, _value: &T) -> Result {
        Err(NoScalar)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: Name,
        _index: u32,
        _variant: Name,
        _value: &T,
    ) -> Result {
        Err(NoScalar)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

struct Pieces(Xxh3);

impl Write for Pieces {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.0.update(piece.as_bytes());
        Ok(())
    }
}
