//! A month of rows of services that are gone by now, laid down as files.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Timestamp;

const STEP: Duration = Duration::from_secs(15);
const SERVICES: [&str; 3] = ["old-one", "old-two", "old-three"];
const HEADER: &str = "timestamp,value,severity,prediction,score,delta,rolling_mean,rolling_std,zscore,expected,lower,upper";
/// As long as a row usually is.
const CELLS: &str = "199.01200664118716,Normal,Normal,0.06960436215550261,0.5517792083576865,\
    205.17079405944222,5.822973541247895,-1.0576705139802511,201.02846130662704,\
    101.02846130662704,301.02846130662704";

pub struct Aged {
    files: Vec<PathBuf>,
    newest: Timestamp,
}

impl Aged {
    /// In each file: 28 days, so that nothing goes by its age.
    pub const ROWS: usize = 28 * 5_760;

    /// Until a minute before `now`.
    pub fn lay_down(data: &Path, now: Timestamp) -> Aged {
        let newest = (now - Duration::from_secs(60)).floor_to(STEP);
        let files = SERVICES.map(|service| {
            let folder = data.join("datasets").join(service).join("history");
            fs::create_dir_all(&folder).unwrap();
            let path = folder.join("cpu.csv");
            let mut file = BufWriter::new(File::create(&path).unwrap());
            writeln!(file, "{HEADER}").unwrap();
            for number in (0..Aged::ROWS).rev() {
                let at = newest - STEP * u32::try_from(number).unwrap();
                writeln!(file, "{at},{CELLS}").unwrap();
            }
            file.flush().unwrap();
            path
        });
        Aged {
            files: files.into(),
            newest,
        }
    }

    pub fn bytes(&self) -> u64 {
        let length = |path: &PathBuf| fs::metadata(path).unwrap().len();
        self.files.iter().map(length).sum()
    }

    /// Of each file: how many rows are left, and how many there are from its first to the newest.
    pub fn left(&self) -> Vec<(usize, usize)> {
        let of = |path: &PathBuf| {
            let text = fs::read_to_string(path).unwrap();
            let first: Timestamp = text.lines().nth(1).unwrap()[..24].parse().unwrap();
            let reach = self.newest.as_millis() - first.as_millis();
            let steps = usize::try_from(reach).unwrap() / STEP.as_millis() as usize;
            (text.lines().count() - 1, steps + 1)
        };
        self.files.iter().map(of).collect()
    }
}
