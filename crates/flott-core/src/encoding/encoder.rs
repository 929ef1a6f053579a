//! The serde serializer of format 1.

use super::{
    EncodeError, EncodeErrorKind, MAX_DEPTH, MAX_WEIGHTLESS,
    sink::{LEN_BYTES, Sink},
};
use serde::ser::{self, Serialize};
use std::fmt::{self, Write};

type Result<T = ()> = std::result::Result<T, EncodeError>;

/// The sink of one value, and what all its parts share.
pub(super) struct Output<'s, S> {
    sink: &'s mut S,
    weightless: usize,
}

impl<'s, S: Sink> Output<'s, S> {
    #[inline]
    pub(super) fn new(sink: &'s mut S) -> Self {
        Self { sink, weightless: 0 }
    }

    #[inline]
    fn put_len(&mut self, len: usize, what: &'static str) -> Result {
        self.sink.put(&checked_len(len, what)?.to_le_bytes());
        Ok(())
    }
}

#[inline]
fn checked_len(len: usize, what: &'static str) -> Result<u32> {
    u32::try_from(len).map_err(|_| EncodeError::new(EncodeErrorKind::TooLong { what, len }))
}

/// Writes one value, with `levels` of nesting left below it.
pub(super) struct Encoder<'o, 's, S> {
    out: &'o mut Output<'s, S>,
    levels: u32,
}

impl<'o, 's, S: Sink> Encoder<'o, 's, S> {
    #[inline]
    pub(super) fn new(out: &'o mut Output<'s, S>) -> Self {
        Self { out, levels: MAX_DEPTH }
    }

    #[inline]
    fn deeper(self) -> Result<Self> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(Self { out: self.out, levels }),
            None => Err(EncodeError::new(EncodeErrorKind::TooDeep)),
        }
    }

    #[inline]
    fn fields(self) -> Result<Fields<'o, 's, S>> {
        self.deeper().map(Fields)
    }

    #[inline]
    fn counted(self, what: &'static str, declared: Option<usize>) -> Result<Counted<'o, 's, S>> {
        let inner = self.deeper()?;
        let declared = declared.unwrap_or(0);
        let count_at = inner.out.sink.len();
        inner.out.put_len(declared, what)?;
        Ok(Counted { inner, what, count_at, declared, count: 0 })
    }
}

macro_rules! fixed_width {
    ($($method:ident($type:ty)),* $(,)?) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result {
            self.out.sink.put(&value.to_le_bytes());
            Ok(())
        }
    )*};
}

impl<'o, 's, S: Sink> ser::Serializer for Encoder<'o, 's, S> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Counted<'o, 's, S>;
    type SerializeMap = Counted<'o, 's, S>;
    type SerializeTuple = Fields<'o, 's, S>;
    type SerializeTupleStruct = Fields<'o, 's, S>;
    type SerializeTupleVariant = Fields<'o, 's, S>;
    type SerializeStruct = Fields<'o, 's, S>;
    type SerializeStructVariant = Fields<'o, 's, S>;

    fixed_width! {
        serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64), serialize_i128(i128),
        serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64), serialize_u128(u128),
        serialize_f32(f32), serialize_f64(f64),
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result {
        self.serialize_u8(u8::from(value))
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result {
        self.serialize_u32(u32::from(value))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result {
        self.out.put_len(value.len(), "a string")?;
        self.out.sink.put(value.as_bytes());
        Ok(())
    }

    /// A string that is formatted straight into the sink.
    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result {
        let len_at = self.out.sink.len();
        self.out.put_len(0, "a string")?;
        write!(Text(self.out.sink), "{value}").map_err(ser::Error::custom)?;
        let len = self.out.sink.len() - len_at - LEN_BYTES;
        self.out.sink.patch(len_at, checked_len(len, "a string")?);
        Ok(())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result {
        self.out.put_len(value.len(), "a byte array")?;
        self.out.sink.put(value);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result {
        self.serialize_u8(0)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        self.out.sink.put(&[1]);
        value.serialize(self.deeper()?)
    }

    #[inline]
    fn serialize_unit(self) -> Result {
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _name: &'static str) -> Result {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(self, _name: &'static str, index: u32, _variant: &'static str) -> Result {
        self.serialize_u32(index)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result {
        value.serialize(self.deeper()?)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result {
        self.out.sink.put(&index.to_le_bytes());
        value.serialize(self.deeper()?)
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Counted<'o, 's, S>> {
        self.counted("a sequence", len)
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Counted<'o, 's, S>> {
        self.counted("a map", len)
    }

    #[inline]
    fn serialize_tuple(self, _len: usize) -> Result<Fields<'o, 's, S>> {
        self.fields()
    }

    #[inline]
    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Fields<'o, 's, S>> {
        self.fields()
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Fields<'o, 's, S>> {
        self.out.sink.put(&index.to_le_bytes());
        self.fields()
    }

    #[inline]
    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Fields<'o, 's, S>> {
        self.fields()
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Fields<'o, 's, S>> {
        self.out.sink.put(&index.to_le_bytes());
        self.fields()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Formats text into a sink.
struct Text<'s, S>(&'s mut S);

impl<S: Sink> Write for Text<'_, S> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.put(text.as_bytes());
        Ok(())
    }
}

/// The fields of a tuple, struct or enum payload: one behind the other, without framing.
pub(super) struct Fields<'o, 's, S>(Encoder<'o, 's, S>);

impl<S: Sink> Fields<'_, '_, S> {
    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        value.serialize(Encoder { out: self.0.out, levels: self.0.levels })
    }
}

macro_rules! fields {
    ($($kind:ident::$method:ident),*) => {$(
        impl<S: Sink> ser::$kind for Fields<'_, '_, S> {
            type Ok = ();
            type Error = EncodeError;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
                self.field(value)
            }

            #[inline]
            fn end(self) -> Result {
                Ok(())
            }
        }
    )*};
}

fields!(
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! named_fields {
    ($($kind:ident),*) => {$(
        impl<S: Sink> ser::$kind for Fields<'_, '_, S> {
            type Ok = ();
            type Error = EncodeError;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, _name: &'static str, value: &T) -> Result {
                self.field(value)
            }

            fn skip_field(&mut self, field: &'static str) -> Result {
                Err(EncodeError::new(EncodeErrorKind::SkippedField { field }))
            }

            #[inline]
            fn end(self) -> Result {
                Ok(())
            }
        }
    )*};
}

named_fields!(SerializeStruct, SerializeStructVariant);

/// The elements of a sequence or the entries of a map, behind their count.
///
/// serde may give no count up front, and a hand-written `Serialize` may give a wrong one, so the elements are
/// counted and the count is patched where it differs.
pub(super) struct Counted<'o, 's, S> {
    inner: Encoder<'o, 's, S>,
    what: &'static str,
    count_at: usize,
    declared: usize,
    count: usize,
}

impl<S: Sink> Counted<'_, '_, S> {
    #[inline]
    fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        value.serialize(Encoder { out: self.inner.out, levels: self.inner.levels })
    }

    #[inline]
    fn finish(self) -> Result {
        let out = self.inner.out;
        if self.count != self.declared {
            out.sink.patch(self.count_at, checked_len(self.count, self.what)?);
        }
        let bytes = out.sink.len() - self.count_at - LEN_BYTES;
        out.weightless += self.count.saturating_sub(bytes);
        if out.weightless > MAX_WEIGHTLESS {
            return Err(EncodeError::new(EncodeErrorKind::TooManyWeightless));
        }
        Ok(())
    }
}

impl<S: Sink> ser::SerializeSeq for Counted<'_, '_, S> {
    type Ok = ();
    type Error = EncodeError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.count += 1;
        self.part(value)
    }

    #[inline]
    fn end(self) -> Result {
        self.finish()
    }
}

impl<S: Sink> ser::SerializeMap for Counted<'_, '_, S> {
    type Ok = ();
    type Error = EncodeError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        self.count += 1;
        self.part(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.part(value)
    }

    #[inline]
    fn end(self) -> Result {
        self.finish()
    }
}
