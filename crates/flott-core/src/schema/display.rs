//! Schemas as one line.

use std::fmt::{self, Write};

use super::{Schema, Type, TypeNumber};

/// Most types that are written out; the rest is an ellipsis.
const MAX_TYPES: usize = 500;

/// Most levels that are written out.
const MAX_LEVELS: usize = 32;

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer { schema: self, f, known: vec![false; self.0.len()], left: MAX_TYPES }.print(0, MAX_LEVELS)
    }
}

/// As it is displayed.
impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Schema {
    /// The type with this number as messages tell it: what is inside a struct or enum is left out.
    pub fn short(&self, number: TypeNumber) -> String {
        let mut text = String::new();
        let known = vec![true; self.0.len()];
        // Writing into a string doesn't fail.
        let _ = write!(text, "{}", Short { schema: self, known, number });
        text
    }
}

struct Short<'a> {
    schema: &'a Schema,
    known: Vec<bool>,
    number: TypeNumber,
}

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printer { schema: self.schema, f, known: self.known.clone(), left: MAX_TYPES }
            .print(self.number, MAX_LEVELS)
    }
}

struct Printer<'a, 'f, 'g> {
    schema: &'a Schema,
    f: &'f mut fmt::Formatter<'g>,
    /// The structs and enums whose inside has been written already.
    known: Vec<bool>,
    left: usize,
}

impl Printer<'_, '_, '_> {
    fn print(&mut self, number: TypeNumber, levels: usize) -> fmt::Result {
        if self.left == 0 || levels == 0 {
            return self.f.write_char('…');
        }
        self.left -= 1;
        let levels = levels - 1;
        match self.schema.get(number) {
            Type::Option(of) => self.wrapped("Option<", &[*of], ">", levels),
            Type::Seq(of) => self.wrapped("[", &[*of], "]", levels),
            Type::Map(key, value) => self.wrapped("Map<", &[*key, *value], ">", levels),
            Type::Tuple(parts) => match parts.as_slice() {
                [first, ..] if is_array(parts) => {
                    self.wrapped("[", &[*first], &format!("; {}]", parts.len()), levels)
                }
                [one] => self.wrapped("(", &[*one], ",)", levels),
                _ => self.wrapped("(", parts, ")", levels),
            },
            Type::Newtype { name, of } => self.wrapped(&format!("{name}("), &[*of], ")", levels),
            Type::Struct { name, .. } | Type::Enum { name, .. } => {
                self.f.write_str(name)?;
                if std::mem::replace(&mut self.known[number as usize], true) {
                    return Ok(());
                }
                self.f.write_str(" { ")?;
                self.inside(number, levels)?;
                self.f.write_str(" }")
            }
            Type::Opaque { name, .. } => write!(self.f, "opaque {name}"),
            leaf => self.f.write_str(leaf_name(leaf)),
        }
    }

    fn inside(&mut self, number: TypeNumber, levels: usize) -> fmt::Result {
        match self.schema.get(number) {
            Type::Struct { fields, .. } => {
                for (at, field) in fields.iter().enumerate() {
                    let mark = if field.optional { "?" } else { "" };
                    write!(self.f, "{}{}{mark}: ", separator(at, ", "), field.name)?;
                    self.print(field.of, levels)?;
                }
            }
            Type::Enum { variants, .. } => {
                for (at, variant) in variants.iter().enumerate() {
                    write!(self.f, "{}{}", separator(at, " | "), variant.names.join("/"))?;
                    self.payload(variant.of, levels)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn payload(&mut self, number: TypeNumber, levels: usize) -> fmt::Result {
        match self.schema.get(number) {
            Type::Unit => Ok(()),
            Type::Tuple(parts) if !is_array(parts) => self.wrapped("(", parts, ")", levels),
            Type::Struct { .. } if self.left > 0 => {
                self.left -= 1;
                self.f.write_str(" { ")?;
                self.inside(number, levels.saturating_sub(1))?;
                self.f.write_str(" }")
            }
            _ => self.wrapped("(", &[number], ")", levels),
        }
    }

    fn wrapped(&mut self, open: &str, parts: &[TypeNumber], close: &str, levels: usize) -> fmt::Result {
        self.f.write_str(open)?;
        for (at, part) in parts.iter().enumerate() {
            self.f.write_str(separator(at, ", "))?;
            self.print(*part, levels)?;
        }
        self.f.write_str(close)
    }
}

/// Whether a tuple is long and uniform enough to be told as an array.
fn is_array(parts: &[TypeNumber]) -> bool {
    parts.len() > 3 && parts.iter().all(|part| *part == parts[0])
}

const fn separator(at: usize, text: &'static str) -> &'static str {
    if at == 0 { "" } else { text }
}

const fn leaf_name(leaf: &Type) -> &'static str {
    match leaf {
        Type::Bool => "bool",
        Type::I8 => "i8",
        Type::I16 => "i16",
        Type::I32 => "i32",
        Type::I64 => "i64",
        Type::I128 => "i128",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::U128 => "u128",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::Str => "str",
        Type::Bytes => "bytes",
        Type::Unit => "()",
        Type::Option(_) => "an option",
        Type::Seq(_) => "a sequence",
        Type::Map(..) => "a map",
        Type::Tuple(_) => "a tuple",
        Type::Newtype { .. } => "a newtype",
        Type::Struct { .. } => "a struct",
        Type::Enum { .. } => "an enum",
        Type::Opaque { .. } => "an opaque type",
    }
}
