//! `flott`, the command line.
//!
//! * `snapshot` — what is in checkpoints and savepoints.

mod snapshot;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Works with flott's jobs from outside.
#[derive(Parser)]
#[command(name = "flott", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reads checkpoints and savepoints, without the job that wrote them
    #[command(subcommand, arg_required_else_help = true)]
    Snapshot(snapshot::Command),
}

fn main() -> ExitCode {
    let Command::Snapshot(command) = Arguments::parse().command;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match command.run(&mut out) {
        Ok(code) => code,
        // Whoever reads has had enough, such as `head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
