//! Looking at the entries of a table one by one, and taking out some of them.

use super::{Table, tag_of};
use crate::{disk::Visit, namespace::Namespace};

impl<K: Eq + Clone, N: Namespace, V> Table<K, N, V> {
    /// The bytes of a slot.
    pub(crate) const SLOT_BYTES: usize = size_of::<Option<super::Slot<K, N, V>>>();

    /// Shows the entries from slot `at` on to `visit`, which may change them and says whether they stay. Moves `at` to the slot
    /// to go on with, beyond the end once all have been seen. No snapshot may be owed any of them.
    pub(crate) fn visit<E>(
        &mut self,
        at: &mut usize,
        mut visit: impl FnMut(&K, &N, &mut V) -> Result<Visit, E>,
    ) -> Result<(), E> {
        while let Some(slot) = self.slots.get_mut(*at) {
            let Some(entry) = slot else {
                *at += 1;
                continue;
            };
            let Visit { stays, goes_on } = visit(&entry.key, &entry.namespace, &mut entry.value)?;
            if stays {
                *at += 1;
            } else {
                // Another entry may move into the slot, so it is looked at again.
                *slot = None;
                self.len -= 1;
                self.close_hole(*at);
            }
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// Shows the entries whose places are like this one to `visit`.
    pub(crate) fn each_at(&mut self, place: u64, mut visit: impl FnMut(&K, &mut V)) {
        let tag = tag_of(place);
        let home = self.home(tag);
        let (wrapped, unwrapped) = self.slots.split_at_mut(home.min(self.slots.len()));
        for slot in unwrapped.iter_mut().chain(wrapped) {
            match slot {
                Some(slot) if slot.tag == tag => visit(&slot.key, &mut slot.value),
                Some(_) => {}
                None => return,
            }
        }
    }
}
