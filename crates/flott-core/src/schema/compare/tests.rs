//! A row for each kind of change: what was written, what it is read as, and what comes of it.

#![allow(dead_code, reason = "fields are written and compared, not read")]

use std::{collections::BTreeMap, fmt::Debug};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Migration;
use crate::{
    encoding::{decode, to_vec},
    schema::{Schema, migrate},
};

trait Typed: Serialize + DeserializeOwned + Debug + PartialEq + 'static {}
impl<T: Serialize + DeserializeOwned + Debug + PartialEq + 'static> Typed for T {}

fn between<A: Typed, B: Typed>() -> Result<Migration, String> {
    Migration::between(&Schema::of::<A>(), &Schema::of::<B>()).map_err(|error| error.to_string())
}

/// What `written` becomes when it is read as a `B`.
fn migrated<A: Typed, B: Typed>(written: &A) -> B {
    assert_eq!(between::<A, B>(), Ok(Migration::Migrate));
    migrate(&to_vec(written).unwrap(), &Schema::of::<A>()).unwrap()
}

/// Bytes of `written` mean `B`, and are read alike on the fast path and through the schema.
fn same<A: Typed, B: Typed>(written: &A, read: &B) {
    assert_eq!(between::<A, B>(), Ok(Migration::Same));
    let bytes = to_vec(written).unwrap();
    assert_eq!(decode::<B>(&bytes).unwrap(), *read);
    assert_eq!(migrate::<B>(&bytes, &Schema::of::<A>()).unwrap(), *read);
}

fn refused<A: Typed, B: Typed>() -> String {
    between::<A, B>().expect_err("another type")
}

/// Types of one name in modules of their own, as versions of a program have them.
macro_rules! versions {
    ($($version:ident { $($item:item)* })*) => {$(
        mod $version {
            use super::*;
            $(#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)] $item)*
        }
    )*};
}

versions! {
    old {
        pub(super) struct Trade { pub(super) id: u32, pub(super) price: f32, pub(super) note: String }
        pub(super) enum Side { Buy, Sell { amount: u16 }, Both(u8, u8) }
        pub(super) struct Book { pub(super) trades: Vec<Trade>, pub(super) sides: BTreeMap<String, Side> }
        pub(super) struct Node { pub(super) value: u8, pub(super) next: Option<Box<Node>> }
        pub(super) struct Id(pub(super) u64);
    }
    moved {
        pub(super) struct Deal { pub(super) id: u32, pub(super) price: f32, pub(super) note: String }
    }
    added {
        pub(super) struct Trade {
            pub(super) id: u32,
            pub(super) price: f32,
            #[serde(default = "super::hundred")] pub(super) amount: u16,
            pub(super) note: String,
            pub(super) venue: Option<String>,
        }
    }
    added_without_default {
        pub(super) struct Trade { id: u32, price: f32, amount: u16, note: String }
        pub(super) struct Book { trades: Vec<Trade>, sides: BTreeMap<String, super::old::Side> }
    }
    removed {
        pub(super) struct Trade { pub(super) price: f32 }
        #[serde(deny_unknown_fields)]
        pub(super) struct Strict { price: f32 }
        pub(super) enum Side { Buy, Both(u8, u8) }
        pub(super) struct Book { pub(super) sides: BTreeMap<String, super::old::Side> }
    }
    renamed {
        pub(super) struct Trade {
            #[serde(alias = "id")] pub(super) number: u32,
            pub(super) price: f32,
            #[serde(rename = "text", alias = "note", alias = "comment")] pub(super) remark: String,
        }
        pub(super) struct Shuffled {
            #[serde(alias = "note", default)] pub(super) text: String,
            pub(super) price: f32,
            #[serde(alias = "id")] pub(super) number: u32,
        }
        pub(super) enum Side { #[serde(alias = "Buy")] Bid, #[serde(alias = "Sell")] Ask { amount: u16 }, Both(u8, u8) }
        pub(super) enum Reversed { Both(u8, u8), #[serde(alias = "Sell")] Ask { amount: u16 }, Buy }
        pub(super) enum Later { #[serde(alias = "Buy")] Bid, Ask { amount: u16 }, Both(u8, u8) }
        pub(super) struct WithoutAlias { number: u32, price: f32, note: String }
        pub(super) struct Doubled { #[serde(alias = "price")] id: u32, note: String }
    }
    widened {
        pub(super) struct Trade { pub(super) id: u64, pub(super) price: f64, pub(super) note: Option<String> }
        pub(super) enum Side { Buy, Sell { amount: u32 }, Both(u16, i16), Hold }
        pub(super) struct Book { pub(super) trades: Vec<Trade>, pub(super) sides: BTreeMap<String, Side> }
        pub(super) struct Node { pub(super) value: u16, pub(super) next: Option<Box<Node>> }
        pub(super) struct Id(pub(super) u128);
    }
    appended {
        pub(super) enum Side { Buy, Sell { amount: u16 }, Both(u8, u8), Hold }
        pub(super) enum Payload { Buy(u8), Sell { amount: u16 }, Both(u8, u8) }
    }
    retyped {
        pub(super) struct Trade { id: u32, price: String, note: String }
        pub(super) struct Narrowed { id: u16, price: f32, note: String }
        pub(super) struct Signed { id: i32, price: f32, note: String }
        pub(super) struct Book { trades: Vec<Trade>, sides: BTreeMap<String, super::old::Side> }
        pub(super) struct Node { value: i8, next: Option<Box<Node>> }
    }
}

fn hundred() -> u16 {
    100
}

fn trade() -> old::Trade {
    old::Trade { id: 7, price: 1.5, note: "first".to_owned() }
}

fn book() -> old::Book {
    let sides = [("a", old::Side::Buy), ("b", old::Side::Sell { amount: 9 }), ("c", old::Side::Both(1, 2))];
    let sides = sides.map(|(name, side)| (name.to_owned(), side)).into();
    old::Book { trades: vec![trade(), trade()], sides }
}

#[test]
fn an_unchanged_type_is_the_same() {
    same(&book(), &book());
    same(&Some(vec![(1_u8, 'x')]), &Some(vec![(1_u8, 'x')]));
}

#[test]
fn a_type_under_another_name_is_the_same() {
    same(&trade(), &moved::Deal { id: 7, price: 1.5, note: "first".to_owned() });
}

#[test]
fn a_newtype_around_a_type_is_the_same() {
    same(&old::Id(5), &5_u64);
    same(&vec![5_u64], &vec![old::Id(5)]);
}

#[test]
fn a_variant_behind_the_others_changes_nothing() {
    same(&old::Side::Sell { amount: 3 }, &appended::Side::Sell { amount: 3 });
}

#[test]
fn a_field_with_a_default_and_an_option_can_be_added() {
    let read: added::Trade = migrated(&trade());
    assert_eq!(
        (read.id, read.price, read.amount, read.note.as_str(), read.venue),
        (7, 1.5, 100, "first", None)
    );
}

#[test]
fn a_field_without_a_default_cannot_be_added() {
    assert_eq!(
        refused::<old::Trade, added_without_default::Trade>(),
        "it was written as Trade and is Trade now, but there was no field `amount` then, and it has no default: give \
         it #[serde(default)], or #[serde(alias)] with its old name"
    );
    assert!(
        refused::<old::Book, added_without_default::Book>()
            .starts_with("`trades.[]` was written as Trade and is Trade now, but")
    );
}

#[test]
fn fields_can_be_removed_whatever_their_type() {
    let read: removed::Trade = migrated(&trade());
    assert_eq!(read.price, 1.5);
    let read: removed::Book = migrated(&book());
    assert_eq!(read.sides, book().sides);
}

#[test]
fn a_type_that_denies_unknown_fields_says_so_at_the_first_value() {
    assert_eq!(between::<old::Trade, removed::Strict>(), Ok(Migration::Migrate));
    let result = migrate::<removed::Strict>(&to_vec(&trade()).unwrap(), &Schema::of::<old::Trade>());
    assert!(result.unwrap_err().to_string().contains("unknown field `id`"));
}

#[test]
fn a_variant_that_may_have_been_written_cannot_be_removed() {
    assert_eq!(
        refused::<old::Side, removed::Side>(),
        "it was written as Side and is Side now, but no variant stands for what was `Sell`: keep it, or give another \
         one its name by #[serde(alias)]"
    );
}

#[test]
fn a_field_renamed_by_alias_in_its_place_is_the_same() {
    same(&trade(), &renamed::Trade { number: 7, price: 1.5, remark: "first".to_owned() });
}

#[test]
fn fields_renamed_by_alias_are_found_wherever_they_are_now() {
    let read: renamed::Shuffled = migrated(&trade());
    assert_eq!(read, renamed::Shuffled { text: "first".to_owned(), price: 1.5, number: 7 });
}

#[test]
fn a_field_renamed_without_alias_or_default_is_refused() {
    assert!(refused::<old::Trade, renamed::WithoutAlias>().contains("no field `number`"));
}

#[test]
fn two_old_fields_cannot_become_one() {
    assert!(
        refused::<old::Trade, renamed::Doubled>().contains("more than one of its fields answers to `price`")
    );
}

#[test]
fn variants_renamed_by_alias_in_their_places_are_the_same() {
    same(&old::Side::Buy, &renamed::Side::Bid);
    same(&old::Side::Sell { amount: 4 }, &renamed::Side::Ask { amount: 4 });
    same(&old::Side::Both(1, 2), &renamed::Side::Both(1, 2));
}

#[test]
fn variants_in_another_order_are_found_by_their_names() {
    let read: Vec<renamed::Reversed> = migrated(&vec![old::Side::Buy, old::Side::Sell { amount: 4 }]);
    assert_eq!(read, [renamed::Reversed::Buy, renamed::Reversed::Ask { amount: 4 }]);
}

#[test]
fn an_enum_with_aliases_can_be_written_and_migrated_on() {
    let written =
        vec![renamed::Reversed::Both(1, 2), renamed::Reversed::Ask { amount: 4 }, renamed::Reversed::Buy];
    let read: Vec<renamed::Later> = migrated(&written);
    assert_eq!(read, [renamed::Later::Both(1, 2), renamed::Later::Ask { amount: 4 }, renamed::Later::Bid]);
}

#[test]
fn numbers_can_be_widened_wherever_they_are() {
    let read: widened::Book = migrated(&book());
    assert_eq!(read.trades[1], widened::Trade { id: 7, price: 1.5, note: Some("first".to_owned()) });
    assert_eq!(read.sides["b"], widened::Side::Sell { amount: 9 });
    assert_eq!(read.sides["c"], widened::Side::Both(1, 2));
    assert_eq!(migrated::<old::Id, widened::Id>(&old::Id(u64::MAX)), widened::Id(u64::MAX.into()));
    assert_eq!(migrated::<_, (i64, i128)>(&(-1_i8, i64::MIN)), (-1, i64::MIN.into()));
}

#[test]
fn a_type_that_contains_itself_is_migrated_to_the_end() {
    let last = old::Node { value: 3, next: None };
    let first = old::Node { value: 2, next: Some(Box::new(last)) };
    let read: widened::Node = migrated(&first);
    assert_eq!(read.next.as_ref().map(|next| next.value), Some(3));
    assert_eq!(refused::<old::Node, retyped::Node>(), "`value` was written as u8 and is i8 now");
}

#[test]
fn numbers_cannot_be_narrowed_or_change_their_sign() {
    assert_eq!(refused::<old::Trade, retyped::Narrowed>(), "`id` was written as u32 and is u16 now");
    assert_eq!(refused::<old::Trade, retyped::Signed>(), "`id` was written as u32 and is i32 now");
    assert_eq!(refused::<i8, u64>(), "it was written as i8 and is u64 now");
    assert_eq!(refused::<u64, f64>(), "it was written as u64 and is f64 now");
}

#[test]
fn a_type_can_become_an_option_but_an_option_stays_one() {
    assert_eq!(migrated::<u8, Option<u16>>(&5), Some(5));
    assert_eq!(refused::<Option<u8>, u8>(), "it was written as Option<u8> and is u8 now");
}

#[test]
fn a_field_of_another_type_is_refused_by_its_path() {
    assert_eq!(refused::<old::Book, retyped::Book>(), "`trades.[].price` was written as f32 and is str now");
    assert_eq!(
        refused::<BTreeMap<u8, old::Trade>, BTreeMap<u8, retyped::Trade>>(),
        "`{value}.price` was written as f32 and is str now"
    );
}

#[test]
fn a_variant_with_another_payload_is_refused() {
    assert_eq!(refused::<old::Side, appended::Payload>(), "`Buy` was written as () and is u8 now");
}

#[test]
fn containers_of_other_kinds_are_refused() {
    assert_eq!(refused::<Vec<u8>, [u8; 4]>(), "it was written as [u8] and is [u8; 4] now");
    assert_eq!(refused::<(u8, u8), (u8, u8, u8)>(), "it was written as (u8, u8) and is (u8, u8, u8) now");
    assert_eq!(refused::<String, char>(), "it was written as str and is char now");
    assert_eq!(
        refused::<old::Trade, (u32, f32, String)>(),
        "it was written as Trade and is (u32, f32, str) now"
    );
}

#[test]
fn an_opaque_type_is_the_same_as_itself_only() {
    assert_eq!(between::<serde_json::Value, serde_json::Value>(), Ok(Migration::Same));
    assert!(refused::<String, serde_json::Value>().contains("can't be traced"));
    assert!(
        refused::<serde_json::Value, String>()
            .starts_with("it was written as opaque serde_json::value::Value")
    );
}
