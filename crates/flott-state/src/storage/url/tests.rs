use super::*;

#[test]
fn paths_and_file_urls_are_directories() {
    for url in ["/data/cp", "/data/cp/", "file:/data/cp", "file:///data/cp", "file://localhost/data/cp"] {
        assert_eq!(open(url).unwrap().url(), "file:///data/cp", "{url}");
    }
    let here = std::env::current_dir().unwrap();
    assert_eq!(open("cp").unwrap().url(), format!("file://{}/cp", here.display()));
    assert_eq!(open("cp:1").unwrap().url(), format!("file://{}/cp:1", here.display()));
}

#[test]
fn two_openings_of_a_memory_url_see_the_same() {
    let first = open("memory://a url/cp/").unwrap();
    first.create("a", b"a").unwrap();
    assert_eq!(open("memory://a url").unwrap().get("cp/a").unwrap(), b"a");
    assert_eq!(first.url(), "memory://a url/cp");
}

#[test]
fn a_url_that_names_no_store_is_refused_with_what_is_known() {
    let message = |url| open(url).unwrap_err().to_string();
    assert!(message("hdfs://namenode/cp").contains("no storage for 'hdfs:'; known are file:"));
    assert!(message("file://server/cp").contains("three slashes"));
    assert!(message("file:cp").contains("three slashes"));
    assert!(message("").contains("it is empty"));
    assert!(message("memory://a/../b").contains("'../b' is not the path of a blob"));
}

#[test]
fn a_scheme_of_the_programs_own_is_known_once_it_is_registered() {
    assert!(open("own://place/cp").unwrap_err().to_string().contains("no storage for 'own:'"));
    register("own", |rest| Ok(Arc::new(MemoryBlobStore::named("of a scheme of its own", rest))));
    let store = open("own://place/cp").unwrap();
    store.create("a", b"a").unwrap();
    assert_eq!(MemoryBlobStore::named("of a scheme of its own", "place").get("cp/a").unwrap(), b"a");
}
