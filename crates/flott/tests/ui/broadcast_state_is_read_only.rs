use flott::prelude::*;

fn of_the_keyed_side(rules: BroadcastState<u8, u8>, context: &mut KeyedReadOnlyContext<'_, u8>) {
    let _ = rules.put(context, 1, 2);
}

fn of_a_timer(rules: BroadcastState<u8, u8>, context: &mut OnTimerReadOnlyContext<'_, u8>) {
    let _ = rules.remove(context, &1);
}

fn main() {}
