//! Configuration files: YAML, flattened to dotted keys.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::{ConfigError, Origin, Setting, error::Shown};

#[cfg(test)]
mod tests;

/// Most bytes of a configuration file.
const MOST_BYTES: usize = 1 << 20;

/// Most nodes of a file with its aliases expanded, so that a small file can't unfold into a large one.
const MOST_NODES: usize = 20_000;

/// Deepest nesting of a file.
const MOST_DEPTH: usize = 32;

/// The settings of a file in its order, keys dotted, values as they are written there.
pub(super) fn settings(name: &str, text: &str) -> Result<Vec<Setting>, ConfigError> {
    let mut flat = Flattened { name, source: text, settings: Vec::new() };
    if text.len() > MOST_BYTES {
        return Err(flat.error(None, format!("it has {} bytes, more than {MOST_BYTES}", text.len())));
    }
    let root: Node = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| flat.error(error.location(), reason(&error)))?;
    match &root.0.value {
        Shape::Null => {}
        Shape::Map(entries) => flat.add_map("", entries)?,
        _ => return Err(flat.error(Some(root.0.defined), "expected lines of the form 'key: value'")),
    }
    Ok(flat.settings)
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MOST_DEPTH, max_nodes: MOST_NODES, max_documents: 1 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MOST_NODES },
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

/// The parser's message as one line, without the position, which the error carries itself, and without advice to
/// programmers.
fn reason(error: &serde_saphyr::Error) -> String {
    let message = error.to_string();
    let line = message.lines().next().unwrap_or_default();
    let end = [" at line ", ", set "].iter().filter_map(|tail| line.find(tail)).min();
    line[..end.unwrap_or(line.len())].to_owned()
}

struct Flattened<'a> {
    name: &'a str,
    source: &'a str,
    settings: Vec<Setting>,
}

impl Flattened<'_> {
    fn add_map(&mut self, prefix: &str, entries: &[(Spanned<String>, Node)]) -> Result<(), ConfigError> {
        for (part, node) in entries {
            let key = if prefix.is_empty() { part.value.clone() } else { format!("{prefix}.{}", part.value) };
            match &node.0.value {
                Shape::Map(inner) => self.add_map(&key, inner)?,
                _ => self.add_value(key, part.referenced, node)?,
            }
        }
        Ok(())
    }

    fn add_value(&mut self, key: String, at: Location, node: &Node) -> Result<(), ConfigError> {
        let text = match &node.0.value {
            Shape::List(items) => {
                let texts: Result<Vec<String>, _> =
                    items.iter().map(|item| self.scalar(&key, item)).collect();
                texts?.join(";")
            }
            _ => self.scalar(&key, node)?,
        };
        let line = (at != Location::UNKNOWN).then(|| at.line());
        let origin = Origin::File { name: self.name.to_owned(), line };
        self.settings.push(Setting { key, text, origin });
        Ok(())
    }

    fn scalar(&self, key: &str, node: &Node) -> Result<String, ConfigError> {
        let at = Some(node.0.referenced);
        match &node.0.value {
            Shape::Text(text) => Ok(text.clone()),
            Shape::Typed(inferred) => {
                Ok(self.source_of(node.0.defined).unwrap_or(inferred).trim().to_owned())
            }
            Shape::Null => Err(self.error(at, format!("key '{}' has no value", Shown(key)))),
            Shape::List(_) | Shape::Map(_) => {
                Err(self.error(at, format!("the list of key '{}' may hold plain values only", Shown(key))))
            }
        }
    }

    /// YAML reads `1.10` as the number 1.1; the option's type decides here, so it needs what was written.
    fn source_of(&self, at: Location) -> Option<&str> {
        let start = usize::try_from(at.span().byte_offset()?).ok()?;
        let len = usize::try_from(at.span().byte_len()?).ok()?;
        self.source.get(start..start.checked_add(len)?)
    }

    fn error(&self, at: Option<Location>, reason: impl Into<String>) -> ConfigError {
        let position = at.filter(|at| *at != Location::UNKNOWN).map(|at| (at.line(), at.column()));
        ConfigError::File { name: self.name.to_owned(), position, reason: reason.into() }
    }
}

/// A YAML node with its position.
struct Node(Spanned<Shape>);

enum Shape {
    Null,
    /// A quoted scalar, or a plain one that YAML takes for text.
    Text(String),
    /// A plain scalar that YAML takes for a number or a boolean, as it understood it.
    Typed(String),
    List(Vec<Node>),
    Map(Vec<(Spanned<String>, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_none<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Shape, E> {
        Ok(Shape::Typed(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Shape, E> {
        Ok(Shape::Typed(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Shape, E> {
        Ok(Shape::Typed(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Shape, E> {
        Ok(Shape::Typed(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Shape::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Shape::Map(entries))
    }
}
