//! What the kernel is told of the memory of large tables: to back it with huge pages, and to take it back.
//!
//! A look-up in a table of hundreds of megabytes misses the TLB each time when pages have 4 KiB, and the page walk costs
//! as much as the cache miss that prefetching hides.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use rustix::mm::Advice;

/// Allocations from this size on are worth the call.
const WORTHWHILE_BYTES: usize = 256 * 1024;

/// Allocations from this size on are given back at once. The kernel clears what it gives out anew, which smaller tables,
/// as they grow often, would pay for each time.
const RELEASED_BYTES: usize = 1024 * 1024;

/// The size of a page, to which the advice is aligned; larger pages only make it cover less.
const PAGE_BYTES: usize = 4096;

/// Asks for huge pages behind `memory`, which has not been touched yet. Nothing happens where there are none.
pub(crate) fn advise<T>(memory: &mut [MaybeUninit<T>]) {
    if size_of_val(memory) >= WORTHWHILE_BYTES {
        madvise(memory, Advice::LinuxHugepage);
    }
}

/// Gives back the pages behind `memory`, which is about to be freed. An allocator keeps them for a while, and all tables
/// of a state grow at about the same time: the old arrays of all would count until then.
pub(crate) fn release<T>(memory: &mut [MaybeUninit<T>]) {
    if size_of_val(memory) >= RELEASED_BYTES {
        madvise(memory, Advice::LinuxDontNeed);
    }
}

fn madvise<T>(memory: &mut [MaybeUninit<T>], advice: Advice) {
    let bytes = size_of_val(memory);
    let start = memory.as_mut_ptr().cast::<u8>();
    let skip = start.align_offset(PAGE_BYTES).min(bytes);
    let len = (bytes - skip) / PAGE_BYTES * PAGE_BYTES;
    // SAFETY: the range lies inside `memory`, as `skip` is below a page and `len` is cut to what is left. Nothing in it
    // is initialized, so there is no content to be lost. The mapping stays; if the call fails, nothing has changed.
    let _ = unsafe { rustix::mm::madvise(start.add(skip).cast(), len, advice) };
}
