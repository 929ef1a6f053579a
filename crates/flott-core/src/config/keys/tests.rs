use std::collections::BTreeSet;

use super::*;

#[test]
fn every_default_is_a_value_of_its_option() {
    for option in ALL {
        if let Some(default) = option.default_text() {
            assert!(option.canonical(default).is_ok(), "default {default:?} of {}", option.key());
        }
    }
}

#[test]
fn no_spelling_names_two_options() {
    let spellings: Vec<&str> = ALL
        .iter()
        .flat_map(|o| std::iter::once(o.key()).chain(o.deprecated_keys().iter().copied()))
        .collect();
    assert_eq!(spellings.iter().collect::<BTreeSet<_>>().len(), spellings.len(), "{spellings:?}");
}

#[test]
fn every_description_is_one_sentence_on_one_line() {
    for option in ALL {
        let description = option.description();
        assert!(description.ends_with('.') && !description.contains('\n'), "{}", option.key());
    }
}

#[test]
fn an_option_is_found_by_either_spelling() {
    assert_eq!(find("state.backend").map(AnyOption::key), Some("state.backend.type"));
    assert_eq!(find("state.backend.type").map(AnyOption::key), Some("state.backend.type"));
    assert!(find("state").is_none());
}
