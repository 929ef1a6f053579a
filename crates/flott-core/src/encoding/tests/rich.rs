//! A type that holds every kind of value, and a strategy that makes any of its values.

use proptest::{collection, option, prelude::*};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// A float that equals itself, by its bits.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Float(f64);

impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Single(f32);

impl PartialEq for Single {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Numbers {
    signed: (i8, i16, i32, i64, i128),
    unsigned: (u8, u16, u32, u64, u128),
    floats: (Single, Float),
    flag: bool,
    letter: char,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Marker;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Shape {
    Point,
    Circle(Float),
    Box(i32, Option<String>),
    Poly { corners: Vec<(i16, i16)>, name: String },
    Group(Vec<Shape>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rich {
    numbers: Numbers,
    text: String,
    maybe: Option<Option<u16>>,
    list: Vec<Option<String>>,
    table: HashMap<u32, String>,
    tree: BTreeMap<String, Vec<Shape>>,
    shape: Shape,
    marker: (Marker, (), [u8; 3]),
    boxed: Box<Result<Vec<bool>, String>>,
}

fn numbers() -> impl Strategy<Value = Numbers> {
    let floats = (any::<u32>(), any::<u64>()).prop_map(|(single, double)| {
        // From raw bits, so that infinities, subnormals and every NaN occur.
        (Single(f32::from_bits(single)), Float(f64::from_bits(double)))
    });
    (any::<(i8, i16, i32, i64, i128)>(), any::<(u8, u16, u32, u64, u128)>(), floats, any::<(bool, char)>())
        .prop_map(|(signed, unsigned, floats, (flag, letter))| Numbers {
            signed,
            unsigned,
            floats,
            flag,
            letter,
        })
}

fn shape() -> impl Strategy<Value = Shape> {
    let flat = prop_oneof![
        Just(Shape::Point),
        any::<u64>().prop_map(|bits| Shape::Circle(Float(f64::from_bits(bits)))),
        any::<(i32, Option<String>)>().prop_map(|(size, label)| Shape::Box(size, label)),
        (collection::vec(any::<(i16, i16)>(), 0..4), any::<String>())
            .prop_map(|(corners, name)| Shape::Poly { corners, name }),
    ];
    flat.prop_recursive(4, 16, 4, |inner| collection::vec(inner, 0..4).prop_map(Shape::Group))
}

pub(crate) fn rich() -> impl Strategy<Value = Rich> {
    let containers = (
        any::<Option<Option<u16>>>(),
        collection::vec(option::of(any::<String>()), 0..4),
        collection::hash_map(any::<u32>(), any::<String>(), 0..4),
        collection::btree_map(any::<String>(), collection::vec(shape(), 0..3), 0..3),
    );
    let rest = (shape(), any::<[u8; 3]>(), any::<Result<bool, String>>());
    (numbers(), any::<String>(), containers, rest).prop_map(
        |(numbers, text, (maybe, list, table, tree), (shape, array, result))| Rich {
            numbers,
            text,
            maybe,
            list,
            table,
            tree,
            shape,
            marker: (Marker, (), array),
            boxed: Box::new(result.map(|flag| vec![flag; 3])),
        },
    )
}
