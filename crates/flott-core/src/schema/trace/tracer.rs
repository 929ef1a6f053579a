//! The deserializer that answers a pass.

use std::any::type_name;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::{
    candidates::{BOOLS, BYTE_COUNTS, BYTES, CHARS, FLOATS, SIGNED, STRINGS, UNSIGNED},
    context::Context,
    error::TraceError,
    graph::{Kind, Place},
};
use crate::schema::Type;

type Result<T> = std::result::Result<T, TraceError>;

/// Answers for what is at `place`.
pub(super) struct Tracer<'c> {
    pub(super) context: &'c mut Context,
    pub(super) place: Place,
    /// Whether to look for something new, or to come to an end.
    pub(super) explore: bool,
}

impl<'c> Tracer<'c> {
    pub(super) fn root(context: &'c mut Context) -> Self {
        Self { context, place: (0, 0), explore: true }
    }

    /// The type at this place has parts, which `visit` reads.
    pub(super) fn within<V, T>(
        self,
        kind: Kind,
        name: &'static str,
        visit: impl FnOnce(Parts<'_>) -> Result<T>,
    ) -> Result<T> {
        let (node, explore) = self.context.enter((self.place, self.explore), kind, name, type_name::<V>())?;
        let result = visit(Parts::of(&mut *self.context, node, explore));
        self.context.leave();
        result
    }

    fn refuse<T>(self, asked: &'static str) -> Result<T> {
        self.context.give_up(format!("it asks for {asked}, but the encoding doesn't describe itself"))
    }
}

/// The parts of the type of a node.
pub(super) struct Parts<'c> {
    pub(super) context: &'c mut Context,
    pub(super) node: usize,
    pub(super) explore: bool,
    next: usize,
    left: usize,
}

impl<'c> Parts<'c> {
    pub(super) fn of(context: &'c mut Context, node: usize, explore: bool) -> Self {
        Self { context, node, explore, next: 0, left: usize::MAX }
    }

    /// The same, but of at most so many parts.
    pub(super) fn up_to(self, left: usize) -> Self {
        Self { left, ..self }
    }

    pub(super) fn part(&mut self, part: usize) -> Tracer<'_> {
        Tracer { context: &mut *self.context, place: (self.node, part), explore: self.explore }
    }

    pub(super) fn into_part(self, part: usize) -> Tracer<'c> {
        Tracer { context: self.context, place: (self.node, part), explore: self.explore }
    }
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = TraceError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.next >= self.left {
            return Ok(None);
        }
        let part = self.next;
        self.next += 1;
        seed.deserialize(self.part(part)).map(Some)
    }
}

/// Elements or entries, of which there is one or none.
struct Repeated<'c> {
    parts: Parts<'c>,
    left: bool,
}

impl<'c> Repeated<'c> {
    fn new(parts: Parts<'c>) -> Self {
        let left = parts.explore;
        Self { parts, left }
    }
}

impl<'de> SeqAccess<'de> for Repeated<'_> {
    type Error = TraceError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if !std::mem::take(&mut self.left) {
            return Ok(None);
        }
        seed.deserialize(self.parts.part(0)).map(Some)
    }
}

impl<'de> MapAccess<'de> for Repeated<'_> {
    type Error = TraceError;

    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        seed.deserialize(self.parts.part(1))
    }
}

macro_rules! leaves {
    ($($method:ident => $visit:ident($leaf:ident, $candidates:ident as $type:ty)),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            let candidate = self.context.leaf(self.place, Type::$leaf, $candidates.len())?;
            visitor.$visit(<$type>::from($candidates[candidate]))
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Tracer<'_> {
    type Error = TraceError;

    leaves! {
        deserialize_bool => visit_bool(Bool, BOOLS as bool),
        deserialize_i8 => visit_i8(I8, SIGNED as i8),
        deserialize_i16 => visit_i16(I16, SIGNED as i16),
        deserialize_i32 => visit_i32(I32, SIGNED as i32),
        deserialize_i64 => visit_i64(I64, SIGNED as i64),
        deserialize_i128 => visit_i128(I128, SIGNED as i128),
        deserialize_u8 => visit_u8(U8, UNSIGNED as u8),
        deserialize_u16 => visit_u16(U16, UNSIGNED as u16),
        deserialize_u32 => visit_u32(U32, UNSIGNED as u32),
        deserialize_u64 => visit_u64(U64, UNSIGNED as u64),
        deserialize_u128 => visit_u128(U128, UNSIGNED as u128),
        deserialize_f32 => visit_f32(F32, FLOATS as f32),
        deserialize_f64 => visit_f64(F64, FLOATS as f64),
        deserialize_char => visit_char(Char, CHARS as char),
        deserialize_str => visit_borrowed_str(Str, STRINGS as &'static str),
        deserialize_string => visit_borrowed_str(Str, STRINGS as &'static str),
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let candidate = self.context.leaf(self.place, Type::Bytes, BYTE_COUNTS.len())?;
        visitor.visit_borrowed_bytes(&BYTES[..BYTE_COUNTS[candidate]])
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.context.leaf(self.place, Type::Unit, 1)?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.within::<V, _>(Kind::Option, "", |parts| match parts.explore {
            true => visitor.visit_some(parts.into_part(0)),
            false => visitor.visit_none(),
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        self.within::<V, _>(Kind::Newtype, name, |parts| visitor.visit_newtype_struct(parts.into_part(0)))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.within::<V, _>(Kind::Seq, "", |parts| visitor.visit_seq(Repeated::new(parts)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.within::<V, _>(Kind::Map, "", |parts| visitor.visit_map(Repeated::new(parts)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.within::<V, _>(Kind::Tuple(len), "", |parts| visitor.visit_seq(parts.up_to(len)))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.fields(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.variants(name, variants, visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value> {
        self.refuse("a field name")
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value> {
        self.refuse("a value of any type")
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value> {
        self.refuse("a value to skip")
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
