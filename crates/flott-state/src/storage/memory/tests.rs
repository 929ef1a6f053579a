use super::*;

#[test]
fn two_openings_of_a_name_see_the_same_until_the_last_is_dropped() {
    let name = "two openings";
    let first = MemoryBlobStore::named(name, "");
    let second = MemoryBlobStore::named(name, "below");
    first.create("below/a", b"a").unwrap();
    assert_eq!(second.get("a").unwrap(), b"a");
    assert_eq!(second.url(), "memory://two openings/below");
    drop((first, second));
    assert_eq!(MemoryBlobStore::named(name, "").list("").unwrap(), []);
}

#[test]
fn stores_without_a_name_and_with_other_names_are_apart() {
    let first = MemoryBlobStore::named("apart", "");
    first.create("a", b"a").unwrap();
    assert_eq!(MemoryBlobStore::named("apart, too", "").list("").unwrap(), []);
    assert_eq!(MemoryBlobStore::new().list("").unwrap(), []);
}

#[test]
fn a_root_hides_what_is_beside_it() {
    let all = MemoryBlobStore::named("hidden", "");
    all.create("root/a", b"").unwrap();
    all.create("root2/b", b"").unwrap();
    let below = MemoryBlobStore::named("hidden", "root");
    assert_eq!(below.list("").unwrap(), [BlobInfo { path: "a".to_owned(), size: 0 }]);
}
