use flott::prelude::*;

fn no_key_is_current(context: &mut KeyedBroadcastContext<'_, u8>) {
    context.register_event_time_timer(5);
}

fn main() {}
