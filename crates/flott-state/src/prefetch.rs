//! Asking the processor to load a cache line before it is needed.
#![allow(unsafe_code)]

/// Starts loading the cache line at which `target` begins; does nothing on processors other than x86-64 and AArch64.
///
/// A hint only: it reads and writes nothing that the program can observe.
#[inline(always)]
pub(crate) fn prefetch<T>(target: &T) {
    let address = std::ptr::from_ref(target);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch never faults, whatever the address, and SSE is part of every x86-64 processor.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: `prfm` never faults, whatever the address, and changes neither memory, flags nor stack.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{0}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}
