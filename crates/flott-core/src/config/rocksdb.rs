//! What can be chosen for the RocksDB state backend.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::checkpointing::named;
use super::value::EnumValue;

named! {
    /// A set of RocksDB options for a kind of disk (Flink: `PredefinedOptions`).
    RocksDbProfile {
        /// RocksDB's own.
        Default = "DEFAULT",
        /// For disks that turn.
        SpinningDisk = "SPINNING_DISK_OPTIMIZED",
        /// For disks that turn, with larger blocks and files and filters on all of them, for which more memory pays.
        SpinningDiskHighMemory = "SPINNING_DISK_OPTIMIZED_HIGH_MEM",
        /// For solid-state disks.
        FlashSsd = "FLASH_SSD_OPTIMIZED",
    }

    /// Where a backend on disk keeps timers (Flink: `PriorityQueueStateType`).
    TimerServiceKind {
        /// In memory.
        Heap = "HEAP",
    }
}
