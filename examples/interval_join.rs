//! What the passengers of a cancelled flight could have taken instead: the flights to the same airport within the hours
//! after it, as an interval join of cancelled flights with those that left.
//!
//!     interval_join --input data/flights.csv.gz
//!     interval_join --input data/flights.csv.gz --output /tmp/instead --hours 2

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use flott::prelude::*;
use flott_connectors::file::{CsvOptions, FileSource};
use flott_connectors::sink::{CsvEncoder, FileSink};
use flott_examples::flights::{OUT_OF_ORDERNESS, utc_hour};
use flott_examples::utc;
use serde::{Deserialize, Serialize};

/// Flights that left for the same airport soon after one that was cancelled
#[derive(Parser)]
struct Options {
    /// Table of flights in CSV, plain or gzip: a file, a directory or a pattern
    #[arg(long, value_name = "FILE|DIR")]
    input: PathBuf,

    /// Directory to write CSV files into; without it the rows are printed
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    /// How many hours later the other flight may leave
    #[arg(long, value_name = "HOURS", default_value_t = 1)]
    hours: u32,

    #[command(flatten)]
    job: JobOptions,
}

/// A row of the table. Columns that the job does not use are not read.
#[derive(Clone, Serialize, Deserialize)]
struct Flight {
    carrier: String,
    flight: u32,
    dest: String,
    /// None if the flight was cancelled.
    dep_time: Option<i32>,
    /// Minute of the scheduled departure.
    minute: u8,
    /// Hour of the scheduled departure, in milliseconds since the epoch.
    #[serde(deserialize_with = "utc_hour")]
    time_hour: Timestamp,
}

impl Flight {
    fn scheduled_ms(&self) -> Timestamp {
        self.time_hour + i64::from(self.minute) * 60_000
    }
}

/// A row of the result.
#[derive(Clone, Serialize, Deserialize)]
struct Instead {
    destination: String,
    cancelled: String,
    cancelled_departure: String,
    instead: String,
    departure: String,
}

fn main() -> ExitCode {
    flott::exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> anyhow::Result<()> {
    let env = StreamExecutionEnvironment::from_options(&options.job)?;
    env.set_name("interval join");

    let flights = FileSource::csv::<Flight>(&options.input, CsvOptions::new().null("NA"));
    let scheduled = WatermarkStrategy::for_bounded_out_of_orderness(OUT_OF_ORDERNESS)
        .with_timestamp_assigner(|flight: &Flight, _| flight.scheduled_ms());
    let flights = env.from_source(flights, scheduled, "flights");

    let cancelled = flights.filter(|flight| flight.dep_time.is_none()).name("cancelled");
    let left = flights.filter(|flight| flight.dep_time.is_some()).name("left");
    let instead = cancelled
        .key_by_ref(|flight| &flight.dest)
        .interval_join(&left.key_by_ref(|flight| &flight.dest))
        .between(0, i64::from(options.hours) * 60 * 60 * 1000)
        .process(|cancelled: &Flight, left: &Flight, out: &mut Collector<'_, Instead>| {
            out.collect(Instead {
                destination: cancelled.dest.clone(),
                cancelled: format!("{}{}", cancelled.carrier, cancelled.flight),
                cancelled_departure: utc::format(cancelled.scheduled_ms()),
                instead: format!("{}{}", left.carrier, left.flight),
                departure: utc::format(left.scheduled_ms()),
            });
        })
        .name("instead")
        .uid("instead");

    match &options.output {
        Some(directory) => instead.sink_to(FileSink::new(directory, CsvEncoder::new())),
        None => instead.map(describe).print(),
    };

    env.execute()?;
    Ok(())
}

fn describe(row: Instead) -> String {
    let Instead { destination, cancelled, cancelled_departure, instead, departure } = row;
    format!(
        "{destination}: {cancelled} at {cancelled_departure} was cancelled, {instead} left at {departure}"
    )
}
