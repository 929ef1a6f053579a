//! Jobs that run as processes, with checkpoints and files as output.
#![allow(clippy::disallowed_methods, reason = "it waits for processes, in real time")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::data;

pub(crate) const WORD_COUNT: &str = env!("CARGO_BIN_EXE_word_count");
pub(crate) const FLIGHT_DELAYS: &str = env!("CARGO_BIN_EXE_flight_delays");

/// Names the state backend that jobs run on, with incremental checkpoints; without it they run on the default, with full ones.
const BACKEND_VARIABLE: &str = "FLOTT_TEST_STATE_BACKEND";

/// No job takes longer when nobody kills it.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A job, where it writes, and where its checkpoints are.
pub(crate) struct Job {
    program: &'static str,
    input: Vec<String>,
    directory: TempDir,
    parallelism: u64,
}

/// How a run of a job has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Finished,
    Killed,
}

impl Job {
    pub(crate) fn new(program: &'static str, parallelism: u64) -> Result<Self> {
        let input = match program {
            WORD_COUNT => vec!["--input".to_owned(), data("kjv.txt").display().to_string()],
            _ => vec!["--input".to_owned(), data("flights.csv.gz").display().to_string()],
        };
        Ok(Self { program, input, directory: TempDir::new()?, parallelism })
    }

    /// Lets the job read its text so many times, so that it runs long enough for what is to happen to it.
    pub(crate) fn repeat_text(mut self, times: usize) -> Result<Self> {
        let text = self.place("text");
        fs::write(&text, fs::read(data("kjv.txt"))?.repeat(times))?;
        self.input = vec!["--input".to_owned(), text.display().to_string()];
        Ok(self)
    }

    /// A place for whatever belongs to the job.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.place("output")
    }

    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.place("checkpoints")
    }

    /// The program and its arguments.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![self.program.to_owned()];
        arguments.extend(self.input.clone());
        arguments.extend(["--output".to_owned(), self.output().display().to_string()]);
        arguments.extend(["--parallelism".to_owned(), self.parallelism.to_string()]);
        arguments.extend(["--checkpoint-interval", "200", "--from-checkpoint", "latest"].map(str::to_owned));
        arguments.extend(["--checkpoint-dir".to_owned(), self.checkpoints().display().to_string()]);
        arguments.extend(["-D", "execution.checkpointing.num-retained=3"].map(str::to_owned));
        if let Ok(backend) = std::env::var(BACKEND_VARIABLE) {
            let local = format!("state.backend.rocksdb.localdir={}", self.place("local").display());
            arguments.extend([
                "-D".to_owned(),
                format!("state.backend.type={backend}"),
                "-D".to_owned(),
                local,
            ]);
            arguments.extend(["-D", "execution.checkpointing.incremental=true"].map(str::to_owned));
        }
        arguments
    }

    fn start(&self) -> Result<Child> {
        let arguments = self.arguments();
        let mut command = Command::new(&arguments[0]);
        Ok(command.args(&arguments[1..]).arg("--quiet").stderr(Stdio::piped()).spawn()?)
    }

    /// Runs the job, and kills its process after so many milliseconds if it still runs.
    pub(crate) fn run(&self, life_ms: Option<u64>) -> Result<End> {
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
    pub(crate) fn completed(&self) -> Result<Vec<PathBuf>> {
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

/// What is in a directory, if it is there.
pub(crate) fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
}

/// All lines that a reader of a directory sees, sorted: hidden files are none of his business.
pub(crate) fn lines(directory: &Path) -> Result<Vec<Vec<u8>>> {
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

/// What a job that nobody disturbs writes.
pub(crate) fn undisturbed(job: &Job) -> Result<Vec<Vec<u8>>> {
    ensure!(job.run(None)? == End::Finished, "nobody killed it");
    lines(&job.output())
}

/// Checks that a job that was disturbed has written the same.
pub(crate) fn ensure_same(found: &[Vec<u8>], expected: &[Vec<u8>]) -> Result<()> {
    ensure!(found.len() == expected.len(), "{} lines instead of {}", found.len(), expected.len());
    ensure!(found == expected, "the lines differ");
    Ok(())
}
