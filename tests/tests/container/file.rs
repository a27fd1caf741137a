//! The file below: how often it is read, and answers that are odd.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use driftdb_core::storage::Store;
use driftdb_core::{Code, Result};
use driftdb_wasm::container::{Container, File};

/// A file in memory that counts its reads and answers as it is told.
#[derive(Clone, Default)]
struct OddFile {
    bytes: Rc<RefCell<Vec<u8>>>,
    reads: Rc<Cell<(u64, u64)>>,
    odd: Rc<Cell<Option<usize>>>,
}

impl File for OddFile {
    fn size(&self) -> Result<u64> {
        Ok(self.bytes.borrow().len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let (calls, total) = self.reads.get();
        self.reads.set((calls + 1, total + buf.len() as u64));
        let bytes = self.bytes.borrow();
        let start = (offset as usize).min(bytes.len());
        let count = buf.len().min(bytes.len() - start);
        buf[..count].copy_from_slice(&bytes[start..start + count]);
        Ok(count)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<usize> {
        let count = self
            .odd
            .get()
            .map_or(bytes.len(), |odd| odd.min(bytes.len()));
        let mut all = self.bytes.borrow_mut();
        let end = offset as usize + count;
        let len = all.len().max(end);
        all.resize(len, 0);
        all[offset as usize..end].copy_from_slice(&bytes[..count]);
        Ok(self.odd.get().unwrap_or(bytes.len()))
    }

    fn truncate(&self, len: u64) -> Result<()> {
        self.bytes.borrow_mut().resize(len as usize, 0);
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }
}

#[test]
fn odd_answers_of_a_write_are_errors() {
    for (odd, code) in [
        (0, Code::StorageFull),
        (3, Code::StorageFull),
        (4_294_967_288, Code::Io),
    ] {
        let file = OddFile::default();
        let container = Container::open(Box::new(file.clone()), "db").unwrap();
        let mut blob = container.create("a").unwrap();
        blob.append(0, b"kept and synced").unwrap();
        blob.sync().unwrap();
        let before = file.size().unwrap();
        file.odd.set(Some(odd));
        assert_eq!(blob.append(15, b" and not").unwrap_err().code(), code);
        assert_eq!(container.replace("b", b"not").unwrap_err().code(), code);
        assert_eq!(container.read("a").unwrap().unwrap(), b"kept and synced");
        assert_eq!(file.size().unwrap(), before);
        file.odd.set(None);
        // After a failed write of the catalogue nothing is written any more.
        assert_eq!(blob.append(15, b"x").unwrap_err().code(), Code::Latched);
        let again = Container::open(Box::new(file), "db").unwrap();
        // The write of the odd answer may have happened.
        let replaced = again.read("b").unwrap();
        assert!(replaced.is_none() || odd > 3 && replaced.unwrap() == b"not");
        assert_eq!(again.read("a").unwrap().unwrap(), b"kept and synced");
    }
}

/// 100 tables of 50 files: opening reads the first page and the catalogue, and nothing else.
#[test]
fn five_thousand_blobs_open_with_two_reads() {
    let file = OddFile::default();
    let container = Container::open(Box::new(file.clone()), "db").unwrap();
    for table in 0..100 {
        for index in 0..50 {
            let mut blob = container
                .create(&format!(
                    "tables/table{table}/indexes/customer_id.{index}.idx"
                ))
                .unwrap();
            blob.append(0, b"a run of an index").unwrap();
            blob.sync().unwrap();
        }
    }
    drop(container);
    let len = file.size().unwrap();
    file.reads.set((0, 0));
    let container = Container::open(Box::new(file.clone()), "db").unwrap();
    let (calls, bytes) = file.reads.get();
    assert_eq!(calls, 2);
    println!("5,000 blobs: {bytes} bytes read at the opening, the file has {len}");
    assert!(bytes < 2 << 20, "{bytes}");
    assert_eq!(container.list("tables").unwrap().len(), 100);
    assert_eq!(container.list("tables/table7/indexes").unwrap().len(), 50);
}
