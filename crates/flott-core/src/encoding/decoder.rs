//! The serde deserializer of format 1. Nothing it reads is trusted.

use super::{DecodeError, DecodeErrorKind, MAX_DEPTH, MAX_WEIGHTLESS};
use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor, value::U32Deserializer};

type Result<T> = std::result::Result<T, DecodeError>;

/// Most elements that a collection is told to make room for before any has been read.
const MAX_SIZE_HINT: usize = 1 << 16;

/// The bytes still to be read, and what all parts of the value share.
pub(crate) struct Input<'de> {
    rest: &'de [u8],
    total: usize,
    weightless_left: usize,
}

impl<'de> Input<'de> {
    #[inline]
    pub(crate) fn new(bytes: &'de [u8]) -> Self {
        Self { rest: bytes, total: bytes.len(), weightless_left: MAX_WEIGHTLESS }
    }

    #[inline]
    pub(crate) fn rest(&self) -> &'de [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.total - self.rest.len()
    }

    #[inline]
    pub(crate) fn expect_end(&self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(self.error(DecodeErrorKind::TrailingBytes { left })),
        }
    }

    #[cold]
    pub(crate) fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(self.offset(), kind)
    }

    #[cold]
    fn cut_off(&self, expected: &'static str, needed: usize) -> DecodeError {
        self.error(DecodeErrorKind::UnexpectedEnd { expected, needed, left: self.rest.len() })
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N]> {
        let Some((head, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.cut_off(expected, N));
        };
        self.rest = rest;
        Ok(*head)
    }

    #[inline]
    fn length(&mut self, expected: &'static str) -> Result<usize> {
        self.array(expected).map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    /// A value of one byte, or of four, that only some numbers stand for. The error points at its first byte.
    #[inline]
    fn checked<const N: usize, T>(
        &mut self,
        expected: &'static str,
        convert: impl FnOnce([u8; N]) -> std::result::Result<T, u32>,
    ) -> Result<T> {
        let offset = self.offset();
        convert(self.array(expected)?)
            .map_err(|found| DecodeError::new(offset, DecodeErrorKind::InvalidValue { expected, found }))
    }

    #[inline]
    pub(crate) fn flag(&mut self, expected: &'static str) -> Result<bool> {
        self.checked(expected, |[byte]| match byte {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(u32::from(byte)),
        })
    }

    #[inline]
    pub(crate) fn bytes(&mut self, length_of: &'static str, expected: &'static str) -> Result<&'de [u8]> {
        let len = self.length(length_of)?;
        let Some((bytes, rest)) = self.rest.split_at_checked(len) else {
            return Err(self.cut_off(expected, len));
        };
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    pub(crate) fn text(&mut self) -> Result<&'de str> {
        let bytes = self.bytes("the length of a string", "a string")?;
        str::from_utf8(bytes).map_err(|error| {
            let offset = self.offset() - bytes.len() + error.valid_up_to();
            DecodeError::new(offset, DecodeErrorKind::InvalidUtf8)
        })
    }

    /// The count of a sequence or map, refused before any element is read where the input can't hold it.
    #[inline]
    pub(crate) fn count(&mut self, expected: &'static str) -> Result<usize> {
        let offset = self.offset();
        let count = self.length(expected)?;
        let limit = self.rest.len().saturating_add(self.weightless_left);
        if count > limit {
            return Err(DecodeError::new(offset, DecodeErrorKind::TooManyElements { count, limit }));
        }
        Ok(count)
    }

    #[inline]
    pub(crate) fn char(&mut self) -> Result<char> {
        self.checked("a char (a Unicode scalar value)", |bytes| {
            let code = u32::from_le_bytes(bytes);
            char::from_u32(code).ok_or(code)
        })
    }

    /// Charges the elements without bytes among the `count` that were read since `start`.
    #[inline]
    pub(crate) fn charge_weightless(&mut self, count: usize, start: usize) -> Result<()> {
        let weightless = count.saturating_sub(self.offset() - start);
        match self.weightless_left.checked_sub(weightless) {
            Some(left) => self.weightless_left = left,
            None => return Err(DecodeError::new(start, DecodeErrorKind::TooManyWeightless)),
        }
        Ok(())
    }
}

/// Reads one value, with `levels` of nesting left below it.
pub(super) struct Decoder<'i, 'de> {
    input: &'i mut Input<'de>,
    levels: u32,
}

impl<'i, 'de> Decoder<'i, 'de> {
    #[inline]
    pub(super) fn new(input: &'i mut Input<'de>) -> Self {
        Self { input, levels: MAX_DEPTH }
    }

    #[inline]
    fn deeper(self) -> Result<Self> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(Self { input: self.input, levels }),
            None => Err(self.input.error(DecodeErrorKind::TooDeep)),
        }
    }

    #[inline]
    fn fields<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(Elements { inner: self.deeper()?, left })
    }

    /// Reads the count, lets `visit` take that many elements or entries, and checks that it took them all.
    #[inline]
    fn counted<T>(
        self,
        expected: &'static str,
        visit: impl FnOnce(&mut Elements<'_, 'de>) -> Result<T>,
    ) -> Result<T> {
        let Self { input, levels } = self.deeper()?;
        let count = input.count(expected)?;
        let start = input.offset();
        let mut elements = Elements { inner: Decoder { input, levels }, left: count };
        let value = visit(&mut elements)?;
        let left = elements.left;
        if left > 0 {
            return Err(input.error(DecodeErrorKind::UnreadElements { left }));
        }
        input.charge_weightless(count, start)?;
        Ok(value)
    }

    #[cold]
    fn not_self_describing<T>(self, asked: &'static str) -> Result<T> {
        Err(self.input.error(DecodeErrorKind::NotSelfDescribing { asked }))
    }
}

macro_rules! fixed_width {
    ($($method:ident => $visit:ident($type:ident, $expected:literal)),* $(,)?) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            visitor.$visit($type::from_le_bytes(self.input.array($expected)?))
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Decoder<'_, 'de> {
    type Error = DecodeError;

    fixed_width! {
        deserialize_i8 => visit_i8(i8, "an i8"),
        deserialize_i16 => visit_i16(i16, "an i16"),
        deserialize_i32 => visit_i32(i32, "an i32"),
        deserialize_i64 => visit_i64(i64, "an i64"),
        deserialize_i128 => visit_i128(i128, "an i128"),
        deserialize_u8 => visit_u8(u8, "a u8"),
        deserialize_u16 => visit_u16(u16, "a u16"),
        deserialize_u32 => visit_u32(u32, "a u32"),
        deserialize_u64 => visit_u64(u64, "a u64"),
        deserialize_u128 => visit_u128(u128, "a u128"),
        deserialize_f32 => visit_f32(f32, "an f32"),
        deserialize_f64 => visit_f64(f64, "an f64"),
    }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_bool(self.input.flag("a bool (0 or 1)")?)
    }

    #[inline]
    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_char(self.input.char()?)
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_borrowed_str(self.input.text()?)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_borrowed_bytes(self.input.bytes("the length of a byte array", "a byte array")?)
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.input.flag("an option's tag (0 or 1)")? {
            false => visitor.visit_none(),
            true => visitor.visit_some(self.deeper()?),
        }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self.deeper()?)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.counted("the count of a sequence", |elements| visitor.visit_seq(elements))
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.counted("the count of a map", |entries| visitor.visit_map(entries))
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.fields(len, visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.fields(len, visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.fields(fields.len(), visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_enum(self)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value> {
        self.not_self_describing("a field name")
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value> {
        self.not_self_describing("a value of any type")
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value> {
        self.not_self_describing("a value to skip")
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl<'i, 'de> de::EnumAccess<'de> for Decoder<'i, 'de> {
    type Error = DecodeError;
    type Variant = Self;

    #[inline]
    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self)> {
        let offset = self.input.offset();
        let index = u32::from_le_bytes(self.input.array("an enum's variant index")?);
        let index: U32Deserializer<DecodeError> = index.into_deserializer();
        let variant = seed.deserialize(index).map_err(|error| error.at_if_unknown(offset))?;
        Ok((variant, self))
    }
}

impl<'de> de::VariantAccess<'de> for Decoder<'_, 'de> {
    type Error = DecodeError;

    #[inline]
    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.deeper()?)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.fields(len, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.fields(fields.len(), visitor)
    }
}

/// The fields of a tuple or struct, the elements of a sequence, or the entries of a map.
struct Elements<'i, 'de> {
    inner: Decoder<'i, 'de>,
    left: usize,
}

impl<'de> Elements<'_, 'de> {
    #[inline]
    fn part<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        seed.deserialize(Decoder { input: self.inner.input, levels: self.inner.levels })
    }

    #[inline]
    fn next<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        match self.left.checked_sub(1) {
            None => Ok(None),
            Some(left) => {
                self.left = left;
                self.part(seed).map(Some)
            }
        }
    }

    #[inline]
    fn hint(&self) -> usize {
        self.left.min(self.inner.input.rest.len()).min(MAX_SIZE_HINT)
    }
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = DecodeError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        self.next(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

impl<'de> de::MapAccess<'de> for Elements<'_, 'de> {
    type Error = DecodeError;

    #[inline]
    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        self.next(seed)
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        self.part(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}
