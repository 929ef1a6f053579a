//! Percent signs in `file:` URLs.

use std::borrow::Cow;

/// A path as it stands in a URL. Whatever else a URL may not hold is left as it is, to be read by people.
pub(super) fn encode(path: &str) -> Cow<'_, str> {
    if path.contains('%') { Cow::Owned(path.replace('%', "%25")) } else { Cow::Borrowed(path) }
}

/// The path that a URL names.
pub(super) fn decode(path: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let byte = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = byte.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = byte.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or(
            "a percent sign in a file URL is followed by two hex digits; write %25 for the sign itself",
        )?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| "the escaped bytes in it are not UTF-8")
}

#[cfg(test)]
mod tests;
