use super::*;

#[test]
fn a_time_is_read_and_written() {
    for (text, seconds) in [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59Z", -1),
        ("2000-02-29T12:00:00Z", 951_825_600),
        ("2013-01-01T10:00:00Z", 1_357_034_400),
        ("2013-12-31T23:00:00Z", 1_388_530_800),
        ("2100-03-01T00:00:00Z", 4_107_542_400),
    ] {
        assert_eq!(parse(text), Some(seconds * 1000), "{text}");
        assert_eq!(format(seconds * 1000), text);
    }
}

#[test]
fn every_day_of_five_centuries_comes_back() {
    for day in -100_000..100_000 {
        let (year, month, day_of_month) = date(day);
        assert_eq!(days(year, month, day_of_month), day);
    }
}

#[test]
fn another_text_is_no_time() {
    for text in ["", "NA", "2013-01-01", "2013-01-01T10:00Z", "2013-13-01T10:00:00Z", "2013-01-01T24:00:00Z"]
    {
        assert_eq!(parse(text), None, "{text}");
    }
}
