//! `interval_join` against a computation over the whole table that knows neither flott nor the example's code.

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use flott_examples::utc;
use support::{data, parts, succeed};

const HOUR_MS: i64 = 60 * 60 * 1000;

/// Destination, the flight that was cancelled and its departure, the one that left and its departure.
type Instead = (String, String, i64, String, i64);

/// Looks at the flights to each airport in the order of their departures.
fn instead_by_hand() -> Result<Vec<Instead>> {
    let mut table = csv::Reader::from_reader(GzDecoder::new(File::open(data("flights.csv.gz"))?));
    let header = table.headers()?.clone();
    let column =
        |name| header.iter().position(|field| field == name).with_context(|| format!("a column {name}"));
    let [hour, minute, left] = [column("time_hour")?, column("minute")?, column("dep_time")?];
    let [carrier, number, dest] = [column("carrier")?, column("flight")?, column("dest")?];
    let mut airports: BTreeMap<String, Vec<(i64, bool, String)>> = BTreeMap::new();
    for row in table.records() {
        let row = row?;
        let hour_ms = utc::parse(&row[hour]).context("an hour")?;
        let scheduled = hour_ms + row[minute].parse::<i64>()? * 60_000;
        let flight = format!("{}{}", &row[carrier], &row[number]);
        airports.entry(row[dest].to_owned()).or_default().push((scheduled, &row[left] != "NA", flight));
    }
    let mut pairs = Vec::new();
    for (dest, mut flights) in airports {
        flights.sort_unstable();
        for (at, _, cancelled) in flights.iter().filter(|(_, left, _)| !left) {
            let first = flights.partition_point(|(departure, _, _)| departure < at);
            let soon = flights[first..].iter().take_while(|(departure, _, _)| *departure <= at + HOUR_MS);
            for (departure, _, other) in soon.filter(|(_, left, _)| *left) {
                pairs.push((dest.clone(), cancelled.clone(), *at, other.clone(), *departure));
            }
        }
    }
    pairs.sort_unstable();
    Ok(pairs)
}

fn instead_by_flott(parallelism: &str) -> Result<Vec<Instead>> {
    let output = tempfile::tempdir()?;
    let table = data("flights.csv.gz");
    let arguments =
        [Path::new("--input"), &table, Path::new("--output"), output.path(), Path::new(parallelism)];
    let printed = succeed(env!("CARGO_BIN_EXE_interval_join"), arguments)?;
    ensure!(printed.is_empty(), "{printed}");
    let mut pairs = Vec::new();
    for (_, text) in parts(output.path())? {
        for row in csv::Reader::from_reader(text.as_bytes()).records() {
            let row = row?;
            let time = |field: &str| utc::parse(field).context("a time");
            let [dest, cancelled, instead] = [0, 1, 3].map(|column| row[column].to_owned());
            pairs.push((dest, cancelled, time(&row[2])?, instead, time(&row[4])?));
        }
    }
    pairs.sort_unstable();
    Ok(pairs)
}

#[test]
fn every_pair_of_one_subtask_is_as_computed_by_hand() -> Result<()> {
    let expected = instead_by_hand()?;
    assert!(expected.len() > 5_000, "{} pairs", expected.len());
    assert_eq!(instead_by_flott("--parallelism=1")?, expected);
    Ok(())
}

#[test]
fn every_pair_of_three_subtasks_is_as_computed_by_hand() -> Result<()> {
    assert_eq!(instead_by_flott("--parallelism=3")?, instead_by_hand()?);
    Ok(())
}
