//! Walking msgpack bytes: the head of a value, and the end of one. Never allocates, recurses or panics.

/// The head of a msgpack value: a scalar, or the length of what follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Head {
    Null,
    Bool(bool),
    Int(i64),
    /// Above `i64::MAX`.
    UInt(u64),
    Float(f64),
    /// Bytes of text that follow.
    Str(usize),
    /// Values that follow.
    Array(usize),
    /// Pairs of values that follow.
    Map(usize),
}

/// Reads the head at the start of `bytes`; returns it with what follows. `None` for a cut value and for the kinds that
/// documents do not have (binary, extensions).
#[inline]
pub(super) fn head(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    Some(match tag {
        0x00..=0x7f => (Head::Int(i64::from(tag)), rest),
        0x80..=0x8f => (Head::Map(usize::from(tag & 0x0f)), rest),
        0x90..=0x9f => (Head::Array(usize::from(tag & 0x0f)), rest),
        0xa0..=0xbf => (Head::Str(usize::from(tag & 0x1f)), rest),
        0xe0..=0xff => (Head::Int(i64::from(tag.cast_signed())), rest),
        0xc0 => (Head::Null, rest),
        0xc2 => (Head::Bool(false), rest),
        0xc3 => (Head::Bool(true), rest),
        _ => return wide_head(tag, rest),
    })
}

/// The heads whose number or length is in the bytes after the tag.
fn wide_head(tag: u8, rest: &[u8]) -> Option<(Head, &[u8])> {
    Some(match tag {
        0xca => split(rest, |b| Head::Float(f64::from(f32::from_be_bytes(b))))?,
        0xcb => split(rest, |b| Head::Float(f64::from_be_bytes(b)))?,
        0xcc => split(rest, |b| Head::Int(i64::from(u8::from_be_bytes(b))))?,
        0xcd => split(rest, |b| Head::Int(i64::from(u16::from_be_bytes(b))))?,
        0xce => split(rest, |b| Head::Int(i64::from(u32::from_be_bytes(b))))?,
        0xcf => split(rest, |b| unsigned(u64::from_be_bytes(b)))?,
        0xd0 => split(rest, |b| Head::Int(i64::from(i8::from_be_bytes(b))))?,
        0xd1 => split(rest, |b| Head::Int(i64::from(i16::from_be_bytes(b))))?,
        0xd2 => split(rest, |b| Head::Int(i64::from(i32::from_be_bytes(b))))?,
        0xd3 => split(rest, |b| Head::Int(i64::from_be_bytes(b)))?,
        0xd9 => split(rest, |b| Head::Str(usize::from(u8::from_be_bytes(b))))?,
        0xda => split(rest, |b| Head::Str(usize::from(u16::from_be_bytes(b))))?,
        0xdb => split(rest, |b| Head::Str(u32::from_be_bytes(b) as usize))?,
        0xdc => split(rest, |b| Head::Array(usize::from(u16::from_be_bytes(b))))?,
        0xdd => split(rest, |b| Head::Array(u32::from_be_bytes(b) as usize))?,
        0xde => split(rest, |b| Head::Map(usize::from(u16::from_be_bytes(b))))?,
        0xdf => split(rest, |b| Head::Map(u32::from_be_bytes(b) as usize))?,
        _ => return None,
    })
}

#[inline]
fn split<const N: usize>(bytes: &[u8], make: impl Fn([u8; N]) -> Head) -> Option<(Head, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<N>()?;
    Some((make(*number), rest))
}

fn unsigned(number: u64) -> Head {
    i64::try_from(number).map_or(Head::UInt(number), Head::Int)
}

/// The bytes behind the value at the start of `bytes`; `None` if it is cut or of a kind that documents do not have.
#[inline]
pub(super) fn skip(bytes: &[u8]) -> Option<&[u8]> {
    // The usual scalars and short strings first, without the loop.
    let (&tag, rest) = bytes.split_first()?;
    match tag {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Some(rest),
        0xa0..=0xbf => rest.get(usize::from(tag & 0x1f)..),
        _ => skip_nested(bytes),
    }
}

/// `pending` counts the values still to be passed: each step takes one byte at least, so a lying count ends with the bytes.
fn skip_nested(mut bytes: &[u8]) -> Option<&[u8]> {
    let mut pending: u64 = 1;
    while pending > 0 {
        let (&tag, rest) = bytes.split_first()?;
        pending -= 1;
        let size = match tag {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => 0,
            0xa0..=0xbf => usize::from(tag & 0x1f),
            0xcc | 0xd0 => 1,
            0xcd | 0xd1 => 2,
            0xca | 0xce | 0xd2 => 4,
            0xcb | 0xcf | 0xd3 => 8,
            _ => {
                let (head, rest) = head(bytes)?;
                let text = match head {
                    Head::Array(count) => {
                        pending = pending.saturating_add(count as u64);
                        0
                    }
                    Head::Map(count) => {
                        pending = pending.saturating_add(2 * count as u64);
                        0
                    }
                    Head::Str(length) => length,
                    _ => 0,
                };
                bytes = rest.get(text..)?;
                continue;
            }
        };
        bytes = rest.get(size..)?;
    }
    Some(bytes)
}

/// The value at the start of `bytes`, and what follows it.
#[inline]
pub(super) fn split_value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = skip(bytes)?;
    bytes.split_at_checked(bytes.len() - rest.len())
}

/// The text of the string at the start of `bytes`, and what follows it; `None` if it is not a string.
#[inline]
pub(super) fn split_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    if let 0xa0..=0xbf = tag {
        return rest.split_at_checked(usize::from(tag & 0x1f));
    }
    match head(bytes)? {
        (Head::Str(length), rest) => rest.split_at_checked(length),
        _ => None,
    }
}
