use super::*;

#[test]
fn times_are_told_by_the_calendar() {
    assert_eq!(time(0), "1970-01-01 00:00:00.000 UTC");
    assert_eq!(time(951_782_400_000 - 1), "2000-02-28 23:59:59.999 UTC");
    assert_eq!(time(951_782_400_000), "2000-02-29 00:00:00.000 UTC");
    assert_eq!(time(951_868_800_000), "2000-03-01 00:00:00.000 UTC");
    assert_eq!(time(1_704_067_199_005), "2023-12-31 23:59:59.005 UTC");
    assert_eq!(time(4_107_542_400_000), "2100-03-01 00:00:00.000 UTC");
}

#[test]
fn sizes_have_the_unit_that_suits_them() {
    assert_eq!(bytes(1023), "1023 bytes");
    assert_eq!(bytes(1536), "1.5 KiB");
    assert_eq!(bytes(5 << 30), "5.0 GiB");
}

#[test]
fn one_is_singular() {
    assert_eq!(count(1, "entry"), "1 entry");
    assert_eq!(count(0, "entry"), "0 entries");
    assert_eq!(count(2, "element"), "2 elements");
}
