use super::matches;

#[test]
fn stars_and_question_marks_stand_for_bytes() {
    for (pattern, name) in
        [("*", "x"), ("*.csv", "a.csv"), ("a*b*c", "aXbbYc"), ("?", "x"), ("*a", "aaba"), ("", "")]
    {
        assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} fits {name}");
    }
    for (pattern, name) in [("*.csv", "a.csvx"), ("?", ""), ("a?", "a"), ("a*b", "ac"), ("", "x")] {
        assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} doesn't fit {name}");
    }
}
