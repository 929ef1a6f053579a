use flott::prelude::*;

fn without_keys(context: &mut ProcessContext) {
    context.register_event_time_timer(5);
}

fn main() {}
