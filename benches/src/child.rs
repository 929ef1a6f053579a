//! What can only be measured on a process of its own: its start, and the memory of an idle job.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use flott::prelude::*;

use crate::Options;
use crate::measure::{monotonic_ns, status_bytes};

fn start(workload: &str) -> Result<(std::process::Child, u64)> {
    let program = std::env::current_exe()?;
    let started = monotonic_ns();
    let child = Command::new(program).arg(workload).stdout(Stdio::piped()).spawn()?;
    Ok((child, started))
}

fn first_line(child: &mut std::process::Child) -> Result<()> {
    let out = child.stdout.take().context("the child has no output")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line)?;
    Ok(())
}

/// From process start to the first record out of a keyed job, the median of the runs.
pub(crate) fn startup(options: &Options) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..options.runs.max(1) {
        let (mut child, started) = start("child_first_record")?;
        first_line(&mut child)?;
        times.push((monotonic_ns() - started) as f64 / 1e6);
        child.wait()?;
    }
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    if options.json {
        println!(r#"{{"workload":"startup","first_record_ms":{median:.3}}}"#);
    } else {
        println!("startup: first record out {median:.1} ms after the process was started");
    }
    Ok(())
}

/// Resident memory of a job that waits for records.
pub(crate) fn idle(options: &Options) -> Result<()> {
    let (mut child, _) = start("child_idle")?;
    first_line(&mut child)?;
    let bytes = status_bytes(&child.id().to_string(), "VmRSS");
    child.kill()?;
    child.wait()?;
    let bytes = bytes?;
    if options.json {
        println!(r#"{{"workload":"idle","rss_bytes":{bytes}}}"#);
    } else {
        println!("idle: {:.1} MiB of memory", bytes as f64 / 1_048_576.0);
    }
    Ok(())
}

/// In the child: prints the first record.
pub(crate) fn first_record() -> Result<()> {
    let env = StreamExecutionEnvironment::new();
    env.set_quiet(true);
    env.from_sequence(1, 1).key_by(|number| *number).reduce(|sum, number| sum + number).print();
    env.execute()?;
    Ok(())
}

/// In the child: runs a job that gets no records, and says after a second that it does.
pub(crate) fn idle_job() -> Result<()> {
    let env = StreamExecutionEnvironment::new();
    env.set_quiet(true);
    let source = GeneratorSource::new(u64::MAX, |index| index).with_rate(1e-9);
    env.from_source(source, WatermarkStrategy::for_monotonous_timestamps(), "generator")
        .key_by(|number| number % 10)
        .sum(|number| number)
        .discard();
    let handle = env.execute_async()?;
    let _ = handle.wait_for(Duration::from_secs(1));
    println!("running");
    handle.wait()?;
    Ok(())
}
