use flott::prelude::*;

fn main() {
    let env = StreamExecutionEnvironment::new();
    let _ = env.from_elements([1.5_f64]).key_by(|n| *n);
}
