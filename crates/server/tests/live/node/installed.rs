//! A node as `docs/single-node.md` installs it, below a folder: the page's own commands run there,
//! with `sudo` and `systemctl` replaced by scripts that do the same for one user.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::deployed::{configuration, let_in, shipped, substituted};
use crate::harness::{client, folder, free_port, scaled, until};

const BINARY: &str = env!("CARGO_BIN_EXE_bellwether");
/// What an upgrade installs.
const NEXT_BINARY: &str = "target/release/bellwether";
const TICK: Duration = Duration::from_secs(1);
/// Every path of the page's commands that lies below the folder here.
const PLACES: [&str; 4] = [
    "/usr/local/bin",
    "/etc/bellwether",
    "/var/lib/bellwether",
    "/var/backups/bellwether",
];
const SUDO: &str = r#"[ "$1" != -u ] || shift 2
exec "$@""#;
/// A process that has ended but that nobody has asked after has no program any more.
const SYSTEMCTL: &str = r#"[ "$2" = bellwether ] || exit 1
exec 2>>systemctl.log
case $1 in
    start) readlink "/proc/$(cat pid || echo none)/exe" && exit; EXEC_START >>log 2>&1 & echo $! >pid ;;
    stop) pid=$(cat pid); kill "$pid"; while readlink "/proc/$pid/exe" >/dev/null; do sleep 0.05; done ;;
    *) exit 1 ;;
esac"#;

pub struct Installed {
    root: TempDir,
    url: String,
    token: String,
}

impl Installed {
    /// With the shipped configuration, for a Prometheus at `url`.
    pub fn new(url: &str) -> Installed {
        let root = folder();
        let port = free_port();
        for place in PLACES.iter().chain(&["/shims", "/target/release"]) {
            fs::create_dir_all(root.path().join(&place[1..])).unwrap();
        }
        // The state directory is made at the start.
        fs::remove_dir(root.path().join("var/lib/bellwether")).unwrap();
        let etc = root.path().join("etc/bellwether");
        let token = let_in(&etc);
        let data = root.path().join("var/lib/bellwether");
        let config = format!(
            "{}\nlisten: 127.0.0.1:{port}\ndata_dir: {}\n{}",
            configuration(&etc, url),
            data.display(),
            scaled(TICK)
        );
        fs::write(etc.join("config.yaml"), config).unwrap();
        for program in ["usr/local/bin/bellwether", NEXT_BINARY] {
            fs::copy(BINARY, root.path().join(program)).unwrap();
        }
        // Another build is another file; what follows a program's sections is nothing to it.
        let next = File::options()
            .append(true)
            .open(root.path().join(NEXT_BINARY));
        next.unwrap().write_all(b"another build").unwrap();
        let node = Installed {
            url: format!("http://127.0.0.1:{port}"),
            root,
            token,
        };
        node.write_shims();
        node
    }

    fn write_shims(&self) {
        let unit = shipped("systemd/bellwether.service");
        let mut lines = unit.lines();
        let start = lines.find_map(|line| line.strip_prefix("ExecStart="));
        let start = self.moved(start.expect("the unit starts something"));
        let systemctl = substituted(SYSTEMCTL, &[("EXEC_START", &start)]);
        for (name, text) in [("sudo", SUDO), ("systemctl", &systemctl)] {
            let path = self.root.path().join("shims").join(name);
            fs::write(&path, format!("#!/bin/bash\n{text}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// A command with the places and the address of this node.
    fn moved(&self, command: &str) -> String {
        let mut command = command.replace("http://127.0.0.1:9092", &self.url);
        for place in PLACES {
            command = command.replace(place, &self.path(place).display().to_string());
        }
        command
    }

    /// Where a place of the page lies here.
    pub fn path(&self, place: &str) -> PathBuf {
        self.root.path().join(&place[1..])
    }

    /// Runs a block of the page, to its end and without an error.
    pub fn run(&self, block: &str) {
        let output = self.shell(&self.moved(&commands(block)));
        assert!(
            output.status.success(),
            "{block}: {}\n{}",
            String::from_utf8_lossy(&output.stderr),
            fs::read_to_string(self.root.path().join("log")).unwrap_or_default()
        );
    }

    pub fn systemctl(&self, what: &str) {
        let output = self.shell(&format!("systemctl {what} bellwether"));
        assert!(output.status.success(), "{output:?}");
    }

    fn shell(&self, commands: &str) -> std::process::Output {
        let root = self.root.path().display();
        let path = format!("{root}/shims:{root}/usr/local/bin:/usr/bin:/bin");
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", commands])
            .env_clear()
            .env("PATH", path)
            .current_dir(self.root.path())
            .output()
            .expect("bash is there")
    }

    pub async fn wait_up(&self) {
        until("Bellwether", Duration::from_secs(30), || async {
            let answer = client().get(format!("{}/healthz", self.url)).send().await;
            answer.ok().filter(|answer| answer.status() == 200)
        })
        .await;
    }

    pub async fn get(&self, path: &str) -> Value {
        let request = client().get(format!("{}{path}", self.url));
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Says something in the timeline of the first incident.
    pub async fn comment(&self, note: &str) {
        let path = "/api/v1/incidents/1/comment";
        let request = client().post(format!("{}{path}", self.url));
        let request = request.bearer_auth(&self.token);
        let answer = request.json(&json!({ "note": note })).send().await;
        assert_eq!(answer.unwrap().status(), 200);
    }

    /// How long the program is that runs.
    pub fn running(&self) -> u64 {
        let pid = fs::read_to_string(self.root.path().join("pid")).unwrap();
        let exe = Path::new("/proc").join(pid.trim()).join("exe");
        fs::metadata(exe).unwrap().len()
    }

    pub fn newest_backup(&self) -> PathBuf {
        let backups = fs::read_dir(self.path("/var/backups/bellwether")).unwrap();
        let paths = backups.map(|backup| backup.unwrap().path());
        paths.max().expect("a backup was made")
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        if self.root.path().join("pid").exists() {
            let _ = self.shell("systemctl stop bellwether");
        }
    }
}

/// The commands of the page under a mark.
fn commands(block: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/single-node.md");
    let page = fs::read_to_string(page).unwrap();
    let mark = format!("<!-- run by a test: {block} -->\n```sh\n");
    let commands = page.split(&mark).nth(1).expect("the page has the block");
    let commands = commands.split("```").next();
    commands.expect("a text has a beginning").to_owned()
}
