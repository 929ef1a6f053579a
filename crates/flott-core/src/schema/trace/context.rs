//! What passes share, and what one pass keeps in mind.

use std::collections::HashMap;

use super::{
    super::Type,
    error::TraceError,
    graph::{Graph, INFINITE, Kind, Place},
};
use crate::encoding::MAX_DEPTH;

/// Most parts that are looked at in all passes together: some hundred milliseconds.
const MAX_VISITS: usize = 2_000_000;

#[derive(Default)]
pub(super) struct Context {
    pub(super) graph: Graph,
    /// Why tracing was given up. Errors alone don't do, for a type may swallow them.
    pub(super) given_up: Option<String>,
    /// Whether the shapes are known, and structs are read as maps.
    pub(super) experiments: bool,
    /// Which candidate each leaf is tried with, where it isn't the first.
    candidates: HashMap<Place, usize>,
    visits: usize,
    /// Whether the pass has brought something new.
    pub(super) learned: bool,
    /// See [`Graph::distances`] and [`Graph::heights`]; as of the beginning of the pass.
    distances: Vec<usize>,
    heights: Vec<usize>,
    /// The types that the pass is in.
    stack: Vec<usize>,
    /// The variants that it is in.
    pub(super) inside: Vec<Place>,
    /// The leaf that was answered last, and how many candidates there are for it.
    last_leaf: Option<(Place, usize)>,
}

impl Context {
    pub(super) fn measure_heights(&mut self) {
        self.heights = self.graph.heights();
    }

    /// Whether something is left to learn.
    pub(super) fn begin_pass(&mut self) -> bool {
        self.stack.clear();
        self.inside.clear();
        self.last_leaf = None;
        self.learned = false;
        self.measure_heights();
        self.distances = self.graph.distances(self.experiments);
        if self.distances[0] == INFINITE && !self.experiments {
            self.experiments = true;
            self.distances = self.graph.distances(true);
        }
        self.distances[0] != INFINITE
    }

    /// Another value for the leaf that was answered last, as it is probably what was refused.
    pub(super) fn try_next_candidate(&mut self) -> bool {
        let Some((place, candidates)) = self.last_leaf else { return false };
        let next = self.candidates.entry(place).or_default();
        *next += 1;
        *next < candidates
    }

    pub(super) fn give_up<T>(&mut self, reason: impl Into<String>) -> Result<T, TraceError> {
        let reason = reason.into();
        self.given_up.get_or_insert_with(|| reason.clone());
        Err(TraceError::Refused(reason))
    }

    /// Notes that a leaf is at `place`. Returns which candidate it gets.
    pub(super) fn leaf(&mut self, place: Place, leaf: Type, candidates: usize) -> Result<usize, TraceError> {
        let node = self.graph.node(Kind::Leaf(leaf), "", "");
        self.note(place, node)?;
        if candidates > 1 {
            self.last_leaf = Some((place, candidates));
        }
        Ok(self.candidates.get(&place).copied().unwrap_or_default())
    }

    /// Notes that a type with parts is at `place`, and enters it. Returns its node, and whether to look for
    /// something new in it: not if nothing is left to learn, nor in a type that is in itself, which would never end.
    pub(super) fn enter(
        &mut self,
        (place, explore): (Place, bool),
        kind: Kind,
        name: &'static str,
        visitor: &'static str,
    ) -> Result<(usize, bool), TraceError> {
        let node = self.graph.node(kind, name, visitor);
        self.note(place, node)?;
        if self.stack.len() >= MAX_DEPTH as usize {
            return self.give_up("it nests too deeply, or without an end");
        }
        let is_open = self.distances.get(node).is_none_or(|distance| *distance != INFINITE);
        let explore = explore && is_open && !self.stack.contains(&node);
        self.stack.push(node);
        Ok((node, explore))
    }

    pub(super) fn leave(&mut self) {
        self.stack.pop();
    }

    /// How far the part is from something to learn.
    pub(super) fn distance(&self, (node, part): Place) -> usize {
        let of = self.graph.nodes[node].parts[part];
        of.and_then(|node| self.distances.get(node).copied()).unwrap_or(INFINITE)
    }

    /// How deep the part is at least.
    pub(super) fn height(&self, (node, part): Place) -> usize {
        let of = self.graph.nodes[node].parts[part];
        of.and_then(|node| self.heights.get(node).copied()).unwrap_or(INFINITE)
    }

    fn note(&mut self, (node, part): Place, found: usize) -> Result<(), TraceError> {
        self.visits += 1;
        if self.visits > MAX_VISITS {
            return self.give_up("it has too many parts");
        }
        let parts = &mut self.graph.nodes[node].parts;
        if parts.len() <= part {
            parts.resize(part + 1, None);
        }
        match parts[part] {
            Some(known) if known == found => Ok(()),
            None => {
                parts[part] = Some(found);
                self.learned = true;
                Ok(())
            }
            Some(_) => self.give_up("it reads a part of it now as one type, now as another"),
        }
    }
}
