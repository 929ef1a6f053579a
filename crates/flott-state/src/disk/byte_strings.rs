//! Many short byte strings in one piece of memory.

/// A list of byte strings, appended one after the other.
#[derive(Clone, Debug, Default)]
pub struct ByteStrings {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl ByteStrings {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of all together.
    pub fn total_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The string with this number; the empty one behind the end.
    pub fn get(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// All in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Appends a string.
    pub fn push(&mut self, string: &[u8]) {
        self.bytes.extend_from_slice(string);
        self.ends.push(self.bytes.len());
    }

    /// Appends the string that `write` appends to the vector it gets; none at all if it fails.
    ///
    /// # Errors
    /// That of `write`.
    pub fn push_with<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let start = self.bytes.len();
        let written = write(&mut self.bytes);
        match &written {
            Ok(()) => self.ends.push(self.bytes.len()),
            Err(_) => self.bytes.truncate(start),
        }
        written
    }

    /// Takes all out, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Entries to be set and removed.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    keys: ByteStrings,
    values: ByteStrings,
    is_removal: Vec<bool>,
    /// In which order they are done.
    order: Vec<u32>,
}

impl Writes {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The bytes of keys and values together.
    pub fn total_bytes(&self) -> usize {
        self.keys.total_bytes() + self.values.total_bytes()
    }

    /// The keys and their new values in order; `None` for those to be removed.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], Option<&[u8]>)> {
        self.order.iter().map(|&index| {
            let index = index as usize;
            let value = (!self.is_removal[index]).then(|| self.values.get(index));
            (self.keys.get(index), value)
        })
    }

    /// Adds a write: `key` appends the key, `value` the new value and returns `true`, or `false` to remove what is there. No
    /// key is added twice.
    ///
    /// # Errors
    /// Those of the two; nothing is added then.
    pub fn push_with<E>(
        &mut self,
        key: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
        value: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut is_set = false;
        self.values.push_with(|bytes| {
            let start = bytes.len();
            is_set = value(bytes)?;
            if !is_set {
                bytes.truncate(start);
            }
            self.keys.push_with(key)
        })?;
        self.is_removal.push(!is_set);
        self.order.push(self.order.len() as u32);
        Ok(())
    }

    /// Puts them into the order of the keys.
    pub fn sort(&mut self) {
        let Self { keys, order, .. } = self;
        order.sort_unstable_by(|&a, &b| keys.get(a as usize).cmp(keys.get(b as usize)));
    }

    /// Takes all out, and keeps the memory.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.values.clear();
        self.is_removal.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests;
