//! Counts the words that somebody types.
//!
//!     nc -lk 9999                              in one terminal; type here
//!     socket_word_count --port 9999            in another
//!
//! The count of a word appears as soon as its line has been sent.

use std::process::ExitCode;

use clap::Parser;
use flott::prelude::*;
use flott_connectors::socket::SocketSource;

/// Counts the words of the lines that a TCP server sends; start `nc -lk PORT` first
#[derive(Parser)]
struct Options {
    /// Host of the server
    #[arg(long, default_value = "127.0.0.1")]
    host: String,

    /// Port of the server
    #[arg(long)]
    port: u16,

    #[command(flatten)]
    job: JobOptions,
}

fn main() -> ExitCode {
    flott::exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> anyhow::Result<()> {
    let env = StreamExecutionEnvironment::from_options(&options.job)?;
    env.set_name("socket word count");

    let lines = SocketSource::new(&options.host, options.port);
    env.from_source(lines, WatermarkStrategy::no_watermarks(), "socket")
        .flat_map(|line: String, out: &mut Collector<'_, (String, u64)>| {
            line.split_ascii_whitespace().for_each(|word| out.collect((word.to_owned(), 1)));
        })
        .name("words")
        .key_by_ref(|(word, _)| word)
        .sum(|(_, count)| count)
        .name("counts")
        .uid("counts")
        .map(|(word, count)| format!("{word}: {count}"))
        .print();

    env.execute()?;
    Ok(())
}
