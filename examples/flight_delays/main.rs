//! Departure delays from the New York airports in 2013: for each airline and each hour of scheduled departures the
//! number of flights, the mean and the greatest delay, and the share of flights that were cancelled.
//!
//!     flight_delays --input data/flights.csv.gz
//!     flight_delays --input data/flights.csv.gz --output /tmp/delays
//!
//! The event time of a flight is its scheduled departure.

mod delays;
mod flight;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use flott::prelude::*;
use flott_connectors::file::{CsvOptions, FileSource};
use flott_connectors::sink::{CsvEncoder, FileSink};
use flott_examples::flights::OUT_OF_ORDERNESS;

use delays::{CarrierHour, DelayStatistics};
use flight::Flight;

// Airline codes are made in one task and freed in another: at parallelism 2 this saves a sixth of the CPU time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Hourly departure delays of each airline, from a table of flights
#[derive(Parser)]
struct Options {
    /// Table of flights in CSV, plain or gzip: a file, a directory or a pattern
    #[arg(long, value_name = "FILE|DIR")]
    input: PathBuf,

    /// Directory to write CSV files into; without it the rows are printed
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,

    #[command(flatten)]
    job: JobOptions,
}

fn main() -> ExitCode {
    flott::exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> anyhow::Result<()> {
    let env = StreamExecutionEnvironment::from_options(&options.job)?;
    env.set_name("flight delays");

    let flights = FileSource::csv::<Flight>(&options.input, CsvOptions::new().null("NA"));
    let scheduled = WatermarkStrategy::for_bounded_out_of_orderness(OUT_OF_ORDERNESS)
        .with_timestamp_assigner(|flight: &Flight, _| flight.scheduled_ms());

    let hours = env
        .from_source(flights, scheduled, "flights")
        .key_by_ref(|flight| &flight.carrier)
        .window(TumblingEventTimeWindows::of(HOUR))
        .aggregate_with(DelayStatistics, |carrier, hour, delays, out| {
            out.collect(CarrierHour::new(carrier, hour.start, &delays));
        })
        .name("hourly delays")
        .uid("hourly delays");

    match &options.output {
        Some(directory) => hours.sink_to(FileSink::new(directory, CsvEncoder::new())),
        None => hours.print(),
    };

    let result = env.execute()?;
    anyhow::ensure!(
        result.late_records_dropped() == 0,
        "{} flights came too late for their window: they are more than {} days out of order",
        result.late_records_dropped(),
        OUT_OF_ORDERNESS.as_secs() / (24 * 60 * 60),
    );
    Ok(())
}
