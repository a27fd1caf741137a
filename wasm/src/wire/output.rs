//! An answer as one buffer, read by js/wire/decode.ts, which describes the same layout.
//!
//! Little-endian words of 32 bits, then UTF-8 text:
//!
//! | words | |
//! |---|---|
//! | 0 | layout, 1 |
//! | 1 | kind: 0 rows, 1 written, 2 done |
//! | 2 | 1 if the shape 0 is the answer's columns |
//! | 3, 4 | seq, low and high half |
//! | 5, 6 | time in unix ms |
//! | 7, 8 | events written |
//! | 9 | how many rows |
//! | 10 | the word at which the rows' places start |
//! | 11 | the word at which the shapes start |
//! | 12 | the byte at which the text starts; it goes to the end of the buffer |
//! | 13 | where the names of the shapes start in the text, in UTF-16 units |
//!
//! Then the values. A value is a word, tag in its low 4 bits: null, false, true, an integer of 28 bits, two words of a double that is an
//! integer, of a double, of an i64, of a u64; a string with its length in UTF-16 units (strings stand in the text in the order of the values);
//! an array with its length and an object with its shape, whose values follow. A row's place is two words: its value's word and where its
//! strings start in the text. A shape is its number of names, then the length of each; the names stand in the text one after another.

use std::hash::Hasher;
use std::ops::Range;

use driftdb_core::flat::FlatMap;
use driftdb_core::time::{Seq, Timestamp};
use driftdb_core::value::{ObjectRef, Raw, Value, ValueRef};
use twox_hash::XxHash64;

const HEAD_WORDS: usize = 14;
const LAYOUT: u32 = 1;
/// The bytes of a buffer that say seq and time.
const MOMENT: Range<usize> = 12..28;
/// Integers below are doubles without loss.
const EXACT_MAX: u64 = 1 << 53;
const SMALL: i64 = 1 << 27;

mod tag {
    pub const NULL: u32 = 0;
    pub const FALSE: u32 = 1;
    pub const TRUE: u32 = 2;
    pub const SMALL: u32 = 3;
    pub const INTEGER: u32 = 4;
    pub const FLOAT: u32 = 5;
    pub const I64: u32 = 6;
    pub const U64: u32 = 7;
    pub const STRING: u32 = 8;
    pub const ARRAY: u32 = 9;
    pub const OBJECT: u32 = 10;
}

/// What an answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Rows.
    #[default]
    Rows,
    /// Events were written.
    Written,
    /// Something was done; a row says what.
    Done,
}

/// An answer being written.
#[derive(Default)]
pub struct Output {
    kind: Kind,
    seq: Seq,
    time: Timestamp,
    events: u64,
    has_columns: bool,
    words: Vec<u32>,
    places: Vec<u32>,
    text: Vec<u8>,
    /// Length of the text in UTF-16 units.
    units: usize,
    shapes: Shapes,
    /// The names of the objects that are being written, as [`Shapes`] knows them.
    names: Vec<u8>,
}

#[derive(Default)]
struct Shapes {
    /// A shape by its names, each with its length before it.
    known: FlatMap<Vec<u8>, u32>,
    count: u32,
    words: Vec<u32>,
    text: Vec<u8>,
}

/// The low 32 bits: lengths inside a buffer never have more.
#[allow(
    clippy::cast_possible_truncation,
    reason = "memory of a wasm module has 32-bit addresses"
)]
fn word(number: usize) -> u32 {
    number as u32
}

fn halves(number: u64) -> [u32; 2] {
    #[allow(clippy::cast_possible_truncation, reason = "the halves are meant")]
    [number as u32, (number >> 32) as u32]
}

/// Length in UTF-16 units.
fn units(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().map(char::len_utf16).sum()
    }
}

impl Output {
    /// Says of what kind the answer is and up to which event it holds.
    pub fn head(&mut self, kind: Kind, seq: Seq, time: Timestamp, events: u64) {
        (self.kind, self.seq, self.time, self.events) = (kind, seq, time, events);
    }

    /// Says the columns; before the first row.
    pub fn columns(&mut self, names: &[String]) {
        self.has_columns = true;
        self.names.clear();
        for name in names {
            push_name(name, &mut self.names);
        }
        self.shapes.number(&self.names);
        self.names.clear();
    }

    /// Makes it an empty answer, with the room that it has.
    pub fn reset(&mut self) {
        self.has_columns = false;
        self.clear_rows();
        self.shapes.known.clear();
        self.shapes.words.clear();
        self.shapes.text.clear();
        self.shapes.count = 0;
    }

    /// Adds a row in msgpack.
    pub fn row(&mut self, row: Raw<'_>) {
        self.places
            .extend([word(HEAD_WORDS + self.words.len()), word(self.units)]);
        self.value(row.view());
    }

    /// Adds an owned row.
    pub fn row_of(&mut self, row: &Value) {
        if let Some(raw) = Raw::new(&row.to_msgpack()) {
            self.row(raw);
        }
    }

    /// Takes all rows out and keeps the head, the columns and the shapes.
    pub fn clear_rows(&mut self) {
        self.words.clear();
        self.places.clear();
        self.text.clear();
        self.units = 0;
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.places.len() / 2
    }

    /// About how many bytes the answer has so far.
    pub fn bytes(&self) -> usize {
        (self.words.len() + self.places.len()) * 4 + self.text.len()
    }

    fn value(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.words.push(tag::NULL),
            ValueRef::Bool(false) => self.words.push(tag::FALSE),
            ValueRef::Bool(true) => self.words.push(tag::TRUE),
            ValueRef::Int(value) => self.integer(value),
            ValueRef::UInt(value) => self.wide(tag::U64, value),
            ValueRef::Float(value) => self.wide(tag::FLOAT, value.to_bits()),
            ValueRef::Str(text) => self.string(text),
            ValueRef::Array(array) => {
                self.words.push(tag::ARRAY | word(array.len()) << 4);
                array.iter().for_each(|item| self.value(item.view()));
            }
            ValueRef::Object(object) => self.object(object),
        }
    }

    fn integer(&mut self, value: i64) {
        if (-SMALL..SMALL).contains(&value) {
            let [low, _] = halves(value.cast_unsigned());
            self.words.push(tag::SMALL | low << 4);
        } else if value.unsigned_abs() < EXACT_MAX {
            self.wide(tag::INTEGER, (value as f64).to_bits());
        } else {
            self.wide(tag::I64, value.cast_unsigned());
        }
    }

    fn wide(&mut self, tag: u32, bits: u64) {
        let [low, high] = halves(bits);
        self.words.extend([tag, low, high]);
    }

    fn string(&mut self, text: &str) {
        let units = units(text);
        self.words.push(tag::STRING | word(units) << 4);
        self.units += units;
        self.text.extend_from_slice(text.as_bytes());
    }

    fn object(&mut self, object: ObjectRef<'_>) {
        let (place, start) = (self.words.len(), self.names.len());
        self.words.push(0);
        for (name, value) in object.iter() {
            push_name(name, &mut self.names);
            self.value(value.view());
        }
        let names = self.names.get(start..).unwrap_or_default();
        let shape = self.shapes.number(names);
        self.names.truncate(start);
        if let Some(word) = self.words.get_mut(place) {
            *word = tag::OBJECT | shape << 4;
        }
    }

    /// The answer as its buffer.
    pub fn finish(&self, out: &mut Vec<u8>) {
        out.clear();
        let places = HEAD_WORDS + self.words.len();
        let shapes = places + self.places.len();
        let text = (shapes + 1 + self.shapes.words.len()) * 4;
        let kind = match self.kind {
            Kind::Rows => 0,
            Kind::Written => 1,
            Kind::Done => 2,
        };
        let [seq_low, seq_high] = halves(self.seq.0);
        let [time_low, time_high] = halves(self.time.0);
        let [events_low, events_high] = halves(self.events);
        let head: [u32; HEAD_WORDS] = [
            LAYOUT,
            kind,
            u32::from(self.has_columns),
            seq_low,
            seq_high,
            time_low,
            time_high,
            events_low,
            events_high,
            word(self.rows()),
            word(places),
            word(shapes),
            word(text),
            word(self.units),
        ];
        out.reserve(text + self.text.len() + self.shapes.text.len());
        out.resize(text, 0);
        let mut rest = out.as_mut_slice();
        let counts = [self.shapes.count];
        for words in [
            head.as_slice(),
            &self.words,
            &self.places,
            &counts,
            &self.shapes.words,
        ] {
            let (part, behind) = rest
                .split_at_mut_checked(words.len() * 4)
                .unwrap_or_default();
            for (place, word) in part.chunks_exact_mut(4).zip(words) {
                place.copy_from_slice(&word.to_le_bytes());
            }
            rest = behind;
        }
        out.extend_from_slice(&self.text);
        out.extend_from_slice(&self.shapes.text);
    }
}

/// Hashes an answer, after the hash of the buffer before it: the same rows have the same one, whatever seq and time they are read at.
pub fn digest(buffer: &[u8], before: u64) -> u64 {
    let mut hasher = XxHash64::with_seed(before);
    hasher.write(buffer.get(..MOMENT.start).unwrap_or_default());
    hasher.write(buffer.get(MOMENT.end..).unwrap_or_default());
    hasher.finish()
}

impl Shapes {
    /// The number of the shape whose names these are, each with its length before it.
    fn number(&mut self, names: &[u8]) -> u32 {
        if let Some(number) = self.known.get(names) {
            return *number;
        }
        let place = self.words.len();
        self.words.push(0);
        let mut rest = names;
        while let Some((name, behind)) = split_name(rest) {
            self.words.push(word(units(name)));
            self.text.extend_from_slice(name.as_bytes());
            rest = behind;
        }
        let count = word(self.words.len() - place - 1);
        if let Some(first) = self.words.get_mut(place) {
            *first = count;
        }
        let number = self.count;
        self.count += 1;
        self.known.insert(names.to_vec(), number);
        number
    }
}

fn push_name(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&word(name.len()).to_le_bytes());
    out.extend_from_slice(name.as_bytes());
}

fn split_name(names: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = names.split_first_chunk::<4>()?;
    let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
    Some((core::str::from_utf8(name).ok()?, rest))
}
