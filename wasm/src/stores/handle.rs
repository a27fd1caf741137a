//! The file under a container, through what JavaScript hands in: a synchronous access handle of a browser's private filesystem.

use driftdb_core::Result;
use wasm_bindgen::prelude::*;

use super::files::{Context, Thrown, number, whole};
use crate::container::File;

#[wasm_bindgen]
extern "C" {
    /// js/platform/opfs.ts. Each method throws a text: a code, a line feed, a message.
    pub type Handle;

    #[wasm_bindgen(method, catch)]
    fn size(this: &Handle) -> Thrown<f64>;
    #[wasm_bindgen(method, catch)]
    fn read(this: &Handle, offset: f64, buf: &mut [u8]) -> Thrown<f64>;
    #[wasm_bindgen(method, catch)]
    fn write(this: &Handle, offset: f64, bytes: &[u8]) -> Thrown<f64>;
    #[wasm_bindgen(method, catch)]
    fn truncate(this: &Handle, len: f64) -> Thrown<()>;
    #[wasm_bindgen(method, catch)]
    fn flush(this: &Handle) -> Thrown<()>;
}

/// A file that is open exclusively.
pub struct HandleFile(pub Handle);

impl File for HandleFile {
    fn size(&self) -> Result<u64> {
        Ok(whole(self.0.size().context("")?))
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let count = self.0.read(number(offset), buf).context("")?;
        Ok(usize::try_from(whole(count)).unwrap_or(usize::MAX))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<usize> {
        // Browsers have been seen to answer 2^32 - 8: more than was to be written is for the container to refuse.
        let count = self.0.write(number(offset), bytes).context("")?;
        Ok(usize::try_from(whole(count)).unwrap_or(usize::MAX))
    }

    fn truncate(&self, len: u64) -> Result<()> {
        self.0.truncate(number(len)).context("")
    }

    fn flush(&self) -> Result<()> {
        self.0.flush().context("")
    }
}
