//! `flight_delays` against a computation over the whole table that knows neither flott nor the example's code.

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use support::{data, parts, succeed};

const FLIGHT_DELAYS: &str = env!("CARGO_BIN_EXE_flight_delays");

/// What is said about the flights of an airline in an hour.
#[derive(Debug, PartialEq)]
struct Summary {
    flights: u64,
    mean_delay: Option<f64>,
    max_delay: Option<i64>,
    cancelled: f64,
}

/// By hour, as it stands in the table, and airline.
type Summaries = BTreeMap<(String, String), Summary>;

/// Collects the flights of each hour in lists, which are then looked at.
fn summarized_by_hand() -> Result<Summaries> {
    let mut table = csv::Reader::from_reader(GzDecoder::new(File::open(data("flights.csv.gz"))?));
    let header = table.headers()?.clone();
    let column =
        |name| header.iter().position(|field| field == name).with_context(|| format!("a column {name}"));
    let [hour, carrier] = [column("time_hour")?, column("carrier")?];
    let [left, delay] = [column("dep_time")?, column("dep_delay")?];
    let mut hours: BTreeMap<(String, String), Vec<(String, String)>> = BTreeMap::new();
    for row in table.records() {
        let row = row?;
        let flights = hours.entry((row[hour].to_owned(), row[carrier].to_owned())).or_default();
        flights.push((row[left].to_owned(), row[delay].to_owned()));
    }
    Ok(hours.into_iter().map(|(hour, flights)| (hour, summarize(&flights))).collect())
}

fn summarize(flights: &[(String, String)]) -> Summary {
    let delays: Vec<i64> = flights.iter().filter_map(|(_, delay)| delay.parse().ok()).collect();
    let mean = delays.iter().sum::<i64>() as f64 / delays.len() as f64;
    let cancelled = flights.iter().filter(|(left, _)| left == "NA").count();
    Summary {
        flights: flights.len() as u64,
        mean_delay: Some(mean).filter(|mean| !mean.is_nan()),
        max_delay: delays.iter().max().copied(),
        cancelled: cancelled as f64 / flights.len() as f64,
    }
}

fn summarized_by_flott(parallelism: &str) -> Result<Summaries> {
    let output = tempfile::tempdir()?;
    let table = data("flights.csv.gz");
    let arguments =
        [Path::new("--input"), &table, Path::new("--output"), output.path(), Path::new(parallelism)];
    succeed(FLIGHT_DELAYS, arguments)?;

    let mut summaries = Summaries::new();
    for (name, text) in parts(output.path())? {
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(
            rows.headers()?,
            vec!["hour", "carrier", "flights", "mean_delay", "max_delay", "cancelled"]
        );
        for row in rows.deserialize() {
            let (hour, carrier, flights, mean_delay, max_delay, cancelled): (String, String, _, _, _, _) =
                row?;
            let summary = Summary { flights, mean_delay, max_delay, cancelled };
            let twice = summaries.insert((hour, carrier), summary);
            ensure!(twice.is_none(), "a window has two rows, the second in {name}: {twice:?}");
        }
    }
    Ok(summaries)
}

#[test]
fn every_window_of_one_subtask_is_as_computed_by_hand() -> Result<()> {
    let (computed, expected) = (summarized_by_flott("-p1")?, summarized_by_hand()?);
    assert_eq!(computed.len(), 60_142);
    assert!(computed == expected, "the windows differ");
    Ok(())
}

#[test]
fn every_window_of_three_subtasks_is_as_computed_by_hand() -> Result<()> {
    assert!(summarized_by_flott("-p3")? == summarized_by_hand()?, "the windows differ");
    Ok(())
}

#[test]
fn windows_are_printed_without_an_output_directory() -> Result<()> {
    let input = tempfile::tempdir()?;
    let table = input.path().join("flights.csv");
    std::fs::write(
        &table,
        "carrier,dep_time,dep_delay,minute,time_hour\n\
         UA,517,2,15,2013-01-01T10:00:00Z\n\
         UA,NA,NA,30,2013-01-01T10:00:00Z\n\
         AA,NA,NA,0,2013-01-01T09:00:00Z\n",
    )?;

    let printed = succeed(FLIGHT_DELAYS, [Path::new("-p1"), Path::new("--input"), &table])?;

    let mut lines: Vec<_> = printed.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "2013-01-01T09:00:00Z AA: 1 flights, 100 % cancelled",
            "2013-01-01T10:00:00Z UA: 2 flights, 50 % cancelled, departure delay 2.0 min on average, 2 at most",
        ]
    );
    Ok(())
}
