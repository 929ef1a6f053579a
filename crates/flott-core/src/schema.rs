//! What the bytes of a type mean: its schema, which a snapshot keeps beside them (Flink: `TypeSerializerSnapshot`).
//!
//! [Format 1](crate::encoding) doesn't describe itself. With the schema of the type that wrote them, bytes can be read
//! without that type ([`Value`]), and as a type that has changed since ([`Migration`], [`migrate`]).
//!
//! [`Schema::of`] finds the schema of a type by running its `Deserialize` on made-up values, so any serde type has one
//! without a line of code. Types that check what they read, such as dates, are given a row of likely values; a type
//! that takes none of them, or asks the input what comes next, is *opaque*: it is restored unchanged only.

mod compare;
mod display;
mod migrate;
mod read;
mod trace;
mod value;

pub use compare::{Incompatible, Migration};
pub use migrate::{migrate, migrate_prefix};
pub use read::{decode, decode_prefix};
pub use value::Value;

use std::{any::type_name, sync::Arc};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The layout of one type in format 1, and of all types in it. Cheap to clone.
///
/// A graph rather than a tree, for types may contain themselves. Two schemas of one type are equal. Displayed as one
/// line of Rust-like notation.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<Type>", into = "Vec<Type>")]
pub struct Schema(Arc<[Type]>);

/// A type in a schema, named by its number; that of the whole is 0.
pub type TypeNumber = u32;

/// One type of a [`Schema`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the numbers say it themselves")]
pub enum Type {
    Bool,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    Str,
    /// A byte array.
    Bytes,
    /// Nothing: `()`, a unit struct, the payload of a unit variant.
    Unit,
    /// None or a value.
    Option(TypeNumber),
    /// Any number of elements.
    Seq(TypeNumber),
    /// Keys and values.
    Map(TypeNumber, TypeNumber),
    /// A tuple, array, tuple struct or payload of a tuple variant.
    Tuple(Vec<TypeNumber>),
    /// A struct around one value, which alone is written.
    Newtype {
        name: String,
        of: TypeNumber,
    },
    /// A struct, or the payload of a struct variant.
    Struct {
        name: String,
        fields: Vec<Field>,
    },
    /// One of several variants, written as its index and its payload.
    Enum {
        name: String,
        variants: Vec<Variant>,
    },
    /// A type that can't be traced, and why.
    Opaque {
        name: String,
        reason: String,
    },
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Field {
    /// Its name for serde.
    pub name: String,
    /// The other names that the type reads it by (`#[serde(alias)]`).
    pub aliases: Vec<String>,
    /// Whether a value without the field can be read: by `#[serde(default)]`, or as it is an option.
    pub optional: bool,
    /// Its type.
    pub of: TypeNumber,
}

/// A variant of an enum. Its place in the enum is its index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Variant {
    /// Its names for serde: one, unless it has aliases. Which of them is the first can't be told then.
    pub names: Vec<String>,
    /// The type of its payload.
    pub of: TypeNumber,
}

impl Schema {
    /// The schema of `T`. Traced at the first call; later ones look it up.
    pub fn of<T: Serialize + DeserializeOwned + 'static>() -> Self {
        trace::cached::<T>()
    }

    /// A type of which nothing is known but its name.
    fn opaque<T>(reason: String) -> Self {
        Self(Arc::new([Type::Opaque { name: type_name::<T>().to_owned(), reason }]))
    }

    /// Why nothing is known of the type, if so: it is restored unchanged only.
    pub fn opaque_because(&self) -> Option<&str> {
        match self.root() {
            Type::Opaque { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// The type of the whole.
    pub fn root(&self) -> &Type {
        &self.0[0]
    }

    /// The type with this number.
    ///
    /// # Panics
    /// When the number is not from this schema.
    pub fn get(&self, number: TypeNumber) -> &Type {
        &self.0[number as usize]
    }

    /// The type with this number, seen through newtypes, which leave no trace in the bytes. A newtype that contains
    /// nothing but itself stays what it is.
    pub(crate) fn bare(&self, mut number: TypeNumber) -> TypeNumber {
        for _ in 0..self.0.len() {
            match self.get(number) {
                Type::Newtype { of, .. } => number = *of,
                _ => break,
            }
        }
        number
    }
}

impl Type {
    /// The types of its parts.
    fn parts(&self) -> impl Iterator<Item = TypeNumber> + '_ {
        let (few, tuple, fields, variants): ([Option<TypeNumber>; 2], &[_], &[Field], &[Variant]) = match self
        {
            Self::Option(of) | Self::Seq(of) | Self::Newtype { of, .. } => ([Some(*of), None], &[], &[], &[]),
            Self::Map(key, value) => ([Some(*key), Some(*value)], &[], &[], &[]),
            Self::Tuple(parts) => ([None; 2], parts, &[], &[]),
            Self::Struct { fields, .. } => ([None; 2], &[], fields, &[]),
            Self::Enum { variants, .. } => ([None; 2], &[], &[], variants),
            _ => ([None; 2], &[], &[], &[]),
        };
        let few = few.into_iter().flatten();
        let named = fields.iter().map(|field| field.of).chain(variants.iter().map(|variant| variant.of));
        few.chain(tuple.iter().copied()).chain(named)
    }
}

/// Types that name a type which isn't there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a schema of {types} types refers to type {number}; it is damaged")]
pub struct InvalidSchema {
    types: usize,
    number: TypeNumber,
}

impl TryFrom<Vec<Type>> for Schema {
    type Error = InvalidSchema;

    fn try_from(types: Vec<Type>) -> Result<Self, InvalidSchema> {
        let all = types.iter().flat_map(Type::parts).chain([0]);
        match all.max().filter(|number| *number as usize >= types.len()) {
            Some(number) => Err(InvalidSchema { types: types.len(), number }),
            None => Ok(Self(types.into())),
        }
    }
}

impl From<Schema> for Vec<Type> {
    fn from(schema: Schema) -> Self {
        schema.0.to_vec()
    }
}

#[cfg(test)]
mod tests;
