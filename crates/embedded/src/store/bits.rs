//! Numbers as bits and bytes: variable-length integers, and Rice codes in a stream of bits.
//!
//! Readers are total: past the end they read zeros, and say afterwards that they did.

/// A Rice code's quotient from here on is an escape, followed by the number in full.
const ESCAPE: u32 = 24;

/// The largest parameter of a Rice code, so that quotient and remainder fit into one look.
pub(super) const RICE_MAX: u32 = 32;

/// Small numbers of either sign as small unsigned ones.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Appends seven bits a byte, low ones first.
pub(super) fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// How many bytes [`put_varint`] takes.
pub(super) fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// How many bits [`BitWriter::rice`] takes.
pub(super) fn rice_len(value: u64, parameter: u32) -> u64 {
    let quotient = value >> parameter;
    if quotient < u64::from(ESCAPE) {
        quotient + 1 + u64::from(parameter)
    } else {
        u64::from(ESCAPE) + 64
    }
}

/// Reads bytes from the front.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByteReader<'a> {
    bytes: &'a [u8],
    at: usize,
    overrun: bool,
}

impl<'a> ByteReader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> ByteReader<'a> {
        ByteReader {
            bytes,
            at,
            overrun: at > bytes.len(),
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Whether more was read than there is.
    pub(super) fn overrun(&self) -> bool {
        self.overrun
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let byte = self.bytes.get(self.at).copied();
        self.at += 1;
        self.overrun |= byte.is_none();
        byte.unwrap_or(0)
    }

    pub(super) fn varint(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return value;
            }
        }
        // More than ten bytes aren't written.
        self.overrun = true;
        value
    }

    /// A varint that counts things of which each takes a byte or more, so that a count that can't
    /// be true is found before memory is asked for.
    pub(super) fn count(&mut self) -> usize {
        let count = self.varint();
        let left = self.bytes.len().saturating_sub(self.at);
        if count > left as u64 {
            self.overrun = true;
            return 0;
        }
        count as usize
    }

    /// Empty if there are fewer.
    pub(super) fn take(&mut self, count: usize) -> &'a [u8] {
        let end = self.at.checked_add(count);
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(bytes) => {
                self.at += count;
                bytes
            }
            None => {
                self.overrun = true;
                &[]
            }
        }
    }

    pub(super) fn u64(&mut self) -> u64 {
        let bytes = self.take(8).try_into();
        bytes.map_or(0, u64::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> u32 {
        let bytes = self.take(4).try_into();
        bytes.map_or(0, u32::from_le_bytes)
    }
}

/// Appends bits, low ones first.
pub(super) struct BitWriter<'a> {
    bytes: &'a mut Vec<u8>,
    pending: u64,
    held: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(bytes: &'a mut Vec<u8>) -> BitWriter<'a> {
        BitWriter {
            bytes,
            pending: 0,
            held: 0,
        }
    }

    /// The low `count` bits of `value`, of which no higher one is set.
    pub(super) fn put(&mut self, value: u64, count: u32) {
        if count > 32 {
            self.put(value & 0xffff_ffff, 32);
            self.put(value >> 32, count - 32);
            return;
        }
        self.pending |= value << self.held;
        self.held += count;
        while self.held >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.held -= 8;
        }
    }

    /// The quotient by 2^`parameter` as zeros before a one, then the remainder. See Robert F. Rice,
    /// "Some practical universal noiseless coding techniques", 1979.
    pub(super) fn rice(&mut self, value: u64, parameter: u32) {
        let quotient = value >> parameter;
        if quotient < u64::from(ESCAPE) {
            self.put(1 << quotient, quotient as u32 + 1);
            self.put(value & ((1 << parameter) - 1), parameter);
        } else {
            self.put(0, ESCAPE);
            self.put(value, 64);
        }
    }

    /// Fills the last byte with zeros.
    pub(super) fn finish(self) {
        if self.held > 0 {
            self.bytes.push(self.pending as u8);
        }
    }
}

/// Reads what a [`BitWriter`] wrote.
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> BitReader<'a> {
    /// From the byte `at` on.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> BitReader<'a> {
        BitReader { bytes, at: at * 8 }
    }

    /// The byte after the last one that was begun.
    pub(super) fn end(&self) -> usize {
        self.at.div_ceil(8)
    }

    /// The next 57 bits or more.
    fn look(&self) -> u64 {
        let from = self.at / 8;
        let window = match self.bytes.get(from..from + 8) {
            Some(window) => window.try_into().map_or(0, u64::from_le_bytes),
            None => {
                let rest = self.bytes.get(from..).unwrap_or_default();
                let mut window = [0; 8];
                window[..rest.len()].copy_from_slice(rest);
                u64::from_le_bytes(window)
            }
        };
        window >> (self.at % 8)
    }

    pub(super) fn get(&mut self, count: u32) -> u64 {
        if count > 32 {
            let low = self.get(32);
            return low | self.get(count - 32) << 32;
        }
        let value = self.look() & ((1 << count) - 1);
        self.at += count as usize;
        value
    }

    pub(super) fn rice(&mut self, parameter: u32) -> u64 {
        let window = self.look();
        let quotient = window.trailing_zeros();
        if quotient < ESCAPE {
            let remainder = window >> (quotient + 1) & ((1 << parameter) - 1);
            self.at += (quotient + 1 + parameter) as usize;
            u64::from(quotient) << parameter | remainder
        } else {
            self.at += ESCAPE as usize;
            self.get(64)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_read_back(values in prop::collection::vec(any::<u64>(), 0..20), shift in 0_u32..64) {
            let mut bytes = Vec::new();
            for value in &values {
                put_varint(&mut bytes, value >> shift);
            }
            let lengths: usize = values.iter().map(|value| varint_len(value >> shift)).sum();
            prop_assert_eq!(bytes.len(), lengths);
            let mut reader = ByteReader::new(&bytes, 0);
            for value in &values {
                prop_assert_eq!(reader.varint(), value >> shift);
            }
            prop_assert!(reader.is_at_end() && !reader.overrun());
            reader.byte();
            prop_assert!(reader.overrun());
        }

        #[test]
        fn bits_read_back(
            values in prop::collection::vec((any::<u64>(), 0_u32..64), 0..40),
            parameter in 0..=RICE_MAX,
        ) {
            let values: Vec<u64> = values.iter().map(|(value, shift)| value >> shift).collect();
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            for value in &values {
                writer.rice(*value, parameter);
                writer.put(*value & 1, 1);
            }
            writer.finish();
            let bits: u64 = values.iter().map(|value| rice_len(*value, parameter) + 1).sum();
            prop_assert_eq!(bytes.len() as u64, bits.div_ceil(8));
            let mut reader = BitReader::new(&bytes, 0);
            for value in &values {
                prop_assert_eq!(reader.rice(parameter), *value);
                prop_assert_eq!(reader.get(1), *value & 1);
            }
            prop_assert_eq!(reader.end(), bytes.len());
        }

        #[test]
        fn signs_read_back(value in any::<i64>()) {
            prop_assert_eq!(unzigzag(zigzag(value)), value);
        }
    }
}
