//! The checksum of everything on disk: the CRC-32 of zlib and Ethernet.
//!
//! crc32fast computes it, but for modules that browsers load: it brings tables of 16 KiB, which do not compress and would be a twentieth of the module.

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub use crc32fast::{Hasher, hash};
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub use small::{Hasher, hash};

#[cfg(any(test, all(target_family = "wasm", target_os = "unknown")))]
mod small;
