//! What is printed, and where: seen from outside, in a process of its own.

use std::process::Command;

use crate::support::env;

const CHILD: &str = "FLOTT_TEST_PRINTS";

/// Does nothing unless it is run by the test below.
#[test]
fn prints() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let env = env(1);
    let numbers = env.from_elements([1, 2]);
    numbers.print_as("out");
    numbers.map(|n| -n).print_to_err();
    env.execute().unwrap();
}

#[test]
fn what_is_printed_to_err_is_on_standard_error_and_nothing_else_is() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", "printing::prints", "--nocapture"]).env(CHILD, "1").output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains("out> 1\nout> 2\n") && !out.contains("-1"), "{out}");
    assert!(err.contains("-1\n-2\n") && !err.contains("out> "), "{err}");
}
