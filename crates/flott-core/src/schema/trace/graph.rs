//! What is known of the types so far.

use super::{
    super::{Field, Schema, Type, TypeNumber, Variant},
    enums::Variants,
    structs::Fields,
};

/// Farther than anything, higher than anything.
pub(super) const INFINITE: usize = usize::MAX;

/// The place of a part in a type: the node's number, and which of its parts.
pub(super) type Place = (usize, usize);

/// A type and the types of its parts, as far as they are known.
pub(super) struct Node {
    /// The name of the visitor: what else makes it this type rather than another.
    visitor: &'static str,
    name: &'static str,
    pub(super) kind: Kind,
    pub(super) parts: Vec<Option<usize>>,
}

pub(super) enum Kind {
    /// The holder of the type that is traced.
    Root,
    Leaf(Type),
    Option,
    Seq,
    Map,
    /// With so many parts.
    Tuple(usize),
    Newtype,
    Struct(Fields),
    Enum(Variants),
}

impl Kind {
    /// How many parts there are from the beginning.
    const fn parts(&self) -> usize {
        match self {
            Self::Root | Self::Option | Self::Seq | Self::Newtype => 1,
            Self::Map => 2,
            Self::Leaf(_) | Self::Struct(_) => 0,
            Self::Tuple(parts) => *parts,
            Self::Enum(variants) => variants.given.len(),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Leaf(one), Self::Leaf(other)) => one == other,
            (Self::Struct(one), Self::Struct(other)) => one.given == other.given,
            (Self::Enum(one), Self::Enum(other)) => one.given == other.given,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
}

impl Default for Graph {
    fn default() -> Self {
        Self { nodes: vec![Node { visitor: "", name: "", kind: Kind::Root, parts: vec![None] }] }
    }
}

impl Graph {
    /// The number of this type's node.
    pub(super) fn node(&mut self, kind: Kind, name: &'static str, visitor: &'static str) -> usize {
        let known = self
            .nodes
            .iter()
            .position(|node| node.visitor == visitor && node.name == name && node.kind.is_same(&kind));
        known.unwrap_or_else(|| {
            let parts = vec![None; kind.parts()];
            self.nodes.push(Node { visitor, name, kind, parts });
            self.nodes.len() - 1
        })
    }

    /// How far each node is from one of which something is left to learn.
    pub(super) fn distances(&self, experiments: bool) -> Vec<usize> {
        let open = |node: &Node| if node.is_open(experiments) { 0 } else { INFINITE };
        let mut distances: Vec<_> = self.nodes.iter().map(open).collect();
        self.settle(&mut distances, |node, distances| {
            let parts = node.known_parts().map(|part| distances[part]);
            parts.min().unwrap_or(INFINITE).saturating_add(1)
        });
        distances
    }

    /// How deep the flattest value of each type is.
    pub(super) fn heights(&self) -> Vec<usize> {
        let mut heights = vec![INFINITE; self.nodes.len()];
        self.settle(&mut heights, |node, heights| {
            let part = |part: &Option<usize>| part.map_or(INFINITE, |part| heights[part]);
            let parts = node.parts.iter().map(part);
            match &node.kind {
                Kind::Struct(fields) if !fields.counted => INFINITE,
                Kind::Leaf(_) | Kind::Option | Kind::Seq | Kind::Map => 0,
                Kind::Enum(_) => parts.min().unwrap_or(INFINITE).saturating_add(1),
                _ => parts.max().unwrap_or(0).saturating_add(1),
            }
        });
        heights
    }

    /// Lowers the numbers until `of` finds no lower one.
    fn settle(&self, numbers: &mut [usize], of: impl Fn(&Node, &[usize]) -> usize) {
        let mut changed = true;
        while changed {
            changed = false;
            for (at, node) in self.nodes.iter().enumerate() {
                let found = of(node, numbers);
                if found < numbers[at] {
                    numbers[at] = found;
                    changed = true;
                }
            }
        }
    }

    /// The schema, if everything is known and there are values of the type.
    pub(super) fn schema(&self) -> Option<Schema> {
        let root = self.nodes[0].parts[0]?;
        if self.heights()[root] == INFINITE {
            return None;
        }
        let mut numbers = vec![None; self.nodes.len()];
        let mut order = Vec::new();
        let mut waiting = vec![root];
        while let Some(at) = waiting.pop() {
            if numbers[at].is_none() {
                numbers[at] = Some(order.len() as TypeNumber);
                order.push(at);
                waiting.extend(self.nodes[at].known_parts().rev());
            }
        }
        let number = |at: usize| numbers[at];
        let types: Option<Vec<Type>> = order.iter().map(|at| self.nodes[*at].to_type(number)).collect();
        Schema::try_from(types?).ok()
    }
}

impl Node {
    fn known_parts(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.parts.iter().filter_map(|part| *part)
    }

    fn is_open(&self, experiments: bool) -> bool {
        match &self.kind {
            Kind::Struct(fields) => {
                !fields.counted || self.parts.contains(&None) || experiments && !fields.settled
            }
            Kind::Enum(variants) => self.parts.contains(&None) || variants.next_name().is_some(),
            _ => self.parts.contains(&None),
        }
    }

    fn to_type(&self, number: impl Fn(usize) -> Option<TypeNumber>) -> Option<Type> {
        let parts: Option<Vec<TypeNumber>> = self.parts.iter().map(|part| number((*part)?)).collect();
        let parts = parts?;
        let name = self.name.to_owned();
        Some(match &self.kind {
            Kind::Root => return None,
            Kind::Leaf(leaf) => leaf.clone(),
            Kind::Option => Type::Option(*parts.first()?),
            Kind::Seq => Type::Seq(*parts.first()?),
            Kind::Map => Type::Map(*parts.first()?, *parts.get(1)?),
            Kind::Tuple(_) => Type::Tuple(parts),
            Kind::Newtype => Type::Newtype { name, of: *parts.first()? },
            Kind::Struct(fields) => {
                let fields = fields.names(parts.len()).into_iter().zip(parts);
                let fields =
                    fields.map(|((name, aliases, optional), of)| Field { name, aliases, optional, of });
                Type::Struct { name, fields: fields.collect() }
            }
            Kind::Enum(variants) => {
                let variants =
                    parts.iter().enumerate().map(|(at, of)| Variant { names: variants.names(at), of: *of });
                Type::Enum { name, variants: variants.collect() }
            }
        })
    }
}
