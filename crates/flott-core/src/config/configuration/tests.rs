use std::time::Duration;

use super::*;
use crate::config::{
    BufferTimeout, MaxParallelism,
    keys::{
        AUTO_WATERMARK_INTERVAL, BUFFER_TIMEOUT, MAX_PARALLELISM, OPERATOR_CHAINING, PARALLELISM,
        PIPELINE_NAME, STATE_BACKEND,
    },
};

fn from_file(text: &str) -> Configuration {
    let mut config = Configuration::new();
    config.load_file_text("flott.yaml", text).unwrap_or_else(|error| panic!("{error}"));
    config
}

fn file_error(text: &str) -> String {
    Configuration::new().load_file_text("flott.yaml", text).unwrap_err().to_string()
}

fn dynamic_error(assignment: &str) -> String {
    Configuration::new().set_dynamic(assignment).unwrap_err().to_string()
}

#[test]
fn an_empty_configuration_has_flinks_defaults() {
    let config = Configuration::new();
    assert_eq!(config.get(&PARALLELISM), Ok(1));
    assert_eq!(config.get(&MAX_PARALLELISM), Ok(MaxParallelism::Derived));
    assert_eq!(config.get_optional(&PIPELINE_NAME), Ok(None));
    assert_eq!(config.get(&OPERATOR_CHAINING), Ok(true));
    assert_eq!(config.get(&AUTO_WATERMARK_INTERVAL), Ok(Duration::from_millis(200)));
    assert_eq!(config.get(&BUFFER_TIMEOUT), Ok(BufferTimeout::After(Duration::from_millis(100))));
    assert_eq!(config.get(&STATE_BACKEND).as_deref(), Ok("hashmap"));
    assert_eq!(config.origin(&PARALLELISM), Origin::Default);
}

#[test]
fn code_wins_over_command_line_over_file_in_whatever_order_they_come() {
    let mut config = Configuration::new();
    config.set(&PARALLELISM, 4).unwrap();
    config.set_dynamic("parallelism.default=3").unwrap();
    config.set_dynamic("pipeline.name=from the command line").unwrap();
    let file = "parallelism.default: 2\npipeline.name: from the file\nstate.backend.type: rocksdb\n";
    config.load_file_text("flott.yaml", file).unwrap();

    assert_eq!((config.get(&PARALLELISM), config.origin(&PARALLELISM)), (Ok(4), Origin::Code));
    assert_eq!(config.get(&PIPELINE_NAME).as_deref(), Ok("from the command line"));
    assert_eq!(config.origin(&PIPELINE_NAME), Origin::CommandLine);
    assert_eq!(config.get(&STATE_BACKEND).as_deref(), Ok("rocksdb"));
    assert_eq!(config.origin(&STATE_BACKEND).to_string(), "in flott.yaml:3");
}

#[test]
fn the_layers_are_independent_of_the_spelling() {
    let mut config = from_file("state.backend.type: rocksdb\n");
    config.set_dynamic("state.backend=hashmap").unwrap();
    assert_eq!(config.get(&STATE_BACKEND).as_deref(), Ok("hashmap"));
}

#[test]
fn a_misspelled_key_is_an_error_with_a_suggestion() {
    assert_eq!(
        file_error("pipeline.name: x\nparalelism.default: 2\n"),
        "unknown configuration key 'paralelism.default' in flott.yaml:2; did you mean 'parallelism.default'?"
    );
    assert_eq!(dynamic_error("foo.bar=1"), "unknown configuration key 'foo.bar' on the command line");
}

#[test]
fn a_refused_file_changes_nothing() {
    let mut config = Configuration::new();
    let file = "state.backend: rocksdb\nparallelism.default: none\n";
    assert!(config.load_file_text("flott.yaml", file).is_err());
    assert_eq!(config, Configuration::new());
}

#[test]
fn a_bad_value_is_refused_where_it_enters() {
    assert_eq!(
        file_error("pipeline:\n  auto-watermark-interval: soon\n"),
        "invalid value 'soon' of configuration key 'pipeline.auto-watermark-interval' in flott.yaml:2: expected a \
         duration such as '10 s', '500 ms', '1 min', '1 h', '1 d', 'PT10S' or a number of milliseconds"
    );
}

#[test]
fn an_error_stays_one_short_line_whatever_the_value_holds() {
    let message = dynamic_error(&format!("parallelism.default=1\n{}", "9".repeat(5000)));
    assert!(message.lines().count() == 1 && message.len() < 300, "{message}");
}

#[test]
fn a_parallelism_of_zero_or_less_is_refused() {
    let expected = "of configuration key 'parallelism.default' on the command line: expected a";
    for text in ["0", "-1", "32769", "two"] {
        let message = dynamic_error(&format!("parallelism.default={text}"));
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(
        Configuration::new().set(&PARALLELISM, 0).unwrap_err().to_string(),
        "invalid value '0' of configuration key 'parallelism.default' in code: expected a parallelism between 1 and 32768"
    );
}

#[test]
fn max_parallelism_is_derived_or_between_1_and_32768() {
    let max = |text: &str| from_file(&format!("pipeline.max-parallelism: {text}\n")).get(&MAX_PARALLELISM);
    assert_eq!(max("-1"), Ok(MaxParallelism::Derived));
    assert_eq!(max("1"), Ok(MaxParallelism::Fixed(1)));
    assert_eq!(max("32768"), Ok(MaxParallelism::Fixed(32768)));
    assert!(Configuration::new().set(&MAX_PARALLELISM, MaxParallelism::Fixed(0)).is_err());
    for text in ["0", "-2", "32769"] {
        assert!(dynamic_error(&format!("pipeline.max-parallelism={text}")).contains("between 1 and 32768"));
    }
}

#[test]
fn the_buffer_timeout_knows_each_record_and_full_batches_only() {
    let timeout = |text: &str| from_file(&format!("execution.buffer-timeout: {text}\n")).get(&BUFFER_TIMEOUT);
    assert_eq!(timeout("0"), Ok(BufferTimeout::EachRecord));
    assert_eq!(timeout("0 ms"), Ok(BufferTimeout::EachRecord));
    assert_eq!(timeout("-1"), Ok(BufferTimeout::WhenFull));
    assert_eq!(timeout("disabled"), Ok(BufferTimeout::WhenFull));
    assert_eq!(timeout("5 ms"), Ok(BufferTimeout::After(Duration::from_millis(5))));
    assert!(dynamic_error("execution.buffer-timeout=-2").contains("or '-1' for full batches only"));
}

#[test]
fn a_flink_1_13_key_works_with_a_warning() {
    let config = from_file("state.backend: rocksdb\nparallelism.default: 2\n");
    assert_eq!(config.get(&STATE_BACKEND).as_deref(), Ok("rocksdb"));
    let warnings: Vec<String> = config.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        ["configuration key 'state.backend' in flott.yaml:1 is deprecated; write 'state.backend.type'"]
    );
}

#[test]
fn two_spellings_with_different_values_in_one_layer_are_refused() {
    assert_eq!(
        file_error("state.backend: hashmap\nstate.backend.type: rocksdb\n"),
        "configuration keys 'state.backend' and 'state.backend.type' mean the same option, but have the values \
         'hashmap' (in flott.yaml:1) and 'rocksdb' (in flott.yaml:2): remove one"
    );
    let mut config = Configuration::new();
    config.set_dynamic("state.backend=hashmap").unwrap();
    assert!(config.set_dynamic("state.backend.type=rocksdb").is_err());
    assert_eq!(config.get(&STATE_BACKEND).as_deref(), Ok("hashmap"));
}

#[test]
fn two_spellings_with_the_same_value_are_fine() {
    let config = from_file("execution.buffer-timeout: 200ms\nexecution.buffer-timeout.interval: PT0.2S\n");
    assert_eq!(config.get(&BUFFER_TIMEOUT), Ok(BufferTimeout::After(Duration::from_millis(200))));
}

#[test]
fn the_same_key_nested_and_dotted_with_different_values_is_refused() {
    assert!(file_error("parallelism.default: 1\nparallelism:\n  default: 2\n").contains("remove one"));
}

#[test]
fn the_last_of_equal_command_line_keys_and_the_last_file_count() {
    let mut config = Configuration::new();
    config.set_dynamic("parallelism.default=2").unwrap().set_dynamic(" parallelism.default = 3 ").unwrap();
    assert_eq!(config.get(&PARALLELISM), Ok(3));

    let mut config = from_file("parallelism.default: 2\npipeline.name: a=b\n");
    config.load_file_text("more.yaml", "parallelism.default: 5\n").unwrap();
    assert_eq!(config.get(&PARALLELISM), Ok(5));
    assert_eq!(config.get(&PIPELINE_NAME).as_deref(), Ok("a=b"));
}

#[test]
fn a_command_line_setting_without_key_or_equals_sign_is_refused() {
    assert_eq!(
        dynamic_error("parallelism.default"),
        "'parallelism.default' is no configuration setting: write -D key=value"
    );
    assert!(dynamic_error("=2").contains("write -D key=value"));
}

#[test]
fn a_required_option_that_is_not_set_is_named() {
    assert_eq!(
        Configuration::new().get(&PIPELINE_NAME).unwrap_err(),
        ConfigError::Missing { key: "pipeline.name" }
    );
}
