//! The bytes under which an entry is stored: its key group, big-endian so that groups come in order, then key and
//! namespace in [format 1](flott_core::encoding).

use flott_core::{
    Key,
    encoding::{EncodeError, encode},
    key_group::key_place,
};

use crate::namespace::Namespace;

/// How many bytes tell the key group.
pub(crate) const GROUP_BYTES: usize = 2;

/// What the keys of one key group begin with. There are at most 32,768 groups.
pub(crate) const fn group_prefix(group: u32) -> [u8; GROUP_BYTES] {
    (group as u16).to_be_bytes()
}

/// The key group of a stored key, and the rest of it.
pub(crate) fn split_group(key: &[u8]) -> Option<(u32, &[u8])> {
    let (group, rest) = key.split_first_chunk::<GROUP_BYTES>()?;
    Some((u32::from(u16::from_be_bytes(*group)), rest))
}

/// Writes the keys of entries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyWriter {
    pub(crate) max_parallelism: u32,
}

impl KeyWriter {
    /// Appends the bytes of a key whose hash is known.
    pub(crate) fn write<K: Key, N: Namespace>(
        self,
        hash: u64,
        key: &K,
        namespace: &N,
        into: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let group = key_place(hash, self.max_parallelism).group;
        Self::write_in(group, key, namespace, into)
    }

    /// Appends the bytes of a key of this group.
    pub(crate) fn write_in<K: Key, N: Namespace>(
        group: u32,
        key: &K,
        namespace: &N,
        into: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        into.extend_from_slice(&group_prefix(group));
        encode(key, into)?;
        encode(namespace, into)
    }
}
