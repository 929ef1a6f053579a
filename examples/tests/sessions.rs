//! `sessions` against a computation over the whole table that knows neither flott nor the example's code.

mod support;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use flott_examples::utc;
use support::{data, parts, succeed};

const SESSIONS: &str = env!("CARGO_BIN_EXE_sessions");
const GAP_MS: i64 = 10 * 60 * 60 * 1000;

/// Aircraft, first departure, last departure, legs, miles.
type Session = (String, i64, i64, u64, u64);

fn sessions_by_hand() -> Result<Vec<Session>> {
    let mut table = csv::Reader::from_reader(GzDecoder::new(File::open(data("flights.csv.gz"))?));
    let header = table.headers()?.clone();
    let column =
        |name| header.iter().position(|field| field == name).with_context(|| format!("a column {name}"));
    let [hour, minute, left] = [column("time_hour")?, column("minute")?, column("dep_time")?];
    let [aircraft, miles] = [column("tailnum")?, column("distance")?];
    let mut flights: BTreeMap<String, Vec<(i64, u64)>> = BTreeMap::new();
    for row in table.records() {
        let row = row?;
        if &row[left] == "NA" {
            continue;
        }
        let hour_ms = utc::parse(&row[hour]).context("an hour")?;
        let scheduled = hour_ms + row[minute].parse::<i64>()? * 60_000;
        flights.entry(row[aircraft].to_owned()).or_default().push((scheduled, row[miles].parse()?));
    }
    let mut sessions: Vec<Session> = Vec::new();
    for (aircraft, mut flights) in flights {
        flights.sort_unstable();
        for (scheduled, miles) in flights {
            match sessions.last_mut() {
                Some(last) if last.0 == aircraft && scheduled - last.2 <= GAP_MS => {
                    (last.2, last.3, last.4) = (scheduled, last.3 + 1, last.4 + miles);
                }
                _ => sessions.push((aircraft.clone(), scheduled, scheduled, 1, miles)),
            }
        }
    }
    Ok(sessions)
}

fn sessions_by_flott(parallelism: &str) -> Result<Vec<Session>> {
    let output = tempfile::tempdir()?;
    let table = data("flights.csv.gz");
    let arguments =
        [Path::new("--input"), &table, Path::new("--output"), output.path(), Path::new(parallelism)];
    let printed = succeed(SESSIONS, arguments)?;
    ensure!(printed.is_empty(), "{printed}");
    let mut sessions = Vec::new();
    for (_, text) in parts(output.path())? {
        for row in csv::Reader::from_reader(text.as_bytes()).records() {
            let row = row?;
            let time = |field: &str| utc::parse(field).context("a time");
            sessions.push((
                row[0].to_owned(),
                time(&row[1])?,
                time(&row[2])?,
                row[3].parse()?,
                row[4].parse()?,
            ));
        }
    }
    sessions.sort_unstable();
    Ok(sessions)
}

#[test]
fn every_session_of_one_subtask_is_as_computed_by_hand() -> Result<()> {
    let expected = sessions_by_hand()?;
    assert!(expected.len() > 50_000, "{} sessions", expected.len());
    assert_eq!(sessions_by_flott("--parallelism=1")?, expected);
    Ok(())
}

#[test]
fn every_session_of_three_subtasks_is_as_computed_by_hand() -> Result<()> {
    assert_eq!(sessions_by_flott("--parallelism=3")?, sessions_by_hand()?);
    Ok(())
}
