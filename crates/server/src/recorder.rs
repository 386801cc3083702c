//! `serve --record FILE`: every input of the engine and the hash of every output.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use engine::{Frame, State, TickInput, encode_frame};

/// A recording that is being written.
pub struct Recorder {
    file: File,
    path: PathBuf,
    failed: bool,
}

impl Recorder {
    /// Creates the file; the state is its head.
    ///
    /// # Errors
    /// The file exists or can't be written.
    pub fn create(path: &Path, state: &State) -> anyhow::Result<Recorder> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let mut file = file.with_context(|| {
            format!(
                "create the recording {} (it must not exist yet)",
                path.display()
            )
        })?;
        file.write_all(&encode_frame(&Frame::State(state.encode())))
            .with_context(|| format!("write the recording {}", path.display()))?;
        Ok(Recorder {
            file,
            path: path.to_owned(),
            failed: false,
        })
    }

    /// Adds one step. A recording that can't be written ends, is said once, and stops nothing.
    pub fn add(&mut self, input: &TickInput, output_hash: [u8; 32]) {
        if self.failed {
            return;
        }
        let frame = encode_frame(&Frame::Tick {
            input: Box::new(input.clone()),
            output_hash,
        });
        if let Err(error) = self.file.write_all(&frame) {
            self.failed = true;
            tracing::error!(path = %self.path.display(), %error, "the recording ends here");
        }
    }
}
