//! Every option there is. One entry below adds a key: to validation, to suggestions, to the documentation.

use std::time::Duration;

use super::{
    AnyOption, BufferTimeout, ConfigOption, MaxParallelism,
    parallelism::{PARALLELISM_RANGE, is_parallelism},
};

#[cfg(test)]
mod tests;

/// Declares the options and the list of them all, `NAME: type = key, description, …the rest of the builder;`.
macro_rules! options {
    ($($name:ident: $ty:ty = $key:literal, $description:literal $(.$method:ident($($arg:expr),*))*;)*) => {
        $(
            #[doc = concat!("`", $key, "`: ", $description)]
            pub static $name: ConfigOption<$ty> =
                ConfigOption::new($key, $description)$(.$method($($arg),*))*;
        )*

        /// All options, in the order in which the documentation lists them.
        pub static ALL: &[&dyn AnyOption] = &[$(&$name),*];
    };
}

options! {
    PARALLELISM: u32 = "parallelism.default", "Parallelism of operators that set none."
        .default("1").rule(PARALLELISM_RANGE, |n| is_parallelism(*n));

    MAX_PARALLELISM: MaxParallelism = "pipeline.max-parallelism",
        "Number of key groups of operators that set none: the most subtasks they can ever be rescaled to; -1 derives it from the parallelism."
        .default("-1");

    PIPELINE_NAME: String = "pipeline.name", "Name of the job, where the program gives none.";

    OPERATOR_CHAINING: bool = "pipeline.operator-chaining.enabled",
        "Whether operators that can be are chained into one task."
        .default("true").deprecated(&["pipeline.operator-chaining"]);

    INLINE_EXCHANGES: bool = "pipeline.inline-exchanges.enabled",
        "Whether an exchange between two operators of parallelism 1 is a call inside one task, instead of a queue between two threads."
        .default("true");

    AUTO_WATERMARK_INTERVAL: Duration = "pipeline.auto-watermark-interval",
        "Time between two periodic watermarks of a source; 0 switches them off."
        .default("200 ms");

    ALLOW_UNALIGNED_SOURCE_SPLITS: bool = "pipeline.watermark-alignment.allow-unaligned-source-splits",
        "Whether a source that can't pause single splits may be part of a watermark alignment although a subtask of it reads several."
        .default("false");

    BUFFER_TIMEOUT: BufferTimeout = "execution.buffer-timeout.interval",
        "Longest time that a record waits in a batch that is not full; 0 sends each record at once, -1 only full batches."
        .default("100 ms").deprecated(&["execution.buffer-timeout"]);

    STATE_BACKEND: String = "state.backend.type", "Name of the state backend that holds keyed state."
        .default("hashmap").deprecated(&["state.backend"]);
}

/// The option that `key` names, by its preferred or an older spelling.
pub fn find(key: &str) -> Option<&'static dyn AnyOption> {
    ALL.iter().copied().find(|option| option.key() == key || option.deprecated_keys().contains(&key))
}
