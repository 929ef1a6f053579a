//! State that is forgotten: tells of each visitor who was not seen for a while, or never.
//!
//!     state_ttl --visitors 100 --ttl-ms 10000
//!     state_ttl --visitors 100 --ttl-ms 10
//!
//! Whether a visitor is known is a value per key with a time to live. Each visit prolongs it; nothing has to be cleared.

use std::process::ExitCode;

use clap::Parser;
use flott::function::KeyedFilterFunction;
use flott::prelude::*;

/// Prints visitors that are new or have been forgotten since
#[derive(Parser)]
struct Options {
    /// How many visitors there are; they come in turn
    #[arg(long, value_name = "N", default_value_t = 100)]
    visitors: u64,

    /// How often each of them comes
    #[arg(long, value_name = "N", default_value_t = 20)]
    visits: u64,

    /// Visits a second, of all together
    #[arg(long, value_name = "N", default_value_t = 1000.0)]
    rate: f64,

    /// For how many milliseconds a visitor is remembered
    #[arg(long, value_name = "MS", default_value_t = 5000)]
    ttl_ms: u64,

    #[command(flatten)]
    job: JobOptions,
}

/// Lets visitors pass that are not known.
#[derive(Clone)]
struct NotSeenFor {
    ttl: Duration,
    known: ValueState<()>,
}

impl KeyedFilterFunction<u64, u64> for NotSeenFor {
    fn open(&mut self, context: &mut OpenContext<'_, u64>) -> FnResult {
        let ttl = StateTtlConfig::new(self.ttl);
        self.known = context.value_state(ValueStateDescriptor::new("known").enable_time_to_live(ttl))?;
        Ok(())
    }

    fn filter(&mut self, _visitor: &u64, context: &mut KeyedStateContext<'_, '_, u64>) -> FnResult<bool> {
        let is_new = self.known.get(context)?.is_none();
        self.known.update(context, ())?;
        Ok(is_new)
    }
}

fn main() -> ExitCode {
    flott::exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> anyhow::Result<()> {
    let env = StreamExecutionEnvironment::from_options(&options.job)?;
    env.set_name("state ttl");

    let visitors = options.visitors;
    let visits = GeneratorSource::new(visitors * options.visits, move |index| index % visitors)
        .with_rate(options.rate);
    env.from_source(visits, WatermarkStrategy::no_watermarks(), "visits")
        .key_by(|visitor| *visitor)
        .filter_with(NotSeenFor { ttl: Duration::from_millis(options.ttl_ms), known: ValueState::default() })
        .name("not seen for a while")
        .uid("not seen for a while")
        .print();

    env.execute()?;
    Ok(())
}
