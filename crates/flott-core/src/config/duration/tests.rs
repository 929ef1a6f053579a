use proptest::prelude::*;

use super::*;

fn ms(text: &str) -> Option<u128> {
    parse_duration(text).map(|duration| duration.as_millis())
}

#[test]
fn every_unit_of_flink_is_read_with_and_without_a_space() {
    assert_eq!(ms("10 s"), Some(10_000));
    assert_eq!(ms("500 ms"), Some(500));
    assert_eq!(ms("200ms"), Some(200));
    assert_eq!(ms("1 min"), Some(60_000));
    assert_eq!(ms("3 m"), Some(180_000));
    assert_eq!(ms("1 h"), Some(3_600_000));
    assert_eq!(ms("1 d"), Some(86_400_000));
    assert_eq!(ms("2 Hours"), Some(7_200_000));
    assert_eq!(parse_duration("7 \u{b5}s"), Some(Duration::from_micros(7)));
    assert_eq!(parse_duration("7 ns"), Some(Duration::from_nanos(7)));
}

#[test]
fn a_plain_number_means_milliseconds() {
    assert_eq!(ms("300000"), Some(300_000));
    assert_eq!(ms("0"), Some(0));
}

#[test]
fn iso_8601_durations_are_read() {
    assert_eq!(ms("PT10S"), Some(10_000));
    assert_eq!(ms("pt1.5s"), Some(1_500));
    assert_eq!(ms("P1DT2H3M4S"), Some(((24 + 2) * 3_600 + 3 * 60 + 4) * 1_000));
    assert_eq!(ms("P2D"), Some(2 * 86_400_000));
}

#[test]
fn what_is_no_duration_is_refused() {
    for text in [
        "",
        " ",
        "s",
        "10 parsecs",
        "-1",
        "-5 s",
        "1.5 s",
        "10 s s",
        "P",
        "PT",
        "P1DT",
        "PT10",
        "P1Y",
        "PT-1S",
    ] {
        assert_eq!(parse_duration(text), None, "{text:?}");
    }
}

#[test]
fn a_duration_that_does_not_fit_is_refused_and_does_not_overflow() {
    assert_eq!(parse_duration("18446744073709551615 d"), None);
    assert_eq!(parse_duration("18446744073709551616 ns"), None);
    assert_eq!(parse_duration("18446744073709551615 s"), Some(Duration::from_secs(u64::MAX)));
}

#[test]
fn a_duration_is_written_with_its_largest_exact_unit() {
    let rendered = |ms| render_duration(Duration::from_millis(ms));
    assert_eq!(
        [rendered(0), rendered(200), rendered(90_000), rendered(600_000)],
        ["0 ms", "200 ms", "90 s", "10 min"]
    );
}

proptest! {
    #[test]
    fn a_written_duration_reads_back(seconds in 0..u64::from(u32::MAX), nanos in 0u32..1_000_000_000) {
        let duration = Duration::new(seconds, nanos);
        prop_assert_eq!(parse_duration(&render_duration(duration)), Some(duration));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,12}|[pPtT0-9.DHMSdhms -]{0,20}") {
        let _ = parse_duration(&text);
    }
}
