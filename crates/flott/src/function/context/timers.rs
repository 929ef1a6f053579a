//! How the timers of a keyed operator fire.

use std::ops::{Deref, DerefMut};

use flott_core::time::{NO_TIMESTAMP, TimeDomain, Timestamp};
use flott_core::{Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, Output};
use flott_state::{CurrentKey, HasKeyedState, HasOperatorState, HasReadOnlyOperatorState, OperatorState};

use super::keyed::{KeyedContext, KeyedHost, ReadOnly, ReadWrite};
use crate::operators::RUN;

impl<K: Key> KeyedHost<K> {
    /// Event time has advanced: gives each timer that is due to `on_timer`.
    pub(crate) fn advance_watermark<O: Data, A>(
        &mut self,
        watermark: Timestamp,
        out: &mut Output<O>,
        on_timer: impl FnMut(Timestamp, &mut OnTimerContext<'_, K, A>, &mut Collector<'_, O>) -> FnResult,
    ) -> FnResult {
        self.start_batch();
        self.watermark = watermark;
        self.fire_due(watermark, TimeDomain::EventTime, out, on_timer)
    }

    /// Processing time has advanced: gives each timer that is due to `on_timer`.
    pub(crate) fn advance_processing_time<O: Data, A>(
        &mut self,
        now: Timestamp,
        out: &mut Output<O>,
        on_timer: impl FnMut(Timestamp, &mut OnTimerContext<'_, K, A>, &mut Collector<'_, O>) -> FnResult,
    ) -> FnResult {
        self.set_now(now);
        self.fire_due(now, TimeDomain::ProcessingTime, out, on_timer)
    }

    /// When the next processing-time timer is due.
    pub(crate) fn next_timer(&self) -> Option<Timestamp> {
        self.processing_timers.next_due()
    }

    /// Fires what is due up to `time`, fetching the state of the timers that come next.
    fn fire_due<O: Data, A>(
        &mut self,
        time: Timestamp,
        domain: TimeDomain,
        out: &mut Output<O>,
        mut on_timer: impl FnMut(Timestamp, &mut OnTimerContext<'_, K, A>, &mut Collector<'_, O>) -> FnResult,
    ) -> FnResult {
        let mut out = Collector::new(out, NO_TIMESTAMP);
        let mut fired = 0_usize;
        let mut hashes = [0; RUN];
        loop {
            let queue = match domain {
                TimeDomain::EventTime => &mut self.event_timers,
                TimeDomain::ProcessingTime => &mut self.processing_timers,
            };
            let Some(timer) = queue.pop_due(time) else { return Ok(()) };
            if fired.is_multiple_of(RUN) {
                let mut count = 0;
                for (slot, hash) in hashes.iter_mut().zip(queue.upcoming_hashes(RUN)) {
                    *slot = hash;
                    count += 1;
                }
                self.state.prefetch(&hashes[..count]);
            }
            fired += 1;
            if domain == TimeDomain::EventTime {
                out.set_timestamp(timer.timestamp);
            }
            let keyed = self.context(&timer.key, timer.hash, timer.timestamp);
            on_timer(timer.timestamp, &mut OnTimerContext { keyed, domain }, &mut out)?;
        }
    }
}

/// A [`KeyedContext`] while a timer fires.
pub struct OnTimerContext<'a, K, A = ReadWrite> {
    keyed: KeyedContext<'a, K, A>,
    domain: TimeDomain,
}

/// The [`OnTimerContext`] of a broadcast function, which may only read the broadcast state.
pub type OnTimerReadOnlyContext<'a, K> = OnTimerContext<'a, K, ReadOnly>;

impl<K, A> OnTimerContext<'_, K, A> {
    /// Which clock the timer has waited for.
    pub fn time_domain(&self) -> TimeDomain {
        self.domain
    }
}

impl<'a, K, A> Deref for OnTimerContext<'a, K, A> {
    type Target = KeyedContext<'a, K, A>;

    fn deref(&self) -> &KeyedContext<'a, K, A> {
        &self.keyed
    }
}

impl<K, A> DerefMut for OnTimerContext<'_, K, A> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.keyed
    }
}

impl<K, A> HasReadOnlyOperatorState for OnTimerContext<'_, K, A> {
    fn operator_state(&self) -> &OperatorState {
        self.keyed.operator_state()
    }
}

impl<K> HasOperatorState for OnTimerContext<'_, K> {
    fn operator_state_mut(&mut self) -> &mut OperatorState {
        self.keyed.operator_state_mut()
    }
}

impl<K: Key, A> HasKeyedState for OnTimerContext<'_, K, A> {
    type Key = K;
    type Namespace = ();

    fn current(&mut self) -> CurrentKey<'_, K> {
        self.keyed.current()
    }
}
