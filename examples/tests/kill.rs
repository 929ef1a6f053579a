//! Jobs whose process is killed at random moments, again and again, and resumed from their latest checkpoint: what they
//! have committed in the end is what a job that nobody disturbs writes.
//!
//! `FLOTT_KILLS` says how often each job is killed at least (default 50).

#![allow(clippy::disallowed_methods, reason = "it waits for processes, in real time")]

mod support;

use std::fs;

use anyhow::{Result, ensure};
use support::job::{End, FLIGHT_DELAYS, Job, WORD_COUNT, ensure_same, entries, lines, undisturbed};

/// A job that is killed lives no longer than this.
const LONGEST_LIFE_MS: u64 = 900;

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

/// Kills jobs until there were enough kills; `meanwhile` may do something to what a killed job has left.
fn torment(
    program: &'static str,
    kills: u64,
    mut meanwhile: impl FnMut(&Job, &mut Random) -> Result<()>,
) -> Result<()> {
    let expected = undisturbed(&long(program, 2)?)?;
    let mut random = Random::new(program);
    // All kills, and those that have left a checkpoint to go on from.
    let (mut killed, mut resumable) = (0, 0);
    while killed < kills {
        let job = long(program, 1 + random.below(3))?;
        while job.run(Some(random.below(LONGEST_LIFE_MS)))? == End::Killed {
            killed += 1;
            resumable += u64::from(!job.completed()?.is_empty());
            meanwhile(&job, &mut random)?;
        }
        ensure_same(&lines(&job.output())?, &expected)?;
    }
    eprintln!("{program}: {resumable} of {killed} kills came after a completed checkpoint");
    ensure!(resumable > killed / 2, "only {resumable} of {killed} kills came after a completed checkpoint");
    Ok(())
}

/// A job that takes longer than most of its lives.
fn long(program: &'static str, parallelism: u64) -> Result<Job> {
    let job = Job::new(program, parallelism)?;
    if program == WORD_COUNT { job.repeat_text(10) } else { Ok(job) }
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
