//! A hint to back large tables with huge pages.
//!
//! A look-up in a table of hundreds of megabytes misses the TLB each time when pages have 4 KiB, and the page walk costs
//! as much as the cache miss that prefetching hides.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

/// Allocations from this size on are worth the call.
const WORTHWHILE_BYTES: usize = 256 * 1024;

/// The size of a page, to which the advice is aligned; larger pages only make it cover less.
const PAGE_BYTES: usize = 4096;

/// Asks for huge pages behind `memory`, which has not been touched yet. Nothing happens where there are none.
pub(crate) fn advise<T>(memory: &mut [MaybeUninit<T>]) {
    let bytes = size_of_val(memory);
    if bytes < WORTHWHILE_BYTES {
        return;
    }
    let start = memory.as_mut_ptr().cast::<u8>();
    let skip = start.align_offset(PAGE_BYTES);
    let len = (bytes - skip) / PAGE_BYTES * PAGE_BYTES;
    // SAFETY: the range lies inside `memory`, as `skip` is below a page and `len` is cut to what is left. The advice
    // changes neither contents nor mapping, only how the kernel backs the pages; if it fails, nothing has changed.
    let _ = unsafe { rustix::mm::madvise(start.add(skip).cast(), len, rustix::mm::Advice::LinuxHugepage) };
}
