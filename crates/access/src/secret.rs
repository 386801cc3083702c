//! Random secrets, and the hashes under which they are kept.

/// Random bytes of a secret.
const BYTES: usize = 32;

/// The system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random bytes: {0}")]
pub struct RandomError(#[from] getrandom::Error);

/// What a secret is kept and looked up by. Comparing digests tells nothing of the secret, so it
/// need not take the same time for all.
pub(crate) type Digest = [u8; BYTES];

/// 256 random bits as 64 hexadecimal digits.
pub(crate) fn random() -> Result<String, RandomError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

pub(crate) fn digest(secret: &str) -> Digest {
    *blake3::hash(secret.as_bytes()).as_bytes()
}

pub(crate) fn hex(bytes: &[u8; BYTES]) -> String {
    blake3::Hash::from_bytes(*bytes).to_hex().to_string()
}

/// From 64 lower-case hexadecimal digits.
pub(crate) fn from_hex(text: &str) -> Option<Digest> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    blake3::Hash::from_hex(text)
        .ok()
        .map(|hash| *hash.as_bytes())
}
