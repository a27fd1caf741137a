//! [`Source`]: a file or standard input, buffered, that counts what is read.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use crate::errors::{Failure, Result};

/// The bytes of one input.
pub struct Source {
    reader: BufReader<Counted>,
    name: String,
    size: Option<u64>,
    count: Rc<Cell<u64>>,
}

impl Source {
    /// Opens a file; `-` is standard input.
    pub fn open(path: &Path) -> Result<Source> {
        if path == Path::new("-") {
            let stdin = Box::new(io::stdin());
            return Ok(Source::new(stdin, "standard input".into(), None));
        }
        let fails = |error| Failure::file("open", path, &error);
        let file = File::open(path).map_err(fails)?;
        let data = file.metadata().map_err(fails)?;
        if data.is_dir() {
            return Err(fails(io::ErrorKind::IsADirectory.into()));
        }
        let size = data.is_file().then_some(data.len());
        Ok(Source::new(
            Box::new(file),
            path.display().to_string(),
            size,
        ))
    }

    fn new(inner: Box<dyn Read>, name: String, size: Option<u64>) -> Self {
        let count = Rc::<Cell<u64>>::default();
        let counted = Counted {
            inner,
            count: Rc::clone(&count),
        };
        let reader = BufReader::with_capacity(256 << 10, counted);
        Source {
            reader,
            name,
            size,
            count,
        }
    }

    /// The bytes of a text, for tests.
    #[cfg(test)]
    pub fn text(text: impl Into<Vec<u8>>) -> Source {
        let bytes = io::Cursor::new(text.into());
        Source::new(Box::new(bytes), "test".into(), None)
    }

    /// What to call it in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file's size, if it has one.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// How many bytes have been read so far.
    pub fn bytes(&self) -> u64 {
        self.count.get()
    }

    /// The buffered bytes that come next; none at the end.
    pub fn fill(&mut self) -> Result<&[u8]> {
        while let Err(error) = self.reader.fill_buf() {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(self.failure(&error));
            }
        }
        Ok(self.reader.buffer())
    }

    /// Marks buffered bytes as read.
    pub fn consume(&mut self, count: usize) {
        self.reader.consume(count);
    }

    /// Everything that is left, as text.
    pub fn read_text(mut self) -> Result<String> {
        let mut text = String::new();
        match self.reader.read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// The failure of reading it.
    pub fn failure(&self, error: &io::Error) -> Failure {
        Failure::file("read", Path::new(&self.name), error)
    }
}

impl Read for Source {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buf)
    }
}

struct Counted {
    inner: Box<dyn Read>,
    count: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}
