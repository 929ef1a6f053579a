use flott::prelude::*;

fn open(context: &mut RuntimeContext) {
    let _: ValueState<i64> = context.value_state(ValueStateDescriptor::new("sum")).unwrap();
}

fn main() {}
