#![allow(dead_code, reason = "types are traced, not used")]

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    num::NonZeroU32,
    rc::Rc,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Deserializer, Serialize};

use crate::schema::Schema;

macro_rules! serde_types {
    ($($item:item)*) => {$(#[derive(Serialize, Deserialize)] $item)*};
}

fn shown<T: Serialize + serde::de::DeserializeOwned + 'static>() -> String {
    let schema = Schema::of::<T>();
    assert_eq!(schema.opaque_because(), None);
    schema.to_string()
}

fn opaque<T: Serialize + serde::de::DeserializeOwned + 'static>() -> String {
    Schema::of::<T>().opaque_because().expect("an opaque type").to_owned()
}

serde_types! {
    struct Page<T> { items: Vec<T>, next: Option<u64> }
    struct Pages { numbers: Page<u8>, texts: Page<String>, nested: Page<Page<bool>> }

    enum Inner { First, Second(u8), Third { x: u16, y: Option<char> } }
    enum Outer { Plain(Inner), Nothing, Pair(u8, u16), Deep(Page<Inner>), Boxed(Box<Third>) }
    enum Third { One(Fourth), Two }
    enum Fourth { Alpha, Beta(Inner), Gamma(f32) }

    struct Node { value: u8, next: Option<Box<Node>>, children: Vec<Node> }
    enum Expression { Sum(Box<Expression>, Box<Expression>), Negated(Box<Expression>), Number(i64) }
    struct Author { books: Vec<Book> }
    struct Book { author: Option<Box<Author>>, kind: Kind }
    enum Kind { Novel, Series(Vec<Author>), Sequel(Box<Book>) }
    #[serde(transparent)]
    struct Trie(BTreeMap<char, Trie>);
    struct Endless { again: Box<Endless> }
    enum NeverEnding { Again(Box<NeverEnding>) }

    struct Meters(f64);
    struct Point(i32, i32);
    struct Marker;
    struct Empty {}

    struct Defaults {
        required: u8,
        #[serde(default)] counted: u16,
        option: Option<u8>,
        #[serde(default = "seven")] seven: u32,
        last: String,
    }
    #[serde(default)]
    struct AllDefault { a: u8, b: Vec<u8> }
    struct Aliases {
        #[serde(alias = "aaa", alias = "zzz")] middle: u8,
        other: u16,
        #[serde(alias = "before", default)] ending: u32,
        #[serde(rename = "called", alias = "once")] named: char,
    }
    enum Renamed { #[serde(alias = "A", alias = "Z")] Middle, Other(u8), #[serde(alias = "Former")] Last { x: u8 } }

    struct Checked { day: chrono::NaiveDate, count: u8 }
    struct Moment { at: chrono::DateTime<chrono::Utc>, time: chrono::NaiveTime, id: uuid::Uuid, n: NonZeroU32 }
    struct System { at: SystemTime, took: Duration, address: IpAddr }
    #[serde(try_from = "RawRange")]
    struct Range { low: u32, high: u32 }
    struct RawRange { low: u32, high: u32 }
    #[serde(untagged)]
    enum Untagged { Number(u8), Text(String) }
    struct Flattened { #[serde(flatten)] inner: Page<u8> }
    struct Pair<A, B> { a: A, b: B }
}

impl Default for AllDefault {
    fn default() -> Self {
        Self { a: 1, b: Vec::new() }
    }
}

fn seven() -> u32 {
    7
}

impl TryFrom<RawRange> for Range {
    type Error = &'static str;

    fn try_from(RawRange { low, high }: RawRange) -> Result<Self, &'static str> {
        if low < high { Ok(Self { low, high }) } else { Err("a range must not be empty") }
    }
}

#[test]
fn primitive_types_are_shown_by_their_names() {
    assert_eq!(shown::<(i8, i16, i32, i64, i128)>(), "(i8, i16, i32, i64, i128)");
    assert_eq!(shown::<(u8, u16, u32, u64, u128)>(), "(u8, u16, u32, u64, u128)");
    assert_eq!(shown::<(f32, f64, bool, char, String, ())>(), "(f32, f64, bool, char, str, ())");
    assert_eq!(shown::<(usize, isize)>(), "(u64, i64)");
}

#[test]
fn containers_are_shown_with_what_they_hold() {
    assert_eq!(shown::<HashMap<String, Option<Vec<u8>>>>(), "Map<str, Option<[u8]>>");
    assert_eq!(shown::<[u16; 5]>(), "[u16; 5]");
    assert_eq!(shown::<[u16; 0]>(), "()");
    assert_eq!(shown::<(u8, u8)>(), "(u8, u8)");
}

#[test]
fn structs_of_every_form_are_traced() {
    assert_eq!(shown::<Meters>(), "Meters(f64)");
    assert_eq!(shown::<Point>(), "(i32, i32)");
    assert_eq!(shown::<Marker>(), "()");
    assert_eq!(shown::<Empty>(), "Empty {  }");
}

#[test]
fn one_generic_type_may_be_there_with_several_arguments() {
    assert_eq!(
        shown::<Pages>(),
        "Pages { numbers: Page { items: [u8], next?: Option<u64> }, texts: Page { items: [str], next?: \
         Option<u64> }, nested: Page { items: [Page { items: [bool], next?: Option<u64> }], next?: Option<u64> } }"
    );
}

#[test]
fn all_variants_of_enums_inside_enums_are_found() {
    let inner = "Inner { First | Second(u8) | Third { x: u16, y?: Option<char> } }";
    assert_eq!(shown::<Inner>(), inner);
    assert_eq!(
        shown::<Outer>(),
        format!(
            "Outer {{ Plain({inner}) | Nothing | Pair(u8, u16) | Deep {{ items: [Inner], next?: Option<u64> }} | \
             Boxed(Third {{ One(Fourth {{ Alpha | Beta(Inner) | Gamma(f32) }}) | Two }}) }}"
        )
    );
}

#[test]
fn types_may_contain_themselves() {
    assert_eq!(shown::<Node>(), "Node { value: u8, next?: Option<Node>, children: [Node] }");
    assert_eq!(
        shown::<Expression>(),
        "Expression { Sum(Expression, Expression) | Negated(Expression) | Number(i64) }"
    );
    assert_eq!(
        shown::<Author>(),
        "Author { books: [Book { author?: Option<Author>, kind: Kind { Novel | Series([Author]) | \
         Sequel { author?: Option<Author>, kind: Kind } } }] }"
    );
}

#[test]
fn a_transparent_type_that_contains_itself_is_traced() {
    let schema = Schema::of::<Trie>();
    assert_eq!(schema.opaque_because(), None);
    assert!(schema.to_string().starts_with("Map<char, Map<char, Map<char"), "{schema}");
}

#[test]
fn a_type_without_finite_values_is_opaque() {
    assert!(opaque::<Endless>().contains("without an end"));
    assert!(opaque::<NeverEnding>().contains("no finite value"));
}

#[test]
fn fields_that_may_be_missing_are_marked() {
    assert_eq!(
        shown::<Defaults>(),
        "Defaults { required: u8, counted?: u16, option?: Option<u8>, seven?: u32, last: str }"
    );
    assert_eq!(shown::<AllDefault>(), "AllDefault { a?: u8, b?: [u8] }");
}

#[test]
fn fields_have_their_own_names_whatever_their_aliases_sort_to() {
    assert_eq!(shown::<Aliases>(), "Aliases { middle: u8, other: u16, ending?: u32, called: char }");
    let schema = Schema::of::<Aliases>();
    let crate::schema::Type::Struct { fields, .. } = schema.root() else { panic!("{schema}") };
    let aliases: Vec<Vec<&str>> =
        fields.iter().map(|field| field.aliases.iter().map(String::as_str).collect()).collect();
    assert_eq!(aliases, [vec!["aaa", "zzz"], vec![], vec!["before"], vec!["once"]]);
}

#[test]
fn variants_keep_their_index_whatever_their_aliases_sort_to() {
    assert_eq!(shown::<Renamed>(), "Renamed { A/Middle/Z | Other(u8) | Former/Last { x: u8 } }");
}

#[test]
fn types_that_check_what_they_read_are_traced() {
    assert_eq!(shown::<Checked>(), "Checked { day: str, count: u8 }");
    assert_eq!(shown::<Moment>(), "Moment { at: str, time: str, id: bytes, n: u32 }");
    assert_eq!(shown::<Range>(), "RawRange { low: u32, high: u32 }");
    assert_eq!(
        shown::<System>(),
        "System { at: SystemTime { secs_since_epoch: u64, nanos_since_epoch: u32 }, took: Duration { secs: u64, \
         nanos: u32 }, address: IpAddr { V4([u8; 4]) | V6([u8; 16]) } }"
    );
}

#[test]
fn a_type_that_asks_what_comes_next_is_opaque() {
    assert!(opaque::<Untagged>().contains("doesn't describe itself"));
    assert!(opaque::<Flattened>().contains("doesn't describe itself"));
    assert!(opaque::<serde_json::Value>().contains("doesn't describe itself"));
}

#[derive(Serialize)]
struct Panics(u8);

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        Ok(Self(number.checked_sub(1).expect("more than nothing")))
    }
}

#[test]
fn a_type_that_panics_on_a_made_up_value_is_opaque() {
    assert!(opaque::<Panics>().contains("panics"));
}

#[derive(Serialize)]
struct Disagrees {
    wide: u64,
}

impl<'de> Deserialize<'de> for Disagrees {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { wide: u32::deserialize(deserializer)?.into() })
    }
}

#[test]
fn a_type_that_writes_something_else_than_it_reads_is_opaque() {
    assert!(opaque::<Disagrees>().contains("writes something else"));
}

thread_local! {
    static RUNS: Rc<Cell<u32>> = Rc::default();
}

#[derive(Serialize)]
struct Counting;

impl<'de> Deserialize<'de> for Counting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RUNS.with(|runs| runs.set(runs.get() + 1));
        <()>::deserialize(deserializer).map(|()| Self)
    }
}

#[test]
fn a_type_is_traced_once() {
    let first = Schema::of::<Counting>();
    let runs = RUNS.with(|runs| runs.get());
    assert!(runs > 0);
    assert_eq!(Schema::of::<Counting>(), first);
    assert_eq!(RUNS.with(|runs| runs.get()), runs);
}

#[test]
fn a_type_has_one_schema_wherever_it_is() {
    let alone = Schema::of::<Inner>();
    let same = Schema::of::<Pair<Inner, Inner>>();
    let crate::schema::Type::Struct { fields, .. } = same.root() else { panic!("{same}") };
    assert_eq!(fields[0].of, fields[1].of);
    assert_eq!(same.short(fields[0].of), alone.short(0));
}
