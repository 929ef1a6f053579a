//! Jobs whose checkpoint storage is full, can't be written to, or is damaged: they say so in one line, go on, and write in the end what a
//! job writes that has no such trouble.

#![allow(clippy::disallowed_methods, reason = "it waits for processes, in real time")]

mod support;

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use support::job::{End, FLIGHT_DELAYS, Job, LIMIT, WORD_COUNT, ensure_same, entries, lines, undisturbed};

/// Mounts a small file system for the checkpoints in a namespace of its own, makes trouble, and starts the job. The trouble ends when
/// a file appears. Nothing of it is left when the job has ended, the process that makes it included.
const FULL: &str = r#"mkdir -p "$1"; mount -t tmpfs -o size=64m tmpfs "$1" || exit 99
head -c 65m /dev/zero > "$1/ballast" 2>/dev/null
(until [ -e "$2" ]; do kill -0 $$ 2>/dev/null || exit; sleep 0.05; done; rm "$1/ballast") &
shift 2; exec "$@""#;
const READ_ONLY: &str = r#"mkdir -p "$1"; mount -t tmpfs -o size=64m tmpfs "$1" || exit 99
mount -o remount,ro "$1"
(until [ -e "$2" ]; do kill -0 $$ 2>/dev/null || exit; sleep 0.05; done; mount -o remount,rw "$1") &
shift 2; exec "$@""#;
/// Needs no mount: where the directory is to be, there is a file.
const A_FILE: &str = r#"mkdir -p "$1"; chk=$1; go=$2; shift 2
(until [ -n "$(ls "$chk")" ]; do kill -0 $$ 2>/dev/null || exit; sleep 0.02; done
 job=$(ls "$chk"); mv "$chk/$job" "$chk.away"; : > "$chk/$job"
 until [ -e "$go" ]; do kill -0 $$ 2>/dev/null || exit; sleep 0.05; done; rm "$chk/$job"; mv "$chk.away" "$chk/$job") &
exec "$@""#;

/// Whether the machine lets us mount in a namespace of our own.
fn can_mount() -> bool {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
    command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a job with trouble, waits until it has complained like this, lets it go on, and checks what it has written in the end.
fn trouble(job: impl Fn() -> Result<Job>, script: &str, complaint: &str, tolerable: u32) -> Result<()> {
    let mounts = script.contains("mount");
    if mounts && !can_mount() {
        eprintln!("NOT TESTED: this machine lets nobody mount in a namespace, so no disk is full here");
        return Ok(());
    }
    let expected = undisturbed(&job()?)?;
    let job = job()?;
    let (end_of_trouble, log) = (job.place("end-of-trouble"), job.place("log"));
    let mut command = Command::new(if mounts { "unshare" } else { "sh" });
    if mounts {
        command.args(["--map-root-user", "--mount", "sh"]);
    }
    command.args(["-c", script, "sh"]).arg(job.checkpoints()).arg(&end_of_trouble).args(job.arguments());
    command.args(["-D", &format!("execution.checkpointing.tolerable-failed-checkpoints={tolerable}")]);
    command.args(["-D", "restart-strategy.type=fixed-delay"]);
    command.args(["-D", "restart-strategy.fixed-delay.delay=200ms"]);
    command.args(["-D", "restart-strategy.fixed-delay.attempts=1000"]);
    let mut running = Running(command.stderr(File::create(&log)?).spawn()?);
    let line = wait_for(&mut running, &log, complaint)?;
    ensure!(line.contains(&job.checkpoints().display().to_string()), "it does not say where: {line}");
    sleep(Duration::from_millis(500));
    ensure!(running.0.try_wait()?.is_none(), "it has not gone on: {}", fs::read_to_string(&log)?);
    let restarts = fs::read_to_string(&log)?.matches("the job failed and starts again").count();
    ensure!((restarts > 0) == (tolerable == 0), "{restarts} restarts with {tolerable} tolerable failures");
    File::create(&end_of_trouble)?;
    let started = Instant::now();
    let status = loop {
        match running.0.try_wait()? {
            Some(status) => break status,
            None if started.elapsed() > LIMIT => bail!("it hangs: {}", fs::read_to_string(&log)?),
            None => sleep(Duration::from_millis(20)),
        }
    };
    ensure!(status.success(), "{status}: {}", fs::read_to_string(&log)?);
    ensure_same(&lines(&job.output())?, &expected)
}

/// A job that is not done before something happens to it.
fn long_word_count() -> Result<Job> {
    Job::new(WORD_COUNT, 2)?.repeat_text(10)
}

/// The first line of the log that has this in it.
fn wait_for(running: &mut Running, log: &Path, wanted: &str) -> Result<String> {
    let started = Instant::now();
    loop {
        let text = fs::read_to_string(log)?;
        if let Some(line) = text.lines().find(|line| line.contains(wanted)) {
            return Ok(line.to_owned());
        }
        let has_ended = running.0.try_wait()?.is_some();
        ensure!(!has_ended && started.elapsed() < LIMIT, "it says nothing of '{wanted}': {text}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_tolerant_job_goes_on_while_the_disk_is_full_and_commits_when_there_is_room() -> Result<()> {
    trouble(|| Job::new(FLIGHT_DELAYS, 2), FULL, "No space left on device", 1_000_000)
}

#[test]
fn a_job_that_tolerates_nothing_starts_again_until_there_is_room_on_the_disk() -> Result<()> {
    trouble(|| Job::new(WORD_COUNT, 2), FULL, "No space left on device", 0)
}

#[test]
fn a_tolerant_job_goes_on_while_the_directory_is_read_only() -> Result<()> {
    trouble(|| Job::new(WORD_COUNT, 2), READ_ONLY, "Read-only file system", 1_000_000)
}

#[test]
fn a_job_that_tolerates_nothing_starts_again_until_the_directory_can_be_written() -> Result<()> {
    trouble(|| Job::new(FLIGHT_DELAYS, 2), READ_ONLY, "Read-only file system", 0)
}

#[test]
fn a_tolerant_job_goes_on_while_a_file_is_in_the_place_of_the_directory() -> Result<()> {
    trouble(long_word_count, A_FILE, "Not a directory", 1_000_000)
}

#[test]
fn a_job_that_ends_in_trouble_leaves_no_process_behind() -> Result<()> {
    let directory = tempfile::TempDir::new()?;
    let [checkpoints, never] = ["checkpoints", "never"].map(|name| directory.path().join(name));
    fs::create_dir_all(checkpoints.join("job"))?;
    let mut command = Command::new("sh");
    command.args(["-c", A_FILE, "sh"]).arg(&checkpoints).arg(never).args(["sleep", "100"]);
    let mut running = Running(command.stdout(Stdio::piped()).spawn()?);
    let started = Instant::now();
    while !checkpoints.join("job").is_file() {
        ensure!(started.elapsed() < LIMIT, "it makes no trouble");
        sleep(Duration::from_millis(20));
    }
    let mut output = running.0.stdout.take().context("its output")?;
    drop(running);
    // The pipe has its end when the last process has gone that could write to it.
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(output.read_to_end(&mut Vec::new())));
    receiver.recv_timeout(LIMIT).context("a process is left")??;
    Ok(())
}

fn flip(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in entries(from)? {
        let copied = to.join(entry.file_name().context("a name")?);
        if entry.is_dir() { copy(&entry, &copied)? } else { fs::copy(&entry, &copied).map(drop)? }
    }
    Ok(())
}

fn put_back(job: &Job) -> Result<()> {
    for (name, place) in [("kept-output", job.output()), ("kept-checkpoints", job.checkpoints())] {
        fs::remove_dir_all(&place)?;
        copy(&job.place(name), &place)?;
    }
    Ok(())
}

/// A job that was killed when it had at least two checkpoints, and a copy of all that it has left.
fn killed(long: impl Fn() -> Result<Job>) -> Result<Job> {
    for life_ms in (500..5_000).step_by(100) {
        let job = long()?;
        if job.run(Some(life_ms))? == End::Killed && job.completed()?.len() >= 2 {
            copy(&job.output(), &job.place("kept-output"))?;
            copy(&job.checkpoints(), &job.place("kept-checkpoints"))?;
            return Ok(job);
        }
    }
    bail!("it never had two checkpoints when it was killed")
}

#[test]
fn whichever_file_of_the_newest_checkpoint_is_damaged_the_one_before_is_used_and_nothing_is_lost()
-> Result<()> {
    let (expected, job) = (undisturbed(&long_word_count()?)?, killed(long_word_count)?);
    let newest = job.completed()?.pop().context("a checkpoint")?;
    let files = entries(&newest)?;
    ensure!(files.len() > 1, "metadata and state");
    for file in files {
        for damage in
            [|bytes: &mut Vec<u8>| flip(bytes), |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2)]
        {
            put_back(&job)?;
            let mut bytes = fs::read(&file)?;
            damage(&mut bytes);
            fs::write(&file, bytes)?;
            ensure!(job.run(None)? == End::Finished, "nobody killed it");
            ensure_same(&lines(&job.output())?, &expected).with_context(|| file.display().to_string())?;
        }
    }
    Ok(())
}
