//! Whether what one type wrote can be read as another.

use std::{collections::HashSet, fmt};

use super::{Field, Schema, Type, TypeNumber, Variant};

/// How the bytes that one type wrote are read as another.
///
/// # Rules
///
/// | change | |
/// | --- | --- |
/// | a type is renamed or moved, a newtype put around it or taken off | the same |
/// | a variant is added behind the others | the same |
/// | a field is added that is an option or has `#[serde(default)]` | migrated |
/// | a field is removed: its values are dropped | migrated |
/// | a field or variant gets another name, with the old one as `#[serde(alias)]` | migrated, or the same |
/// | fields or variants change their order | migrated |
/// | an integer is widened, without losing its sign; `f32` becomes `f64` | migrated |
/// | a type becomes an option of itself | migrated |
/// | anything else | refused |
///
/// A field that is renamed without an alias is one removed and one added: its values are dropped. An opaque type is the
/// same if it has the same Rust name, which is all that is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migration {
    /// The bytes mean the same: they are read as they are.
    Same,
    /// They are read by [`migrate`](super::migrate).
    Migrate,
}

/// Bytes of one type can't be read as another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} was written as {written} and is {wanted} now{}", Place(.path), Because(.because))]
pub struct Incompatible {
    /// Where the types differ: names of fields and variants from the outside in, with dots between. Empty: as a whole.
    pub path: String,
    /// The type that wrote.
    pub written: String,
    /// The type that is to read.
    pub wanted: String,
    /// Why that doesn't work, if the types don't show it.
    pub because: Option<String>,
}

struct Place<'a>(&'a str);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { write!(f, "it") } else { write!(f, "`{}`", self.0) }
    }
}

struct Because<'a>(&'a Option<String>);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |because| write!(f, ", but {because}"))
    }
}

impl Migration {
    /// How what `written` describes is read as what `wanted` describes.
    ///
    /// # Errors
    /// When it can't be.
    pub fn between(written: &Schema, wanted: &Schema) -> Result<Self, Incompatible> {
        let mut comparison = Comparison { written, wanted, assumed: HashSet::new(), path: Vec::new() };
        if comparison.same(0, 0) {
            return Ok(Self::Same);
        }
        comparison.assumed.clear();
        comparison.compatible(0, 0).map(|()| Self::Migrate)
    }
}

struct Comparison<'s> {
    written: &'s Schema,
    wanted: &'s Schema,
    /// Pairs that have been compared, or are being compared further out: types may contain themselves.
    assumed: HashSet<(TypeNumber, TypeNumber)>,
    path: Vec<&'s str>,
}

impl<'s> Comparison<'s> {
    /// Whether bytes of the one mean the same as bytes of the other.
    fn same(&mut self, written: TypeNumber, wanted: TypeNumber) -> bool {
        let (written, wanted) = (self.written.bare(written), self.wanted.bare(wanted));
        if !self.assumed.insert((written, wanted)) {
            return true;
        }
        match (self.written.get(written), self.wanted.get(wanted)) {
            (Type::Opaque { name: one, .. }, Type::Opaque { name: other, .. }) => one == other,
            (Type::Struct { fields: one, .. }, Type::Struct { fields: other, .. }) => {
                one.len() == other.len()
                    && one.iter().zip(other).enumerate().all(|(at, (field, to))| {
                        self.field(other, field).is_ok_and(|found| found == Some(at))
                            && self.same(field.of, to.of)
                    })
            }
            (Type::Enum { variants: one, .. }, Type::Enum { variants: other, .. }) => {
                one.len() <= other.len()
                    && one.iter().zip(other).enumerate().all(|(at, (variant, to))| {
                        variant_in(other, variant) == Some(at) && self.same(variant.of, to.of)
                    })
            }
            (one, other) if one.is_leaf() => one == other,
            (one, other) => {
                let (parts, others): (Vec<_>, Vec<_>) = (one.parts().collect(), other.parts().collect());
                std::mem::discriminant(one) == std::mem::discriminant(other)
                    && parts.len() == others.len()
                    && parts.into_iter().zip(others).all(|(part, other)| self.same(part, other))
            }
        }
    }

    /// Whether a value of the one can be made a value of the other.
    fn compatible(&mut self, written: TypeNumber, wanted: TypeNumber) -> Result<(), Incompatible> {
        let (written, wanted) = (self.written.bare(written), self.wanted.bare(wanted));
        if !self.assumed.insert((written, wanted)) {
            return Ok(());
        }
        match (self.written.get(written), self.wanted.get(wanted)) {
            (Type::Opaque { name, .. }, Type::Opaque { name: other, .. }) if name == other => Ok(()),
            (Type::Struct { fields: one, .. }, Type::Struct { fields: other, .. }) => {
                self.structs((one, written), (other, wanted))
            }
            (Type::Enum { variants: one, .. }, Type::Enum { variants: other, .. }) => {
                self.enums((one, written), (other, wanted))
            }
            (Type::Option(of), Type::Option(to)) => self.compatible(*of, *to),
            (_, Type::Option(to)) => self.compatible(written, *to),
            (Type::Seq(of), Type::Seq(to)) => self.within("[]", *of, *to),
            (Type::Map(key, of), Type::Map(to_key, to)) => {
                self.within("{key}", *key, *to_key)?;
                self.within("{value}", *of, *to)
            }
            (Type::Tuple(one), Type::Tuple(other)) if one.len() == other.len() => {
                one.iter().zip(other).try_for_each(|(part, to)| self.within("()", *part, *to))
            }
            (one, other) if one.widens_to(other) => Ok(()),
            (_, Type::Opaque { reason, .. }) => {
                self.refuse(written, wanted, Some(format!("that type can't be traced: {reason}")))
            }
            _ => self.refuse(written, wanted, None),
        }
    }

    fn structs(
        &mut self,
        (fields, written): (&'s [Field], TypeNumber),
        (others, wanted): (&'s [Field], TypeNumber),
    ) -> Result<(), Incompatible> {
        let mut filled = vec![false; others.len()];
        for field in fields {
            match self.field(others, field) {
                Ok(None) => {}
                Ok(Some(at)) if !std::mem::replace(&mut filled[at], true) => {
                    self.within(&field.name, field.of, others[at].of)?;
                }
                _ => {
                    let because = format!("more than one of its fields answers to `{}`", field.name);
                    return self.refuse(written, wanted, Some(because));
                }
            }
        }
        let missing = others.iter().zip(filled).find(|(other, filled)| !filled && !other.optional);
        missing.map_or(Ok(()), |(other, _)| {
            let because = format!(
                "there was no field `{}` then, and it has no default: give it #[serde(default)], or #[serde(alias)] with its \
                 old name",
                other.name
            );
            self.refuse(written, wanted, Some(because))
        })
    }

    /// Which of the fields reads what `field` wrote, if any; an error if it isn't clear.
    #[allow(clippy::unused_self, reason = "belongs to the comparison")]
    fn field(&self, fields: &[Field], field: &Field) -> Result<Option<usize>, ()> {
        let mut reading = fields.iter().enumerate().filter(|(_, to)| to.reads(&field.name));
        let found = reading.next().map(|(at, _)| at);
        if reading.next().is_some() { Err(()) } else { Ok(found) }
    }

    fn enums(
        &mut self,
        (variants, written): (&'s [Variant], TypeNumber),
        (others, wanted): (&'s [Variant], TypeNumber),
    ) -> Result<(), Incompatible> {
        for variant in variants {
            let Some(at) = variant_in(others, variant) else {
                let because = format!(
                    "no variant stands for what was `{}`: keep it, or give another one its name by #[serde(alias)]",
                    variant.names.join("/")
                );
                return self.refuse(written, wanted, Some(because));
            };
            self.within(variant.names.first().map_or("", String::as_str), variant.of, others[at].of)?;
        }
        Ok(())
    }

    fn within(&mut self, name: &'s str, written: TypeNumber, wanted: TypeNumber) -> Result<(), Incompatible> {
        self.path.push(name);
        self.compatible(written, wanted)?;
        self.path.pop();
        Ok(())
    }

    fn refuse(
        &self,
        written: TypeNumber,
        wanted: TypeNumber,
        because: Option<String>,
    ) -> Result<(), Incompatible> {
        let (written, wanted) = (self.written.short(written), self.wanted.short(wanted));
        Err(Incompatible { path: self.path.join("."), written, wanted, because })
    }
}

/// The one variant that reads what `variant` wrote; none if it isn't clear which.
pub(super) fn variant_in(variants: &[Variant], variant: &Variant) -> Option<usize> {
    let known = |to: &Variant| to.names.iter().any(|name| variant.names.contains(name));
    let mut reading = variants.iter().enumerate().filter(|(_, to)| known(to));
    let found = reading.next().map(|(at, _)| at);
    if reading.next().is_some() { None } else { found }
}

impl Field {
    fn reads(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }
}

impl Type {
    fn is_leaf(&self) -> bool {
        self.parts().next().is_none() && !matches!(self, Self::Tuple(_))
    }

    /// Whether it is a signed number, and its bits.
    const fn integer(&self) -> Option<(bool, u32)> {
        Some(match self {
            Self::I8 => (true, 8),
            Self::I16 => (true, 16),
            Self::I32 => (true, 32),
            Self::I64 => (true, 64),
            Self::I128 => (true, 128),
            Self::U8 => (false, 8),
            Self::U16 => (false, 16),
            Self::U32 => (false, 32),
            Self::U64 => (false, 64),
            Self::U128 => (false, 128),
            _ => return None,
        })
    }

    /// Whether each value of this type without parts is one of the other.
    pub(super) fn widens_to(&self, other: &Self) -> bool {
        match (self.integer(), other.integer()) {
            (Some((false, bits)), Some((true, others))) => others > bits,
            (Some((signed, bits)), Some((others, other_bits))) => signed == others && other_bits >= bits,
            _ => self.is_leaf() && self == other || matches!((self, other), (Self::F32, Self::F64)),
        }
    }
}

#[cfg(test)]
mod tests;
