//! What is read by schema is what was written, and whatever bytes and schemas hold, reading ends.

use std::collections::BTreeMap;

use proptest::{collection, prelude::*};
use serde::{Deserialize, Serialize};

use super::*;
use crate::encoding::{self, tests::rich};

/// A version of a type, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Old {
    id: u32,
    dropped: Vec<Option<String>>,
    level: i8,
    children: BTreeMap<u8, Old>,
    event: OldEvent,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum OldEvent {
    Idle,
    Moved(u16, u16),
    Named { name: String, gone: u64 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct New {
    level: Option<i64>,
    #[serde(alias = "id")]
    number: u64,
    #[serde(default)]
    added: Vec<u8>,
    event: NewEvent,
    children: BTreeMap<u16, New>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum NewEvent {
    Named {
        name: String,
    },
    #[serde(alias = "Moved")]
    Went(i32, u16),
    Idle,
}

impl From<Old> for New {
    fn from(Old { id, level, children, event, .. }: Old) -> Self {
        let event = match event {
            OldEvent::Idle => NewEvent::Idle,
            OldEvent::Moved(x, y) => NewEvent::Went(x.into(), y),
            OldEvent::Named { name, .. } => NewEvent::Named { name },
        };
        let children = children.into_iter().map(|(key, child)| (key.into(), child.into())).collect();
        Self { level: Some(level.into()), number: id.into(), added: Vec::new(), event, children }
    }
}

fn old() -> impl Strategy<Value = Old> {
    let event = || {
        prop_oneof![
            Just(OldEvent::Idle),
            any::<(u16, u16)>().prop_map(|(x, y)| OldEvent::Moved(x, y)),
            any::<(String, u64)>().prop_map(|(name, gone)| OldEvent::Named { name, gone }),
        ]
    };
    let dropped = || collection::vec(any::<Option<String>>(), 0..3);
    let leaf = (any::<u32>(), dropped(), any::<i8>(), event());
    let leaf = leaf.prop_map(|(id, dropped, level, event)| Old {
        id,
        dropped,
        level,
        children: BTreeMap::new(),
        event,
    });
    leaf.prop_recursive(3, 12, 3, move |inner| {
        (any::<u32>(), dropped(), any::<i8>(), collection::btree_map(any::<u8>(), inner, 0..3), event())
            .prop_map(|(id, dropped, level, children, event)| Old { id, dropped, level, children, event })
    })
}

/// Any schema, sensible or not.
fn any_schema() -> impl Strategy<Value = Schema> {
    collection::vec(any_type(6), 1..6)
        .prop_filter_map("names types that aren't there", |types| Schema::try_from(types).ok())
}

fn any_type(types: TypeNumber) -> impl Strategy<Value = Type> {
    let number = 0..types;
    prop_oneof![
        2 => prop_oneof![Just(Type::Unit), Just(Type::U8), Just(Type::Str), Just(Type::Bool), Just(Type::I64)],
        1 => number.clone().prop_map(Type::Option),
        1 => number.clone().prop_map(Type::Seq),
        1 => (number.clone(), number.clone()).prop_map(|(key, value)| Type::Map(key, value)),
        1 => collection::vec(number.clone(), 0..4).prop_map(Type::Tuple),
        1 => number.clone().prop_map(|of| Type::Newtype { name: "N".to_owned(), of }),
        1 => collection::vec(number.clone(), 0..4).prop_map(|parts| Type::Struct {
            name: "S".to_owned(),
            fields: parts.into_iter().enumerate().map(|(at, of)| Field { name: format!("f{at}"), aliases: vec![], optional: false, of }).collect(),
        }),
        1 => collection::vec(number, 0..4).prop_map(|parts| Type::Enum {
            name: "E".to_owned(),
            variants: parts.into_iter().enumerate().map(|(at, of)| Variant { names: vec![format!("V{at}")], of }).collect(),
        }),
    ]
}

proptest! {
    #[test]
    fn a_value_read_by_its_schema_is_the_value_that_was_written(value in rich::rich()) {
        let schema = Schema::of::<rich::Rich>();
        prop_assert_eq!(schema.opaque_because(), None);
        let read = decode(&encoding::to_vec(&value).unwrap(), &schema).unwrap();
        // The order of a map's entries is that of this very map in both.
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(&value).unwrap());
    }

    #[test]
    fn a_value_read_through_its_own_schema_is_itself(value in rich::rich()) {
        let bytes = encoding::to_vec(&value).unwrap();
        prop_assert_eq!(migrate::<rich::Rich>(&bytes, &Schema::of::<rich::Rich>()).unwrap(), value);
    }

    #[test]
    fn a_changed_type_reads_what_the_old_one_wrote(values in collection::vec(old(), 0..4)) {
        let (written, wanted) = (Schema::of::<Old>(), Schema::of::<New>());
        prop_assert_eq!(Migration::between(&written, &wanted), Ok(Migration::Migrate));
        let mut bytes = Vec::new();
        for value in &values {
            encoding::encode(value, &mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        for value in values {
            prop_assert_eq!(migrate_prefix::<New>(&mut rest, &written).unwrap(), New::from(value));
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn damaged_bytes_end_in_a_value_or_an_error(bytes in collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes, &Schema::of::<rich::Rich>());
        let _ = migrate::<New>(&bytes, &Schema::of::<Old>());
        let _ = encoding::decode::<Schema>(&bytes);
    }

    #[test]
    fn senseless_schemas_end_in_a_value_or_an_error(
        schema in any_schema(),
        other in any_schema(),
        bytes in collection::vec(prop_oneof![3 => Just(0_u8), 1 => Just(1_u8), 1 => any::<u8>()], 0..64),
    ) {
        let _ = decode(&bytes, &schema);
        let _ = migrate::<New>(&bytes, &schema);
        let _ = Migration::between(&schema, &other);
        let _ = schema.to_string();
        prop_assert_eq!(Migration::between(&schema, &schema), Ok(Migration::Same));
        prop_assert_eq!(encoding::decode::<Schema>(&encoding::to_vec(&schema).unwrap()).unwrap(), schema);
    }
}

#[test]
fn a_schema_that_doubles_without_bytes_is_given_up_soon() {
    let mut types: Vec<Type> = (1..100).map(|next| Type::Tuple(vec![next, next])).collect();
    types.push(Type::Unit);
    let schema = Schema::try_from(types).unwrap();
    let error = decode(&[], &schema).unwrap_err();
    assert!(error.to_string().contains("more parts than its bytes"), "{error}");
    assert!(schema.to_string().len() < 10_000);
}

#[test]
fn a_schema_that_refers_to_a_type_that_is_not_there_is_refused() {
    assert!(Schema::try_from(vec![Type::Seq(1)]).is_err());
    assert!(Schema::try_from(vec![]).is_err());
    let bytes = encoding::to_vec(&vec![Type::Option(7)]).unwrap();
    assert!(encoding::decode::<Schema>(&bytes).unwrap_err().to_string().contains("refers to type 7"));
}

#[test]
fn an_error_says_what_was_written_and_what_was_asked_for() {
    let bytes = encoding::to_vec(&5_u64).unwrap();
    let error = migrate::<String>(&bytes, &Schema::of::<u64>()).unwrap_err();
    assert!(error.to_string().ends_with("it was written as u64 and can't be read as a string"), "{error}");
}

#[test]
fn json_of_a_value_is_that_of_the_type() {
    let schema = Schema::of::<BTreeMap<(u8, char), OldEvent>>();
    let value: BTreeMap<(u8, char), OldEvent> = BTreeMap::from([
        ((1, 'x'), OldEvent::Named { name: "n".to_owned(), gone: 2 }),
        ((2, 'y'), OldEvent::Idle),
    ]);
    let read = decode(&encoding::to_vec(&value).unwrap(), &schema).unwrap();
    assert_eq!(
        serde_json::to_string(&read).unwrap(),
        r#"{"(1, x)":{"Named":{"name":"n","gone":2}},"(2, y)":"Idle"}"#
    );
    assert_eq!(read.to_string(), "{(1, x): Named{name: n, gone: 2}, (2, y): Idle}");
}
