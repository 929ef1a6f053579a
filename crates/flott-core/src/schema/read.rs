//! Reads bytes by their schema alone.

use super::{Schema, Type, TypeNumber, Value};
use crate::encoding::{DecodeError, DecodeErrorKind, Input, MAX_DEPTH, MAX_WEIGHTLESS};

/// Parts that a value may have for each of its bytes: a byte in as many newtypes and structs of one field.
const PARTS_PER_BYTE: usize = 16;

/// Most elements that are made room for before any has been read.
const MAX_ROOM: usize = 1 << 12;

/// Reads the one value that `bytes` hold, which a type of this schema has written.
///
/// What it takes is bounded by the length of `bytes`, whatever they and the schema hold.
///
/// # Errors
/// When the bytes aren't exactly such a value, or the type is opaque.
pub fn decode(mut bytes: &[u8], schema: &Schema) -> Result<Value, DecodeError> {
    let total = bytes.len();
    let value = decode_prefix(&mut bytes, schema)?;
    match bytes.len() {
        0 => Ok(value),
        left => {
            let error = DecodeError::new(total - left, DecodeErrorKind::TrailingBytes { left });
            Err(error.while_decoding::<Value>())
        }
    }
}

/// Reads one value from the front of `bytes` and moves `bytes` past it; an error leaves `bytes` as it was.
///
/// # Errors
/// As [`decode`], but more bytes may follow.
pub fn decode_prefix(bytes: &mut &[u8], schema: &Schema) -> Result<Value, DecodeError> {
    let mut input = Input::new(bytes);
    let value = value(&mut input, schema, 0, MAX_DEPTH).map_err(DecodeError::while_decoding::<Value>)?;
    *bytes = input.rest();
    Ok(value)
}

/// Reads the type with this number, with `levels` of nesting left.
pub(super) fn value(
    input: &mut Input<'_>,
    schema: &Schema,
    number: TypeNumber,
    levels: u32,
) -> Result<Value, DecodeError> {
    let parts_left = input.rest().len().saturating_mul(PARTS_PER_BYTE).saturating_add(MAX_WEIGHTLESS);
    Reader { input, schema, parts_left }.value(number, levels)
}

struct Reader<'r, 'de> {
    input: &'r mut Input<'de>,
    schema: &'r Schema,
    parts_left: usize,
}

impl Reader<'_, '_> {
    fn value(&mut self, number: TypeNumber, levels: u32) -> Result<Value, DecodeError> {
        let Some(parts_left) = self.parts_left.checked_sub(1) else {
            return Err(self.input.error(DecodeErrorKind::TooManyParts));
        };
        self.parts_left = parts_left;
        let schema = self.schema;
        match schema.get(number) {
            Type::Opaque { .. } => Err(self.input.error(DecodeErrorKind::WrittenAs {
                written: schema.short(number),
                wanted: "anything else",
            })),
            Type::Option(of) => Ok(match self.input.flag("an option's tag (0 or 1)")? {
                false => Value::None,
                true => Value::Some(Box::new(self.value(*of, self.deeper(levels)?)?)),
            }),
            Type::Seq(of) => {
                let element = |reader: &mut Self, levels| reader.value(*of, levels);
                self.counted("the count of a sequence", levels, element).map(Value::Seq)
            }
            Type::Map(key, of) => {
                let entry =
                    |reader: &mut Self, levels| Ok((reader.value(*key, levels)?, reader.value(*of, levels)?));
                self.counted("the count of a map", levels, entry).map(Value::Map)
            }
            Type::Tuple(parts) => {
                let levels = self.deeper(levels)?;
                let parts = parts.iter().map(|part| self.value(*part, levels));
                parts.collect::<Result<_, _>>().map(Value::Tuple)
            }
            Type::Newtype { of, .. } => self.value(*of, self.deeper(levels)?),
            Type::Struct { fields, .. } => {
                let levels = self.deeper(levels)?;
                let fields =
                    fields.iter().map(|field| Ok((field.name.clone(), self.value(field.of, levels)?)));
                fields.collect::<Result<_, _>>().map(Value::Struct)
            }
            Type::Enum { variants, .. } => {
                let (variant, _) = read_variant(self.input, variants)?;
                let payload = self.value(variant.of, self.deeper(levels)?)?;
                Ok(Value::Variant(variant.names.join("/"), Box::new(payload)))
            }
            leaf => self.leaf(leaf),
        }
    }

    fn leaf(&mut self, leaf: &Type) -> Result<Value, DecodeError> {
        let input = &mut *self.input;
        Ok(match leaf {
            Type::Bool => Value::Bool(input.flag("a bool (0 or 1)")?),
            Type::I8 => Value::Int(i8::from_le_bytes(input.array("an i8")?).into()),
            Type::I16 => Value::Int(i16::from_le_bytes(input.array("an i16")?).into()),
            Type::I32 => Value::Int(i32::from_le_bytes(input.array("an i32")?).into()),
            Type::I64 => Value::Int(i64::from_le_bytes(input.array("an i64")?).into()),
            Type::I128 => Value::Int(i128::from_le_bytes(input.array("an i128")?)),
            Type::U8 => Value::UInt(u8::from_le_bytes(input.array("a u8")?).into()),
            Type::U16 => Value::UInt(u16::from_le_bytes(input.array("a u16")?).into()),
            Type::U32 => Value::UInt(u32::from_le_bytes(input.array("a u32")?).into()),
            Type::U64 => Value::UInt(u64::from_le_bytes(input.array("a u64")?).into()),
            Type::U128 => Value::UInt(u128::from_le_bytes(input.array("a u128")?)),
            Type::F32 => Value::F32(f32::from_le_bytes(input.array("an f32")?)),
            Type::F64 => Value::F64(f64::from_le_bytes(input.array("an f64")?)),
            Type::Char => Value::Str(input.char()?.to_string()),
            Type::Str => Value::Str(input.text()?.to_owned()),
            Type::Bytes => Value::Bytes(input.bytes("the length of a byte array", "a byte array")?.to_vec()),
            _ => Value::Unit,
        })
    }

    fn counted<T>(
        &mut self,
        expected: &'static str,
        levels: u32,
        mut read: impl FnMut(&mut Self, u32) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let levels = self.deeper(levels)?;
        let count = self.input.count(expected)?;
        let start = self.input.offset();
        let mut parts = Vec::with_capacity(count.min(self.input.rest().len()).min(MAX_ROOM));
        for _ in 0..count {
            parts.push(read(self, levels)?);
        }
        self.input.charge_weightless(count, start)?;
        Ok(parts)
    }

    fn deeper(&self, levels: u32) -> Result<u32, DecodeError> {
        levels.checked_sub(1).ok_or_else(|| self.input.error(DecodeErrorKind::TooDeep))
    }
}

/// Reads which variant it is.
pub(super) fn read_variant<'s>(
    input: &mut Input<'_>,
    variants: &'s [super::Variant],
) -> Result<(&'s super::Variant, u32), DecodeError> {
    let offset = input.offset();
    let found = u32::from_le_bytes(input.array("an enum's variant index")?);
    let variant = variants.get(found as usize).map(|variant| (variant, found));
    variant.ok_or_else(|| {
        DecodeError::new(offset, DecodeErrorKind::NoSuchVariant { variants: variants.len(), found })
    })
}
