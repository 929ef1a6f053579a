//! Where encoded bytes go: into a vector, into a few bytes in place, or nowhere but a count.

/// Width of a length or count.
pub(super) const LEN_BYTES: usize = size_of::<u32>();

/// Receives encoded bytes.
pub(super) trait Sink {
    /// Appends `bytes`.
    fn put(&mut self, bytes: &[u8]);

    /// The number of bytes before the next one.
    fn len(&self) -> usize;

    /// Overwrites the length or count at `at`, put there before, with `count`.
    fn patch(&mut self, at: usize, count: u32);
}

impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn len(&self) -> usize {
        self.len()
    }

    #[inline]
    fn patch(&mut self, at: usize, count: u32) {
        self[at..at + LEN_BYTES].copy_from_slice(&count.to_le_bytes());
    }
}

/// Counts the bytes and forgets them.
#[derive(Default)]
pub(super) struct Counter(usize);

impl Sink for Counter {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    #[inline]
    fn len(&self) -> usize {
        self.0
    }

    #[inline]
    fn patch(&mut self, _at: usize, _count: u32) {}
}

/// Keeps an encoding of up to `N` bytes in place; of a longer one only the length is of use.
pub(crate) struct Short<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Short<N> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    /// The encoding, unless it is too long.
    #[inline]
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.bytes.get(..self.len)
    }
}

impl<const N: usize> Sink for Short<N> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
            room.copy_from_slice(bytes);
        }
        self.len += bytes.len();
    }

    #[inline]
    fn len(&self) -> usize {
        self.len
    }

    #[inline]
    fn patch(&mut self, at: usize, count: u32) {
        if let Some(place) = self.bytes.get_mut(at..at + LEN_BYTES) {
            place.copy_from_slice(&count.to_le_bytes());
        }
    }
}
