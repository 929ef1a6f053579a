//! Namespaces: what divides the state of one key further, such as its windows.

use flott_core::Data;

/// The second half of the address of keyed state (Flink: `namespace`): `()` for a user's own state, the window for
/// window contents and window timers.
pub trait Namespace: Data + Eq {
    /// Mixes this namespace into the place of a key, so that the namespaces of one key spread over its table.
    ///
    /// Equal namespaces must mix equally. The result stays in memory and may change between versions.
    fn mix(&self, place: u64) -> u64;
}

impl Namespace for () {
    #[inline(always)]
    fn mix(&self, place: u64) -> u64 {
        place
    }
}

impl Namespace for i64 {
    #[inline]
    fn mix(&self, place: u64) -> u64 {
        mix_word(place, *self as u64)
    }
}

impl<A: Namespace, B: Namespace> Namespace for (A, B) {
    #[inline]
    fn mix(&self, place: u64) -> u64 {
        self.1.mix(self.0.mix(place))
    }
}

/// Mixes one word of a namespace into a place: the building block for [`Namespace::mix`].
#[inline]
pub const fn mix_word(place: u64, word: u64) -> u64 {
    // Both halves of a 128-bit product, so that low bits of the word reach the high bits of the place and back.
    let product = (place ^ 0x9e37_79b9_7f4a_7c15) as u128 * (word ^ 0xd1b5_4a32_d192_ed03) as u128;
    (product >> 64) as u64 ^ product as u64
}
