use super::*;

#[test]
fn strings_come_back_as_they_were_pushed() {
    let mut strings = ByteStrings::default();
    for string in ["one", "", "three"] {
        strings.push(string.as_bytes());
    }
    assert_eq!(strings.iter().collect::<Vec<_>>(), [b"one".as_slice(), b"", b"three"]);
    assert_eq!((strings.len(), strings.total_bytes(), strings.get(3)), (3, 8, b"".as_slice()));
}

#[test]
fn a_string_that_can_not_be_written_leaves_nothing() {
    let mut strings = ByteStrings::default();
    strings.push(b"before");
    let failed = strings.push_with(|bytes| {
        bytes.extend_from_slice(b"half");
        Err("no more")
    });
    assert_eq!(failed, Err("no more"));
    strings.push(b"behind");
    assert_eq!(strings.iter().collect::<Vec<_>>(), [b"before".as_slice(), b"behind"]);
}

fn push(writes: &mut Writes, key: &str, value: Option<&str>) {
    let set = |bytes: &mut Vec<u8>| {
        bytes.extend_from_slice(value.unwrap_or("of no account").as_bytes());
        Ok::<_, ()>(value.is_some())
    };
    let key = |bytes: &mut Vec<u8>| {
        bytes.extend_from_slice(key.as_bytes());
        Ok(())
    };
    writes.push_with(key, set).unwrap();
}

fn listed(writes: &Writes) -> Vec<(&str, Option<&str>)> {
    let text = |bytes| std::str::from_utf8(bytes).unwrap();
    writes.iter().map(|(key, value)| (text(key), value.map(text))).collect()
}

#[test]
fn writes_are_sorted_by_key_with_their_values() {
    let mut writes = Writes::default();
    for (key, value) in [("b", Some("2")), ("c", None), ("a", Some("")), ("aa", Some("4"))] {
        push(&mut writes, key, value);
    }
    writes.sort();
    assert_eq!(listed(&writes), [("a", Some("")), ("aa", Some("4")), ("b", Some("2")), ("c", None)]);
    writes.clear();
    push(&mut writes, "again", None);
    assert_eq!(listed(&writes), [("again", None)]);
}

#[test]
fn a_write_whose_key_can_not_be_encoded_is_left_out() {
    let mut writes = Writes::default();
    push(&mut writes, "a", Some("1"));
    let failed = writes.push_with(
        |_| Err("no key"),
        |bytes| {
            bytes.push(b'x');
            Ok(true)
        },
    );
    assert_eq!(failed, Err("no key"));
    push(&mut writes, "b", Some("2"));
    assert_eq!(listed(&writes), [("a", Some("1")), ("b", Some("2"))]);
}
