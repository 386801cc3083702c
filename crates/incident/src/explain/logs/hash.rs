//! Fixed hashes: the same in every run and on every machine.
//!
//! Neither resists somebody who looks for collisions; what such a one gains is two templates
//! counted as one.

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>. For names that are kept.
pub(crate) fn fnv(parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        // 0xff is in no UTF-8 text, so parts can't run into one another.
        for &byte in part.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

/// Eight bytes at a time by folded multiplication, as in wyhash and rustc-hash; for tables in
/// memory only.
pub(crate) fn quick(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = fold(seed ^ 0x9e37_79b9_7f4a_7c15, bytes.len() as u64);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        hash = fold(hash, chunk.try_into().map_or(0, u64::from_le_bytes));
    }
    let mut last = [0; 8];
    for (to, &from) in last.iter_mut().zip(chunks.remainder()) {
        *to = from;
    }
    fold(hash, u64::from_le_bytes(last))
}

fn fold(hash: u64, word: u64) -> u64 {
    let product =
        u128::from(hash ^ 0xa076_1d64_78bd_642f) * u128::from(word ^ 0xe703_7ed1_a0b4_28db);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_names_are_fnv_with_marked_ends() {
        assert_eq!(fnv(&[]), 0xcbf2_9ce4_8422_2325);
        assert_ne!(fnv(&[b"ab", b"c"]), fnv(&[b"a", b"bc"]));
    }

    #[test]
    fn quick_tells_lengths_and_seeds_apart() {
        assert_ne!(quick(0, b""), quick(0, b"\0"));
        assert_ne!(quick(0, b"12345678"), quick(0, b"12345678\0"));
        assert_ne!(quick(0, b"a"), quick(1, b"a"));
    }
}
