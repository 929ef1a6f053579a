use super::prefix;

#[test]
fn s9_the_prefix_follows_flinks_rules() {
    assert_eq!(prefix(None, 0, 1), "");
    assert_eq!(prefix(None, 1, 4), "2> ");
    assert_eq!(prefix(Some("out"), 0, 1), "out> ");
    assert_eq!(prefix(Some("out"), 3, 4), "out:4> ");
}
