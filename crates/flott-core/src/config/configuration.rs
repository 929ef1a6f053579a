//! The values of a job's or process's options, in layers.

use std::collections::BTreeMap;

use super::{
    AnyOption, ConfigError, ConfigOption, ConfigValue, Origin, Warning, keys, suggest::nearest_key, yaml,
};

#[cfg(test)]
mod tests;

/// Values of options, each from the first of these that sets it: code, command line, file, default.
///
/// The layers may be filled in any order. Values are checked as they come in; a call that fails changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    code: Layer,
    command_line: Layer,
    file: Layer,
    warnings: Vec<Warning>,
}

/// The settings of one layer, by preferred key.
type Layer = BTreeMap<&'static str, Setting>;

/// A value with what is known about its coming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key as it was written, which may be an older spelling.
    pub key: String,
    /// The value as it was written.
    pub text: String,
    /// Where it was written.
    pub origin: Origin,
}

impl Configuration {
    /// A configuration in which every option has its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value in code, which overrides every other layer.
    ///
    /// # Errors
    /// [`ConfigError::InvalidValue`] if the option doesn't accept the value.
    pub fn set<T: ConfigValue>(
        &mut self,
        option: &ConfigOption<T>,
        value: T,
    ) -> Result<&mut Self, ConfigError> {
        let setting = Setting { key: option.key().to_owned(), text: value.render(), origin: Origin::Code };
        option.canonical(&setting.text).map_err(|accepted| setting.refused(accepted))?;
        self.code.insert(option.key(), setting);
        Ok(self)
    }

    /// Takes a `key=value` of the command line. Of two settings under the same key the later counts.
    ///
    /// # Errors
    /// If the text has no `=` or no key, the key is unknown, the value is not accepted, or the option was already
    /// given a different value under another spelling of its key.
    pub fn set_dynamic(&mut self, assignment: &str) -> Result<&mut Self, ConfigError> {
        let (key, text) = assignment
            .split_once('=')
            .map(|(key, text)| (key.trim(), text.trim()))
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| ConfigError::NotAnAssignment { text: assignment.to_owned() })?;
        let setting = Setting { key: key.to_owned(), text: text.to_owned(), origin: Origin::CommandLine };
        let option = setting.checked_option()?;
        if let Some(earlier) =
            self.command_line.get(option.key()).filter(|earlier| earlier.key != setting.key)
        {
            earlier.must_equal(&setting, option)?;
        }
        self.warn_if_deprecated(option, &setting);
        self.command_line.insert(option.key(), setting);
        Ok(self)
    }

    /// Takes the text of a configuration file: YAML with nested or dotted keys, which Flink's flat `key: value`
    /// lines are too. The entries of a list are joined by `;`. A later file overrides an earlier one.
    ///
    /// # Errors
    /// If the text isn't YAML or isn't a mapping to plain values, a key is unknown, a value is not accepted, or an
    /// option has two different values.
    pub fn load_file_text(&mut self, name: &str, text: &str) -> Result<&mut Self, ConfigError> {
        let mut layer = Layer::new();
        let mut read = Vec::new();
        for setting in yaml::settings(name, text)? {
            let option = setting.checked_option()?;
            if let Some(earlier) = layer.get(option.key()) {
                earlier.must_equal(&setting, option)?;
            }
            layer.insert(option.key(), setting.clone());
            read.push((option, setting));
        }
        for (option, setting) in &read {
            self.warn_if_deprecated(*option, setting);
        }
        self.file.append(&mut layer);
        Ok(self)
    }

    /// The value of an option that has a default or must be set.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] if it is not set and has no default.
    pub fn get<T: ConfigValue>(&self, option: &ConfigOption<T>) -> Result<T, ConfigError> {
        self.get_optional(option)?.ok_or(ConfigError::Missing { key: option.key() })
    }

    /// The value of an option, `None` if it is not set and has no default.
    ///
    /// # Errors
    /// [`ConfigError::InvalidValue`] if the default isn't a value of the option.
    pub fn get_optional<T: ConfigValue>(&self, option: &ConfigOption<T>) -> Result<Option<T>, ConfigError> {
        self.setting(option)
            .map(|setting| option.parse(&setting.text).map_err(|accepted| setting.refused(accepted)))
            .transpose()
    }

    /// Where the value of an option comes from.
    pub fn origin<T: ConfigValue>(&self, option: &ConfigOption<T>) -> Origin {
        self.setting(option).map_or(Origin::Default, |setting| setting.origin)
    }

    /// The effective setting of an option with its text and origin; `None` if it is not set and has no default.
    pub fn setting(&self, option: &dyn AnyOption) -> Option<Setting> {
        let layers = [&self.code, &self.command_line, &self.file];
        layers.iter().find_map(|layer| layer.get(option.key())).cloned().or_else(|| {
            let (key, origin) = (option.key().to_owned(), Origin::Default);
            option.default_text().map(|text| Setting { key, text: text.to_owned(), origin })
        })
    }

    /// The older spellings that were met, in the order of loading.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn warn_if_deprecated(&mut self, option: &dyn AnyOption, setting: &Setting) {
        if setting.key != option.key() {
            self.warnings.push(Warning::DeprecatedKey {
                used: setting.key.clone(),
                preferred: option.key(),
                origin: setting.origin.clone(),
            });
        }
    }
}

impl Setting {
    /// The option that the key names, if it accepts the value.
    fn checked_option(&self) -> Result<&'static dyn AnyOption, ConfigError> {
        let option = keys::find(&self.key).ok_or_else(|| ConfigError::UnknownKey {
            key: self.key.clone(),
            origin: self.origin.clone(),
            suggestion: nearest_key(&self.key),
        })?;
        option.canonical(&self.text).map_err(|accepted| self.refused(accepted))?;
        Ok(option)
    }

    fn must_equal(&self, later: &Self, option: &dyn AnyOption) -> Result<(), ConfigError> {
        if option.canonical(&self.text) == option.canonical(&later.text) {
            return Ok(());
        }
        let (first, second) = (Box::new(self.clone()), Box::new(later.clone()));
        Err(ConfigError::ConflictingValues { first, second })
    }

    fn refused(&self, accepted: String) -> ConfigError {
        let (key, value, origin) = (self.key.clone(), self.text.clone(), self.origin.clone());
        ConfigError::InvalidValue { key, value, origin, accepted }
    }
}
