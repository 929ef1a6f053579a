use super::*;

fn flat(text: &str) -> Vec<(String, String)> {
    let settings = settings("flott.yaml", text).unwrap_or_else(|error| panic!("{error}"));
    settings.into_iter().map(|setting| (setting.key, setting.text)).collect()
}

fn refused(text: &str) -> String {
    let message = settings("flott.yaml", text).expect_err("the file must be refused").to_string();
    assert!(!message.contains('\n'), "more than one line: {message}");
    message
}

fn pair(key: &str, text: &str) -> (String, String) {
    (key.to_owned(), text.to_owned())
}

#[test]
fn nested_and_dotted_keys_are_the_same() {
    let nested = "state:\n  backend:\n    type: rocksdb\n    incremental: true\n";
    let mixed = "state.backend: {type: rocksdb}\nstate.backend.incremental: true\n";
    let expected = vec![pair("state.backend.type", "rocksdb"), pair("state.backend.incremental", "true")];
    assert_eq!(flat(nested), expected);
    assert_eq!(flat(mixed), expected);
}

#[test]
fn the_flat_lines_of_flink_1_13_are_read_with_urls_and_comments() {
    let text = "# comment\nstate.checkpoints.dir: hdfs://namenode:40010/flink\n\nrest.port: 8081 # web\ntmp: file:///a/b\n";
    assert_eq!(
        flat(text),
        [
            pair("state.checkpoints.dir", "hdfs://namenode:40010/flink"),
            pair("rest.port", "8081"),
            pair("tmp", "file:///a/b")
        ]
    );
}

#[test]
fn a_scalar_keeps_the_spelling_of_the_file() {
    let text =
        "a: 1.10\nb: 007\nc: 0x1F\nd: True\ne: 1_000\nf: \"1.10\"\ng: -1\nh: 1e3\ni: yes\nj: 10 s\nk: .inf\n";
    let texts: Vec<String> = flat(text).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["1.10", "007", "0x1F", "True", "1_000", "1.10", "-1", "1e3", "yes", "10 s", ".inf"]);
}

#[test]
fn the_spelling_is_kept_behind_letters_of_several_bytes() {
    assert_eq!(flat("größe: '…' # ééé\nb: 1.10\n"), [pair("größe", "…"), pair("b", "1.10")]);
}

#[test]
fn a_list_is_joined_by_semicolons() {
    assert_eq!(flat("jars: [a.jar, 1.10]\n"), [pair("jars", "a.jar;1.10")]);
    assert_eq!(flat("jars:\n- a.jar\n- b.jar\n"), [pair("jars", "a.jar;b.jar")]);
}

#[test]
fn a_setting_knows_its_line() {
    let settings = settings("flott.yaml", "a: 1\nb:\n  c: 2\n").unwrap();
    let lines: Vec<String> = settings.iter().map(|setting| setting.origin.to_string()).collect();
    assert_eq!(lines, ["in flott.yaml:1", "in flott.yaml:3"]);
}

#[test]
fn an_empty_file_sets_nothing() {
    assert!(flat("").is_empty());
    assert!(flat("# only a comment\n").is_empty());
}

#[test]
fn broken_yaml_is_refused_with_its_position() {
    let message = refused("a: 1\nb: [1, 2\nc: 3\n");
    assert!(message.starts_with("cannot read configuration file flott.yaml, line "), "{message}");
    assert!(message.contains(", column "), "{message}");
}

#[test]
fn a_key_twice_in_a_mapping_is_refused() {
    assert_eq!(
        refused("a: 1\na: 2\n"),
        "cannot read configuration file flott.yaml, line 2, column 1: duplicate mapping key: a"
    );
}

#[test]
fn a_key_without_value_is_refused() {
    assert_eq!(
        refused("x: 1\na:\n  b:\n"),
        "cannot read configuration file flott.yaml, line 3, column 4: key 'a.b' has no value"
    );
}

#[test]
fn a_key_of_several_lines_is_shown_on_one() {
    assert!(refused("\"a\\nb\":\n").contains(r"key 'a\nb' has no value"));
}

#[test]
fn what_is_no_mapping_of_plain_values_is_refused() {
    assert!(refused("- a\n- b\n").contains("expected lines of the form 'key: value'"));
    assert!(refused("just text\n").contains("expected lines of the form 'key: value'"));
    assert!(refused("a: [[1], 2]\n").contains("the list of key 'a' may hold plain values only"));
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        bomb += &format!("a{level}: &a{level} [{}]\n", [previous.as_str(); 10].join(", "));
    }
    refused(&bomb);
}

#[test]
fn deep_nesting_and_huge_files_are_refused() {
    refused(&format!("a: {}{}\n", "[".repeat(10_000), "]".repeat(10_000)));
    refused(&"a".repeat(MOST_BYTES + 1));
}
