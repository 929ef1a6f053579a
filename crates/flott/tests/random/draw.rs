//! Draws programs.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;

use crate::program::{Event, Evicts, Fires, Function, Program, Step, Windows};

fn windows() -> impl Strategy<Value = Windows> {
    prop_oneof![
        2 => (1_i64..30, -30_i64..30)
            .prop_map(|(size, offset)| Windows::Tumbling { size, offset: offset % size }),
        3 => (1_i64..30, 1_i64..30, -30_i64..30)
            .prop_map(|(size, slide, offset)| Windows::Sliding { size, slide, offset: offset % slide }),
        2 => (1_i64..20).prop_map(|gap| Windows::Sessions { gap }),
        1 => Just(Windows::DynamicSessions),
        1 => Just(Windows::Global),
    ]
}

fn fires() -> impl Strategy<Value = Fires> {
    let simple = prop_oneof![
        Just(Fires::EventTime),
        Just(Fires::ProcessingTime),
        (1_u64..4).prop_map(Fires::Count),
        (3_i64..20).prop_map(Fires::ContinuousEventTime),
        (3_i64..20).prop_map(Fires::ContinuousProcessingTime),
        (0_i64..6).prop_map(Fires::Delta),
        Just(Fires::Never),
        Just(Fires::Moody),
    ];
    let timeout = |nested: Fires, (after, reset, clear)| Fires::Timeout {
        nested: Box::new(nested),
        after,
        reset,
        clear,
    };
    let nested = (simple.clone(), (1_i64..15, any::<bool>(), any::<bool>()), 0..5_u8).prop_map(
        move |(simple, settings, how)| match how {
            0 | 1 => Fires::Purging(Box::new(simple)),
            2 => timeout(simple, settings),
            3 => timeout(Fires::Purging(Box::new(simple)), settings),
            _ => Fires::Purging(Box::new(timeout(simple, settings))),
        },
    );
    prop_oneof![2 => Just(Fires::Default), 3 => simple, 3 => nested]
}

fn evicts() -> impl Strategy<Value = Option<(Evicts, bool)>> {
    let evicts = prop_oneof![
        (0_usize..4).prop_map(Evicts::Count),
        (0_i64..20).prop_map(Evicts::Time),
        (0_i64..8).prop_map(Evicts::Delta),
    ];
    weighted(0.3, (evicts, any::<bool>()))
}

fn function() -> impl Strategy<Value = Function> {
    prop_oneof![Just(Function::Reduce), Just(Function::Aggregate), Just(Function::Process)]
}

fn step() -> impl Strategy<Value = Step> {
    let event =
        (0_u8..3, -9_i64..10, 1_u8..20).prop_map(|(key, value, gap)| Event { key, value, gap, count: 1 });
    prop_oneof![
        12 => (event, weighted(0.9, -40_i64..120)).prop_map(|(event, time)| Step::Record(event, time)),
        4 => (-50_i64..140).prop_map(Step::Watermark),
        2 => (1_i64..20).prop_map(Step::Wait),
        1 => (1_u32..4).prop_map(Step::Restart),
        1 => Just(Step::Snapshot),
        1 => (1_u32..4).prop_map(Step::Restore),
    ]
}

fn lateness() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0), 1_i64..60]
}

prop_compose! {
    /// Any program.
    pub(crate) fn program()(
        windows in windows(),
        event_time in prop::bool::weighted(0.7),
        (lateness, late_output) in (lateness(), any::<bool>()),
        (fires, evicts, function) in (fires(), evicts(), function()),
        steps in vec(step(), 0..50),
    ) -> Program {
        Program { windows, event_time, lateness, late_output, fires, evicts, function, steps }.fitted()
    }
}

prop_compose! {
    /// Programs whose windows are of event time and fire by themselves.
    pub(crate) fn program_with_defaults()(program in program()) -> Program {
        Program { event_time: true, fires: Fires::Default, ..program }.fitted()
    }
}
