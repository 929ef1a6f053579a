//! A day's work of an aircraft: its departures from New York, as sessions that end when it has not left for ten hours.
//!
//!     sessions --input data/flights.csv.gz
//!     sessions --input data/flights.csv.gz --output /tmp/sessions
//!
//! The event time of a flight is its scheduled departure. Flights that were cancelled count for nothing.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use flott::prelude::*;
use flott_connectors::file::{CsvOptions, FileSource};
use flott_connectors::sink::{CsvEncoder, FileSink};
use flott_examples::flights::{OUT_OF_ORDERNESS, utc_hour};
use flott_examples::utc;
use serde::{Deserialize, Serialize};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The sessions of each aircraft, from a table of flights
#[derive(Parser)]
struct Options {
    /// Table of flights in CSV, plain or gzip: a file, a directory or a pattern
    #[arg(long, value_name = "FILE|DIR")]
    input: PathBuf,

    /// Directory to write CSV files into; without it the rows are printed
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// Hours without a departure that end a session
    #[arg(long, value_name = "HOURS", default_value_t = 10)]
    gap: u32,

    #[command(flatten)]
    job: JobOptions,
}

/// A row of the table. Columns that the job does not use are not read.
#[derive(Clone, Serialize, Deserialize)]
struct Flight {
    /// Registration of the aircraft; none for some flights that were cancelled.
    tailnum: Option<String>,
    /// None if the flight was cancelled.
    dep_time: Option<i32>,
    /// Minute of the scheduled departure.
    minute: u8,
    /// Hour of the scheduled departure, in milliseconds since the epoch.
    #[serde(deserialize_with = "utc_hour")]
    time_hour: Timestamp,
    /// Miles.
    distance: u32,
}

/// A row of the result.
#[derive(Clone, Serialize, Deserialize)]
struct Session {
    aircraft: String,
    first_departure: String,
    last_departure: String,
    legs: u64,
    miles: u64,
}

/// Counts legs and adds up miles.
#[derive(Clone)]
struct Flown;

impl AggregateFunction<Flight> for Flown {
    type Accumulator = (u64, u64);
    type Output = (u64, u64);

    fn create_accumulator(&self) -> (u64, u64) {
        (0, 0)
    }

    fn add(&self, flight: Flight, (legs, miles): &mut (u64, u64)) {
        *legs += 1;
        *miles += u64::from(flight.distance);
    }

    fn get_result(&self, flown: &(u64, u64)) -> (u64, u64) {
        *flown
    }

    /// A flight between two sessions makes them one.
    fn merge(&self, (legs, miles): &mut (u64, u64), other: (u64, u64)) {
        *legs += other.0;
        *miles += other.1;
    }
}

fn main() -> ExitCode {
    flott::exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> anyhow::Result<()> {
    let env = StreamExecutionEnvironment::from_options(&options.job)?;
    env.set_name("sessions");

    let flights = FileSource::csv::<Flight>(&options.input, CsvOptions::new().null("NA"));
    let scheduled = WatermarkStrategy::for_bounded_out_of_orderness(OUT_OF_ORDERNESS)
        .with_timestamp_assigner(|flight: &Flight, _| flight.time_hour + i64::from(flight.minute) * 60_000);
    let gap = HOUR * options.gap;

    let sessions = env
        .from_source(flights, scheduled, "flights")
        .filter(|flight| flight.dep_time.is_some())
        .key_by(|flight| flight.tailnum.clone().unwrap_or_default())
        .window(EventTimeSessionWindows::with_gap(gap))
        .aggregate_with(Flown, move |aircraft, session, (legs, miles), out| {
            // A session ends one gap after its last record.
            let last_departure = session.end - gap.as_millis() as i64;
            out.collect(Session {
                aircraft: aircraft.clone(),
                first_departure: utc::format(session.start),
                last_departure: utc::format(last_departure),
                legs,
                miles,
            });
        })
        .name("sessions")
        .uid("sessions");

    match &options.output {
        Some(directory) => sessions.sink_to(FileSink::new(directory, CsvEncoder::new())),
        None => sessions.map(describe).print(),
    };

    env.execute()?;
    Ok(())
}

fn describe(session: Session) -> String {
    let Session { aircraft, first_departure, last_departure, legs, miles } = session;
    let departures = if legs == 1 { "departure" } else { "departures" };
    format!("{aircraft}: {legs} {departures} from {first_departure} to {last_departure}, {miles} miles")
}
