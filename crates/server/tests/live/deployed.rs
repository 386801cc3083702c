//! What `deploy/` ships, as a test may use it: the same files with paths, ports and addresses of a
//! folder of its own, and people who may come in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use access::Role;

/// Of the user who administrates.
pub const PASSWORD: &str = "a long password";

/// A file of `deploy/`.
pub fn shipped(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    fs::read_to_string(path.join(file)).expect("deploy/ is a part of the project")
}

/// The text with each of the pairs replaced; what isn't in it can't be replaced.
pub fn substituted(text: &str, pairs: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (shipped, here) in pairs {
        assert!(text.contains(shipped), "{shipped:?} isn't shipped: {text}");
        text = text.replace(shipped, here);
    }
    text
}

/// Writes the files of users and tokens to a folder; gives the token.
pub fn let_in(folder: &Path) -> String {
    let user = access::new_password_line("kim", Role::Admin, PASSWORD).expect("a good password");
    let (token, line) = access::new_token("doctor", Role::Admin).expect("a good name");
    for (file, line) in [("users", user), ("tokens", line)] {
        let path = folder.join(file);
        fs::write(&path, line + "\n").expect("a temporary folder is writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
    }
    token
}

/// `deploy/bellwether.yaml` for a Prometheus at `url`, with its files and the logs in `folder`; the
/// address and the data directory are left out.
pub fn configuration(folder: &Path, url: &str) -> String {
    let folder = folder.display();
    substituted(
        &shipped("bellwether.yaml"),
        &[
            ("http://127.0.0.1:9090", url),
            ("/etc/bellwether/users", &format!("{folder}/users")),
            ("/etc/bellwether/tokens", &format!("{folder}/tokens")),
            ("/var/log/shop/", &format!("{folder}/logs/")),
            ("\nlisten: 127.0.0.1:9092\n", "\n"),
            ("\ndata_dir: /var/lib/bellwether\n", "\n"),
        ],
    )
}
