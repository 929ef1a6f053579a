//! Which known key a misspelled one probably means.

use super::keys;

#[cfg(test)]
mod tests;

/// Longer keys are no misspelling of ours, and comparing them costs time that grows with their length.
const LONGEST_KEY_BYTES: usize = 128;

/// The preferred spelling of the known key nearest to `key`, if one is near: at most one edit in five characters,
/// and always two.
pub(super) fn nearest_key(key: &str) -> Option<&'static str> {
    if key.len() > LONGEST_KEY_BYTES {
        return None;
    }
    let allowed = (key.chars().count() / 5).max(2);
    let key = key.to_ascii_lowercase();
    keys::ALL
        .iter()
        .flat_map(|option| {
            let older = option.deprecated_keys().iter().copied();
            std::iter::once(option.key()).chain(older).map(|spelling| (spelling, option.key()))
        })
        .map(|(spelling, preferred)| (strsim::damerau_levenshtein(&key, spelling), preferred))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, preferred)| preferred)
}
