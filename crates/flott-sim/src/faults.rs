//! What goes wrong in one process, drawn before it begins.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::{Range, RangeInclusive};

use crate::random::Random;

/// The faults of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The turn after which it is gone.
    pub crash: Option<u64>,
    /// From which turns on the next task that has one panics.
    pub task_crashes: BTreeSet<u64>,
    /// Turns that come so many milliseconds later.
    pub holds: BTreeMap<u64, u64>,
    /// Calls of user code that fail.
    pub user: BTreeSet<u64>,
    /// How many thousandths of the notices of checkpoints get lost.
    pub lost_notices: u64,
    /// How many come twice.
    pub doubled_notices: u64,
    /// How many thousandths of the commits must be tried again, or succeed without saying so.
    pub commits: u64,
    /// The faults of storage.
    pub storage: StorageFaults,
}

/// The faults of storage: how many thousandths of the calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageFaults {
    /// How many faults are left, slow calls and full disks aside: a storage that always fails takes no checkpoint.
    pub left: u64,
    /// How many slow calls are left.
    pub slow_left: u64,
    /// Writes that fail.
    pub failed: u64,
    /// Writes that fail halfway.
    pub torn: u64,
    /// Writes that succeed, but say that they have failed.
    pub lost: u64,
    /// Reads that fail.
    pub read: u64,
    /// Reads that bring other bytes.
    pub damaged: u64,
    /// Deletions that fail.
    pub delete: u64,
    /// Calls that take their time.
    pub slow: u64,
    /// The longest time.
    pub slowest_ms: u64,
    /// When the disk is full, in milliseconds of virtual time.
    pub full_ms: Vec<Range<i64>>,
}

impl Faults {
    /// Draws the faults of a process that is not the last; `begins_ms` is the virtual time at which it begins.
    pub fn draw(random: &mut Random, begins_ms: i64) -> Self {
        let mut faults = Self::draw_mild(random);
        if random.happens(700) {
            faults.crash = Some(turn(random));
        }
        faults.storage = StorageFaults::draw(random, begins_ms);
        faults
    }

    /// Draws what a process survives by itself.
    pub fn draw_mild(random: &mut Random) -> Self {
        let mut faults = Self::default();
        for _ in 0..random.pick(&[0, 0, 1, 1, 3]) {
            faults.task_crashes.insert(turn(random));
        }
        for _ in 0..random.pick(&[0, 0, 2, 6]) {
            faults.holds.insert(turn(random), random.pick(&[5, 50, 400]));
        }
        for _ in 0..random.pick(&[0, 0, 1, 2]) {
            faults.user.insert(early(random, 1..=10));
        }
        faults.lost_notices = random.pick(&[0, 0, 0, 100, 500]);
        faults.doubled_notices = random.pick(&[0, 0, 0, 100]);
        faults.commits = random.pick(&[0, 0, 100]);
        faults
    }
}

/// A turn; early ones are as likely as late ones.
fn turn(random: &mut Random) -> u64 {
    early(random, 4..=13)
}

/// A number of up to so many bits, of which each is as likely.
fn early(random: &mut Random, bits: RangeInclusive<u64>) -> u64 {
    let end = 1 << random.within(bits);
    1 + random.below(end)
}

impl StorageFaults {
    fn draw(random: &mut Random, begins_ms: i64) -> Self {
        if random.happens(400) {
            return Self::default();
        }
        let rates = [0, 0, 0, 20, 100];
        let mut faults =
            Self { left: random.pick(&[1, 3, 30]), slow_left: 20, slowest_ms: 1, ..Self::default() };
        for rate in [
            &mut faults.failed,
            &mut faults.torn,
            &mut faults.lost,
            &mut faults.read,
            &mut faults.damaged,
            &mut faults.delete,
            &mut faults.slow,
        ] {
            *rate = random.pick(&rates);
        }
        faults.slowest_ms = random.pick(&[2, 30, 300]);
        if random.happens(150) {
            let start = begins_ms + random.below(300) as i64;
            faults.full_ms.push(start..start + random.pick(&[20, 200]));
        }
        faults
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut faults = Vec::new();
        faults.extend(self.crash.map(|turn| format!("process gone at turn {turn}")));
        let mut add = |is_some: bool, what: String| faults.extend(is_some.then_some(what));
        add(!self.task_crashes.is_empty(), format!("tasks die at turns {:?}", self.task_crashes));
        add(!self.holds.is_empty(), format!("turns held for ms {:?}", self.holds));
        add(!self.user.is_empty(), format!("user code fails in calls {:?}", self.user));
        add(self.lost_notices > 0, format!("{}/1000 notices lost", self.lost_notices));
        add(self.doubled_notices > 0, format!("{}/1000 notices doubled", self.doubled_notices));
        add(self.commits > 0, format!("{}/1000 commits fail", self.commits));
        add(self.storage != StorageFaults::default(), format!("{:?}", self.storage));
        f.write_str(&if faults.is_empty() { "no faults".to_owned() } else { faults.join(", ") })
    }
}
