//! The nearest double of a decimal number, as `str::parse` finds it; but without its tables of 10 KiB, which do not compress and which a module that browsers load would
//! have to bring. Short numbers are divided at once, all others bit by bit.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// Digits beyond so many say only that the number is a little larger: a double's neighbours differ earlier.
const DIGITS_MAX: usize = 800;
/// Ten to this fits into 64 bits.
const SHORT_POWER: u32 = 19;
/// Of the smallest and the largest double's exponents.
const MIN_EXPONENT: i64 = -1022;
const MAX_EXPONENT: i64 = 1023;
/// Of a double's fraction.
const FRACTION_BITS: i64 = 52;

/// The double of a text that is a number as JSON writes it; infinite where there is none.
pub fn parse(text: &str) -> f64 {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent_of(exponent) - i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let digits = whole.bytes().chain(fraction.bytes());
    let value = positive(digits.map(|digit| digit.wrapping_sub(b'0')), exponent);
    if negative { -value } else { value }
}

/// An exponent, held to what makes no difference any more.
fn exponent_of(text: &str) -> i64 {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let value = digits.bytes().fold(0_i64, |value, digit| {
        (value * 10 + i64::from(digit.wrapping_sub(b'0'))).min(1 << 40)
    });
    if negative { -value } else { value }
}

/// The digits times a power of ten.
fn positive(digits: impl Iterator<Item = u8>, mut exponent: i64) -> f64 {
    let (mut number, mut short, mut count) = (Big::default(), 0_u64, 0);
    for digit in digits.skip_while(|digit| *digit == 0) {
        count += 1;
        match count {
            ..=19 => short = short * 10 + u64::from(digit),
            // Kept as one more digit that is not zero.
            _ if count > DIGITS_MAX => exponent += 1,
            _ => {}
        }
        if count <= DIGITS_MAX {
            number.times(10, digit.into());
        } else if digit != 0 {
            number.make_odd();
        }
    }
    if count == 0 {
        return 0.0;
    }
    if count <= 19
        && let Some(value) = quickly(short, exponent)
    {
        return value;
    }
    let size = i64::try_from(count.min(DIGITS_MAX)).unwrap_or(0) + exponent;
    match size {
        ..-330 => 0.0,
        311.. => f64::INFINITY,
        _ => divided(number, exponent),
    }
}

/// Most numbers: what fits into 128 bits is rounded once.
fn quickly(number: u64, exponent: i64) -> Option<f64> {
    let power = u32::try_from(exponent.unsigned_abs()).ok()?;
    if power > SHORT_POWER {
        return None;
    }
    let (number, power) = (u128::from(number), 10_u128.pow(power));
    #[allow(
        clippy::cast_precision_loss,
        reason = "the cast rounds to the nearest double, as is wanted"
    )]
    if exponent >= 0 {
        return Some((number * power) as f64);
    }
    // A quotient of 63 bits or more, of which the last says whether anything follows.
    let shift = number.leading_zeros();
    let number = number << shift;
    let quotient = (number / power) | u128::from(number % power > 0);
    let scale = f64::from_bits((1023 - u64::from(shift)) << FRACTION_BITS);
    #[allow(clippy::cast_precision_loss, reason = "as above")]
    Some(quotient as f64 * scale)
}

/// The number times a power of ten as a quotient, of which as many bits are made as a double has, and one to round by.
fn divided(mut number: Big, exponent: i64) -> f64 {
    let mut divisor = Big::of(1);
    let powers = if exponent < 0 {
        &mut divisor
    } else {
        &mut number
    };
    for _ in 0..exponent.unsigned_abs() {
        powers.times(10, 0);
    }
    // The quotient lies between 1 and 2 times a power of two.
    let mut binary = number.bits() - divisor.bits();
    match binary {
        0.. => divisor.shift(binary),
        _ => number.shift(-binary),
    }
    if number.compare(&divisor) == Ordering::Less {
        number.shift(1);
        binary -= 1;
    }
    if binary > MAX_EXPONENT {
        return f64::INFINITY;
    }
    // The smallest doubles have fewer bits.
    let bits = FRACTION_BITS + 1 + (binary - MIN_EXPONENT).min(0);
    if bits < 0 {
        return 0.0;
    }
    let mut quotient = 0_u64;
    for _ in 0..=bits {
        quotient <<= 1;
        if number.compare(&divisor) != Ordering::Less {
            number.subtract(&divisor);
            quotient |= 1;
        }
        number.shift(1);
    }
    let (mut fraction, half) = (quotient >> 1, quotient & 1 == 1);
    if half && (number.bits() > 0 || fraction & 1 == 1) {
        fraction += 1;
    }
    // The highest bit of a whole fraction counts as one of the exponent, as does what rounding carries over.
    let before = u64::try_from(binary - MIN_EXPONENT).unwrap_or(0);
    f64::from_bits((before << FRACTION_BITS) + fraction)
}

/// A natural number: its words, the lowest first, without zeros above.
#[derive(Default)]
struct Big(Vec<u32>);

impl Big {
    fn of(word: u32) -> Big {
        Big([word].into())
    }

    fn times(&mut self, factor: u32, add: u32) {
        let mut carry = u64::from(add);
        for word in &mut self.0 {
            carry += u64::from(*word) * u64::from(factor);
            *word = low(carry);
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(low(carry));
        }
    }

    fn make_odd(&mut self) {
        if let Some(word) = self.0.first_mut() {
            *word |= 1;
        }
    }

    /// How many bits it has.
    fn bits(&self) -> i64 {
        let words = i64::try_from(self.0.len()).unwrap_or(0);
        let last = self.0.last().map_or(0, |word| word.leading_zeros());
        words * 32 - i64::from(last)
    }

    /// Times a power of two.
    fn shift(&mut self, by: i64) {
        let (words, bits) = (usize::try_from(by / 32).unwrap_or(0), by % 32);
        self.times(1 << bits, 0);
        self.0.splice(..0, core::iter::repeat_n(0, words));
    }

    fn compare(&self, other: &Big) -> Ordering {
        let (one, two) = (self.0.len(), other.0.len());
        one.cmp(&two)
            .then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Less one that is not larger.
    fn subtract(&mut self, other: &Big) {
        let mut borrow = false;
        let others = other.0.iter().chain(core::iter::repeat(&0));
        for (word, less) in self.0.iter_mut().zip(others) {
            let (once, first) = word.overflowing_sub(*less);
            let (twice, second) = once.overflowing_sub(u32::from(borrow));
            (*word, borrow) = (twice, first || second);
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

fn low(number: u64) -> u32 {
    #[allow(clippy::cast_possible_truncation, reason = "the low half is meant")]
    {
        number as u32
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::format;

    use proptest::prelude::*;

    fn check(text: &str) {
        let expected: f64 = text.parse().unwrap();
        assert_eq!(super::parse(text).to_bits(), expected.to_bits(), "{text}");
    }

    #[test]
    fn the_edges() {
        for text in [
            "0.0",
            "-0.0",
            "0e5",
            "1e0",
            "1e22",
            "1e23",
            "9007199254740993.0",
            "9007199254740992e22",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1e309",
            "1e999999999999999999999",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "4.9406564584124654e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "1e-324",
            "1e-400",
            "1e-999999999999999999999",
            "0.000000000000000000001e330",
            "8.98846567431158e307",
            "179769313486231580793728971405301199e273",
            "123456789012345678901234567890e-10",
        ] {
            check(text);
        }
        // Halfway between two doubles, and a little more at the end of many digits.
        let half = "9007199254740993.";
        for zeros in [0, 10, 700, 790, 800, 900] {
            check(&format!("{half}{}0", "0".repeat(zeros)));
            check(&format!("{half}{}1", "0".repeat(zeros)));
        }
        check(&format!("{}e-1000", "7".repeat(1000)));
        check(&format!("0.{}1", "0".repeat(322)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn doubles_come_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            if value.is_finite() {
                check(&format!("{value:e}"));
                check(&format!("{value:.3e}"));
                check(&format!("{value:.25e}"));
            }
        }

        #[test]
        fn short_ones(number in any::<u64>(), places in 0_usize..25, exponent in -25_i32..25) {
            check(&format!("{number}e{exponent}"));
            check(&format!("{}.{:0places$}1", number % 1000, number % 7));
            check(&format!("{}", number as f64 / 1e5));
        }

        #[test]
        fn decimals(whole in "[1-9][0-9]{0,40}", fraction in "[0-9]{1,40}", exponent in -345_i32..320) {
            check(&format!("{whole}.{fraction}e{exponent}"));
            check(&format!("-{whole}.{fraction}"));
        }

        /// Halfway between two doubles, and just beside.
        #[test]
        fn middles(fraction in 0_u128..1 << 52, exponent in 0_u32..60) {
            let middle = ((1 << 52 | fraction) * 2 + 1) << exponent;
            check(&format!("{middle}.0"));
            check(&format!("{middle}.{}1", "0".repeat(30)));
            check(&format!("{}.{}", middle - 1, "9".repeat(30)));
            check(&format!("{middle}e-30"));
        }
    }
}
