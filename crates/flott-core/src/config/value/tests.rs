use super::*;

#[derive(Debug, PartialEq)]
enum Mode {
    Exact,
    Loose,
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "exact" => Ok(Self::Exact),
            "loose" => Ok(Self::Loose),
            _ => Err(()),
        }
    }
}

impl Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::Exact { "exact" } else { "loose" })
    }
}

impl EnumValue for Mode {
    const NAMES: &'static [&'static str] = &["exact", "loose"];
}

#[test]
fn an_enum_is_a_value_by_its_names() {
    assert_eq!(<Mode as ConfigValue>::parse("loose"), Some(Mode::Loose));
    assert_eq!(<Mode as ConfigValue>::parse("strict"), None);
    assert_eq!(Mode::accepts(), "one of exact, loose");
    assert_eq!(Mode::Exact.render(), "exact");
}

#[test]
fn booleans_are_true_and_false_in_any_case_and_nothing_else() {
    assert_eq!(bool::parse("TRUE"), Some(true));
    assert_eq!(bool::parse("False"), Some(false));
    assert_eq!(bool::parse("yes"), None);
    assert_eq!(bool::parse("1"), None);
}

#[test]
fn an_integer_outside_its_type_is_no_value() {
    assert_eq!(u32::parse("4294967295"), Some(u32::MAX));
    assert_eq!(u32::parse("4294967296"), None);
    assert_eq!(u32::parse("-1"), None);
    assert_eq!(i32::parse("-1"), Some(-1));
    assert_eq!(i64::parse("1.5"), None);
}

#[test]
fn a_number_with_a_fraction_is_finite() {
    assert_eq!(f64::parse("1.5"), Some(1.5));
    assert_eq!(f64::parse("2"), Some(2.0));
    for text in ["inf", "NaN", "1,5", ""] {
        assert_eq!(f64::parse(text), None, "{text}");
    }
    assert_eq!(f64::parse(&0.1.render()), Some(0.1));
}
