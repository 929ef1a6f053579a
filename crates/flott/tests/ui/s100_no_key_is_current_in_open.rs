use flott::prelude::*;

fn open(sum: ValueState<i64>, context: &mut OpenContext<'_, u8>) {
    let _ = sum.value(context);
}

fn main() {}
