//! Reads bytes by the schema that they were written with, as a type that has another by now.
//!
//! What the type asks for is answered from the schema: a struct with its fields by name, an enum with its variant by name,
//! a number as wide as it is asked for. The rest is serde's business: defaults, aliases, what is ignored.

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor, value::StrDeserializer,
};

use super::{
    Field, Schema, Type, TypeNumber, Variant,
    read::{read_variant, value},
};
use crate::encoding::{DecodeError, DecodeErrorKind, Input, MAX_DEPTH};

type Result<T> = std::result::Result<T, DecodeError>;

/// Reads the one value that `bytes` hold, written by a type with the schema `written`, as a `T`.
///
/// [`Migration::between`](super::Migration::between) says beforehand whether that works for the types as such. What a type
/// checks of its values, and whether it refuses unknown fields, shows here.
///
/// # Errors
/// When the bytes aren't such a value, or `T` can't be made of it.
pub fn migrate<T: DeserializeOwned>(bytes: &[u8], written: &Schema) -> Result<T> {
    let mut input = Input::new(bytes);
    let value = read(&mut input, written).and_then(|value| input.expect_end().map(|()| value));
    value.map_err(DecodeError::while_decoding::<T>)
}

/// As [`migrate`], from the front of `bytes`, which it moves past the value; an error leaves `bytes` as it was.
///
/// # Errors
/// As [`migrate`], but more bytes may follow.
pub fn migrate_prefix<T: DeserializeOwned>(bytes: &mut &[u8], written: &Schema) -> Result<T> {
    let mut input = Input::new(bytes);
    let value = read(&mut input, written).map_err(DecodeError::while_decoding::<T>)?;
    *bytes = input.rest();
    Ok(value)
}

fn read<T: DeserializeOwned>(input: &mut Input<'_>, schema: &Schema) -> Result<T> {
    let result = T::deserialize(Guided { input, schema, number: 0, levels: MAX_DEPTH });
    result.map_err(|error| error.at_if_unknown(input.offset()))
}

/// Reads one value of the type with this number, with `levels` of nesting left below it.
struct Guided<'i, 'de> {
    input: &'i mut Input<'de>,
    schema: &'i Schema,
    number: TypeNumber,
    levels: u32,
}

impl<'i, 'de> Guided<'i, 'de> {
    fn written(&self) -> &'i Type {
        self.schema.get(self.schema.bare(self.number))
    }

    fn at(&mut self, number: TypeNumber) -> Guided<'_, 'de> {
        Guided { input: &mut *self.input, number, ..*self }
    }

    fn deeper(self) -> Result<Self> {
        match self.levels.checked_sub(1) {
            Some(levels) => Ok(Self { levels, ..self }),
            None => Err(self.input.error(DecodeErrorKind::TooDeep)),
        }
    }

    #[cold]
    fn refuse<T>(&self, wanted: &'static str) -> Result<T> {
        let written = self.schema.short(self.number);
        Err(self.input.error(DecodeErrorKind::WrittenAs { written, wanted }))
    }

    /// An integer that fits into the type `to`.
    fn integer<T: TryFrom<i128> + TryFrom<u128>>(self, to: &Type, wanted: &'static str) -> Result<T> {
        let written = self.written();
        if !written.widens_to(to) {
            return self.refuse(wanted);
        }
        let input = &mut *self.input;
        let signed = |value: i128| T::try_from(value).ok();
        let unsigned = |value: u128| T::try_from(value).ok();
        let number = match written {
            Type::I8 => signed(i8::from_le_bytes(input.array(wanted)?).into()),
            Type::I16 => signed(i16::from_le_bytes(input.array(wanted)?).into()),
            Type::I32 => signed(i32::from_le_bytes(input.array(wanted)?).into()),
            Type::I64 => signed(i64::from_le_bytes(input.array(wanted)?).into()),
            Type::I128 => signed(i128::from_le_bytes(input.array(wanted)?)),
            Type::U8 => unsigned(u8::from_le_bytes(input.array(wanted)?).into()),
            Type::U16 => unsigned(u16::from_le_bytes(input.array(wanted)?).into()),
            Type::U32 => unsigned(u32::from_le_bytes(input.array(wanted)?).into()),
            Type::U64 => unsigned(u64::from_le_bytes(input.array(wanted)?).into()),
            Type::U128 => unsigned(u128::from_le_bytes(input.array(wanted)?)),
            _ => None,
        };
        match number {
            Some(number) => Ok(number),
            None => self.refuse(wanted),
        }
    }

    /// Reads the count, and lets `visit` take the elements or entries, all of them.
    fn counted<T>(
        self,
        expected: &'static str,
        of: [TypeNumber; 2],
        visit: impl FnOnce(&mut Repeated<'_, 'de>) -> Result<T>,
    ) -> Result<T> {
        let inner = self.deeper()?;
        let count = inner.input.count(expected)?;
        let start = inner.input.offset();
        let mut repeated = Repeated { inner, of, left: count };
        let result = visit(&mut repeated)?;
        let Repeated { inner, left, .. } = repeated;
        if left > 0 {
            return Err(inner.input.error(DecodeErrorKind::UnreadElements { left }));
        }
        inner.input.charge_weightless(count, start)?;
        Ok(result)
    }

    fn tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        match self.written() {
            Type::Tuple(parts) if parts.len() == len => {
                visitor.visit_seq(Positional { inner: self.deeper()?, parts: parts.iter() })
            }
            _ => self.refuse("a tuple of another length or kind"),
        }
    }

    fn fields<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.written() {
            Type::Struct { fields, .. } => {
                let mut named = Named { inner: self.deeper()?, fields: fields.iter(), value: 0 };
                let value = visitor.visit_map(&mut named)?;
                // A type may stop early; the bytes of the rest are in the way.
                while named.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(value)
            }
            _ => self.refuse("a struct"),
        }
    }
}

macro_rules! integers {
    ($($method:ident => $visit:ident($leaf:ident, $wanted:literal)),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            visitor.$visit(self.integer(&Type::$leaf, $wanted)?)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Guided<'_, 'de> {
    type Error = DecodeError;

    integers! {
        deserialize_i8 => visit_i8(I8, "an i8"),
        deserialize_i16 => visit_i16(I16, "an i16"),
        deserialize_i32 => visit_i32(I32, "an i32"),
        deserialize_i64 => visit_i64(I64, "an i64"),
        deserialize_i128 => visit_i128(I128, "an i128"),
        deserialize_u8 => visit_u8(U8, "a u8"),
        deserialize_u16 => visit_u16(U16, "a u16"),
        deserialize_u32 => visit_u32(U32, "a u32"),
        deserialize_u64 => visit_u64(U64, "a u64"),
        deserialize_u128 => visit_u128(U128, "a u128"),
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.written() {
            Type::F32 => visitor.visit_f32(f32::from_le_bytes(self.input.array("an f32")?)),
            _ => self.refuse("an f32"),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.written() {
            Type::F32 => visitor.visit_f64(f32::from_le_bytes(self.input.array("an f32")?).into()),
            Type::F64 => visitor.visit_f64(f64::from_le_bytes(self.input.array("an f64")?)),
            _ => self.refuse("an f64"),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.written() {
            Type::Bool => visitor.visit_bool(self.input.flag("a bool (0 or 1)")?),
            _ => self.refuse("a bool"),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.written() {
            Type::Char => visitor.visit_char(self.input.char()?),
            _ => self.refuse("a char"),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.written() {
            Type::Str => visitor.visit_borrowed_str(self.input.text()?),
            _ => self.refuse("a string"),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.written() {
            Type::Bytes => {
                visitor.visit_borrowed_bytes(self.input.bytes("the length of a byte array", "a byte array")?)
            }
            _ => self.refuse("a byte array"),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.written() {
            Type::Unit => visitor.visit_unit(),
            _ => self.refuse("a unit"),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        match self.written() {
            Type::Option(of) => match self.input.flag("an option's tag (0 or 1)")? {
                false => visitor.visit_none(),
                true => visitor.visit_some(self.at(*of).deeper()?),
            },
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self.deeper()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.written() {
            Type::Seq(of) => {
                self.counted("the count of a sequence", [*of; 2], |elements| visitor.visit_seq(elements))
            }
            _ => self.refuse("a sequence"),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.written() {
            Type::Map(key, of) => {
                self.counted("the count of a map", [*key, *of], |entries| visitor.visit_map(entries))
            }
            _ => self.refuse("a map"),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.tuple(len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.tuple(len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.fields(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.written() {
            Type::Enum { variants: written, .. } => {
                let inner = self.deeper()?;
                let (variant, _) = read_variant(inner.input, written)?;
                visitor.visit_enum(Chosen { inner, variant, names: variants })
            }
            _ => self.refuse("an enum"),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value> {
        self.refuse("a field name")
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value> {
        self.refuse("a value of any type")
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        value(self.input, self.schema, self.number, self.levels)?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The parts of a tuple.
struct Positional<'i, 'de> {
    inner: Guided<'i, 'de>,
    parts: std::slice::Iter<'i, TypeNumber>,
}

impl<'de> SeqAccess<'de> for Positional<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let next = self.parts.next();
        next.map(|part| seed.deserialize(self.inner.at(*part))).transpose()
    }
}

/// The fields of a struct.
struct Named<'i, 'de> {
    inner: Guided<'i, 'de>,
    fields: std::slice::Iter<'i, Field>,
    /// The type of the value that comes next.
    value: TypeNumber,
}

impl<'de> MapAccess<'de> for Named<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some(field) = self.fields.next() else { return Ok(None) };
        self.value = field.of;
        seed.deserialize(field.name.as_str().into_deserializer()).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.inner.at(self.value))
    }
}

/// The elements of a sequence, or keys and values of a map.
struct Repeated<'i, 'de> {
    inner: Guided<'i, 'de>,
    of: [TypeNumber; 2],
    left: usize,
}

impl Repeated<'_, '_> {
    fn hint(&self) -> usize {
        self.left.min(self.inner.input.rest().len()).min(1 << 12)
    }
}

impl<'de> SeqAccess<'de> for Repeated<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(self.inner.at(self.of[0])).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

impl<'de> MapAccess<'de> for Repeated<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.inner.at(self.of[1]))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.hint())
    }
}

/// A variant and its payload.
struct Chosen<'i, 'de> {
    inner: Guided<'i, 'de>,
    variant: &'i Variant,
    /// The names that the type that reads knows.
    names: &'static [&'static str],
}

impl<'i, 'de> EnumAccess<'de> for Chosen<'i, 'de> {
    type Error = DecodeError;
    type Variant = Guided<'i, 'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Guided<'i, 'de>)> {
        let names = &self.variant.names;
        let known = names.iter().find(|name| self.names.contains(&name.as_str())).or(names.first());
        let name = known.map_or("", String::as_str);
        let name: StrDeserializer<'_, DecodeError> = name.into_deserializer();
        let value = seed.deserialize(name)?;
        Ok((value, Guided { number: self.variant.of, ..self.inner }))
    }
}

impl<'de> VariantAccess<'de> for Guided<'_, 'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<()> {
        match self.written() {
            Type::Unit => Ok(()),
            _ => self.refuse("a variant without a payload"),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.fields(visitor)
    }
}
