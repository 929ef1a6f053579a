//! Enums: how many variants there are, what their payloads are, and which names they have.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    mem::discriminant,
};

use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
    value::{BorrowedStrDeserializer, U32Deserializer},
};

use super::{
    context::Context,
    error::TraceError,
    graph::{INFINITE, Kind},
    tracer::{Parts, Tracer},
};
use crate::schema::Type;

/// What is known of the variants of an enum, whose payloads are the node's parts.
pub(super) struct Variants {
    /// The names that the type gives: of each variant in order all that it is read by, sorted.
    pub(super) given: &'static [&'static str],
    /// How many variants there are.
    count: usize,
    /// What each index is read as.
    by_index: BTreeMap<usize, u64>,
    /// What each name is read as; asked only if there are aliases.
    by_name: BTreeMap<&'static str, u64>,
}

impl Variants {
    fn new(given: &'static [&'static str]) -> Self {
        Self { given, count: given.len(), by_index: BTreeMap::new(), by_name: BTreeMap::new() }
    }

    /// A name of which it is not known yet what it means.
    pub(super) fn next_name(&self) -> Option<&'static str> {
        let has_aliases = self.count < self.given.len();
        self.given.iter().copied().find(|name| has_aliases && !self.by_name.contains_key(name))
    }

    /// All names of the variant with this index.
    pub(super) fn names(&self, index: usize) -> Vec<String> {
        let means =
            |name: &&&str| self.by_name.get(**name).is_some_and(|is| self.by_index.get(&index) == Some(is));
        if self.count == self.given.len() {
            return self.given.get(index).map(|name| (*name).to_owned()).into_iter().collect();
        }
        self.given.iter().filter(means).map(|name| (*name).to_owned()).collect()
    }

    fn index_of(&self, meaning: u64) -> Option<usize> {
        self.by_index.iter().find(|(_, is)| **is == meaning).map(|(index, _)| *index)
    }
}

/// How a variant is asked for.
enum Asked {
    Index(usize),
    Name(&'static str),
}

impl Tracer<'_> {
    pub(super) fn variants<'de, V: Visitor<'de>>(
        self,
        name: &'static str,
        given: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.within::<V, _>(Kind::Enum(Variants::new(given)), name, |mut parts| {
            let asked = parts.choose()?;
            let depth = parts.context.inside.len();
            let again = Parts::of(parts.context, parts.node, parts.explore);
            let value = visitor.visit_enum(Chosen { parts: again, asked });
            parts.context.inside.truncate(depth);
            value
        })
    }
}

impl Parts<'_> {
    fn variants_mut(&mut self) -> Option<&mut Variants> {
        match &mut self.context.graph.nodes[self.node].kind {
            Kind::Enum(variants) => Some(variants),
            _ => None,
        }
    }

    /// The variant to read: one that is not known yet; else one by a name that is not known yet; else the one that
    /// leads to something unknown on the shortest way, or to an end.
    fn choose(&mut self) -> Result<Asked, TraceError> {
        let node = self.node;
        let places = (0..self.context.graph.nodes[node].parts.len()).map(|part| (node, part));
        let unknown = |place: &(usize, usize)| self.context.graph.nodes[node].parts[place.1].is_none();
        let free = |place: &(usize, usize)| !self.context.inside.contains(place);
        let new = places.clone().find(|place| unknown(place) && free(place));
        if self.explore && new.is_none() {
            let nearest = places.min_by_key(|place| self.context.distance(*place));
            let name = self.variants_mut().and_then(|variants| variants.next_name());
            return match (name, nearest) {
                (Some(name), _) => Ok(Asked::Name(name)),
                (None, Some((_, index))) => Ok(Asked::Index(index)),
                (None, None) => self.context.give_up("it is an enum without variants"),
            };
        }
        let flattest = |context: &Context| {
            let heights = places.clone().map(|place| (context.height(place), place));
            heights.min().filter(|(height, _)| *height != INFINITE).map(|(_, place)| place)
        };
        let mut chosen = if self.explore { new } else { flattest(self.context).or(new) };
        if chosen.is_none() {
            // What this pass has found may be flat.
            self.context.measure_heights();
            chosen = flattest(self.context);
        }
        match chosen {
            Some((_, index)) => Ok(Asked::Index(index)),
            None => self.context.give_up("it has no finite value"),
        }
    }
}

/// What `deserialize_enum` is answered with.
struct Chosen<'c> {
    parts: Parts<'c>,
    asked: Asked,
}

impl<'de, 'c> EnumAccess<'de> for Chosen<'c> {
    type Error = TraceError;
    type Variant = Payload<'c>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Payload<'c>), TraceError> {
        let Self { mut parts, asked } = self;
        let (value, index) = match asked {
            Asked::Index(index) => {
                let deserializer: U32Deserializer<TraceError> = (index as u32).into_deserializer();
                let Ok(value) = seed.deserialize(deserializer) else { return parts.no_such_variant(index) };
                let meaning = meaning(&value);
                parts.variants_mut().map(|variants| variants.by_index.insert(index, meaning));
                (value, index)
            }
            Asked::Name(name) => {
                let value = seed.deserialize(BorrowedStrDeserializer::new(name))?;
                let meaning = meaning(&value);
                parts.context.learned = true;
                let index = parts.variants_mut().and_then(|variants| {
                    variants.by_name.insert(name, meaning);
                    variants.index_of(meaning)
                });
                let Some(index) = index else {
                    return parts.context.give_up(format!("its variant {name} has no index"));
                };
                (value, index)
            }
        };
        parts.context.inside.push((parts.node, index));
        let name = parts.variants_mut().and_then(|variants| variants.given.get(index)).copied();
        Ok((value, Payload { of: parts.into_part(index), name: name.unwrap_or_default() }))
    }
}

impl Parts<'_> {
    /// The variants end before `index`: some of the given names are aliases.
    fn no_such_variant<T>(&mut self, index: usize) -> Result<T, TraceError> {
        if index == 0 {
            return self.context.give_up("its variants can't be read by their index");
        }
        self.context.graph.nodes[self.node].parts.truncate(index);
        self.variants_mut().into_iter().for_each(|variants| variants.count = index);
        Err(TraceError::Again)
    }
}

/// Tells the values of the derived enum of a type's variants apart, of which nothing else is known.
fn meaning<T>(variant: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    discriminant(variant).hash(&mut hasher);
    hasher.finish()
}

struct Payload<'c> {
    of: Tracer<'c>,
    name: &'static str,
}

impl<'de> VariantAccess<'de> for Payload<'_> {
    type Error = TraceError;

    fn unit_variant(self) -> Result<(), TraceError> {
        self.of.context.leaf(self.of.place, Type::Unit, 1).map(|_| ())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, TraceError> {
        seed.deserialize(self.of)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, TraceError> {
        self.of.within::<V, _>(Kind::Tuple(len), "", |parts| visitor.visit_seq(parts.up_to(len)))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.of.fields(self.name, fields, visitor)
    }
}
