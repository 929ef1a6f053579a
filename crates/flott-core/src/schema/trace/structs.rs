//! Structs: how many fields there are, which names are aliases, and which fields may be missing.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::{DeserializeSeed, MapAccess, Visitor, value::BorrowedStrDeserializer};

use super::{
    error::TraceError,
    graph::Kind,
    tracer::{Parts, Tracer},
};

/// What is known of the fields of a struct.
pub(super) struct Fields {
    /// The names that the type gives: of each field in order all that it is read by, sorted.
    pub(super) given: &'static [&'static str],
    /// Whether all fields have been read, so that their number is that of the node's parts.
    pub(super) counted: bool,
    /// Each alias and the field's own name.
    aliases: BTreeMap<&'static str, &'static str>,
    /// The fields that must be there. `None`: all of them, as the type can't be asked.
    required: Option<BTreeSet<&'static str>>,
    /// Whether there is nothing more to learn.
    pub(super) settled: bool,
}

impl Fields {
    pub(super) fn new(given: &'static [&'static str]) -> Self {
        let (aliases, required) = (BTreeMap::new(), Some(BTreeSet::new()));
        Self { given, counted: false, aliases, required, settled: given.is_empty() }
    }

    /// The fields' own names, as far as is known.
    fn own_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.given.iter().copied().filter(|name| !self.aliases.contains_key(name))
    }

    /// Of each of the `count` fields: name, aliases, whether it is optional.
    pub(super) fn names(&self, count: usize) -> Vec<(String, Vec<String>, bool)> {
        let named = self.own_names().take(count).map(|name| {
            let aliases = self.aliases.iter().filter(|(_, of)| **of == name);
            let aliases = aliases.map(|(alias, _)| (*alias).to_owned()).collect();
            let optional = self.required.as_ref().is_some_and(|required| !required.contains(name));
            (name.to_owned(), aliases, optional)
        });
        named.collect()
    }

    /// What to read the struct as, to learn more of its `count` fields: names and their places.
    fn experiment(&self, count: usize) -> Vec<(&'static str, usize)> {
        let names = self.own_names().enumerate().map(|(at, name)| (name, at));
        match &self.required {
            Some(required) if self.own_names().count() == count => {
                names.filter(|(name, _)| required.contains(name)).collect()
            }
            _ => names.collect(),
        }
    }

    /// Learns from the outcome of an experiment, in which `tried` was the last name that was tried.
    fn learn(&mut self, outcome: Option<&TraceError>, count: usize, tried: Option<usize>) {
        match outcome {
            Some(TraceError::Again) => {}
            None if self.own_names().count() == count => self.settled = true,
            Some(TraceError::DuplicateField(own)) => {
                match tried.and_then(|tried| self.alias_at(tried, own)) {
                    Some(alias) => {
                        self.aliases.insert(alias, own);
                    }
                    None => self.cannot_ask(),
                }
            }
            Some(TraceError::MissingField(name)) => {
                let is_own = self.own_names().any(|own| own == *name);
                let is_new = self.required.as_mut().is_some_and(|required| is_own && required.insert(name));
                if !is_new {
                    self.cannot_ask();
                }
            }
            _ => self.cannot_ask(),
        }
    }

    /// The alias that was taken for the field `own` too, where the `tried`-th name was one name too many: that name, or
    /// if it is the field's own, the one before.
    fn alias_at(&self, tried: usize, own: &'static str) -> Option<&'static str> {
        let name = self.own_names().nth(tried)?;
        if name == own { self.own_names().nth(tried.checked_sub(1)?) } else { Some(name) }
    }

    fn cannot_ask(&mut self) {
        self.required = None;
        self.settled = true;
    }
}

impl Tracer<'_> {
    pub(super) fn fields<'de, V: Visitor<'de>>(
        self,
        name: &'static str,
        given: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TraceError> {
        self.within::<V, _>(Kind::Struct(Fields::new(given)), name, |mut parts| {
            let count = parts.context.graph.nodes[parts.node].parts.len();
            let ask = parts.explore && parts.context.experiments;
            let names = parts.fields_mut().filter(|fields| ask && !fields.settled);
            let Some(names) = names.map(|fields| fields.experiment(count)) else {
                let (node, context) = (parts.node, &mut *parts.context);
                let again = Parts::of(context, node, parts.explore).up_to(given.len());
                let value = visitor.visit_seq(again)?;
                if let Some(fields) = parts.fields_mut().filter(|fields| !fields.counted) {
                    fields.counted = true;
                    parts.context.learned = true;
                }
                return Ok(value);
            };
            let mut tried = None;
            let value = visitor.visit_map(Named { parts: &mut parts, names: &names, tried: &mut tried });
            if let Some(fields) = parts.fields_mut() {
                fields.learn(value.as_ref().err(), count, tried);
                parts.context.learned = true;
            }
            value.map_err(|_| TraceError::Again)
        })
    }
}

impl Parts<'_> {
    fn fields_mut(&mut self) -> Option<&mut Fields> {
        match &mut self.context.graph.nodes[self.node].kind {
            Kind::Struct(fields) => Some(fields),
            _ => None,
        }
    }
}

/// Fields by name.
struct Named<'a, 'c> {
    parts: &'a mut Parts<'c>,
    names: &'a [(&'static str, usize)],
    /// The index of the name that was given last.
    tried: &'a mut Option<usize>,
}

impl<'de> MapAccess<'de> for Named<'_, '_> {
    type Error = TraceError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, TraceError> {
        let next = self.tried.map_or(0, |tried| tried + 1);
        let Some((name, _)) = self.names.get(next) else { return Ok(None) };
        *self.tried = Some(next);
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, TraceError> {
        let at = self.tried.and_then(|tried| self.names.get(tried)).map_or(0, |(_, at)| *at);
        seed.deserialize(self.parts.part(at))
    }
}
