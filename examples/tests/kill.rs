//! Jobs whose process is killed at random moments, again and again, and resumed from their latest checkpoint: what they
//! have committed in the end is what a job that nobody disturbs writes.
//!
//! `FLOTT_KILLS` says how often each job is killed at least (default 50).

#![allow(clippy::disallowed_methods, reason = "it waits for processes, in real time")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use support::data;
use tempfile::TempDir;

const WORD_COUNT: &str = env!("CARGO_BIN_EXE_word_count");
const FLIGHT_DELAYS: &str = env!("CARGO_BIN_EXE_flight_delays");

/// A job that is killed lives no longer than this.
const LONGEST_LIFE_MS: u64 = 900;

/// No job takes longer when nobody kills it.
const LIMIT: Duration = Duration::from_secs(120);

/// A job, where it writes, and where its checkpoints are.
struct Job {
    program: &'static str,
    input: Vec<String>,
    directory: TempDir,
    parallelism: u64,
}

/// How a run of a job has ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Finished,
    Killed,
}

impl Job {
    fn new(program: &'static str, parallelism: u64) -> Result<Self> {
        let input = match program {
            WORD_COUNT => vec!["--input".to_owned(), data("kjv.txt").display().to_string()],
            _ => vec!["--input".to_owned(), data("flights.csv.gz").display().to_string()],
        };
        Ok(Self { program, input, directory: TempDir::new()?, parallelism })
    }

    fn output(&self) -> PathBuf {
        self.directory.path().join("output")
    }

    fn checkpoints(&self) -> PathBuf {
        self.directory.path().join("checkpoints")
    }

    fn start(&self) -> Result<Child> {
        let child = Command::new(self.program)
            .args(&self.input)
            .arg("--output")
            .arg(self.output())
            .args(["--quiet", "--parallelism", &self.parallelism.to_string()])
            .args(["--checkpoint-interval", "200", "--checkpoint-dir"])
            .arg(self.checkpoints())
            .args(["--from-checkpoint", "latest", "-D", "execution.checkpointing.num-retained=3"])
            .stderr(Stdio::piped())
            .spawn()?;
        Ok(child)
    }

    /// Runs the job, and kills its process after so many milliseconds if it still runs.
    fn run(&self, life_ms: Option<u64>) -> Result<End> {
        let mut child = self.start()?;
        let (started, life) = (Instant::now(), life_ms.map_or(LIMIT, Duration::from_millis));
        loop {
            if let Some(status) = child.try_wait()? {
                let output = child.wait_with_output()?;
                ensure!(status.success(), "{status}: {}", String::from_utf8_lossy(&output.stderr));
                return Ok(End::Finished);
            }
            if started.elapsed() >= life {
                ensure!(life_ms.is_some(), "the job hangs");
                child.kill()?;
                child.wait()?;
                // A job that was killed on its last way has nothing left to resume from, and nothing to do.
                return Ok(if self.has_finished()? { End::Finished } else { End::Killed });
            }
            sleep(Duration::from_millis(2));
        }
    }

    /// Whether all output is committed: a job that has finished deletes its checkpoints behind its last commit.
    fn has_finished(&self) -> Result<bool> {
        Ok(self.output().exists() && !lines(&self.output())?.is_empty() && self.completed()?.is_empty())
    }

    /// The directories of completed checkpoints, the newest last.
    fn completed(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for job in entries(&self.checkpoints())? {
            for checkpoint in entries(&job)? {
                let name = checkpoint.file_name().context("a name")?.to_string_lossy().into_owned();
                if let Some(id) = name.strip_prefix("chk-").and_then(|id| id.parse::<u64>().ok())
                    && checkpoint.join("_metadata").exists()
                {
                    found.push((id, checkpoint));
                }
            }
        }
        found.sort();
        Ok(found.into_iter().map(|(_, checkpoint)| checkpoint).collect())
    }
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
}

/// All lines that a reader of a directory sees, sorted: hidden files are none of his business.
fn lines(directory: &Path) -> Result<Vec<Vec<u8>>> {
    let mut lines = Vec::new();
    for file in entries(directory)? {
        let name = file.file_name().context("a name")?.to_string_lossy().into_owned();
        if !name.starts_with('.') {
            ensure!(name.starts_with("part-"), "{name} is not a finished part");
            let text = fs::read(&file)?;
            // Each part of a table has a header.
            let headers = usize::from(name.ends_with(".csv"));
            lines.extend(text.split_inclusive(|byte| *byte == b'\n').skip(headers).map(<[u8]>::to_vec));
        }
    }
    lines.sort_unstable();
    Ok(lines)
}

/// Random numbers that a test can repeat.
struct Random(u64);

impl Random {
    fn new(test: &str) -> Self {
        let seed = std::env::var("FLOTT_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
        eprintln!("{test}: FLOTT_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn kills() -> u64 {
    std::env::var("FLOTT_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(50)
}

/// What a job that nobody disturbs writes.
fn undisturbed(program: &'static str) -> Result<Vec<Vec<u8>>> {
    let job = Job::new(program, 2)?;
    ensure!(job.run(None)? == End::Finished, "nobody killed it");
    lines(&job.output())
}

/// Kills jobs until there were enough kills; `meanwhile` may do something to what a killed job has left.
fn torment(
    program: &'static str,
    kills: u64,
    mut meanwhile: impl FnMut(&Job, &mut Random) -> Result<()>,
) -> Result<()> {
    let expected = undisturbed(program)?;
    let mut random = Random::new(program);
    let mut killed = 0;
    while killed < kills {
        let job = Job::new(program, 1 + random.below(3))?;
        while job.run(Some(random.below(LONGEST_LIFE_MS)))? == End::Killed {
            killed += 1;
            meanwhile(&job, &mut random)?;
        }
        let found = lines(&job.output())?;
        ensure!(found.len() == expected.len(), "{} lines instead of {}", found.len(), expected.len());
        ensure!(found == expected, "the lines differ");
    }
    Ok(())
}

#[test]
fn a_word_count_that_is_killed_again_and_again_counts_every_word_once() -> Result<()> {
    torment(WORD_COUNT, kills(), |_, _| Ok(()))
}

#[test]
fn flight_delays_that_are_killed_again_and_again_lose_and_double_no_flight() -> Result<()> {
    torment(FLIGHT_DELAYS, kills(), |_, _| Ok(()))
}

#[test]
fn a_job_whose_newest_checkpoint_is_damaged_goes_on_from_the_one_before() -> Result<()> {
    torment(WORD_COUNT, kills() / 3, |job, random| {
        let completed = job.completed()?;
        // The only one can't be replaced: the job would refuse to begin anew.
        if let [_, .., newest] = &completed[..] {
            let files = entries(newest)?;
            let file = &files[random.below(files.len() as u64) as usize];
            let mut bytes = fs::read(file)?;
            let at = random.below(bytes.len().max(1) as u64) as usize;
            match random.below(2) {
                0 => bytes.truncate(at),
                _ => bytes[at] ^= 1 << random.below(8),
            }
            fs::write(file, bytes)?;
        }
        Ok(())
    })
}
