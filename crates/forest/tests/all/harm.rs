//! Any bytes as a stored forest: they are refused, or are a sound one. The fuzz target runs it, too.

use forest::Forest;

/// As they are, and with the version and checksum that let more of them be read.
pub fn read_all(bytes: &[u8]) {
    read(bytes);
    for version in [1, 2] {
        let mut content = bytes.to_vec();
        content.splice(..content.len().min(5), *b"BWIF\0");
        content[4] = version;
        read(&if version == 1 {
            content
        } else {
            sealed(content)
        });
    }
}

/// Whatever is accepted encodes to the same bytes, but for the version, and can be scored.
pub fn read(bytes: &[u8]) {
    let Ok(forest) = Forest::decode(bytes) else {
        return;
    };
    let mut expected = bytes.to_vec();
    if bytes[4] == 1 {
        expected[4] = 2;
        expected = sealed(expected);
    }
    assert_eq!(forest.encode(), expected);
    for value in [-1e300, -0.3, 0.0, 0.3, 1e300] {
        let row = vec![value; forest.features()];
        let score = forest.score(&row);
        assert!(score > 0.0 && score < 1.0, "{score}");
        let why = forest.contributions(&row);
        let sum: f64 = why.per_feature.iter().sum();
        assert!((why.baseline + sum - score).abs() < 1e-9);
    }
}

/// The content with the checksum that belongs to it: FNV-1a, 64 bits.
pub fn sealed(mut content: Vec<u8>) -> Vec<u8> {
    let checksum = content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    content.extend(checksum.to_le_bytes());
    content
}
