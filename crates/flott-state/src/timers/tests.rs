use std::collections::BTreeSet;

use flott_core::{
    encoding::decode_prefix,
    key_group::key_place,
    time::{MAX_WATERMARK, TimeDomain},
};
use proptest::prelude::*;

use super::*;
use crate::{
    error::StateErrorKind,
    snapshot::{OperatorSnapshot, SnapshotBudget},
};

type Queue = TimerQueue<u64, i64>;
type Id = (Timestamp, u64, u64, i64);

fn id(timer: &Timer<u64, i64>) -> Id {
    (timer.timestamp, timer.hash, timer.key, timer.namespace)
}

fn fire_all(queue: &mut Queue, up_to: Timestamp) -> Vec<(Timestamp, u64)> {
    std::iter::from_fn(|| queue.pop_due(up_to)).map(|timer| (timer.timestamp, timer.key)).collect()
}

const GROUPS: u32 = 5;

fn begin(queue: &mut Queue) {
    queue.begin_snapshot("timers", TimeDomain::EventTime, GROUPS).unwrap();
}

/// All timers as a snapshot has them.
fn all(queue: &mut Queue) -> OperatorSnapshot {
    let mut taken = OperatorSnapshot::default();
    begin(queue);
    assert!(queue.drain_snapshot(&mut SnapshotBudget::unlimited(), &mut taken).unwrap());
    taken
}

fn listed(taken: &OperatorSnapshot) -> BTreeSet<Id> {
    let mut timers = BTreeSet::new();
    for (&group, entries) in taken.keyed.iter().flat_map(|timers| &timers.groups) {
        let mut bytes = entries.bytes.as_slice();
        for _ in 0..entries.count {
            let (key, namespace, timestamp) = decode_prefix(&mut bytes).unwrap();
            assert_eq!(key_place(hash_of(key), GROUPS).group, group);
            timers.insert((timestamp, hash_of(key), key, namespace));
        }
        assert!(bytes.is_empty());
    }
    timers
}

#[test]
fn timers_fire_by_time_and_not_before() {
    let mut queue = Queue::default();
    for (timestamp, key) in [(30, 1), (10, 2), (20, 3), (5_000_000, 4)] {
        queue.register(timestamp, key, key, 0);
    }
    assert_eq!(queue.next_due(), Some(10));
    assert_eq!(fire_all(&mut queue, 9), []);
    assert_eq!(fire_all(&mut queue, 20), [(10, 2), (20, 3)]);
    assert_eq!(queue.next_due(), Some(30));
    assert_eq!(fire_all(&mut queue, 4_999_999), [(30, 1)]);
    assert_eq!(fire_all(&mut queue, MAX_WATERMARK), [(5_000_000, 4)]);
    assert_eq!(queue.next_due(), None);
}

#[test]
fn timers_of_one_time_fire_by_hash_however_they_were_registered() {
    let mut queue = Queue::default();
    for hash in [7, 3, 9, 1] {
        queue.register(100, hash, hash, 0);
    }
    assert_eq!(fire_all(&mut queue, 100), [(100, 1), (100, 3), (100, 7), (100, 9)]);
}

#[test]
fn a_timer_registered_twice_fires_once() {
    let mut queue = Queue::default();
    // Once in the future, then once more when it is due and waits behind another.
    for _ in 0..3 {
        queue.register(10, 1, 1, 0);
        queue.register(20, 2, 2, 0);
    }
    assert_eq!(queue.pop_due(25).unwrap().key, 1);
    queue.register(20, 2, 2, 0);
    assert_eq!(fire_all(&mut queue, 25), [(20, 2)]);
}

#[test]
fn keys_of_equal_hash_and_namespaces_of_one_key_have_their_own_timers() {
    let mut queue = Queue::default();
    for _ in 0..2 {
        for (key, namespace) in [(1, 0), (2, 0), (1, 5)] {
            queue.register(10, 77, key, namespace);
        }
    }
    let fired: BTreeSet<_> = std::iter::from_fn(|| queue.pop_due(10)).map(|t| (t.key, t.namespace)).collect();
    assert_eq!(fired, BTreeSet::from([(1, 0), (2, 0), (1, 5)]));
    assert_eq!(queue.pop_due(10), None);
}

#[test]
fn a_timer_for_a_time_that_has_come_fires_at_the_next_advance() {
    let mut queue = Queue::default();
    assert_eq!(fire_all(&mut queue, 1000), []);
    queue.register(500, 1, 1, 0);
    queue.register(1000, 2, 2, 0);
    assert_eq!(queue.next_due(), Some(500));
    assert_eq!(fire_all(&mut queue, 1000), [(500, 1), (1000, 2)]);
}

#[test]
fn a_timer_registered_while_firing_fires_in_the_same_advance_if_it_is_due() {
    let mut queue = Queue::default();
    queue.register(10, 1, 1, 0);
    let mut fired = Vec::new();
    while let Some(timer) = queue.pop_due(45) {
        fired.push(timer.timestamp);
        queue.register(timer.timestamp + 10, 1, 1, 0);
    }
    assert_eq!(fired, [10, 20, 30, 40]);
    assert_eq!(queue.next_due(), Some(50));
}

#[test]
fn a_due_timer_that_is_deleted_before_its_turn_does_not_fire() {
    let mut queue = Queue::default();
    for key in 1..=3 {
        queue.register(10, key, key, 0);
    }
    assert_eq!(queue.pop_due(10).unwrap().key, 1);
    queue.delete(10, 2, &2, &0);
    assert_eq!(fire_all(&mut queue, 10), [(10, 3)]);
}

/// So many deletions clear out what they have hit, wherever it waits.
#[test]
fn due_and_late_timers_that_are_deleted_by_the_thousand_do_not_fire() {
    let mut queue = Queue::default();
    let due = 0..3000;
    due.clone().for_each(|key| queue.register(10, key, key, 0));
    assert_eq!(queue.pop_due(10).unwrap().key, 0);
    let late = 3000..6000;
    late.clone().for_each(|key| queue.register(5, key, key, 0));
    due.skip(2).step_by(2).for_each(|key| queue.delete(10, key, &key, &0));
    late.clone().step_by(2).for_each(|key| queue.delete(5, key, &key, &0));
    let odd_of = |keys: std::ops::Range<u64>, at| keys.filter(|key| key % 2 == 1).map(move |key| (at, key));
    let left: Vec<_> = odd_of(late, 5).chain(odd_of(0..3000, 10)).collect();
    assert_eq!(fire_all(&mut queue, 10), left);
}

#[test]
fn a_deleted_timer_that_is_registered_again_fires_once() {
    let mut queue = Queue::default();
    queue.register(10, 1, 1, 0);
    queue.delete(10, 1, &1, &0);
    queue.register(10, 1, 1, 0);
    assert_eq!(fire_all(&mut queue, 10), [(10, 1)]);
}

#[test]
fn the_same_timer_registered_for_ever_takes_no_more_memory() {
    let mut queue = Queue::default();
    for round in 0..200_000u64 {
        queue.register(10_000, round % 10, round % 10, 0);
    }
    assert!(queue.memory_bytes() < 200_000, "{} bytes", queue.memory_bytes());
    assert_eq!(listed(&all(&mut queue)).len(), 10);
}

#[test]
fn a_timeout_that_is_put_off_for_ever_takes_no_more_memory() {
    let mut queue = Queue::default();
    for now in 0..200_000i64 {
        queue.delete(now + 59_999, 1, &1, &0);
        queue.register(now + 60_000, 1, 1, 0);
    }
    assert!(queue.memory_bytes() < 1_000_000, "{} bytes", queue.memory_bytes());
    assert_eq!(listed(&all(&mut queue)), BTreeSet::from([(259_999, 0, 1, 0)]));
}

#[test]
fn the_ends_of_time_are_times_like_any_other() {
    let mut queue = Queue::default();
    let times = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
    for time in times {
        queue.register(time, 1, 1, 0);
    }
    let fired: Vec<_> = fire_all(&mut queue, i64::MAX).into_iter().map(|(time, _)| time).collect();
    assert_eq!(fired, times);
}

#[test]
fn the_hashes_of_timers_about_to_fire_are_known_once_firing_began() {
    let mut queue = Queue::default();
    for hash in 1..=5 {
        queue.register(10, hash, hash, 0);
    }
    queue.pop_due(10);
    assert_eq!(queue.upcoming_hashes(3).collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn a_second_snapshot_of_timers_waits_for_the_first_to_end() {
    let mut queue = Queue::default();
    queue.register(10, 1, 2, 0);
    begin(&mut queue);
    let refused = queue.begin_snapshot("timers", TimeDomain::EventTime, GROUPS).unwrap_err();
    assert_eq!(*refused.kind(), StateErrorKind::SnapshotInProgress);
    queue.abort_snapshot();
    assert_eq!(listed(&all(&mut queue)).len(), 1);
}

#[test]
fn no_timers_leave_nothing_in_a_snapshot() {
    let mut queue = Queue::default();
    queue.register(10, 1, 2, 0);
    queue.delete(10, 1, &2, &0);
    assert!(all(&mut queue).is_empty());
}

#[test]
fn snapshots_of_timers_that_wait_long_take_no_more_memory() {
    let mut queue = Queue::default();
    for key in 0..10_000u64 {
        queue.register(10_000, hash_of(key), key, 0);
        all(&mut queue);
    }
    assert!(queue.memory_bytes() < 3 * 10_000 * size_of::<Timer<u64, i64>>(), "{}", queue.memory_bytes());
}

#[derive(Clone, Debug)]
enum Op {
    Register(Timestamp, u64, i64),
    Delete(Timestamp, u64, i64),
    /// Advances by a time; every n-th timer to fire registers one at this distance and deletes one at that.
    Advance(Timestamp, usize, Timestamp, Timestamp),
    /// Begins a snapshot if there is none.
    Begin,
    /// Goes on with it.
    Drain(usize),
    Abort,
}

/// Distances from now: mostly small enough to collide, sometimes far, sometimes past.
fn distance() -> impl Strategy<Value = Timestamp> {
    prop_oneof![4 => -20..80i64, 2 => 0..10_000i64, 1 => 0..1i64 << 40]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        8 => (distance(), 0..6u64, 0..2i64).prop_map(|(at, key, namespace)| Op::Register(at, key, namespace)),
        2 => (distance(), 0..6u64, 0..2i64).prop_map(|(at, key, namespace)| Op::Delete(at, key, namespace)),
        1 => (distance(), 1..4usize, distance(), distance())
            .prop_map(|(to, every, near, far)| Op::Advance(to, every, near.max(1), far)),
        1 => Just(Op::Begin),
        2 => (1..20usize).prop_map(Op::Drain),
    ];
    let op = prop_oneof![100 => op, 1 => Just(Op::Abort)];
    prop::collection::vec(op, 0..400)
}

/// Half as many hashes as keys, so that some keys collide.
fn hash_of(key: u64) -> u64 {
    key / 2
}

/// The queue beside a sorted set that must always agree with it.
#[derive(Default)]
struct Pair {
    queue: Queue,
    model: BTreeSet<Id>,
    /// What the snapshot that is being drained must hold, and what it holds.
    snapshot: Option<(BTreeSet<Id>, OperatorSnapshot)>,
}

impl Pair {
    fn register(&mut self, at: Timestamp, key: u64, namespace: i64) {
        self.queue.register(at, hash_of(key), key, namespace);
        self.model.insert((at, hash_of(key), key, namespace));
    }

    fn delete(&mut self, at: Timestamp, key: u64, namespace: i64) {
        self.queue.delete(at, hash_of(key), &key, &namespace);
        self.model.remove(&(at, hash_of(key), key, namespace));
    }

    fn advance(&mut self, up_to: Timestamp, every: usize, near: Timestamp, far: Timestamp) {
        let mut fired = 0;
        while let Some(timer) = self.queue.pop_due(up_to) {
            assert!(timer.timestamp <= up_to);
            let first = self.model.first().unwrap();
            assert_eq!((first.0, first.1), (timer.timestamp, timer.hash), "out of order");
            assert!(self.model.remove(&id(&timer)), "{timer:?} should not fire");
            fired += 1;
            if fired % every == 0 && fired < 100 {
                self.register(timer.timestamp + near, timer.key, timer.namespace);
                self.delete(timer.timestamp + far, timer.key ^ 1, timer.namespace);
            }
        }
        assert!(
            self.model.first().is_none_or(|first| first.0 > up_to),
            "{:?} did not fire",
            self.model.first()
        );
    }

    fn begin(&mut self) {
        if self.snapshot.is_none() {
            begin(&mut self.queue);
            self.snapshot = Some((self.model.clone(), OperatorSnapshot::default()));
        }
    }

    fn drain(&mut self, slots: usize) {
        let Some((expected, mut taken)) = self.snapshot.take() else { return };
        if self.queue.drain_snapshot(&mut SnapshotBudget::new(slots, usize::MAX), &mut taken).unwrap() {
            assert_eq!(listed(&taken), expected);
        } else {
            self.snapshot = Some((expected, taken));
        }
    }

    fn abort(&mut self) {
        self.queue.abort_snapshot();
        self.snapshot = None;
    }

    fn check(&mut self) {
        let bound = self.queue.next_due().unwrap_or(Timestamp::MAX);
        assert!(self.model.first().is_none_or(|first| bound <= first.0));
        self.drain(usize::MAX);
        assert_eq!(listed(&all(&mut self.queue)), self.model);
    }
}

proptest! {
    #[test]
    fn a_queue_behaves_like_a_sorted_set(ops in ops(), start in prop_oneof![Just(0i64), Just(1_700_000_000_000)]) {
        let (mut pair, mut now) = (Pair::default(), start);
        for (step, op) in ops.into_iter().enumerate() {
            match op {
                Op::Register(at, key, namespace) => pair.register(now + at, key, namespace),
                Op::Delete(at, key, namespace) => pair.delete(now + at, key, namespace),
                Op::Advance(to, every, near, far) => {
                    now += to.max(0);
                    pair.advance(now, every, near, far);
                }
                Op::Begin => pair.begin(),
                Op::Drain(slots) => pair.drain(slots),
                Op::Abort => pair.abort(),
            }
            if step % 50 == 0 {
                pair.check();
            }
        }
        pair.check();
        pair.advance(Timestamp::MAX, usize::MAX, 1, 1);
    }

    #[test]
    fn large_buckets_are_cut_up_without_loss(
        spans in prop::collection::vec((1..1_000_000i64, 1..5000usize), 1..4),
        steps in prop::collection::vec(1..300_000i64, 1..10),
        deleted in 1..40usize,
    ) {
        let mut pair = Pair::default();
        let mut seed = 1u64;
        for (span, count) in spans {
            for n in 0..count {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let (at, key) = ((seed >> 20) as i64 % span, seed >> 60);
                pair.register(at, key, 0);
                if n % deleted == 0 {
                    pair.delete(at, key, 0);
                }
            }
        }
        let mut now = 0;
        for step in steps {
            pair.begin();
            now += step;
            pair.advance(now, 3, 1000, 500);
            pair.drain(2000);
        }
        pair.check();
        pair.advance(Timestamp::MAX, usize::MAX, 1, 1);
    }
}
