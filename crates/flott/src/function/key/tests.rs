use super::{ByReference, KeySelector};

type Record = (String, u8);

fn word(record: &Record) -> &String {
    &record.0
}

fn records(words: &[&str]) -> Vec<Record> {
    words.iter().map(|word| ((*word).to_owned(), 0)).collect()
}

#[test]
fn keys_by_reference_become_those_of_the_new_records_whatever_the_old_ones_were() {
    let (selector, mut keys) = (ByReference::new(word), Vec::new());
    for words in [&["a", "b"][..], &[], &["c"], &["d", "e", "f"], &["g", "h"]] {
        selector.keys(&records(words), &mut keys);
        assert_eq!(keys, words);
    }
}

#[test]
fn keys_by_reference_reuse_what_the_old_keys_have_allocated() {
    let (selector, mut keys) = (ByReference::new(word), Vec::new());
    selector.keys(&records(&["a rather long first key", "another"]), &mut keys);
    let place = keys[0].as_ptr();
    selector.keys(&records(&["short"]), &mut keys);
    assert_eq!((keys[0].as_str(), keys[0].as_ptr()), ("short", place));
}
