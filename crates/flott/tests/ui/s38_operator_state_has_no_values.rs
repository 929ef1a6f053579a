use flott::prelude::*;

fn initialize_state(context: &mut FunctionInitializationContext<'_>) {
    let _ = context.value_state(ValueStateDescriptor::<i64>::new("count"));
}

fn main() {}
