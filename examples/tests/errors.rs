//! What goes wrong is told in one line, and the program ends with code 1.

mod support;

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use anyhow::Result;
use support::{data, run};

const WORD_COUNT: &str = env!("CARGO_BIN_EXE_word_count");
const FLIGHT_DELAYS: &str = env!("CARGO_BIN_EXE_flight_delays");
const SOCKET_WORD_COUNT: &str = env!("CARGO_BIN_EXE_socket_word_count");

/// Runs a program that must fail and tell each of `facts` in its one line.
#[track_caller]
fn assert_fails(program: &str, arguments: &[&str], facts: &[&str]) -> Result<()> {
    let output = run(program, arguments)?;
    let told = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.lines().count(), 1, "one line: {told}");
    assert!(told.starts_with("error: "), "{told}");
    for fact in facts {
        assert!(told.contains(fact), "'{fact}' is not told: {told}");
    }
    Ok(())
}

fn text() -> String {
    data("kjv.txt").display().to_string()
}

#[test]
fn the_input_does_not_exist() -> Result<()> {
    assert_fails(WORD_COUNT, &["--input", "/no/such/text.txt"], &["/no/such/text.txt", "no such file"])
}

#[test]
fn the_output_directory_can_not_be_written() -> Result<()> {
    // Below a file there can be no directory, not even for root.
    let directory = format!("{}/counts", text());
    assert_fails(WORD_COUNT, &["--input", &text(), "--output", &directory], &[&directory])
}

#[test]
fn a_configuration_key_is_unknown() -> Result<()> {
    let arguments = ["--input", &text(), "-D", "paralelism.default=2"];
    assert_fails(WORD_COUNT, &arguments, &["paralelism.default", "did you mean 'parallelism.default'?"])
}

#[test]
fn the_configuration_file_is_missing() -> Result<()> {
    let arguments = ["--input", &text(), "--config", "/no/such/config.yaml"];
    assert_fails(WORD_COUNT, &arguments, &["/no/such/config.yaml"])
}

#[test]
fn parallelism_is_zero() -> Result<()> {
    assert_fails(WORD_COUNT, &["--input", &text(), "--parallelism", "0"], &["'0'", "parallelism.default"])
}

#[test]
fn parallelism_is_above_max_parallelism() -> Result<()> {
    let arguments = ["--input", &text(), "-p4", "-D", "pipeline.max-parallelism=2"];
    assert_fails(WORD_COUNT, &arguments, &["4", "max parallelism", "2"])
}

#[test]
fn a_text_is_not_utf8() -> Result<()> {
    let input = tempfile::tempdir()?;
    let file = input.path().join("latin1.txt");
    fs::write(&file, b"fine\nna\xefve\n")?;
    let file = file.display().to_string();
    assert_fails(WORD_COUNT, &["--input", &file], &[&format!("{file}:2, column 3"), "UTF-8"])
}

/// Writes a table whose third line is `row` and expects its failure.
#[track_caller]
fn assert_bad_row(row: &str, facts: &[&str]) -> Result<()> {
    let input = tempfile::tempdir()?;
    let file = input.path().join("flights.csv");
    let header = "carrier,dep_time,dep_delay,minute,time_hour";
    fs::write(&file, format!("{header}\nUA,517,2,15,2013-01-01T10:00:00Z\n{row}\n"))?;
    let file = file.display().to_string();
    let place = format!("{file}:3");
    assert_fails(FLIGHT_DELAYS, &["--input", &file], &[&[place.as_str()], facts].concat())
}

#[test]
fn a_number_of_a_table_is_none() -> Result<()> {
    assert_bad_row("UA,533,4,half,2013-01-01T10:00:00Z", &["'minute'", "half"])
}

#[test]
fn an_optional_number_of_a_table_is_none() -> Result<()> {
    assert_bad_row("UA,533,late,29,2013-01-01T10:00:00Z", &["'dep_delay'", "late"])
}

#[test]
fn a_time_of_a_table_is_none() -> Result<()> {
    assert_bad_row("UA,533,4,29,yesterday", &["yesterday", "not a time"])
}

#[test]
fn a_row_of_a_table_is_short() -> Result<()> {
    assert_bad_row("UA,533", &["2 fields where 5 were expected"])
}

#[test]
fn nobody_listens_at_the_port() -> Result<()> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
    let address = format!("127.0.0.1:{port}");
    assert_fails(SOCKET_WORD_COUNT, &["--port", &port], &[&address, "nc -lk"])
}

#[test]
fn an_option_is_unknown() -> Result<()> {
    let output = run(WORD_COUNT, [Path::new("--inptu"), &data("kjv.txt")])?;
    let told = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("'--inptu'") && told.contains("'--input'"), "{told}");
    Ok(())
}

#[test]
fn the_error_is_the_last_line_behind_the_logs() -> Result<()> {
    let output = support::command(WORD_COUNT).args(["--input", "/no/such/text.txt"]).output()?;
    let told = String::from_utf8(output.stderr)?;
    assert!(told.lines().last().is_some_and(|line| line.starts_with("error: ")), "{told}");
    assert_eq!(told.matches("/no/such/text.txt").count(), 1, "told once: {told}");
    Ok(())
}
