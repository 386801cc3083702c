//! The bytes of a recording: a head with the state, then a frame for each tick with its input and
//! the hash of its output. Each frame says its kind and length and ends with a checksum.

use crate::input::TickInput;

const MAGIC: &[u8; 4] = b"BWR4";
const HEAD_BYTES: usize = 9;
const CHECK_BYTES: usize = 8;
/// What claims to be longer is damaged. The state of 20,000 series takes about 1.3 GiB.
const FRAME_BYTES_MAX: usize = 3 << 30;

/// One piece of a recording.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// The encoded [`crate::State`] before the first tick.
    State(Vec<u8>),
    Tick {
        input: Box<TickInput>,
        output_hash: [u8; 32],
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("the recording ends inside a frame; {missing} bytes are missing at least")]
    CutShort { missing: usize },
    #[error("it is not a recording of format 3")]
    Magic,
    #[error("a frame is damaged: {0}")]
    Damaged(String),
}

/// magic (4) · kind (1) · length (4, little-endian) · payload · first 8 bytes of BLAKE3 of all before.
pub fn encode_frame(frame: &Frame) -> Vec<u8> {
    let (kind, payload) = match frame {
        Frame::State(bytes) => (0, bytes.clone()),
        Frame::Tick { input, output_hash } => {
            let mut payload = output_hash.to_vec();
            payload.extend(postcard::to_stdvec(&**input).expect("an input is plain data"));
            (1, payload)
        }
    };
    let mut bytes = MAGIC.to_vec();
    bytes.push(kind);
    let length = u32::try_from(payload.len()).expect("a frame is below 3 GiB");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&payload);
    let hash = blake3::hash(&bytes);
    bytes.extend_from_slice(&hash.as_bytes()[..CHECK_BYTES]);
    bytes
}

/// Reads the frame at the beginning of `bytes`, and how many bytes it takes.
///
/// # Errors
/// [`FrameError::CutShort`] where more bytes may complete it; the others are final.
pub fn decode_frame(bytes: &[u8]) -> Result<(Frame, usize), FrameError> {
    let cut = |needed: usize| FrameError::CutShort {
        missing: needed.saturating_sub(bytes.len()),
    };
    let head = bytes.get(..HEAD_BYTES).ok_or_else(|| cut(HEAD_BYTES))?;
    if !head.starts_with(MAGIC) {
        return Err(FrameError::Magic);
    }
    let length = u32::from_le_bytes([head[5], head[6], head[7], head[8]]) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(FrameError::Damaged(format!("it claims {length} bytes")));
    }
    let end = HEAD_BYTES + length;
    let checked = bytes
        .get(..end + CHECK_BYTES)
        .ok_or_else(|| cut(end + CHECK_BYTES))?;
    let (content, check) = checked.split_at(end);
    if blake3::hash(content).as_bytes()[..CHECK_BYTES] != *check {
        return Err(FrameError::Damaged("its checksum does not match".into()));
    }
    let payload = &content[HEAD_BYTES..];
    let frame = match head[4] {
        0 => Frame::State(payload.to_vec()),
        1 => decode_tick(payload)?,
        kind => return Err(FrameError::Damaged(format!("its kind is {kind}"))),
    };
    Ok((frame, checked.len()))
}

fn decode_tick(payload: &[u8]) -> Result<Frame, FrameError> {
    let damaged = |why: String| FrameError::Damaged(why);
    let (output_hash, input) = payload
        .split_first_chunk::<32>()
        .ok_or_else(|| damaged("it has no hash".into()))?;
    let input = postcard::from_bytes(input).map_err(|error| damaged(error.to_string()))?;
    Ok(Frame::Tick {
        input: Box::new(input),
        output_hash: *output_hash,
    })
}
