//! What is said about the flights of an airline in an hour.

use std::fmt;

use flott::prelude::*;
use flott_examples::utc;
use serde::{Deserialize, Serialize};

use super::flight::Flight;

/// Adds up flights, so that a window holds a few numbers and no flights.
#[derive(Clone)]
pub(crate) struct DelayStatistics;

/// The numbers.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Delays {
    flights: u64,
    cancelled: u64,
    delayed: u64,
    sum: i64,
    max: Option<i32>,
}

impl AggregateFunction<Flight> for DelayStatistics {
    type Accumulator = Delays;
    type Output = Delays;

    fn create_accumulator(&self) -> Delays {
        Delays::default()
    }

    fn add(&self, flight: Flight, delays: &mut Delays) {
        delays.flights += 1;
        delays.cancelled += u64::from(flight.dep_time.is_none());
        if let Some(delay) = flight.dep_delay {
            delays.delayed += 1;
            delays.sum += i64::from(delay);
            delays.max = delays.max.max(Some(delay));
        }
    }

    fn get_result(&self, delays: &Delays) -> Delays {
        delays.clone()
    }

    fn merge(&self, delays: &mut Delays, other: Delays) {
        delays.flights += other.flights;
        delays.cancelled += other.cancelled;
        delays.delayed += other.delayed;
        delays.sum += other.sum;
        delays.max = delays.max.max(other.max);
    }
}

/// A row of the result.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CarrierHour {
    hour: String,
    carrier: String,
    flights: u64,
    /// Minutes; none if all flights were cancelled.
    mean_delay: Option<f64>,
    /// Minutes; none if all flights were cancelled.
    max_delay: Option<i32>,
    /// From 0 to 1.
    cancelled: f64,
}

impl CarrierHour {
    pub(crate) fn new(carrier: &str, hour_ms: Timestamp, delays: &Delays) -> Self {
        Self {
            hour: utc::format(hour_ms),
            carrier: carrier.to_owned(),
            flights: delays.flights,
            mean_delay: (delays.delayed > 0).then(|| delays.sum as f64 / delays.delayed as f64),
            max_delay: delays.max,
            cancelled: delays.cancelled as f64 / delays.flights as f64,
        }
    }
}

impl fmt::Display for CarrierHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hour, carrier, flights, cancelled, .. } = self;
        write!(f, "{hour} {carrier}: {flights} flights, {:.0} % cancelled", cancelled * 100.0)?;
        if let (Some(mean), Some(max)) = (self.mean_delay, self.max_delay) {
            write!(f, ", departure delay {mean:.1} min on average, {max} at most")?;
        }
        Ok(())
    }
}
