//! A value in the cache.

/// What an entry is, and what of it the store knows.
pub(crate) struct Cached<V> {
    /// `None` for an entry that is known not to be.
    value: Option<V>,
    /// What it takes beside its slot.
    owned_bytes: u32,
    /// Whether the store holds something else.
    pub(super) is_dirty: bool,
    /// Whether the store holds something under this key.
    pub(super) is_stored: bool,
    /// Whether it was accessed since the clock's hand came by.
    pub(crate) is_used: bool,
    /// Whether `owned_bytes` is to be measured anew.
    pub(super) is_unmeasured: bool,
}

impl<V> Cached<V> {
    /// An entry as the store has it.
    pub(super) const fn stored(value: Option<V>) -> Self {
        let is_stored = value.is_some();
        Self { value, owned_bytes: 0, is_dirty: false, is_stored, is_used: true, is_unmeasured: false }
    }

    /// An entry that is about to be written, of which the store may have another.
    pub(super) const fn written(is_stored: bool) -> Self {
        let value = None;
        Self { value, owned_bytes: 0, is_dirty: true, is_stored, is_used: true, is_unmeasured: false }
    }

    pub(crate) const fn value(&self) -> Option<&V> {
        self.value.as_ref()
    }

    /// The value, or what is to become it, for writing.
    pub(super) const fn value_mut(&mut self) -> &mut Option<V> {
        self.is_dirty = true;
        &mut self.value
    }

    /// Whether the store has to be told something.
    pub(crate) const fn is_owed(&self) -> bool {
        self.is_dirty && (self.value.is_some() || self.is_stored)
    }

    /// The store has been told all.
    pub(crate) const fn was_written(&mut self) {
        self.is_stored = self.value.is_some();
        self.is_dirty = false;
    }

    pub(crate) const fn owned_bytes(&self) -> usize {
        self.owned_bytes as usize
    }

    pub(super) fn set_owned_bytes(&mut self, bytes: usize) {
        self.owned_bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.is_unmeasured = false;
    }
}
