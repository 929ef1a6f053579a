//! What Flink's window operator does, said as plainly as can be: every window has a list of its records, and every timer is
//! an entry of one list.

use flott::prelude::*;

use crate::program::{Event, Evicts, Fires, Firing, Function, Outcome, Program, Step, Windows};
use crate::triggers::mood_of;

/// Start and end.
type Span = (Timestamp, Timestamp);

/// The span of a global window; its last timestamp is that of all time.
const GLOBAL: Span = (Timestamp::MIN, Timestamp::MAX);

fn last_of(span: Span) -> Timestamp {
    if span == GLOBAL { Timestamp::MAX } else { span.1 - 1 }
}

/// What is known of a key and window.
#[derive(Clone)]
struct Open {
    key: u8,
    span: Span,
    records: Vec<(Event, Option<Timestamp>)>,
    /// How often it has fired.
    firings: u32,
    trigger: Memory,
}

/// What triggers remember of a window.
#[derive(Clone, Default)]
struct Memory {
    count: u64,
    /// When a continuous trigger fires next.
    next: Option<Timestamp>,
    /// The value that fired last, or else the first.
    last: Option<i64>,
    timeout: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    time: Timestamp,
    /// Or of processing time.
    of_event_time: bool,
    key: u8,
    span: Span,
}

/// What a trigger is called for.
#[derive(Clone, Copy)]
enum Call {
    Record(Event, Timestamp),
    EventTime(Timestamp),
    ProcessingTime(Timestamp),
}

/// Whether to emit, and whether to drop the records.
type Decision = (bool, bool);

const CONTINUE: Decision = (false, false);
const FIRE: Decision = (true, false);

struct Model<'a> {
    program: &'a Program,
    /// How far the input has told that event time has come.
    told: Timestamp,
    now: Timestamp,
    kept: Kept,
    snapshot: Option<Kept>,
    outcome: Outcome,
}

/// What a snapshot holds.
#[derive(Clone)]
struct Kept {
    /// How far event time had ever come.
    watermark: Timestamp,
    open: Vec<Open>,
    timers: Vec<Timer>,
    /// For each key how many windows have fired.
    firings: [u32; 3],
}

/// What each step of the program does, and the end of its input.
pub(crate) fn run(program: &Program) -> Vec<Outcome> {
    let mut model = Model {
        program,
        told: MIN_WATERMARK,
        now: 0,
        kept: Kept { watermark: MIN_WATERMARK, open: Vec::new(), timers: Vec::new(), firings: [0; 3] },
        snapshot: None,
        outcome: Outcome::default(),
    };
    let mut outcomes = Vec::new();
    for step in program.steps.iter().chain([&Step::Watermark(MAX_WATERMARK)]) {
        model.step(*step);
        let dropped = model.outcome.dropped;
        outcomes
            .push(std::mem::replace(&mut model.outcome, Outcome { dropped, ..Outcome::default() }).sorted());
    }
    outcomes
}

impl Model<'_> {
    fn step(&mut self, step: Step) {
        match step {
            Step::Record(event, time) => self.record(event, time),
            Step::Watermark(watermark) if watermark > self.told => {
                self.told = watermark;
                self.advance(watermark);
            }
            Step::Watermark(_) => {}
            Step::Wait(ms) => self.now += ms,
            // The operators are told the watermark once more.
            Step::Restart(_) if self.told > MIN_WATERMARK => self.advance(self.told),
            Step::Restart(_) => {}
            Step::Snapshot => self.snapshot = Some(self.kept.clone()),
            // Windows remember how far event time had come, so that none fires twice.
            Step::Restore(_) => {
                self.told = MIN_WATERMARK;
                self.kept = self.snapshot.take().unwrap_or_else(|| self.kept.clone());
            }
        }
        while let Some(timer) = self.take_due(false, self.now) {
            self.fire(timer);
        }
    }

    fn advance(&mut self, watermark: Timestamp) {
        self.kept.watermark = self.kept.watermark.max(watermark);
        while let Some(timer) = self.take_due(true, self.kept.watermark) {
            self.fire(timer);
        }
    }

    fn take_due(&mut self, of_event_time: bool, up_to: Timestamp) -> Option<Timer> {
        let due = |timer: &&Timer| timer.of_event_time == of_event_time && timer.time <= up_to;
        let first = *self.kept.timers.iter().filter(due).min()?;
        self.kept.timers.retain(|timer| *timer != first);
        Some(first)
    }

    fn register(&mut self, timer: Timer) {
        if !self.kept.timers.contains(&timer) {
            self.kept.timers.push(timer);
        }
    }

    fn spans_of(&self, event: Event, time: Option<Timestamp>) -> Vec<Span> {
        let time = if self.program.is_event_time() { time.unwrap() } else { self.now };
        match self.program.windows {
            Windows::Tumbling { size, offset } => every(size, size, offset, time),
            Windows::Sliding { size, slide, offset } => every(size, slide, offset, time),
            Windows::Sessions { gap } => vec![(time, time + gap)],
            Windows::DynamicSessions => vec![(time, time + i64::from(event.gap))],
            Windows::Global => vec![GLOBAL],
        }
    }

    fn lateness(&self) -> i64 {
        if self.program.is_event_time() { self.program.lateness } else { 0 }
    }

    fn cleanup(&self, span: Span) -> Timestamp {
        last_of(span).saturating_add(self.lateness())
    }

    fn is_late(&self, span: Span) -> bool {
        self.program.is_event_time() && self.cleanup(span) <= self.kept.watermark
    }

    fn record(&mut self, event: Event, time: Option<Timestamp>) {
        let mut taken = false;
        for span in self.spans_of(event, time) {
            let span = if self.program.windows.merge() { self.merge(event.key, span) } else { span };
            if self.is_late(span) {
                self.kept.open.retain(|open| (open.key, open.span) != (event.key, span));
                continue;
            }
            taken = true;
            let at = self.find_or_open(event.key, span);
            self.kept.open[at].records.push((event, time));
            let decision =
                self.ask(at, &self.program.fires, Call::Record(event, time.unwrap_or(NO_TIMESTAMP)));
            let cleanup = self.cleanup(span);
            if cleanup < Timestamp::MAX {
                let of_event_time = self.program.is_event_time();
                self.register(Timer { time: cleanup, of_event_time, key: event.key, span });
            }
            self.act(at, decision);
        }
        let of_late_time = self.program.is_event_time()
            && time.is_some_and(|time| time + self.lateness() <= self.kept.watermark);
        if !taken && of_late_time {
            if self.program.late_output {
                self.outcome.late.push((event, time));
            } else {
                self.outcome.dropped += 1;
            }
        }
    }

    fn find_or_open(&mut self, key: u8, span: Span) -> usize {
        if let Some(at) = self.kept.open.iter().position(|open| (open.key, open.span) == (key, span)) {
            return at;
        }
        self.kept.open.push(Open { key, span, records: Vec::new(), firings: 0, trigger: Memory::default() });
        self.kept.open.len() - 1
    }

    /// Makes one window of this one and those of the key that it meets; returns its span.
    fn merge(&mut self, key: u8, mut span: Span) -> Span {
        let mut met = Vec::new();
        while let Some(at) = self
            .kept
            .open
            .iter()
            .position(|open| open.key == key && open.span.0 <= span.1 && open.span.1 >= span.0)
        {
            let open = self.kept.open.remove(at);
            span = (span.0.min(open.span.0), span.1.max(open.span.1));
            met.push(open);
        }
        if met.is_empty() {
            return span;
        }
        let mut memory = Memory::default();
        let mut records = Vec::new();
        for open in &met {
            memory.count += open.trigger.count;
            memory.next = [memory.next, open.trigger.next].into_iter().flatten().min();
            records.extend(open.records.iter().copied());
        }
        let grown = met.iter().any(|open| open.span != span);
        if grown {
            // The timers of the windows that are no more are as good as gone.
            let is_gone = |of: Span| of != span && met.iter().any(|open| open.span == of);
            self.kept.timers.retain(|timer| timer.key != key || !is_gone(timer.span));
        }
        self.kept.open.push(Open { key, span, records, firings: 0, trigger: memory.clone() });
        if grown {
            self.on_merge(&self.program.fires, key, span, &memory);
        }
        span
    }

    fn on_merge(&mut self, fires: &Fires, key: u8, span: Span, memory: &Memory) {
        let timer = |of_event_time, time| Some(Timer { time, of_event_time, key, span });
        let registered = match self.fires_of(fires) {
            Fires::EventTime if last_of(span) > self.kept.watermark => timer(true, last_of(span)),
            Fires::ProcessingTime if last_of(span) > self.now => timer(false, last_of(span)),
            Fires::ContinuousEventTime(_) => memory.next.and_then(|next| timer(true, next)),
            Fires::ContinuousProcessingTime(_) | Fires::Moody => {
                memory.next.and_then(|next| timer(false, next))
            }
            Fires::Purging(nested) => return self.on_merge(&nested, key, span, memory),
            _ => None,
        };
        registered.into_iter().for_each(|timer| self.register(timer));
    }

    fn fires_of(&self, fires: &Fires) -> Fires {
        match fires {
            Fires::Default if self.program.windows == Windows::Global => Fires::Never,
            Fires::Default if self.program.is_event_time() => Fires::EventTime,
            Fires::Default => Fires::ProcessingTime,
            fires => fires.clone(),
        }
    }

    fn fire(&mut self, timer: Timer) {
        let is_of = |open: &Open| (open.key, open.span) == (timer.key, timer.span);
        let Some(at) = self.kept.open.iter().position(is_of) else { return };
        let call =
            if timer.of_event_time { Call::EventTime(timer.time) } else { Call::ProcessingTime(timer.time) };
        let decision = self.ask(at, &self.program.fires, call);
        self.act(at, decision);
        let is_over = timer.of_event_time == self.program.is_event_time()
            && timer.time == self.cleanup(timer.span)
            && timer.span != GLOBAL;
        if is_over {
            self.forget(at, &self.program.fires);
            self.kept.open.remove(at);
        }
    }

    fn act(&mut self, at: usize, (fires, purges): Decision) {
        if fires && !self.kept.open[at].records.is_empty() {
            self.emit(at);
        }
        if purges {
            self.kept.open[at].records.clear();
        }
    }

    fn emit(&mut self, at: usize) {
        let program = self.program;
        let evict = |open: &mut Open, after| {
            if let Some((evicts, when)) = program.evicts
                && when == after
            {
                evict_from(&mut open.records, evicts);
            }
        };
        let open = &mut self.kept.open[at];
        evict(open, false);
        let values: Vec<i64> = open.records.iter().map(|(event, _)| event.value).collect();
        let sum_and_count = vec![values.iter().sum(), values.len() as i64];
        let span = (open.span != GLOBAL).then_some(open.span);
        let (key, time) = (open.key, Some(last_of(open.span)));
        if program.function == Function::Reduce {
            if !values.is_empty() {
                let firing = Firing { key, window: span, firing: 0, values: sum_and_count };
                self.outcome.results.push((firing, time));
            }
        } else {
            open.firings += 1;
            let firing = if program.windows.merge() { 0 } else { open.firings };
            let values = match program.function {
                Function::Process if program.windows.merge() => sorted(values),
                Function::Process => values,
                _ => sum_and_count,
            };
            self.outcome.results.push((Firing { key, window: span, firing, values }, time));
            self.kept.firings[usize::from(key)] += 1;
            self.outcome.firings.push((key, self.kept.firings[usize::from(key)]));
        }
        evict(open, true);
    }

    /// What the trigger says.
    fn ask(&mut self, at: usize, fires: &Fires, call: Call) -> Decision {
        let Open { key, span, .. } = self.kept.open[at];
        let (watermark, now, last) = (self.kept.watermark, self.now, last_of(span));
        let timer = |of_event_time, time| Timer { time, of_event_time, key, span };
        match (self.fires_of(fires), call) {
            (Fires::EventTime, Call::Record(..)) if last <= watermark => FIRE,
            (Fires::EventTime, Call::Record(..)) => {
                self.register(timer(true, last));
                CONTINUE
            }
            (Fires::EventTime, Call::EventTime(time)) => (time == last, false),
            (Fires::ProcessingTime, Call::Record(..)) => {
                self.register(timer(false, last));
                CONTINUE
            }
            (Fires::ProcessingTime, Call::ProcessingTime(_)) => FIRE,
            (Fires::Count(n), Call::Record(..)) => {
                let count = &mut self.kept.open[at].trigger.count;
                *count += 1;
                let fires = *count >= n;
                *count = if fires { 0 } else { *count };
                (fires, false)
            }
            (Fires::ContinuousEventTime(_), Call::Record(..)) if last <= watermark => FIRE,
            (Fires::ContinuousEventTime(every), Call::Record(_, time)) => {
                self.register(timer(true, last));
                if self.kept.open[at].trigger.next.is_none() {
                    self.continue_at(at, true, time - time % every, every);
                }
                CONTINUE
            }
            (Fires::ContinuousEventTime(_), Call::EventTime(time)) if time == last => FIRE,
            (Fires::ContinuousEventTime(every), Call::EventTime(time))
                if self.kept.open[at].trigger.next == Some(time) =>
            {
                self.kept.open[at].trigger.next = None;
                self.continue_at(at, true, time, every);
                FIRE
            }
            (Fires::ContinuousProcessingTime(every), Call::Record(..)) => {
                if self.kept.open[at].trigger.next.is_none() {
                    self.continue_at(at, false, now - now % every, every);
                }
                CONTINUE
            }
            (Fires::ContinuousProcessingTime(every), Call::ProcessingTime(time))
                if self.kept.open[at].trigger.next == Some(time) =>
            {
                self.kept.open[at].trigger.next = None;
                if time < last {
                    self.continue_at(at, false, time, every);
                }
                FIRE
            }
            (Fires::Delta(threshold), Call::Record(event, _)) => {
                let before = self.kept.open[at].trigger.last;
                let fires = before.is_some_and(|before| event.value - before > threshold);
                if fires || before.is_none() {
                    self.kept.open[at].trigger.last = Some(event.value);
                }
                (fires, false)
            }
            (Fires::Moody, Call::Record(event, _)) => {
                if self.kept.open[at].trigger.next.is_none() {
                    let next = now - now % 10 + 10;
                    self.kept.open[at].trigger.next = Some(next);
                    self.register(timer(false, next));
                }
                let result = mood_of(event.value);
                (result.fires(), result.purges())
            }
            (Fires::Moody, Call::ProcessingTime(time)) if self.kept.open[at].trigger.next == Some(time) => {
                self.kept.open[at].trigger.next = None;
                FIRE
            }
            (Fires::Purging(nested), call) => {
                let (fires, purges) = self.ask(at, &nested, call);
                (fires, fires || purges)
            }
            (Fires::Timeout { nested, after, reset, .. }, Call::Record(..)) => {
                let decision = self.ask(at, &nested, call);
                if decision.0 {
                    self.forget_timeout(at, &nested);
                    return decision;
                }
                if let Some(timeout) = self.kept.open[at].trigger.timeout.filter(|_| reset) {
                    self.kept.timers.retain(|known| *known != timer(false, timeout));
                    self.kept.open[at].trigger.timeout = None;
                }
                if self.kept.open[at].trigger.timeout.is_none() {
                    self.kept.open[at].trigger.timeout = Some(now + after);
                    self.register(timer(false, now + after));
                }
                decision
            }
            (Fires::Timeout { nested, clear, .. }, call) => {
                let (_, purges) = self.ask(at, &nested, call);
                if clear {
                    self.forget_timeout(at, &nested);
                }
                (true, purges)
            }
            _ => CONTINUE,
        }
    }

    /// Lets a continuous trigger fire next at an interval after `time`, or at the end of the window.
    fn continue_at(&mut self, at: usize, of_event_time: bool, time: Timestamp, every: i64) {
        let Open { key, span, .. } = self.kept.open[at];
        // Where Flink fires a window without end for ever at the end of the input, flott fires it once more.
        let at_the_end = of_event_time && self.kept.watermark == MAX_WATERMARK && span == GLOBAL;
        let next = if at_the_end { Timestamp::MAX } else { (time + every).min(last_of(span)) };
        self.kept.open[at].trigger.next = Some(next);
        self.register(Timer { time: next, of_event_time, key, span });
    }

    fn forget_timeout(&mut self, at: usize, nested: &Fires) {
        let Open { key, span, .. } = self.kept.open[at];
        if let Some(time) = self.kept.open[at].trigger.timeout.take() {
            self.kept.timers.retain(|timer| *timer != Timer { time, of_event_time: false, key, span });
        }
        self.forget(at, nested);
    }

    /// The trigger forgets the window.
    fn forget(&mut self, at: usize, fires: &Fires) {
        let Open { key, span, .. } = self.kept.open[at];
        let delete = |timers: &mut Vec<Timer>, of_event_time, time| {
            timers.retain(|timer| *timer != Timer { time, of_event_time, key, span });
        };
        match self.fires_of(fires) {
            Fires::EventTime => delete(&mut self.kept.timers, true, last_of(span)),
            Fires::ProcessingTime => delete(&mut self.kept.timers, false, last_of(span)),
            Fires::Count(_) => self.kept.open[at].trigger.count = 0,
            Fires::Delta(_) => self.kept.open[at].trigger.last = None,
            Fires::ContinuousEventTime(_) => {
                if let Some(next) = self.kept.open[at].trigger.next.take() {
                    delete(&mut self.kept.timers, true, next);
                }
            }
            Fires::ContinuousProcessingTime(_) | Fires::Moody => {
                if let Some(next) = self.kept.open[at].trigger.next.take() {
                    delete(&mut self.kept.timers, false, next);
                }
            }
            Fires::Purging(nested) => self.forget(at, &nested),
            Fires::Timeout { nested, .. } => self.forget_timeout(at, &nested),
            Fires::Never | Fires::Default => {}
        }
    }
}

/// All windows of one size, of which one starts every slide, that hold a time.
fn every(size: i64, slide: i64, offset: i64, time: Timestamp) -> Vec<Span> {
    let starts = (time - size + 1..=time).filter(|start| (start - offset).rem_euclid(slide) == 0);
    starts.map(|start| (start, start + size)).collect()
}

fn evict_from(records: &mut Vec<(Event, Option<Timestamp>)>, evicts: Evicts) {
    match evicts {
        Evicts::Count(max) => drop(records.drain(..records.len().saturating_sub(max))),
        Evicts::Time(span) => {
            let latest = records.iter().filter_map(|(_, time)| *time).max();
            if let (Some((_, Some(_))), Some(latest)) = (records.first(), latest) {
                records.retain(|(_, time)| time.is_some_and(|time| time > latest - span));
            }
        }
        Evicts::Delta(threshold) => {
            if let Some((last, _)) = records.last().copied() {
                records.retain(|(event, _)| last.value - event.value < threshold);
            }
        }
    }
}

fn sorted(mut values: Vec<i64>) -> Vec<i64> {
    values.sort_unstable();
    values
}
