//! What the documentation says about the code, where a test can tell.

use anyhow::{Context, Result, ensure};
use flott_core::config::{AnyOption, keys};

#[test]
fn every_configuration_key_is_documented() -> Result<()> {
    let page = include_str!("../../docs/configuration.md");
    for option in keys::ALL {
        let key = option.key();
        let begin = format!("| `{key}` |");
        let row = page.lines().find(|line| line.starts_with(&begin)).context(key)?;
        for older in option.deprecated_keys() {
            ensure!(row.contains(&format!("`{older}`")), "{key}: the older spelling {older} is missing");
        }
        // Without a setting, an environment takes the number of cores and not Flink's default.
        let default = option.default_text().filter(|_| key != keys::PARALLELISM.key());
        if let Some(default) = default {
            ensure!(row.contains(&format!("| `{default}` |")), "{key}: the default {default} is missing");
        }
    }
    Ok(())
}

#[test]
fn no_configuration_key_is_documented_that_does_not_exist() -> Result<()> {
    let page = include_str!("../../docs/configuration.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    for (key, _) in rows {
        ensure!(keys::find(key).is_some(), "there is no key {key}");
    }
    Ok(())
}
