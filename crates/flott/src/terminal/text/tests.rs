use super::{count, watermark};

#[test]
fn a_watermark_is_shown_as_a_time() {
    assert_eq!(watermark(i64::MIN), "-");
    assert_eq!(watermark(i64::MAX), "end");
    assert_eq!(watermark(0), "1970-01-01 00:00:00");
    assert_eq!(watermark(951_782_400_000), "2000-02-29 00:00:00");
    assert_eq!(watermark(1_356_998_399_999), "2012-12-31 23:59:59");
    assert_eq!(watermark(-1), "1969-12-31 23:59:59");
}

#[test]
fn counts_have_units() {
    assert_eq!(count(0.0), "0");
    assert_eq!(count(999.0), "999");
    assert_eq!(count(12_345.0), "12.3 k");
    assert_eq!(count(4_560_000.0), "4.56 M");
}
