//! The program of the README.

use flott::prelude::*;

fn main() -> anyhow::Result<()> {
    let env = StreamExecutionEnvironment::new();

    // Sensor, degrees, second; not in order.
    let readings = [("roof", 21.5, 3), ("cellar", 12.0, 1), ("roof", 22.5, 2), ("roof", 25.0, 12)];
    let readings = readings.map(|(sensor, degrees, second)| (sensor.to_owned(), degrees, second));

    let event_time = WatermarkStrategy::for_bounded_out_of_orderness(Duration::from_secs(5))
        .with_timestamp_assigner(|(_, _, second): &(String, f64, i64), _| second * 1000);

    env.from_elements(readings)
        .assign_timestamps_and_watermarks(event_time)
        .key_by_ref(|(sensor, _, _)| sensor)
        .window(TumblingEventTimeWindows::of(Duration::from_secs(10)))
        .reduce(|warmest, reading| if reading.1 > warmest.1 { reading } else { warmest.clone() })
        .map(|(sensor, degrees, second)| format!("{sensor}: {degrees} °C at second {second}"))
        .print();

    env.execute()?;
    Ok(())
}
