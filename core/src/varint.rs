//! Unsigned LEB128, as everywhere on disk: seven bits a byte, the lowest first, in the shortest form.

use alloc::vec::Vec;

/// Appends `value`.
#[inline]
pub fn write(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(low_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_bits(value));
}

#[allow(clippy::cast_possible_truncation, reason = "seven bits are left")]
fn low_bits(value: u64) -> u8 {
    (value & 0x7f) as u8
}

/// Reads a value and returns it with what follows; `None` if the bytes end inside it, if it is above u64, or not in its shortest form.
#[inline]
pub fn read(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut shift) = (0u64, 0);
    for (index, byte) in bytes.iter().take(10).enumerate() {
        let bits = u64::from(byte & 0x7f);
        if index == 9 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            let shortest = *byte != 0 || index == 0;
            let rest = bytes.get(index + 1..)?;
            return shortest.then_some((value, rest));
        }
    }
    None
}

/// Like [`read`], going on in `bytes` behind the value.
#[inline]
pub fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (value, rest) = read(bytes)?;
    *bytes = rest;
    Some(value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for value in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            u64::from(u32::MAX),
            u64::MAX - 1,
            u64::MAX,
        ] {
            let mut bytes = Vec::new();
            write(value, &mut bytes);
            assert_eq!(read(&bytes), Some((value, &[][..])));
            assert_eq!(read(bytes.get(..bytes.len() - 1).unwrap()), None);
            bytes.push(7);
            let mut rest = bytes.as_slice();
            assert_eq!(take(&mut rest), Some(value));
            assert_eq!(rest, [7]);
        }
    }

    #[test]
    fn what_is_not_shortest_or_too_large_is_nothing() {
        assert_eq!(read(&[0x80, 0x00]), None);
        assert_eq!(read(&[0xff; 10]), None);
    }
}
